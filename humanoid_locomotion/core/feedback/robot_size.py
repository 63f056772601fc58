# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Dimensions of a robot in its default pose, and the scale of the scorecard that follows."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Dict, Tuple

import numpy as np

from humanoid_locomotion.core.command import VELOCITY_AXES
from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.feedback.kinematics import default_pose
from humanoid_locomotion.core.robot import GRAVITY, RobotSpec

ANKLE = 0.3  # joints of a leg below this share of its length belong to the ankle
# The shortest legs [m] and the lowest mass [kg] for which the values of the scorecard were chosen,
# rounded. For a robot below either, they are scaled.
REFERENCE_LEG, REFERENCE_MASS = 0.55, 30.0


@dataclass(frozen=True)
class Scale:
    """Factors that adapt the values of the scorecard to a smaller robot.

    Two robots walk alike at equal Froude numbers, v^2 / (g l): speeds go with the square root of
    the leg length, turning rates with its inverse. Durations, angles, forces in body weights,
    friction, delays and sensor noise do not change.

    Attributes:
        speed: Factor of speeds; its inverse is that of turning rates, its square that of lengths.
        mass: Factor of masses.
    """

    speed: float = 1.0
    mass: float = 1.0

    def __post_init__(self) -> None:
        for key, value in (('speed', self.speed), ('mass', self.mass)):
            if not 0.0 < value <= 1.0:
                raise ValueError(f'{key}: found {value}, expected above 0 and at most 1')

    def __str__(self) -> str:
        """Return the factors for people."""
        return (f'speeds x {self.speed:g}, turning x {1.0 / self.speed:.3g}, '
                f'payload x {self.mass:g}')

    def of(self, value: float, unit: str) -> float:
        """Return a value of the unscaled scorecard, scaled and rounded to three digits.

        Args:
            value: The value.
            unit: Its unit; a value in another one than m, m/s, rad/s and kg is kept.
        """
        factor = {'m': self.speed**2, 'm/s': self.speed, 'rad/s': 1.0 / self.speed,
                  'kg': self.mass}.get(unit, 1.0)
        return value if factor == 1.0 else float(f'{value * factor:.3g}')

    def command(self, command: Tuple[float, float, float]) -> Tuple[float, float, float]:
        """Return a scaled velocity command: forward and left [m/s] and turning left [rad/s]."""
        forward, left, turning = (
            self.of(value, axis.unit) for value, axis in zip(command, VELOCITY_AXES))
        return forward, left, turning


USUAL = Scale()  # of a robot with the legs and the mass of the reference, or more


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

    @property
    def scale(self) -> Scale:
        """The scale of the scorecard for the robot; factors of two digits, never above 1."""
        leg, mass = self.leg_length / REFERENCE_LEG, self.mass / REFERENCE_MASS
        return Scale(*(float(f'{min(1.0, factor):.2g}') for factor in (math.sqrt(leg), mass)))


def robot_size(robot: RobotSpec) -> RobotSize:
    """Return the dimensions of a robot.

    Raises:
        ConfigError: As :func:`humanoid_locomotion.core.feedback.kinematics.default_pose`, or the
            legs do not end below their joints, or the mass is not above 0.
    """
    lines, sites = default_pose(robot)
    left, right = (sites[name] for name in robot.soles)
    own = robot.leg_joints - robot.trunk_joints
    low = 0.5 * (left[2] + right[2])
    length = float(max((lines[name].anchor[2] for name in own & lines.keys()), default=low) - low)
    if not (length > 0.0 and robot.mass > 0.0):
        raise ConfigError(robot.mjcf_path, f'sites {list(robot.soles)}, mass', 'expected soles '
                          'below the joints of the legs in the default pose, and a mass above 0, '
                          f'found legs of {length:.3g} m and {robot.mass:.3g} kg')
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
