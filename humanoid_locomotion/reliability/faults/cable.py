# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A network cable that can be cut: a pair of virtual interfaces, with a network at the far end."""

from __future__ import annotations

import os
import subprocess
import time
from typing import List

from humanoid_locomotion.core.errors import RefusedError

START = 5.0  # [s]


class Cable:
    """An interface of this machine, connected to one of the same name in a network of its own.

    Programs that are started with :attr:`prefix` reach this machine by the cable only. It needs
    Linux, and the right to make networks.

    Attributes:
        interface: Name of both ends.
        network: Begin of the IPv4 address of both: the near end is host 1, the far end host 2.
        prefix: Arguments before those of a program that shall run at the far end.

    Raises:
        RefusedError: This process may not make networks.
    """

    def __init__(self) -> None:
        self.interface, self.network = f'cable{os.getpid()}', f'169.254.{1 + os.getpid() % 250}'
        try:
            # It ends with this process, and the network with it.
            self._network = subprocess.Popen(
                ['unshare', '--net', 'cat'], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
            self._wait()
            self.prefix = ['nsenter', f'--net=/proc/{self._network.pid}/ns/net']
            _run(['ip', 'link', 'add', self.interface, 'type', 'veth', 'peer', 'name',
                  self.interface, 'netns', str(self._network.pid)])
        except (OSError, subprocess.CalledProcessError) as error:
            raise RefusedError(
                'cable', f'this process may not make networks ({error}): start it as root on '
                'Linux, or by `unshare -rn sh -c "ip link set lo up; ..."`') from error
        for prefix, host in (([], 1), (self.prefix, 2)):
            _run([*prefix, 'ip', 'address', 'add', f'{self.network}.{host}/30', 'dev',
                  self.interface])
            self._set(prefix, 'up')

    def pull(self) -> None:
        """Cut the cable: both ends lose the carrier, and nothing passes in either direction."""
        self._set(self.prefix, 'down')

    def plug(self) -> None:
        """Connect the cable again."""
        self._set(self.prefix, 'up')

    def switch_off(self) -> None:
        """Switch off the interface of this machine, as an administrator does."""
        self._set([], 'down')

    def close(self) -> None:
        """Remove the cable and the network at its far end."""
        _run(['ip', 'link', 'delete', self.interface])
        self._network.communicate()

    def _set(self, prefix: List[str], state: str) -> None:
        _run([*prefix, 'ip', 'link', 'set', self.interface, state])

    def _wait(self) -> None:
        ours, end = os.readlink('/proc/self/ns/net'), time.monotonic() + START
        while os.readlink(f'/proc/{self._network.pid}/ns/net') == ours:
            if self._network.poll() is not None or time.monotonic() > end:
                self._network.kill()
                said = self._network.communicate()[1].decode(errors='replace').strip()
                raise OSError(said or 'unshare does not answer')
            time.sleep(0.01)


def _run(command: List[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)
