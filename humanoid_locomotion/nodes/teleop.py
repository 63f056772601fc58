"""`humanoid-locomotion teleop`: drives the robot from a terminal, key by key."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import tty
from typing import Any, Dict, Iterator, List, Tuple

from geometry_msgs.msg import Twist, TwistStamped
import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text
from std_msgs.msg import String
from std_srvs.srv import Trigger

from humanoid_locomotion.core.command import CommandLimits
from humanoid_locomotion.core.errors import RefusedError
from humanoid_locomotion.core.policy import find_policy, read_contract
from humanoid_locomotion.nodes import conversions, emergency_stop, middleware, qos
from humanoid_locomotion.nodes.emergency_stop import EmergencyStop
from humanoid_locomotion.nodes.executor import create_wall_timer, make_executor

PERIOD = 0.05  # [s]
STEP = 0.1  # [m/s], [rad/s] per key press
LABELS = ('forward [m/s]', 'left [m/s]', 'turning left [rad/s]')
# Each key's part of the command and its sense; the arrow keys send these three characters.
MOVES: Dict[str, Tuple[int, int]] = {
    'w': (0, 1), 's': (0, -1), 'q': (1, 1), 'e': (1, -1), 'a': (2, 1), 'd': (2, -1),
    '\x1b[A': (0, 1), '\x1b[B': (0, -1), '\x1b[D': (2, 1), '\x1b[C': (2, -1)}
SERVICES = {'1': 'locomotion/stand', '2': 'locomotion/walk', '3': 'locomotion/damp',
            'x': emergency_stop.SERVICE, 'r': emergency_stop.RESET, 'p': 'sim/push'}
END = ('\x03', '\x04')  # Ctrl-C, Ctrl-D
HELP = ('w s forward   q e sideways   a d turn   space stop\n'
        '1 stand   2 walk   3 damp   x emergency stop   r reset   p push (simulator)   '
        'Ctrl-C end')


def press(command: np.ndarray, key: str, limits: CommandLimits) -> np.ndarray:
    """Return the velocity command (3,) after a key; a key that means nothing changes nothing.

    A press against the motion stops it first, so that the way back through zero is one press.
    """
    if key == ' ':
        return np.zeros(3)
    if key not in MOVES:
        return command
    part, sense = MOVES[key]
    changed = command.copy()
    changed[part] = 0.0 if command[part] * sense < -1e-9 else command[part] + sense * STEP
    return np.clip(changed, limits.lower, limits.upper)


def split_keys(text: str) -> List[str]:
    """Return the keys of what a terminal sent at once; an arrow key is one."""
    keys, i = [], 0
    while i < len(text):
        length = 3 if text[i:i + 3] in MOVES else 1
        keys.append(text[i:i + length])
        i += length
    return keys


class TeleopNode(Node):
    """Publishes a velocity command and calls services.

    Attributes:
        command: (3,) what is published, twenty times a second, from the first key on.
        state: What the locomotion node says it does.
        answer: What the last service said.
    """

    def __init__(self, stamped: bool):
        super().__init__('teleop')
        self.command, self.state, self.answer = np.zeros(3), 'silent', ''
        self.is_driving, self._stamped = False, stamped
        self._publisher = self.create_publisher(
            TwistStamped if stamped else Twist, 'cmd_vel', qos.VELOCITY_COMMAND)
        self.create_subscription(String, 'locomotion/state', self._on_state, qos.LATCHED)
        self._clients_by_name: Dict[str, Any] = {
            name: self.create_client(Trigger, name) for name in SERVICES.values()
            if name != emergency_stop.SERVICE}
        self._stop = EmergencyStop(self, self._show)
        create_wall_timer(self, PERIOD, self.publish)

    def publish(self) -> None:
        """Publish the command, if this terminal has driven yet."""
        if self.is_driving:
            self._publisher.publish(conversions.twist(
                self.command, self.get_clock().now().to_msg() if self._stamped else None))

    def call(self, service: str) -> None:
        """Call a service; its answer comes later."""
        if service == emergency_stop.SERVICE:
            self._stop.press()
            return
        if service == emergency_stop.RESET:
            self._stop.release()
        client = self._clients_by_name[service]
        if not client.service_is_ready():
            self.answer = f'nobody offers {service}'
            return

        def take(future: Any) -> None:
            self._show(f'{service}: {future.result().message}')
        client.call_async(Trigger.Request()).add_done_callback(take)

    def _show(self, answer: str) -> None:
        self.answer = answer

    def _on_state(self, msg: String) -> None:
        self.state = msg.data


def teleop(policy: str = 'humanoid', stamped: bool = False) -> None:
    """Drive until Ctrl-C; then stand.

    Args:
        policy: Whose command range holds.
        stamped: Whether to publish TwistStamped.

    Raises:
        RefusedError: The input is no terminal.
    """
    if not sys.stdin.isatty():
        raise RefusedError('teleop', 'standard input is not a terminal')
    limits = read_contract(find_policy(policy) / 'contract.yaml').command_limits
    console = Console()
    middleware.init(signal_handler_options=SignalHandlerOptions.ALL)
    node, executor = TeleopNode(stamped), make_executor()
    executor.add_node(node)
    console.print(Text(HELP))
    try:
        with _keys() as descriptor, Live(
                console=console, auto_refresh=False, transient=True) as live:
            while rclpy.ok():
                keys = _read(descriptor)
                if any(key in END for key in keys):
                    break
                for key in keys:
                    _on_key(node, key, limits)
                executor.spin_once(timeout_sec=0.01)
                live.update(_table(node), refresh=True)
    finally:
        if rclpy.ok():
            node.command = np.zeros(3)
            node.publish()
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown()


def _on_key(node: TeleopNode, key: str, limits: CommandLimits) -> None:
    if key in SERVICES:
        node.command = np.zeros(3)
        node.call(SERVICES[key])
    elif key == ' ' or key in MOVES:
        node.command = press(node.command, key, limits)
        node.is_driving = True


@contextlib.contextmanager
def _keys() -> Iterator[int]:
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
    if not select.select([descriptor], [], [], PERIOD)[0]:
        return []
    data = os.read(descriptor, 64)
    return split_keys(data.decode(errors='replace')) if data else [END[1]]


def _table(node: TeleopNode) -> Table:
    table = Table(title=Text(f'the robot is {node.state}'), caption=Text(node.answer))
    for label in LABELS:
        table.add_column(Text(label), justify='right')
    table.add_row(*(f'{value:.2f}' for value in node.command))
    return table
