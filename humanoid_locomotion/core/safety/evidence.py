# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Inputs of the safety rules in one control step, and the limits that they are compared with."""

from __future__ import annotations

from dataclasses import dataclass, field
import math
from typing import Dict, Optional, Tuple
from xml.etree import ElementTree

import numpy as np

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.robot import GRAVITY, RobotSpec
from humanoid_locomotion.core.safety.joint_tracking import Tracking
from humanoid_locomotion.core.state import RobotState

# [rad] beyond a joint's limit. The simulated joint stop of an ankle that is kicked on rough ground
# is exceeded by more than this for at most 0.06 s.
POSITION_MARGIN = 0.1
EFFORT_FACTOR = 1.2  # of the contract's effort; motor drivers clip at 1
# Share of the effort, and noise of a torque sensor [Nm].
TORQUE_SHARE, TORQUE_NOISE = 0.1, 2.0
# Times the largest action among the golden steps; strong kicks reach a factor of 2.
ACTION_FACTOR, MIN_ACTION_LIMIT = 5.0, 10.0
# Share of the robot's weight. On the floor the leg torques show 0.7 to 0.9 of it, on a hoist a
# value below zero; a robot that is partly supported by ropes may walk.
LEAST_LOAD = 0.3
LOAD_WINDOW = 0.3  # [s] over which the largest load counts; a kick lifts the feet for less


@dataclass
class Topic:
    """Status of one sensor topic.

    Attributes:
        age: Time since the last valid measurement [s]; infinite before the first.
        unchanged: Time for which the measured values have been bit-identical [s].
        publishers: Number of nodes that publish the topic.
        problem: Reason why the latest message was refused; empty if it was not.
        lag: Mean difference between arrival time and stamp [s]; negative if stamps are ahead.
        lag_growth: Increase of the lag since the robot was engaged [s].
        unknown_frame: ``frame_id`` of its messages, if the robot has no such frame; else empty.
    """

    age: float = math.inf
    unchanged: float = 0.0
    publishers: int = 1
    problem: str = ''
    lag: float = 0.0
    lag_growth: float = 0.0
    unknown_frame: str = ''


@dataclass
class Evidence:
    """Inputs of the safety rules at the beginning of a control step.

    Attributes:
        now: Current time [s].
        state: Last measured state of the robot, one row.
        topics: Status of the sensor topics, by name.
        joint_efforts: Measured torques [Nm] (num_joints,); None if the driver measures none.
        tracking: Tracking of the joint targets; None if nothing drives the robot.
        encoder_slip: Change of position not explained by velocity [rad] (num_joints,).
        foot_load: Largest recent load on the soles [N]; None if it is not known or not checked.
        temperatures: Motor temperatures [deg C] (num_joints,), NaN where unknown; None if none
            is published.
        battery: State of charge, 0 to 1; NaN if unknown.
        battery_problem: Health problem that the battery reports; empty if none.
        action: The policy's last action (1, num_actions); None before the first.
        period: Time since the last control step [s]; 0 for the first.
        time_lost: Size of a backward clock jump since the last control step [s].
        command_publishers: Number of nodes that publish velocity commands.
        target_publishers: Number of nodes that publish ``joint_command``, including this one.
        clock_publishers: Number of nodes that publish ``/clock``, if the node uses it.
        arm_publishers: Number of nodes that publish ``arm_command`` or ``arm_trajectory``.
    """

    now: float
    state: RobotState
    topics: Dict[str, Topic] = field(default_factory=dict)
    joint_efforts: Optional[np.ndarray] = None
    tracking: Optional[Tracking] = None
    encoder_slip: Optional[np.ndarray] = None
    foot_load: Optional[float] = None
    temperatures: Optional[np.ndarray] = None
    battery: float = math.nan
    battery_problem: str = ''
    action: Optional[np.ndarray] = None
    period: float = 0.0
    time_lost: float = 0.0
    command_publishers: int = 1
    target_publishers: int = 1
    clock_publishers: int = 1
    arm_publishers: int = 0


@dataclass(frozen=True)
class SafetyLimits:
    """The limits that the rules compare with.

    Attributes:
        joint_names: The joints, in the order of every array.
        commanded_joints: The joints that actions move, in the order of actions.
        lower: Lowest positions [rad] (num_joints,), margin included.
        upper: Highest positions [rad].
        velocity: Highest speeds [rad/s]; infinite without a robot description.
        effort: Highest torques [Nm].
        torque_error: Allowed difference of measured and PD torque at zero torque [Nm].
        max_action: Largest magnitude of an action.
        control_period: Time between control steps [s].
        weight: Weight of the robot [N]; NaN without a robot description.
        sensor_timeout: Largest age of a measurement [s].
        unchanged_timeout: Longest time for which values may be bit-identical [s].
        max_tilt: Largest angle between the base's z axis and the vertical [rad].
        min_height: Lowest height of the base in odom [m]; 0 disables the check.
        warm_motor: Motor temperature that causes a warning [deg C].
        hot_motor: Motor temperature that makes the robot stand [deg C].
        low_battery: State of charge that causes a warning, 0 to 1.
        empty_battery: State of charge that makes the robot stand, 0 to 1.
    """

    joint_names: Tuple[str, ...]
    commanded_joints: Tuple[str, ...]
    lower: np.ndarray
    upper: np.ndarray
    velocity: np.ndarray
    effort: np.ndarray
    torque_error: np.ndarray
    max_action: float
    control_period: float
    weight: float
    sensor_timeout: float
    unchanged_timeout: float
    max_tilt: float
    min_height: float
    warm_motor: float = 80.0
    hot_motor: float = 95.0
    low_battery: float = 0.2
    empty_battery: float = 0.1

    @classmethod
    def of(cls, contract: PolicyContract, robot: Optional[RobotSpec], golden_action: float,
           **given: float) -> SafetyLimits:
        """Return the limits of a policy on a robot.

        Args:
            contract: Contract with the joints and their limits.
            robot: Robot description with joint limits, speeds and masses; None if unknown.
            golden_action: Largest action among the golden steps.
            given: The attributes from ``sensor_timeout`` on.
        """
        own = {} if robot is None else {joint.name: joint for joint in robot.joints}
        speeds = {name: joint.velocity for name, joint in own.items()}
        # Targets may be accepted beyond the robot's limits, measured positions are not.
        lower = [max(j.lower, own[j.name].lower if own else j.lower) for j in contract.joints]
        upper = [min(j.upper, own[j.name].upper if own else j.upper) for j in contract.joints]
        return cls(
            joint_names=tuple(contract.joint_names),
            commanded_joints=tuple(contract.commanded_joints),
            # In the precision of the measurements, which saves a conversion in each step.
            lower=(np.array(lower) - POSITION_MARGIN).astype(np.float32),
            upper=(np.array(upper) + POSITION_MARGIN).astype(np.float32),
            velocity=np.array([speeds.get(name, math.inf) for name in contract.joint_names],
                              np.float32),
            effort=EFFORT_FACTOR * contract.values('effort'),
            torque_error=(TORQUE_SHARE * contract.values('effort') + TORQUE_NOISE).astype(
                np.float32),
            max_action=max(MIN_ACTION_LIMIT, ACTION_FACTOR * golden_action),
            control_period=contract.control_period, weight=_weight(robot), **given)


def _weight(robot: Optional[RobotSpec]) -> float:
    try:
        mass = math.nan if robot is None else robot.mass
    # A model without inertial elements, or one that cannot be read.
    except (ConfigError, OSError, ElementTree.ParseError):
        return math.nan
    return GRAVITY * mass if mass > 0.0 else math.nan  # a URDF has none
