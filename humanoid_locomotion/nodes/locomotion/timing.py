# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures the timing of the control loop with the machine's clock; independent of ROS."""

from __future__ import annotations

import time
from typing import List, Optional, Tuple

import numpy as np

ROWS = ('period', 'step', 'latency', 'observation_age')
COLUMNS = ('mean', 'p50', 'p99', 'max')
ROOM = 4096  # steps between two reports
LATE = 1.5  # periods


class LoopTiming:
    """Stores four durations of every control step, from one report to the next.

    *period*: from step to step. *step*: from its start to the publication of the command.
    *latency*: from the arrival of the joint states that started it to that publication.
    *observation_age*: age of the joint states that it used.

    Args:
        period: Nominal duration of a control step [s].

    Attributes:
        steps: Control steps since the last report.
        late: Number of late steps since the last report.
    """

    def __init__(self, period: float):
        self._period = period
        self._table = np.full((len(ROWS), ROOM), np.nan)
        self._last: Optional[float] = None
        self.steps = self.late = 0
        self.clock = time.monotonic

    def begin(self) -> float:
        """Record the start of a step and return its wall time."""
        now = self.clock()
        if self._last is not None:
            period = now - self._last
            self._table[0, self.steps % ROOM] = period
            self.late += period > LATE * self._period
        self._last = now
        return now

    def end(self, began: float, arrived: Optional[float], age: float) -> None:
        """Record the end of a step.

        Args:
            began: Return value of :meth:`begin`.
            arrived: Arrival time of the measurement that started the step; None for the alarm.
            age: Age of the joint states that it used [s].
        """
        now, i = self.clock(), self.steps % ROOM
        self._table[1, i] = now - began
        if arrived is not None:
            self._table[2, i] = now - arrived
        self._table[3, i] = age
        self.steps += 1

    def pause(self) -> None:
        """Clear the last step, so that the pause after it is not measured."""
        self._last = None

    def summary(self) -> Optional[Tuple[np.ndarray, List[str], List[str]]]:
        """Return a table [s] (4, 4) with the names of its rows and columns; None without steps.

        Values that were not measured are NaN.
        """
        n = min(self.steps, ROOM)
        if n == 0:
            return None
        table = np.full((len(ROWS), len(COLUMNS)), np.nan)
        for i, row in enumerate(self._table[:, :n]):
            measured = row[np.isfinite(row)]
            if measured.size:
                table[i] = (measured.mean(), *np.percentile(measured, (50, 99)), measured.max())
        return table, list(ROWS), list(COLUMNS)

    def clear(self) -> None:
        """Start a new report."""
        self._table[...] = np.nan
        self.steps = self.late = 0
