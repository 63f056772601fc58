"""Signals that stop training between two iterations."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType
from typing import Any, Dict, Optional

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # SIGHUP: the terminal was closed
# Launchers pass a signal on that the terminal has sent as well: within this time [s] it is one.
SAME = 1.0


class StopSignals:
    """Notes the first signal; the same one again, later, ends the process at once.

    Nothing is interrupted by the first: a simulator's call, the capture of a CUDA graph and the
    writing of a checkpoint come to their end. SIGHUP stays ignored where it is, as by ``nohup``.

    Attributes:
        caught: The first signal's number; None before.
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
        """Tell whether to stop."""
        return self.caught is not None

    @property
    def name(self) -> str:
        """The caught signal's name."""
        return '' if self.caught is None else signal.Signals(self.caught).name

    @property
    def exit_code(self) -> int:
        """The exit code that a shell reports for the signal, such as 130; 0 without a signal."""
        return 0 if self.caught is None else 128 + self.caught

    def _note(self, number: int, _: Optional[FrameType]) -> None:
        now = time.monotonic()
        if self.caught is None:
            self.caught, self._time = number, now
        elif number == self.caught and now - self._time > SAME:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
