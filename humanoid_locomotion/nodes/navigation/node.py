# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The planner node: publishes velocity commands that walk the robot to goals."""

from __future__ import annotations

import math
import sys
from typing import Any, Callable, Dict, List, Optional

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped, Twist, TwistStamped
from nav_msgs.msg import Odometry, Path
import numpy as np
from rclpy.node import Node
from std_msgs.msg import String
from std_srvs.srv import Trigger

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.folder import find_policy, read_contract
from humanoid_locomotion.core.reading.resources import config_file
from humanoid_locomotion.nodes.navigation.actions import GoalActions
from humanoid_locomotion.nodes.navigation.goals import GoalReader
from humanoid_locomotion.nodes.navigation.named_places import load_rooms
from humanoid_locomotion.nodes.navigation.navigator import Goal, Navigator, NavigatorSettings
from humanoid_locomotion.nodes.navigation.pursuit import PursuitSettings
from humanoid_locomotion.nodes.ros import conversions, graph, qos
from humanoid_locomotion.nodes.ros.executor import run
from humanoid_locomotion.nodes.ros.parameters import PlannerParameters, declare, read
from humanoid_locomotion.nodes.ros.status import StatusPublisher

COMMAND_PERIOD = 0.05  # [s]
# Levels of ~/status; the others are OK.
LEVELS: Dict[str, bytes] = {
    'failed': DiagnosticStatus.ERROR, 'waiting': DiagnosticStatus.WARN,
    'refused': DiagnosticStatus.WARN}


class PlannerNode(Node):
    """Walks a robot to goals in the frame of its odometry.

    It publishes ``cmd_vel`` only while it walks: after the arrival, and while it waits for
    ``odom``, the missing commands make the robot stand, and another source may command it.
    """

    def __init__(self, **kwargs: Any):
        super().__init__('planner', **kwargs)
        declare(self, PlannerParameters)
        parameters = self._settings = read(self, PlannerParameters)
        contract = read_contract(find_policy(parameters.policy) / 'contract.yaml')
        self._rooms = load_rooms(config_file('nodes', parameters.rooms))
        self._navigator = Navigator(NavigatorSettings(
            position_tolerance=parameters.position_tolerance,
            heading_tolerance=parameters.heading_tolerance,
            progress_timeout=parameters.progress_timeout, hold=parameters.hold,
            pursuit=PursuitSettings(speed=parameters.speed)), contract.command_limits.velocity)
        self._pose = np.zeros(3)
        self._odom, self._heard, self._plans = Odometry(), -math.inf, 0
        stamped = parameters.enable_stamped_cmd_vel
        self._commands = self.create_publisher(
            TwistStamped if stamped else Twist, 'cmd_vel', qos.VELOCITY_COMMAND)
        self._status = StatusPublisher(self)
        self._path = self.create_publisher(Path, '~/path', qos.LATCHED)
        self.create_subscription(Odometry, 'odom', self._on_odom, qos.SENSOR_INPUT)
        self.create_subscription(PoseStamped, 'goal_pose', self._on_goal, qos.VELOCITY_COMMAND)
        self.create_subscription(Path, 'plan', self._on_plan, qos.VELOCITY_COMMAND)
        self.create_subscription(String, 'say_goal', self._on_say, qos.VELOCITY_COMMAND)
        self.create_service(Trigger, '~/cancel', self._on_cancel)
        self.create_timer(COMMAND_PERIOD, self._on_tick)
        self._actions = GoalActions(self, self._reader, self._go, self._now)
        graph.watch_topics(self)
        self._report()

    def stop(self) -> None:
        """Make the robot stand, at the end of the process."""
        if self._navigator.cancel():
            self._command(np.zeros(3))

    def destroy_node(self) -> None:
        """Free the actions and the topics."""
        self._actions.destroy()
        super().destroy_node()

    def _now(self) -> float:
        return 1e-9 * float(self.get_clock().now().nanoseconds)

    @property
    def _silence(self) -> float:
        silence = self._now() - self._heard
        return silence if silence >= 0.0 else math.inf  # the clock was reset since

    def _on_odom(self, msg: Odometry) -> None:
        try:
            self._pose = conversions.pose_2d(msg.pose.pose, 'odom')
        except LocomotionError as error:
            self._refuse(error)
            return
        self._odom, self._heard = msg, self._now()

    @property
    def _is_lost(self) -> bool:
        return self._silence > self._settings.odom_timeout

    def _reader(self) -> GoalReader:
        return GoalReader(self._pose, self._odom.header.frame_id, not self._is_lost,
                          self._settings.max_distance)

    def _on_goal(self, msg: PoseStamped) -> None:
        self._try(lambda: self._reader().of_pose(msg, 'goal_pose'))

    def _on_plan(self, msg: Path) -> None:
        self._try(lambda: self._reader().of_path(msg, 'plan'))

    def _on_say(self, msg: String) -> None:
        self._try(lambda: self._reader().of_name(msg.data, self._rooms, 'say_goal'))

    def _try(self, read_goal: Callable[[], Goal]) -> None:
        """Start walking to a goal; an invalid one changes nothing."""
        try:
            self._go(read_goal())
        except LocomotionError as error:
            self._refuse(error)

    def _go(self, goal: Goal) -> None:
        self._actions.replace()
        self._navigator.go(goal, self._pose, self._now())
        self._plans = 0
        self._report()

    def _refuse(self, error: LocomotionError) -> None:
        self.get_logger().warning(f'refused: {error}')
        # The next cycle shows the state of the goal again.
        self._show(f'refused: {error}', 'refused', str(error))

    def _cancel(self) -> bool:
        """Stop at the current position; return whether there was a goal."""
        was_on = self._navigator.cancel()
        if was_on:
            self._command(np.zeros(3))
            self._report()
        return was_on

    def _on_cancel(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self._cancel()
        response.message = self._navigator.label if response.success else 'there is no goal'
        return response

    def _on_tick(self) -> None:
        if self._actions.is_cancel_requested:
            self._cancel()
        if not (self._navigator.is_under_way and self._is_lost):
            command = self._navigator.step(self._pose, self._now())
        elif self._silence > self._settings.progress_timeout:
            command = np.zeros(3)
            self._navigator.fail(f'no odom for {self._settings.progress_timeout:g} s')
        else:
            command = np.zeros(3)
        if command is not None:
            self._command(command)
        self._report()

    def _report(self) -> None:
        """Publish the state and the path, if they changed, and the feedback of an action."""
        navigator = self._navigator
        if self._plans != navigator.plans:
            self._plans = navigator.plans
            self._publish_path()
        if navigator.is_under_way and self._is_lost:
            reason = 'no recent odom'
            label, mode = f'waiting: {reason}, {navigator.label}', 'waiting'
        else:
            label, mode, reason = navigator.label, navigator.mode.value, navigator.reason
        if self._show(label, mode, reason):
            self.get_logger().info(label)
        self._actions.update(navigator, self._odom, self._is_lost, self._settings.speed)

    def _show(self, label: str, mode: str, reason: str) -> bool:
        goal = self._navigator.goal
        x, y, heading = ('', '', '') if goal is None else (f'{it:.3f}' for it in goal.pose)
        return self._status.show(label, LEVELS.get(mode, DiagnosticStatus.OK), {
            'mode': mode, 'reason': reason, 'goal': '' if goal is None else goal.name,
            'frame': self._odom.header.frame_id, 'x': x, 'y': y, 'heading': heading})

    def _publish_path(self) -> None:
        msg = Path()
        msg.header.frame_id = self._odom.header.frame_id
        msg.header.stamp = self.get_clock().now().to_msg()
        for x, y in self._navigator.path.tolist():
            pose = PoseStamped(header=msg.header)
            pose.pose.position.x, pose.pose.position.y = x, y
            msg.poses.append(pose)
        self._path.publish(msg)

    def _command(self, command: np.ndarray) -> None:
        stamped = self._settings.enable_stamped_cmd_vel
        self._commands.publish(conversions.twist(
            command, self.get_clock().now().to_msg() if stamped else None))


def main(args: Optional[List[str]] = None) -> int:
    """Run the node until it is stopped."""
    return run(PlannerNode, args)


if __name__ == '__main__':
    sys.exit(main())
