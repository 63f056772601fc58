# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A network with a memory: any batch, one robot at a time, and as a standalone policy."""

from __future__ import annotations

import numpy as np
import pytest
from samples import command, contract, state

from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.errors import PolicyError
from humanoid_locomotion.core.policy.engines import start_engine
from humanoid_locomotion.core.policy.folder import replay_golden
from humanoid_locomotion.core.policy.golden import record_golden, tumbling_states
from humanoid_locomotion.core.policy.onnx_graph import read_network
from humanoid_locomotion.core.policy.standalone.graph import standalone_bytes
from humanoid_locomotion.core.policy.standalone.replay import Replay

onnx = pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')
from onnx import helper, numpy_helper  # noqa: E402

CLOCK = contract(layout='proprioceptive_clock')
OBS, MEMORY = Controller(CLOCK).builder.size, 3
WEIGHT = np.random.default_rng(0).normal(0.0, 0.2, (OBS + MEMORY, 4 + MEMORY)).astype(np.float32)


def network(batch='batch', memory=('batch', MEMORY)):
    """Return tanh([obs, memory] @ weight), of which the last columns are the new memory."""
    def ends(first, size, second):
        return [helper.make_tensor_value_info(first, 1, [batch, size]),
                helper.make_tensor_value_info(second, 1, memory)]

    graph = helper.make_graph(
        [helper.make_node('Concat', ['obs', 'h_in'], ['x'], axis=1),
         helper.make_node('MatMul', ['x', 'weight'], ['y']),
         helper.make_node('Tanh', ['y'], ['z']),
         helper.make_node('Split', ['z', 'sizes'], ['actions', 'h_out'], axis=1)], 'g',
        ends('obs', OBS, 'h_in'), ends('actions', 4, 'h_out'),
        [numpy_helper.from_array(WEIGHT, 'weight'),
         numpy_helper.from_array(np.array([4, MEMORY]), 'sizes')])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    return read_network(model.SerializeToString(), 'file')


@pytest.mark.parametrize('ends', [{}, {'batch': 1, 'memory': (1, MEMORY)}])
@pytest.mark.parametrize('robots', [1, 5])
def test_an_engine_takes_and_gives_the_memory_of_each_robot(ends, robots):
    engine, rng = start_engine(network(**ends), 'onnxruntime'), np.random.default_rng(1)
    obs = rng.normal(size=(robots, OBS)).astype(np.float32)
    memory = rng.normal(size=(robots, MEMORY)).astype(np.float32)
    expected = np.tanh(np.concatenate((obs, memory), 1) @ WEIGHT)
    actions, after = engine(obs, memory)
    assert np.allclose(actions, expected[:, :4], atol=1e-6)
    assert np.allclose(after, expected[:, 4:], atol=1e-6)


@pytest.mark.parametrize('ends', [
    {'memory': (1, MEMORY)}, {'memory': ('batch', 0)}, {'memory': ('batch', 2, MEMORY)},
    {'batch': 1}])
def test_a_memory_of_another_shape_is_refused(ends):
    with pytest.raises(PolicyError, match=r"expected 'h_in' and 'h_out' of the same shape"):
        network(**ends)


def test_the_engine_torch_says_which_one_runs_it():
    pytest.importorskip('torch')
    with pytest.raises(PolicyError, match="try the engine 'onnxruntime'"):
        start_engine(network(), 'torch')


def test_golden_steps_replay_with_the_memory():
    engine = start_engine(network(), 'onnxruntime')
    golden = record_golden(CLOCK, engine, tumbling_states(CLOCK))
    assert replay_golden(CLOCK, engine, golden, 'golden.npz') < 1e-6
    golden['action'][100] = np.tanh(golden['observation'][100] @ WEIGHT[:OBS, :4])
    with pytest.raises(PolicyError, match='golden step 100 does not replay: action'):
        replay_golden(CLOCK, engine, golden, 'golden.npz')


def test_the_standalone_policy_carries_the_memory_of_its_network():
    it, rng = network(), np.random.default_rng(2)
    replay = Replay(read_network(standalone_bytes(CLOCK, it), 'policy.onnx', True), CLOCK)
    controller = Controller(CLOCK, start_engine(it, 'onnxruntime'))
    controller.reset_all()
    for _ in range(30):
        now, asked = state(rng, 1, 4), command(rng, 1)
        replay.compare(now, asked, controller.step(now, asked).positions)
    assert replay.difference < 5e-6 and np.abs(controller.memory).min() > 1e-3
