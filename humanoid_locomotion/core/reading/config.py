# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads YAML into frozen dataclasses; refuses keys and values that do not match.

A dataclass is the schema: its annotations are the types, a field without a default is required,
and its ``__post_init__`` may raise ``ValueError`` for further constraints. A dataclass whose
keys are not its fields has a classmethod ``from_config(cls, data)``, whose annotation of ``data``
is the type of the plain data, and a method ``to_config`` that returns such data. One that names
dotted keys in its messages has ``from_value(cls, value, source, at)`` instead.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Tuple, Type, TypeVar, Union, get_type_hints

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.reading.files import read_bytes
from humanoid_locomotion.core.reading.parsing import parse_yaml, show

T = TypeVar('T')

# Larger files are refused before they are parsed.
MAX_BYTES = 1024 * 1024


def read_yaml(path: Union[str, Path]) -> Dict[str, Any]:
    """Return the mapping in a YAML file.

    Raises:
        ConfigError: The file is missing, not a regular file, too large, not plain YAML, or not a
            mapping.
    """
    data = parse_yaml(read_bytes(path, MAX_BYTES), path)
    if not isinstance(data, dict):
        raise ConfigError(path, '', f'expected a mapping, found {type(data).__name__}')
    return data


def load(cls: Type[T], path: Union[str, Path]) -> T:
    """Read a YAML file into the dataclass ``cls``."""
    return from_mapping(cls, read_yaml(path), path)


def from_mapping(cls: Type[T], data: Any, source: object, at: str = '') -> T:
    """Build the dataclass ``cls`` from plain data.

    Args:
        cls: A dataclass.
        data: The mapping to read.
        source: Origin of the data, for messages.
        at: The dotted path of ``data`` within the source, for messages.

    Raises:
        ConfigError: A key is unknown or missing, or a value has the wrong type.
    """
    from_config = getattr(cls, 'from_config', None)
    if from_config is not None:
        plain = read_value(get_type_hints(from_config)['data'], data, source, at)
        return _build(lambda: from_config(plain), source, at)
    if not isinstance(data, Mapping):
        raise ConfigError(source, at, f'expected a mapping, found {_found(data)}')
    hints = get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}  # type: ignore[arg-type]
    unknown = [key for key in data if key not in fields]
    missing = [name for name, field in fields.items() if name not in data
               and field.default is dataclasses.MISSING
               and field.default_factory is dataclasses.MISSING]
    if unknown or missing:
        found = [f'unknown keys {show(unknown, 200)}'] * bool(unknown)
        found += [f'missing keys {missing}'] * bool(missing)
        raise ConfigError(source, at, ', '.join(found) + f'; the keys are {sorted(fields)}')
    values = {name: read_value(hints[name], value, source, f'{at}.{name}'.lstrip('.'))
              for name, value in data.items()}
    return _build(lambda: cls(**values), source, at)


def _build(make: Callable[[], T], source: object, at: str) -> T:
    try:
        return make()
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(source, at, str(error)) from error


def to_mapping(value: Any) -> Any:
    """Return plain data (dict, list, str, int, float, bool, None) for a dataclass."""
    if hasattr(value, 'to_config'):
        return to_mapping(value.to_config())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_mapping(getattr(value, field.name))
                for field in dataclasses.fields(value) if field.init}
    if isinstance(value, Mapping):
        return {key: to_mapping(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_mapping(item) for item in value]
    return value


def override(data: Dict[str, Any], assignment: str) -> Dict[str, Any]:
    """Return a copy of ``data`` with one ``dotted.key=value`` assignment applied.

    The key must exist already, so that a typing error cannot add one.
    """
    key, equals, text = assignment.partition('=')
    if not equals:
        raise ConfigError('--set', assignment, 'expected KEY=VALUE')
    value = parse_yaml(text.encode('utf-8', 'replace'), f'--set {show(key)}')
    return _override(data, key.split('.'), value, key)


def _override(data: Any, path: List[str], value: Any, key: str) -> Dict[str, Any]:
    if not isinstance(data, Mapping) or path[0] not in data:
        known = sorted(data) if isinstance(data, Mapping) else []
        raise ConfigError('--set', key, f'unknown key {show(path[0])}; the keys are '
                          f'{show(known, 400)}')
    rest = path[1:]
    new = _override(data[path[0]], rest, value, key) if rest else value
    return {**data, path[0]: new}


def read_value(hint: Any, value: Any, source: object, at: str) -> Any:
    """Return a value of plain data as the type that an annotation asks for.

    Args:
        hint: The annotation: a dataclass, a type with ``from_value``, Optional, Tuple, Dict,
            float, int, bool, str, Any, or Union of one of these and a Tuple.
        value: The plain data.
        source: Where it came from, for messages.
        at: Its dotted path within the source, for messages.

    Raises:
        ConfigError: It does not fit.
    """
    if hasattr(hint, 'from_value'):
        return hint.from_value(value, source, at)
    origin = getattr(hint, '__origin__', None)
    arguments: Tuple[Any, ...] = getattr(hint, '__args__', ())
    if dataclasses.is_dataclass(hint):
        return from_mapping(hint, value, source, at)  # type: ignore[arg-type]
    if origin is Union:
        if value is None and type(None) in arguments:
            return None
        inner = [a for a in arguments if a is not type(None)]
        lists = [a for a in inner if getattr(a, '__origin__', None) is tuple]
        return read_value((lists if isinstance(value, list) and lists else inner)[0], value,
                          source, at)
    if origin is tuple:
        return _read_tuple(arguments, value, source, at)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ConfigError(source, at, f'expected a mapping, found {_found(value)}')
        return {read_value(arguments[0], key, source, at):
                read_value(arguments[1], item, source, f'{at}.{key}')
                for key, item in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError as error:
            raise ConfigError(source, at, f'expected float, found {_found(value)}') from error
    if hint is Any or (isinstance(value, hint) and not (hint is int and value is True)
                       and not (hint is int and value is False)):
        return value
    advice = ''
    if hint is float and isinstance(value, str) and _is_number(value):
        advice = ' (this is text: write it without quotes and with a decimal point, as 1.0e-3)'
    raise ConfigError(source, at, f'expected {hint.__name__}, found {_found(value)}{advice}')


def _read_tuple(arguments: Any, value: Any, source: object, at: str) -> Tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise ConfigError(source, at, f'expected a list, found {_found(value)}')
    if arguments[-1] is Ellipsis:
        hints = (arguments[0],) * len(value)
    else:
        hints = arguments
        if len(value) != len(hints):
            raise ConfigError(source, at, f'expected {len(hints)} values, found {len(value)}')
    return tuple(read_value(hint, item, source, f'{at}[{i}]')
                 for i, (hint, item) in enumerate(zip(hints, value)))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _found(value: Any) -> str:
    return f'{type(value).__name__} {show(value)}'
