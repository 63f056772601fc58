# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The frames below the base, from odometry."""

import sys
from types import ModuleType

import pytest

pytest.importorskip('rclpy')

from geometry_msgs.msg import TransformStamped
from nav_msgs.msg import Odometry
import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.nodes.ros import conversions
from humanoid_locomotion.nodes.ros.transform import OdometryTransform, set_footprint

pytestmark = pytest.mark.ros


def odometry(position, orientation):
    msg = Odometry(child_frame_id='robot1/base_link')
    msg.header.frame_id = 'robot1/odom'
    conversions.set_odometry(msg, np.array(position), np.zeros(3), np.array(orientation),
                             np.zeros(3))
    return msg


def values(transform):
    """Give translation and rotation as arrays."""
    t, q = transform.transform.translation, transform.transform.rotation
    return np.array([t.x, t.y, t.z]), np.array([q.x, q.y, q.z, q.w])


@pytest.mark.parametrize('yaw', [0.0, 2.0, -3.0])
@pytest.mark.parametrize('lean', [[0.0, 0.0], [0.3, -0.2]])
def test_the_footprint_is_below_the_base_on_the_ground_with_its_yaw(yaw, lean):
    """Seen from odom: x and y of the base, z and tilt zero."""
    position = np.array([1.0, -2.0, 0.8])
    orientation = rotations.multiply(
        rotations.yaw_quaternion(yaw), rotations.small_rotation(np.array([*lean, 0.0])))
    orientation = orientation / np.linalg.norm(orientation)
    transform = TransformStamped()
    set_footprint(transform, odometry(position, orientation))
    translation, rotation = values(transform)
    np.testing.assert_allclose(
        position + rotations.rotate(orientation, translation), [1.0, -2.0, 0.0], atol=1e-9)
    seen = rotations.multiply(orientation, rotation)
    np.testing.assert_allclose(seen[:2], 0.0, atol=1e-9)
    assert rotations.yaw(seen) == pytest.approx(rotations.yaw(orientation))


def test_odom_base_and_footprint_are_one_chain(monkeypatch):
    """With the prefix of the robot, at the time of the odometry."""
    class TFMessage:
        def __init__(self, transforms):
            self.transforms = transforms

    class Publisher:
        def create_publisher(self, kind, topic, profile):
            assert (kind, topic) == (TFMessage, '/tf')
            return self

        def publish(self, msg):
            self.sent = msg

    module = ModuleType('tf2_msgs.msg')
    module.TFMessage = TFMessage
    monkeypatch.setitem(sys.modules, 'tf2_msgs', ModuleType('tf2_msgs'))
    monkeypatch.setitem(sys.modules, 'tf2_msgs.msg', module)
    node, msg = Publisher(), odometry([1.0, 2.0, 0.5], [0.0, 0.0, 0.0, 1.0])
    msg.header.stamp.sec = 7
    OdometryTransform(node, msg, 'robot1/').publish(msg)
    chain = [(one.header.frame_id, one.child_frame_id, one.header.stamp.sec)
             for one in node.sent.transforms]
    assert chain == [('robot1/odom', 'robot1/base_link', 7),
                     ('robot1/base_link', 'robot1/base_footprint', 7)]
    np.testing.assert_allclose(values(node.sent.transforms[1])[0], [0.0, 0.0, -0.5])
