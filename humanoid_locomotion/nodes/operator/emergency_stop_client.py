"""An emergency stop that is not lost when nobody hears it yet."""

from __future__ import annotations

from typing import Any, Callable

from rclpy.node import Node
from std_srvs.srv import Trigger

from humanoid_locomotion.nodes.ros.executor import create_wall_timer

SERVICE, RESET = 'locomotion/emergency_stop', 'locomotion/reset'
REPEAT = 0.2  # [s]


class EmergencyStop:
    """Asks for a stop, again and again until the locomotion node says that it has stopped.

    A request that is sent before the two nodes have discovered each other, or before the other is
    configured, would be gone; and the robot would stand up a moment later.

    Args:
        node: Whose client to use.
        show: Called with what became of it, for a person.

    Attributes:
        is_pending: Whether it was asked for and not answered yet.
    """

    def __init__(self, node: Node, show: Callable[[str], None]):
        self._show, self.is_pending = show, False
        self._client: Any = node.create_client(Trigger, SERVICE)
        create_wall_timer(node, REPEAT, self._ask)

    def press(self) -> None:
        """Stop the robot."""
        self.is_pending = True
        self._show('emergency stop: asking until it is answered')
        self._ask()

    def release(self) -> None:
        """Ask no more, as when a person resets."""
        self.is_pending = False

    def _ask(self) -> None:
        if self.is_pending and self._client.service_is_ready():
            self._client.call_async(Trigger.Request()).add_done_callback(self._take)

    def _take(self, future: Any) -> None:
        answer = future.result()
        self._show(f'{SERVICE}: {answer.message}')
        self.is_pending = self.is_pending and not answer.success
