"""Publishes odometry as a transform on ``/tf``, if tf2's messages are installed."""

from __future__ import annotations

from typing import Any

from geometry_msgs.msg import TransformStamped
from nav_msgs.msg import Odometry
from rclpy.node import Node

from humanoid_locomotion.nodes.ros import qos


class OdometryTransform:
    """Publishes the pose of odometry messages as the transform between their two frames.

    Args:
        node: The node that publishes.
        odom: A message with the frame names; its values are not used.
    """

    def __init__(self, node: Node, odom: Odometry):
        self._publisher: Any = None
        try:
            from tf2_msgs.msg import TFMessage
        except ImportError:
            node.get_logger().info('tf2_msgs is not installed: no /tf')
            return
        self._transform = TransformStamped(child_frame_id=odom.child_frame_id)
        self._transform.header.frame_id = odom.header.frame_id
        self._message = TFMessage(transforms=[self._transform])
        self._publisher = node.create_publisher(TFMessage, '/tf', qos.VELOCITY_COMMAND)

    def publish(self, odom: Odometry) -> None:
        """Publish the pose of a message."""
        if self._publisher is None:
            return
        self._transform.header.stamp = odom.header.stamp
        position, translation = odom.pose.pose.position, self._transform.transform.translation
        translation.x, translation.y, translation.z = position.x, position.y, position.z
        self._transform.transform.rotation = odom.pose.pose.orientation
        self._publisher.publish(self._message)
