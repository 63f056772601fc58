# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every node that depends on others names those that it cannot hear, and that cannot hear it."""

import time

import pytest

pytest.importorskip('rclpy')

from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from rcl_interfaces.msg import Log
import rclpy
from rclpy.parameter import Parameter
from sensor_msgs.msg import Imu
from std_msgs.msg import String

from humanoid_locomotion.nodes.hardware.driver_node import DriverNode
from humanoid_locomotion.nodes.navigation.node import PlannerNode
from humanoid_locomotion.nodes.odometry.node import OdometryNode
from humanoid_locomotion.nodes.operator.teleop import TeleopNode
from humanoid_locomotion.nodes.ros import graph
from humanoid_locomotion.nodes.ros.executor import make_executor

pytestmark = pytest.mark.ros
STAMPED = ('geometry_msgs/msg/TwistStamped, expected geometry_msgs/msg/Twist; set '
           'enable_stamped_cmd_vel to true in this node (--stamped of teleop), or change the '
           'other')


@pytest.fixture
def until(ros, monkeypatch):
    """Spin nodes until a condition holds; they are freed at the end."""
    monkeypatch.setattr(graph, 'CHECK_PERIOD', 0.1)
    executor, made = make_executor(), []

    def spin(condition, *nodes, seconds=20.0):
        for node in (it for it in nodes if it not in made):
            made.append(node)
            executor.add_node(node)
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end
            executor.spin_once(timeout_sec=0.02)

    yield spin
    executor.shutdown()
    for node in made:
        node.destroy_node()


def viewer():
    """Return a viewer, which needs viser."""
    pytest.importorskip('viser')
    from humanoid_locomotion.nodes.operator.viewer import ViewerNode
    return ViewerNode(parameter_overrides=[Parameter('port', value=18080)])


@pytest.mark.parametrize('make, publishes, subscribes', [
    (PlannerNode, ('odom', Imu, 'sensor_msgs/msg/Imu, expected nav_msgs/msg/Odometry'),
     ('cmd_vel', TwistStamped, STAMPED)),
    (OdometryNode, ('imu/data', String, 'std_msgs/msg/String, expected sensor_msgs/msg/Imu'),
     ('odom', String, 'std_msgs/msg/String, expected nav_msgs/msg/Odometry')),
    (viewer, ('joint_states', Odometry, 'nav_msgs/msg/Odometry, expected sensor_msgs/msg/JointSt'),
     ('cmd_vel', TwistStamped, STAMPED))], ids=['planner', 'odometry', 'viewer'])
def test_who_cannot_be_heard_and_who_cannot_hear_is_logged_once(
        until, neighbour, make, publishes, subscribes):
    lines, listener = [], rclpy.create_node('listener')
    listener.create_subscription(Log, '/rosout', lambda msg: lines.append(msg.msg), 1000)
    (heard, kind, problem), (spoken, other, mismatch) = publishes, subscribes
    neighbour.create_publisher(kind, heard, 10)
    neighbour.create_subscription(other, spoken, print, 10)
    node = make()
    said = (f'/{heard}: /neighbour publishes {problem}',
            f'/{spoken}: /neighbour subscribes {mismatch}')
    until(lambda: all(any(it in line for line in lines) for it in said), node, listener)
    begin = time.monotonic()
    until(lambda: time.monotonic() - begin > 0.3)
    assert [sum(it in line for line in lines) for it in said] == [1, 1]
    if hasattr(node, 'stop'):
        node.stop()


def test_teleop_shows_it_below_its_table(until, neighbour):
    neighbour.create_subscription(TwistStamped, 'cmd_vel', print, 10)
    node = TeleopNode(stamped=False)
    until(lambda: node.answer == f'/cmd_vel: /neighbour subscribes {STAMPED}', node)


def test_the_driver_finds_a_controller_of_another_type(until, neighbour):
    neighbour.create_publisher(String, 'joint_command', 10)
    node = DriverNode()
    until(lambda: node._topics.problems() == {
        '/joint_command': '/neighbour publishes std_msgs/msg/String, expected '
                          'sensor_msgs/msg/JointState'}, node)
