# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads ``deploy.yaml``, beside the policies of unitree_rl_lab and unitree_rl_mjlab.

Unitree's runtime (``deploy/include/isaaclab`` of both) gives the file its meaning: gains are in
the order of the motors, all else in that of ``joint_ids_map``. Each term is clipped, scaled and
joined with its own history, oldest first; only ``use_gym_history`` joins whole frames.
"""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.policy.adoption.foreign import (
    LARGEST_ACTION,
    ForeignPolicy,
    Source,
)
from humanoid_locomotion.core.policy.standalone.fields import motors_of
from humanoid_locomotion.core.reading import config
from humanoid_locomotion.core.reading.files import read_bytes
from humanoid_locomotion.core.reading.parsing import PYTHON_LISTS, parse_yaml, show
from humanoid_locomotion.core.robot import RobotSpec

NAME = 'deploy.yaml'
# The terms that Unitree's runtime registers, and the number of values of each; 0: one per joint.
TERMS = {
    'base_ang_vel': ('base_angular_velocity', 3), 'projected_gravity': ('projected_gravity', 3),
    'velocity_commands': ('velocity_command', 3), 'joint_pos': ('joint_positions', 0),
    'joint_pos_rel': ('joint_positions_from_default', 0), 'joint_vel_rel': ('joint_velocities', 0),
    'last_action': ('previous_action', 0), 'gait_phase': ('gait_clock', 2),
    'gait_phase_my': ('gait_clock', 2)}
# gait_phase never rests; gait_phase_my goes on, and gives zeros for a command below this norm.
ALWAYS, MY_THRESHOLD = -1.0, 0.1
EVERY_JOINT: Tuple[Any, ...] = (None, [], [None, None, None])  # the last is a slice
SAME_POSE = 1e-4  # [rad]


@dataclass(frozen=True)
class _Params:
    command_name: Optional[str] = None
    period: Optional[float] = None
    asset_cfg: Optional[Dict[str, Any]] = None


@dataclass(frozen=True)
class _Term:
    params: Optional[_Params] = None
    clip: Optional[Tuple[float, float]] = None
    scale: Optional[Tuple[float, ...]] = None
    history_length: int = 1


@dataclass(frozen=True)
class _JointPositionAction:
    scale: Tuple[float, ...]
    offset: Tuple[float, ...]
    clip: Optional[Tuple[Tuple[float, float], ...]] = None
    joint_names: Any = None
    joint_ids: Any = None


@dataclass(frozen=True)
class _Actions:
    JointPositionAction: _JointPositionAction


@dataclass(frozen=True)
class _Ranges:
    lin_vel_x: Tuple[float, float]
    lin_vel_y: Tuple[float, float]
    ang_vel_z: Tuple[float, float]
    heading: Optional[Tuple[float, float]] = None


@dataclass(frozen=True)
class _Velocity:
    ranges: _Ranges


@dataclass(frozen=True)
class _Commands:
    base_velocity: _Velocity


@dataclass(frozen=True)
class _Deploy:
    joint_ids_map: Tuple[int, ...]
    step_dt: float
    stiffness: Tuple[float, ...]
    damping: Tuple[float, ...]
    default_joint_pos: Tuple[float, ...]
    commands: _Commands
    actions: _Actions
    observations: Dict[str, Any]


def read(found: ForeignPolicy, robot: RobotSpec) -> Optional[Source]:
    """Return the flat keys of the ``deploy.yaml`` of a policy; None if it has none.

    The file is beside the policy, or in ``../params`` as both repositories have it.

    Raises:
        ConfigError: The file is not valid, or says something that a contract cannot.
    """
    places = (found.path.parent / NAME,
              found.path.resolve().parent.parent / 'params' / NAME)
    path = next((place for place in places if os.path.lexists(place)), None)
    if path is None:
        return None
    data = parse_yaml(read_bytes(path, config.MAX_BYTES), path, PYTHON_LISTS)
    return path, _flat(config.from_mapping(_Deploy, data, path), path, robot)


def _flat(it: _Deploy, path: Path, robot: RobotSpec) -> Dict[str, Any]:
    motors, action = motors_of(robot.name, robot.joint_names), it.actions.JointPositionAction
    ids, n = it.joint_ids_map, len(it.joint_ids_map)
    known = [i for i, name in enumerate(motors) if name is not None]
    if not ids or sorted({*ids} & {*known}) != sorted(ids):
        raise ConfigError(path, 'joint_ids_map', f'found {show(list(ids), 200)}, expected motors '
                          f'of robot {robot.name!r} once each, of {known[0]} to {known[-1]}')
    where = 'actions.JointPositionAction'
    for key, values, size in (
            ('stiffness', it.stiffness, len(motors)), ('damping', it.damping, len(motors)),
            ('default_joint_pos', it.default_joint_pos, n), (f'{where}.scale', action.scale, n),
            (f'{where}.offset', action.offset, n)):
        _check_size(path, key, values, size)
    _check_joints(path, f'{where}.joint_ids', action.joint_ids, n)
    for i, (offset, default) in enumerate(zip(action.offset, it.default_joint_pos)):
        if not abs(offset - default) <= SAME_POSE:
            raise ConfigError(path, f'{where}.offset[{i}]', f'found {offset}, expected {default} '
                              'as in default_joint_pos: a contract has one default pose')
    ranges = it.commands.base_velocity.ranges
    limits = (ranges.lin_vel_x, ranges.lin_vel_y, ranges.ang_vel_z)
    flat: Dict[str, Any] = {
        'joint_names': [motors[i] for i in ids],
        'joint_stiffness': [it.stiffness[i] for i in ids],
        'joint_damping': [it.damping[i] for i in ids],
        'default_joint_pos': list(it.default_joint_pos), 'action_scale': list(action.scale),
        'control_period': it.step_dt, 'command_names': 'base_velocity',
        'command_lower': [low for low, _ in limits], 'command_upper': [high for _, high in limits],
        'action_mode': 'default_offset', 'observation_layout': 'unitree',
        **_observations(it, path)}
    if action.clip is not None:
        _check_size(path, f'{where}.clip', action.clip, n)
        lower, upper = zip(*action.clip)
        pose, reach = np.array(action.offset), LARGEST_ACTION * np.abs(action.scale)
        if np.any(lower > pose - reach) or np.any(upper < pose + reach):  # or it has no effect
            flat.update(joint_lower=lower, joint_upper=upper, clip_targets='true')
    return flat


def _observations(it: _Deploy, path: Path) -> Dict[str, Any]:
    n, flags, terms = len(it.joint_ids_map), {'use_gym_history': False, 'scale_first': False}, {}
    for name, value in it.observations.items():
        key = f'observations.{name}'
        if name in flags:
            flags[name] = config.read_value(bool, value, path, key)
        elif name in TERMS:
            terms[name] = config.from_mapping(_Term, value, path, key)
        else:
            raise ConfigError(path, key, f'is an unknown term; expected {sorted(TERMS)}, which '
                              "Unitree's runtime registers")
    flat: Dict[str, Any] = {}
    scales: List[Tuple[float, ...]] = []
    clips: List[float] = []
    for name, term in terms.items():
        key, params = f'observations.{name}', term.params or _Params()
        size = TERMS[name][1] or n
        if term.scale is not None:
            _check_size(path, f'{key}.scale', term.scale, size)
        scales.append(term.scale or (1.0,) * size)
        clips.append(_clip(path, f'{key}.clip', term.clip))
        if term.clip is not None and flags['scale_first']:
            raise ConfigError(path, f'{key}.clip', 'found a clip after the scale (scale_first), '
                              'expected one before it, or null')
        _check_joints(path, f'{key}.params.asset_cfg.joint_ids',
                      (params.asset_cfg or {}).get('joint_ids'), n)
        if TERMS[name][0] == 'gait_clock':
            if 'gait_period' in flat:
                raise ConfigError(path, key, 'is a second clock, expected one of gait_phase and '
                                  'gait_phase_my')
            if params.period is None:
                raise ConfigError(path, f'{key}.params.period', 'is missing, expected the '
                                  'duration of a stride [s]')
            flat.update(gait_period=params.period, gait_moving_threshold=ALWAYS)
            if name == 'gait_phase_my':
                flat.update(gait_moving_threshold=MY_THRESHOLD, gait_at_rest='running')
    history = sorted({term.history_length for term in terms.values()})
    if len(history) != 1:
        raise ConfigError(path, 'observations', f'found terms with history_length {history}, '
                          'expected one term or more, and the same history_length of each')
    is_uniform = all(len(set(scale)) == 1 for scale in scales)
    return {**flat, 'observation_names': [TERMS[name][0] for name in terms],
            'observation_scales': [number for scale in scales
                                   for number in (scale[:1] if is_uniform else scale)],
            'observation_clips': clips,
            'observation_history': history[0],
            'observation_history_order': 'frame' if flags['use_gym_history'] else 'term'}


def _check_size(path: Path, key: str, values: Tuple[Any, ...], size: int) -> None:
    if len(values) != size:
        raise ConfigError(path, key, f'found {len(values)} values, expected {size}')
    if np.any(np.isnan(values)):
        raise ConfigError(path, key, f'found {show(list(values), 200)}, expected numbers')


def _check_joints(path: Path, key: str, ids: Any, n: int) -> None:
    if ids not in EVERY_JOINT and ids != list(range(n)):
        raise ConfigError(path, key, f'found {show(ids)}, expected null: all {n} joints of '
                          'joint_ids_map')


def _clip(path: Path, key: str, clip: Optional[Tuple[float, float]]) -> float:
    if clip is None:
        return float('inf')
    if not 0.0 < clip[1] == -clip[0]:
        raise ConfigError(path, key, f'found {list(clip)}, expected [-x, x], or null')
    return clip[1]
