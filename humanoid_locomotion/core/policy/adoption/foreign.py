# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Opens the ONNX or TorchScript file of another stack as a network of this package.

Weights beside the file are embedded, :mod:`~humanoid_locomotion.core.policy.adoption.ends` gives
it this package's inputs and outputs, and actions are bounded: a robot on the ground whose network
observes its own last action may give larger ones without end.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
import hashlib
import os
from pathlib import Path
from typing import Any, Dict, Tuple, Type, TypeVar

from humanoid_locomotion.core.errors import ConfigError, PolicyError
from humanoid_locomotion.core.policy.adoption.ends import UNBOUNDED, give_our_ends
from humanoid_locomotion.core.policy.adoption.torchscript import (
    is_torchscript,
    torchscript_network,
)
from humanoid_locomotion.core.policy.onnx_graph import (
    FLOAT,
    OUTPUT,
    Network,
    network_inputs,
    read_network,
)
from humanoid_locomotion.core.policy.onnx_structure import (
    MAX_NETWORK_BYTES,
    RejectedError,
    parse_network,
    reading_network,
)
from humanoid_locomotion.core.policy.standalone.tracing import MIN_OPSET
from humanoid_locomotion.core.reading import config
from humanoid_locomotion.core.reading.files import read_bytes
from humanoid_locomotion.core.reading.parsing import show

EXTERNAL = 1  # TensorProto.DataLocation
LFS_POINTER = b'version https://git-lfs'  # the start of what Git stores instead of a large file
LARGEST_ACTION = 100.0  # far beyond any walk; holosoma's runtime has the same bound

T = TypeVar('T')
# A source of flat keys: its name for messages, and values of onnx_metadata.KEYS.
Source = Tuple[object, Dict[str, Any]]


@dataclass(frozen=True)
class ForeignPolicy:
    """The network of another stack.

    Attributes:
        network: The network as it will be written.
        input_name: Name of its input in the file.
        digests: SHA-256 of each file that was read, by name.
    """

    network: Network
    input_name: str
    digests: Dict[str, str]

    @property
    def path(self) -> Path:
        """Path of the ONNX file."""
        return self.network.path


def open_foreign(path: Path) -> ForeignPolicy:
    """Read the file of another stack, and files with weights in its folder or below.

    Raises:
        PolicyError: A file cannot be read, or the network is refused by
            :func:`~humanoid_locomotion.core.policy.onnx_graph.read_network`.
    """
    content, files = _read(path), _Weights(path.parent)
    digests = {path.name: hashlib.sha256(content).hexdigest()}
    if is_torchscript(content):
        content = torchscript_network(content, path)
    with reading_network(path):
        model = parse_network(content)
        _drop_unused_operator_sets(model)
        for tensor in model.graph.initializer:
            if tensor.data_location == EXTERNAL:
                files.embed(tensor)
        name = next((it.name for it in network_inputs(model.graph)), '')
        give_our_ends(model)
        _bound(model)
        content = model.SerializeToString()
    digests.update((name, hashlib.sha256(data).hexdigest())
                   for name, data in files.contents.items())
    return ForeignPolicy(_with_recent_operators(read_network(content, path)), name, digests)


def _with_recent_operators(network: Network) -> Network:
    """Return a network of an operator set from which a standalone policy can be made."""
    from onnx import version_converter
    if network.model.opset_import[0].version >= MIN_OPSET:
        return network
    with reading_network(network.path):
        model = version_converter.convert_version(network.model, MIN_OPSET)
        return read_network(model.SerializeToString(), network.path)


def mentions(path: Path, *words: str) -> bool:
    """Return whether there is a file of a path, in which all of some words occur.

    Raises:
        ConfigError: The file cannot be read.
    """
    if not os.path.lexists(path):
        return False
    if not os.path.isfile(path):
        raise ConfigError(path, '', 'is no regular file, expected a YAML file')
    try:
        with open(path, 'rb') as file:
            begin = file.read(config.MAX_BYTES)
    except OSError as error:
        raise ConfigError(path, '', f'cannot be read ({error.strerror})') from error
    return all(word.encode() in begin for word in words)


def read_some(cls: Type[T], path: Path) -> T:
    """Read those keys of a YAML file that a dataclass has.

    Raises:
        ConfigError: The file is not plain YAML, a key is missing or a value has the wrong type.
    """
    names = {it.name for it in fields(cls)}  # type: ignore[arg-type]
    data = config.read_yaml(path)
    return config.from_mapping(
        cls, {key: value for key, value in data.items() if key in names}, path)


class _Weights:
    """The files in a folder that hold tensors of an ONNX file."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._left = MAX_NETWORK_BYTES
        self.contents: Dict[str, bytes] = {}

    def embed(self, tensor: Any) -> None:
        """Copy the data of a tensor into it."""
        entries = {entry.key: entry.value for entry in tensor.external_data}
        name = entries.get('location', '')
        if not Path(name).name or Path(name).is_absolute() or '..' in Path(name).parts:
            raise RejectedError(f'tensor {show(tensor.name)} is stored in {show(name)}; expected '
                               'the name of a file in the same folder, or in one below it')
        if name not in self.contents:
            self.contents[name] = _read(self._folder / name)
        data = self.contents[name]
        try:
            start = int(entries.get('offset', 0))
            length = int(entries.get('length', len(data) - start))
        except ValueError:
            start, length = -1, -1
        if not 0 <= start <= start + length <= len(data):
            raise RejectedError(
                f'tensor {show(tensor.name)} is at {show(entries.get("offset", 0))}, of length '
                f'{show(entries.get("length"))}, in {name}, which has {len(data)} bytes; expected '
                'the file that belongs to it')
        self._left -= length
        if self._left < 0:
            raise RejectedError(f'has more than {MAX_NETWORK_BYTES} bytes of weights')
        tensor.raw_data = data[start:start + length]
        tensor.ClearField('external_data')
        tensor.ClearField('data_location')


def _read(path: Path) -> bytes:
    try:
        content = read_bytes(path, MAX_NETWORK_BYTES)
    except ConfigError as error:
        raise PolicyError(path, error.problem) from error
    if content.startswith(LFS_POINTER):
        raise PolicyError(path, 'is a pointer of Git LFS, expected the file itself, which '
                          '`git lfs pull` fetches')
    return content


def _drop_unused_operator_sets(model: Any) -> None:
    """Remove the operator sets that no node is of, as those that tf2onnx always lists."""
    used = {node.domain or 'ai.onnx' for node in model.graph.node} | {'ai.onnx'}
    kept = [it for it in model.opset_import if (it.domain or 'ai.onnx') in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)


def _bound(model: Any) -> None:
    """Make bounded actions the output of a model, the last value of which is UNBOUNDED."""
    from onnx import helper
    graph, ends = model.graph, (-LARGEST_ACTION, LARGEST_ACTION)
    graph.output[0].name = OUTPUT
    if all(entry.version < 11 for entry in model.opset_import):  # the bounds are attributes
        graph.node.append(
            helper.make_node('Clip', [UNBOUNDED], [OUTPUT], min=ends[0], max=ends[1]))
        return
    names = [f'{UNBOUNDED}_{end}' for end in ('lower', 'upper')]
    graph.initializer.extend(helper.make_tensor(name, FLOAT, [], [value])
                             for name, value in zip(names, ends))
    graph.node.append(helper.make_node('Clip', [UNBOUNDED, *names], [OUTPUT]))
