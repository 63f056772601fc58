"""`humanoid-locomotion teleop`: drives the robot from a terminal, while a key is held.

A terminal tells when a key is pressed, and repeats it while it is held; it never tells that a key
is let go. So each press drives for a short time only, and the repeats go on with it.
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
from humanoid_locomotion.nodes.ros import middleware, qos
from humanoid_locomotion.nodes.ros.executor import make_executor

# For how long the first press of a key drives [s]. Keyboards repeat a key that is held after 0.25
# to 0.66 s: where that takes longer than this, the robot slows down in between. With the period in
# which it is published, the robot is asked to stand within 0.5 s of the last press, always.
FIRST_PRESS = 0.4
FIRST_REPEAT = 0.7  # [s] after which the same key is a new press
STEP, SLOWEST = 0.1, 0.1  # of the speed, as shares of the command range
# What each key drives, as signs of forward, left and turning left; the arrow keys send these three
# characters.
MOVES: Dict[str, Tuple[int, int, int]] = {
    'w': (1, 0, 0), 's': (-1, 0, 0), 'q': (0, 1, 0), 'e': (0, -1, 0), 'a': (0, 0, 1),
    'd': (0, 0, -1), 'z': (1, 0, 1), 'c': (1, 0, -1),
    '\x1b[A': (1, 0, 0), '\x1b[B': (-1, 0, 0), '\x1b[D': (0, 0, 1), '\x1b[C': (0, 0, -1)}
FASTER, SLOWER, LET_GO = '+', '-', ' '
SERVICES = {'1': 'locomotion/stand', '2': 'locomotion/walk', '3': 'locomotion/damp',
            'x': emergency_stop_client.SERVICE, 'r': emergency_stop_client.RESET, 'p': PUSH}
END_TIMEOUT = 1.0  # [s] to wait for the answer to an emergency stop, at the end
END = ('\x03', '\x04')  # Ctrl-C, Ctrl-D
HELP = ('hold a key to walk: w s forward   q e sideways   a d turn   z c forward and turn\n'
        '+ - speed   space stop   1 stand   2 walk   3 damp   x emergency stop   r reset   '
        'p push (simulator)   Ctrl-C end\n'
        f'A press drives for {FIRST_PRESS:g} s and each repeat for {TIMEOUT:g} s, then the robot '
        'stands.')


def split_keys(text: str) -> List[str]:
    """Return the keys of what a terminal sent at once; an arrow key is one."""
    keys, i = [], 0
    while i < len(text):
        length = 3 if text[i:i + 3] in MOVES else 1
        keys.append(text[i:i + length])
        i += length
    return keys


class Keys:
    """Turns key presses into what a hand wants.

    Args:
        controls: What they drive.
        limits: Of the velocity commands.
        clock: That of the dead-man's switch.

    Attributes:
        speed: Share of the command range that a key asks for.
    """

    def __init__(self, controls: Controls, limits: CommandSpec,
                 clock: Callable[[], float] = time.monotonic):
        self._controls, self._limits, self._clock = controls, limits, clock
        self.speed = 0.5
        self._presses, self._last, self._last_at = 0, '', -np.inf
        self._read_at = clock()

    def read(self, keys: List[str]) -> None:
        """Take the keys that were pressed since the last call.

        When that is long ago, this process stood still, and what is held now is not known: then
        moves do not count, and requests do.
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
    """Return the command (3,) that a key asks for at a speed, a share of the range."""
    signs = np.array(MOVES[key], np.float64)
    return speed * np.where(signs > 0.0, signs * limits.upper, -signs * limits.lower)


class TeleopNode(Node):
    """The terminal's node.

    Attributes:
        controls: What the keys drive.
        state: What the locomotion node says it does.
        answer: What became of the last request.
    """

    def __init__(self, stamped: bool):
        super().__init__('teleop')
        self.state, self.answer = 'silent', ''
        self.controls = Controls(self, stamped, self._show)
        self.create_subscription(String, 'locomotion/state', self._on_state, qos.LATCHED)

    def _show(self, answer: str) -> None:
        self.answer = answer

    def _on_state(self, msg: String) -> None:
        self.state = msg.data


def teleop(policy: str = 'humanoid', stamped: bool = False) -> None:
    """Drive until Ctrl-C, a signal, or the end of the terminal; then stand.

    Args:
        policy: Whose command range holds.
        stamped: Whether to publish TwistStamped.

    Raises:
        RefusedError: The input is no terminal.
    """
    if not sys.stdin.isatty():
        raise RefusedError('teleop', 'standard input is not a terminal')
    limits = read_contract(find_policy(policy) / 'contract.yaml').command_limits.velocity
    console = Console()
    middleware.init()
    node, is_over = TeleopNode(stamped), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: is_over.set())
    # Publishing has a thread of its own: a terminal that is stuck blocks whoever writes to it.
    spinning = threading.Thread(target=_spin, args=(node, is_over), daemon=True)
    spinning.start()
    try:
        # The errors of a terminal that is gone.
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
    """Take keys as they are pressed, Ctrl-C among them; leave the terminal as it was."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor, termios.TCSANOW)
    settings = termios.tcgetattr(descriptor)
    settings[1] |= termios.OPOST  # what is printed still begins on the left
    termios.tcsetattr(descriptor, termios.TCSANOW, settings)
    try:
        yield descriptor
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _read(descriptor: int) -> List[str]:
    """Return all keys that wait; Ctrl-D when the terminal is at its end."""
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
