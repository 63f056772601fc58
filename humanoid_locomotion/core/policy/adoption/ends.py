# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Gives the network of another stack the inputs, outputs and operators that this package runs.

The input gets the name ``obs``. All states of a recurrent network become one memory, ``h_in``
(batch, size) and ``h_out``. LSTM, GRU and Expand are written as plain operators. Ends of float16
or double are converted, and a batch of fixed size becomes one of one.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any, Dict, List

import numpy as np

from humanoid_locomotion.core.policy.adoption.cells import GATES, Cell, GraphParts
from humanoid_locomotion.core.policy.onnx_graph import (
    FLOAT,
    INPUT,
    MEMORY_IN,
    MEMORY_OUT,
    OUTPUT,
    network_inputs,
)
from humanoid_locomotion.core.policy.onnx_structure import RejectedError
from humanoid_locomotion.core.reading.parsing import show

UNBOUNDED = 'unbounded_actions'
MAX_STATES = 16
ACTIONS = ('actions', 'action')  # names by which these are known among outputs without an input
CONVERTED = (10, 11)  # ONNX's type codes of FLOAT16 and DOUBLE
PAIRED = 'which has its size and a similar name, as h_out for h_in'
# ONNX's gates in the order of PyTorch: i o f c of an LSTM, z r h of a GRU.
_GATE_ORDER = {'LSTM': (0, 2, 3, 1), 'GRU': (1, 0, 2)}


def give_our_ends(model: Any) -> None:
    """Change a parsed ONNX model, in place; its actions get the name :data:`UNBOUNDED`.

    Args:
        model: An ``onnx.ModelProto`` with all weights in it.

    Raises:
        RejectedError: It has no observation and actions, states that do not fit each other, or an
            LSTM or GRU that cannot be written as plain operators.
    """
    graph = model.graph
    inputs, outputs = network_inputs(graph), list(graph.output)
    found = [[it.name for it in ends] for ends in (inputs, outputs)]
    if len(outputs) > len(inputs):  # others than states, such as the value
        outputs.sort(key=lambda it: it.name not in ACTIONS)
    if len(outputs) < len(inputs) or not 1 <= len(inputs) <= MAX_STATES or (
            set(found[0]) & set(found[1])) or (
            len(outputs) > len(inputs) and outputs[0].name not in ACTIONS):
        raise RejectedError(
            f'has the inputs {show(found[0], 200)} and the outputs {show(found[1], 200)}; '
            'expected an observation and actions, and for each further input, a state, an output '
            "with its new value; one that is called 'actions' may have others beside it")
    states = inputs[1:]
    new = [_new_value(state, outputs[1:]) for state in states]
    if len({it.name for it in new}) != len(new):
        raise RejectedError(f'has the states {show(found[0][1:], 200)} and the outputs '
                            f'{show(found[1], 200)}; expected a new value of each, {PAIRED}')
    taken = (INPUT, OUTPUT, UNBOUNDED, MEMORY_IN, MEMORY_OUT)
    names = {name: f'network/{name}' for name in taken}
    names.update({inputs[0].name: INPUT, outputs[0].name: UNBOUNDED})
    parts, before, after = (GraphParts(it) for it in ('adopted_', 'state_in_', 'state_out_'))
    taken_as, given_as = (it.type.tensor_type for it in (inputs[0], outputs[0]))
    if taken_as.elem_type in CONVERTED:
        names[inputs[0].name] = before.add('Cast', [INPUT], to=taken_as.elem_type)
        taken_as.elem_type = FLOAT
    if given_as.elem_type in CONVERTED:
        names[outputs[0].name] = converted = 'adopted_actions'
        after.add('Cast', [converted], output=UNBOUNDED, to=FLOAT)
        given_as.elem_type = FLOAT
    nodes = _plain_nodes(model, parts)
    for node in nodes:
        for ends in (node.input, node.output):
            ends[:] = [names.get(name, name) for name in ends]
    for value in (*inputs, *outputs, *graph.initializer):
        value.name = names.get(value.name, value.name)
    inputs[0].name = INPUT
    for value in (inputs[0], outputs[0], *states, *new):
        batch = value.type.tensor_type.shape.dim[-2:-1]
        if batch and batch[0].HasField('dim_value'):
            batch[0].dim_value = 1
    if states:
        _pack(states, new, before, after)
    del graph.node[:], graph.input[:], graph.output[:], graph.value_info[:]
    graph.node.extend([*before.nodes, *nodes, *after.nodes])
    graph.initializer.extend([*parts.tensors, *before.tensors, *after.tensors])
    for ends, first, memory in ((graph.input, inputs[0], MEMORY_IN),
                                (graph.output, outputs[0], MEMORY_OUT)):
        ends.append(first)
        if states:
            ends.append(_memory(first, memory, sum(map(_size, states))))


def _plain_nodes(model: Any, parts: GraphParts) -> List[Any]:
    """Return the nodes of a model, with LSTM, GRU and Expand as plain operators."""
    from onnx import numpy_helper, shape_inference
    graph = model.graph
    tensors = {it.name: it for it in graph.initializer}
    made = {name: node for node in graph.node for name in node.output}
    steps: Dict[str, int] = {}
    if any(node.op_type in GATES for node in graph.node):
        inferred = shape_inference.infer_shapes(model).graph
        steps = {it.name: [*_dims(it), 0][0] for it in (*inferred.input, *inferred.value_info)}
    nodes: List[Any] = []
    for node in graph.node:
        start = len(parts.nodes)
        if node.op_type in GATES:
            arrays = [np.array(numpy_helper.to_array(tensors[name])) if name in tensors else None
                      for name in node.input]
            _write_recurrent(node, arrays, steps.get(node.input[0], 0), parts)
        elif node.op_type == 'Expand' and _shape_of(node, made):
            zero = parts.constant(0.0)
            nothing = parts.add('Mul', [_shape_of(node, made), zero])
            parts.add('Add', [node.input[0], nothing], output=node.output[0])
        else:
            nodes.append(node)
        nodes += parts.nodes[start:]
    return nodes


def _shape_of(node: Any, made: Dict[str, Any]) -> str:
    """Return the value to whose shape an Expand broadcasts; empty if it is none."""
    source = made.get(node.input[1])
    return str(source.input[0]) if source is not None and source.op_type == 'Shape' else ''


def _write_recurrent(node: Any, arrays: List[Any], steps: int, parts: GraphParts) -> None:
    """Write the plain operators of an LSTM or GRU that is given one step, which is checked."""
    kind = node.op_type
    given = [*node.input, *[''] * 8][:8]
    wanted = (5, 6) if kind == 'LSTM' else (5,)
    attributes = {it.name: it for it in node.attribute}
    weights = [*arrays, *[None] * 4][1:4]
    is_usual = (
        steps == 1 and all(it is not None and it.ndim == 3 - (i == 2) and len(it) == 1
            for i, it in enumerate(weights) if given[i + 1])
        and all(given[i] for i in (1, 2, *wanted)) and not given[4] and not given[7]
        and set(attributes) <= {'hidden_size', 'linear_before_reset', 'direction'}
        and ('direction' not in attributes or attributes['direction'].s == b'forward')
        and (kind == 'LSTM' or ('linear_before_reset' in attributes
                                and attributes['linear_before_reset'].i == 1)))
    if not is_usual:
        raise RejectedError(
            f'has the {kind} {show(node.name)} of another kind than PyTorch exports: expected one '
            'step in one direction, usual activations, stored weights, and its states as inputs')
    hidden = weights[1].shape[2]
    order = _GATE_ORDER[kind]

    def gates(array: np.ndarray) -> np.ndarray:
        return np.concatenate([array[i * hidden:(i + 1) * hidden] for i in order])

    biases = np.split(np.zeros(2 * len(weights[0][0])) if weights[2] is None
                      else weights[2][0], 2)
    cell = Cell(kind, *(gates(it) for it in (weights[0][0], weights[1][0], *biases)))
    states = [parts.reshape(given[i], (-1, hidden)) for i in wanted]
    x = parts.reshape(given[0], (-1, cell.weight_input.shape[1]))
    new = parts.step(cell, x, states)
    shapes = [(1, 1, -1, hidden), *[(1, -1, hidden)] * len(wanted)]
    for value, shape, name in zip((new[0], *new), shapes, node.output):
        if name:
            parts.reshape(value, shape, output=name)


def _dims(value: Any) -> List[int]:
    """Return the dimensions of a state; 0 for any."""
    return [dim.dim_value for dim in value.type.tensor_type.shape.dim]


def _size(state: Any) -> int:
    """Return the length of one robot's state, of (batch, size) or (layers, batch, size)."""
    dims = _dims(state)
    return int(np.prod([dim for i, dim in enumerate(dims) if i != len(dims) - 2]))


def _pack(states: List[Any], new: List[Any], before: GraphParts, after: GraphParts) -> None:
    """Write how the memory becomes the states, and the new states the memory."""
    memory = []
    for old, value, part in zip(states, new, before.split(MEMORY_IN, [*map(_size, states)])):
        dims = _dims(old)
        if len(dims) == 2:
            before.add('Identity', [part], output=old.name)
            memory.append(value.name)
            continue
        rows = before.reshape(part, (-1, dims[0], dims[2]))
        before.add('Transpose', [rows], output=old.name, perm=(1, 0, 2))
        turned = after.add('Transpose', [value.name], perm=(1, 0, 2))
        memory.append(after.reshape(turned, (-1, dims[0] * dims[2])))
    after.add('Concat', memory, output=MEMORY_OUT, axis=1)


def _new_value(state: Any, outputs: List[Any]) -> Any:
    """Return the output with the new value of a state: of its size, and with the nearest name."""
    def alike(output: Any) -> int:
        return sum(len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other))))
                   for one, other in ((state.name, output.name),
                                      (state.name[::-1], output.name[::-1])))

    of_its_size = [it for it in outputs if _size(it) == _size(state)]
    nearest = [it for it in of_its_size if alike(it) == max(map(alike, of_its_size))]
    if len(_dims(state)) not in (2, 3) or _size(state) < 1 or len(nearest) != 1:
        raise RejectedError(
            f'has the state {show(state.name)} of shape {_dims(state)}, and besides the actions '
            f'the outputs {show({it.name: _dims(it) for it in outputs}, 200)} (0 for any); '
            f'expected (batch, size) or (layers, batch, size), and one new value of it, {PAIRED}')
    return nearest[0]


def _memory(like: Any, name: str, size: int) -> Any:
    """Return the memory as an input or output, with the batch of ``like``."""
    from onnx import helper
    batch = like.type.tensor_type.shape.dim[0]
    return helper.make_tensor_value_info(
        name, 1, [batch.dim_value or batch.dim_param or 'batch', size])
