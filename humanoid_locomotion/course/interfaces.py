# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The course's observation builder and action mapper, for NumPy arrays and PyTorch tensors.

Training and the robot use :mod:`humanoid_locomotion.core.observation` and
:mod:`humanoid_locomotion.core.action`; a test holds both to the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import replace
from numbers import Integral
from typing import Dict, Mapping, Optional, Sequence, Tuple

import numpy as np

from humanoid_locomotion.core.action import ActionMapper as CoreActionMapper
from humanoid_locomotion.core.action import pd_torque
from humanoid_locomotion.core.arrays import Array, Constant, concatenate, namespace, norm_last
from humanoid_locomotion.core.command import CommandSpec
from humanoid_locomotion.core.contract import ObservationSpec, contract_for
from humanoid_locomotion.core.errors import ConfigError, JointsError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.state import JointTargets
from humanoid_locomotion.core.terms import COMMANDED_JOINTS, LAYOUTS, OBSERVED_JOINTS, TERMS
from humanoid_locomotion.course.values import arrays, short

LAYOUT = LAYOUTS['full_state']
MAX_JOINTS = 1000
UNIT = 0.01  # by which the length of a quaternion may differ from 1
# The parts of an observation: the name of their indices and their key in ``sim_state``.
PARTS = (('ROOT_POS', 'root_position'), ('ROOT_VEL', 'root_velocity'),
         ('ROOT_ORI', 'root_orientation'), ('ROOT_ANG_VEL', 'root_angular_velocity'),
         ('JOINT_POS', 'joint_positions'), ('JOINT_VEL', 'joint_velocities'),
         ('PREV_ACTIONS', 'prev_action'), ('COMMAND', 'command'))


class ObservationBuilder:
    """Builds observations of the layout ``full_state``, whose parts have named indices.

    Args:
        num_joints: Number of observed joints.
        num_actions: Length of an action.

    Attributes:
        total_obs_size: Length of an observation, 93 by default.

    Raises:
        ConfigError: A number is not whole, or out of range.
    """

    ROOT_POS_START, ROOT_POS_END = 0, 3  # x, y, z in the odometry frame [m]
    ROOT_VEL_START, ROOT_VEL_END = 3, 6  # in the base frame [m/s]
    ROOT_ORI_START, ROOT_ORI_END = 6, 10  # x, y, z, w, base to world
    ROOT_ANG_VEL_START, ROOT_ANG_VEL_END = 10, 13  # in the base frame [rad/s]
    JOINT_POS_START, JOINT_POS_END = 13, 32  # [rad]
    JOINT_VEL_START, JOINT_VEL_END = 32, 51  # [rad/s]
    PREV_ACTIONS_START, PREV_ACTIONS_END = 51, 90
    COMMAND_START, COMMAND_END = 90, 93  # forward, left [m/s], turning left [rad/s]

    def __init__(self, num_joints: int = 19, num_actions: int = 39):
        for key, value in (('num_joints', num_joints), ('num_actions', num_actions)):
            if not (isinstance(value, Integral) and 1 <= value <= MAX_JOINTS):
                raise ConfigError('ObservationBuilder', key, f'found {short(value)}, expected a '
                                  f'whole number from 1 to {MAX_JOINTS}')
        self.num_joints, self.num_actions = num_joints, num_actions
        joints = {OBSERVED_JOINTS: num_joints, COMMANDED_JOINTS: num_actions}
        scales, self.total_obs_size = [], 0
        for (name, _), term in zip(PARTS, LAYOUT):
            mirror = TERMS[term.name].mirror
            size = joints.get(mirror, 3) if isinstance(mirror, str) else len(mirror)
            start, stop = self.total_obs_size, self.total_obs_size + size
            for key, value in (('START', start), ('END', stop), ('SIZE', size)):
                setattr(self, f'{name}_{key}', value)
            scales += [term.scale] * size
            self.total_obs_size = stop
        self._scale = Constant(scales)

    def build_observation(self, sim_state: Mapping[str, Array]) -> Array:
        """Return the observation of a state, (..., total_obs_size), not normalized.

        Args:
            sim_state: The parts by the keys in :data:`PARTS`, one robot or a batch.

        Raises:
            ConfigError: A part is absent, has another length, or is not finite, or the
                orientation is no rotation.
        """
        sizes = {key: getattr(self, f'{name}_SIZE') for name, key in PARTS}
        if not isinstance(sim_state, AnyMapping):
            raise ConfigError('build_observation', 'sim_state', f'found {short(sim_state)}, '
                              f'expected a dictionary with the keys {list(sizes)}')
        for key in sizes:
            if key not in sim_state:
                raise ConfigError('build_observation', key, 'is absent; expected the keys '
                                  f'{list(sizes)}')
        parts = arrays('build_observation', {key: sim_state[key] for key in sizes}, sizes)
        turn = parts[list(sizes).index('root_orientation')]
        if bool((abs(norm_last(turn) - 1.0) > UNIT).any()):
            raise ConfigError('build_observation', 'root_orientation', f'found {short(turn)}, '
                              'expected a quaternion x, y, z, w of length 1')
        return concatenate(parts)

    def normalize_observation(self, obs: Array) -> Array:
        """Return an observation as a policy gets it: velocities divided by 5 or 10.

        Args:
            obs: (..., total_obs_size), as :meth:`build_observation` returns it.

        Raises:
            ConfigError: It has another length, or is not finite.
        """
        obs, = arrays('normalize_observation', {'obs': obs}, {'obs': self.total_obs_size})
        return obs * self._scale.like(obs)


class ActionMapper:
    """Maps the outputs of a network to joint positions, and those to torques.

    Args:
        joint_names: Joints of the course's robot, in the order of the outputs; None for its 39.

    Attributes:
        joint_names: The joints.
        num_joints: Number of joints.
        joint_limits: Lower and upper limit of each joint [rad], from ``robot.yaml``.

    Raises:
        ConfigError: The names are no list.
        JointsError: The robot lacks a joint.
    """

    def __init__(self, joint_names: Optional[Sequence[str]] = None):
        if joint_names is not None and np.ndim(joint_names) != 1:
            raise ConfigError('ActionMapper', 'joint_names', f'found {short(joint_names)}, '
                              'expected a list of names')
        robot = load_robot('course')
        joints = {joint.name: joint for joint in robot.joints}
        self.joint_names = list(robot.joint_names if joint_names is None else joint_names)
        missing = [name for name in self.joint_names if name not in joints]
        if missing:
            raise JointsError("ActionMapper: the course's robot", missing, joints)
        contract = contract_for(
            replace(robot, joints=tuple(joints[name] for name in self.joint_names)),
            control_period=1.0 / 60.0, action_mode='joint_range', action_scale=1.0,
            observation=ObservationSpec('full_state', LAYOUT), gait=None,
            command_limits=CommandSpec.of(lin_vel_x=(-1.0, 1.0), lin_vel_y=(-1.0, 1.0),
                                          ang_vel_z=(-1.0, 1.0)))
        self.num_joints = contract.num_actions
        self.joint_limits: Dict[str, Tuple[float, float]] = {
            joint.name: (joint.lower, joint.upper) for joint in contract.joints}
        self._mapper = CoreActionMapper(contract)
        self._effort = Constant(contract.values('effort'))

    def map_to_joint_commands(self, network_output: Array) -> Array:
        """Return joint positions [rad]: -1 is the lower limit, 1 the upper one.

        Args:
            network_output: (..., num_joints); beyond [-1, 1] the limits are returned.

        Raises:
            ConfigError: It has another length, or is not finite.
        """
        output, = arrays('map_to_joint_commands', {'network_output': network_output},
                         {'network_output': self.num_joints})
        return self._mapper.targets(output).positions

    def compute_pd_targets(self, target_positions: Array, current_positions: Array,
                           kp: Array = 100.0, kd: Array = 1.0, *,
                           current_velocities: Array) -> Tuple[Array, Array]:
        """Return the torques of the PD controllers and the target velocities.

        The torque is ``kp (target - position) - kd velocity``, limited to the joint's largest.
        Without the second part, the damping, a joint swings about its target like a mass on a
        spring. The target velocity is zero: a target is a position to hold.

        Args:
            target_positions: (..., num_joints) [rad].
            current_positions: (..., num_joints) [rad].
            kp: Proportional gain [Nm/rad], a number or (num_joints,).
            kd: Derivative gain [Nm s/rad], a number or (num_joints,).
            current_velocities: (..., num_joints) [rad/s].

        Raises:
            ConfigError: An array has another length, a value is not finite, a gain is below 0.
        """
        values = {'target_positions': target_positions, 'current_positions': current_positions,
                  'current_velocities': current_velocities,
                  **{key: gain if np.ndim(gain) else [gain] * self.num_joints
                     for key, gain in (('kp', kp), ('kd', kd))}}
        target, position, velocity, stiffness, damping = arrays(
            'compute_pd_targets', values, dict.fromkeys(values, self.num_joints))
        for key, gain in (('kp', stiffness), ('kd', damping)):
            if bool((gain < 0.0).any()):
                raise ConfigError('compute_pd_targets', key, f'found {short(values[key])}, '
                                  'expected 0 or more')
        torque = pd_torque(JointTargets(target), position, velocity, stiffness, damping,
                           self._effort.like(target))
        return torque, namespace(torque).zeros_like(torque)
