# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""cmd_vel as TwistStamped, and what its stamp is good for."""

import pytest

pytest.importorskip('rclpy')

from geometry_msgs.msg import TwistStamped

from humanoid_locomotion.nodes.ros import conversions, qos

pytestmark = pytest.mark.ros


def send(bench, publisher, age):
    """Send a forward command of an age [s]."""
    msg = TwistStamped()
    now = bench.driver.get_clock().now().nanoseconds
    msg.header.stamp = conversions.to_stamp(now - int(1e9 * age))
    msg.twist.linear.x = 0.5
    publisher.publish(msg)


def test_stamped_commands_walk_unless_they_are_old(bench, ros):
    """A command that was long under way says nothing about now."""
    one = bench(enable_stamped_cmd_vel=True)
    one.driver.destroy_publisher(one.driver.cmd_vel)
    publisher = one.driver.create_publisher(TwistStamped, 'cmd_vel', qos.VELOCITY_COMMAND)
    one.stand()
    one.until(lambda: publisher.get_subscription_count() > 0)
    for _ in range(5):
        send(one, publisher, age=2.0)
        one.spin(0.03)
    assert one.driver.state == 'standing'
    one.until(lambda: (send(one, publisher, age=0.0), one.driver.state == 'walking')[1])
