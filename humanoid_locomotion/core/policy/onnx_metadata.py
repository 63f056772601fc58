# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Flat ONNX metadata of a policy: one string per key, numbers joined by commas.

mjlab and Isaac Lab's exporters write ``joint_names``, ``joint_stiffness``, ``joint_damping``,
``default_joint_pos``, ``action_scale``, ``observation_names``, ``command_names`` and ``run_path``.
These do not fully describe how to run a policy; the keys added here complete them, so that a
contract can be written to and read from flat keys alone.
"""

from __future__ import annotations

from dataclasses import astuple
from typing import Any, Dict, List, Sequence

from humanoid_locomotion.core.command import AT_REST, COMMAND_AXES, VELOCITY_NAMES
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.feedback.leg_odometry import LegSpec
from humanoid_locomotion.core.observation import ObservationBuilder
from humanoid_locomotion.core.terms import TERMS

# mjlab's names of the observation terms. Its joint positions are relative to the default pose.
TERM_NAMES = {
    **{name: name for name in TERMS},
    'base_lin_vel': 'base_linear_velocity',
    'base_ang_vel': 'base_angular_velocity',
    'velocity_commands': 'velocity_command',
    'command': 'velocity_command',
    'joint_pos': 'joint_positions_from_default',
    'joint_pos_rel': 'joint_positions_from_default',
    'joint_vel': 'joint_velocities',
    'joint_vel_rel': 'joint_velocities',
    'actions': 'previous_action',
    'last_action': 'previous_action',
    'gait_phase': 'gait_clock',
    'phase': 'gait_clock',
}
# Names of a velocity command that is one command of three numbers.
VELOCITY_COMMANDS = ('twist', 'base_velocity')

JOINT_VALUES = {
    'joint_stiffness': 'kp', 'joint_damping': 'kd', 'default_joint_pos': 'default',
    'action_scale': 'action_scale', 'joint_lower': 'lower', 'joint_upper': 'upper',
    'joint_effort': 'effort'}

CLOCKS = {'gait_clock', 'leg_phase_sines', 'leg_phase_cosines', 'phase_sine',
          'phase_cosine'}  # terms that need a gait

# Groups of keys of which all or none must be present.
GAIT = ('gait_period', 'gait_moving_threshold')
YAW_RATE = ('yaw_rate_integral_gain', 'yaw_rate_integral_limit')
LINEAR = ('linear_velocity_loop_gain', 'linear_velocity_loop_limit',
          'linear_velocity_loop_damping', 'linear_velocity_loop_stiffness')
LEGS = ('leg_joint_names', 'leg_joint_axes', 'leg_joint_origins', 'sole_positions')

# Every key, and its expected value.
KEYS = {
    'joint_names': 'the controlled joints, in the order of targets',
    'commanded_joints': 'the joints that actions move, in order; the others are held',
    'joint_stiffness': 'kp of each joint [Nm/rad]',
    'joint_damping': 'kd of each joint [Nm s/rad]',
    'default_joint_pos': 'the default pose [rad]',
    'action_scale': 'target change for an action of one [rad], one number or one per joint',
    'joint_lower': 'lowest target of each joint [rad]',
    'joint_upper': 'highest target of each joint [rad]',
    'joint_effort': 'largest torque of each joint [Nm]',
    'action_mode': 'default_offset or joint_range',
    'control_period': 'time between two control steps [s]',
    'observation_names': 'the terms, in order',
    'observation_scales': 'factor on each term: one number, one per term, or one per number of a '
                          'frame',
    'observation_clips': 'largest magnitude of each term before scaling, inf for none',
    'observation_history': 'number of control steps that are joined, oldest first',
    'observation_history_order':
        'frame if whole control steps are joined, term if the history of each term is (option '
        '--history-order)',
    'observation_layout': 'name of the layout, for information',
    'observation_joints': 'the joints whose position and velocity are observed',
    'command_names':
        f'{", ".join(VELOCITY_NAMES)}, then further axes of {", ".join(COMMAND_AXES)} by name; or '
        f'one of {", ".join(VELOCITY_COMMANDS)} for the first three',
    'command_lower': 'lowest command of each axis: forward, left [m/s], turning [rad/s], further',
    'command_upper': 'highest command of each axis, in the same order',
    'command_rest': 'command of each axis at rest; 0 for a velocity',
    'gait_period': 'duration of one stride [s]',
    'gait_moving_threshold': 'norm of a command above which the robot walks; below 0, always',
    'gait_at_rest': f'the clock while standing: '
                    f'{", ".join(sorted(filter(None, AT_REST)))}; absent if it pauses and its '
                    'numbers are zeros',
    'clip_targets': 'true if targets are clipped to joint_lower and joint_upper, or false',
    'yaw_rate_integral_gain': "change of the turning command for the turning rate's error [1/s]",
    'yaw_rate_integral_limit': 'largest correction of the turning command [rad/s]',
    'linear_velocity_loop_gain':
        'change of the linear command for an error of the velocity that the legs measure [1/s]',
    'linear_velocity_loop_limit': 'largest correction, forward or left [m/s]',
    'linear_velocity_loop_damping': 'share of the base velocity that is fed back while standing',
    'linear_velocity_loop_stiffness':
        'change of the command in standing for the way that the base moved over its feet [1/s]',
    'leg_joint_names': 'the joints from hip to foot, left leg first, the same number in each',
    'leg_joint_axes': 'x, y, z of the axis of each, at zero positions in the base frame',
    'leg_joint_origins': 'x, y, z of a point on each axis, in the base frame [m]',
    'sole_positions': 'x, y, z of the middle of each sole, left first, in the base frame [m]',
    'robot': 'name of the robot',
    'model_hash': 'version of the robot description of the training',
    'run_path': 'origin of the policy',
}


def to_flat(contract: PolicyContract, run_path: str) -> Dict[str, str]:
    """Return the flat keys of a contract, every number in full precision."""
    terms, limits = contract.observation.terms, contract.command_limits
    scales: List[float] = []
    for term, place in zip(terms, ObservationBuilder(contract).slices):
        scales += (term.scale if isinstance(term.scale, tuple) else
                   [term.scale] * (place.stop - place.start))
    if not any(isinstance(term.scale, tuple) for term in terms):
        scales = [term.scale for term in terms]  # type: ignore[misc]
    flat: Dict[str, Sequence[Any]] = {
        'joint_names': contract.joint_names,
        **{key: contract.values(name).tolist() for key, name in JOINT_VALUES.items()},
        'action_mode': [contract.action_mode],
        'control_period': [contract.control_period],
        'observation_names': [term.name for term in terms],
        'observation_scales': scales,
        'observation_clips': [float('inf') if term.clip is None else term.clip for term in terms],
        'observation_history': [contract.observation.history],
        'observation_layout': [contract.observation.layout],
        'clip_targets': ['true' if contract.clips_targets else 'false'],
        'observation_joints': contract.observed_joints,
        'command_names': limits.names,
        'command_lower': limits.lower,
        'command_upper': limits.upper,
        'robot': [contract.robot],
        'model_hash': [contract.model_hash],
        'run_path': [run_path],
    }
    if contract.observation.history > 1:
        flat['observation_history_order'] = [contract.observation.history_order or 'frame']
    if contract.commanded is not None:
        flat['commanded_joints'] = contract.commanded
    if limits.further:
        flat['command_rest'] = limits.rest
    if contract.gait is not None:
        flat['gait_period'] = [contract.gait.period]
        flat['gait_moving_threshold'] = [contract.gait.moving_threshold]
        if contract.gait.at_rest is not None:
            flat['gait_at_rest'] = [contract.gait.at_rest]
    for keys, loop in ((YAW_RATE, contract.yaw_rate_integral),
                       (LINEAR, contract.linear_velocity_loop)):
        if loop is not None:
            flat.update(zip(keys, ([figure] for figure in astuple(loop))))
    if contract.legs is not None:
        flat.update(legs_to_flat(contract.legs))
    return {key: ','.join(repr(value) if isinstance(value, float) else str(value)
                          for value in values) for key, values in flat.items()}


def legs_to_flat(legs: Sequence[LegSpec]) -> Dict[str, Sequence[Any]]:
    """Return the flat keys of two legs."""
    return {'leg_joint_names': [name for leg in legs for name in leg.joints],
            'leg_joint_axes': [it for leg in legs for axis in leg.axes for it in axis],
            'leg_joint_origins': [it for leg in legs for point in leg.origins for it in point],
            'sole_positions': [it for leg in legs for it in leg.sole]}
