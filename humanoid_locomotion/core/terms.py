"""The observation terms: pure functions of a moment, and the layouts made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict, Tuple

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.arrays import Array, Constant
from humanoid_locomotion.core.contract import PolicyContract, TermSpec
from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.state import RobotState


@dataclass(frozen=True)
class Moment:
    """Everything that an observation may be made of, at one control step.

    Attributes:
        state: What the robot measures, joints in the order of the contract.
        command: (num_envs, command size), already within the contract's limits.
        previous_action: (num_envs, num_actions), zeros after a reset.
        gait: (num_envs, 2), the gait clock's features; None without a clock.
    """

    state: RobotState
    command: Array
    previous_action: Array
    gait: Array = None


class JointSelection:
    """Picks the observed joints out of all joints; a no-op when they are the same."""

    def __init__(self, contract: PolicyContract):
        names = contract.joint_names
        index = [names.index(name) for name in contract.observed_joints]
        self.is_all = index == list(range(len(names)))
        self._index = Constant(index, dtype=np.int64)
        self.default = Constant(contract.values('default')[index])

    def __call__(self, values: Array) -> Array:
        """Return the observed columns of (num_envs, num_joints)."""
        return values if self.is_all else values[:, self._index.like(values)]


Term = Callable[[Moment, JointSelection], Array]


def base_position(moment: Moment, _: JointSelection) -> Array:
    """Position of the base in the odometry frame [m]."""
    return _odometry(moment.state.base_position, 'base_position')


def base_linear_velocity(moment: Moment, _: JointSelection) -> Array:
    """Velocity of the base, in the base frame [m/s]."""
    return _odometry(moment.state.base_linear_velocity, 'base_linear_velocity')


def base_orientation(moment: Moment, _: JointSelection) -> Array:
    """Orientation of the base, xyzw."""
    return moment.state.base_orientation


def base_angular_velocity(moment: Moment, _: JointSelection) -> Array:
    """Angular velocity of the base, in the base frame [rad/s]."""
    return moment.state.base_angular_velocity


def projected_gravity(moment: Moment, _: JointSelection) -> Array:
    """Direction of gravity in the base frame."""
    return rotations.projected_gravity(moment.state.base_orientation)


def velocity_command(moment: Moment, _: JointSelection) -> Array:
    """The command, all axes of the contract's :class:`CommandSpec` in order."""
    return moment.command


def joint_positions(moment: Moment, joints: JointSelection) -> Array:
    """Joint positions [rad]."""
    return joints(moment.state.joint_positions)


def joint_positions_from_default(moment: Moment, joints: JointSelection) -> Array:
    """Joint positions measured from the default pose [rad]."""
    positions = joints(moment.state.joint_positions)
    return positions - joints.default.like(positions)


def joint_velocities(moment: Moment, joints: JointSelection) -> Array:
    """Joint velocities [rad/s]."""
    return joints(moment.state.joint_velocities)


def previous_action(moment: Moment, _: JointSelection) -> Array:
    """The action of the control step before."""
    return moment.previous_action


def gait_clock(moment: Moment, _: JointSelection) -> Array:
    """Sine and cosine of the stride's phase; zeros when asked to stand."""
    if moment.gait is None:
        raise LocomotionError('the term gait_clock needs a contract with a gait')
    return moment.gait


TERMS: Dict[str, Term] = {term.__name__: term for term in (
    base_position, base_linear_velocity, base_orientation, base_angular_velocity,
    projected_gravity, velocity_command, joint_positions, joint_positions_from_default,
    joint_velocities, previous_action, gait_clock)}



def register_observation(term: Term) -> Term:
    """Make a function of a :class:`Moment` an observation term of its name; a decorator.

    Raises:
        LocomotionError: There is a term of that name already.
    """
    name = getattr(term, '__name__', '')
    if name in TERMS:
        raise LocomotionError(f'register_observation: the name {name!r} is taken')
    TERMS[name] = term
    return term


# Terms that a robot without odometry cannot give.
ODOMETRY_TERMS = frozenset({'base_position', 'base_linear_velocity'})


def needs_odometry(contract: PolicyContract) -> bool:
    """Tell whether a contract asks for the base's position or linear velocity."""
    return any(term.name in ODOMETRY_TERMS for term in contract.observation.terms)


PROPRIOCEPTIVE: Tuple[TermSpec, ...] = (
    TermSpec('base_angular_velocity'),
    TermSpec('projected_gravity'),
    TermSpec('velocity_command'),
    TermSpec('joint_positions_from_default'),
    TermSpec('joint_velocities'),
    TermSpec('previous_action'),
)

# The layouts a training config may name; the contract spells the terms out.
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


def _odometry(value: Array, name: str) -> Array:
    if value is None:
        raise LocomotionError(f'the term {name} needs odometry, which this state does not have')
    return value
