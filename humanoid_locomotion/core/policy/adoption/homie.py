# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads the leg policy of HOMIE for the Unitree G1, whose file says nothing about its use.

It is known by its tensors: a velocity estimator over six frames, and an actor. The values are
those of its runtime (``HomieDeploy/g1_gym_deploy/envs/lcm_agent.py`` for the observation,
``unitree_sdk2/g1_control.cpp`` for the gains) and, for the range of the commands, of its training
(``g1_29dof_config.py``). The runtime neither observes nor moves the roll and pitch of the waist.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from humanoid_locomotion.core.policy.adoption.foreign import ForeignPolicy, Source
from humanoid_locomotion.core.robot import RobotSpec

ROBOT = 'unitree_g1'
TENSORS = {'estimator.0.weight': (256, 456), 'estimator.4.weight': (35, 256),
           'actor.0.weight': (512, 111), 'actor.6.weight': (12, 256)}
LEG, ARM = ('hip_pitch', 'hip_roll', 'hip_yaw', 'knee', 'ankle_pitch', 'ankle_roll'), (
    'shoulder_pitch', 'shoulder_roll', 'shoulder_yaw', 'elbow', 'wrist_roll', 'wrist_pitch',
    'wrist_yaw')
WAIST = ('waist_yaw', 'waist_roll', 'waist_pitch')
NOT_OBSERVED = WAIST[1:]
# kp [Nm/rad], kd [Nm s/rad] and default position [rad] of each.
VALUES = {
    'hip_pitch': (150.0, 2.0, -0.1), 'hip_roll': (150.0, 2.0, 0.0), 'hip_yaw': (150.0, 2.0, 0.0),
    'knee': (300.0, 4.0, 0.3), 'ankle_pitch': (40.0, 2.0, -0.2), 'ankle_roll': (40.0, 2.0, 0.0),
    **dict.fromkeys(WAIST, (300.0, 5.0, 0.0)),
    **dict.fromkeys(ARM[:3], (150.0, 4.0, 0.0)), 'elbow': (100.0, 1.0, 0.0),
    'wrist_roll': (10.0, 0.5, 0.0), 'wrist_pitch': (10.0, 0.5, 0.0), 'wrist_yaw': (5.0, 0.5, 0.0)}
# Lowest, highest and usual command of each axis [m/s, m/s, rad/s, m].
COMMANDS = {'lin_vel_x': (-0.8, 1.2, 0.0), 'lin_vel_y': (-0.5, 0.5, 0.0),
            'ang_vel_z': (-0.8, 0.8, 0.0), 'base_height': (0.24, 0.74, 0.74)}
COMMAND_SCALES = [2.0, 2.0, 0.25, 1.0]


def read(found: ForeignPolicy, robot: RobotSpec) -> Optional[Source]:
    """Return the flat keys of a policy of HOMIE; None for another network or robot."""
    shapes = {it.name: tuple(it.dims) for it in found.network.model.graph.initializer}
    if robot.name != ROBOT or any(shapes.get(key) != it for key, it in TENSORS.items()):
        return None
    legs = [f'{side}_{joint}' for side in ('left', 'right') for joint in LEG]
    joints = [*legs, *WAIST, *(f'{side}_{joint}' for side in ('left', 'right') for joint in ARM)]
    observed = [f'{name}_joint' for name in joints if name not in NOT_OBSERVED]
    kp, kd, default = zip(*(
        VALUES[name if name in VALUES else name.partition('_')[2]] for name in joints))
    terms: Dict[str, List[float]] = {
        'velocity_command': COMMAND_SCALES, 'base_angular_velocity': [0.5] * 3,
        'projected_gravity': [1.0] * 3, 'joint_positions_from_default': [1.0] * len(observed),
        'joint_velocities': [0.05] * len(observed), 'previous_action': [1.0] * len(legs)}
    flat: Dict[str, Any] = {
        'joint_names': [f'{name}_joint' for name in joints],
        'commanded_joints': [f'{name}_joint' for name in legs], 'observation_joints': observed,
        'joint_stiffness': kp, 'joint_damping': kd, 'default_joint_pos': default,
        'action_scale': 0.25, 'control_period': 0.02,
        'observation_names': list(terms),
        'observation_scales': [scale for scales in terms.values() for scale in scales],
        'observation_history': 6, 'observation_history_order': 'frame',
        'observation_layout': 'homie', 'command_names': list(COMMANDS)}
    for i, key in enumerate(('command_lower', 'command_upper', 'command_rest')):
        flat[key] = [values[i] for values in COMMANDS.values()]
    return 'the runtime of HOMIE', flat
