# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Joint-tracking check: compares measured torque with the PD law, averaged over 0.3 s.

A position error alone does not show a fault: a loaded joint differs from its target by its torque
divided by kp. Therefore the measured torque is compared with the PD law; without torque sensors,
the motion against the expected torque is checked. A change of position that the velocity does not
explain shows that an encoder slipped.
"""

from __future__ import annotations

from typing import Optional

import numpy as np

from humanoid_locomotion.core.contract import PolicyContract

MEAN_OVER = 0.3  # [s], the time constant of every mean here
# Largest delay [control periods] from a target to a measurement that shows its effect.
DELAYS = 4
KEPT = 12  # targets; a measurement older than all of them is not checked
MAX_GAP = 0.03  # [s] between two measurements; over a longer one the motion is unknown


class Tracking:
    """Compares the joints of one robot with the PD law, over consecutive control steps.

    Args:
        contract: Source of the gains, efforts and control period.

    Attributes:
        torque_error: Mean difference of measured torque and PD law [Nm], (num_joints,); zeros if
            no torque is measured.
        asked_torque: Mean magnitude of the torque of the PD law [Nm].
        giving_way: Mean speed against the torque of the PD law, times the mean of that torque
            relative to the effort [rad/s]; negative for motion along the torque.
    """

    def __init__(self, contract: PolicyContract):
        kp, kd, effort = (contract.values(key).astype(np.float32) for key in
                          ('kp', 'kd', 'effort'))
        self._kp, self._kd, self._effort, self._least = kp, kd, effort, -effort
        self._period = contract.control_period
        self._weight = np.float32(self._period / MEAN_OVER)
        n = len(kp)
        self.torque_error, self.asked_torque, self._share, self._speed, self.giving_way = (
            np.zeros((5, n), np.float32))
        self._targets = np.zeros((KEPT, n), np.float32)  # newest first
        self._known = 0

    def forget(self) -> None:
        """Clear the means and targets, as when the robot is engaged."""
        self._known = 0
        for mean in (self.torque_error, self.asked_torque, self._share, self._speed,
                     self.giving_way):
            mean[:] = 0.0

    def follow(self, targets: np.ndarray) -> None:
        """Store published targets [rad], (num_joints,)."""
        self._targets[1:] = self._targets[:-1]
        self._targets[0] = targets
        self._known = min(self._known + 1, KEPT)

    def look(self, positions: np.ndarray, velocities: np.ndarray,
             torques: Optional[np.ndarray], age: float) -> None:
        """Update the means with a measurement.

        Args:
            positions: [rad], (num_joints,).
            velocities: [rad/s].
            torques: [Nm]; None if the driver measures none.
            age: Age of the measurement [s].
        """
        # All targets since then: the age is not exact if the sensor's clock is set wrong.
        candidates = int(age / self._period) + DELAYS
        if not candidates <= self._known:
            return
        asked = self._kp * (self._targets[:candidates] - positions)
        asked -= self._kd * velocities
        np.clip(asked, self._least, self._effort, out=asked)
        low, high = asked.min(axis=0), asked.max(axis=0)
        if torques is None:
            nearest = np.clip(0.0, low, high)
            self.torque_error[:] = 0.0
        else:
            nearest = np.clip(torques, low, high).astype(np.float32)
            self.torque_error += self._weight * (np.abs(torques - nearest) - self.torque_error)
        self.asked_torque += self._weight * (np.abs(nearest) - self.asked_torque)
        self._share += self._weight * (nearest / self._effort - self._share)
        self._speed += self._weight * (velocities - self._speed)
        np.multiply(self._share, -self._speed, out=self.giving_way)


class Encoders:
    """Compares each change of position with the measured velocity.

    Args:
        num_joints: Number of joints.

    Attributes:
        slip: Change of position minus integrated velocity, decaying with the time constant
            :data:`MEAN_OVER` [rad], (num_joints,).
    """

    def __init__(self, num_joints: int):
        self.slip = np.zeros(num_joints)
        self._positions, self._velocities = np.zeros((2, num_joints))
        self._time = -np.inf

    def forget(self) -> None:
        """Restart with the next measurement."""
        self._time = -np.inf
        self.slip[:] = 0.0

    def take(self, positions: np.ndarray, velocities: np.ndarray, time: float) -> None:
        """Update with positions [rad] and velocities [rad/s], (num_joints,), at a time [s]."""
        gap = time - self._time
        if not gap > 0.0:  # the same measurement twice, or a clock that was set back
            self._time = min(self._time, time)
            return
        self.slip *= max(0.0, 1.0 - gap / MEAN_OVER)
        if gap <= MAX_GAP:
            self.slip += positions - self._positions
            self.slip -= 0.5 * gap * (velocities + self._velocities)
        self._positions[:], self._velocities[:], self._time = positions, velocities, time
