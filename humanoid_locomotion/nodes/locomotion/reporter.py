# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Publishes diagnostics and timing of a locomotion node, and logs what a person should change."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, Sequence

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from std_msgs.msg import Float64MultiArray

from humanoid_locomotion.nodes.locomotion import diagnostics
from humanoid_locomotion.nodes.locomotion.control_loop import ControlLoop
from humanoid_locomotion.nodes.locomotion.timing import LoopTiming
from humanoid_locomotion.nodes.ros import conversions, graph, qos
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters


class Reporter:
    """Reports on a control loop.

    Args:
        node: The node that publishes.
        parameters: The parameters of the node.
        loop: The control loop.
        timing: Timing of the loop; it is cleared with every report.
        recorder: The recorder; None if nothing is recorded.
        subscriptions: Those of the node, compared with the publishers of their topics.
        publishers: Those of the node, compared with the subscriptions to their topics.
        made: Frees the topics.
    """

    def __init__(self, node: Node, parameters: LocomotionParameters, loop: ControlLoop,
                 timing: LoopTiming, recorder: Any, subscriptions: Sequence[Any],
                 publishers: Sequence[Any], made: ExitStack):
        self._node, self._parameters, self._loop = node, parameters, loop
        self._timing, self._recorder = timing, recorder
        self._topics = graph.TopicCheck(node, subscriptions, publishers)
        self._timings = node.create_publisher(Float64MultiArray, '~/timing', qos.DIAGNOSTICS)
        made.callback(node.destroy_publisher, self._timings)
        self._diagnostics = node.create_publisher(
            DiagnosticArray, '/diagnostics', qos.DIAGNOSTICS)
        made.callback(node.destroy_publisher, self._diagnostics)
        self._ignored = ''

    def report(self, now: float, is_active: bool) -> None:
        """Publish, and log what was not logged before."""
        node, loop = self._node, self._loop
        summary = self._timing.summary()
        if summary is not None:
            self._timings.publish(conversions.table(*summary))
        statuses = diagnostics.loop_statuses(
            loop, self._timing, self._parameters, now, is_active,
            graph.publishing_nodes(node, loop.arms.channels))
        if self._recorder is not None:
            statuses.append(diagnostics.recorder_status(self._recorder))
        statuses.append(diagnostics.topics_status(self._topics.problems()))
        msg = diagnostics.report(node, loop.folder.contract.robot, statuses)
        self._timing.clear()
        msg.header.stamp = node.get_clock().now().to_msg()
        self._diagnostics.publish(msg)
        self._log_ignored(diagnostics.ignored_command(loop, now))

    def _log_ignored(self, ignored: str) -> None:
        if ignored and ignored != self._ignored:
            self._node.get_logger().warning(f'cmd_vel is ignored: {ignored}')
        if ignored or not self._loop.machine.ignores:  # once, though commands may pause
            self._ignored = ignored
