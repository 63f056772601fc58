# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The observation terms and the layouts made of them.

A term is a pure function of a :class:`Moment`, registered with its mirror image. To add a term,
write the function here (or in a module that is imported before training) and name it in a layout:
in :data:`LAYOUTS`, or in ``observation.terms`` of a training config.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict, Tuple, Union

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.action import arm_joints
from humanoid_locomotion.core.arrays import Array, Constant, namespace, norm_last
from humanoid_locomotion.core.command import BASE_HEIGHT
from humanoid_locomotion.core.contract import PolicyContract, TermSpec
from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.state import RobotState


@dataclass(frozen=True)
class Moment:
    """The data of one control step from which observations are computed.

    Attributes:
        state: The measured state, with joints in the order of the contract.
        command: (num_envs, command size), clamped to the contract's limits.
        previous_action: (num_envs, num_actions), zeros after a reset.
        gait: (num_envs, 4), sine and cosine of the stride's phase for the left leg, then for the
            right one; None without a clock.
    """

    state: RobotState
    command: Array
    previous_action: Array
    gait: Array = None


class JointSelection:
    """Selects the observed joints from all joints; without effect if all are observed."""

    def __init__(self, contract: PolicyContract):
        names = contract.joint_names
        index = [names.index(name) for name in contract.observed_joints]
        self.is_all = index == list(range(len(names)))
        self._index = Constant(index, dtype=np.int64)
        self.default = Constant(contract.values('default')[index])
        self.arm_default = Constant(contract.values('default')[arm_joints(names)])
        axes = contract.command_limits.names
        self.height_column = axes.index(BASE_HEIGHT) if BASE_HEIGHT in axes else len(axes)

    def __call__(self, values: Array) -> Array:
        """Return the observed columns of (num_envs, num_joints)."""
        return values if self.is_all else values[:, self._index.like(values)]


Function = Callable[[Moment, JointSelection], Array]
# Signs of a vector mirrored through the sagittal plane (y = 0): of polar vectors such as
# velocities, and of axial vectors such as angular velocities.
POLAR, AXIAL = (1.0, -1.0, 1.0), (-1.0, 1.0, -1.0)
# Mirrors of terms with one number per joint: of the observed joints, or of the commanded ones.
OBSERVED_JOINTS, COMMANDED_JOINTS = 'observed joints', 'commanded joints'
ARM_JOINTS = 'arm joints'  # the mirror of a term with one number per joint of the arms
LEFT_AND_RIGHT = 'left and right'  # the mirror of a term with one number per leg
COMMAND_AXES = 'command axes'  # the mirror of a term with one number per axis of the command
Mirror = Union[str, Tuple[float, ...]]


@dataclass(frozen=True)
class ObservationTerm:
    """An entry of :data:`TERMS`.

    Attributes:
        function: Maps a moment to (num_envs, numbers).
        mirror: The sign of each number in the mirror image; or OBSERVED_JOINTS, COMMANDED_JOINTS,
            ARM_JOINTS, COMMAND_AXES or LEFT_AND_RIGHT, for numbers that are mirrored like those.
        needs_odometry: Whether a robot without odometry cannot provide it.
    """

    function: Function
    mirror: Mirror
    needs_odometry: bool = False

    def __call__(self, moment: Moment, joints: JointSelection) -> Array:
        """Return the term of a moment, (num_envs, numbers)."""
        return self.function(moment, joints)


TERMS: Dict[str, ObservationTerm] = {}


def register_observation(mirror: Mirror, needs_odometry: bool = False, name: str = ''
                         ) -> Callable[[Function], Function]:
    """Register an observation term, so that layouts and contracts can name it; a decorator.

    Args:
        mirror: The sign of each number when left and right are exchanged, such as (1, -1, 1) for
            a velocity; or ``'observed joints'``, ``'commanded joints'``, ``'command axes'`` or
            ``'left and right'``, for one number per joint, axis or leg.
        needs_odometry: Whether a robot without odometry cannot provide the term.
        name: The term's name; that of the function by default.

    Raises:
        LocomotionError: The name is taken.
    """
    def register(function: Function) -> Function:
        called = name or function.__name__
        if called in TERMS:
            raise LocomotionError(
                f'the observation term {called!r} is registered already; expected another name')
        TERMS[called] = ObservationTerm(function, mirror, needs_odometry)
        return function

    return register


@register_observation(POLAR, needs_odometry=True)
def base_position(moment: Moment, _: JointSelection) -> Array:
    """Position of the base in the odometry frame [m]."""
    return _odometry(moment.state.base_position, 'base_position')


@register_observation(POLAR, needs_odometry=True)
def base_linear_velocity(moment: Moment, _: JointSelection) -> Array:
    """Velocity of the base, in the base frame [m/s]."""
    return _odometry(moment.state.base_linear_velocity, 'base_linear_velocity')


@register_observation((-1.0, 1.0, -1.0, 1.0))
def base_orientation(moment: Moment, _: JointSelection) -> Array:
    """Orientation of the base, xyzw."""
    return moment.state.base_orientation


@register_observation(AXIAL)
def base_angular_velocity(moment: Moment, _: JointSelection) -> Array:
    """Angular velocity of the base, in the base frame [rad/s]."""
    return moment.state.base_angular_velocity


@register_observation(POLAR)
def projected_gravity(moment: Moment, _: JointSelection) -> Array:
    """Direction of gravity in the base frame."""
    return rotations.projected_gravity(moment.state.base_orientation)


@register_observation(COMMAND_AXES)
def velocity_command(moment: Moment, _: JointSelection) -> Array:
    """The command, all axes of the contract's :class:`CommandSpec` in order."""
    return moment.command


@register_observation(POLAR[:2])
def linear_velocity_command(moment: Moment, _: JointSelection) -> Array:
    """The command's forward and left velocity [m/s]."""
    return moment.command[:, :2]


@register_observation(AXIAL[2:])
def yaw_rate_command(moment: Moment, _: JointSelection) -> Array:
    """The command's turning rate to the left [rad/s]."""
    return moment.command[:, 2:3]


@register_observation(OBSERVED_JOINTS)
def joint_positions(moment: Moment, joints: JointSelection) -> Array:
    """Joint positions [rad]."""
    return joints(moment.state.joint_positions)


@register_observation(OBSERVED_JOINTS)
def joint_positions_from_default(moment: Moment, joints: JointSelection) -> Array:
    """Joint positions measured from the default pose [rad]."""
    positions = joints(moment.state.joint_positions)
    return positions - joints.default.like(positions)


@register_observation(OBSERVED_JOINTS)
def joint_velocities(moment: Moment, joints: JointSelection) -> Array:
    """Joint velocities [rad/s]."""
    return joints(moment.state.joint_velocities)


@register_observation(COMMANDED_JOINTS)
def previous_action(moment: Moment, _: JointSelection) -> Array:
    """The action of the previous control step."""
    return moment.previous_action


@register_observation((-1.0, -1.0))  # the mirror image is half a stride later
def gait_clock(moment: Moment, _: JointSelection) -> Array:
    """Sine and cosine of the stride's phase; zeros if the command asks to stand."""
    return _gait(moment, 'gait_clock')[:, :2]


@register_observation(LEFT_AND_RIGHT)
def leg_phase_sines(moment: Moment, _: JointSelection) -> Array:
    """Sine of the phase of the left leg and of the right one, which is half a stride later."""
    return _gait(moment, 'leg_phase_sines')[:, 0::2]


@register_observation(LEFT_AND_RIGHT)
def leg_phase_cosines(moment: Moment, _: JointSelection) -> Array:
    """Cosine of the phase of the left leg and of the right one."""
    return _gait(moment, 'leg_phase_cosines')[:, 1::2]


@register_observation((-1.0,))
def phase_sine(moment: Moment, _: JointSelection) -> Array:
    """Sine of the stride's phase."""
    return _gait(moment, 'phase_sine')[:, :1]


@register_observation((-1.0,))
def phase_cosine(moment: Moment, _: JointSelection) -> Array:
    """Cosine of the stride's phase."""
    return _gait(moment, 'phase_cosine')[:, 1:2]


@register_observation((1.0,))
def walk_command(moment: Moment, _: JointSelection) -> Array:
    """One if the command has a velocity, zero if it asks to stand."""
    one = namespace(moment.command).ones_like(moment.command[:, :1])
    return one * (norm_last(moment.command[:, :3]) > 0.0)[:, None]


@register_observation((-1.0, -1.0, 1.0))
def waist_command(moment: Moment, _: JointSelection) -> Array:
    """Angles that other stacks ask of the waist: zeros, for commands here have no such axis."""
    return 0.0 * moment.command[:, :3]


@register_observation((1.0,))
def base_height_command(moment: Moment, joints: JointSelection) -> Array:
    """The command's height of the base [m]."""
    return moment.command[:, joints.height_column:joints.height_column + 1]


@register_observation(ARM_JOINTS)
def arm_reference(moment: Moment, joints: JointSelection) -> Array:
    """Positions that other stacks ask of the arms, which is their default pose here [rad]."""
    return joints.arm_default.like(moment.command) + 0.0 * moment.command[:, :1]


def needs_odometry(contract: PolicyContract) -> bool:
    """Return whether a contract observes the position or the linear velocity of the base."""
    return any(TERMS[term.name].needs_odometry for term in contract.observation.terms
               if term.name in TERMS)


PROPRIOCEPTIVE: Tuple[TermSpec, ...] = (
    TermSpec('base_angular_velocity'),
    TermSpec('projected_gravity'),
    TermSpec('velocity_command'),
    TermSpec('joint_positions_from_default'),
    TermSpec('joint_velocities'),
    TermSpec('previous_action'),
)

# The layouts that a training config may name; the contract lists their terms.
LAYOUTS: Dict[str, Tuple[TermSpec, ...]] = {
    'proprioceptive': PROPRIOCEPTIVE,
    'proprioceptive_clock': PROPRIOCEPTIVE + (TermSpec('gait_clock'),),
    'full_state': (
        TermSpec('base_position'),
        TermSpec('base_linear_velocity', scale=1.0 / 5.0),
        TermSpec('base_orientation'),
        TermSpec('base_angular_velocity', scale=1.0 / 5.0),
        TermSpec('joint_positions'),
        TermSpec('joint_velocities', scale=1.0 / 10.0),
        TermSpec('previous_action'),
        TermSpec('velocity_command'),
    ),
}


def _gait(moment: Moment, name: str) -> Array:
    if moment.gait is None:
        raise LocomotionError(f'the term {name} needs a contract with a gait')
    return moment.gait


def _odometry(value: Array, name: str) -> Array:
    if value is None:
        raise LocomotionError(f'the term {name} needs odometry, which this state does not have')
    return value
