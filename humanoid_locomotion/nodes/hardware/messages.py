# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""ROS messages of a robot's state."""

from __future__ import annotations

import array
from typing import Any, List, Sequence

import numpy as np
from sensor_msgs.msg import BatteryState, Imu, JointState, Temperature

from humanoid_locomotion.nodes.hardware.port import RobotReading
from humanoid_locomotion.nodes.ros import conversions


class StateMessages:
    """Messages that are filled again with each state.

    Args:
        joints: Names of the joints, in the order of the readings.
        imu_frame: Link or site of the robot description that holds the IMU.
    """

    def __init__(self, joints: Sequence[str], imu_frame: str):
        self.joint_states, self.imu = JointState(name=list(joints)), Imu()
        self.imu.header.frame_id = imu_frame

    def fill(self, reading: RobotReading, stamp: Any) -> None:
        """Write a state and its stamp into ``joint_states`` and ``imu``."""
        joints, imu = self.joint_states, self.imu
        joints.header.stamp = imu.header.stamp = stamp
        joints.position = _doubles(reading.position)
        joints.velocity = _doubles(reading.velocity)
        joints.effort = _doubles(reading.effort)
        q = imu.orientation
        q.w, q.x, q.y, q.z = reading.quaternion_wxyz.tolist()
        conversions.set_xyz(imu.angular_velocity, reading.angular_velocity_in_imu)
        conversions.set_xyz(imu.linear_acceleration, reading.acceleration_in_imu)

    def temperatures(self, reading: RobotReading, stamp: Any) -> List[Temperature]:
        """Return one message for each motor; ``frame_id`` is its joint."""
        found = []
        for name, degrees in zip(self.joint_states.name, reading.temperature.tolist()):
            message = Temperature(temperature=float(degrees))
            message.header.frame_id, message.header.stamp = name, stamp
            found.append(message)
        return found


def battery(charge: float, stamp: Any) -> BatteryState:
    """Return the state of charge, 0 to 1; what is not measured is NaN."""
    nan = float('nan')
    message = BatteryState(percentage=charge, present=True, voltage=nan, current=nan,
                           temperature=nan, charge=nan, capacity=nan, design_capacity=nan)
    message.header.stamp = stamp
    return message


def _doubles(values: np.ndarray) -> Any:
    return array.array('d', values.astype(np.float64).tobytes())
