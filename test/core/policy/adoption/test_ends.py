# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Networks with states, LSTM, GRU or Expand give the actions that onnxruntime gives for them."""

from __future__ import annotations

import numpy as np
import pytest

from humanoid_locomotion.core.errors import PolicyError
from humanoid_locomotion.core.policy.adoption.foreign import open_foreign
from humanoid_locomotion.core.policy.engines import start_engine

onnx = pytest.importorskip('onnx')
onnxruntime = pytest.importorskip('onnxruntime')
from onnx import helper, numpy_helper  # noqa: E402

NODE = helper.make_node
OBS, HIDDEN, ACTIONS = 4, 3, 2
GATES = {'LSTM': 4, 'GRU': 3}


def write(path, nodes, inputs, outputs, **tensors):
    """Write a network; values are given as name=shape."""
    graph = helper.make_graph(
        nodes, 'g', *([helper.make_tensor_value_info(name, 1, shape)
                       for name, shape in ends.items()] for ends in (inputs, outputs)),
        [numpy_helper.from_array(np.asarray(value), name) for name, value in tensors.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def recurrent(path, kind='LSTM', states=('h_in', 'c_in'), new=('h_out', 'c_out'), batch=1,
              **changes):
    """Write a network with an LSTM or GRU, as the exporters of rsl_rl and Isaac Lab do."""
    rng, rows = np.random.default_rng(0), GATES[kind] * HIDDEN
    count = 2 if kind == 'LSTM' else 1
    attributes = {'hidden_size': HIDDEN,
                  **({'linear_before_reset': 1} if kind == 'GRU' else {}), **changes}
    shape = (1, batch, HIDDEN)
    return write(
        path, [NODE('Unsqueeze', ['x', 'zero'], ['steps']),
               NODE(kind, ['steps', 'w', 'r', 'b', '', *states[:count]], ['y', *new[:count]],
                    **attributes),
               NODE('Squeeze', ['y', 'first'], ['row']),
               NODE('Gemm', ['row', 'weight'], ['u'], transB=1)],
        {'x': (batch, OBS), **dict.fromkeys(states[:count], shape)},
        {'u': (batch, ACTIONS), **dict.fromkeys(new[:count], shape)},
        zero=np.array([0]), first=np.array([0, 1]),
        weight=rng.normal(size=(ACTIONS, HIDDEN)).astype(np.float32),
        w=rng.normal(size=(1, rows, OBS)).astype(np.float32),
        r=rng.normal(size=(1, rows, HIDDEN)).astype(np.float32),
        b=rng.normal(size=(1, 2 * rows)).astype(np.float32))


def compare(path, steps=6):
    """Compare the adopted network with the file itself, step by step from states of zero."""
    session = onnxruntime.InferenceSession(str(path))
    engine = start_engine(open_foreign(path).network, 'onnxruntime')
    names = [it.name for it in session.get_inputs()]
    states = [np.zeros([it if isinstance(it, int) else 1 for it in end.shape], np.float32)
              for end in session.get_inputs()[1:]]
    rng, memory = np.random.default_rng(1), np.zeros((1, engine.memory_size), np.float32)
    for _ in range(steps):
        obs = rng.normal(size=(1, engine.obs_size)).astype(np.float32)
        expected, *states = session.run(None, dict(zip(names, (obs, *states))))
        got, memory = engine(obs, memory) if states else (engine(obs), memory)
        assert got == pytest.approx(expected, abs=1e-5)
    return engine


@pytest.mark.parametrize('kind, memory', [('LSTM', 2 * HIDDEN), ('GRU', HIDDEN)])
def test_an_lstm_and_a_gru_become_plain_operators(tmp_path, kind, memory):
    assert compare(recurrent(tmp_path / 'other.onnx', kind)).memory_size == memory


@pytest.mark.parametrize('states, new', [
    (('obs', 'actions'), ('obs_next', 'actions_next')), (('h0', 'c0'), ('hn', 'cn')),
    (('hidden', 'cell'), ('new_hidden', 'new_cell'))])
def test_states_of_other_names_are_paired_by_what_these_share(tmp_path, states, new):
    compare(recurrent(tmp_path / 'other.onnx', states=states, new=new))


def test_new_values_in_another_order_are_paired_by_name_or_not_at_all(tmp_path):
    def turned(*names):
        path = recurrent(tmp_path / 'other.onnx', states=('h_in', 'c_in'), new=names)
        model = onnx.load(path)
        first, *last = [type(it).FromString(it.SerializeToString()) for it in model.graph.output]
        del model.graph.output[:]
        model.graph.output.extend([first, *reversed(last)])
        onnx.save(model, path)
        return path

    session = onnxruntime.InferenceSession(str(turned('h_out', 'c_out')))
    engine = start_engine(open_foreign(tmp_path / 'other.onnx').network, 'onnxruntime')
    zeros, x = np.zeros((1, 1, HIDDEN), np.float32), np.ones((1, OBS), np.float32)
    _, c, h = session.run(None, {'x': x, 'h_in': zeros, 'c_in': zeros})
    _, memory = engine(x, np.zeros((1, 2 * HIDDEN), np.float32))
    assert memory == pytest.approx(np.concatenate((h[0], c[0]), axis=1), abs=1e-6)
    with pytest.raises(PolicyError, match=r"has the state 'h_in' of shape \[1, 1, 3\], and .*'v1':"
                       ' .*a similar name, as h_out for h_in'):
        open_foreign(turned('v1', 'v2'))


def test_an_lstm_over_several_steps_is_refused(tmp_path):
    path = recurrent(tmp_path / 'other.onnx', batch=2)
    model = onnx.load(path)
    model.graph.node.insert(0, NODE('Reshape', ['x', 'shape'], ['steps']))
    del model.graph.node[1]  # the two rows are no longer two robots, but two steps of one
    model.graph.initializer.append(numpy_helper.from_array(np.array([2, 1, OBS]), 'shape'))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(PolicyError, match=r'has the LSTM .* expected one step in one direction'):
        open_foreign(path)


def test_an_lstm_without_biases_is_one_with_zeros(tmp_path):
    path = recurrent(tmp_path / 'other.onnx')
    model = onnx.load(path)
    (node,) = [it for it in model.graph.node if it.op_type == 'LSTM']
    node.input[3] = ''
    onnx.save(model, path)
    compare(path)


@pytest.mark.parametrize('kind', [np.float16, np.float64])
def test_observations_and_actions_of_other_floats_are_converted(tmp_path, kind):
    code = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    graph = helper.make_graph(
        [NODE('MatMul', ['x', 'w'], ['u'])], 'g',
        [helper.make_tensor_value_info('x', code, ['n', 2])],
        [helper.make_tensor_value_info('u', code, ['n', 2])],
        [numpy_helper.from_array(np.array([[0.5, 0.0], [0.25, 1.0]], kind), 'w')])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8),
              tmp_path / 'other.onnx')
    engine = start_engine(open_foreign(tmp_path / 'other.onnx').network, 'onnxruntime')
    assert engine(np.array([[1.0, 2.0]], np.float32)).tolist() == [[1.0, 2.0]]


def test_a_batch_of_fixed_size_becomes_one(tmp_path):
    path = write(tmp_path / 'other.onnx', [NODE('Mul', ['x', 'w'], ['u'])], {'x': (4096, 2)},
                 {'u': (4096, 2)}, w=np.float32(0.5))
    network = open_foreign(path).network
    assert network.one_by_one
    engine = start_engine(network, 'onnxruntime')
    assert engine(np.ones((3, 2), np.float32)).tolist() == [[0.5, 0.5]] * 3
    write(path, [NODE('Add', ['x', 'w'], ['u'])], {'x': (8, 2)}, {'u': (8, 2)},
          w=np.ones((8, 2), np.float32))  # its weights are of eight robots
    with pytest.raises(PolicyError, match=r'other\.onnx: is not a valid ONNX file'):
        open_foreign(path)


def test_among_several_outputs_the_actions_are_known_by_name_only(tmp_path):
    nodes = [NODE('Identity', ['x'], ['value']), NODE('Neg', ['x'], ['u'])]
    path = write(tmp_path / 'other.onnx', nodes, {'x': (1, 2)}, {'value': (1, 2), 'u': (1, 2)})
    with pytest.raises(PolicyError, match=r"outputs \['value', 'u'\].*called 'actions' may have"):
        open_foreign(path)
    nodes[1].output[0] = 'actions'
    write(path, nodes, {'x': (1, 2)}, {'value': (1, 2), 'actions': (1, 2)})
    engine = start_engine(open_foreign(path).network, 'onnxruntime')
    assert engine(np.ones((1, 2), np.float32)).tolist() == [[-1.0, -1.0]]


def test_a_batch_of_any_size_stays_one(tmp_path):
    network = open_foreign(recurrent(tmp_path / 'other.onnx', batch='n')).network
    engine, rng = start_engine(network, 'onnxruntime'), np.random.default_rng(2)
    obs = rng.normal(size=(3, OBS)).astype(np.float32)
    memory = rng.normal(size=(3, 2 * HIDDEN)).astype(np.float32)
    together = engine(obs, memory)
    alone = [engine(obs[i:i + 1], memory[i:i + 1]) for i in range(3)]
    assert not network.one_by_one
    for i, (actions, after) in enumerate(alone):
        assert together[0][i] == pytest.approx(actions[0], abs=1e-6)
        assert together[1][i] == pytest.approx(after[0], abs=1e-6)


def test_a_state_of_several_layers_and_one_without_are_packed(tmp_path):
    compare(write(
        tmp_path / 'other.onnx',
        [NODE('Add', ['layers', 'one'], ['layers_out']), NODE('ReduceSum', ['layers', 'axes'],
                                                              ['sum'], keepdims=0),
         NODE('Sub', ['plain', 'x'], ['plain_out']),
         NODE('Sub', ['sum', 'plain'], ['u'])],
        {'x': (1, 3), 'layers': (2, 1, 3), 'plain': (1, 3)},
        {'u': (1, 3), 'layers_out': (2, 1, 3), 'plain_out': (1, 3)},
        one=np.arange(6, dtype=np.float32).reshape(2, 1, 3), axes=np.array([0])))


def test_an_expand_to_the_shape_of_another_value_becomes_a_sum(tmp_path):
    compare(write(
        tmp_path / 'other.onnx',
        [NODE('ReduceL2', ['x'], ['norm'], axes=[-1]), NODE('Shape', ['x'], ['shape']),
         NODE('Expand', ['norm', 'shape'], ['norms']), NODE('Div', ['x', 'norms'], ['u'])],
        {'x': ('n', 3)}, {'u': ('n', 3)}))


def test_inner_values_may_have_our_names(tmp_path):
    compare(write(
        tmp_path / 'other.onnx',
        [NODE('Mul', ['x', 'obs'], ['actions']), NODE('Tanh', ['actions'], ['h_in'])],
        {'x': (1, 3)}, {'h_in': (1, 3)}, obs=np.float32(2.0)))


@pytest.mark.parametrize('kind, changes', [
    ('GRU', {'linear_before_reset': 0}), ('LSTM', {'activations': ['Sigmoid', 'Tanh', 'Tanh']}),
    ('LSTM', {'clip': 1.0}), ('LSTM', {'direction': 'reverse'})])
def test_an_lstm_of_another_kind_is_refused(tmp_path, kind, changes):
    path = recurrent(tmp_path / 'other.onnx', kind, **changes)
    with pytest.raises(PolicyError, match=f'other.onnx: has the {kind} .* of another kind than'):
        open_foreign(path)


@pytest.mark.parametrize('inputs, outputs, message', [
    ({'x': (1, 3), 'h': (1, 3)}, {'u': (1, 3)}, r"has the inputs \['x', 'h'\] and the outputs"),
    ({}, {'u': (1, 3)}, r'has the inputs \[\] and the outputs'),
    ({'x': (1, 3), 'h': (1, 4)}, {'u': (1, 3), 'v': (1, 3)}, r"the state 'h' of shape \[1, 4\]"),
    ({'x': (1, 3), 'h': (1, 1, 1, 3)}, {'u': (1, 3), 'v': (1, 1, 1, 3)}, "has the state 'h' of"),
    ({'x': (1, 3), 'h': (1, 'n')}, {'u': (1, 3), 'v': (1, 'n')}, "has the state 'h' of shape"),
    ({'x': (1, 3)}, {'x': (1, 3)}, r"has the inputs \['x'\] and the outputs \['x'\]; expected")])
def test_ends_that_are_no_observation_with_states_are_refused(tmp_path, inputs, outputs, message):
    path = write(tmp_path / 'other.onnx', [NODE('Tanh', ['x'], ['u'])], inputs, outputs)
    with pytest.raises(PolicyError, match=f'other.onnx: .*{message}'):
        open_foreign(path)
