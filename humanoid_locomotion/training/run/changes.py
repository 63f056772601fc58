# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Detection of changes since a checkpoint was written, and what processes must share."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Dict, List, Mapping

import humanoid_locomotion
from humanoid_locomotion.core.errors import CheckpointError
from humanoid_locomotion.core.reading.config import to_mapping
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.training.config import TrainingConfig
from humanoid_locomotion.training.config_file import read_config

# Keys of the config that may change when a run is resumed. So may the device, the number of
# processes, the time limit, the viewer, the folder, and the options of CUDA graphs.
FREE = ('run.num_envs', 'run.iterations', 'run.checkpoint_every')
SHOWN = 8
ROBOT_FILE = 'robot.yaml'


def robot_facts(robot: RobotSpec) -> Dict[str, Any]:
    """Return the description of a robot that a checkpoint stores."""
    values = to_mapping(robot)
    for key in ('folder', 'description', 'urdf'):
        del values[key]
    return {'figures': values, 'model': hashlib.sha256(robot.mjcf_path.read_bytes()).hexdigest()}


def shared(config: TrainingConfig, robot: RobotSpec, backend: str, seed: int,
           checkpoint: str) -> Dict[str, Any]:
    """Return what all processes that train one policy must have in common, by dotted key.

    Args:
        config: The training config.
        robot: The robot; its folder may differ.
        backend: Name of the simulator.
        seed: Seed of the run.
        checkpoint: Name of the checkpoint that is resumed; empty for none.
    """
    return {'version of humanoid_locomotion': humanoid_locomotion.__version__, 'backend': backend,
            'seed': seed, 'checkpoint': checkpoint, 'robot model': robot.model_hash,
            **flat({**to_mapping(config), 'robot': robot.name})}


def check(content: Mapping[str, Any], path: Path, config: TrainingConfig, robot: RobotSpec,
          backend: str, accept: bool) -> List[str]:
    """Return the changes since a checkpoint, one phrase each.

    Args:
        content: Content of the checkpoint.
        path: Path of the checkpoint.
        config: The config to resume with.
        robot: The robot to resume with.
        backend: Name of the simulator to resume with.
        accept: Whether changes are accepted.

    Raises:
        CheckpointError: Something changed, and changes are not accepted.
    """
    found = differences(content, path, config, robot, backend)
    if found and not accept:
        more = f' and {len(found) - SHOWN} more' if len(found) > SHOWN else ''
        raise CheckpointError(
            path, f'what it was trained with has changed: {"; ".join(found[:SHOWN])}{more}; '
            '--accept-changes goes on all the same, and the card of the policy will say so')
    return found


def differences(content: Mapping[str, Any], path: Path, config: TrainingConfig, robot: RobotSpec,
                backend: str) -> List[str]:
    """Return the changes since a checkpoint was written, one phrase each."""
    found = []
    version = content['package_version']
    if version and version != humanoid_locomotion.__version__:
        found.append(f'version of humanoid_locomotion {version}, now '
                     f'{humanoid_locomotion.__version__}')
    if content['backend'] != backend:
        found.append(f"backend {content['backend']}, now {backend}")
    if content['model_hash'] != robot.model_hash:
        found += _of_robot(content['robot_facts'], content['model_hash'], robot)
    before = flat(to_mapping(read_config(content['config'], path)))
    now = flat(to_mapping(config))
    return found + _between(before, now, without=(*FREE, 'robot'))


def _of_robot(before: Mapping[str, Any], model_hash: str, robot: RobotSpec) -> List[str]:
    folder = Path(robot.folder)
    if not before:
        return [f'{folder}: {ROBOT_FILE} or {robot.mjcf} (model hash {model_hash}, now '
                f'{robot.model_hash})']
    now = robot_facts(robot)
    found = [f'{folder / ROBOT_FILE}: {phrase}'
             for phrase in _between(flat(before['figures']), flat(now['figures']))]
    if before['model'] != now['model']:
        found.append(str(robot.mjcf_path))
    return found or [f'{folder / ROBOT_FILE} (its text, none of its figures)']


def _between(before: Mapping[str, Any], now: Mapping[str, Any], without: Any = ()) -> List[str]:
    def show(values: Mapping[str, Any], key: str) -> str:
        text = str(values[key]) if key in values else 'absent'
        return text if len(text) <= 40 else text[:37] + '...'

    keys = [*before, *(key for key in now if key not in before)]
    return [f'{key} {show(before, key)}, now {show(now, key)}' for key in keys
            if key not in without and before.get(key) != now.get(key)]  # None equals absent


def flat(value: Any, at: str = '') -> Dict[str, Any]:
    """Return nested data with dotted keys; list items with a name use it as their key."""
    if isinstance(value, list) and value and all(
            isinstance(part, dict) and 'name' in part for part in value):
        value = {part['name']: part for part in value}
    if not isinstance(value, dict) or not value:
        return {at: value}
    found: Dict[str, Any] = {}
    for key, part in value.items():
        found.update(flat(part, f'{at}.{key}' if at else str(key)))
    return found
