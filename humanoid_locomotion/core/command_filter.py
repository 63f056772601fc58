# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Filter of the commands to a policy: range, rate of change and time-out; independent of ROS."""

from __future__ import annotations

import math
from typing import Tuple

import numpy as np

from humanoid_locomotion.core.command import NUM_VELOCITY, CommandSpec


class CommandFilter:
    """Clamps commands to the trained ranges, limits their rate, and drops those that time out.

    Axes that count as moving return to rest when no command has arrived for ``timeout``; other
    axes keep their last value. While the robot does not accept commands, every axis returns to
    rest.

    Args:
        commands: The axes and the ranges that the policy was trained in.
        control_period: Time between two calls of :meth:`step` [s].
        acceleration: Largest change of the velocity per second: linear [m/s^2], turning
            [rad/s^2]. Further axes change by at most :attr:`CommandAxis.max_rate`.
        timeout: Time without a command after which moving axes return to rest [s].
    """

    def __init__(self, commands: CommandSpec, control_period: float,
                 acceleration: Tuple[float, float], timeout: float):
        self._commands, self._timeout = commands, timeout
        linear, turning = acceleration
        rates = [linear, linear, turning, *(it.axis.max_rate for it in commands.further)]
        self._step = control_period * np.array([rates], np.float32)
        self._times_out = np.array([commands.counts_as_moving])
        self._rest = np.array([commands.rest], np.float32)
        self._wanted, self._now = self._rest.copy(), self._rest.copy()
        self._received = np.full((1, commands.size), -math.inf)

    @property
    def command(self) -> np.ndarray:
        """The current command, (1, size); always the same array."""
        return self._now

    def age(self, now: float) -> float:
        """Return the time since the last velocity command [s]; infinite before the first."""
        return now - float(self._received[0, 0])

    def is_asked(self, now: float) -> bool:
        """Return whether there is a command to move that has not timed out."""
        wanted = np.where(self._is_fresh(now), self._wanted, self._rest)
        return bool(np.count_nonzero(self._commands.moving_part(wanted)))

    def take(self, velocity: np.ndarray, now: float) -> None:
        """Set the velocity command (3,), with finite values."""
        self._wanted[0, :NUM_VELOCITY] = velocity
        self._received[0, :NUM_VELOCITY] = now

    def take_axis(self, name: str, value: float, now: float) -> None:
        """Set the command of one axis beyond the velocity to a finite value."""
        index = self._commands.index(name)
        self._wanted[0, index], self._received[0, index] = value, now

    def rewind(self, now: float) -> None:
        """Limit the times of the last commands to ``now``, after the clock jumped back."""
        np.minimum(self._received, now, out=self._received)

    def stop(self) -> None:
        """Set the command to rest at once; for states in which the joints are only damped."""
        self._now[...] = self._rest

    def step(self, now: float, may_walk: bool = True) -> np.ndarray:
        """Return the command of one control step, (1, size).

        The velocity changes towards the wanted one along a straight line, as fast as its slowest
        component allows. Each further axis changes independently.

        Args:
            now: Time of the control step [s].
            may_walk: Whether the robot accepts commands.
        """
        holds = may_walk & (~self._times_out | self._is_fresh(now))
        wanted = self._commands.clamp(np.where(holds, self._wanted, self._rest))
        change = wanted - self._now
        share = np.abs(change) / self._step
        share[:, :NUM_VELOCITY] = share[:, :NUM_VELOCITY].max()
        self._now[...] = np.where(
            share <= 1.0, wanted, self._now + change / np.maximum(share, 1.0))
        return self._now

    def _is_fresh(self, now: float) -> np.ndarray:
        return now - self._received <= self._timeout
