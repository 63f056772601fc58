# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A robot behind UDP, to test the driver with ports in several processes."""

from __future__ import annotations

from dataclasses import dataclass, field
import os
import pickle
import socket
import threading
import time
from typing import Any, List, Optional, Set, Tuple

import numpy as np

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.robot import RobotSpec, load_robot
from humanoid_locomotion.nodes.hardware.port import MotorCommand, Remote, RobotReading

NAME = 'udp_robot:open_port'  # as the parameter `driver`
PERIOD = 0.002


@dataclass
class Status:
    """What the robot sends."""

    position: np.ndarray
    velocity: np.ndarray
    remote: Optional[Remote] = None
    fault: str = ''
    others: Tuple[str, ...] = ()
    owner: str = ''


@dataclass(frozen=True)
class Received:
    """One command, with its time and the process that sent it."""

    time: float
    pid: int
    command: MotorCommand


@dataclass
class UdpRobot:
    """A still robot; ``status`` is sent every 2 ms unless ``is_silent``.

    With ``wiring``, motors with a kp go to their targets; it gives the joint and the sign of each
    motor that is connected wrongly.
    """

    robot: str = 'humanoid'
    is_silent: bool = False
    received: List[Received] = field(default_factory=list)
    wiring: Any = None

    def __post_init__(self) -> None:
        spec = load_robot(self.robot)
        self.default = spec.values('default')
        self.status = Status(self.default.copy(), np.zeros(spec.num_joints))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(('127.0.0.1', 0))
        self._socket.settimeout(PERIOD)
        self._ports: Set[Any] = set()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """The parameter `interface`."""
        return '{}:{}'.format(*self._socket.getsockname())

    def close(self) -> None:
        """End the thread."""
        self._is_closed = True
        self._thread.join()
        self._socket.close()

    def wait(self, until: Any, seconds: float = 5.0) -> Received:
        """Return the first command from now on that satisfies a condition."""
        count, end = len(self.received), time.monotonic() + seconds
        while time.monotonic() < end:
            for it in self.received[count:]:
                count += 1
                if until(it):
                    return it
            time.sleep(0.001)
        raise AssertionError('no such command arrived')

    def _run(self) -> None:
        sent = 0.0
        while not self._is_closed:
            try:
                data, sender = self._socket.recvfrom(65536)
            except TimeoutError:
                data, sender = b'', None
            if sender is not None:
                self._ports.add(sender)
                what, pid, command = pickle.loads(data)
                if what == 'command':
                    self.received.append(Received(time.monotonic(), pid, command))
                    self._follow(command)
                elif what == 'release':
                    self.status.owner = ''
            if time.monotonic() - sent >= PERIOD and not self.is_silent:
                sent = time.monotonic()
                for port in self._ports:
                    self._socket.sendto(pickle.dumps(self.status), port)


    def _follow(self, command: MotorCommand) -> None:
        if self.wiring is None:
            return
        moved = self.default.copy()
        for motor in np.flatnonzero(command.kp):
            joint, sign = self.wiring.get(motor, (motor, 1.0))
            moved[joint] += sign * (command.position[motor] - self.default[motor])
        self.status.position = moved


class UdpPort:
    """The port to it."""

    imu_frame = 'torso'

    def __init__(self, robot: RobotSpec, interface: str):
        self.joints = tuple(robot.joint_names)
        host, _, port = interface.partition(':')
        self._robot = (host, int(port))
        self._status: Optional[Status] = None

    def open(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(0.5)
        self._send('hello')
        try:
            self._status = pickle.loads(self._socket.recv(65536))
        except OSError as error:
            raise ConfigError('udp', 'interface', 'no robot answers') from error
        self._socket.setblocking(False)

    def on_state(self) -> None:
        """Not called: states are read once in a cycle."""

    def read(self) -> Optional[RobotReading]:
        status = None
        try:
            while True:
                status = pickle.loads(self._socket.recv(65536))
        except BlockingIOError:
            pass
        if status is None:
            return None
        self._status, zeros = status, np.zeros(3)
        return RobotReading(
            time.monotonic(), status.position, status.velocity, np.zeros(len(self.joints)),
            np.full(len(self.joints), 40.0), np.array([1.0, 0.0, 0.0, 0.0]), zeros,
            zeros + [0.0, 0.0, 9.81], status.remote, 0.7, status.fault)

    def write(self, command: MotorCommand) -> None:
        self._send('command', command)

    def other_commanders(self) -> Tuple[str, ...]:
        return self._status.others

    def owner(self) -> str:
        self.read()
        return self._status.owner

    def release(self) -> None:
        self._send('release')

    def close(self) -> None:
        self._socket.close()

    def _send(self, what: str, command: Optional[MotorCommand] = None) -> None:
        self._socket.sendto(pickle.dumps((what, os.getpid(), command)), self._robot)


def open_port(robot: RobotSpec, interface: str, domain: int, simulator: bool) -> UdpPort:
    """Return a port, as the driver asks for it."""
    return UdpPort(robot, interface)


def open_humanoid(robot: RobotSpec, interface: str, domain: int, simulator: bool) -> UdpPort:
    """Return a port to a robot that is always the humanoid."""
    return UdpPort(load_robot('humanoid'), interface)
