# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The state of a node on two latched topics: as text, and as a typed message."""

from __future__ import annotations

from typing import Dict, Tuple

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from rclpy.node import Node
from std_msgs.msg import String

from humanoid_locomotion.nodes.ros import qos


class StatusPublisher:
    """Publishes ``~/state`` (text) and ``~/status`` (``DiagnosticStatus``) when they change.

    Args:
        node: The node with the state.
    """

    def __init__(self, node: Node):
        self._name = node.get_name()
        self._state = node.create_publisher(String, '~/state', qos.LATCHED)
        self._status = node.create_publisher(DiagnosticStatus, '~/status', qos.LATCHED)
        self._shown: Tuple[str, bytes, Dict[str, str]] = '', b'', {}

    def show(self, label: str, level: bytes, values: Dict[str, str]) -> bool:
        """Publish a state, if it changed.

        Args:
            label: The state as text.
            level: A level of ``DiagnosticStatus``.
            values: The state as keys and values; booleans are ``true`` or ``false``.

        Returns:
            Whether the text changed.
        """
        last, self._shown = self._shown, (label, level, values)
        if self._shown != last:
            self._status.publish(DiagnosticStatus(
                name=self._name, level=level, message=label,
                values=[KeyValue(key=key, value=value) for key, value in values.items()]))
        if label != last[0]:
            self._state.publish(String(data=label))
        return label != last[0]
