# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Dimensions of a robot in its default pose, from its description and MJCF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict

import numpy as np

from humanoid_locomotion.core.feedback.kinematics import default_pose
from humanoid_locomotion.core.robot import GRAVITY, RobotSpec

ANKLE = 0.3  # joints of a leg below this share of its length belong to the ankle


@dataclass(frozen=True)
class RobotSize:
    """Dimensions of a robot in its default pose.

    Attributes:
        mass: Of all links [kg].
        base_height: Of the base above the floor [m].
        leg_length: From the highest joint of one leg alone down to the soles [m].
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
        ConfigError: As :func:`humanoid_locomotion.core.feedback.kinematics.default_pose`.
    """
    lines, sites = default_pose(robot)
    left, right = (sites[name] for name in robot.soles)
    own = robot.leg_joints - robot.trunk_joints
    top = max(lines[name].anchor[2] for name in own & lines.keys())
    length = float(top - 0.5 * (left[2] + right[2]))
    legs = [i for i, name in enumerate(robot.joint_names) if name in own]
    effort, kp = robot.values('effort')[legs], robot.values('kp')[legs]
    return RobotSize(
        mass=robot.mass, base_height=robot.base_height, leg_length=length,
        feet_distance=float(left[1] - right[1]), torque_angle=float(np.median(effort / kp)),
        weight_angle=GRAVITY * robot.mass * length / float(np.median(kp)))


def joint_roles(robot: RobotSpec) -> Dict[str, str]:
    """Return the role of every joint in the default pose.

    ``hip_roll``, ``hip_yaw`` and ``leg_pitch`` (hip pitch and knee) by the axis of a leg joint,
    ``ankle`` for one near the sole, ``trunk`` between the legs and the trunk, else ``arm``.
    """
    lines, sites = default_pose(robot)
    ankle = (0.5 * sum(sites[name][2] for name in robot.soles)
             + ANKLE * robot_size(robot).leg_length)

    def role(name: str) -> str:
        if name in robot.trunk_joints:
            return 'trunk'
        if name not in robot.leg_joints:
            return 'arm'
        axis, anchor = lines[name]
        return 'ankle' if anchor[2] < ankle else (
            'hip_roll', 'leg_pitch', 'hip_yaw')[int(np.abs(axis).argmax())]

    return {name: role(name) for name in robot.joint_names}
