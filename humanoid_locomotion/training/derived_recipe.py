# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Derives a training config from a robot's dimensions, masses and gains.

Two robots of the same build but of another size walk alike at equal Froude numbers, v^2 / (g l):
with legs s times as long, lengths are s times as large, times and speeds sqrt(s) times. The
recipe ``config/training/any_robot.yaml`` is scaled by this law from its robot to another one.
Each reward term keeps its share: its weight is divided by the scale of the term's unit.
"""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Any, Dict, List, Mapping, NamedTuple

from humanoid_locomotion.core.feedback.robot_size import RobotSize, joint_roles, robot_size
from humanoid_locomotion.core.reading.resources import config_file
from humanoid_locomotion.core.robot import RobotSpec, load_robot
from humanoid_locomotion.training.config_file import read_files

BASIS = 'any_robot'
# Largest target change for an action of one, a median over the leg joints [rad]: the motion, and
# a share of the angle by which the weight bends them. Fit to the recipes of the robots that ship,
# within 15 %.
MOTION_ANGLE, WEIGHT_SHARE = 0.2, 0.04
POSE_WEIGHTS = {'leg_pitch': 0.0, 'hip_roll': 1.0, 'hip_yaw': 2.0, 'ankle': 0.5, 'trunk': 3.0,
                'arm': 1.0}  # by the roles of robot_size.py
CONTACT_ROWS = 64  # of constraints: 8 points of the feet x 4 rows, and limbs of a falling robot
# Ranges that the scorecard needs of the usual size, with a tenth of reserve for commands, and
# their units.
SCORED = {'commands.limits.lin_vel_x': (-0.33, 1.1, 'm/s'),
          'commands.limits.lin_vel_y': (-0.33, 0.33, 'm/s'),
          'commands.limits.ang_vel_z': (-0.55, 0.55, 'rad/s'),
          'randomization.payload': (0.0, 4.0, 'kg')}
DIGITS = 4


class Unit(NamedTuple):
    """The scale of a quantity: powers of the ratios of leg length and mass."""

    name: str
    length: float
    mass: float = 0.0

    def factor(self, size: RobotSize, basis: RobotSize) -> float:
        """Return the quantity of a robot over that of the basis."""
        ratio: float = ((size.leg_length / basis.leg_length) ** self.length
                        * (size.mass / basis.mass) ** self.mass)
        return ratio

    def per(self, power: int = 1) -> Unit:
        """Return the unit of a weight on this quantity, to a power."""
        name = f'1 / {self.name}' + f'^{power}' * (power > 1)
        return Unit(name, -power * self.length, -power * self.mass)


LENGTH, TIME, SPEED, RATE = (
    Unit('length', 1.0), Unit('time', 0.5), Unit('speed', 0.5), Unit('rate', -0.5))
MASS, TORQUE, POWER = Unit('mass', 0.0, 1.0), Unit('torque', 1.0, 1.0), Unit('power', 0.5, 1.0)
ACCELERATION = Unit('angular acceleration', -1.0)
REWARDS: Mapping[str, Unit] = {
    'track_linear_velocity.sigma': SPEED, 'track_yaw_rate.sigma': RATE,
    'feet_follow_clock.swing_height': LENGTH, 'feet_follow_clock.sigma': LENGTH,
    'base_height.weight': LENGTH.per(2), 'vertical_velocity.weight': SPEED.per(2),
    'roll_pitch_rate.weight': RATE.per(2), 'energy.weight': POWER.per(),
    'torques.weight': TORQUE.per(2), 'joint_accelerations.weight': ACCELERATION.per(2),
    'feet_slip.weight': SPEED.per(), 'feet_too_close.weight': LENGTH.per(),
    'stand_joint_velocity.weight': RATE.per(2), 'stand_foot_drift.weight': SPEED.per(),
    'stand_foot_drift.limit': SPEED}
SCALED: Mapping[str, Unit] = {
    'gait.period': TIME, 'gait.moving_threshold': SPEED,
    'commands.limits.lin_vel_x': SPEED, 'commands.limits.lin_vel_y': SPEED,
    'commands.limits.ang_vel_z': RATE, 'randomization.payload': MASS,
    'randomization.com_offset': LENGTH, 'randomization.reset_velocity': SPEED,
    'randomization.push_velocity': SPEED, 'randomization.push_yaw_rate': RATE,
    **{f'rewards.weights.{key}': unit for key, unit in REWARDS.items()}}


@dataclass(frozen=True)
class Recipe:
    """A derived training config.

    Attributes:
        data: The config as plain data.
        reasons: By dotted key, where its value comes from.
    """

    data: Dict[str, Any]
    reasons: Dict[str, str]


def derive(robot: RobotSpec, name: str) -> Recipe:
    """Return the recipe of a robot.

    Args:
        robot: The robot.
        name: Its name or folder, for the config.

    Raises:
        LocomotionError: The robot's model cannot be read.
    """
    data = read_files(config_file('training', BASIS))
    model = load_robot(data['robot'])
    size, basis = robot_size(robot), robot_size(model)
    recipe = Recipe({**data, 'robot': name}, {})

    def put(key: str, value: Any, reason: str) -> None:
        place, parts = recipe.data, key.split('.')
        for part in parts[:-1]:
            inner = place.get(part, {})
            place[part] = dict(inner) if isinstance(inner, Mapping) else {'weight': inner}
            place = place[part]
        place[parts[-1]] = value
        recipe.reasons[key] = reason

    def times(key: str, factor: float, reason: str) -> None:
        value = _at(data, key)
        put(key, _scaled(value, factor), f'{value} of {model.name} x {factor:.3g}, {reason}')

    for key, unit in SCALED.items():
        times(key, unit.factor(size, basis), unit.name)
    for key, (*ends, of) in SCORED.items():
        lower, upper = (size.scale.of(end, of) for end in ends)
        low, high = _at(recipe.data, key)
        if lower < low or upper > high:
            put(key, [min(low, lower), max(high, upper)],
                f'{recipe.reasons[key]}, and as far as the scorecard goes')
    heights = size.base_height / basis.base_height
    for key in ('rewards.weights.base_height.height', 'terminations.base_height'):
        times(key, heights, 'height of the base')
    times('rewards.weights.feet_too_close.distance', size.feet_distance / basis.feet_distance,
          'distance of the feet in the default pose')
    angle = MOTION_ANGLE + WEIGHT_SHARE * size.weight_angle
    put('action.scale', _scaled(angle / size.torque_angle, 1.0),
        f'{angle:.2f} rad for an action of one, of effort / kp = {size.torque_angle:.2f} rad')
    has_friction = any(float(it.get('frictionloss', 0.0)) > 0.0
                       for it in robot.mjcf_root.iter('joint'))
    rows = CONTACT_ROWS + robot.num_joints * (2 if has_friction else 1)
    put('physics.max_constraints', 8 * math.ceil(rows / 8), f'{CONTACT_ROWS} for contacts, and '
        f'for each joint one for its limit{" and one for its friction" if has_friction else ""}')
    roles = joint_roles(robot)
    weights = {name: POSE_WEIGHTS[roles[name]]  # a name that contains another one comes first
               for name in sorted(roles, key=len, reverse=True)}
    put('rewards.weights.pose.joint_weights', weights, 'by the role of each joint: '
        + ', '.join(f'{role} {weight:g}' for role, weight in POSE_WEIGHTS.items()))
    arms: List[str] = [name for name, role in roles.items() if role == 'arm']
    put('randomization.external_arm_motion.joints', arms, 'neither of the legs nor of the trunk')
    if not arms:
        put('randomization.external_arm_motion.share', 0.0, 'the robot has no arms')
    return recipe


def _at(data: Mapping[str, Any], key: str) -> Any:
    value: Any = data
    for part in key.split('.'):
        value = value[part] if isinstance(value, Mapping) else value  # a number is a weight
    return value


def _scaled(value: Any, factor: float) -> Any:
    if isinstance(value, list):
        return [_scaled(it, factor) for it in value]
    return float(f'{value * factor:.{DIGITS}g}')
