# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The thread that commands the motors 500 times a second, independent of the ROS executor."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Optional

from humanoid_locomotion.nodes.hardware.motor_guard import MotorGuard
from humanoid_locomotion.nodes.hardware.port import RobotPort, RobotReading
from humanoid_locomotion.nodes.hardware.watchdog import Watchdog
from humanoid_locomotion.nodes.ros.guarded import describe

PERIOD = 0.002  # [s]
LAST_DAMPING = 0.2  # [s], before the thread ends
PRIORITY = 20  # of SCHED_FIFO
SWITCH_INTERVAL = 0.0005  # [s], the longest that another thread keeps the interpreter


class MotorLoop:
    """Reads the robot's state and writes the guard's command in every cycle.

    A cycle that raises ends the thread: then the watchdog process damps.

    Args:
        port: The open port.
        guard: Decides what is written.
        watchdog: Takes over if this thread stops.

    Attributes:
        reading: The newest state of the robot.
        news: Set when a state has arrived.
        failure: Exception that ended the thread; empty while it runs.
        late: Number of cycles that began more than one period late.
    """

    def __init__(self, port: RobotPort, guard: MotorGuard, watchdog: Watchdog):
        self._port, self._guard, self._watchdog = port, guard, watchdog
        self.reading: Optional[RobotReading] = None
        self.news = threading.Event()
        self.failure, self.late = '', 0
        self._wake, self._is_commanded, self._is_ending = threading.Event(), False, False
        self._thread = threading.Thread(target=self._run, name='motors', daemon=True)

    def start(self) -> None:
        """Start the thread."""
        sys.setswitchinterval(SWITCH_INTERVAL)
        self._port.on_state = self._wake.set
        self._thread.start()

    def wake(self) -> None:
        """Write at once, since a new command has arrived."""
        self._is_commanded = True
        self._wake.set()

    def stop(self) -> None:
        """Damp the motors, then end the thread and the watchdog."""
        self._guard.failure = 'the driver ends'
        time.sleep(LAST_DAMPING)
        self._is_ending = True
        if self._thread.is_alive():
            self._thread.join()
            self._watchdog.dismiss()

    def _run(self) -> None:
        try:
            due = time.monotonic()
            while not self._is_ending:
                self._cycle()
                due += PERIOD
                now = time.monotonic()
                if now > due + PERIOD:
                    self.late, due = self.late + 1, now
                self._wait(due)
        except Exception as error:  # the watchdog damps from now on
            self._guard.failure = self.failure = describe(error)

    def _wait(self, due: float) -> None:
        """Wait until a time; states are read and a new command is written as they arrive."""
        while self._wake.wait(max(0.0, due - time.monotonic())):
            self._wake.clear()
            if self._is_commanded:
                self._is_commanded = False
                self._cycle()
            else:
                self._read()

    def _read(self) -> None:
        reading = self._port.read()
        if reading is not None:
            self.reading = reading
            self.news.set()

    def _cycle(self) -> None:
        self._read()
        if not self._watchdog.beat():
            self._guard.failure = self._guard.failure or (
                'the watchdog process has taken over or ended; start the driver again')
        self._port.write(self._guard.command(time.monotonic(), self.reading))


def request_real_time() -> str:
    """Ask for real-time priority of this thread and those that it starts.

    Returns:
        Why it was not permitted; empty if it was.
    """
    try:
        if os.sched_getscheduler(0) == os.SCHED_OTHER:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except (OSError, AttributeError) as error:
        return (f'no permission for real-time priority ({error}): the motor loop may be late on a '
                f'busy computer; add "@GROUP - rtprio {PRIORITY}" to /etc/security/limits.conf')
    return ''
