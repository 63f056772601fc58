# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The interface between the driver node and one kind of robot.

Arrays have one entry for each joint, in the order of ``RobotPort.joints``; angles are in rad, with
the zero and the sign of the robot description.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, FrozenSet, Optional, Protocol, Tuple

import numpy as np


@dataclass(frozen=True)
class Remote:
    """Remote control: the buttons that are held, and the sticks, -1 to 1 (right, forward)."""

    buttons: FrozenSet[str]
    left: Tuple[float, float] = (0.0, 0.0)
    right: Tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class RobotReading:
    """One state message of the robot."""

    time: float  # [s], time.monotonic() at arrival
    position: np.ndarray  # [rad]
    velocity: np.ndarray  # [rad/s]
    effort: np.ndarray  # [Nm], as the motors estimate it
    temperature: np.ndarray  # [deg C]
    quaternion_wxyz: np.ndarray  # of the IMU in the world
    angular_velocity_in_imu: np.ndarray  # [rad/s]
    acceleration_in_imu: np.ndarray  # [m/s^2], with gravity
    remote: Optional[Remote] = None
    battery: Optional[float] = None  # state of charge, 0 to 1
    fault: str = ''  # why the motors must not be driven, or empty


@dataclass(frozen=True)
class MotorCommand:
    """``torque = kp (position - q) + kd (velocity - dq) + effort`` for each joint."""

    position: np.ndarray  # [rad]
    velocity: np.ndarray  # [rad/s]
    effort: np.ndarray  # [Nm]
    kp: np.ndarray  # [Nm/rad]
    kd: np.ndarray  # [Nms/rad]


class RobotPort(Protocol):
    """Connection to one robot; ``read`` and ``write`` may be called from two threads."""

    joints: Tuple[str, ...]
    imu_frame: str  # link or site of the robot description that holds the IMU
    on_state: Callable[[], None]  # called in any thread when a state has arrived, if it can

    def open(self) -> None:
        """Connect and wait for the first state.

        Raises:
            ConfigError: there is no such interface, no robot answers, or it is another robot.
        """

    def read(self) -> Optional[RobotReading]:
        """Return the newest state that was not read yet, or None. Never blocks."""

    def write(self, command: MotorCommand) -> None:
        """Send one command to every motor. Never blocks."""

    def other_commanders(self) -> Tuple[str, ...]:
        """Return a description of each other process that publishes motor commands."""

    def owner(self) -> str:
        """Return the name of the robot's own mode that drives the motors, or an empty string."""

    def release(self) -> None:
        """Ask the robot's own mode to release the motors: a robot that nothing holds falls."""

    def close(self) -> None:
        """Disconnect. The caller has damped the robot before."""
