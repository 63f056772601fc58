# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A process that damps the motors when the driver process ends or hangs.

The driver writes a byte into a pipe every 10 ms. The watchdog has a connection to the robot of
its own, and publishes no command before it takes over: when the pipe is closed without
:data:`DISMISS` (the driver was killed), or brings nothing for :data:`HANG` (it hangs). It then
closes the pipe, so that a driver that continues finds itself without watchdog and damps, too.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from typing import Optional

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.hardware.connection import Connection
from humanoid_locomotion.nodes.hardware.motor_guard import MotorGuard
from humanoid_locomotion.nodes.hardware.port import RobotPort

HANG = 0.15  # [s] without a byte
PERIOD = 0.002  # [s]
DAMP_FOR = 30.0  # [s]; the last command remains damping
START_TIMEOUT = 15.0  # [s]
BEAT, DISMISS, READY = b'.', b'q', b'ready\n'


class Watchdog:
    """The driver's side: starts the process, and sends it a byte at each :meth:`beat`.

    Raises:
        LocomotionError: The process does not start.
    """

    def __init__(self, connection: Connection):
        self._process = subprocess.Popen(
            [sys.executable, '-m', __name__, connection.to_text()], bufsize=0,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(
                os.environ, PYTHONPATH=os.pathsep.join(it for it in sys.path if it)))
        assert self._process.stdin is not None and self._process.stdout is not None
        self._pipe, answers = self._process.stdin, self._process.stdout
        ready, _, _ = select.select([answers], [], [], START_TIMEOUT)
        if not ready or answers.readline() != READY:
            self._process.kill()
            raise LocomotionError("the driver's watchdog process did not start; its log is above")
        os.set_blocking(self._pipe.fileno(), False)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def beat(self) -> bool:
        """Report that the driver lives; return whether the watchdog still listens."""
        return self._send(BEAT)

    def dismiss(self) -> None:
        """End the watchdog; the motors were damped before."""
        self._send(DISMISS)
        self._pipe.close()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:  # it damps
            self._process.kill()

    def _send(self, data: bytes) -> bool:
        try:
            return self._pipe.write(data) is not None  # None: the pipe is full, nobody reads
        except (OSError, ValueError):
            return False


def watch(pipe: int, port: RobotPort, guard: MotorGuard) -> str:
    """Wait until the driver ends or hangs; then damp.

    Args:
        pipe: File descriptor that brings a byte while the driver lives.
        port: An open port.
        guard: Source of the damping command.

    Returns:
        Why it damped; empty if it was dismissed.
    """
    is_started = False
    while True:
        ready, _, _ = select.select([pipe], [], [], HANG if is_started else None)
        data = os.read(pipe, 65536) if ready else None
        if (data and DISMISS in data) or (data == b'' and not is_started):
            return ''
        if not data:
            break
        is_started = True
    os.close(pipe)
    reason = f'the driver sent nothing for {HANG:g} s' if data is None else 'the driver ended'
    damping, end = guard.damped(), time.monotonic() + DAMP_FOR
    print(f'watchdog: {reason}; the motors are damped', file=sys.stderr, flush=True)
    while time.monotonic() < end:
        port.read()  # what the command must echo
        port.write(damping)
        time.sleep(PERIOD)
    return reason


def main(text: Optional[str] = None) -> int:
    """Run the process; the argument is a :class:`Connection` as JSON."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the driver, which dismisses this
    connection = Connection.from_text(sys.argv[1] if text is None else text)
    try:
        port = connection.make_port()
        port.open()
        guard = MotorGuard(port.joints, load_robot(connection.robot))
    except LocomotionError as error:
        print(f'watchdog: {error}', file=sys.stderr)
        return 2
    sys.stdout.buffer.write(READY)
    sys.stdout.flush()
    watch(sys.stdin.fileno(), port, guard)
    port.close()
    return 0


if __name__ == '__main__':
    sys.exit(main())
