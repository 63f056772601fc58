# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Common interface of operator devices to the robot: dead-man motion commands and requests."""

from __future__ import annotations

import queue
from typing import Any, Callable, Dict

from geometry_msgs.msg import Twist, TwistStamped
import numpy as np
from rclpy.node import Node
from std_srvs.srv import Trigger

from humanoid_locomotion.nodes.operator import emergency_stop_client
from humanoid_locomotion.nodes.operator.dead_man import DeadMan
from humanoid_locomotion.nodes.operator.emergency_stop_client import EmergencyStop
from humanoid_locomotion.nodes.ros import conversions, qos
from humanoid_locomotion.nodes.ros.executor import create_wall_timer

PERIOD = 0.05  # [s] between two commands; plus the dead-man's 0.3 s: longest delay until a stop
PUSH = 'sim/push'
REQUESTS = (*(f'locomotion/{request}' for request in ('stand', 'walk', 'damp')),
            emergency_stop_client.RESET, PUSH)


class Controls:
    """Publishes ``cmd_vel`` while an operator drives, and calls services.

    Every device reports to :attr:`dead_man`, and only that moves the robot. The methods may be
    called from any thread; they are executed in the node's thread.

    Args:
        node: The node of the device.
        stamped: Whether ``cmd_vel`` is a TwistStamped.
        show: Called with the result of a request, as text; in the node's thread.

    Attributes:
        dead_man: The dead-man's switch: who drives, and the requested velocity.
        driven: (3,) The velocity that is published now.
    """

    def __init__(self, node: Node, stamped: bool, show: Callable[[str], None]):
        self._node, self._stamped, self._show = node, stamped, show
        self.dead_man, self.driven = DeadMan(), np.zeros(3)
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._publisher = node.create_publisher(
            TwistStamped if stamped else Twist, 'cmd_vel', qos.VELOCITY_COMMAND)
        self._clients: Dict[str, Any] = {
            name: node.create_client(Trigger, name) for name in REQUESTS}
        self._stop = EmergencyStop(node, show)
        create_wall_timer(node, PERIOD, self._tick)

    def request(self, service: str) -> None:
        """Call a service; stops driving first, except for a push."""
        if service != PUSH:
            self.dead_man.drop()
        self.do(lambda: self._call(service))

    def do(self, action: Callable[[], None]) -> None:
        """Run a function in the node's thread."""
        self._work.put(action)

    def close(self) -> None:
        """Make the robot stand, at the end of the process, while the node is still connected."""
        self.dead_man.drop()
        self._tick()

    @property
    def is_stopping(self) -> bool:
        """Whether an emergency stop was requested and is not yet confirmed."""
        return self._stop.is_pending

    def _tick(self) -> None:
        while not self._work.empty():
            self._work.get()()
        self._drive()

    def _drive(self) -> None:
        command = self.dead_man.command()
        if command is not None:
            self.driven = command
            self._publish(command)

    def _publish(self, command: np.ndarray) -> None:
        stamp = self._node.get_clock().now().to_msg() if self._stamped else None
        self._publisher.publish(conversions.twist(command, stamp))

    def _call(self, service: str) -> None:
        if service == emergency_stop_client.SERVICE:
            self._stop.press()
            return
        if service == emergency_stop_client.RESET:
            self._stop.release()
        client = self._clients[service]
        if not client.service_is_ready():
            self._show(f'no node offers {service}')
            return

        def take(future: Any) -> None:
            self._show(f'{service}: {future.result().message}')
        client.call_async(Trigger.Request()).add_done_callback(take)
