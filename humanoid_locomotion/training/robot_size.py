# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Dimensions of a robot in its default pose, from its description and MJCF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict

import numpy as np

from humanoid_locomotion.core.feedback.kinematics import joint_lines, leg_spec
from humanoid_locomotion.core.feedback.leg_odometry import LegOdometry
from humanoid_locomotion.core.robot import GRAVITY, RobotSpec
from humanoid_locomotion.core.rotations import IDENTITY
from humanoid_locomotion.core.state import RobotState

ANKLE = 0.2  # joints of a leg below this share of its length belong to the ankle


@dataclass(frozen=True)
class RobotSize:
    """Dimensions of a robot in its default pose.

    Attributes:
        mass: Of all links [kg].
        base_height: Of the base above the floor [m].
        leg_length: From the highest joint of a leg down to its sole, mean of both legs [m].
        feet_distance: Between the soles, sideways [m].
        torque_angle: Median of effort / kp of the leg joints [rad]: the distance from its target
            at which a joint controller reaches the torque limit.
        weight_angle: Weight times leg length over the median of their kp [rad]: how far the
            weight would turn a joint away from its target with a lever of the leg's length.
    """

    mass: float
    base_height: float
    leg_length: float
    feet_distance: float
    torque_angle: float
    weight_angle: float


def robot_size(robot: RobotSpec) -> RobotSize:
    """Return the dimensions of a robot.

    Raises:
        LocomotionError: Its MJCF cannot be read, see :mod:`core.feedback.kinematics`.
    """
    lines, soles = joint_lines(robot), _soles(robot)
    tops = [max(lines[name].anchor[2] for name in leg_spec(robot, sole).joints)
            for sole in robot.soles]
    length = float(np.mean(tops - soles[:, 2]))
    legs = [i for i, name in enumerate(robot.joint_names) if name in robot.leg_joints]
    effort, kp = robot.values('effort')[legs], robot.values('kp')[legs]
    return RobotSize(
        mass=robot.mass, base_height=robot.base_height, leg_length=length,
        feet_distance=float(soles[0, 1] - soles[1, 1]),
        torque_angle=float(np.median(effort / kp)),
        weight_angle=GRAVITY * robot.mass * length / float(np.median(kp)))


def joint_roles(robot: RobotSpec) -> Dict[str, str]:
    """Return the role of every joint in the default pose.

    ``hip_roll``, ``hip_yaw`` and ``leg_pitch`` (hip pitch and knee) by the axis of a leg joint,
    ``ankle`` for one near the sole, ``trunk`` between base and trunk, else ``arm``.
    """
    lines, size = joint_lines(robot), robot_size(robot)
    floor = float(_soles(robot)[:, 2].mean())

    def role(name: str) -> str:
        if name in robot.leg_joints:
            axis, anchor = lines[name]
            if anchor[2] - floor < ANKLE * size.leg_length:
                return 'ankle'
            return ('hip_roll', 'leg_pitch', 'hip_yaw')[int(np.abs(axis).argmax())]
        return 'trunk' if name in robot.trunk_joints else 'arm'

    return {name: role(name) for name in robot.joint_names}


def _soles(robot: RobotSpec) -> np.ndarray:
    """Return the soles in the default pose, (2, 3) in the base frame [m]."""
    pose = robot.values('default')[None]
    state = RobotState(joint_positions=pose, joint_velocities=np.zeros_like(pose),
                       base_orientation=IDENTITY[None], base_angular_velocity=np.zeros((1, 3)))
    legs = [leg_spec(robot, sole) for sole in robot.soles]
    soles: np.ndarray = LegOdometry(legs, robot.joint_names).soles(state)[0][0]
    return soles
