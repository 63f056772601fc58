# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The sim node beside other simulated robots: clocks and frames."""

import time
from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')

from nav_msgs.msg import Odometry
import numpy as np
from rcl_interfaces.msg import Log
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_rosout_default
from rclpy.time import Time
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Imu, JointState

from humanoid_locomotion.nodes.ros import conversions
from humanoid_locomotion.nodes.ros.executor import make_executor
from humanoid_locomotion.nodes.simulation import node as sim_node
from humanoid_locomotion.nodes.simulation.node import SimNode

pytestmark = pytest.mark.ros


def sim(namespace='robot1', **parameters):
    """Give a sim node."""
    return SimNode(namespace=namespace, parameter_overrides=[
        Parameter(name, value=value) for name, value in parameters.items()])


@pytest.fixture
def graph(ros):
    """Give a node that listens, and a function that lets it and others run until a condition."""
    listener, executor, running = Node('listener'), make_executor(), []
    executor.add_node(listener)

    def until(condition, *nodes):
        for node in nodes:
            if node not in running:
                running.append(node)
                executor.add_node(node)
        end = time.monotonic() + 30.0
        while not condition():
            assert time.monotonic() < end
            executor.spin_once(timeout_sec=0.05)
    yield listener, until
    executor.shutdown()
    for node in running:
        node.stop()
        node.destroy_node()
    listener.destroy_node()


def test_a_robot_without_a_clock_of_its_own_stamps_by_the_systems(graph):
    listener, until = graph
    heard, clocks = [], []
    listener.create_subscription(JointState, 'robot1/joint_states', heard.append, 10)
    listener.create_subscription(Clock, '/clock', clocks.append, 10)
    until(lambda: len(heard) > 5, sim(publish_clock=False))
    stamps = [conversions.seconds(msg.header.stamp) for msg in heard]
    assert all(abs(stamp - time.time()) < 5.0 for stamp in stamps) and not clocks
    assert (np.diff(stamps) > 0.0).all()


def test_a_robot_without_a_clock_of_its_own_stamps_by_another_robots(graph):
    """Which are those of the first, so that nodes of both follow the same clock."""
    listener, until = graph
    heard, clocks = [], []
    listener.create_subscription(JointState, 'robot2/joint_states', heard.append, 10)
    listener.create_subscription(Clock, '/clock', clocks.append, 10)
    until(lambda: len([msg for msg in heard if conversions.seconds(msg.header.stamp)]) > 20,
          sim('robot1'), sim('robot2', publish_clock=False, use_sim_time=True))
    stamps = {conversions.seconds(msg.header.stamp) for msg in heard} - {0.0}
    assert max(stamps) < 10.0
    assert len(stamps & {conversions.seconds(msg.clock) for msg in clocks}) > len(stamps) // 2


def test_two_clocks_are_said_with_what_to_do(graph, monkeypatch):
    monkeypatch.setattr(sim_node, 'COUNT_PERIOD', 0.05)
    listener, until = graph
    lines = []
    listener.create_subscription(Log, '/rosout', lambda msg: lines.append(msg.msg),
        qos_profile_rosout_default)
    until(lambda: listener.count_publishers('/clock') == 2, sim('robot1'), sim('robot2'))
    until(lambda: any('publish_clock:=false' in line for line in lines))


@pytest.mark.parametrize('own, ticks', [(True, [1, 2, 3, 4, 5, 6, 7]),
                                        (False, [1, 2, 3, 3, 7, 8, 9])])
def test_physics_keep_up_with_a_clock_of_others(ros, monkeypatch, own, ticks):
    """A tick is 5 ms. After the start, a reset and a long pause there is one."""
    node, found = sim(publish_clock=own), []
    for now in (1000, 1005, 1012, 1012, 1030, 500, 50_000):
        monkeypatch.setattr(node, 'get_clock', lambda now=now: SimpleNamespace(
            now=lambda: Time(nanoseconds=1_000_000 * now)))
        node._on_tick()
        found.append(node._robot.ticks)
    node.stop()
    node.destroy_node()
    assert found == ticks


def test_frames_carry_the_prefix(graph):
    listener, until = graph
    imu, odom = [], []
    listener.create_subscription(Imu, 'robot1/imu/data', imu.append, 10)
    listener.create_subscription(Odometry, 'robot1/odom', odom.append, 10)
    until(lambda: imu and odom, sim(frame_prefix='robot1/'))
    assert imu[0].header.frame_id == odom[0].child_frame_id == 'robot1/base_link'
    assert odom[0].header.frame_id == 'robot1/odom'
