# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A network is a straight line of known operators of known sizes, or no engine sees it."""

from __future__ import annotations

import numpy as np
import pytest

from humanoid_locomotion.core.errors import PolicyError
from humanoid_locomotion.core.policy.engines import start_engine
from humanoid_locomotion.core.policy.onnx_graph import open_network, read_network
from humanoid_locomotion.core.policy.onnx_structure import MAX_STRUCTURE

onnx = pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

NODE = helper.make_node


def model(nodes=None, tensors=None, *, opset=17, obs=('batch', 4), actions=('batch', 2), **kwargs):
    """Return a network of two actions from four observations."""
    tensors = {'w': np.ones((4, 2), np.float32)} if tensors is None else tensors
    nodes = [NODE('MatMul', ['obs', 'w'], ['actions'])] if nodes is None else nodes
    graph = helper.make_graph(
        nodes, 'g', [helper.make_tensor_value_info('obs', TensorProto.FLOAT, obs)],
        [helper.make_tensor_value_info('actions', TensorProto.FLOAT, actions)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in tensors.items()])
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid('', opset)], ir_version=8, **kwargs)


def refuse(it, problem):
    """Assert that a network is refused for the reason given."""
    content = it if isinstance(it, bytes) else it.SerializeToString()
    with pytest.raises(PolicyError, match=f'(?s)^file: .*{problem}'):
        read_network(content, 'file')


def exported(opset):
    """Return what other stacks export: normaliser, layers, a view, a squash, a clip."""
    w = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    nodes = [NODE('Sub', ['obs', 'mean'], ['a']), NODE('Div', ['a', 'std'], ['b']),
             NODE('Clip', ['b', 'low', 'high'], ['c']),
             NODE('Gemm', ['c', 'w', 'bias'], ['d'], transB=1, alpha=1.0),
             NODE('LeakyRelu', ['d'], ['e']), NODE('Shape', ['e'], ['shape']),
             NODE('Gather', ['shape', 'zero'], ['batch']),
             NODE('Unsqueeze', ['batch', 'axis'], ['rows']),
             NODE('Concat', ['rows', 'minus'], ['view'], axis=0),
             NODE('Reshape', ['e', 'view'], ['f']),
             NODE('Slice', ['f', 'from', 'to', 'axes'], ['g']), NODE('Tanh', ['g'], ['actions'])]
    tensors = {'mean': np.zeros((1, 4), np.float32), 'std': np.ones((1, 4), np.float32),
               'low': np.float32(-5), 'high': np.float32(5), 'w': w,
               'bias': np.zeros(8, np.float32), 'zero': np.int64(0), 'axis': np.array([0]),
               'minus': np.array([-1]), 'from': np.array([0]), 'to': np.array([2]),
               'axes': np.array([1])}
    return model(nodes, tensors, opset=opset), w


@pytest.mark.parametrize('opset', [15, 17, 20])
def test_what_other_stacks_export_is_taken_and_run(opset):
    it, w = exported(opset)
    engine = start_engine(read_network(it.SerializeToString(), 'file'), 'onnxruntime')
    obs = np.random.default_rng(1).normal(size=(1, 4)).astype(np.float32)
    hidden = np.clip(obs, -5, 5) @ w.T
    expected = np.tanh(np.where(hidden > 0, hidden, 0.01 * hidden))[:, :2]
    np.testing.assert_allclose(engine(obs), expected, atol=1e-6)


def loop(times):
    """Return a graph that would go round so many times."""
    body = helper.make_graph(
        [NODE('Identity', ['c'], ['more']), NODE('Identity', ['x'], ['y'])], 'body',
        [helper.make_tensor_value_info('i', TensorProto.INT64, []),
         helper.make_tensor_value_info('c', TensorProto.BOOL, []),
         helper.make_tensor_value_info('x', TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info('more', TensorProto.BOOL, []),
         helper.make_tensor_value_info('y', TensorProto.FLOAT, None)])
    return model([NODE('MatMul', ['obs', 'w'], ['z']),
                  NODE('Loop', ['n', '', 'z'], ['actions'], body=body)],
                 {'w': np.ones((4, 2), np.float32), 'n': np.int64(times)})


def test_what_loops_or_branches_is_refused():
    refuse(loop(10 ** 12), r"has the operators \['Loop'\]; a policy may use Abs, Add")
    for name in ('If', 'Scan', 'SequenceMap', 'LSTM', 'Expand', 'Tile', 'RandomNormalLike', 'Pad',
                 'ConstantOfShape', 'Range', 'NonZero', 'StringNormalizer', ''):
        refuse(model([NODE(name, ['obs'], ['actions'])]), f'has the operators .*{name!r}')
    hidden = loop(1).graph.node[1].attribute[0].g
    refuse(model([NODE('MatMul', ['obs', 'w'], ['actions'], body=hidden)]), 'has a graph')
    for domain in ('com.microsoft', 'ai.onnx.ml'):
        refuse(model([NODE('MatMul', ['obs', 'w'], ['actions'], domain=domain)]), 'not ONNX')


def test_functions_and_operator_sets_of_others_are_refused():
    it = model()
    it.opset_import.append(helper.make_opsetid('com.microsoft', 1))
    refuse(it, 'uses the operator sets')
    function = helper.make_function('mine', 'MatMul', ['a'], ['b'], [NODE('Relu', ['a'], ['b'])],
                                    [helper.make_opsetid('', 17)])
    refuse(model(functions=[function]), 'has functions')
    refuse(model(opset=99), 'has operator set 99')
    it = model()
    it.ir_version = 10 ** 9
    refuse(it, 'IR version 1000000000')
    it = model()
    it.graph.sparse_initializer.add().dims.append(2)
    refuse(it, 'has sparse tensors')


def outside(tensor):
    """Let a tensor lie in another file."""
    tensor.ClearField('raw_data')
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key='location', value='weights.bin')


@pytest.mark.parametrize('change, problem', [
    (outside, "'w' is stored outside the file"),
    (lambda t: t.external_data.add(key='location', value='x'), 'is stored outside the file'),
    (lambda t: t.dims.__setitem__(0, 10 ** 12), r'of shape \[1000000000000, 2\] must hold'),
    (lambda t: t.dims.__setitem__(0, -4), r'has the shape \[-4, 2\]'),
    (lambda t: t.dims.extend([1] * 9), 'has the shape'),
    (lambda t: t.float_data.append(1.0), 'must hold 8 values'),
    (lambda t: t.string_data.append(b'x'), 'must hold 8 values'),
    (lambda t: t.ClearField('raw_data'), 'must hold 8 values'),
    (lambda t: setattr(t, 'data_type', TensorProto.STRING), 'is of type 8'),
    (lambda t: setattr(t, 'data_type', 12345), 'is of type 12345')])
def test_a_tensor_that_is_not_in_the_file_as_it_says_is_refused(change, problem):
    it = model()
    change(it.graph.initializer[0])
    refuse(it, problem)
    constant = NODE('Constant', [], ['w'], value=it.graph.initializer[0])
    refuse(model([constant, NODE('MatMul', ['obs', 'w'], ['actions'])], {}), '')


def test_tensors_that_grow_are_refused_before_they_do():
    column, row = np.ones((3000, 1), np.float32), np.ones((1, 3000), np.float32)
    for operator in ('Add', 'MatMul'):
        refuse(model([NODE(operator, ['column', 'row'], ['big']),
                      NODE('MatMul', ['obs', 'w'], ['actions'])],
                     {'column': column, 'row': row, 'w': np.ones((4, 2), np.float32)}),
               r"'big', output of .*, has the size \[3000, 3000\]")
    nodes, name = [], 'obs'
    for i in range(40):
        nodes.append(NODE('Concat', [name, name], [f'x{i}'], axis=1))
        name = f'x{i}'
    refuse(model([*nodes, NODE('MatMul', ['obs', 'w'], ['actions'])]), 'has the size')
    square = np.ones((1024, 1024), np.float32)
    refuse(model([NODE('MatMul', ['s', 's'], ['big']), NODE('MatMul', ['obs', 'w'], ['actions'])],
                 {'s': square, 'w': np.ones((4, 2), np.float32)}), 'takes 10737418.. multiplic')


@pytest.mark.parametrize('changes, problem', [
    ({'obs': ('batch', 'n')}, 'expected fixed lengths'), ({'obs': (7, 4)}, 'takes 7 observations'),
    ({'actions': (10 ** 12, 2)}, 'takes 1000000000000 observations'),
    ({'obs': (4,)}, r"expected 'obs' \(batch, obs\)"), ({'actions': ('batch', 3)}, 'nfer'),
    ({'obs': ('batch', 10 ** 12)}, 'expected fixed lengths')])
def test_ends_of_another_shape_are_refused(changes, problem):
    refuse(model(**changes), problem)


def test_ends_of_another_name_or_number_are_refused():
    it = model()
    it.graph.input[0].name = 'state'
    refuse(it, r"found \['state'\] and \['actions'\]")
    it = model()
    it.graph.output.append(it.graph.output[0])
    refuse(it, 'expected one input')
    it = model()
    it.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    refuse(it, 'of type FLOAT, found DOUBLE and FLOAT')


def test_a_file_is_bounded_before_it_is_parsed(monkeypatch):
    good = model().SerializeToString()
    refuse(b'', 'has 0 graphs')
    refuse(good + good, 'has 2 graphs')
    refuse(good[:-3], 'is not a valid ONNX file')
    refuse(b'\x0b' + good, 'a field of wire type 3')
    monkeypatch.setattr(onnx.ModelProto, 'FromString', lambda _: pytest.fail('it was parsed'))
    refuse(good + b'\x72\x00' * 5000, 'more than 4096 fields')
    refuse(good + b'\x32' + b'\xff\xff\x7f' + bytes(2 ** 21 - 1), f'more than {MAX_STRUCTURE}')
    it = model()
    it.graph.initializer[0].dims.extend([1] * 100)
    refuse(it, 'more than 64 fields')


def test_metadata_may_be_no_text_or_there_twice():
    it = model()
    it.metadata_props.add(key='a', value='1')
    it.metadata_props.add(key='a', value='2')
    refuse(it, 'has two metadata entries of the same name')
    content = model().SerializeToString()
    refuse(content + b'\x72\x06\x0a\x01a\x12\x01\xff', 'has metadata that are not UTF-8')
    refuse(content.replace(b'MatMul', b'MatM\xff\xfe'), '')


def test_weights_do_not_come_from_the_working_directory(tmp_path, monkeypatch):
    it = model()
    (tmp_path / 'weights.bin').write_bytes(it.graph.initializer[0].raw_data)
    outside(it.graph.initializer[0])
    (tmp_path / 'policy.onnx').write_bytes(it.SerializeToString())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PolicyError, match='is stored outside the file'):
        open_network(tmp_path / 'policy.onnx')
