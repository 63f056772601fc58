# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads a policy's ONNX file and refuses, before an engine loads it, all but a small network.

An ONNX graph is a program: it may loop, branch, reference other files and allocate tensors of any
size. A policy needs none of that. The accepted graphs run in bounded time and memory: a
straight-line sequence of known operators, with all tensors in the file and all sizes known.
"""

from __future__ import annotations

from dataclasses import dataclass
import math
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from humanoid_locomotion.core.errors import ConfigError, PolicyError, printable
from humanoid_locomotion.core.policy.onnx_structure import (
    MAX_NETWORK_BYTES,
    RejectedError,
    parse_network,
    reading_network,
)
from humanoid_locomotion.core.reading.files import read_bytes
from humanoid_locomotion.core.reading.parsing import parse_json, show

CONTRACT_KEY = 'humanoid_locomotion.contract'
INPUT, OUTPUT = 'obs', 'actions'
MEMORY_IN, MEMORY_OUT = 'h_in', 'h_out'  # of a recurrent network and of a standalone policy

MAX_CONTRACT_BYTES = 256 * 1024  # of the JSON in its metadata
MAX_NODES, MAX_STANDALONE_NODES = 256, 2048
MAX_VALUES = 65_536  # of a computed tensor, unless one of its inputs is larger
MAX_PRODUCTS = 100_000_000  # multiplications of all matrix products, for one observation
IR_VERSIONS, OPSETS = range(3, 15), range(7, 27)

# Each computes an output of known size, once. Excluded deliberately: Loop, Scan and If; operators
# that make a large tensor from a small one (Expand, Tile, Pad, Range, ConstantOfShape); random
# numbers; LSTM and GRU, which the import writes as products and sigmoids.
OPERATORS = frozenset((
    'Abs', 'Add', 'And', 'Atan', 'BatchNormalization', 'Cast', 'Celu', 'Clip', 'Concat',
    'Constant', 'Cos', 'Div', 'Elu', 'Equal', 'Erf', 'Exp', 'Flatten', 'Gather', 'Gelu', 'Gemm',
    'Greater', 'GreaterOrEqual', 'HardSigmoid', 'HardSwish', 'Identity', 'LayerNormalization',
    'LeakyRelu', 'Less', 'LessOrEqual', 'Log', 'MatMul', 'Max', 'Min', 'Mish', 'Mod', 'Mul', 'Neg',
    'Not', 'Or', 'PRelu', 'Pow', 'Reciprocal', 'ReduceL2', 'ReduceMax', 'ReduceMean',
    'ReduceMin', 'ReduceSum', 'Relu', 'Reshape', 'Selu', 'Shape', 'Sigmoid', 'Sign', 'Sin',
    'Slice', 'Softmax', 'Softplus', 'Softsign', 'Split', 'Sqrt', 'Squeeze', 'Sub', 'Tanh',
    'ThresholdedRelu', 'Transpose', 'Unsqueeze', 'Where'))
PRODUCTS = ('Gemm', 'MatMul')
# ONNX's type codes of FLOAT, INT32, INT64, BOOL, FLOAT16 and DOUBLE, and the size of one value.
TYPE_SIZES = {1: 4, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8}
FLOAT = 1


@dataclass(frozen=True)
class Network:
    """A checked network.

    Attributes:
        path: Path of the file, for messages.
        content: Content of the file.
        model: The parsed file: an ``onnx.ModelProto``.
        metadata: Its metadata, strings by key.
        obs_size: Length of an observation.
        num_actions: Length of an action.
        one_by_one: Whether it takes one observation at a time.
        memory_size: Length of the memory; 0 for a network that is not recurrent.
    """

    path: Path
    content: bytes
    model: Any
    metadata: Dict[str, str]
    obs_size: int
    num_actions: int
    one_by_one: bool
    memory_size: int = 0


def open_network(path: Path) -> Network:
    """Read a file and return its network.

    Raises:
        PolicyError: The file cannot be read or is refused by :func:`read_network`.
    """
    try:
        content = read_bytes(path, MAX_NETWORK_BYTES)
    except ConfigError as error:
        raise PolicyError(path, error.problem) from error
    return read_network(content, path)


def read_network(content: bytes, path: Path, is_standalone: bool = False) -> Network:
    """Return the network of an ONNX file; refuse anything but a small network.

    Args:
        content: Content of the file.
        path: Path of the file, for messages.
        is_standalone: Whether it is a standalone policy, which also has the memory ``h_in``
            (1, 1, size) as an input and ``h_out`` as an output. A recurrent network has them as
            (batch, size).

    Raises:
        PolicyError: It is not an ONNX file, or does not have the input ``obs`` (batch, obs) and
            the output ``actions`` (batch, m), or is not a straight-line sequence of
            :data:`OPERATORS` with all tensors in the file.
        MissingPackageError: onnx is not installed.
    """
    with reading_network(path):
        model = parse_network(content)
        _check_model(model, MAX_STANDALONE_NODES if is_standalone else MAX_NODES)
        metadata = _metadata(model)
        obs_size, num_actions, one_by_one = _check_ends(model.graph, is_standalone)
        memory_size = _check_memory(model.graph, [1, 1] if is_standalone else [int(one_by_one)])
        _check_sizes(model)
    return Network(path, content, model, metadata, obs_size, num_actions, one_by_one,
                   memory_size)


def contract_json(network: Network) -> Dict[str, Any]:
    """Return the contract in the metadata, as plain data.

    Raises:
        PolicyError: There is none, or it is not a JSON mapping.
    """
    text = network.metadata.get(CONTRACT_KEY)
    if text is None:
        raise PolicyError(network.path, f'its metadata has no {CONTRACT_KEY!r}; '
                          'the file was not written by this package')
    what = f'metadata {CONTRACT_KEY!r}'
    if len(text) > MAX_CONTRACT_BYTES:
        raise PolicyError(network.path, f'{what} is longer than {MAX_CONTRACT_BYTES} bytes')
    try:
        data = parse_json(text.encode('utf-8'), network.path)
    except ConfigError as error:
        raise PolicyError(network.path, f'{what} {error.problem}') from error
    if not isinstance(data, dict):
        raise PolicyError(network.path, f'{what} is not a JSON mapping')
    return data


def _check_model(model: Any, max_nodes: int) -> None:
    """Refuse a model that is not a straight-line sequence of known operators."""
    graph = model.graph
    versions = [(entry.domain, entry.version) for entry in model.opset_import]
    if len(versions) != 1 or versions[0][0] not in ('', 'ai.onnx'):
        raise RejectedError(f'uses the operator sets {show(versions, 200)}; expected one, '
                            "ONNX's own")
    if versions[0][1] not in OPSETS or model.ir_version not in IR_VERSIONS:
        raise RejectedError(
            f'has operator set {versions[0][1]} and IR version {model.ir_version}; expected '
            f'{OPSETS[0]} to {OPSETS[-1]} and {IR_VERSIONS[0]} to {IR_VERSIONS[-1]}')
    for what, found in (('functions', model.functions), ('training steps', model.training_info),
                        ('sparse tensors', graph.sparse_initializer)):
        if len(found):
            raise RejectedError(f'has {what}, which a policy does not need')
    if len(graph.node) > max_nodes:
        raise RejectedError(f'has {len(graph.node)} operators, at most {max_nodes} are allowed')
    unknown = sorted({node.op_type for node in graph.node} - OPERATORS)
    if unknown:
        raise RejectedError(f'has the operators {show(unknown, 200)}; a policy may use '
                            f'{", ".join(sorted(OPERATORS))}')
    if any(node.domain not in ('', 'ai.onnx') for node in graph.node):
        raise RejectedError("has operators that are not ONNX's own")
    for node in graph.node:
        for attribute in node.attribute:
            if (attribute.HasField('g') or len(attribute.graphs) or attribute.ref_attr_name
                    or attribute.HasField('sparse_tensor') or len(attribute.sparse_tensors)):
                raise RejectedError(f'has a graph or a sparse tensor within {show(node.op_type)}')
            tensors = [*attribute.tensors, *([attribute.t] if attribute.HasField('t') else [])]
            for tensor in tensors:
                _check_tensor(tensor)
    for tensor in graph.initializer:
        _check_tensor(tensor)
    names = [tensor.name for tensor in graph.initializer]
    if len(set(names)) != len(names):
        raise RejectedError('has tensors of the same name')


def _check_tensor(tensor: Any) -> None:
    """Refuse a tensor that is not in the file, or not of the size of its shape."""
    name = f'tensor {show(tensor.name)}'
    if tensor.data_location != 0 or len(tensor.external_data) or tensor.HasField('segment'):
        raise RejectedError(f'{name} is stored outside the file; expected all tensors in it')
    if tensor.data_type not in TYPE_SIZES:
        raise RejectedError(f'{name} is of type {tensor.data_type}, expected one of '
                            f'{sorted(TYPE_SIZES)} (floats, integers, booleans)')
    if any(dim < 0 for dim in tensor.dims) or len(tensor.dims) > 8:
        raise RejectedError(f'{name} has the shape {show(list(tensor.dims))}')
    size = math.prod(tensor.dims)
    stored = [len(tensor.raw_data) / TYPE_SIZES[tensor.data_type], len(tensor.float_data),
              len(tensor.int32_data), len(tensor.int64_data), len(tensor.double_data)]
    if sorted(stored) != [0, 0, 0, 0, size] or len(tensor.string_data) or len(tensor.uint64_data):
        raise RejectedError(f'{name} of shape {show(list(tensor.dims))} must hold {size} values')


def _metadata(model: Any) -> Dict[str, str]:
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    if len(metadata) != len(model.metadata_props):
        raise RejectedError('has two metadata entries of the same name')
    if not all(isinstance(it, str) for pair in metadata.items() for it in pair):
        raise RejectedError('has metadata that are not UTF-8')  # protobuf gives these as bytes
    return metadata


def network_inputs(graph: Any) -> List[Any]:
    """Return the inputs of a graph that are not tensors of it."""
    stored = {tensor.name for tensor in graph.initializer}  # which old files also list as inputs
    return [it for it in graph.input if it.name not in stored]


def _check_ends(graph: Any, is_standalone: bool) -> Tuple[int, int, bool]:
    """Return the lengths of observation and action, and whether the batch is fixed at one."""
    inputs = network_inputs(graph)
    found = [[it.name for it in ends] for ends in (inputs, graph.output)]
    recurrent = [[INPUT, MEMORY_IN], [OUTPUT, MEMORY_OUT]]
    if found != recurrent and (is_standalone or found != [[INPUT], [OUTPUT]]):
        expected = (f'the inputs {recurrent[0]} and outputs {recurrent[1]}' if is_standalone
                    else f'one input {INPUT!r} and one output {OUTPUT!r}')
        raise RejectedError(
            f'expected {expected}, found {show(found[0], 200)} and {show(found[1], 200)}')
    kinds = [it.type.tensor_type for it in (inputs[0], graph.output[0])]
    shapes: List[List[Any]] = [
        [dim.dim_value if dim.HasField('dim_value') else printable(dim.dim_param, 60)
         for dim in kind.shape.dim] for kind in kinds]
    if any(len(shape) != 2 for shape in shapes):
        raise RejectedError(f"expected 'obs' (batch, obs) and 'actions' (batch, m), found "
                            f'{show(shapes[0])} and {show(shapes[1])}')
    (batch, obs_size), (batch_of_actions, num_actions) = shapes
    if not (isinstance(obs_size, int) and 0 < obs_size <= MAX_VALUES
            and isinstance(num_actions, int) and 0 < num_actions <= MAX_VALUES):
        raise RejectedError(f"expected fixed lengths of 'obs' and 'actions', found {shapes[0]} "
                            f'and {shapes[1]}')
    for count in (batch, batch_of_actions):
        if isinstance(count, int) and count != 1:
            raise RejectedError(f"takes {count} observations at once; expected 1, or 'batch'")
    if any(kind.elem_type != FLOAT for kind in kinds):
        from onnx import TensorProto
        raise RejectedError("expected 'obs' and 'actions' of type FLOAT, found " + ' and '.join(
            TensorProto.DataType.Name(kind.elem_type) for kind in kinds))
    return obs_size, num_actions, batch == 1


def _check_memory(graph: Any, rows: List[int]) -> int:
    """Return the length of the memory, 0 without one; its other dimensions are ``rows``."""
    if len(graph.output) == 1:
        return 0
    kinds = [it.type.tensor_type for it in (network_inputs(graph)[1], graph.output[1])]
    shapes = [[dim.dim_value for dim in kind.shape.dim] for kind in kinds]
    size = shapes[0][-1] if shapes[0] else 0
    if shapes != [[*rows, size]] * 2 or not 0 < size <= MAX_VALUES or (
            any(kind.elem_type != FLOAT for kind in kinds)):
        raise RejectedError(
            f'expected {MEMORY_IN!r} and {MEMORY_OUT!r} of the same shape {[*rows, "size"]} (0 '
            f'for any batch), float, found {show(shapes)}' + (
                ': the standalone policy, whose network is missing'
                if len(rows) == 1 and [len(it) for it in shapes] == [3, 3] else ''))
    return int(size)


def _check_sizes(model: Any) -> None:
    """Refuse a graph with tensors that are large, or of unknown size, for one observation."""
    import onnx
    inferred = onnx.shape_inference.infer_shapes(
        _skeleton(model), check_type=True, strict_mode=True, data_prop=True).graph
    shapes: Dict[str, List[int]] = {'': []}
    for value in (*inferred.input, *inferred.value_info, *inferred.output):
        shapes[value.name] = [dim.dim_value if dim.HasField('dim_value') else -1
                              for dim in value.type.tensor_type.shape.dim]
        if value.type.tensor_type.elem_type not in TYPE_SIZES or not (
                value.type.tensor_type.HasField('shape')):
            raise RejectedError(f'the type of {show(value.name)} cannot be inferred')
    for tensor in inferred.initializer:
        shapes[tensor.name] = list(tensor.dims)
    products = 0
    for node in inferred.node:
        largest = max((_size(shapes[name]) for name in node.input), default=0)
        for name in node.output:
            shape = shapes.get(name, [-1])
            if min(shape, default=0) < 0 or _size(shape) > max(MAX_VALUES, largest):
                raise RejectedError(
                    f'{show(name)}, output of {node.op_type}, has the size {show(shape)} for one '
                    f'observation; expected a known size of at most {MAX_VALUES} values')
        if node.op_type in PRODUCTS:
            inner = _size(shapes[node.input[0]]) // max(1, _rows(node, shapes[node.input[0]]))
            products += inner * _size(shapes[node.output[0]])
    if products > MAX_PRODUCTS:
            raise RejectedError(f'takes {products} multiplications for one observation, at most '
                                f'{MAX_PRODUCTS} are allowed')


def _skeleton(model: Any) -> Any:
    """Return the model for one observation, without the data of large tensors."""
    import onnx
    skeleton = onnx.ModelProto(ir_version=8, opset_import=model.opset_import)
    graph = skeleton.graph
    graph.name = 'skeleton'
    graph.node.extend(model.graph.node)
    make = onnx.helper.make_tensor_value_info
    for tensor in model.graph.initializer:
        if math.prod(tensor.dims) <= 64:  # it may contain a shape
            graph.initializer.append(tensor)
        else:
            graph.input.append(make(tensor.name, tensor.data_type, list(tensor.dims)))
    for ends, found in ((graph.input, network_inputs(model.graph)),
                        (graph.output, model.graph.output)):
        for value in found:
            dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
            ends.append(make(value.name, FLOAT, [1, *dims[1:]]))
    return skeleton


def _size(shape: Sequence[int]) -> int:
    return math.prod(shape)


def _rows(node: Any, shape: Sequence[int]) -> int:
    """Return the number of row vectors in the first factor of a matrix product."""
    turned = any(it.name == 'transA' and it.i for it in node.attribute)
    return shape[-1] if turned else math.prod(shape[:-1])
