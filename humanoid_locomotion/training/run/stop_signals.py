# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Signals that stop training between two iterations."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType
from typing import Any, Dict, Optional

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # SIGHUP: the terminal was closed
# A launcher may forward a signal that the terminal has also sent: within this time [s] both count
# as one.
SAME = 1.0


class StopSignals:
    """Records the first signal; a second one of the same kind ends the process at once.

    The first signal interrupts nothing: a call of the simulator, the capture of a CUDA graph and
    the writing of a checkpoint are completed. SIGHUP stays ignored if it was, as with ``nohup``.

    Attributes:
        caught: Number of the first signal; None before it.
    """

    def __init__(self) -> None:
        self.caught: Optional[int] = None
        self._time = 0.0
        self._before: Dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                is_ignored = signal.getsignal(number) is signal.SIG_IGN
                if not (number == signal.SIGHUP and is_ignored):
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def __call__(self) -> bool:
        """Return whether to stop."""
        return self.caught is not None

    @property
    def name(self) -> str:
        """Name of the caught signal; empty before it."""
        return '' if self.caught is None else signal.Signals(self.caught).name

    @property
    def exit_code(self) -> int:
        """Exit code of a shell for the signal, such as 130; 0 without a signal."""
        return 0 if self.caught is None else 128 + self.caught

    def _note(self, number: int, _: Optional[FrameType]) -> None:
        now = time.monotonic()
        if self.caught is None:
            self.caught, self._time = number, now
        elif number == self.caught and now - self._time > SAME:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
