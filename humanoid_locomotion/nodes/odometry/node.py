# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The odometry node: leg odometry with an IMU, for robots that publish no ``odom``."""

from __future__ import annotations

import sys
from typing import Any, List, Optional

from nav_msgs.msg import Odometry
import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import Imu, JointState

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.feedback.dead_reckoning import DeadReckoning
from humanoid_locomotion.core.feedback.kinematics import leg_spec
from humanoid_locomotion.core.feedback.leg_odometry import LegOdometry
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.locomotion.sensors import Sensors
from humanoid_locomotion.nodes.ros import conversions, graph, qos
from humanoid_locomotion.nodes.ros.executor import run
from humanoid_locomotion.nodes.ros.parameters import OdometryParameters, declare, read
from humanoid_locomotion.nodes.ros.transform import OdometryTransform

LOG_PERIOD = 2.0  # [s]
# Standard deviations. From simulated walks, by order of magnitude: of the velocity of a step
# [m/s], and of the position as a share of the path length. Assumed: of the height [m] and of the
# IMU's orientation [rad].
SPEED_ERROR, DRIFT_SHARE, HEIGHT_ERROR, ANGLE_ERROR = 0.05, 0.03, 0.01, 0.02


class OdometryNode(Node):
    """Publishes ``odom`` for every ``joint_states``, while IMU messages arrive.

    The lower sole is assumed to stand still; the orientation is that of the IMU. The position
    drifts with foot slip and heading error: it suits path planning, not mapping.
    """

    def __init__(self, **kwargs: Any):
        super().__init__('odometry', **kwargs)
        declare(self, OdometryParameters)
        parameters = self._settings = read(self, OdometryParameters)
        robot = load_robot(parameters.robot)
        self._sensors = Sensors(
            robot.joint_names, parameters.sensor_timeout, self._log_refused,
            bool(self.get_parameter('use_sim_time').value), robot=robot)
        legs = [leg_spec(robot, sole) for sole in robot.soles]
        self._reckoning = DeadReckoning(LegOdometry(legs, robot.joint_names))
        prefix = parameters.frame_prefix
        self._message = Odometry(child_frame_id=prefix + parameters.base_frame)
        self._message.header.frame_id = prefix + parameters.odom_frame
        self._message.twist.covariance = np.diag(
            [SPEED_ERROR**2] * 3 + [ANGLE_ERROR**2] * 3).ravel()
        self._publisher = self.create_publisher(Odometry, 'odom', qos.SENSOR_OUTPUT)
        self._transform = OdometryTransform(self, self._message, prefix)
        self.create_subscription(JointState, 'joint_states', self._on_joints, qos.SENSOR_INPUT)
        self.create_subscription(Imu, 'imu/data', self._on_imu, qos.SENSOR_INPUT)
        graph.watch_topics(self)
        self.get_logger().info(f'{robot.name}: {", ".join(legs[0].joints + legs[1].joints)}')

    def stop(self) -> None:
        """Do nothing: other nodes detect that odom has stopped."""

    def _now(self) -> float:
        return 1e-9 * float(self.get_clock().now().nanoseconds)

    def _on_imu(self, msg: Imu) -> None:
        self._sensors.take_imu(msg, self._now())

    def _on_joints(self, msg: JointState) -> None:
        now, channels = self._now(), self._sensors.channels
        before = channels['joint_states'].accepted
        self._sensors.take_joint_states(msg, now)
        if channels['joint_states'].accepted == before:
            return
        if channels['imu/data'].age(now) > self._settings.sensor_timeout:
            self.get_logger().warning('no odom: no recent imu/data',
                                      throttle_duration_sec=LOG_PERIOD)
            return
        self._step(conversions.seconds(msg.header.stamp) or now)

    def _step(self, time: float) -> None:
        state, reckoning, gaps = self._sensors.state, self._reckoning, self._reckoning.gaps
        reckoning.step(state, time)
        if reckoning.gaps > gaps:
            self.get_logger().warning(
                'gap in joint_states or imu/data: the motion during the gap is not known',
                throttle_duration_sec=LOG_PERIOD)
        drift = (DRIFT_SHARE * reckoning.walked)**2
        self._message.pose.covariance = np.diag(
            [drift, drift, HEIGHT_ERROR**2] + [ANGLE_ERROR**2] * 3).ravel()
        self._message.header.stamp = conversions.to_stamp(round(1e9 * time))
        conversions.set_odometry(
            self._message, reckoning.position, reckoning.velocity,
            state.base_orientation[0].astype(np.float64),
            state.base_angular_velocity[0].astype(np.float64))
        self._publisher.publish(self._message)
        self._transform.publish(self._message)

    def _log_refused(self, error: LocomotionError) -> None:
        self.get_logger().warning(f'refused: {error}', throttle_duration_sec=LOG_PERIOD)


def main(args: Optional[List[str]] = None) -> int:
    """Run the node until it is stopped."""
    return run(OdometryNode, args)


if __name__ == '__main__':
    sys.exit(main())
