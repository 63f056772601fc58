"""A dead-man's switch: a motion lasts only while a person's hand gives fresh signs of life.

It knows nothing of ROS, browsers or terminals, so that every device that a person drives with can
have the same one.
"""

from __future__ import annotations

import threading
import time
from typing import Callable, Dict, Optional

import numpy as np

TIMEOUT = 0.3  # [s] that a sign of life counts
KEPT = 1.0  # [s] that a hand which let go keeps the control, as between two buttons


class DeadMan:
    """Who has the control, what that hand wants, and until when.

    The first hand that takes hold of something has the control; it loses it when it has let go or
    was silent for :data:`KEPT`, or goes away. A hand numbers its grips: whenever it takes hold
    anew, the number grows. A grip ends when the hand lets go, loses the control or never had it,
    and when somebody stops the robot; it moves nothing again, even if a laptop wakes up and goes
    on where it was. A hand that was silent for a moment, as a page that stutters, goes on. May be
    used from several threads.

    Args:
        clock: Gives the time [s].
        timeout: How long a sign of life counts [s].
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, timeout: float = TIMEOUT):
        self._clock, self._timeout, self._lock = clock, timeout, threading.Lock()
        self._holder, self._grip, self._wanted = '', 0, np.zeros(3)
        self._is_held, self._until, self._kept_until = False, -np.inf, -np.inf
        self._owes_zero = False
        self._lost: Dict[str, int] = {}

    @property
    def holder(self) -> str:
        """Who has the control; empty if nobody has."""
        with self._lock:
            self._look()
            return self._holder

    def lost(self, who: str) -> int:
        """Return the number of the last grip of a hand that has ended; 0 if none has."""
        with self._lock:
            self._look()
            return self._lost.get(who, 0)

    def hold(self, who: str, grip: int, wanted: np.ndarray, seen: Optional[float] = None,
             timeout: Optional[float] = None) -> bool:
        """Take a sign of life of a hand that holds something.

        Args:
            who: Whose hand.
            grip: Number of the grip, from 1.
            wanted: (3,) The velocity it asks for.
            seen: When the hand was certainly there, by the clock [s]; now if None.
            timeout: How long this sign counts [s], if not as long as usual.

        Returns:
            Whether this hand drives.
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
        """A hand has let go; it may take hold anew."""
        with self._lock:
            now = self._look()
            if who == self._holder:
                self._let_go(now)

    def leave(self, who: str) -> None:
        """A hand is gone: its connection or its terminal has ended."""
        with self._lock:
            now = self._look()
            if who == self._holder:
                self._let_go(now)
                self._holder = ''
            self._lost.pop(who, None)

    def drop(self) -> None:
        """Let the robot stand, whoever drives it: each hand must take hold anew."""
        with self._lock:
            now = self._look()
            if self._holder:
                self._let_go(now)

    def command(self) -> Optional[np.ndarray]:
        """Return what to publish now: (3,); zeros once after a motion; then None, for silence."""
        with self._lock:
            self._look()
            if self._is_held:
                return self._wanted.copy()
            owed, self._owes_zero = self._owes_zero, False
            return np.zeros(3) if owed else None

    def _look(self) -> float:
        """Notice what has run out; return the time."""
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
