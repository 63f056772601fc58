# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The conventions of other stacks that the standalone policy follows.

The observation has the terms of mjlab's velocity task, in its order; the metadata have its keys;
``deploy.yaml`` is the file that Unitree's runtime reads (unitree_rl_lab, unitree_rl_mjlab).
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.arrays import Array, concatenate, float32
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.policy.onnx_metadata import to_flat
from humanoid_locomotion.core.state import RobotState

# mjlab's name of each observed quantity, and Unitree's.
FIELDS = {'base_ang_vel': 'base_ang_vel', 'projected_gravity': 'projected_gravity',
          'command': 'velocity_commands', 'joint_pos': 'joint_pos_rel',
          'joint_vel': 'joint_vel_rel', 'actions': 'last_action'}
# The terms of :mod:`core.terms` that can be computed from these.
COVERED = {'base_angular_velocity', 'projected_gravity', 'velocity_command', 'joint_positions',
           'joint_positions_from_default', 'joint_velocities', 'previous_action', 'gait_clock',
           'leg_phase_sines', 'leg_phase_cosines', 'linear_velocity_command', 'yaw_rate_command',
           'phase_sine', 'phase_cosine', 'walk_command', 'waist_command', 'base_height_command',
           'arm_reference'}
# Keys of :func:`to_flat` that say what the standalone policy does not contain.
KEYS = ('joint_names', 'joint_stiffness', 'joint_damping', 'default_joint_pos', 'joint_effort',
        'control_period', 'command_lower', 'command_upper', 'robot', 'model_hash', 'run_path')
# Motors in the order of Unitree's SDK; None where it has an unused place. The G1's SDK has the
# order of the contract, and robots of others are given in the order of the contract, too.
MOTORS: Dict[str, Tuple[Optional[str], ...]] = {'unitree_h1': (
    'right_hip_roll_joint', 'right_hip_pitch_joint', 'right_knee_joint', 'left_hip_roll_joint',
    'left_hip_pitch_joint', 'left_knee_joint', 'torso_joint', 'left_hip_yaw_joint',
    'right_hip_yaw_joint', None, 'left_ankle_joint', 'right_ankle_joint',
    'right_shoulder_pitch_joint', 'right_shoulder_roll_joint', 'right_shoulder_yaw_joint',
    'right_elbow_joint', 'left_shoulder_pitch_joint', 'left_shoulder_roll_joint',
    'left_shoulder_yaw_joint', 'left_elbow_joint')}


def are_enough(contract: PolicyContract) -> bool:
    """Return whether the fields give all that a contract observes, and actions its targets."""
    return ({term.name for term in contract.observation.terms} <= COVERED
            and bool(np.all(scale(contract) != 0.0)))


def sizes(contract: PolicyContract) -> Dict[str, int]:
    """Return the number of values of each field, in order."""
    n = len(contract.joints)
    return dict(zip(FIELDS, (3, 3, contract.command_limits.size, n, n, contract.num_actions)))


def split(contract: PolicyContract, obs: Array) -> Dict[str, Array]:
    """Return the fields of an observation (num_envs, size)."""
    ends = np.cumsum([0, *sizes(contract).values()])
    return {name: obs[:, start:stop] for name, start, stop in zip(FIELDS, ends, ends[1:])}


def join(contract: PolicyContract, state: RobotState, command: Array, actions: Array) -> Array:
    """Return the observation (num_envs, size) of a state, a command and the last actions."""
    return concatenate((
        state.base_angular_velocity, rotations.projected_gravity(state.base_orientation), command,
        float32(state.joint_positions - default(contract)), state.joint_velocities, actions))


def default(contract: PolicyContract) -> np.ndarray:
    """Return the joint targets of an action of zeros [rad]."""
    return contract.values('default')


def scale(contract: PolicyContract) -> np.ndarray:
    """Return the change of the commanded joints' targets for an action of one [rad]."""
    if contract.action_mode == 'default_offset':
        scales = contract.values('action_scale')
    else:
        scales = 0.5 * (contract.values('upper') - contract.values('lower'))
    return np.asarray(scales[contract.commanded_places])


def offset(contract: PolicyContract) -> np.ndarray:
    """Return the commanded joints' targets of an action of zeros [rad]."""
    return np.asarray(default(contract)[contract.commanded_places])


def commanded(contract: PolicyContract, targets: Array) -> Array:
    """Return the commanded joints of joint targets (num_envs, num_joints)."""
    return targets if contract.commanded is None else targets[:, contract.commanded_places]


def metadata(contract: PolicyContract, run_path: str) -> Dict[str, str]:
    """Return mjlab's metadata of the standalone policy, and further keys of the same form."""
    flat, limits = to_flat(contract, run_path), contract.command_limits
    return {**{key: flat[key] for key in (*KEYS, 'commanded_joints') if key in flat},
            'action_scale': ','.join(map(repr, scale(contract).tolist())),
            'observation_names': ','.join(FIELDS),
            'command_names': ','.join(limits.names if limits.further else ('twist',))}


def motors_of(robot: str, joints: Sequence[str]) -> Tuple[Optional[str], ...]:
    """Return the joints of a robot in the order of Unitree's SDK, None for an unused place."""
    motors = MOTORS.get(robot, tuple(joints))
    return tuple(joints) if set(joints) - set(motors) else motors


def deploy_yaml(contract: PolicyContract) -> Dict[str, Any]:
    """Return the content of Unitree's ``deploy.yaml``.

    Gains are in the order of the SDK's motors, all other values in that of the actions.
    """
    names, limits = contract.joint_names, contract.command_limits
    motors = motors_of(contract.robot, names)

    def of_motors(key: str) -> List[float]:
        values = dict(zip(names, contract.values(key).tolist()))
        return [values.get(str(name), 0.0) for name in motors]

    return {
        'joint_ids_map': [motors.index(name) for name in names],
        'step_dt': contract.control_period,
        'stiffness': of_motors('kp'), 'damping': of_motors('kd'),
        'default_joint_pos': default(contract).tolist(),
        'commands': {'base_velocity': {'ranges': {
            **{it.axis.name: [it.lower, it.upper] for it in limits.ranges}, 'heading': None}}},
        'actions': {'JointPositionAction': {
            'clip': None, 'joint_names': contract.commanded_joints,
            'offset': offset(contract).tolist(), 'scale': scale(contract).tolist(),
            'joint_ids': None if contract.commanded is None else contract.commanded_places}},
        'observations': {
            FIELDS[name]: {'params': {}, 'clip': None, 'scale': [1.0] * size, 'history_length': 1}
            for name, size in sizes(contract).items()}}
