# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Nav2's actions ``navigate_to_pose`` and ``follow_path``, where ``nav2_msgs`` is installed."""

from __future__ import annotations

from dataclasses import dataclass
import functools
import math
from typing import Any, Callable, Dict, List, Optional

from builtin_interfaces.msg import Duration
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.action import ActionServer, CancelResponse
from rclpy.node import Node
from rclpy.task import Future

from humanoid_locomotion.core.errors import LocomotionError, MessageError
from humanoid_locomotion.nodes.navigation.goals import GoalReader, LocalizationError
from humanoid_locomotion.nodes.navigation.navigator import Goal, Mode, Navigator

NAVIGATE_TO_POSE, FOLLOW_PATH = 'navigate_to_pose', 'follow_path'
CONTROLLER = 'FollowPath'  # the name of Nav2's default controller, which others send
# Error codes of nav2_msgs (Kilted), written out because older releases lack the constants.
# Nav2's navigator returns the codes of FollowPath for NavigateToPose, too.
NO_ERROR, NO_PROGRESS = 0, 105


class PluginError(MessageError):
    """A goal asks for a behavior tree or a controller that the planner does not have."""


CODES: Dict[str, Dict[type, int]] = {
    NAVIGATE_TO_POSE: {PluginError: 9001, LocalizationError: 9002, LocomotionError: 9000},
    FOLLOW_PATH: {PluginError: 101, LocalizationError: 102, LocomotionError: 103}}


@dataclass(frozen=True)
class Running:
    """The action goal to which the robot walks."""

    name: str
    action: Any
    handle: Any
    done: Future
    began: float  # [s]


class GoalActions:
    """Offers the planner as actions. A new goal, also from a topic, replaces the current one.

    Args:
        node: The planner.
        read: Returns the reader of goals for the current odometry.
        go: Starts to walk to a goal.
        now: Returns the time [s].
    """

    def __init__(self, node: Node, read: Callable[[], GoalReader], go: Callable[[Goal], None],
                 now: Callable[[], float]):
        self._node, self._read, self._go, self._now = node, read, go, now
        self._running: Optional[Running] = None
        self._servers: List[Any] = []
        try:
            from nav2_msgs.action import FollowPath, NavigateToPose
        except ImportError:
            node.get_logger().info('nav2_msgs is not installed: no actions, only topics')
            return
        for name, action in ((NAVIGATE_TO_POSE, NavigateToPose), (FOLLOW_PATH, FollowPath)):
            self._servers.append(ActionServer(
                node, action, name, functools.partial(self._execute, name, action),
                cancel_callback=lambda _: CancelResponse.ACCEPT))

    @property
    def is_cancel_requested(self) -> bool:
        """Whether the client asks to cancel the current goal."""
        return self._running is not None and bool(self._running.handle.is_cancel_requested)

    async def _execute(self, name: str, action: Any, handle: Any) -> Any:
        """Walk to a goal; an invalid one is aborted and leaves the current goal as it is."""
        try:
            goal = self._goal(name, handle.request)
        except LocomotionError as error:
            self._node.get_logger().warning(f'refused: {error}')
            handle.abort()
            return _result(action, next(code for kind, code in CODES[name].items()
                                        if isinstance(error, kind)), str(error))
        self._go(goal)
        done: Future = Future(executor=self._node.executor)
        self._running = Running(name, action, handle, done, self._now())
        return await done

    def _goal(self, name: str, request: Any) -> Goal:
        if name == NAVIGATE_TO_POSE:
            if request.behavior_tree:
                raise PluginError(name, f'behavior_tree is {request.behavior_tree!r}; the planner '
                                  'has none: leave it empty')
            return self._read().of_pose(request.pose, name)
        if request.controller_id not in ('', CONTROLLER):
            raise PluginError(name, f'controller_id is {request.controller_id!r}; expected '
                              f'{CONTROLLER!r} or none')
        return self._read().of_path(request.path, name)

    def replace(self) -> None:
        """End the current goal, because another one replaces it."""
        self._end('abort', NO_ERROR, 'replaced by another goal')

    def update(self, navigator: Navigator, odom: Odometry, is_lost: bool, speed: float) -> None:
        """Send feedback, or the result if the walk has ended.

        Args:
            navigator: Walks to the goal.
            odom: The last odometry.
            is_lost: Whether the odometry is too old.
            speed: Speed of straight walking, to estimate the remaining time [m/s].
        """
        running, mode = self._running, navigator.mode
        if running is None:
            return
        if navigator.is_under_way:
            running.handle.publish_feedback(self._feedback(running, navigator, odom, speed))
        elif mode is Mode.ARRIVED:
            self._end('succeed', NO_ERROR, '')
        elif mode is Mode.FAILED:
            self._end('abort', CODES[running.name][LocalizationError] if is_lost else NO_PROGRESS,
                      navigator.reason)
        elif self.is_cancel_requested:
            self._end('canceled', NO_ERROR, '')
        else:
            self._end('abort', NO_ERROR, 'cancelled by ~/cancel')

    def destroy(self) -> None:
        """Free the actions."""
        for server in self._servers:
            server.destroy()

    def _end(self, how: str, code: int, reason: str) -> None:
        running, self._running = self._running, None
        if running is not None:
            getattr(running.handle, how)()
            running.done.set_result(_result(running.action, code, reason))

    def _feedback(self, running: Running, navigator: Navigator, odom: Odometry,
                  speed: float) -> Any:
        pose, velocity = odom.pose.pose, odom.twist.twist.linear
        here = PoseStamped(header=odom.header, pose=pose)
        left = navigator.remaining()
        values = {
            'current_pose': here, 'navigation_time': _duration(self._now() - running.began),
            'estimated_time_remaining': _duration(left / speed), 'distance_remaining': left,
            'distance_to_goal': left, 'speed': math.hypot(velocity.x, velocity.y),
            'header': odom.header, 'robot_pose': here, 'remaining_path_length': left,
            'position_tracking_error': math.nan, 'heading_tracking_error': math.nan}
        feedback = running.action.Feedback()
        for part in (feedback, getattr(feedback, 'tracking_feedback', None)):
            for name, value in values.items():
                if hasattr(part, name):
                    setattr(part, name, value)
        return feedback


def _result(action: Any, code: int, reason: str) -> Any:
    result = action.Result()
    for name, value in (('error_code', code), ('error_msg', reason)):
        if hasattr(result, name):  # before Jazzy a result has neither
            setattr(result, name, value)
    return result


def _duration(seconds: float) -> Duration:
    whole = math.floor(seconds)
    return Duration(sec=whole, nanosec=int(1e9 * (seconds - whole)))
