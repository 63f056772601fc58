# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Messages become arrays by joint name, and nothing doubtful gets through."""

import math

import numpy as np
import pytest

pytest.importorskip('rclpy')

from geometry_msgs.msg import Twist
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Imu, JointState

from humanoid_locomotion.core.errors import JointsError, MessageError
from humanoid_locomotion.nodes.ros import conversions

pytestmark = pytest.mark.ros


def joint_state(names, positions, velocities=None):
    """Give a JointState."""
    velocities = [0.0] * len(positions) if velocities is None else velocities
    return JointState(name=names, position=positions, velocity=velocities)


def test_joints_are_found_by_name_whatever_their_order_and_company():
    """A permutation with an extra joint comes out in the wanted order."""
    reader = conversions.JointReader(['hip', 'knee'])
    msg = joint_state(['gripper', 'knee', 'hip'], [math.nan, 2.0, 1.0], [9.0, 4.0, 3.0])
    assert reader.positions(msg).tolist() == [1.0, 2.0]
    assert reader.velocities(msg).tolist() == [3.0, 4.0]


def test_order_may_change_between_messages():
    """The kept permutation belongs to its names."""
    reader = conversions.JointReader(['hip', 'knee'])
    assert reader.positions(joint_state(['hip', 'knee'], [1.0, 2.0])).tolist() == [1.0, 2.0]
    assert reader.positions(joint_state(['knee', 'hip'], [2.0, 1.0])).tolist() == [1.0, 2.0]


def test_missing_joint_is_named():
    """The error lists the joint that is not there."""
    with pytest.raises(JointsError, match=r"missing joints \['knee'\]; it has \['hip'\]"):
        conversions.JointReader(['hip', 'knee']).positions(joint_state(['hip'], [1.0]))


@pytest.mark.parametrize('message, sentence', [
    (joint_state(['hip', 'knee'], [1.0, math.nan]), "position of joint 'knee' is nan"),
    (joint_state(['hip', 'knee'], [1.0]), "1 values in 'position' for 2 joints"),
    (joint_state(['hip', 'knee', 'hip'], [1.0, 2.0, 3.0]), r"\['hip'\] appear more than once"),
])
def test_doubtful_joint_states_are_refused(message, sentence):
    """Each refusal says what was wrong."""
    with pytest.raises(MessageError, match=sentence):
        conversions.JointReader(['hip', 'knee']).positions(message)


def test_absent_velocities_are_refused():
    """Zero is not what an empty array means."""
    with pytest.raises(MessageError, match="0 values in 'velocity'"):
        conversions.JointReader(['hip']).velocities(joint_state(['hip'], [1.0], []))


@pytest.mark.parametrize('component', ['x', 'y', 'z'])
@pytest.mark.parametrize('part', ['linear', 'angular'])
@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf])
def test_command_needs_six_finite_components(part, component, value):
    """Even a component that nobody uses must be finite."""
    msg = Twist()
    setattr(getattr(msg, part), component, value)
    with pytest.raises(MessageError, match='cmd_vel: velocity is not finite'):
        conversions.velocity_command(msg)


def test_command_is_forward_left_and_turning():
    """The three components that a walking robot can follow."""
    msg = Twist()
    msg.linear.x, msg.linear.y, msg.angular.z = 0.1, 0.2, 0.3
    assert conversions.velocity_command(msg).tolist() == [0.1, 0.2, 0.3]


def test_imu_orientation_is_made_unit_and_keeps_its_order():
    """Quaternions are x, y, z, w on both sides."""
    msg = Imu()
    msg.orientation.x, msg.orientation.w = 0.6 * 1.01, 0.8 * 1.01
    np.testing.assert_allclose(conversions.imu_orientation(msg), [0.6, 0.0, 0.0, 0.8])


def test_imu_that_measures_no_orientation_is_refused():
    """The message's own way of saying so is a covariance of -1; zeros are no rotation."""
    msg = Imu()
    msg.orientation.w = 1.0
    msg.orientation_covariance[0] = -1.0
    with pytest.raises(MessageError, match='has no orientation'):
        conversions.imu_orientation(msg)
    zeros = Imu()
    zeros.orientation.w = 0.0
    with pytest.raises(MessageError, match='length 0, expected 1'):
        conversions.imu_orientation(zeros)


def test_gains_survive_the_message():
    """What the node writes the driver reads."""
    kp, kd, effort = np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([5.0, 6.0])
    msg = conversions.joint_gains(kp, kd, effort)
    assert [(dim.label, dim.size, dim.stride) for dim in msg.layout.dim] == [
        ('joint', 2, 6), ('kp,kd,effort', 3, 3)]
    np.testing.assert_array_equal(
        conversions.read_gains(msg), [[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]])


@pytest.mark.parametrize('spoil', [
    lambda msg: setattr(msg, 'data', [1.0, 2.0]),
    lambda msg: setattr(msg, 'data', [1.0, 2.0, math.nan]),
    lambda msg: setattr(msg, 'data', [-1.0, 2.0, 3.0]),
    lambda msg: setattr(msg.layout, 'dim', []),
])
def test_doubtful_gains_are_refused(spoil):
    """Gains move motors."""
    msg = conversions.joint_gains(*np.ones((3, 1)))
    spoil(msg)
    with pytest.raises(MessageError, match='joint_gains'):
        conversions.read_gains(msg)


def test_targets_are_written_without_loss():
    """Every target is the double of the float that the policy gave; nothing else changes."""
    command = conversions.JointCommand(['hip', 'knee'])
    command.serialized(np.array([7.0, 8.0]), 9)
    targets = np.array([0.1, -0.2], np.float32)
    msg = deserialize_message(command.serialized(targets, 1_500_000_000), JointState)
    assert list(msg.name) == ['hip', 'knee']
    assert list(msg.position) == targets.astype(float).tolist()
    assert list(msg.velocity) == list(msg.effort) == [0.0, 0.0]
    assert conversions.seconds(msg.header.stamp) == 1.5
