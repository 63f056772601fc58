# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads the weights of a TorchScript file and writes its network as ONNX.

``torch.jit.load`` would execute the code in the file. Here no code of the file is executed, and
PyTorch is not needed: the archive's pickle may only create plain data, tensors and modules of
known kinds. The accepted networks are those that exporters of rsl_rl, legged_gym and Isaac Lab
write: a normalizer, an LSTM or GRU with its state in buffers, and a chain of layers; each but the
last may be missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import io
from pathlib import Path
import pickle
import re
from typing import Any, Collection, Dict, List, Set, Tuple
import zipfile

import numpy as np

from humanoid_locomotion.core.errors import MissingPackageError, PolicyError, printable
from humanoid_locomotion.core.policy.adoption.cells import GATES, Cell, GraphParts
from humanoid_locomotion.core.policy.adoption.forward_code import (
    INSTEAD,
    ForwardCode,
    recurrent_call,
)
from humanoid_locomotion.core.policy.onnx_graph import INPUT, MEMORY_IN, MEMORY_OUT, OUTPUT
from humanoid_locomotion.core.policy.onnx_structure import MAX_NETWORK_BYTES, RejectedError
from humanoid_locomotion.core.reading.parsing import show

MAX_FILES = 1000
# PyTorch's activations, as ONNX's operators.
ACTIVATIONS = {'ELU': 'Elu', 'ReLU': 'Relu', 'Tanh': 'Tanh', 'SELU': 'Selu', 'Sigmoid': 'Sigmoid',
               'Identity': '', 'Dropout': ''}
# How the source of an ELU says that its alpha is 1, if it was scripted or traced.
USUAL_ELU = r'^  alpha : Final\[float\] = 1\.$|torch\.elu_?\(\w+, 1\.\)'
STORAGES = {'FloatStorage': '<f4', 'DoubleStorage': '<f8', 'HalfStorage': '<f2',
            'LongStorage': '<i8', 'IntStorage': '<i4', 'BoolStorage': '?', 'ByteStorage': 'u1'}
TORCH = '__torch__.torch.nn.modules.'


class Module:
    """A module of the archive; its attributes are parameters, buffers and other modules.

    Attributes:
        kind: Name of its class.
        source: Module path of its class in the archive.
    """

    kind = source = ''

    def modules(self) -> Dict[str, Module]:
        """Return the modules in it, by name."""
        return {name: it for name, it in vars(self).items() if isinstance(it, Module)}


@dataclass(frozen=True)
class Layers:
    """The network of an archive.

    Attributes:
        mean: Subtracted from the observation; None without a normalizer.
        std: Divisor of the observation then.
        cells: The recurrent layers.
        chain: Then, a pair (weight, bias) for each linear layer, an ONNX operator for each
            activation.
    """

    mean: Any = None
    std: Any = None
    cells: List[Cell] = field(default_factory=list)
    chain: List[Any] = field(default_factory=list)

    @property
    def obs_size(self) -> int:
        """Length of an observation."""
        first = self.cells[0].weight_input if self.cells else next(
            it[0] for it in self.chain if isinstance(it, tuple))
        return int(first.shape[1])


def is_torchscript(content: bytes) -> bool:
    """Return whether a file is an archive as PyTorch writes it."""
    return content.startswith(b'PK\x03\x04')


def torchscript_network(content: bytes, path: Path) -> bytes:
    """Return the network of a TorchScript file as an ONNX file.

    Raises:
        PolicyError: It is not TorchScript, is damaged, or computes something else than known
            modules one after the other.
        MissingPackageError: onnx is not installed.
    """
    try:
        archive = _Archive(content)
        return _onnx_file(_layers(archive.load(), archive))
    except ImportError as error:
        raise MissingPackageError('import', 'onnx', 'pip install onnx') from error
    except RejectedError as error:
        raise PolicyError(path, str(error)) from error
    except Exception as error:  # a damaged archive raises many exception types
        detail = printable(' '.join(str(error).split()), 200)
        raise PolicyError(path, f'is not a valid TorchScript file ({type(error).__name__}: '
                          f'{detail}); {INSTEAD}') from error


class _Archive:
    """The files of a TorchScript archive, by their names below its folder."""

    def __init__(self, content: bytes):
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = archive.infolist()
        if len(entries) > MAX_FILES or sum(it.file_size for it in entries) > MAX_NETWORK_BYTES:
            raise RejectedError(f'has more than {MAX_FILES} files or {MAX_NETWORK_BYTES} bytes')
        files = {it.filename.partition('/')[2]: archive.read(it) for it in entries}
        if 'data.pkl' not in files or not any(name.startswith('code/') for name in files):
            raise RejectedError(
                'is an archive, but no TorchScript: expected data.pkl and code/, as '
                f'torch.jit.save writes them; a checkpoint must be exported first; {INSTEAD}')
        if files.get('byteorder', b'little') != b'little':
            raise RejectedError(f"has the byte order {show(files['byteorder'])}, expected little")
        self._files = files

    def load(self) -> Any:
        """Return the object of the archive."""
        return _Unpickler(self._files).load()

    def code(self, module: Module) -> str:
        """Return the source of a module's class, empty if there is none."""
        name = f"code/{module.source.replace('.', '/')}.py"
        text = self._files.get(name, b'').decode('utf-8')
        return _part(rf'^class {re.escape(module.kind)}\(.*?(?=^class |\Z)', text)


class _Unpickler(pickle._Unpickler):  # that in C reserves memory for the index of a memo entry
    """Creates modules, tensors and plain data, nothing else."""

    def __init__(self, files: Dict[str, bytes]):
        super().__init__(io.BytesIO(files['data.pkl']))
        self._files = files

    def find_class(self, module: str, name: str) -> Any:
        """Return a stand-in for a class or function that the archive names."""
        if module.startswith('__torch__'):
            return type('Module', (Module,), {'kind': name, 'source': module})
        if module == 'torch' and name in STORAGES:
            return STORAGES[name]
        if (module, name) == ('torch._utils', '_rebuild_tensor_v2'):
            return _tensor
        if (module, name) == ('collections', 'OrderedDict'):
            return dict
        if module == 'torch.jit._pickle':
            return lambda value, *_: value
        raise RejectedError(f'refers to {show(f"{module}.{name}")}, which no network needs')

    def persistent_load(self, reference: Any) -> np.ndarray:
        """Return the values of a tensor's storage."""
        _, dtype, key, _, _ = reference
        return np.frombuffer(self._files[f'data/{key}'], np.dtype(dtype))


def _tensor(storage: np.ndarray, offset: int, size: Tuple[int, ...], stride: Tuple[int, ...],
            *_: Any) -> np.ndarray:
    """Return a tensor's values, as a copy."""
    last = offset + sum((n - 1) * step for n, step in zip(size, stride))
    if min((offset, *size, *stride)) < 0 or last >= max(len(storage), 1) or (
            int(np.prod(size, dtype=object)) > len(storage)):
        raise RejectedError(f'has a tensor of shape {show(size)} in {len(storage)} values')
    return np.array(np.lib.stride_tricks.as_strided(
        storage[offset:], size, [it * storage.itemsize for it in stride]))


def _part(pattern: str, text: str) -> str:
    """Return the first part of a source that matches; empty if none does."""
    found = re.search(pattern, text, re.M | re.S)
    return found[0] if found else ''


def _layers(top: Any, archive: _Archive) -> Layers:
    if not isinstance(top, Module):
        raise RejectedError(f'is no network but {type(top).__name__}')
    if '0' in top.modules():
        return Layers(chain=_chain(top, archive))
    modules = top.modules()
    unknown = {name: it.kind for name, it in modules.items()
               if name not in ('normalizer', 'rnn', 'memory', 'actor')}
    if unknown or 'actor' not in modules:
        raise RejectedError(
            f'has the modules {show({name: it.kind for name, it in modules.items()}, 300)}; '
            f'expected actor, and before it perhaps normalizer, rnn or memory; {INSTEAD}')
    mean, std = _normalizer(modules.get('normalizer'))
    name = 'rnn' if 'rnn' in modules else 'memory'
    memory, x = modules.get(name), 'x'
    stored: Set[Tuple[str, str]] = set()
    if mean is not None:
        x = 'self.normalizer(x)'
    if memory is not None:
        x, stored = recurrent_call(memory.kind, name, x)
        if any(np.any(vars(top).get(state)) for state in ('hidden_state', 'cell_state')):
            raise RejectedError(f'has a memory that does not begin with zeros; {INSTEAD}')
    _check_forward(top, archive, f'self.actor({x})', stored)
    return Layers(mean, std, [] if memory is None else _cells(memory),
                  _chain(modules['actor'], archive))


def _check_forward(module: Module, archive: _Archive, expected: str,
                   stored: Collection[Tuple[str, str]] = ()) -> None:
    """Refuse a module that does not call those in it one after the other, and nothing else."""
    source = _part(r'^  def forward\(.*?(?=^  def |\Z)', archive.code(module))
    if not source:
        raise RejectedError(f'has no function forward of {show(module.kind)}; {INSTEAD}')
    code = ForwardCode(source, [f'self.{name}' for name, it in module.modules().items()
                                if not ACTIVATIONS.get(it.kind, it.kind)])
    if (code.returned, code.stored) != (expected, set(stored)):
        raise RejectedError(
            f'has {show(module.kind)} that returns {show(code.returned, 300)} and stores '
            f'{show(sorted(code.stored), 300)}, expected {expected} and {sorted(stored)}; '
            f'{INSTEAD}')


def _normalizer(module: Any) -> Tuple[Any, Any]:
    if module is None or module.kind == 'Identity':
        return None, None
    if module.kind != 'EmpiricalNormalization' or not hasattr(module, 'eps'):
        raise RejectedError(f'has a normalizer {show(module.kind)}, expected '
                            f'EmpiricalNormalization, scripted and not traced; {INSTEAD}')
    return module._mean, module._std + module.eps


def _cells(module: Module) -> List[Cell]:
    found = vars(module)
    layers = [name[len('weight_ih_l'):] for name in found if name.startswith('weight_ih_l')]
    is_usual = module.kind in GATES and module.source.startswith(TORCH) and (
        layers == [str(i) for i in range(len(layers))])
    if not is_usual or any(name.startswith('weight_hr') for name in found):
        raise RejectedError(f'has a memory {show(module.kind)} of layers {show(layers)}; expected '
                            f'an LSTM or GRU in one direction; {INSTEAD}')
    cells = []
    for i in layers:
        rows = np.zeros(len(found[f'weight_ih_l{i}']), np.float32)
        cells.append(Cell(module.kind, found[f'weight_ih_l{i}'], found[f'weight_hh_l{i}'],
                          found.get(f'bias_ih_l{i}', rows), found.get(f'bias_hh_l{i}', rows)))
    return cells


def _chain(module: Module, archive: _Archive) -> List[Any]:
    """Return the layers of a sequence of modules."""
    is_torchs = module.source.startswith(TORCH)
    if module.kind == 'Linear' and is_torchs:
        weight, bias = vars(module)['weight'], vars(module).get('bias')
        return [(weight, np.zeros(len(weight), np.float32) if bias is None else bias)]
    if module.kind in ACTIVATIONS and is_torchs:
        if module.kind == 'ELU' and not _part(USUAL_ELU, archive.code(module)):
            raise RejectedError(f'has an ELU whose alpha is not 1; {INSTEAD}')
        return [ACTIVATIONS[module.kind]] if ACTIVATIONS[module.kind] else []
    inner = module.modules()
    if list(inner) != [str(i) for i in range(len(inner))] or not inner:
        raise RejectedError(f'has a module {show(module.kind)}; expected Linear, '
                            f'{", ".join(ACTIVATIONS)} or a sequence of them; {INSTEAD}')
    x = 'x'
    for name, it in inner.items():
        x = f'self.{name}({x})' if ACTIVATIONS.get(it.kind, it.kind) else x
    _check_forward(module, archive, x)
    return [layer for it in inner.values() for layer in _chain(it, archive)]


def _onnx_file(layers: Layers) -> bytes:
    from onnx import TensorProto, helper
    parts, x = GraphParts('torchscript_'), INPUT
    if layers.mean is not None:
        x = parts.add('Sub', [x, parts.constant(layers.mean)])
        x = parts.add('Mul', [x, parts.constant(1.0 / layers.std)])
    sizes = [cell.hidden for cell in layers.cells
             for _ in range(2 if cell.kind == 'LSTM' else 1)]
    memory = parts.split(MEMORY_IN, sizes) if sizes else []
    states: List[str] = []
    for cell in layers.cells:
        mine = [memory.pop(0) for _ in range(2 if cell.kind == 'LSTM' else 1)]
        states += parts.step(cell, x, mine)
        x = states[-len(mine)]
    for layer in layers.chain:
        x = parts.linear(x, *layer) if isinstance(layer, tuple) else parts.add(layer, [x])
    parts.add('Identity', [x], output=OUTPUT)
    actions = next(len(it[1]) for it in reversed(layers.chain) if isinstance(it, tuple))
    ends: List[Tuple[str, str, int, int]] = [(INPUT, OUTPUT, layers.obs_size, actions)]
    if sizes:
        parts.add('Concat', states, output=MEMORY_OUT, axis=1)
        ends.append((MEMORY_IN, MEMORY_OUT, sum(sizes), sum(sizes)))
    make = helper.make_tensor_value_info
    graph = helper.make_graph(
        parts.nodes, 'network',
        [make(name, TensorProto.FLOAT, ['batch', size]) for name, _, size, _ in ends],
        [make(name, TensorProto.FLOAT, ['batch', size]) for _, name, _, size in ends],
        parts.tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8,
                              producer_name='humanoid_locomotion')
    return bytes(model.SerializeToString())
