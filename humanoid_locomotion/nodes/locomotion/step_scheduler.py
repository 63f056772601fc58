"""When a control step is due; knows nothing of ROS."""

from __future__ import annotations

LATE = 0.5  # of a period: for so long a measurement is waited for
SMOOTHING = 0.1  # of the time between measurements
PULL = 0.05  # share of the phase error that each step takes away
AHEAD = 0.07  # of a period: so long before the deadline the step is rehearsed


class Pacer:
    """Absolute deadlines, in step with the measurements where those keep time.

    A step runs when a measurement arrives near its deadline, so that it acts on figures that are
    fresh; without one it runs a little after. Deadlines are counted from the first and never from
    the last, so that the rate is the contract's; they only drift slowly towards the measurements.

    Args:
        period: Time between two steps [s].
    """

    def __init__(self, period: float):
        self._period = period
        self._due = self._passed = self._arrived = -1.0
        self._interval = 0.0

    def begin(self, now: float) -> None:
        """Begin with a step at ``now``."""
        self._due = self._passed = self._arrived = now

    @property
    def alarm(self) -> float:
        """When a step must run though no measurement came [s]."""
        return self._due + LATE * self._period

    @property
    def rehearsal(self) -> float:
        """When to make ready for the step that is due next [s]."""
        return self._due - AHEAD * self._period

    def is_due(self, now: float) -> bool:
        """Tell whether a measurement that came now is the nearest to the deadline."""
        interval, self._arrived = min(now - self._arrived, self._period), now
        self._interval += SMOOTHING * (interval - self._interval)
        due = now >= self._due - 0.5 * self._interval
        if not due:
            self._passed = now
        return due

    def stepped(self, now: float, measured: bool) -> None:
        """Set the next deadline, after a step by a measurement or by the alarm.

        Deadlines that were missed are skipped: there is never a burst.
        """
        # Without one near the deadline, move towards the last that came too early to be used.
        seen = now if measured else self._passed
        error = seen - self._due
        if abs(error) < self._period:
            self._due += PULL * error
        self._due += self._period
        if self._due < now:
            self._due = now + self._period
