# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parses ONNX files of unknown origin, after a scan of the encoded file.

ONNX is a Protocol Buffers format: an empty message takes two bytes in a file and a hundred in
memory, so the structure is bounded before it is parsed.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, Tuple

from humanoid_locomotion.core.errors import (
    LocomotionError,
    MissingPackageError,
    PolicyError,
    printable,
)

MAX_NETWORK_BYTES = 32 * 1024 * 1024  # eight million weights
MAX_STRUCTURE = 1024 * 1024  # bytes of the file that are not weights
MAX_FIELDS, MAX_TENSOR_FIELDS = 4096, 64  # of one message in the file

Span = Tuple[int, int]  # index of the first byte, and of the one after the last

# Fields of onnx.proto3 that are scanned before the file is parsed.
_GRAPH, _INITIALIZER, _FLOAT_DATA, _RAW_DATA = 7, 5, 4, 9


class RejectedError(Exception):
    """The file is refused; the message gives the reason."""


@contextmanager
def reading_network(path: Path) -> Iterator[None]:
    """Turn every failure to read a network into a :class:`PolicyError` about its file."""
    try:
        yield
    except LocomotionError:
        raise
    except RejectedError as error:
        raise PolicyError(path, str(error)) from error
    except Exception as error:  # protobuf and onnx raise many exception types for a damaged file
        detail = printable(' '.join(str(error).split()), 200)
        raise PolicyError(path, f'is not a valid ONNX file ({type(error).__name__}: {detail})'
                          ) from error


def parse_network(content: bytes) -> Any:
    """Return the parsed file, an ``onnx.ModelProto`` of which only the size was checked.

    Raises:
        MissingPackageError: onnx is not installed.
        Exception: It is not an ONNX file; :func:`reading_network` names the file.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingPackageError('reading a network', 'onnx', 'pip install onnx') from error
    _check_structure(content)
    return onnx.ModelProto.FromString(content)


def _check_structure(content: bytes) -> None:
    """Refuse a file that needs much more memory to parse than its size, or has two graphs.

    An empty message takes two bytes in the file and a hundred in memory; therefore the size of
    everything but tensor data is bounded in the encoded file, before it is parsed.
    """
    if len(content) > MAX_NETWORK_BYTES:
        raise RejectedError(f'is larger than {MAX_NETWORK_BYTES} bytes')
    left = MAX_STRUCTURE - len(content)
    graphs = [span for number, span in _fields(content, (0, len(content)), MAX_FIELDS)
              if number == _GRAPH]
    if len(graphs) != 1:
        raise RejectedError(f'has {len(graphs)} graphs, expected one')
    for number, tensor in _fields(content, graphs[0], MAX_FIELDS):
        if number == _INITIALIZER:
            left += sum(end - start
                        for number, (start, end) in _fields(content, tensor, MAX_TENSOR_FIELDS)
                        if number in (_FLOAT_DATA, _RAW_DATA))
    if left < 0:
        raise RejectedError(f'has more than {MAX_STRUCTURE} bytes besides its weights')


def _fields(content: bytes, span: Span, limit: int) -> Iterator[Tuple[int, Span]]:
    """Yield the number of each field of a Protocol Buffers message, and its span."""
    at, end = span
    for _ in range(limit):
        if at >= end:
            break
        tag, at = _varint(content, at)
        start, wire = at, tag & 7
        if wire == 0:
            _, at = _varint(content, at)
        elif wire == 2:
            length, start = _varint(content, at)
            at = start + length
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ValueError(f'a field of wire type {wire}')
        if at > end:
            raise ValueError('a field that is longer than the message that holds it')
        yield tag >> 3, (start, at)
    else:
        raise ValueError(f'a message of more than {limit} fields')


def _varint(content: bytes, at: int) -> Tuple[int, int]:
    value = 0
    for i in range(10):
        byte = content[at + i]
        value |= (byte & 127) << (7 * i)
        if byte < 128:
            return value, at + i + 1
    raise ValueError('a number of more than ten bytes')
