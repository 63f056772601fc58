# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A traced expression is a graph that computes what NumPy computes."""

from __future__ import annotations

import numpy as np
import pytest

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.arrays import clip, concatenate, float32, largest, norm_last, zeros
from humanoid_locomotion.core.policy.standalone.tracing import MIN_OPSET, Recorder

onnx = pytest.importorskip('onnx')
onnxruntime = pytest.importorskip('onnxruntime')
MATRIX = np.random.default_rng(0).normal(size=(2, 3, 3)).astype(np.float32)


def replaced(x):
    """Assign to an array of zeros, as the controller does with what it carries over."""
    array = zeros((2, 4), x)
    array[...] = array + x
    return array * 2.0


EXPRESSIONS = {
    'arithmetic': lambda x: 2.0 * x - x / 4.0 + 1.0 - (-x),
    'functions': lambda x: np.sin(x) + np.cos(x) + np.sqrt(x * x),
    'clip': lambda x: clip(x, -0.5, np.full(4, 0.25)),
    'remainder': lambda x: (x * x) % 1.0,
    'angle': lambda x: np.arctan2(x[:, :2], x[:, 2:]),
    'angle of the axes': lambda x: np.arctan2(0.0 * x[0] + [0, 1e-9, 0, 1], 0.0 * x[0] + [
        1, -1, 0, 0]),
    'condition': lambda x: np.where((x > 0.0) | (x < -1.0), x, -x),
    'negation': lambda x: np.where(~(x > 0.0) & (x > -1.0), x, 0.0),
    'condition as a number': lambda x: x * (x > 0.0)[:, :1],
    'not a number': lambda x: np.where(np.isnan(x / 0.0 * 0.0), x, 0.0),
    'reductions': lambda x: x.sum(-1) + x.mean(1) + largest(x, 1) + norm_last(x),
    'indices': lambda x: concatenate((x[:, [3, 0]], x[..., 1:3], x[:1, 2:3] + x[..., [1]])),
    'new axes': lambda x: (MATRIX @ x[:, 1:, None])[..., 0] + x[:, None, 0],
    'shapes': lambda x: x.reshape(1, -1)[:, 2:6].reshape(2, 2),
    'filled': lambda x: np.zeros_like(x) + np.ones_like(x) + np.full_like(x, 2.0) + x,
    'stack': lambda x: np.stack((x, -x), -1),
    'precision': lambda x: float32(x) + float32([1.0, 2.0, 3.0, 4.0]),
    'assignment': replaced,
    'rotation': lambda x: rotations.in_heading_frame(rotations.normalize(x), x[:, :3]),
    'gravity': lambda x: rotations.vertical_rate(rotations.normalize(x), x[:, 1:])}


def run(expression, opset, x):
    recorder = Recorder()
    traced = expression(recorder.input('x', x.shape))
    nodes, tensors = recorder.graph([traced.name])
    make, kind = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(nodes, 'g', [make('x', kind, x.shape)],
                                   [make(traced.name, kind, traced.shape)], tensors)
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid('', opset)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {'x': x})[0]


@pytest.mark.parametrize('opset', [MIN_OPSET, 20])
@pytest.mark.parametrize('name', EXPRESSIONS)
def test_a_graph_computes_what_numpy_computes(name, opset):
    x = np.random.default_rng(1).normal(size=(2, 4)).astype(np.float32)
    with np.errstate(all='ignore'):
        expected = EXPRESSIONS[name](x)
    np.testing.assert_allclose(run(EXPRESSIONS[name], opset, x), expected, atol=2e-6)


def test_what_is_computed_twice_is_recorded_once():
    recorder = Recorder()
    x = recorder.input('x', (1, 3))
    total = np.sin(x[:, :2]) + np.sin(x[:, :2]) + 0.0 * np.cos(x[:, :1]).sum(-1)
    assert [it.op_type for it in recorder.graph([total.name])[0]].count('Sin') == 1


def test_only_what_an_output_needs_is_in_the_graph():
    recorder = Recorder()
    x = recorder.input('x', (1, 3))
    np.cos(x)
    assert [it.op_type for it in recorder.graph([np.sin(x).name])[0]] == ['Sin']


@pytest.mark.parametrize('expression', [
    np.exp, np.cumsum, lambda x: np.add.reduce(x), lambda x: x.__setitem__(0, x),
    lambda x: x.__setitem__(..., x[:, :2])])
def test_an_expression_without_a_translation_is_refused(expression):
    with pytest.raises(TypeError):
        expression(Recorder().input('x', (1, 3)))
