# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Starts the processes that train together on this machine, one per GPU.

``torchrun`` is an alternative for several machines. Here an error stays one sentence with its exit
code, and each process receives a signal once.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from typing import Any, List, Optional, Sequence

from humanoid_locomotion.training.run.stop_signals import SIGNALS

POLL = 0.05  # [s]
GRACE = 2.0  # [s] after a failure until the other processes are killed


def run(count: int, command: Sequence[str]) -> int:
    """Run a command in each process; return the exit code.

    Signals are forwarded. If one process fails, the others are killed after ``GRACE``.

    Args:
        count: Number of processes.
        command: The interpreter and its arguments.
    """
    shared = {**os.environ, 'WORLD_SIZE': str(count), 'LOCAL_WORLD_SIZE': str(count),
              'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': str(_free_port())}
    shared.setdefault('OMP_NUM_THREADS', str(max(1, (os.cpu_count() or 1) // count)))
    workers: List[subprocess.Popen] = []

    def pass_on(number: int, _: Any) -> None:
        for worker in workers:
            if worker.poll() is None:
                worker.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in SIGNALS}
    try:
        for rank in range(count):
            # In separate sessions, so that they do not also receive the terminal's Ctrl-C.
            workers.append(subprocess.Popen(
                list(command), env={**shared, 'RANK': str(rank), 'LOCAL_RANK': str(rank)},
                start_new_session=True))
        return _wait(workers)
    finally:
        for worker in workers:
            if worker.poll() is None:
                worker.kill()
            worker.wait()
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(workers: List[subprocess.Popen]) -> int:
    """Return the first process's exit code, or that of the one that failed."""
    failed: Optional[float] = None
    while True:
        codes = [worker.poll() for worker in workers]
        if failed is None and any(codes):
            failed = time.monotonic()
        if None not in codes or (failed is not None and time.monotonic() - failed > GRACE):
            bad = [code for code in codes if code]
            code = bad[0] if bad else 0
            return 128 - code if code < 0 else code  # the exit code of a shell for a signal
        time.sleep(POLL)


def _free_port() -> int:
    with socket.socket() as it:
        it.bind(('127.0.0.1', 0))
        return int(it.getsockname()[1])
