# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The planner node with an ideal robot at the other end of its topics, on one executor."""

import math
import time

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped, Twist, TwistStamped
from nav_msgs.msg import Odometry, Path
import numpy as np
from rclpy.node import Node
from rclpy.parameter import Parameter
from std_msgs.msg import String
from std_srvs.srv import Trigger

from humanoid_locomotion.nodes.ros import qos
from humanoid_locomotion.nodes.ros.executor import make_executor

PATIENCE = 20.0
SPEED_UP = 4.0  # the ideal robot moves faster than it is told


class IdealRobot(Node):
    """Moves as it is told and says where it is."""

    def __init__(self, stamped):
        super().__init__('ideal_robot')
        self.pose, self.frame = np.zeros(3), 'odom'
        self.is_silent = self.is_stuck = False
        self.commands, self.statuses, self.typed, self.paths = [], [], [], []
        self._odom = self.create_publisher(Odometry, 'odom', qos.SENSOR_OUTPUT)
        self.goals = self.create_publisher(PoseStamped, 'goal_pose', qos.VELOCITY_COMMAND)
        self.plans = self.create_publisher(Path, 'plan', qos.VELOCITY_COMMAND)
        self.said = self.create_publisher(String, 'say_goal', qos.VELOCITY_COMMAND)
        self.create_subscription(
            TwistStamped if stamped else Twist, 'cmd_vel', self._on_command,
            qos.VELOCITY_COMMAND)
        self.create_subscription(
            String, 'planner/state', lambda msg: self.statuses.append(msg.data), qos.LATCHED)
        self.create_subscription(
            DiagnosticStatus, 'planner/status', self.typed.append, qos.LATCHED)
        self.create_subscription(Path, 'planner/path', self.paths.append, qos.LATCHED)
        self.create_timer(0.02, self._publish)

    def _on_command(self, msg):
        twist = getattr(msg, 'twist', msg)
        forward, left, turn = twist.linear.x, twist.linear.y, twist.angular.z
        self.commands.append((forward, left, turn))
        if self.is_stuck:
            return
        cos, sin = math.cos(self.pose[2]), math.sin(self.pose[2])
        self.pose = self.pose + SPEED_UP * 0.05 * np.array(
            [cos * forward - sin * left, sin * forward + cos * left, turn])

    def _publish(self):
        if self.is_silent:
            return
        msg = Odometry()
        msg.header.frame_id = self.frame
        fill(msg.pose.pose, *self.pose)
        self._odom.publish(msg)


def fill(pose, x, y, heading=0.0):
    pose.position.x, pose.position.y = float(x), float(y)
    pose.orientation.z, pose.orientation.w = math.sin(heading / 2), math.cos(heading / 2)
    return pose


def goal(x, y, heading=0.0, frame='odom'):
    msg = PoseStamped()
    msg.header.frame_id = frame
    fill(msg.pose, x, y, heading)
    return msg


class Course:
    """The planner and its robot on one executor."""

    def __init__(self, **parameters):
        from humanoid_locomotion.nodes.navigation.node import PlannerNode
        self.robot = IdealRobot(parameters.get('enable_stamped_cmd_vel', False))
        self.planner = PlannerNode(parameter_overrides=[
            Parameter(name, value=value) for name, value in parameters.items()])
        self.executor = make_executor()
        self.executor.add_node(self.robot)
        self.executor.add_node(self.planner)
        self.until(lambda: self.robot.statuses and math.isfinite(self.planner._heard)
                   and self.robot.goals.get_subscription_count())

    @property
    def status(self):
        """The last message on ``planner/status``: level and values."""
        msg = self.robot.typed[-1]
        return msg.level, {pair.key: pair.value for pair in msg.values}

    def until(self, condition, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.robot.statuses
            self.executor.spin_once(timeout_sec=0.02)

    def until_status(self, start):
        self.until(lambda: self.robot.statuses[-1].startswith(start))

    def spin(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.executor.spin_once(timeout_sec=0.02)

    def cancel(self):
        client = self.robot.create_client(Trigger, 'planner/cancel')
        self.until(client.service_is_ready)
        future = client.call_async(Trigger.Request())
        self.until(future.done)
        return future.result()

    def close(self):
        self.planner.stop()
        self.executor.shutdown()
        self.planner.destroy_node()
        self.robot.destroy_node()
