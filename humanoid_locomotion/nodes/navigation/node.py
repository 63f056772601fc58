"""The planner node: publishes velocity commands that walk the robot to goals."""

from __future__ import annotations

import math
import sys
from typing import Any, List, Optional

from geometry_msgs.msg import PoseStamped, Twist, TwistStamped
from nav_msgs.msg import Odometry, Path
import numpy as np
from rclpy.node import Node
from std_msgs.msg import String
from std_srvs.srv import Trigger

from humanoid_locomotion.core.errors import LocomotionError, MessageError, RefusedError
from humanoid_locomotion.core.policy.folder import find_policy, read_contract
from humanoid_locomotion.core.reading.resources import config_file
from humanoid_locomotion.nodes.navigation.named_places import load_rooms
from humanoid_locomotion.nodes.navigation.navigator import Goal, Navigator, NavigatorSettings
from humanoid_locomotion.nodes.navigation.pursuit import PursuitSettings
from humanoid_locomotion.nodes.ros import conversions, qos
from humanoid_locomotion.nodes.ros.executor import run
from humanoid_locomotion.nodes.ros.parameters import PlannerParameters, declare, read

COMMAND_PERIOD = 0.05  # [s]


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
        self._frame, self._heard, self._label, self._plans = '', -math.inf, '', 0
        stamped = parameters.enable_stamped_cmd_vel
        self._commands = self.create_publisher(
            TwistStamped if stamped else Twist, 'cmd_vel', qos.VELOCITY_COMMAND)
        self._status = self.create_publisher(String, '~/status', qos.LATCHED)
        self._path = self.create_publisher(Path, '~/path', qos.LATCHED)
        self.create_subscription(Odometry, 'odom', self._on_odom, qos.SENSOR_INPUT)
        self.create_subscription(PoseStamped, 'goal_pose', self._on_goal, qos.VELOCITY_COMMAND)
        self.create_subscription(Path, 'plan', self._on_plan, qos.VELOCITY_COMMAND)
        self.create_subscription(String, 'say_goal', self._on_say, qos.VELOCITY_COMMAND)
        self.create_service(Trigger, '~/cancel', self._on_cancel)
        self.create_timer(COMMAND_PERIOD, self._on_tick)
        self._show(self._navigator.label)

    def stop(self) -> None:
        """Make the robot stand, at the end of the process."""
        if self._navigator.cancel():
            self._command(np.zeros(3))

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
        self._frame, self._heard = msg.header.frame_id, self._now()

    def _on_goal(self, msg: PoseStamped) -> None:
        def read_goal() -> Goal:
            self._check_frame('goal_pose', msg.header.frame_id)
            pose = conversions.pose_2d(msg.pose, 'goal_pose')
            return Goal(_place(pose), pose, pose[None, :2])
        self._try(read_goal)

    def _on_plan(self, msg: Path) -> None:
        def read_plan() -> Goal:
            self._check_frame('plan', msg.header.frame_id)
            if not msg.poses:
                raise MessageError('plan', 'has no poses; to stop, call ~/cancel')
            for stamped in msg.poses:  # most planners leave these frames empty
                if stamped.header.frame_id:
                    self._check_frame('plan', stamped.header.frame_id)
            poses = np.array([conversions.pose_2d(it.pose, 'plan') for it in msg.poses])
            return Goal(f'end of the plan {_place(poses[-1])}', poses[-1], poses[:, :2])
        self._try(read_plan)

    def _on_say(self, msg: String) -> None:
        def find_room() -> Goal:
            room = self._rooms.find(msg.data)
            self._check_frame('say_goal', self._rooms.frame)
            return Goal(msg.data.strip().lower(), room.pose, room.pose[None, :2])
        self._try(find_room)

    def _check_frame(self, topic: str, frame: str) -> None:
        if self._silence > self._settings.odom_timeout:
            raise RefusedError(topic, 'no recent odom: the position of the robot is not known')
        if frame != self._frame:
            raise MessageError(
                topic, f'frame {frame!r} is unknown; odom is given in {self._frame!r}')

    def _try(self, read_goal: Any) -> None:
        """Start walking to a goal; an invalid one changes nothing."""
        try:
            goal = read_goal()
        except LocomotionError as error:
            self._refuse(error)
            return
        self._navigator.go(goal, self._pose, self._now())
        self._plans = 0
        self._report()

    def _refuse(self, error: LocomotionError) -> None:
        self.get_logger().warning(f'refused: {error}')
        self._status.publish(String(data=f'refused: {error}'))
        self._label = ''  # the next cycle publishes the label again

    def _on_cancel(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self._navigator.cancel()
        response.message = self._navigator.label if response.success else 'there is no goal'
        if response.success:
            self._command(np.zeros(3))
            self._report()
        return response

    def _on_tick(self) -> None:
        if self._navigator.is_under_way and self._silence > self._settings.odom_timeout:
            self._show(f'waiting: no recent odom, {self._navigator.label}')
            self._command(np.zeros(3))
            return
        command = self._navigator.step(self._pose, self._now())
        if command is not None:
            self._command(command)
        self._report()

    def _report(self) -> None:
        """Publish label and path, if they changed."""
        if self._plans != self._navigator.plans:
            self._plans = self._navigator.plans
            self._publish_path()
        self._show(self._navigator.label)

    def _publish_path(self) -> None:
        msg = Path()
        msg.header.frame_id, msg.header.stamp = self._frame, self.get_clock().now().to_msg()
        for x, y in self._navigator.path.tolist():
            pose = PoseStamped(header=msg.header)
            pose.pose.position.x, pose.pose.position.y = x, y
            msg.poses.append(pose)
        self._path.publish(msg)

    def _show(self, label: str) -> None:
        if label != self._label:
            self._label = label
            self._status.publish(String(data=label))
            self.get_logger().info(label)

    def _command(self, command: np.ndarray) -> None:
        stamped = self._settings.enable_stamped_cmd_vel
        self._commands.publish(conversions.twist(
            command, self.get_clock().now().to_msg() if stamped else None))


def _place(pose: np.ndarray) -> str:
    x, y, heading = pose.tolist()
    return f'({x:.2f} m, {y:.2f} m, {heading:.2f} rad)'


def main(args: Optional[List[str]] = None) -> int:
    """Run the node until it is stopped."""
    return run(PlannerNode, args)


if __name__ == '__main__':
    sys.exit(main())
