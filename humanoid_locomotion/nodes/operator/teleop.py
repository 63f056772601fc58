# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""`humanoid-locomotion teleop`: drives the robot from a terminal while a key is held.

A terminal reports key presses and repeats of a held key, but no releases. So each press drives for
a short time only, and each repeat extends it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import threading
import time
import tty
from typing import Callable, Dict, Iterator, List, Tuple

import numpy as np
import rclpy
from rclpy.node import Node
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text
from std_msgs.msg import String

from humanoid_locomotion.core.command import VELOCITY_AXES, CommandSpec
from humanoid_locomotion.core.errors import RefusedError
from humanoid_locomotion.core.policy.folder import find_policy, read_contract
from humanoid_locomotion.nodes.operator import emergency_stop_client
from humanoid_locomotion.nodes.operator.controls import PERIOD, PUSH, Controls
from humanoid_locomotion.nodes.operator.dead_man import TIMEOUT
from humanoid_locomotion.nodes.ros import graph, middleware, qos
from humanoid_locomotion.nodes.ros.executor import make_executor

# Time for which the first press of a key drives [s]. Keyboards repeat a held key after 0.25 to
# 0.66 s: with a longer delay, the robot slows down in between. Including the publishing period,
# the robot is always asked to stand within 0.5 s of the last press.
FIRST_PRESS = 0.4
FIRST_REPEAT = 0.7  # [s] after which the same key counts as a new press
STEP, SLOWEST = 0.1, 0.1  # step and minimum of the speed, as shares of the command range
# Motion of each key, as signs of forward, left and turning left; arrow keys send these three
# characters.
MOVES: Dict[str, Tuple[int, int, int]] = {
    'w': (1, 0, 0), 's': (-1, 0, 0), 'q': (0, 1, 0), 'e': (0, -1, 0), 'a': (0, 0, 1),
    'd': (0, 0, -1), 'z': (1, 0, 1), 'c': (1, 0, -1),
    '\x1b[A': (1, 0, 0), '\x1b[B': (-1, 0, 0), '\x1b[D': (0, 0, 1), '\x1b[C': (0, 0, -1)}
FASTER, SLOWER, LET_GO = '+', '-', ' '
SERVICES = {'1': 'locomotion/stand', '2': 'locomotion/walk', '3': 'locomotion/damp',
            'x': emergency_stop_client.SERVICE, 'r': emergency_stop_client.RESET, 'p': PUSH}
END_TIMEOUT = 1.0  # [s] to wait for the confirmation of an emergency stop, at the end
END = ('\x03', '\x04')  # Ctrl-C, Ctrl-D
HELP = ('hold a key to walk: w s forward   q e sideways   a d turn   z c forward and turn\n'
        '+ - speed   space stop   1 stand   2 walk   3 damp   x emergency stop   r reset   '
        'p push (simulator)   Ctrl-C end\n'
        f'A press drives for {FIRST_PRESS:g} s and each repeat for {TIMEOUT:g} s, then the robot '
        'stands.')


def split_keys(text: str) -> List[str]:
    """Split terminal input into keys; an arrow key is one key."""
    keys, i = [], 0
    while i < len(text):
        length = 3 if text[i:i + 3] in MOVES else 1
        keys.append(text[i:i + length])
        i += length
    return keys


class Keys:
    """Converts key presses to motions and requests.

    Args:
        controls: Interface to the robot.
        limits: Limits of the velocity commands.
        clock: Clock of the dead-man's switch.

    Attributes:
        speed: Share of the command range that a key requests.
    """

    def __init__(self, controls: Controls, limits: CommandSpec,
                 clock: Callable[[], float] = time.monotonic):
        self._controls, self._limits, self._clock = controls, limits, clock
        self.speed = 0.5
        self._presses, self._last, self._last_at = 0, '', -np.inf
        self._read_at = clock()

    def read(self, keys: List[str]) -> None:
        """Process the keys that were pressed since the last call.

        If the last call was long ago, this process was suspended and the keys held now are not
        known: then motions are ignored, but requests are processed.
        """
        now = self._clock()
        is_late, self._read_at = now - self._read_at > TIMEOUT, now
        for key in keys:
            if key in SERVICES:
                self._controls.request(SERVICES[key])
            elif key == LET_GO:
                self._controls.dead_man.drop()
            elif key in (FASTER, SLOWER):
                step = STEP if key == FASTER else -STEP
                self.speed = min(max(self.speed + step, SLOWEST), 1.0)
            elif key in MOVES and not is_late:
                self._move(key, now)

    def _move(self, key: str, now: float) -> None:
        is_repeat = key == self._last and now - self._last_at < FIRST_REPEAT
        self._last, self._last_at = key, now
        self._presses += 1
        self._controls.dead_man.hold(
            'terminal', self._presses, velocity(key, self.speed, self._limits),
            timeout=TIMEOUT if is_repeat else FIRST_PRESS)


def velocity(key: str, speed: float, limits: CommandSpec) -> np.ndarray:
    """Return the command (3,) of a key at a speed, a share of the range."""
    signs = np.array(MOVES[key], np.float64)
    return speed * np.where(signs > 0.0, signs * limits.upper, -signs * limits.lower)


class TeleopNode(Node):
    """The ROS node of the terminal.

    Attributes:
        controls: Interface to the robot.
        state: State published by the locomotion node.
        answer: Result of the last request.
    """

    def __init__(self, stamped: bool):
        super().__init__('teleop')
        self.state, self.answer = 'silent', ''
        self.controls = Controls(self, stamped, self._show)
        self.create_subscription(String, 'locomotion/state', self._on_state, qos.LATCHED)
        graph.watch_topics(self, self._show)

    def _show(self, answer: str) -> None:
        self.answer = answer

    def _on_state(self, msg: String) -> None:
        self.state = msg.data


def teleop(policy: str = 'humanoid', stamped: bool = False) -> None:
    """Drive until Ctrl-C, a signal, or the end of the terminal; then stand.

    Args:
        policy: Policy whose command range is used.
        stamped: Whether to publish TwistStamped.

    Raises:
        RefusedError: Standard input is not a terminal.
    """
    if not sys.stdin.isatty():
        raise RefusedError('teleop', 'standard input is not a terminal')
    limits = read_contract(find_policy(policy) / 'contract.yaml').command_limits.velocity
    console = Console()
    middleware.init()
    node, is_over = TeleopNode(stamped), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: is_over.set())
    # Publishing has its own thread, since a blocked terminal blocks writes to it.
    spinning = threading.Thread(target=_spin, args=(node, is_over), daemon=True)
    spinning.start()
    try:
        # The exceptions of a closed terminal.
        with contextlib.suppress(OSError, termios.error), _raw() as descriptor:
            console.print(Text(HELP))
            _follow(node, Keys(node.controls, limits), descriptor, console, is_over)
    finally:
        is_over.set()
        spinning.join()
        rclpy.try_shutdown()


def _spin(node: TeleopNode, is_over: threading.Event) -> None:
    executor = make_executor()
    executor.add_node(node)
    while not is_over.is_set():
        executor.spin_once(timeout_sec=PERIOD)
    node.controls.close()
    deadline = time.monotonic() + END_TIMEOUT
    while node.controls.is_stopping and time.monotonic() < deadline:
        executor.spin_once(timeout_sec=PERIOD)
    executor.shutdown()
    node.destroy_node()


def _follow(node: TeleopNode, keys: Keys, descriptor: int, console: Console,
            is_over: threading.Event) -> None:
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while not is_over.is_set():
            pressed = _read(descriptor)
            end = min((pressed.index(key) for key in END if key in pressed), default=None)
            keys.read(pressed[:end])
            if end is not None:
                return
            live.update(_table(node, keys), refresh=True)


@contextlib.contextmanager
def _raw() -> Iterator[int]:
    """Read keys as they are pressed, including Ctrl-C; restore the terminal at the end."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor, termios.TCSANOW)
    settings = termios.tcgetattr(descriptor)
    settings[1] |= termios.OPOST  # printed lines still start at the left
    termios.tcsetattr(descriptor, termios.TCSANOW, settings)
    try:
        yield descriptor
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _read(descriptor: int) -> List[str]:
    """Return all pending keys; Ctrl-D at the end of the terminal's input."""
    if not select.select([descriptor], [], [], PERIOD)[0]:
        return []
    data = os.read(descriptor, 4096)
    return split_keys(data.decode(errors='replace')) if data else [END[1]]


def _table(node: TeleopNode, keys: Keys) -> Table:
    table = Table(title=Text(f'the robot is {node.state}'), caption=Text(node.answer))
    for label in (*(axis.title for axis in VELOCITY_AXES), 'speed'):
        table.add_column(Text(label), justify='right')
    table.add_row(*(f'{value:.2f}' for value in node.controls.driven), f'{keys.speed:.1f}')
    return table
