# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads the YAML of FALCON's runtime, in ``config/ROBOT`` beside the folder ``models``.

Its code (``sim2real/rl_policy``: ``base_policy.py``, ``dec_loco/dec_loco.py`` and
``loco_manip/loco_manip.py``) sorts the terms by name, clips targets to the motors' limits, and
takes values by index: the joints are those of the motors in order, whatever ``dof_names`` calls
them. ``dec_loco`` moves the lower body only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.policy.adoption.foreign import (
    ForeignPolicy,
    Source,
    mentions,
    read_some,
)
from humanoid_locomotion.core.policy.standalone.fields import motors_of
from humanoid_locomotion.core.reading.parsing import show
from humanoid_locomotion.core.robot import RobotSpec

INPUT, MARK = 'actor_obs', 'dof_names_lower_body'
TERMS = {
    'actions': 'previous_action', 'base_ang_vel': 'base_angular_velocity',
    'command_ang_vel': 'yaw_rate_command', 'command_base_height': 'base_height_command',
    'command_lin_vel': 'linear_velocity_command', 'command_stand': 'walk_command',
    'command_waist_dofs': 'waist_command', 'cos_phase': 'phase_cosine',
    'dof_pos': 'joint_positions_from_default', 'dof_vel': 'joint_velocities',
    'projected_gravity': 'projected_gravity', 'ref_upper_dof_pos': 'arm_reference',
    'sin_phase': 'phase_sine'}
# In its code and its training: action scale [rad], control period [s], range of each velocity
# command [m/s, m/s, rad/s], and of the height below DESIRED_BASE_HEIGHT [m].
ACTION_SCALE, CONTROL_PERIOD, MAX_COMMAND, HEIGHT_RANGE = 0.25, 0.02, 1.0, 0.25


@dataclass(frozen=True)
class _Runtime:
    ROBOT_TYPE: str
    dof_names: Tuple[str, ...]
    dof_names_lower_body: Tuple[str, ...]
    JOINT_KP: Tuple[float, ...]
    JOINT_KD: Tuple[float, ...]
    DEFAULT_DOF_ANGLES: Tuple[float, ...]
    obs_dict: Dict[str, Tuple[str, ...]]
    obs_dims: Dict[str, int]
    obs_scales: Dict[str, float]
    history_length_dict: Dict[str, int]
    GAIT_PERIOD: Optional[float] = None
    DESIRED_BASE_HEIGHT: Optional[float] = None


def read(found: ForeignPolicy, robot: RobotSpec) -> Optional[Source]:
    """Return the flat keys of the YAML whose observation has the length of a policy's.

    Returns:
        None if there is no such file, in ``../../config`` or beside the policy.

    Raises:
        ConfigError: A file is not valid, or has a term that a contract cannot have.
    """
    if found.input_name != INPUT:
        return None
    folder = found.path.parent
    fitting: List[Tuple[Path, _Runtime]] = []
    for path in [*sorted(folder.glob('*.yaml')),
                 *sorted((folder.parent.parent / 'config').glob('*/*.yaml'))]:
        if not mentions(path, MARK):
            continue
        it = read_some(_Runtime, path)
        if it.ROBOT_TYPE.partition('_')[0] != robot.name.rpartition('_')[2]:
            continue
        length = sum(size for _, size in _sizes(it, path)) * it.history_length_dict.get(INPUT, 0)
        actions = found.network.num_actions
        if length == found.network.obs_size and actions in (
                len(it.dof_names), len(it.dof_names_lower_body)):
            fitting.append((path, it))
    if not fitting:
        return None
    if len(fitting) > 1:
        raise ConfigError(fitting[1][0], 'obs_dict', f'fits {found.path.name}, and so does '
                          f'{fitting[0][0]}; expected one such file')
    path, it = fitting[0]
    return path, _flat(it, path, robot, found.network.num_actions == len(it.dof_names))


def _sizes(it: _Runtime, path: object) -> Iterator[Tuple[str, int]]:
    """Yield the terms in their order, with their lengths."""
    if INPUT not in it.obs_dict:
        raise ConfigError(path, 'obs_dict', f'missing keys {[INPUT]}, the terms of the network')
    for name in sorted(it.obs_dict[INPUT]):
        for key, sizes in (('obs_dims', it.obs_dims), ('obs_scales', it.obs_scales)):
            if name not in sizes:
                raise ConfigError(path, key, f'missing keys {show([name])}, a term of obs_dict')
        yield name, it.obs_dims[name]


def _flat(it: _Runtime, path: object, robot: RobotSpec, moves_all: bool) -> Dict[str, Any]:
    motors = motors_of(robot.name, robot.joint_names)
    n, names = len(it.dof_names), it.dof_names
    if n != len(motors) or None in motors:
        raise ConfigError(path, 'dof_names', f'found {n} joints, expected the {len(motors)} of '
                          f'robot {robot.name!r}, in the order of its motors')
    for key in ('JOINT_KP', 'JOINT_KD', 'DEFAULT_DOF_ANGLES'):
        if len(getattr(it, key)) != n:
            raise ConfigError(path, key, f'found {len(getattr(it, key))} values, expected {n}')
    unknown = [name for name in it.dof_names_lower_body if name not in names]
    if unknown:
        raise ConfigError(path, 'dof_names_lower_body', f'found {show(unknown)}, expected names '
                          'of dof_names')
    terms = [name for name, _ in _sizes(it, path)]
    unknown = [name for name in terms if name not in TERMS]
    if unknown:
        raise ConfigError(path, 'obs_dict', f'found the unknown terms {show(unknown)}; expected '
                          f'{sorted(TERMS)}')
    flat: Dict[str, Any] = {}
    axes = {'lin_vel_x': (-MAX_COMMAND, MAX_COMMAND, 0.0),
            'lin_vel_y': (-MAX_COMMAND, MAX_COMMAND, 0.0),
            'ang_vel_z': (-MAX_COMMAND, MAX_COMMAND, 0.0)}
    for needs, key in (({'sin_phase', 'cos_phase'}, 'GAIT_PERIOD'),
                       ({'command_base_height'}, 'DESIRED_BASE_HEIGHT')):
        if needs & set(terms) and getattr(it, key) is None:
            raise ConfigError(path, '', f'missing keys {[key]}, for the terms {sorted(needs)}')
    if {'sin_phase', 'cos_phase'} & set(terms):
        flat.update(gait_period=it.GAIT_PERIOD, gait_moving_threshold=0.0,
                    gait_at_rest='stride_start')
    if 'command_base_height' in terms:
        height = it.DESIRED_BASE_HEIGHT or 0.0
        axes['base_height'] = (height - HEIGHT_RANGE, height, height)
    if not moves_all:
        flat['commanded_joints'] = [
            motors[names.index(name)] for name in it.dof_names_lower_body]
    for i, key in enumerate(('command_lower', 'command_upper', 'command_rest')):
        flat[key] = [values[i] for values in axes.values()]
    return {
        'joint_names': list(motors), 'joint_stiffness': list(it.JOINT_KP),
        'joint_damping': list(it.JOINT_KD), 'default_joint_pos': list(it.DEFAULT_DOF_ANGLES),
        'action_scale': ACTION_SCALE, 'control_period': CONTROL_PERIOD, 'clip_targets': 'true',
        'observation_names': [TERMS[name] for name in terms],
        'observation_scales': [it.obs_scales[name] for name in terms],
        'observation_history': it.history_length_dict[INPUT],
        'observation_history_order': 'frame', 'observation_layout': 'falcon',
        'command_names': list(axes), **flat}
