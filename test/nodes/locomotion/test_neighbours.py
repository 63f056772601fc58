# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The locomotion node beside nodes that use other types, QoS, clocks and namespaces."""

import pytest

pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import Twist, TwistStamped
from rcl_interfaces.msg import Log
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Imu
from std_msgs.msg import Float64MultiArray

pytestmark = pytest.mark.ros
BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


@pytest.fixture
def heard(bench):
    """Give a bench, and the log lines of its node from now on."""
    one, lines = bench(), []
    one.driver.create_subscription(Log, '/rosout', lambda msg: lines.append(msg.msg), 1000)
    return one, lines


def status_of(one, name):
    """Give level, message and values of a diagnostic status."""
    one.until(lambda: f'locomotion: {name}' in one.driver.diagnostics)
    return one.driver.diagnostics[f'locomotion: {name}']


@pytest.mark.parametrize('kind, topic, profile, problem', [
    (TwistStamped, 'cmd_vel', 10, 'publishes geometry_msgs/msg/TwistStamped, expected '
     'geometry_msgs/msg/Twist; set enable_stamped_cmd_vel to true in this node'),
    (Twist, 'cmd_vel', BEST_EFFORT, 'a reliable subscription needs a reliable publisher'),
    (Imu, 'battery_state', 10, 'expected sensor_msgs/msg/BatteryState')])
def test_a_publisher_that_cannot_be_heard_is_named(
        heard, neighbour, kind, topic, profile, problem):
    """In the diagnostics as long as it is there, and once in the log."""
    one, lines = heard
    one.node.trigger_configure()
    one.until(lambda: status_of(one, 'topics')[:2] == (DiagnosticStatus.OK,
                                                       'types and QoS match'))
    publisher = neighbour.create_publisher(kind, topic, profile)
    one.until(lambda: status_of(one, 'topics')[0] == DiagnosticStatus.ERROR)
    said = f'/{topic}: /neighbour publishes '
    one.until(lambda: any(said in line for line in lines))
    assert said in status_of(one, 'topics')[1] and problem in status_of(one, 'topics')[1]
    one.spin(0.3)
    assert len([line for line in lines if said in line and problem in line]) == 1
    neighbour.destroy_publisher(publisher)
    one.until(lambda: status_of(one, 'topics')[0] == DiagnosticStatus.OK)


def test_a_driver_that_cannot_be_told_gains_is_named(heard, neighbour):
    """It would damp with gains of its own."""
    one, _ = heard
    neighbour.create_subscription(Imu, 'joint_gains', print, 10)
    neighbour.create_subscription(Float64MultiArray, 'joint_command', print, BEST_EFFORT)
    one.node.trigger_configure()
    one.until(lambda: [it.split()[0] for it in status_of(one, 'topics')[2].values()]
              == ['/neighbour'] * 2)
    problems = status_of(one, 'topics')[2]
    assert problems['/joint_gains'].startswith('/neighbour subscribes sensor_msgs/msg/Imu')
    assert problems['/joint_command'].startswith('/neighbour subscribes std_msgs/msg/Float64Multi')


def test_commands_after_stand_are_said_to_be_ignored(heard):
    """Once in the log, though they pause; until ~/walk."""
    one, lines = heard
    one.stand()
    one.until(lambda: one.driver.cmd_vel.get_subscription_count() > 0)
    assert status_of(one, 'cmd_vel')[1] == 'no message yet'
    one.call('stand')
    said = 'ignored: since ~/stand; call ~/walk'
    for _ in range(2):
        one.until(lambda: (one.driver.command(linear_x=0.3),
                           status_of(one, 'cmd_vel')[:2] == (DiagnosticStatus.WARN, said))[1])
        one.driver.command()
        one.until(lambda: said not in status_of(one, 'cmd_vel')[1])
    assert one.driver.state == 'standing'
    assert len([line for line in lines if line == f'cmd_vel is {said}']) == 1
    one.call('walk')
    one.until(lambda: (one.driver.command(linear_x=0.3), one.driver.state == 'walking')[1])
    assert status_of(one, 'cmd_vel')[1] == 'fresh'


def test_the_clock_cannot_be_changed_while_the_robot_stands(heard):
    """It would see no time pass, and fall."""
    one, _ = heard
    one.stand()
    result = one.node.set_parameters([Parameter('use_sim_time', value=True)])[0]
    assert not result.successful
    assert result.reason == 'use_sim_time is read at configure: clean up first'
    before = one.node.interface.now()
    one.spin(0.2)
    assert one.node.interface.now() > before > 1e6
    assert one.driver.state == 'standing'


@pytest.mark.parametrize('bench_names', [('', 'locomotion: safety', 'humanoid'),
                                         ('robot1', 'robot1/locomotion: safety',
                                          'robot1/humanoid')])
def test_diagnostics_name_the_robot(bench, bench_names):
    """Since all robots of a graph share one topic."""
    namespace, name, hardware = bench_names
    one = bench(namespace=namespace)
    one.node.trigger_configure()
    one.until(lambda: name in one.driver.diagnostics)
    assert one.driver.hardware[name] == hardware


def test_nodes_whose_clock_is_read_at_start_refuse_another(ros):
    from humanoid_locomotion.nodes.odometry.node import OdometryNode
    node = OdometryNode()
    result = node.set_parameters([Parameter('use_sim_time', value=True)])[0]
    node.destroy_node()
    assert not result.successful and 'use_sim_time is read at start' in result.reason
