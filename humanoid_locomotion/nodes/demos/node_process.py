# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs nodes of this package as separate processes."""

from __future__ import annotations

import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from types import MappingProxyType
from typing import Dict, List, Mapping, Optional

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.reading.resources import PACKAGE

STOP_TIMEOUT = 5.0  # [s] between SIGINT and SIGKILL
LOG_LINES = 15

# Module of the main function of each node.
MODULES = {'driver': 'hardware.driver_node', 'locomotion': 'locomotion.node',
           'odometry': 'odometry.node', 'planner': 'navigation.node', 'sim': 'simulation.node',
           'viewer': 'operator.viewer'}


class NodeProcess:
    """A node of this package in a separate process.

    Args:
        node: A key of :data:`MODULES`.
        parameters: Its ROS parameters.
        log: File for its output.
        remappings: Topic remappings, old to new names.
    """

    def __init__(self, node: str, parameters: Dict[str, object], log: Path,
                 remappings: Mapping[str, str] = MappingProxyType({})):
        self.name, self._log = node, log
        self._cpu_at_start = self._wall_at_start = 0.0
        command: List[str] = [sys.executable, '-m', f'humanoid_locomotion.nodes.{MODULES[node]}',
                              '--ros-args']
        for key, value in parameters.items():
            command += ['-p', f'{key}:={_yaml(value)}']
        for name, other in remappings.items():
            command += ['-r', f'{name}:={other}']
        environment = dict(os.environ)
        if (PACKAGE.parent / 'setup.py').is_file():  # running from a source tree
            environment['PYTHONPATH'] = os.pathsep.join(
                [str(PACKAGE.parent)] + [p for p in (os.environ.get('PYTHONPATH'),) if p])
        with log.open('wb') as output:
            self._process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, env=environment)

    def check(self) -> None:
        """Raise LocomotionError with the end of the log if the process has ended."""
        code = self._process.poll()
        if code is not None:
            raise LocomotionError(f'the {self.name} node ended with code {code}:\n{self.tail()}')

    def tail(self) -> str:
        """Return the last lines of its log."""
        return '\n'.join(self._log.read_text(errors='replace').splitlines()[-LOG_LINES:])

    def start_measuring(self) -> None:
        """Start measuring its processor time."""
        self._cpu_at_start, self._wall_at_start = self._cpu() or 0.0, time.monotonic()

    def cores(self) -> Optional[float]:
        """Return the mean number of busy cores since then; None without /proc."""
        cpu = self._cpu()
        elapsed = time.monotonic() - self._wall_at_start
        return None if cpu is None or elapsed <= 0.0 else (cpu - self._cpu_at_start) / elapsed

    def _cpu(self) -> Optional[float]:
        try:
            text = Path(f'/proc/{self._process.pid}/stat').read_text()
        except OSError:
            return None
        user, system = text.rpartition(')')[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf('SC_CLK_TCK')

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is running."""
        return self._process.poll() is None

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def stop(self) -> None:
        """End it by SIGINT, so that the robot is damped, and by SIGKILL if it does not end."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
