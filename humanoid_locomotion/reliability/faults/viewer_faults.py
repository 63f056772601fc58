# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Faults of the client that drives a walking robot, and unauthorised access to the viewer.

The viewer, the locomotion node and a simulated robot run as processes; the published commands are
observed on ``cmd_vel``.
"""

from __future__ import annotations

from collections import deque
import contextlib
from dataclasses import dataclass
from functools import partial
import itertools
import multiprocessing
from pathlib import Path
import signal
import socket
import subprocess
import sys
import tempfile
import time
from typing import Any, Callable, Deque, Dict, Iterator, List, Tuple
from urllib.parse import urlsplit

from geometry_msgs.msg import Twist
import numpy as np

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.nodes.demos.session import Session, Watcher
from humanoid_locomotion.nodes.ros import qos
from humanoid_locomotion.reliability.faults.relay import Relay
from humanoid_locomotion.reliability.faults.strangers import let_in

LIMIT = 0.5  # [s] from the fault to the last command that moves the robot
WALK, WATCH, QUIET, PATIENCE = 1.0, 1.5, 0.5, 20.0  # [s]
KNOCKING, HELD_OPEN = 5.0, 100  # [s], connections
HALF, GARBAGE = b'GET / HTTP/1.1\r\nHost: ', b'\x16\x03\x01 garbage\r\n\r\n'


@dataclass(frozen=True)
class ViewerOutcome:
    """Result of one fault.

    Attributes:
        fault: Name of the fault.
        stopped_after: Time until the last command that moves the robot [s].
        passed: Whether that was soon enough, and a zero command followed, then no more.
        note: Additional observations.
    """

    fault: str
    stopped_after: float
    passed: bool
    note: str = ''


class Listener(Watcher):
    """Subscribes ``cmd_vel``.

    Attributes:
        heard: Arrival time of each command by the local clock [s], and whether it is a motion.
    """

    segment, is_done, is_heard = 0, False, True

    def __init__(self, spec: RobotSpec):
        super().__init__('listener', spec.joint_names)
        self.heard: List[Tuple[float, bool]] = []
        self.create_subscription(Twist, 'cmd_vel', self._on_command, qos.VELOCITY_COMMAND)

    def _on_command(self, msg: Twist) -> None:
        self.heard.append((time.monotonic(), any((
            msg.linear.x, msg.linear.y, msg.angular.z))))

    def last_motion(self) -> float:
        """Return the arrival time of the last command that moves the robot [s]."""
        return max((at for at, moves in self.heard if moves), default=-np.inf)


class Hand:
    """A client in a separate process, which drives from the start."""

    def __init__(self, address: str):
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'humanoid_locomotion.reliability.faults.viewer_client'],
            stdin=subprocess.PIPE, text=True)
        self.say(f'open {address}')

    def say(self, line: str) -> None:
        """Send a command to the client."""
        assert self.process.stdin is not None
        self.process.stdin.write(f'{line}\n')
        self.process.stdin.flush()

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


class Stage:
    """The processes of a test, and the listener.

    Attributes:
        address: Address of the viewer's page.
        listener: Node that receives the commands.
        viewer: The process of the viewer.
    """

    def __init__(self, folder: PolicyFolder, spec: RobotSpec, logs: Path):
        self.listener = Listener(spec)
        path = folder.path.resolve()
        self._session = Session(self.listener, {
            'sim': {'robot': spec.folder},
            'viewer': {'policy': path, 'robot': spec.folder, 'port': 0},
            'locomotion': {'policy': path, 'robot': spec.folder, 'engine': 'onnxruntime',
                           'autostart': True, 'use_sim_time': True}}, logs)
        try:
            self._session.wait_until_standing()
            self.address = self._session.viewer_address()
        except BaseException:
            self._session.close()
            raise
        (self.viewer,) = [one for one in self._session.processes if one.name == 'viewer']

    def spin(self, seconds: float) -> None:
        """Spin the listener for a time [s]."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.listener.last_news = time.monotonic()  # no spinning between two faults
            self._session.spin()

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Spin the listener until a condition holds.

        Raises:
            LocomotionError: The condition does not hold in time.
        """
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise LocomotionError(f'the viewer: timeout while waiting for {what}')
            self.spin(0.05)

    def walk(self) -> None:
        """Wait until the robot has been commanded to move for a while."""
        begin = time.monotonic()
        self.until(lambda: self.listener.last_motion() > begin + WALK, 'a motion')

    def outcome(self, fault: str, event: Callable[[], Any], must_say_zero: bool = True,
                note: Callable[[], str] = str) -> ViewerOutcome:
        """Trigger an event while the robot walks, and observe ``cmd_vel``."""
        self.walk()
        begin = time.monotonic()
        event()
        self.spin(WATCH)
        after, (last, moves) = self.listener.last_motion() - begin, self.listener.heard[-1]
        is_quiet = not moves and time.monotonic() - last > QUIET
        return ViewerOutcome(fault, max(after, 0.0), after < LIMIT and (
            is_quiet or not must_say_zero), note())

    def close(self) -> None:
        """End the processes."""
        self._session.close()


@contextlib.contextmanager
def stage(folder: PolicyFolder, spec: RobotSpec) -> Iterator[Stage]:
    """Yield a stage with a standing robot; rclpy is initialised and isolated."""
    with tempfile.TemporaryDirectory() as logs, \
            contextlib.closing(Stage(folder, spec, Path(logs))) as one:
        yield one


def run_viewer_faults(folder: PolicyFolder, spec: RobotSpec) -> Iterator[ViewerOutcome]:
    """Inject each fault while the robot walks; rclpy is initialised and isolated."""
    with stage(folder, spec) as on:
        yield from _clients_that_go(on)
        yield from _two_clients(on)
        yield _knocking(on)
        yield _strangers(on)
        for fault, number in (('the viewer itself stopped', signal.SIGSTOP),
                              ('the viewer itself killed', signal.SIGKILL)):
            with hand(on.address):
                yield on.outcome(fault, partial(on.viewer.signal, number), False)
            on.viewer.signal(signal.SIGCONT)


@contextlib.contextmanager
def hand(address: str) -> Iterator[Hand]:
    """Yield a driving client; end it afterwards."""
    with contextlib.closing(Hand(address)) as one:
        yield one


def _clients_that_go(on: Stage) -> Iterator[ViewerOutcome]:
    ways: Dict[str, Callable[[Hand, Relay], Any]] = {
        'lets go (page hidden, no focus)': lambda one, _: one.say('release'),
        'falls silent, connection open (lid closed, page frozen)':
            lambda one, _: one.say('silent'),
        'process stopped (SIGSTOP)': lambda one, _: one.process.send_signal(signal.SIGSTOP),
        'process killed (SIGKILL; a tab that crashes)': lambda one, _: one.process.kill(),
        'connection ended': lambda one, _: one.say('end'),
        'connection reset': lambda one, _: one.say('reset'),
        'network gone, nothing arrives any more': lambda _, relay: relay.drop(),
        'network 1 s late from now on': lambda _, relay: relay.delay(1.0)}
    for name, do in ways.items():
        url = urlsplit(on.address)
        with contextlib.closing(Relay(url.port or 80)) as relay, \
                hand(on.address.replace(url.netloc, f'127.0.0.1:{relay.port}')) as one:
            yield on.outcome(name, partial(do, one, relay))
            on.until(lambda: time.monotonic() - on.listener.last_motion() > 2.0, 'control')


def _two_clients(on: Stage) -> Iterator[ViewerOutcome]:
    with hand(on.address) as first, hand(on.address) as second:
        on.walk()
        second.say('hold')
        yield on.outcome('its connection ends, another holds a button that has no control',
                         lambda: first.say('end'))
        second.say('hold')
        on.walk()
        with hand(on.address) as third:
            third.say('release')
            yield on.outcome('somebody without control presses the emergency stop',
                             lambda: third.say('stop'), note=lambda: on.listener.state)


def _knocking(on: Stage) -> ViewerOutcome:
    """Connect without a token, with partial requests or garbage, while a client drives."""
    knocking = multiprocessing.get_context('spawn').Process(
        target=_knock, args=(urlsplit(on.address).port,), daemon=True)
    with hand(on.address) as one:
        on.walk()
        begin = time.monotonic()
        knocking.start()
        while knocking.is_alive():
            on.spin(0.1)
        on.spin(0.2)
        times = [at for at, moves in on.listener.heard if moves and at > begin - 0.1]
        gap = float(np.diff([*times, time.monotonic()]).max())
        seen = on.outcome('half requests and garbage without a token, as many as go into '
                          f'{KNOCKING:g} s; then it lets go', lambda: one.say('release'))
        return ViewerOutcome(seen.fault, seen.stopped_after, seen.passed and gap < LIMIT,
                             f'longest pause while they knocked {1e3 * gap:.0f} ms')


def _knock(port: int) -> None:
    waiting: Deque[socket.socket] = deque()
    end = time.monotonic() + KNOCKING
    for sent in itertools.cycle((HALF, GARBAGE)):
        if time.monotonic() > end:
            return
        with contextlib.suppress(OSError):
            waiting.append(socket.create_connection(('127.0.0.1', port), KNOCKING))
            waiting[-1].sendall(sent)
        if len(waiting) > HELD_OPEN:
            waiting.popleft().close()


def _strangers(on: Stage) -> ViewerOutcome:
    tried, found = let_in(on.address)
    return ViewerOutcome(
        'strangers: no token, another origin, another host', 0.0, not found,
        f'{len(found)} let in of {tried} tries' + ''.join(f'; {one.what}' for one in found))


def viewer_table(outcomes: Tuple[ViewerOutcome, ...]) -> str:
    """Return the outcomes as a Markdown table, one line per fault."""
    lines = ['| what happens to the driving client | last motion after | |', '|---|---|---|']
    for one in outcomes:
        failed = '' if one.passed else '**FAILED** '
        lines.append(f'| {one.fault} | {failed}{1e3 * one.stopped_after:.0f} ms | {one.note} |')
    return '\n'.join(lines)
