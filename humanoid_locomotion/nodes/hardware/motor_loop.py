# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The threads that read the robot and command its motors, independent of the ROS executor."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Callable, Optional

from humanoid_locomotion.nodes.hardware.motor_guard import MotorGuard
from humanoid_locomotion.nodes.hardware.port import RobotPort, RobotReading
from humanoid_locomotion.nodes.hardware.watchdog import Watchdog
from humanoid_locomotion.nodes.ros.guarded import describe

PERIOD = 0.002  # [s]
BEAT_PERIOD = 0.01  # [s] between two signals to the watchdog
LAST_DAMPING = 0.2  # [s], before the thread ends
PRIORITY = 20  # of SCHED_FIFO
SWITCH_INTERVAL = 0.0005  # [s], the longest that another thread keeps the interpreter


class MotorLoop:
    """Writes the guard's command in every cycle; another thread reads states as they arrive.

    A cycle that raises ends its thread: then the watchdog process damps. A failure of the other
    thread is one of the guard's.

    Args:
        port: The open port.
        guard: Decides what is written.
        watchdog: Takes over if the thread of the motors stops.
        after_read: Called in the reading thread at least once in a period, with a new state or
            None.

    Attributes:
        reading: The newest state of the robot.
        failure: Exception that ended the thread of the motors; empty while it runs.
        late: Number of cycles that began more than one period late.
    """

    def __init__(self, port: RobotPort, guard: MotorGuard, watchdog: Watchdog,
                 after_read: Callable[[Optional[RobotReading]], None] = lambda _: None):
        self._port, self._guard, self._watchdog = port, guard, watchdog
        self._after_read = after_read
        self.reading: Optional[RobotReading] = None
        self.failure, self.late = '', 0
        self._arrived, self._commanded, self._is_ending = (
            threading.Event(), threading.Event(), False)
        self._beaten = 0.0
        self._motors = threading.Thread(target=self._run, name='motors', daemon=True)
        self._states = threading.Thread(target=self._run_states, name='states', daemon=True)

    def start(self) -> None:
        """Start the threads."""
        sys.setswitchinterval(SWITCH_INTERVAL)
        self._port.on_state = self._arrived.set
        self._states.start()
        self._motors.start()

    def wake(self) -> None:
        """Write at once, since a new command has arrived."""
        self._commanded.set()

    def stop(self) -> None:
        """Damp the motors, then end the threads and the watchdog."""
        self._guard.failure = 'the driver ends'
        time.sleep(LAST_DAMPING)
        self._is_ending = True
        if self._motors.is_alive():
            self._motors.join()
            self._watchdog.dismiss()
        if self._states.is_alive():
            self._states.join(1.0)

    def _run(self) -> None:
        try:
            due = time.monotonic()
            while not self._is_ending:
                self._cycle()
                due += PERIOD
                now = time.monotonic()
                if now > due + PERIOD:
                    self.late, due = self.late + 1, now
                while self._commanded.wait(max(0.0, due - time.monotonic())):
                    self._commanded.clear()
                    self._cycle()
        except Exception as error:  # the watchdog damps from now on
            self._guard.failure = self.failure = describe(error)

    def _cycle(self) -> None:
        now = time.monotonic()
        if now - self._beaten > BEAT_PERIOD:
            self._beaten = now
            if not self._watchdog.beat():
                self._guard.failure = self._guard.failure or (
                    'the watchdog process has taken over or ended; start the driver again')
        self._port.write(self._guard.command(now, self.reading))

    def _run_states(self) -> None:
        try:
            while not self._is_ending:
                self._arrived.wait(PERIOD)  # a port may be unable to tell
                self._arrived.clear()
                reading = self._port.read()
                self.reading = reading or self.reading
                self._after_read(reading)
        except Exception as error:
            self._guard.failure = f'the states are not read any more: {describe(error)}'


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
