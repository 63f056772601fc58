# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Bounds that a robot sets on a policy, and the check of a contract against them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Iterator, List, Optional, Tuple

from humanoid_locomotion.core.errors import JointsError, PolicyError

if TYPE_CHECKING:
    from humanoid_locomotion.core.contract import JointContract, PolicyContract
    from humanoid_locomotion.core.robot import JointSpec, RobotSpec

Range = Tuple[float, float]

# The items that `policy import-onnx --beyond-robot` accepts, and the wider bound of each.
WIDER = {
    'gains': 'kp and kd by a factor of 0.05 to 12',
    'limits': 'targets up to 0.5 rad beyond the limits of the joints',
    'action_scale': 'up to 10 rad for an action of one',
    'control_period': '0.001 to 0.2 s',
    'targets': 'targets are not clipped to the limits of the joints; effort limits the torque',
    'model_hash': 'another version of robot.yaml or of the model',
}
WIDER_GAINS: Range = (0.05, 12.0)
WIDER_LIMITS = 0.5  # [rad]
WIDER_ACTION_SCALE: Range = (0.0, 10.0)  # [rad]
WIDER_CONTROL_PERIOD: Range = (0.001, 0.2)  # [s]
UNCLIPPED = 'targets'  # the name above of a policy whose targets are not clipped
UNKNOWN = 'unknown'  # the model hash of a policy from another training stack
ROUNDING = 1e-6  # relative, and [rad]: contracts of other stacks are written with fewer digits
MOST_NAMED = 4


@dataclass(frozen=True)
class PolicyBounds:
    """Bounds that a robot sets on a policy; ``policy_bounds`` in ``robot.yaml``.

    Attributes:
        kp_factor: Lowest and highest proportional gain, relative to the robot's.
        kd_factor: Lowest and highest derivative gain, relative to the robot's.
        action_scale: Smallest and largest target change for an action of one [rad].
        control_period: Shortest and longest time between two control steps [s].
    """

    kp_factor: Range = (0.2, 5.0)
    kd_factor: Range = (0.2, 5.0)
    action_scale: Range = (1e-3, 2.0)
    control_period: Range = (0.002, 0.1)

    def __post_init__(self) -> None:
        for name in ('kp_factor', 'kd_factor', 'action_scale', 'control_period'):
            low, high = getattr(self, name)
            if not 0.0 < low <= high < float('inf'):
                raise ValueError(f'{name}: expected [low, high] with 0 < low <= high and finite, '
                                 f'found [{low}, {high}]')


@dataclass(frozen=True)
class Misfit:
    """One value of a contract that the robot does not allow.

    Attributes:
        problem: The value found and the values allowed.
        accepted_as: The name in :data:`WIDER` that accepts it; empty if none does.
    """

    problem: str
    accepted_as: str = ''


def check_contract(contract: PolicyContract, robot: RobotSpec, where: object) -> None:
    """Refuse a contract that exceeds the robot's bounds.

    The items named in ``contract.beyond_robot`` are checked against wider bounds (:data:`WIDER`).

    Args:
        contract: The contract to check.
        robot: The robot that it is to control.
        where: The policy folder or file, for the message.

    Raises:
        JointsError: The robot lacks joints of the contract.
        PolicyError: A value is out of bounds; the message lists the value found, the values
            allowed and the option that would accept it.
    """
    check_joints(contract, robot, where)
    misfits = list(_misfits(contract, robot))
    if not misfits:
        return
    text = '; '.join(misfit.problem for misfit in misfits[:MOST_NAMED])
    if len(misfits) > MOST_NAMED:
        text += f'; and {len(misfits) - MOST_NAMED} more'
    names = sorted({misfit.accepted_as for misfit in misfits} - {''})
    if names and all(misfit.accepted_as for misfit in misfits):
        text += (f' (to accept this: policy import-onnx or policy retune with --beyond-robot '
                 f'{",".join(names)})')
    raise PolicyError(where, f'does not suit robot {robot.name!r}: {text}')


def check_joints(contract: PolicyContract, robot: RobotSpec, where: object) -> None:
    """Raise :class:`JointsError` unless the robot has every joint of the contract."""
    missing = [name for name in contract.joint_names if name not in robot.joint_names]
    if missing:
        raise JointsError(f'{where}: robot {robot.name!r}', missing, robot.joint_names)


def wider_bounds(contract: PolicyContract) -> str:
    """Describe the wider bounds that a contract uses, in one sentence; empty for none."""
    return '; '.join(f'{name}: {WIDER[name]}' for name in contract.beyond_robot or ())


def _misfits(contract: PolicyContract, robot: RobotSpec) -> Iterator[Misfit]:
    bounds, accepted = robot.policy_bounds, contract.beyond_robot or ()
    if contract.robot != robot.name:
        yield Misfit(f'it is for robot {contract.robot!r}')
    yield from _within(
        f'control_period is {contract.control_period:g} s', contract.control_period,
        bounds.control_period, 's', 'control_period', accepted, WIDER_CONTROL_PERIOD)
    if contract.model_hash not in (robot.model_hash, UNKNOWN) and 'model_hash' not in accepted:
        yield Misfit(f'model_hash is {contract.model_hash}, the robot has '
                     f'{robot.model_hash}: robot.yaml or the model changed since training',
                     'model_hash')
    own = {joint.name: joint for joint in robot.joints}
    for joint in contract.joints:
        yield from _joint_misfits(joint, own[joint.name], bounds, accepted,
                                  contract.action_mode == 'default_offset'
                                  and joint.name in contract.commanded_joints)


def _joint_misfits(joint: JointContract, own: JointSpec, bounds: PolicyBounds,
                   accepted: Tuple[str, ...], uses_action_scale: bool) -> Iterator[Misfit]:
    for key, unit in (('kp', 'Nm/rad'), ('kd', 'Nm s/rad')):
        gain, usual = getattr(joint, key), getattr(own, key)
        yield from _within(
            f'joint {joint.name}: {key} is {gain:g} {unit}, {gain / usual:.3g} times the '
            f"robot's {usual:g}", gain / usual, getattr(bounds, f'{key}_factor'), 'times',
            'gains', accepted, WIDER_GAINS)
    if joint.effort > own.effort * (1.0 + ROUNDING):
        yield Misfit(f'joint {joint.name}: effort is {joint.effort:g} Nm, the robot has '
                     f'{own.effort:g}')
    reach = WIDER_LIMITS if 'limits' in accepted else ROUNDING
    if joint.lower < own.lower - reach or joint.upper > own.upper + reach:
        yield Misfit(f'joint {joint.name}: targets go from {joint.lower:g} to {joint.upper:g} '
                     f'rad, the joint from {own.lower:g} to {own.upper:g}',
                     '' if 'limits' in accepted else 'limits')
    if not own.lower - ROUNDING <= joint.default <= own.upper + ROUNDING:
        yield Misfit(f'joint {joint.name}: default is {joint.default:g} rad, the joint goes '
                     f'from {own.lower:g} to {own.upper:g}')
    if uses_action_scale:
        yield from _within(
            f'joint {joint.name}: action_scale is {joint.action_scale:g} rad',
            joint.action_scale, bounds.action_scale, 'rad', 'action_scale', accepted,
            WIDER_ACTION_SCALE)


def _within(found: str, value: float, usual: Range, unit: str, name: str,
            accepted: Tuple[str, ...], wider: Range) -> Iterator[Misfit]:
    low, high = wider if name in accepted else usual
    if not low * (1.0 - ROUNDING) <= value <= high * (1.0 + ROUNDING):
        is_final = name in accepted or not wider[0] <= value <= wider[1]
        yield Misfit(f'{found}, allowed is {low:g} to {high:g} {unit}', '' if is_final else name)


def read_names(names: Optional[str]) -> Optional[Tuple[str, ...]]:
    """Parse a comma-separated list of names of :data:`WIDER`; None if it is empty.

    Raises:
        ValueError: A name is unknown.
    """
    found: List[str] = [name.strip() for name in (names or '').split(',') if name.strip()]
    check_names(found)
    return tuple(sorted(set(found))) or None


def check_names(names: List[str]) -> None:
    """Raise ValueError unless every name is in :data:`WIDER`."""
    unknown = [name for name in names if name not in WIDER]
    if unknown:
        raise ValueError(f'unknown names {unknown}; the names are {sorted(WIDER)}')
