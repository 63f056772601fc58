# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Emergency stop request that is repeated until the locomotion node confirms it."""

from __future__ import annotations

from typing import Any, Callable

from rclpy.node import Node
from std_srvs.srv import Trigger

from humanoid_locomotion.nodes.ros.executor import create_wall_timer

SERVICE, RESET = 'locomotion/emergency_stop', 'locomotion/reset'
REPEAT = 0.2  # [s]


class EmergencyStop:
    """Requests a stop repeatedly until the locomotion node confirms it.

    A single request would be lost if it was sent before the nodes have discovered each other, or
    before the locomotion node is configured; the robot would then stand up.

    Args:
        node: The node that provides the client.
        show: Called with the result, as text.

    Attributes:
        is_pending: Whether a stop was requested and is not yet confirmed.
    """

    def __init__(self, node: Node, show: Callable[[str], None]):
        self._show, self.is_pending = show, False
        self._client: Any = node.create_client(Trigger, SERVICE)
        create_wall_timer(node, REPEAT, self._ask)

    def press(self) -> None:
        """Stop the robot."""
        self.is_pending = True
        self._show('emergency stop: requested until confirmed')
        self._ask()

    def release(self) -> None:
        """Stop the repetition, as when the operator resets."""
        self.is_pending = False

    def _ask(self) -> None:
        if self.is_pending and self._client.service_is_ready():
            self._client.call_async(Trigger.Request()).add_done_callback(self._take)

    def _take(self, future: Any) -> None:
        answer = future.result()
        self._show(f'{SERVICE}: {answer.message}')
        self.is_pending = self.is_pending and not answer.success
