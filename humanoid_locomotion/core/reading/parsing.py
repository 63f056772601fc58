# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parses bytes of unknown origin into plain data, XML and arrays, within size limits.

Limits are checked before anything is built, and every exception of a parser becomes a
:class:`ConfigError`. Plain data consists of dict with text keys, list, str, int, float, bool and
None.
"""

from __future__ import annotations

from contextlib import contextmanager
import io
from itertools import takewhile
import json
import math
import re
import reprlib
import struct
from typing import Any, Dict, Iterator, List, Sequence, Tuple
from xml.etree import ElementTree
import zipfile

import numpy as np
import yaml

from humanoid_locomotion.core.errors import ConfigError, LocomotionError, printable

MAX_DEPTH = 32  # of nested lists and mappings
MAX_ELEMENTS_DEEP = 200  # of nested XML elements; the links of a robot are nested
MAX_NODES = 50_000  # values, lists and mappings of one file
MAX_DIGITS = 100  # characters of one number
INTEGERS = range(-2 ** 63, 2 ** 63)

# Two parsers of one grammar; the C version is ten times faster but may be missing.
_LOADER: Any = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)
_RESOLVER: Any = yaml.resolver.Resolver()
_CONSTRUCTOR: Any = yaml.constructor.SafeConstructor()
_TAG = 'tag:yaml.org,2002:'
# Python's tuple and slice, as PyYAML writes them: tags of a list.
PYTHON_LISTS = (f'{_TAG}python/tuple', f'{_TAG}python/object/apply:builtins.slice')

_END_OF_ZIP = struct.Struct('<4s4H2LH')
_ZIP64_LOCATOR = b'PK\x06\x07'
_ZIP64_LOCATOR_SIZE = 20
_DIRECTORY_ENTRY = 256  # bytes; NumPy's take about 60
_NPY_START = b'\x93NUMPY\x01\x00'
# NumPy's header is a Python expression; it is matched and not evaluated.
_NPY_HEADER = re.compile(
    rb"\{'descr': '([<>|=]?(?:f[248]|i[1248]|b1))', 'fortran_order': (True|False), "
    rb"'shape': \(((?:[0-9]{1,12}(?:, ?)?)*)\), \} *\n")


class _Shortened(reprlib.Repr):
    """A ``repr`` that visits only a small part of a large value."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxstring, self.maxother = 3, 60, 60
        self.maxdict = self.maxlist = self.maxtuple = 8

    def repr_int(self, x: int, level: int) -> str:
        """Return an int; one of many digits is slow or impossible to convert to text."""
        return repr(x) if x in INTEGERS else f'a whole number of {x.bit_length()} bits'


_SHORTENED = _Shortened()


def show(value: Any, limit: int = 60) -> str:
    """Return a value as text for a message, of at most ``limit`` characters."""
    text = _SHORTENED.repr(value)
    return text if len(text) <= limit else text[:limit - 3] + '...'


@contextmanager
def _parsing(source: object, what: str) -> Iterator[None]:
    try:
        yield
    except LocomotionError:
        raise
    except MemoryError as error:
        raise ConfigError(source, '', f'is not valid {what} (it takes too much memory)') from error
    except Exception as error:  # every parser raises its own exception types
        detail = printable(' '.join(str(error).split()), 200) or type(error).__name__
        raise ConfigError(source, '', f'is not valid {what} ({detail})') from error


class _Elements(ElementTree.TreeBuilder):
    """Builds a tree of XML of bounded depth."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def start(self, tag: Any, attrs: Any, /) -> Any:
        """Open an element."""
        self._depth += 1
        if self._depth > MAX_ELEMENTS_DEEP:
            raise ValueError(f'elements are nested deeper than {MAX_ELEMENTS_DEEP}')
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Any:
        """Close an element."""
        self._depth -= 1
        return super().end(tag)


def parse_xml(content: bytes, source: object) -> ElementTree.Element:
    """Parse XML and return its root.

    Raises:
        ConfigError: It is not XML, or nested too deep.
    """
    with _parsing(source, 'XML'):
        parser = ElementTree.XMLParser(target=_Elements())
        parser.feed(content)
        root: ElementTree.Element = parser.close()
        return root


def parse_yaml(content: bytes, source: object, dropped_tags: Sequence[str] = ()) -> Any:
    """Parse one YAML document into plain data.

    Aliases, anchors, tags, merge keys, duplicate keys and keys that are not text are refused. A
    date is read as text.

    Args:
        content: The document, in UTF-8.
        source: Origin of the content, for messages.
        dropped_tags: Tags that are ignored, such as :data:`PYTHON_LISTS`: the value is read as
            if it had none.

    Raises:
        ConfigError: The content is not such a document.
    """
    with _parsing(source, 'YAML'):
        text = content.decode('utf-8')
        events = _events(text, source, dropped_tags)
        value = next((_node(event, events, source, 0) for event in events), None)
        if next(events, None) is not None:
            raise ConfigError(source, '', 'has several YAML documents, expected one')
        return value


def _events(text: str, source: object, dropped_tags: Sequence[str]) -> Iterator[Any]:
    """Yield the parser events of a document; refuse anything but plain data."""
    nodes = 0
    event: Any
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent) or getattr(event, 'anchor', None) is not None:
            raise _yaml_error(source, event, f'the anchor or alias {show(event.anchor)}, expected '
                              'the value itself')
        if getattr(event, 'tag', None) not in (None, *dropped_tags):
            raise _yaml_error(source, event, f'the tag {show(event.tag)}, expected plain data')
        if isinstance(event, (yaml.NodeEvent, yaml.CollectionEndEvent)):
            nodes += 1
            if nodes > MAX_NODES:
                raise _yaml_error(source, event, f'more than {MAX_NODES} values')
            yield event


def _node(event: Any, events: Iterator[Any], source: object, depth: int) -> Any:
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event, source)
    if depth == MAX_DEPTH:
        raise _yaml_error(source, event, f'a nesting deeper than {MAX_DEPTH}')
    inner = takewhile(lambda it: not isinstance(it, yaml.CollectionEndEvent), events)
    if isinstance(event, yaml.SequenceStartEvent):
        return [_node(item, events, source, depth + 1) for item in inner]
    mapping: Dict[str, Any] = {}
    for key_event in inner:
        key = _node(key_event, events, source, depth + 1)
        if not isinstance(key, str):
            raise _yaml_error(source, key_event, f'the key {show(key)}, which YAML does not read '
                              'as text; expected text, in quotes if need be')
        if key in mapping:
            raise _yaml_error(source, key_event, f'the key {show(key)} twice')
        mapping[key] = _node(next(events), events, source, depth + 1)
    return mapping


def _scalar(event: Any, source: object) -> Any:
    text = event.value
    kind = _RESOLVER.resolve(yaml.ScalarNode, text, event.implicit)[len(_TAG):]
    if kind == 'merge':
        raise _yaml_error(source, event, 'a merge key <<, expected plain data')
    _check_text(text)
    if kind not in ('int', 'float', 'bool', 'null'):
        return text
    if len(text) > MAX_DIGITS:
        raise _yaml_error(source, event, f'a number of {len(text)} characters, at most '
                          f'{MAX_DIGITS} are allowed')
    node = yaml.ScalarNode(_TAG + kind, text)
    value = getattr(_CONSTRUCTOR, f'construct_yaml_{kind}')(node)
    if kind == 'int' and value not in INTEGERS:
        raise _yaml_error(source, event, f'the number {show(text)}, which does not fit 64 bits')
    if kind == 'float' and math.isinf(value) and 'inf' not in text.lower():
        raise _yaml_error(source, event, f'the number {show(text)}, too large for a float')
    return value


def _yaml_error(source: object, event: Any, problem: str) -> ConfigError:
    return ConfigError(source, '', f'line {event.start_mark.line + 1} has {problem}')


def parse_json(content: bytes, source: object) -> Any:
    """Parse a JSON text into plain data.

    NaN, infinities and duplicate keys are refused.

    Args:
        content: The text, in UTF-8.
        source: Origin of the content, for messages.

    Raises:
        ConfigError: The content is not such a text.
    """
    with _parsing(source, 'JSON'):
        try:
            value = json.loads(content.decode('utf-8'), object_pairs_hook=_pairs,
                               parse_int=_whole, parse_float=_decimal, parse_constant=_constant)
        except RecursionError as error:
            raise ValueError(f'nested deeper than {MAX_DEPTH}') from error
        _check_plain(value)
        return value


def _pairs(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    mapping: Dict[str, Any] = {}
    for key, value in pairs:
        if key in mapping:
            raise ValueError(f'the key {show(key)} twice')
        mapping[key] = value
    return mapping


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f'a number of {len(text)} characters, at most {MAX_DIGITS} are allowed')
    value = int(text)
    if value not in INTEGERS:
        raise ValueError(f'the number {text[:40]} does not fit 64 bits')
    return value


def _decimal(text: str) -> float:
    value = float(text) if len(text) <= MAX_DIGITS else math.inf
    if math.isinf(value):
        raise ValueError(f'the number {show(text)} is too large for a float')
    return value


def _constant(text: str) -> float:
    raise ValueError(f'{text} is not a number')


def _check_plain(value: Any) -> None:
    level, nodes = [value], 0
    for _ in range(MAX_DEPTH + 1):
        nodes += len(level)
        if nodes > MAX_NODES:
            raise ValueError(f'more than {MAX_NODES} values')
        for text in level:
            if isinstance(text, str):
                _check_text(text)
        level = [item for it in level if isinstance(it, (list, dict))
                 for item in (it if isinstance(it, list) else (*it.keys(), *it.values()))]
        if not level:
            return
    raise ValueError(f'nested deeper than {MAX_DEPTH}')


def _check_text(text: str) -> None:
    """Raise ValueError for a lone surrogate, which cannot be encoded."""
    if not text.isprintable():
        text.encode('utf-8')


def parse_npz(content: bytes, source: object, required: Sequence[str],
              optional: Sequence[str] = (), limit: int = 1 << 26) -> Dict[str, np.ndarray]:
    """Return the arrays of an npz file, as NumPy writes it: floats, integers and booleans.

    Args:
        content: The file.
        source: Origin of the content, for messages.
        required: Names of arrays that must be present.
        optional: Names of arrays that may be present; any other is refused.
        limit: Largest size of all arrays together [bytes], checked before any is unpacked.

    Raises:
        ConfigError: The content is not such a file.
    """
    with _parsing(source, 'npz'):
        _check_directory(content, len(required) + len(optional))
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if any(it.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
                   for it in members):  # others may allocate more memory
                raise ValueError('its compression is not one that NumPy uses')
            unpacked = sum(member.file_size for member in members)
            if unpacked > limit:
                raise ConfigError(source, '', f'unpacks to {unpacked} bytes, at most {limit} '
                                  'are allowed')
            names = [member.filename[:-len('.npy')] if member.filename.endswith('.npy')
                     else member.filename for member in members]
            missing = [name for name in required if name not in names]
            if missing:
                raise ConfigError(source, '', f'missing arrays {missing}; it has '
                                  f'{show(sorted(names), 200)}')
            unknown = [name for name in names if name not in (*required, *optional)]
            if unknown or len(set(names)) != len(names):
                raise ConfigError(source, '', f'has the arrays {show(sorted(names), 200)}, '
                                  f'expected {sorted(required)} once each, and optionally '
                                  f'{sorted(optional)}')
            return {name: _array(name, archive, member) for name, member in zip(names, members)}


def _check_directory(content: bytes, members: int) -> None:
    """Refuse an archive of many members before ``zipfile`` allocates an object for each."""
    end = content[-_END_OF_ZIP.size:]
    if len(end) < _END_OF_ZIP.size or not end.startswith(b'PK\x05\x06'):
        raise ValueError('it does not end like a zip archive without a comment')
    _, _, _, _, entries, size, _, comment = _END_OF_ZIP.unpack(end)
    is_long = content[-_END_OF_ZIP.size - _ZIP64_LOCATOR_SIZE:].startswith(_ZIP64_LOCATOR)
    if comment or is_long:
        raise ValueError('it is not a zip archive as NumPy writes it')
    if entries > members or size > members * _DIRECTORY_ENTRY:
        raise ValueError(f'it has {entries} members, expected at most {members}')


def _array(name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(member) as file:
        start = file.read(len(_NPY_START) + 2)
        header = file.read(int.from_bytes(start[-2:], 'little'))
        match = _NPY_HEADER.fullmatch(header)
        if not start.startswith(_NPY_START) or match is None:
            raise ValueError(f'array {name!r} has the header {show(header, 120)}; expected '
                             'floats, integers or booleans')
        descr, fortran, dims = (group.decode('ascii') for group in match.groups())
        shape = [int(dim) for dim in dims.replace(',', ' ').split()]
        dtype = np.dtype(descr)
        size = dtype.itemsize * math.prod(shape)
        left = member.file_size - len(start) - len(header)
        if size != left or len(shape) > 8:
            raise ValueError(
                f'array {name!r} of shape {shape} takes {size} bytes, found {left}')
        body = file.read(size + 1)  # one more byte, so that zipfile checks the checksum
        if len(body) != size:
            raise ValueError(f'array {name!r} has {len(body)} bytes, expected {size}')
    array = np.frombuffer(body, dtype).reshape(shape, order='F' if fortran == 'True' else 'C')
    return array.astype(dtype.newbyteorder('='))  # a writable copy
