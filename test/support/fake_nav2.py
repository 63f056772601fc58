# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Action clients for the planner: of the real ``nav2_msgs``, and of a fake for its absence.

Both give the same object for a goal that was sent, so that one test serves both.
"""

from __future__ import annotations

import sys
import types
from typing import Any, ClassVar

from action_msgs.msg import GoalStatus
from builtin_interfaces.msg import Duration
from fake_messages import message
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path
from rclpy.action import ActionClient

ENDED = (GoalStatus.STATUS_SUCCEEDED, GoalStatus.STATUS_CANCELED, GoalStatus.STATUS_ABORTED)


class NavigateToPose:
    """As in Kilted."""

    Goal = message(pose=PoseStamped, behavior_tree=str)
    Result = message(error_code=int, error_msg=str)
    Feedback = message(
        current_pose=PoseStamped, navigation_time=Duration, estimated_time_remaining=Duration,
        number_of_recoveries=int, distance_remaining=float)


class FollowPath:
    """As in Lyrical, whose feedback is a message of its own."""

    Goal = message(path=Path, controller_id=str, goal_checker_id=str, progress_checker_id=str)
    Result = message(error_code=int, error_msg=str)
    Feedback = message(tracking_feedback=message(
        robot_pose=PoseStamped, distance_to_goal=float, speed=float,
        remaining_path_length=float, position_tracking_error=float))


class FakeGoal:
    """A goal at the server, and what its client hears of it."""

    def __init__(self, request: Any):
        self.request, self.feedback, self.result = request, [], None
        self.status = GoalStatus.STATUS_EXECUTING

    @property
    def is_cancel_requested(self) -> bool:
        """As of rclpy's goal handle."""
        return self.status == GoalStatus.STATUS_CANCELING

    def cancel(self) -> None:
        """Ask the server to cancel."""
        self.status = GoalStatus.STATUS_CANCELING

    def publish_feedback(self, feedback: Any) -> None:
        """As of rclpy's goal handle; the other three, too."""
        self.feedback.append(feedback)

    def succeed(self) -> None:
        self._end(GoalStatus.STATUS_SUCCEEDED)

    def abort(self) -> None:
        self._end(GoalStatus.STATUS_ABORTED)

    def canceled(self) -> None:
        assert self.is_cancel_requested
        self._end(GoalStatus.STATUS_CANCELED)

    def _end(self, status: int) -> None:
        assert self.status not in ENDED
        self.status = status


class FakeServer:
    """Takes the place of rclpy's ``ActionServer``."""

    servers: ClassVar[dict] = {}

    def __init__(self, node: Any, action: Any, name: str, execute: Any, cancel_callback: Any):
        self.node, self.action, self.execute = node, action, execute
        self.servers[name] = self

    def destroy(self) -> None:
        """Nothing is held."""


class FakeClient:
    """Sends goals to the fake servers of a course."""

    def __init__(self, course: Any):
        self._course = course

    def send(self, name: str, **fields: Any) -> FakeGoal:
        """Send a goal to an action."""
        server = FakeServer.servers[name]
        sent = FakeGoal(server.action.Goal(**fields))

        async def execute() -> None:
            sent.result = await server.execute(sent)

        self._course.executor.create_task(execute)
        return sent


class RealGoal:
    """A goal that was sent through rclpy."""

    def __init__(self, client: Any, request: Any, course: Any):
        self.feedback: list = []
        future = client.send_goal_async(
            request, feedback_callback=lambda msg: self.feedback.append(msg.feedback))
        course.until(future.done)
        self._handle, self._answer = future.result(), future.result().get_result_async()

    @property
    def status(self) -> int:
        """The last known status."""
        return self._answer.result().status if self._answer.done() else self._handle.status

    @property
    def result(self) -> Any:
        """The result; None before the end."""
        return self._answer.result().result if self._answer.done() else None

    def cancel(self) -> None:
        """Ask the server to cancel."""
        self._handle.cancel_goal_async()


class RealClient:
    """Sends goals to the planner of a course through rclpy and ``nav2_msgs``."""

    def __init__(self, course: Any):
        from nav2_msgs import action
        self._course, self._clients = course, {
            'navigate_to_pose': ActionClient(
                course.robot, action.NavigateToPose, 'navigate_to_pose'),
            'follow_path': ActionClient(course.robot, action.FollowPath, 'follow_path')}

    def send(self, name: str, **fields: Any) -> RealGoal:
        """Send a goal to an action."""
        client = self._clients[name]
        self._course.until(client.server_is_ready)
        return RealGoal(client, client._action_type.Goal(**fields), self._course)


def install(monkeypatch: Any) -> None:
    """Let the planner import the fake ``nav2_msgs`` and serve its actions."""
    from humanoid_locomotion.nodes.navigation import actions
    module: Any = types.ModuleType('nav2_msgs.action')
    module.NavigateToPose, module.FollowPath = NavigateToPose, FollowPath
    monkeypatch.setitem(sys.modules, 'nav2_msgs', types.ModuleType('nav2_msgs'))
    monkeypatch.setitem(sys.modules, 'nav2_msgs.action', module)
    monkeypatch.setattr(actions, 'ActionServer', FakeServer)
