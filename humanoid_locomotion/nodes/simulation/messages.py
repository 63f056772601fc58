# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sensor messages of a simulated robot."""

from __future__ import annotations

import array
from typing import Any

from nav_msgs.msg import Odometry
import numpy as np
from sensor_msgs.msg import Imu, JointState

from humanoid_locomotion.nodes.ros import conversions
from humanoid_locomotion.nodes.simulation.simulated_robot import SimulatedRobot

# Simulated sensors are exact to single precision; a covariance of zeros means "unknown".
EXACT = 1e-12
# The accelerometer gives the mean over a cycle, which an impact within it changes by this much.
ACCELERATION_VARIANCE = 1.0


class Measurements:
    """Measurements of a simulated robot, as reused messages.

    Args:
        robot: The robot.
        base_frame: Frame of the IMU and of the odometry's velocity.
        odom_frame: Frame of the odometry's pose.

    Attributes:
        joint_states: Positions, velocities and torques of the joints.
        imu: Orientation, angular velocity and acceleration of the base.
        odom: Pose and velocity of the base.
    """

    def __init__(self, robot: SimulatedRobot, base_frame: str, odom_frame: str):
        self._robot = robot
        self.joint_states = JointState(name=robot.joint_names)
        self.imu, self.odom = Imu(), Odometry()
        self.imu.header.frame_id = self.odom.child_frame_id = base_frame
        self.odom.header.frame_id = odom_frame
        self.imu.orientation_covariance = np.diag([EXACT] * 3).ravel()
        self.imu.angular_velocity_covariance = np.diag([EXACT] * 3).ravel()
        self.imu.linear_acceleration_covariance = np.diag([ACCELERATION_VARIANCE] * 3).ravel()
        self.odom.pose.covariance = self.odom.twist.covariance = np.diag([EXACT] * 6).ravel()

    def take(self, stamp: Any) -> None:
        """Write the current measurements and a stamp into the messages."""
        state = self._robot.state()
        position, velocity = state.base_position, state.base_linear_velocity
        assert position is not None and velocity is not None  # a simulator always has odometry
        for msg in (self.joint_states, self.imu, self.odom):
            msg.header.stamp = stamp
        self.joint_states.position = _doubles(state.joint_positions)
        self.joint_states.velocity = _doubles(state.joint_velocities)
        self.joint_states.effort = _doubles(self._robot.efforts())
        conversions.set_odometry(self.odom, position[0], velocity[0], state.base_orientation[0],
                                 state.base_angular_velocity[0])
        self.imu.orientation = self.odom.pose.pose.orientation
        conversions.set_xyz(self.imu.angular_velocity, state.base_angular_velocity[0])
        conversions.set_xyz(self.imu.linear_acceleration, self._robot.specific_force())


def _doubles(values: np.ndarray) -> Any:
    return array.array('d', values.astype(np.float64).tobytes())
