# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A dead-man's switch: a motion lasts only while the operator's hand sends fresh signals.

It is independent of ROS, browsers and terminals, so that all operator devices use the same one.
"""

from __future__ import annotations

import threading
import time
from typing import Callable, Dict, Optional

import numpy as np

TIMEOUT = 0.3  # [s] validity of a signal
KEPT = 1.0  # [s] time for which a released hand keeps the control, as between two buttons


class DeadMan:
    """Manages which hand has the control, its requested velocity, and the time limits.

    A hand is one source of control, such as a browser page. The first hand that grips a control
    has the control of the robot; it loses it after :data:`KEPT` without a grip or a signal, or
    when it leaves. A hand numbers its grips: each new grip has a higher number. A grip ends when
    the hand releases it, loses the control or never had it, and when anyone stops the robot; an
    ended grip never moves the robot again, even if a suspended laptop resumes. A short gap in the
    signals does not end a grip. May be used from several threads.

    Args:
        clock: Returns the time [s].
        timeout: Validity of a signal [s].
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, timeout: float = TIMEOUT):
        self._clock, self._timeout, self._lock = clock, timeout, threading.Lock()
        self._holder, self._grip, self._wanted = '', 0, np.zeros(3)
        self._is_held, self._until, self._kept_until = False, -np.inf, -np.inf
        self._owes_zero = False
        self._lost: Dict[str, int] = {}

    @property
    def holder(self) -> str:
        """The hand that has the control; empty if none."""
        with self._lock:
            self._look()
            return self._holder

    def lost(self, who: str) -> int:
        """Return the number of a hand's last ended grip; 0 if none has ended."""
        with self._lock:
            self._look()
            return self._lost.get(who, 0)

    def hold(self, who: str, grip: int, wanted: np.ndarray, seen: Optional[float] = None,
             timeout: Optional[float] = None) -> bool:
        """Process a signal of a hand that grips a control.

        Args:
            who: The hand.
            grip: Number of the grip, from 1.
            wanted: (3,) The requested velocity.
            seen: Time at which the grip was confirmed, by the clock [s]; now if None.
            timeout: Validity of this signal [s], if different from the default.

        Returns:
            Whether this hand has the control.
        """
        with self._lock:
            now = self._look()
            until = (now if seen is None else seen) + (
                self._timeout if timeout is None else timeout)
            if until <= now or grip <= self._lost.get(who, 0):
                return False
            if self._holder not in ('', who):
                self._lost[who] = grip
                return False
            if grip != self._grip:
                self._until = -np.inf
            self._holder, self._grip, self._wanted = who, grip, np.array(wanted, np.float64)
            self._is_held = self._owes_zero = True
            self._until = max(self._until, until)
            self._kept_until = self._until + KEPT
            return True

    def release(self, who: str) -> None:
        """End the grip of a hand; it may grip again."""
        with self._lock:
            now = self._look()
            if who == self._holder:
                self._let_go(now)

    def leave(self, who: str) -> None:
        """Remove a hand whose connection or terminal has ended."""
        with self._lock:
            now = self._look()
            if who == self._holder:
                self._let_go(now)
                self._holder = ''
            self._lost.pop(who, None)

    def drop(self) -> None:
        """End all grips, so that the robot stands: each hand must grip again."""
        with self._lock:
            now = self._look()
            if self._holder:
                self._let_go(now)

    def command(self) -> Optional[np.ndarray]:
        """Return the command to publish (3,); zeros once after a motion, then None for none."""
        with self._lock:
            self._look()
            if self._is_held:
                return self._wanted.copy()
            owed, self._owes_zero = self._owes_zero, False
            return np.zeros(3) if owed else None

    def _look(self) -> float:
        """Apply the time limits; return the time."""
        now = self._clock()
        self._is_held = self._is_held and now < self._until
        if self._holder and now >= self._kept_until:
            self._let_go(now)
            self._holder = ''
        return now

    def _let_go(self, now: float) -> None:
        self._is_held = False
        self._kept_until = min(self._kept_until, now + KEPT)
        self._lost[self._holder] = self._grip
