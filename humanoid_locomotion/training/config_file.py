# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads training configs from files, checkpoints and the command line.

A file that names a ``base`` holds only what differs from it::

    base: humanoid                 # a name in config/training, or a path from this file's folder
    robot: my_robot
    rewards: {weights: {energy: -0.001, feet_tilt: null}}

Mappings are merged key by key; numbers, texts and lists replace those of the base. In
``rewards.weights`` and below, null removes; elsewhere it is a value.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Tuple, Union

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.reading import config as yaml_config
from humanoid_locomotion.core.reading.parsing import parse_yaml, show
from humanoid_locomotion.core.reading.resources import config_file
from humanoid_locomotion.training.config import TrainingConfig
from humanoid_locomotion.training.older_formats import convert_config, refuse_earlier_keys

WEIGHTS = ('rewards', 'weights')


def load_config(path: Union[str, Path], assignments: Iterable[str] = ()) -> TrainingConfig:
    """Read a training config from a YAML file, of today's or an earlier format.

    Args:
        path: The file.
        assignments: ``dotted.key=value`` changes.

    Raises:
        ConfigError: A file is absent or not YAML, or a key or value is invalid.
    """
    return read_config(read_files(path), path, assignments)


def read_config(data: Mapping[str, Any], source: object,
                assignments: Iterable[str] = ()) -> TrainingConfig:
    """Read a training config from plain data, such as that of a checkpoint.

    Args:
        data: A whole config, of today's or an earlier format.
        source: Name of the source, for messages.
        assignments: ``dotted.key=value`` changes, of any key of the whole config.

    Raises:
        ConfigError: A key or value is invalid.
    """
    config = yaml_config.from_mapping(TrainingConfig, convert_config(data, source), source)
    changes = list(assignments)
    if not changes:
        return config
    whole = yaml_config.to_mapping(config)
    for change in changes:
        whole = _assign(whole, change)
    return yaml_config.from_mapping(TrainingConfig, whole, source)


def read_files(path: Union[str, Path], above: Tuple[Path, ...] = ()) -> Dict[str, Any]:
    """Return the content of a config file, merged with that of its bases.

    Args:
        path: The file.
        above: The files that are based on this one.

    Raises:
        ConfigError: A file is absent or not YAML, or the bases form a cycle.
    """
    data = yaml_config.read_yaml(path)
    if 'base' not in data:
        return convert_config(data, path)
    base = data.pop('base')
    refuse_earlier_keys(data, path)
    if not isinstance(base, str):
        raise ConfigError(path, 'base', f'expected a name or a path, found {show(base)}')
    is_path = base.endswith(('.yaml', '.yml'))
    below = Path(path).parent / base if is_path else config_file('training', base)
    chain = (*above, Path(path).resolve())
    if below.resolve() in chain:
        raise ConfigError(path, 'base', f'{base!r} is based on this file; expected a base that '
                          'does not lead back to it')
    if not below.is_file():
        names = sorted(it.stem for it in config_file('training', 'humanoid').parent.glob('*.yaml'))
        raise ConfigError(path, 'base', f'there is no {below}; expected a path that ends in .yaml '
                          f'or one of {names}')
    merged: Dict[str, Any] = _merge(read_files(below, chain), data, path, ())
    return merged


def _merge(base: Mapping[str, Any], changes: Mapping[str, Any], source: object,
           at: Tuple[str, ...]) -> Dict[str, Any]:
    result = dict(base)
    if at == WEIGHTS:  # a number changes only the weight
        result, changes = _as_mappings(base), _as_mappings(changes)
    for key, value in changes.items():
        below = result.get(key)
        if value is None and at[:2] == WEIGHTS:
            if key not in result:
                raise ConfigError(source, '.'.join((*at, key)), 'null removes what the base has, '
                                  f'and the base has only {sorted(result)}')
            del result[key]
        elif isinstance(below, Mapping) and isinstance(value, Mapping):
            result[key] = _merge(below, value, source, (*at, key))
        else:
            result[key] = value
    return result


def _as_mappings(weights: Mapping[str, Any]) -> Dict[str, Any]:
    return {label: {'weight': it} if _is_number(it) else it for label, it in weights.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _assign(whole: Dict[str, Any], assignment: str) -> Dict[str, Any]:
    """Return a whole config with one assignment made; a number for a term is its weight."""
    key, equals, text = assignment.partition('=')
    parts: List[str] = key.split('.')
    if equals and tuple(parts[:2]) == WEIGHTS and len(parts) == 3:
        value = parse_yaml(text.encode('utf-8', 'replace'), f'--set {show(key)}')
        change: Dict[str, Any] = {parts[2]: value}
        for outer in reversed(WEIGHTS):
            change = {outer: change}
        return _merge(whole, change, '--set', ())
    return yaml_config.override(whole, assignment)
