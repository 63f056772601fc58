# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Mutations of ``network.onnx`` as a Protocol Buffers message."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, List, Tuple

import numpy as np

from humanoid_locomotion.core.policy.content import NETWORK
from humanoid_locomotion.core.policy.onnx_graph import CONTRACT_KEY, OPERATORS
from humanoid_locomotion.reliability.policy_fuzz.mutation import Mutation, choose

Change = Callable[[Any, np.random.Generator], None]

ROUNDS = 10 ** 12
FORBIDDEN = ('If', 'Loop', 'Scan', 'SequenceMap', 'LSTM', 'GRU', 'Expand', 'Tile', 'Range', 'Pad',
             'ConstantOfShape', 'RandomNormal', 'RandomNormalLike', 'EyeLike', 'OneHot', 'Resize',
             'NonZero', 'StringNormalizer', 'Mine', '', 'Gemm\0', 'x' * 5000)
DOMAINS = ('com.microsoft', 'ai.onnx.ml', 'mine')
NUMBERS = (0, 1, -1, 2, 7, 127, 2 ** 31 - 1, -2 ** 31)
TEXTS = ('', 'obs', 'actions', 'x' * 5000, 'ü', '\0')


def mutate_network(folder: Path, random: np.random.Generator) -> Mutation:
    """Change ``network.onnx``: its message, a random field, or its bytes."""
    import onnx
    path = folder / NETWORK
    content = path.read_bytes()
    kind = random.random()
    if kind < 0.25:
        name, tamper, never = choose(random, WIRE)
        path.write_bytes(tamper(content, random))
        return Mutation(name, NETWORK, never)
    model = onnx.ModelProto.FromString(content)
    if kind < 0.5:
        name, never = _field(model, random), False
    else:
        name, change, never = choose(random, CHANGES)
        change(model, random)
    path.write_bytes(model.SerializeToString())
    return Mutation(name, NETWORK, never)


def set_contract(path: Path, text: str) -> None:
    """Put another contract into a network's metadata."""
    import onnx
    model = onnx.ModelProto.FromString(path.read_bytes())
    for entry in model.metadata_props:
        if entry.key == CONTRACT_KEY:
            entry.value = text
    path.write_bytes(model.SerializeToString())


def _field(model: Any, random: np.random.Generator) -> str:
    """Set one field, anywhere in the message, to a value of its type."""
    message, way = model, ''
    while True:
        fields = message.DESCRIPTOR.fields
        field = choose(random, fields)
        way = f'{way}.{field.name}'.lstrip('.')
        repeated = field.is_repeated
        if field.message_type is not None:
            if repeated:
                items = getattr(message, field.name)
                if not len(items) or random.random() < 0.1:
                    items.add()
                    return f'{way} has an entry more'
                if random.random() < 0.1:
                    del items[int(random.integers(len(items)))]
                    return f'{way} has an entry less'
                message = items[int(random.integers(len(items)))]
            elif message.HasField(field.name) and random.random() < 0.95:
                message = getattr(message, field.name)
            else:
                getattr(message, field.name).SetInParent()
                return f'{way} is there, and empty'
            continue
        value = _value(field, random)
        if repeated:
            items = getattr(message, field.name)
            if len(items) and random.random() < 0.7:
                items[int(random.integers(len(items)))] = value
            else:
                items.append(value)
        else:
            setattr(message, field.name, value)
        return f'{way} is changed'


def _value(field: Any, random: np.random.Generator) -> Any:
    if field.enum_type is not None:
        return choose(random, [it.number for it in field.enum_type.values])
    if field.cpp_type in (field.CPPTYPE_FLOAT, field.CPPTYPE_DOUBLE):
        return choose(random, (0.0, 1.0, -1.0, 1e30, float('nan'), float('inf')))
    if field.type == field.TYPE_BYTES:
        return choose(random, (b'', b'\xff', bytes(64), b'../../etc/passwd'))
    if field.cpp_type == field.CPPTYPE_STRING:
        return choose(random, TEXTS)
    number = choose(random, (*NUMBERS, 10 ** 12, 2 ** 63 - 1, -2 ** 63))
    small = field.cpp_type in (field.CPPTYPE_INT32, field.CPPTYPE_UINT32)
    number = number if not small else max(-2 ** 31, min(number, 2 ** 31 - 1))
    return abs(number + (number == -2 ** 63)) if 'UINT' in str(field.type) or field.cpp_type in (
        field.CPPTYPE_UINT32, field.CPPTYPE_UINT64) else number


def _tensor(model: Any, random: np.random.Generator) -> Any:
    return choose(random, list(model.graph.initializer))


def _node(model: Any, random: np.random.Generator) -> Any:
    return choose(random, list(model.graph.node))


def _outside(model: Any, random: np.random.Generator) -> None:
    tensor = _tensor(model, random)
    if random.random() < 0.5:
        tensor.ClearField('raw_data')
    if random.random() < 0.8:
        tensor.data_location = 1
    place = choose(random, ('weights.bin', '/dev/zero', '../golden.npz', '/etc/passwd', ''))
    tensor.external_data.add(key='location', value=place)


def _branch(operator: str, **attributes: Any) -> Change:
    """Add an operator to the graph, whose result is not used."""
    def change(model: Any, random: np.random.Generator) -> None:
        from onnx import helper, numpy_helper
        model.graph.initializer.append(numpy_helper.from_array(np.array([ROUNDS]), 'many'))
        node = helper.make_node(operator, ['many'], ['unused'], **attributes)
        model.graph.node.insert(0, node)
    return change


def _around(operator: str) -> Change:
    """Pass the result of the last layer through a nested graph."""
    def change(model: Any, random: np.random.Generator) -> None:
        from onnx import TensorProto, helper, numpy_helper
        last = model.graph.node[-1]
        last.output[0] = 'before'
        values = [helper.make_tensor_value_info('i', TensorProto.INT64, []),
                  helper.make_tensor_value_info('go', TensorProto.BOOL, []),
                  helper.make_tensor_value_info('x', TensorProto.FLOAT, None)]
        body = helper.make_graph(
            [helper.make_node('Identity', ['go'], ['on']),
             helper.make_node('Identity', ['x'], ['y'])], 'body',
            values, [helper.make_tensor_value_info('on', TensorProto.BOOL, []),
                     helper.make_tensor_value_info('y', TensorProto.FLOAT, None)])
        model.graph.initializer.append(numpy_helper.from_array(np.array(ROUNDS), 'rounds'))
        model.graph.node.append(helper.make_node(
            operator, ['rounds', '', 'before'], ['actions'], body=body))
    return change


def _product(operator: str) -> Change:
    """Make a tensor of 10^10 values from two of 10^5."""
    def change(model: Any, random: np.random.Generator) -> None:
        from onnx import helper, numpy_helper
        for name, shape in (('column', (100_000, 1)), ('row', (1, 100_000))):
            model.graph.initializer.append(
                numpy_helper.from_array(np.ones(shape, np.float32), name))
        model.graph.node.insert(0, helper.make_node(operator, ['column', 'row'], ['unused']))
    return change


def _doubling(model: Any, random: np.random.Generator) -> None:
    from onnx import helper
    name = 'obs'
    for i in range(40):
        model.graph.node.insert(i, helper.make_node('Concat', [name, name], [f'd{i}'], axis=1))
        name = f'd{i}'


def _operator(names: Any) -> Change:
    return lambda model, random: setattr(_node(model, random), 'op_type', choose(random, names))


def _weight(value: Callable[[Any], Any]) -> Change:
    def change(model: Any, random: np.random.Generator) -> None:
        tensor = _tensor(model, random)
        weights = np.frombuffer(tensor.raw_data, np.float32).copy()
        at = int(random.integers(len(weights)))
        weights[at] = value(weights[at])
        tensor.raw_data = weights.tobytes()
    return change


def _metadata(value: str) -> Change:
    def change(model: Any, random: np.random.Generator) -> None:
        for entry in model.metadata_props:
            if entry.key == CONTRACT_KEY:
                entry.value = value
    return change


def _entry_twice(model: Any, random: np.random.Generator) -> None:
    entry = choose(random, list(model.metadata_props))
    model.metadata_props.add(key=entry.key, value=entry.value)


def _dims(*dims: int) -> Change:
    def change(model: Any, random: np.random.Generator) -> None:
        tensor = _tensor(model, random)
        tensor.dims[0:len(dims)] = dims
    return change


def _shuffled(model: Any, random: np.random.Generator) -> None:
    nodes = list(model.graph.node)
    order = random.permutation(len(nodes))
    copies: List[Any] = [type(nodes[0]).FromString(nodes[i].SerializeToString()) for i in order]
    del model.graph.node[:]
    model.graph.node.extend(copies)


def _ends(model: Any, random: np.random.Generator) -> None:
    end = choose(random, [*model.graph.input, *model.graph.output])
    end.name = choose(random, ('state', '', 'x' * 5000))


def _size(value: int) -> Change:
    def change(model: Any, random: np.random.Generator) -> None:
        end = choose(random, [*model.graph.input, *model.graph.output])
        end.type.tensor_type.shape.dim[1].dim_value = value
    return change


# Name, change of the message, and whether such a file must be refused.
CHANGES: Tuple[Tuple[str, Change, bool], ...] = (
    ('weights outside the file', _outside, True), ('an operator of no policy',
                                                   _operator(FORBIDDEN), True),
    ('another operator', _operator(sorted(OPERATORS)), False),
    ('a loop of 10^12 around it', _around('Loop'), True), ('a scan', _around('Scan'), True),
    ('a branch', _around('If'), True),
    ('10^12 values beside it', _branch('ConstantOfShape'), True),
    ('chance beside it', _branch('RandomNormal', shape=[ROUNDS]), True),
    ('10^10 values by a product', _product('MatMul'), True),
    ('10^10 values by a sum', _product('Add'), True),
    ('2^40 values by joining', _doubling, True),
    ('a tensor of 10^12 rows', _dims(ROUNDS), True), ('a tensor of -1 rows', _dims(-1), True),
    ('a tensor of no rows', _dims(0), True), ('a tensor with many axes', _dims(*[1] * 50), True),
    ('a domain of others', lambda m, r: setattr(_node(m, r), 'domain', choose(r, DOMAINS)), True),
    ('operators of others', lambda m, r: m.opset_import.add(
        domain=choose(r, DOMAINS), version=1), True),
    ('another operator set', lambda m, r: setattr(
        m.opset_import[0], 'version', int(r.integers(1, 40))), False),
    ('a function', lambda m, r: m.functions.add(name='Gemm'), True),
    ('a sparse tensor', lambda m, r: m.graph.sparse_initializer.add(dims=[ROUNDS]), True),
    ('a training step', lambda m, r: m.training_info.add(), True),
    ('an input more', lambda m, r: m.graph.input.add(name='more'), True),
    ('an end of another name', _ends, True), ('an end of 10^12', _size(ROUNDS), True),
    ('an end of one more', _size(24), True),
    ('a contract 3,000 deep', _metadata('{"a": ' + '[' * 3000 + ']' * 3000 + '}'), True),
    ('a contract 100,000 deep', _metadata('[' * 100_000), True),
    ('a contract of one number of 5,000 digits', _metadata('{"a": ' + '1' * 5000 + '}'), True),
    ('a contract of nothing', _metadata('{}'), True), ('a contract twice', _entry_twice, True),
    ('no contract', lambda m, r: m.ClearField('metadata_props'), True),
    ('a tensor twice', lambda m, r: m.graph.initializer.append(_tensor(m, r)), True),
    ('a weight NaN', _weight(lambda it: np.float32('nan')), False),
    ('a weight huge', _weight(lambda it: np.float32(1e30)), False),
    ('a weight a little larger', _weight(lambda it: it + np.float32(1e-7)), False),
    ('a weight of another sign', _weight(lambda it: -it), False),
    ('a layer less', lambda m, r: m.graph.node.pop(int(r.integers(len(m.graph.node)))), False),
    ('a layer twice', lambda m, r: m.graph.node.append(_node(m, r)), False),
    ('layers in another order', _shuffled, False))


def _bits(content: bytes, random: np.random.Generator) -> bytes:
    data = bytearray(content)
    for _ in range(int(random.integers(1, 9))):
        data[int(random.integers(len(data)))] ^= 1 << int(random.integers(8))
    return bytes(data)


def _inserted(content: bytes, random: np.random.Generator) -> bytes:
    at = int(random.integers(len(content)))
    return content[:at] + random.bytes(int(random.integers(1, 9))) + content[at:]


# Name, change of the bytes, and whether they must be refused.
WIRE: Tuple[Tuple[str, Callable[[bytes, np.random.Generator], bytes], bool], ...] = (
    ('a second graph, of nothing', lambda it, r: it + b'\x3a\x00', True),
    ('all of it twice', lambda it, r: it + it, True),
    ('half of it', lambda it, r: it[:int(r.integers(len(it)))], True),
    ('16 million empty messages', lambda it, r: it + b'\x72\x00' * 15_000_000, True),
    ('10 MB of something unknown', lambda it, r: it + b'\xfa\x01\x80\x80\x80\x05' + bytes(
        10 << 20), True),
    ('a group', lambda it, r: it + b'\x0b\x0c', True),
    ('metadata that are not UTF-8', lambda it, r: it + b'\x72\x06\x0a\x01a\x12\x01\xff', True),
    ('an operator that is not UTF-8', lambda it, r: it.replace(b'Gemm', b'Ge\xff\xfe', 1), True),
    ('a name that is not UTF-8', lambda it, r: it.replace(b'weight_0', b'weight\xff\xfe'), False),
    ("onnxruntime's own format", lambda it, r: it[:4] + b'ORTM' + it[4:], True),
    ('a field longer than the file', lambda it, r: it + b'\x72\xff\xff\xff\xff\x07', True),
    ('nothing', lambda it, r: b'', True),
    ('a pickle', lambda it, r: b'\x80\x04]\x94K\x01a.', True),
    ('some bits', _bits, False), ('some bytes more', _inserted, False))
