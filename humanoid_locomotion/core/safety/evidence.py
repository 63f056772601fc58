"""What the safety rules look at in one control step, and the figures that they compare it with."""

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

# [rad] beyond a joint's limit. The simulated stop of an ankle that is kicked on rough ground gives
# way by more for 0.06 s at most.
POSITION_MARGIN = 0.1
EFFORT_FACTOR = 1.2  # of the contract's effort; a driver clips at 1
# Of the effort, and a torque sensor's noise [Nm].
TORQUE_SHARE, TORQUE_NOISE = 0.1, 2.0
# Times the largest action among the golden steps; strong kicks reach twice.
ACTION_FACTOR, MIN_ACTION_LIMIT = 5.0, 10.0
# Of the robot's weight. On the floor the legs' torques show 0.7 to 0.9 of it, on a hoist less
# than nothing; a robot that stands with part of its weight in ropes may walk.
LEAST_LOAD = 0.3


@dataclass
class Topic:
    """What is known of one sensor.

    Attributes:
        age: Time since what was measured last and could be used [s]; infinite before the first.
        unchanged: Time for which the measured figures have been the same to the last bit [s].
        publishers: How many nodes publish it.
        problem: Why the latest message was refused; empty if it was not.
        lag: How far its stamps lie behind this clock on arrival, averaged [s]; below 0 ahead.
        lag_growth: How much of it came up since the robot was engaged [s].
        unknown_frame: The frame of its messages, where nothing is known of it; empty otherwise.
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
    """What is known at the beginning of a control step.

    Attributes:
        now: The time [s].
        state: What the robot measured last, one row.
        topics: The sensors, by name.
        joint_efforts: Measured torques [Nm] (num_joints,); None where a driver gives none.
        tracking: How the joints follow their targets; None where nothing moves the robot.
        encoder_slip: What positions changed by beyond their velocity [rad] (num_joints,).
        foot_load: The most that the soles carried lately [N]; None where it is not known, or not
            asked.
        temperatures: Of the motors [deg C] (num_joints,), NaN where not known; None for none.
        battery: What is left in it, 0 to 1; NaN if not known.
        battery_problem: What the battery says is wrong with itself; empty if nothing.
        action: The policy's last action (1, num_actions); None before the first.
        period: Time since the last control step [s]; 0 for the first.
        time_lost: How far the clock jumped back since the last control step [s].
        command_publishers: How many nodes publish velocity commands.
        target_publishers: How many nodes publish ``joint_command``, this one included.
        clock_publishers: How many nodes publish ``/clock``, where the node follows it.
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


@dataclass(frozen=True)
class SafetyLimits:
    """The figures that the rules compare with.

    Attributes:
        joint_names: The joints, in the order of every array.
        lower: Lowest positions [rad] (num_joints,), margin included.
        upper: Highest positions [rad].
        velocity: Highest speeds [rad/s]; infinite where no robot description says.
        effort: Highest torques [Nm].
        torque_error: What a measured torque may lie off the PD law by, whatever is asked [Nm].
        max_action: Largest magnitude of an action.
        control_period: Time between control steps [s].
        weight: Of the robot [N]; NaN where no robot description says.
        sensor_timeout: Age at which a measurement is too old [s].
        unchanged_timeout: Time for which figures may stay the same to the last bit [s].
        max_tilt: Largest angle between the base's z axis and the vertical [rad].
        min_height: Lowest height of the base in odom [m]; 0 to not look.
        warm_motor: Temperature from which a motor is worth a word [deg C].
        hot_motor: Temperature from which the robot stands [deg C].
        low_battery: Charge below which it is worth a word, 0 to 1.
        empty_battery: Charge below which the robot stands.
    """

    joint_names: Tuple[str, ...]
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
            contract: Whose joints and limits.
            robot: Where the joints' limits and speeds and the masses are written; None if
                unknown.
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
            # In the precision of what is compared with them, which saves a conversion each step.
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
    # A model that leaves its masses to its shapes, or cannot be read.
    except (ConfigError, OSError, ElementTree.ParseError):
        return math.nan
    return GRAVITY * mass if mass > 0.0 else math.nan  # a URDF shows none
