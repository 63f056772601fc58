# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads locomotion policies of holosoma: gains and joints are in the ONNX file's metadata.

The rest is in the configuration of its runtime (``holosoma_inference/config/config_values``:
``observation.py``, ``robot.py`` and ``task.py``; ``policies/locomotion.py`` for the clock), and
given here for each robot. The runtime sorts the terms by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple

from humanoid_locomotion.core.errors import ConfigError, UnknownNameError
from humanoid_locomotion.core.policy.adoption.foreign import ForeignPolicy, Source
from humanoid_locomotion.core.reading import config
from humanoid_locomotion.core.reading.parsing import parse_json
from humanoid_locomotion.core.robot import RobotSpec

KEYS = ('dof_names', 'kp', 'kd', 'command_ranges')
# Its terms in their order, and their scales for the G1 (loco_g1_29dof).
TERMS = {'previous_action': 1.0, 'base_angular_velocity': 0.25, 'yaw_rate_command': 1.0,
         'linear_velocity_command': 1.0, 'leg_phase_cosines': 1.0,
         'joint_positions_from_default': 1.0, 'joint_velocities': 0.05, 'projected_gravity': 1.0,
         'leg_phase_sines': 1.0}
# Default pose by robot (g1_29dof) [rad]; joints that are not named are at zero.
POSES: Dict[str, Dict[str, float]] = {'unitree_g1': {
    **{f'{side}_{joint}_joint': angle for side in ('left', 'right')
       for joint, angle in (('hip_pitch', -0.312), ('knee', 0.669), ('ankle_pitch', -0.363),
                            ('shoulder_pitch', 0.2), ('elbow', 0.6))},
    'left_shoulder_roll_joint': 0.2, 'right_shoulder_roll_joint': -0.2}}
ACTION_SCALE, CONTROL_PERIOD, GAIT_PERIOD = 0.25, 0.02, 1.0  # [rad], [s], [s]
STANDING = 0.01  # norm of a command to stand


@dataclass(frozen=True)
class _Metadata:
    dof_names: Tuple[str, ...]
    kp: Tuple[float, ...]
    kd: Tuple[float, ...]
    command_ranges: Dict[str, Tuple[float, float]]


def read(found: ForeignPolicy, robot: RobotSpec) -> Optional[Source]:
    """Return the flat keys of a policy of holosoma; None if the metadata are of another stack.

    Raises:
        ConfigError: A metadata entry is not valid.
        UnknownNameError: Its runtime has no configuration of this robot.
    """
    metadata = found.network.metadata
    if not {'dof_names', 'kp', 'kd'} & set(metadata):
        return None
    data: Dict[str, Any] = {key: parse_json(metadata[key].encode(), f'{found.path}: {key}')
                            for key in KEYS if key in metadata}
    it = config.from_mapping(_Metadata, data, found.path)
    for key, values in (('kp', it.kp), ('kd', it.kd)):
        if len(values) != len(it.dof_names):
            raise ConfigError(found.path, key, f'found {len(values)} values, expected '
                              f'{len(it.dof_names)}: one for each of dof_names')
    if robot.name not in POSES:
        raise UnknownNameError('robot of a holosoma policy', robot.name, POSES)
    ranges = it.command_ranges
    axes = ('lin_vel_x', 'lin_vel_y', 'ang_vel_yaw')
    missing = [axis for axis in axes if axis not in ranges]
    if missing:
        raise ConfigError(found.path, 'command_ranges', f'missing keys {missing}; it has '
                          f'{sorted(ranges)}')
    pose = POSES[robot.name]
    return found.path, {
        'joint_names': list(it.dof_names), 'joint_stiffness': list(it.kp),
        'joint_damping': list(it.kd),
        'default_joint_pos': [pose.get(name, 0.0) for name in it.dof_names],
        'action_scale': ACTION_SCALE, 'control_period': CONTROL_PERIOD,
        'observation_names': list(TERMS), 'observation_scales': list(TERMS.values()),
        'observation_layout': 'holosoma', 'command_names': 'base_velocity',
        'command_lower': [ranges[axis][0] for axis in axes],
        'command_upper': [ranges[axis][1] for axis in axes],
        'gait_period': GAIT_PERIOD, 'gait_moving_threshold': STANDING,
        'gait_at_rest': 'half_stride'}
