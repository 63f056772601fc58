# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Dead reckoning: integrates the leg odometry's velocity; foot slip is not corrected."""

from __future__ import annotations

import math

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.feedback.leg_odometry import LegOdometry
from humanoid_locomotion.core.state import RobotState

MAX_GAP = 0.1  # [s] between two steps; over a longer one the velocity is not known


class DeadReckoning:
    """Integrates the velocity of one robot.

    Args:
        odometry: Measures the velocity.

    Attributes:
        position: (3,) [m]; forward and left from the start, in the frame of the IMU's
            orientation, and the height of the base above the lower sole.
        velocity: (3,) [m/s] of the base, in the base frame; parallel to the floor.
        walked: Length of the path so far [m].
        gaps: Number of steps that came too late to integrate the velocity in between.
    """

    def __init__(self, odometry: LegOdometry):
        self._odometry, self._last = odometry, math.nan
        self.position, self.velocity = np.zeros(3), np.zeros(3)
        self.walked, self.gaps = 0.0, 0

    def step(self, state: RobotState, time: float) -> None:
        """Integrate from the last step to ``time`` [s] with the velocity of a one-row state."""
        period, self._last = time - self._last, time
        orientation = state.base_orientation[0].astype(np.float64)
        heading = rotations.yaw_quaternion(rotations.yaw(orientation))
        seen = self._odometry.measure(state)
        over_floor = rotations.rotate(heading, np.append(seen.velocity[0], 0.0))
        self.velocity = rotations.rotate_inverse(orientation, over_floor)
        self.position[2] = seen.height[0]
        if 0.0 < period <= MAX_GAP:
            self.position += period * over_floor
            self.walked += period * float(np.linalg.norm(over_floor))
        elif not math.isnan(period):
            self.gaps += 1
