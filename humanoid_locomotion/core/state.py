# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Input and output of a controller: robot state and joint targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from humanoid_locomotion.core.arrays import Array


@dataclass(frozen=True)
class RobotState:
    """The measurable state of a robot; without quantities that only a simulator has.

    Attributes:
        joint_positions: (num_envs, num_joints) [rad], in the order of the contract.
        joint_velocities: (num_envs, num_joints) [rad/s].
        base_orientation: (num_envs, 4), xyzw, base to world.
        base_angular_velocity: (num_envs, 3) [rad/s], in the base frame.
        base_position: (num_envs, 3) [m], in the odometry frame; None without odometry.
        base_linear_velocity: (num_envs, 3) [m/s], in the base frame; None without odometry.
    """

    joint_positions: Array
    joint_velocities: Array
    base_orientation: Array
    base_angular_velocity: Array
    base_position: Optional[Array] = None
    base_linear_velocity: Optional[Array] = None


@dataclass(frozen=True)
class JointTargets:
    """Target positions of the joints' PD controllers.

    Attributes:
        positions: (num_envs, num_joints) [rad], in the order of the contract.
    """

    positions: Array


# A robot has fallen below this share of its height in the default pose, or beyond this tilt [rad].
FALL_HEIGHT, FALL_TILT = 0.55, 0.8


def is_down(height: Array, tilt: Array, min_height: Array, max_tilt: float) -> Array:
    """Tell which robots have fallen: base too low, tilted too far, or not a number.

    Args:
        height: (...) of the base above the ground [m].
        tilt: (...) of the base [rad].
        min_height: Lowest height of an upright robot [m], one or (...).
        max_tilt: Largest tilt of an upright robot [rad].
    """
    return ~((height >= min_height) & (tilt <= max_tilt))
