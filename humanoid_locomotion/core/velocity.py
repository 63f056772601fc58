"""What becomes of a velocity command before the policy sees it; knows nothing of ROS."""

from __future__ import annotations

import math
from typing import Tuple

import numpy as np

from humanoid_locomotion.core.command import CommandLimits


class VelocityFilter:
    """Clamps commands to the trained range, limits their change, and lets silence stand.

    Args:
        limits: The range that the policy was trained in.
        control_period: Time between two calls of :meth:`step` [s].
        acceleration: Largest change per second: linear [m/s^2], turning [rad/s^2].
        timeout: Silence after which zero is asked [s].
    """

    def __init__(self, limits: CommandLimits, control_period: float,
                 acceleration: Tuple[float, float], timeout: float):
        self._limits, self._timeout = limits, timeout
        linear, turning = acceleration
        self._step = control_period * np.array([[linear, linear, turning]], np.float32)
        self._wanted = np.zeros((1, 3), np.float32)
        self._zero = np.zeros((1, 3), np.float32)
        self._now = np.zeros((1, 3), np.float32)
        self._received = -math.inf

    @property
    def command(self) -> np.ndarray:
        """The command that holds now, (1, 3); always the same array."""
        return self._now

    def age(self, now: float) -> float:
        """Return the time since the last command [s]; infinite before the first."""
        return now - self._received

    def is_asked(self, now: float) -> bool:
        """Return whether the last command was to move, and holds still."""
        return self.age(now) <= self._timeout and bool(np.count_nonzero(self._wanted))

    def take(self, velocity: np.ndarray, now: float) -> None:
        """Take over a command (3,), all of it finite."""
        self._wanted[0] = velocity
        self._received = now

    def rewind(self, now: float) -> None:
        """Measure silence from ``now`` at the latest, after the clock jumped back."""
        self._received = min(self._received, now)

    def stop(self) -> None:
        """Forget the command at once, as when the robot is not walking."""
        self._now[...] = 0.0

    def step(self, now: float, may_walk: bool = True) -> np.ndarray:
        """Return the command for one control step, (1, 3).

        It moves towards the last one taken, or towards zero after silence and where the robot may
        not walk, along a straight line and as fast as the slowest component allows.
        """
        heard = may_walk and self.age(now) <= self._timeout
        wanted = self._zero if not heard else self._limits.clamp(self._wanted)
        change = wanted - self._now
        share = float((np.abs(change) / self._step).max())
        if share <= 1.0:
            self._now[...] = wanted
        else:
            self._now += change / np.float32(share)
        return self._now
