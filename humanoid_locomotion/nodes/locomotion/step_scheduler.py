# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Schedules control steps by measurements and absolute deadlines; independent of ROS."""

from __future__ import annotations

LATE = 0.5  # of a period: waiting time for a measurement after the deadline
SMOOTHING = 0.1  # smoothing factor of the time between measurements, and of falling durations
PULL = 0.05  # share of the phase error that each step corrects
# Time of the rehearsal before the deadline, in periods, and in durations of a rehearsal.
LEAST_AHEAD, MOST_AHEAD, DURATIONS_AHEAD = 0.07, 0.25, 1.5


class StepScheduler:
    """Absolute deadlines, synchronised with regular measurements.

    A step runs when a measurement arrives near its deadline, so that it uses fresh data; without
    one it runs slightly later. Deadlines are counted from the first one and not from the last
    step, so that the rate is that of the contract; they only drift slowly towards the
    measurements.

    Args:
        period: Time between two steps [s].
    """

    def __init__(self, period: float):
        self._period = period
        self._due = self._passed = self._arrived = -1.0
        self._interval = self._rehearsing = 0.0

    def begin(self, now: float) -> None:
        """Start with a step at ``now``."""
        self._due = self._passed = self._arrived = now

    @property
    def alarm(self) -> float:
        """Time at which a step runs even without a measurement [s]."""
        return self._due + LATE * self._period

    @property
    def rehearsal(self) -> float:
        """Time of the rehearsal of the next step [s]."""
        ahead = max(LEAST_AHEAD * self._period, DURATIONS_AHEAD * self._rehearsing)
        return self._due - min(ahead, MOST_AHEAD * self._period)

    def rehearsed(self, seconds: float) -> None:
        """Note how long a rehearsal took [s], so that the next ones end in time."""
        self._rehearsing = max(
            seconds, self._rehearsing + SMOOTHING * (seconds - self._rehearsing))

    def is_due(self, now: float) -> bool:
        """Return whether a measurement that arrives now is the nearest to the deadline."""
        interval, self._arrived = min(now - self._arrived, self._period), now
        self._interval += SMOOTHING * (interval - self._interval)
        due = now >= self._due - 0.5 * self._interval
        if not due:
            self._passed = now
        return due

    def stepped(self, now: float, measured: bool) -> None:
        """Set the next deadline, after a step started by a measurement or by the alarm.

        Missed deadlines are skipped, so that steps never come in a burst.
        """
        # Without a measurement near the deadline, move towards the last early one.
        seen = now if measured else self._passed
        error = seen - self._due
        if abs(error) < self._period:
            self._due += PULL * error
        self._due += self._period
        if self._due < now:
            self._due = now + self._period
