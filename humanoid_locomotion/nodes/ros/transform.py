# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Publishes odometry as transforms on ``/tf``, if tf2's messages are installed."""

from __future__ import annotations

from typing import Any

from geometry_msgs.msg import Quaternion, TransformStamped
from nav_msgs.msg import Odometry
import numpy as np
from rclpy.node import Node

from humanoid_locomotion.core import rotations
from humanoid_locomotion.nodes.ros import conversions, qos

FOOTPRINT = 'base_footprint'  # REP-120


class OdometryTransform:
    """Publishes odometry messages as the transform between their two frames.

    A second transform goes from the base to :data:`FOOTPRINT`, its projection to the ground (the
    plane z = 0 of the odometry's frame), with the yaw of the base.

    Args:
        node: The node that publishes.
        odom: A message with the frame names; its values are not used.
        prefix: Prefix of the footprint's frame.
    """

    def __init__(self, node: Node, odom: Odometry, prefix: str = ''):
        self._publisher: Any = None
        try:
            from tf2_msgs.msg import TFMessage
        except ImportError:
            node.get_logger().info('tf2_msgs is not installed: no /tf')
            return
        base = odom.child_frame_id
        self._transform = TransformStamped(child_frame_id=base)
        self._transform.header.frame_id = odom.header.frame_id
        self._footprint = TransformStamped(child_frame_id=prefix + FOOTPRINT)
        self._footprint.header.frame_id = base
        self._message = TFMessage(transforms=[self._transform] + (
            [] if base == prefix + FOOTPRINT else [self._footprint]))
        self._publisher = node.create_publisher(TFMessage, '/tf', qos.VELOCITY_COMMAND)

    def publish(self, odom: Odometry) -> None:
        """Publish the pose of a message."""
        if self._publisher is None:
            return
        self._transform.header.stamp = self._footprint.header.stamp = odom.header.stamp
        position, translation = odom.pose.pose.position, self._transform.transform.translation
        translation.x, translation.y, translation.z = position.x, position.y, position.z
        self._transform.transform.rotation = odom.pose.pose.orientation
        set_footprint(self._footprint, odom)
        self._publisher.publish(self._message)


def set_footprint(transform: TransformStamped, odom: Odometry) -> None:
    """Write the transform from the base to its footprint into a message."""
    q = odom.pose.pose.orientation
    orientation = np.array([q.x, q.y, q.z, q.w])
    down = np.array([0.0, 0.0, -odom.pose.pose.position.z])
    conversions.set_xyz(transform.transform.translation,
                        rotations.rotate_inverse(orientation[None], down[None])[0])
    upright = rotations.yaw_quaternion(rotations.yaw(orientation))
    x, y, z, w = rotations.multiply(rotations.conjugate(orientation), upright).tolist()
    transform.transform.rotation = Quaternion(x=x, y=y, z=z, w=w)
