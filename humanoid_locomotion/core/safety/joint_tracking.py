"""Whether joints do what they are told: a mean over 0.3 s of what no healthy motor shows.

A position error alone says nothing: a joint that carries a load stands off its target by torque
over kp. What can be held against the PD law is the torque; where no driver measures that, what
is left is the work. And a position that changes by other than its velocity comes from an encoder
that slipped.
"""

from __future__ import annotations

from typing import Optional

import numpy as np

from humanoid_locomotion.core.contract import PolicyContract

MEAN_OVER = 0.3  # [s], the time constant of every mean here
# A target takes from none to so many control periods to the motor and back into a measurement.
DELAYS = 4
KEPT = 12  # targets; a measurement that is older than these are is not judged
MAX_GAP = 0.03  # [s] between two measurements; over a longer one a motion is not known


class Tracking:
    """Follows the joints of one robot from one control step to the next.

    Args:
        contract: Whose gains, torques and period.

    Attributes:
        torque_error: How far the measured torque lies off what the PD law asks for, mean [Nm],
            (num_joints,); zeros where no torque is measured.
        asked_torque: Magnitude of what it asks for, mean [Nm].
        giving_way: Mean speed against the torque that is asked for, times its mean as a share of
            the largest torque [rad/s]; below 0 along it.
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
        """Begin anew, as when the robot is engaged."""
        self._known = 0
        for mean in (self.torque_error, self.asked_torque, self._share, self._speed,
                     self.giving_way):
            mean[:] = 0.0

    def follow(self, targets: np.ndarray) -> None:
        """Remember the targets that go out [rad], (num_joints,)."""
        self._targets[1:] = self._targets[:-1]
        self._targets[0] = targets
        self._known = min(self._known + 1, KEPT)

    def look(self, positions: np.ndarray, velocities: np.ndarray,
             torques: Optional[np.ndarray], age: float) -> None:
        """Take in what was measured.

        Args:
            positions: [rad], (num_joints,).
            velocities: [rad/s].
            torques: [Nm]; None where no driver measures them.
            age: Time since then [s].
        """
        # All targets since: an age may come from a clock that is set wrong as well.
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
    """Holds every change of position against the velocity that was measured with it.

    Args:
        num_joints: How many joints.

    Attributes:
        slip: What the positions changed by beyond their velocity, fading over
            :data:`MEAN_OVER` [rad], (num_joints,).
    """

    def __init__(self, num_joints: int):
        self.slip = np.zeros(num_joints)
        self._positions, self._velocities = np.zeros((2, num_joints))
        self._time = -np.inf

    def forget(self) -> None:
        """Begin anew with the next measurement."""
        self._time = -np.inf
        self.slip[:] = 0.0

    def take(self, positions: np.ndarray, velocities: np.ndarray, time: float) -> None:
        """Take in what was measured: [rad] and [rad/s], (num_joints,), at a time [s]."""
        gap = time - self._time
        if not gap > 0.0:  # the same measurement twice, or a clock that was set back
            self._time = min(self._time, time)
            return
        self.slip *= max(0.0, 1.0 - gap / MEAN_OVER)
        if gap <= MAX_GAP:
            self.slip += positions - self._positions
            self.slip -= 0.5 * gap * (velocities + self._velocities)
        self._positions[:], self._velocities[:], self._time = positions, velocities, time
