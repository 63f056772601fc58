# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The odometry node by its topics: what it says, and when it says nothing."""

import time

import numpy as np
import pytest

pytest.importorskip('rclpy')

from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import Imu, JointState

from humanoid_locomotion.core.errors import UnknownNameError
from humanoid_locomotion.core.feedback.kinematics import leg_spec
from humanoid_locomotion.core.feedback.leg_odometry import LegOdometry
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.nodes.odometry.node import OdometryNode
from humanoid_locomotion.nodes.ros import conversions, qos
from humanoid_locomotion.nodes.ros.executor import make_executor

pytestmark = pytest.mark.ros
ROBOT = load_robot('unitree_g1')
DEFAULT = dict(zip(ROBOT.joint_names, ROBOT.values('default').tolist()))
STEP, PATIENCE = 0.01, 10.0


class Robot(Node):
    """Says joints and IMU when told to, stamped now or earlier."""

    def __init__(self):
        super().__init__('robot')
        self.heard, self.names = [], list(ROBOT.joint_names)
        self.speeds = dict.fromkeys(self.names, 0.0)
        self._joints = self.create_publisher(JointState, 'joint_states', qos.SENSOR_OUTPUT)
        self._imu = self.create_publisher(Imu, 'imu/data', qos.SENSOR_OUTPUT)
        self.create_subscription(Odometry, 'odom', self.heard.append, 10)

    @property
    def is_connected(self):
        return self._joints.get_subscription_count() and self._imu.get_subscription_count() \
            and self.count_publishers('odom')

    def say(self, with_imu=True):
        stamp = self.get_clock().now().to_msg()
        if with_imu:
            imu = Imu()
            imu.header.stamp, imu.orientation.w = stamp, 1.0
            self._imu.publish(imu)
            time.sleep(0.002)
        joints = JointState(name=self.names, position=[DEFAULT[name] for name in self.names],
            velocity=[self.speeds[name] for name in self.names])
        joints.header.stamp = stamp
        self._joints.publish(joints)


class Bench:
    """The node and the robot on one executor."""

    def __init__(self, **parameters):
        self.node = OdometryNode(parameter_overrides=[
            Parameter(key, value=value) for key, value in {'robot': 'unitree_g1',
                                                           **parameters}.items()])
        self.robot, self.executor = Robot(), make_executor()
        for one in (self.node, self.robot):
            self.executor.add_node(one)
        self.until(lambda: self.robot.is_connected)

    def until(self, condition, patience=PATIENCE):
        deadline = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < deadline, 'nothing came'
            self.executor.spin_once(timeout_sec=0.01)

    def talk(self, times, **how):
        """Let the robot speak so many times, and hear the answers."""
        for _ in range(times):
            self.robot.say(**how)
            end = time.monotonic() + STEP
            while time.monotonic() < end:
                self.executor.spin_once(timeout_sec=0.002)

    def close(self):
        self.executor.shutdown()
        self.node.destroy_node()
        self.robot.destroy_node()


@pytest.fixture
def bench(ros):
    made = []

    def make(**parameters):
        made.append(Bench(**parameters))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_robot_that_stands_is_where_it_began_at_the_height_of_its_legs(bench):
    it = bench(odom_frame='world', base_frame='pelvis')
    it.talk(20)
    it.until(lambda: it.robot.heard)
    said = it.robot.heard[-1]
    assert (said.header.frame_id, said.child_frame_id) == ('world', 'pelvis')
    assert conversions.odom_position(said) == pytest.approx(
        [0.0, 0.0, ROBOT.base_height], abs=0.01)
    assert not conversions.odom_linear_velocity(said).any()
    assert said.pose.covariance[0] == 0.0 and said.twist.covariance[0] > 0.0


def test_a_robot_that_swings_over_its_legs_has_gone_that_far(bench):
    it = bench()
    for side in ('left', 'right'):
        it.robot.speeds[f'{side}_hip_pitch_joint'] = 0.4
        it.robot.speeds[f'{side}_hip_roll_joint'] = 0.1
    speeds = np.array([[it.robot.speeds[name] for name in ROBOT.joint_names]], np.float32)
    expected = LegOdometry([leg_spec(ROBOT, s) for s in ROBOT.soles], ROBOT.joint_names).measure(
        RobotState(ROBOT.values('default')[None].astype(np.float32), speeds,
                   np.array([[0, 0, 0, 1]], np.float32), np.zeros((1, 3), np.float32)))[0][0]
    assert abs(expected[0]) > 0.2
    it.talk(60)
    it.until(lambda: len(it.robot.heard) > 30)
    first, last = it.robot.heard[0], it.robot.heard[-1]
    seconds = conversions.seconds(last.header.stamp) - conversions.seconds(first.header.stamp)
    went = conversions.odom_position(last) - conversions.odom_position(first)
    assert went[:2] == pytest.approx(seconds * expected, abs=1e-3)
    assert conversions.odom_linear_velocity(last)[:2] == pytest.approx(expected, abs=1e-5)
    assert last.pose.covariance[0] > first.pose.covariance[0]


def test_without_an_imu_or_with_joints_missing_it_says_nothing(bench):
    it = bench()
    it.talk(10, with_imu=False)
    it.robot.names.remove('left_knee_joint')
    it.talk(10)
    assert it.robot.heard == []
    it.robot.names.append('left_knee_joint')
    it.talk(5)
    it.until(lambda: it.robot.heard)
    it.talk(30, with_imu=False)  # the IMU falls silent: 0.1 s later so does odom
    heard = len(it.robot.heard)
    it.talk(10, with_imu=False)
    assert len(it.robot.heard) == heard


def test_an_unknown_robot_is_refused(ros):
    with pytest.raises(UnknownNameError, match="'wall-e'"):
        OdometryNode(parameter_overrides=[Parameter('robot', value='wall-e')])


def test_a_clock_that_is_reset_does_not_lock_it_out(ros, monkeypatch):
    """The stamps of the new time are all older than those before."""
    node, sent = OdometryNode(parameter_overrides=[Parameter('robot', value='unitree_g1')]), []
    monkeypatch.setattr(node._publisher, 'publish', lambda msg: sent.append(msg.header.stamp.sec))
    for now in (1000, 1001, 3, 4):
        monkeypatch.setattr(node, '_now', lambda now=now: float(now))
        imu = Imu()
        imu.header.stamp.sec, imu.orientation.w = now, 1.0
        node._on_imu(imu)
        joints = JointState(name=list(DEFAULT), position=list(DEFAULT.values()),
                            velocity=[0.0] * len(DEFAULT))
        joints.header.stamp.sec = now
        node._on_joints(joints)
    node.destroy_node()
    assert sent == [1000, 1001, 3, 4]
