# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The contract of a policy: all parameters that training and the robot must share.

Training writes it into the policy folder twice: as ``contract.yaml``, for people, and as JSON in
the ONNX file. A folder in which the two differ is refused. Joints, terms and history keep the
order in which they are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
import hashlib
import json
from typing import Any, Dict, List, Optional, Tuple, Union

import numpy as np

from humanoid_locomotion.core.command import CommandSpec, GaitSpec
from humanoid_locomotion.core.errors import ConfigError, JointsError
from humanoid_locomotion.core.feedback.kinematics import leg_spec
from humanoid_locomotion.core.feedback.leg_odometry import LegOdometry, LegSpec
from humanoid_locomotion.core.feedback.velocity_feedback import IntegralSpec, LinearLoopSpec
from humanoid_locomotion.core.reading import config
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.robot_bounds import UNCLIPPED, check_names

FORMAT_VERSION = 1
LATER_KEYS = ('yaw_rate_integral', 'linear_velocity_loop', 'legs', 'beyond_robot',
              'observation.history_order', 'gait.at_rest', 'commanded')
MAX_HISTORY = 128  # control steps
MAX_SCALE = 1000.0  # of an observation term
ACTION_MODES = ('default_offset', 'joint_range')


@dataclass(frozen=True)
class JointContract:
    """Parameters of one joint; units as in :class:`JointSpec`.

    Attributes:
        name: The joint's name.
        default: Position in the default pose [rad].
        lower: Lowest target [rad].
        upper: Highest target [rad].
        kp: Proportional gain that the policy was trained with [Nm/rad].
        kd: Derivative gain [Nm s/rad].
        effort: Torque limit of the joint's controller [Nm].
        action_scale: Target change for an action of one [rad]; unused by ``joint_range``.
    """

    name: str
    default: float
    lower: float
    upper: float
    kp: float
    kd: float
    effort: float
    action_scale: float

    def __post_init__(self) -> None:
        numbers = [self.default, self.lower, self.upper, self.kp, self.kd, self.effort,
                   self.action_scale]
        if not np.all(np.isfinite(numbers)):
            raise ValueError(f'joint {self.name}: every value must be finite, found {numbers}')
        if not self.lower < self.upper:
            raise ValueError(f'joint {self.name}: lower {self.lower} is not below upper '
                             f'{self.upper}')
        if not self.lower <= self.default <= self.upper:
            raise ValueError(f'joint {self.name}: default {self.default} is outside the limits '
                             f'[{self.lower}, {self.upper}]')
        for key in ('kp', 'kd', 'effort'):
            if getattr(self, key) <= 0.0:
                raise ValueError(
                    f'joint {self.name}: {key} must be above 0, found {getattr(self, key)}')


@dataclass(frozen=True)
class TermSpec:
    """One term of the observation.

    Attributes:
        name: A name in :data:`humanoid_locomotion.core.terms.TERMS`.
        scale: Factor applied after clipping, or one factor for each of the term's numbers.
        clip: Largest magnitude before scaling; None for no clipping.
    """

    name: str
    scale: Union[float, Tuple[float, ...]] = 1.0
    clip: Optional[float] = None

    def __post_init__(self) -> None:
        scales = self.scale if isinstance(self.scale, tuple) else (self.scale,)
        if not scales or not all(abs(scale) <= MAX_SCALE for scale in scales):
            raise ValueError(f'term {self.name}: scale must be from -{MAX_SCALE:g} to '
                             f'{MAX_SCALE:g}, found {self.scale}')
        if self.clip is not None and not 0.0 < self.clip < float('inf'):
            raise ValueError(f'term {self.name}: clip must be above 0 and finite (null for no '
                             f'clipping), found {self.clip}')


@dataclass(frozen=True)
class ObservationSpec:
    """The observation of the policy.

    Attributes:
        layout: Name of the layout, for people; only the terms have an effect.
        terms: The terms in order.
        history: Number of control steps that are concatenated, oldest first.
        joints: Joints whose position and velocity are observed; None for all of them.
        history_order: ``term``: the history of the first term, then that of the second. None:
            whole frames.
    """

    layout: str
    terms: Tuple[TermSpec, ...]
    history: int = 1
    joints: Optional[Tuple[str, ...]] = None
    history_order: Optional[str] = None

    def __post_init__(self) -> None:
        if not 1 <= self.history <= MAX_HISTORY:
            raise ValueError(f'history must be from 1 to {MAX_HISTORY}, found {self.history}')
        if self.history_order not in (None, 'term'):
            raise ValueError("history_order must be 'term', or null for whole frames, found "
                             f'{self.history_order!r}')
        if not self.terms:
            raise ValueError('terms must not be empty')
        if self.joints is not None and not 0 < len(set(self.joints)) == len(self.joints):
            raise ValueError(f'joints must be different names, found {list(self.joints)}')


@dataclass(frozen=True)
class PolicyContract:
    """All parameters that are needed to run a policy.

    Attributes:
        format_version: Version of this layout.
        robot: Name of the robot.
        model_hash: The robot's :attr:`RobotSpec.model_hash` at training time.
        control_period: Time between two control steps [s].
        action_mode: ``default_offset`` or ``joint_range``.
        joints: The controlled joints, in the order of targets.
        observation: The observation of the policy.
        command_limits: The axes of its commands and the ranges it was trained in.
        gait: The gait clock; None if the policy has none.
        yaw_rate_integral: Feedback of the yaw rate; None for no feedback.
        linear_velocity_loop: Feedback of the velocity from leg odometry; None for no feedback.
        legs: Geometry of the legs for that odometry, left first; None without the feedback.
        beyond_robot: The robot's ``policy_bounds`` that the policy may exceed, by the names of
            :data:`humanoid_locomotion.core.robot_bounds.WIDER`; None for none.
        commanded: The joints that actions move, in the order of actions; None for all of them.
            The other joints are held in the default pose.
    """

    format_version: int
    robot: str
    model_hash: str
    control_period: float
    action_mode: str
    joints: Tuple[JointContract, ...]
    observation: ObservationSpec
    command_limits: CommandSpec
    gait: Optional[GaitSpec] = None
    yaw_rate_integral: Optional[IntegralSpec] = None
    linear_velocity_loop: Optional[LinearLoopSpec] = None
    legs: Optional[Tuple[LegSpec, ...]] = None
    beyond_robot: Optional[Tuple[str, ...]] = None
    commanded: Optional[Tuple[str, ...]] = None

    def __post_init__(self) -> None:
        if self.format_version != FORMAT_VERSION:
            raise ValueError(f'format_version: this package reads {FORMAT_VERSION}, '
                             f'found {self.format_version}')
        if self.action_mode not in ACTION_MODES:
            raise ValueError(
                f'action_mode: expected one of {list(ACTION_MODES)}, found {self.action_mode!r}')
        if not 0.0 < self.control_period < 1.0:
            raise ValueError(
                f'control_period: expected seconds in (0, 1), found {self.control_period}')
        names = self.joint_names
        if not names:
            raise ValueError('joints must not be empty')
        _refuse_repeated('joints', names)
        _refuse_repeated('commanded', self.commanded_joints)
        if not self.commanded_joints:
            raise ValueError('commanded must not be empty (null for all joints)')
        for key, chosen in (('observation.joints', self.observed_joints),
                            ('commanded', self.commanded_joints)):
            missing = [name for name in chosen if name not in names]
            if missing:
                raise JointsError(key, missing, names)
        if (self.legs is None) != (self.linear_velocity_loop is None):
            raise ValueError('linear_velocity_loop and legs: one is there without the other')
        if self.legs is not None:
            LegOdometry(self.legs, names)  # raises an error if they are invalid
        try:
            check_names(list(self.beyond_robot or ()))
        except ValueError as error:
            raise ValueError(f'beyond_robot: {error}') from error

    @property
    def joint_names(self) -> List[str]:
        """Names of the controlled joints, in order."""
        return [joint.name for joint in self.joints]

    @property
    def commanded_joints(self) -> List[str]:
        """Names of the joints that actions move, in the order of actions."""
        return self.joint_names if self.commanded is None else list(self.commanded)

    @property
    def commanded_places(self) -> List[int]:
        """Places of the commanded joints among all joints, in the order of actions."""
        return [self.joint_names.index(name) for name in self.commanded_joints]

    @property
    def held_joints(self) -> List[str]:
        """Names of the joints that are held in the default pose, in the order of targets."""
        return [name for name in self.joint_names if name not in self.commanded_joints]

    @property
    def num_actions(self) -> int:
        """Length of an action."""
        return len(self.commanded_joints)

    @property
    def observed_joints(self) -> List[str]:
        """Names of the observed joints, in the order of the observation."""
        chosen = self.observation.joints
        return self.joint_names if chosen is None else list(chosen)

    @property
    def clips_targets(self) -> bool:
        """Whether joint targets are clipped to the joints' ``lower`` and ``upper``."""
        return UNCLIPPED not in (self.beyond_robot or ())

    @property
    def moving_threshold(self) -> float:
        """Norm of the moving axes up to which a command asks the robot to stand."""
        return 0.0 if self.gait is None else self.gait.moving_threshold

    def values(self, key: str) -> np.ndarray:
        """Return one parameter of every joint, float64 (num_joints,)."""
        return np.array([getattr(joint, key) for joint in self.joints], dtype=np.float64)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all values at full precision, sixteen hex digits."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """Return the contract as canonical JSON, every float at full precision."""
        return json.dumps(self._mapping(), sort_keys=True, separators=(',', ':'))

    def to_mapping(self) -> Dict[str, Any]:
        """Return the contract as it is written to ``contract.yaml``, fingerprint first."""
        return {'fingerprint': self.fingerprint, **self._mapping()}

    def _mapping(self) -> Dict[str, Any]:
        mapping: Dict[str, Any] = config.to_mapping(self)
        for key in LATER_KEYS:
            group, _, name = key.rpartition('.')
            inner = mapping[group] if group else mapping
            if inner is not None and inner[name] is None:
                del inner[name]  # keeps the fingerprints of contracts without the key
        return mapping

    @classmethod
    def from_mapping(cls, data: Dict[str, Any], source: object) -> PolicyContract:
        """Read a contract with its fingerprint.

        Raises:
            ConfigError: A key is invalid, or the values do not match the fingerprint.
        """
        rest = dict(data)
        written = rest.pop('fingerprint', None)
        contract = config.from_mapping(cls, rest, source)
        if written != contract.fingerprint:
            raise ConfigError(
                source, 'fingerprint', f'the contract says {written!r}, its content gives '
                f'{contract.fingerprint!r}: a value was changed after export')
        return contract


def _refuse_repeated(key: str, names: List[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f'{key}: {repeated} appear more than once')


def contract_for(robot: RobotSpec, *, control_period: float, action_mode: str,
                 action_scale: float, observation: ObservationSpec,
                 command_limits: CommandSpec, gait: Optional[GaitSpec],
                 yaw_rate_integral: Optional[IntegralSpec] = None,
                 linear_velocity_loop: Optional[LinearLoopSpec] = None) -> PolicyContract:
    """Return the contract of a policy that commands every joint of a robot.

    Args:
        robot: The robot.
        control_period: Time between two control steps [s].
        action_mode: ``default_offset`` or ``joint_range``.
        action_scale: Change of the joint target for an action of one, as a share of
            ``effort / kp``: the same share of the torque limit for each joint.
        observation: The observation of the policy.
        command_limits: The axes of the commands, and the ranges to train in.
        gait: The gait clock.
        yaw_rate_integral: Feedback of the yaw rate.
        linear_velocity_loop: Feedback of the velocity from leg odometry.
    """
    joints = tuple(
        JointContract(name=j.name, default=j.default, lower=j.lower, upper=j.upper, kp=j.kp,
                      kd=j.kd, effort=j.effort, action_scale=action_scale * j.effort / j.kp)
        for j in robot.joints)
    return PolicyContract(
        format_version=FORMAT_VERSION, robot=robot.name, model_hash=robot.model_hash,
        control_period=control_period, action_mode=action_mode, joints=joints,
        observation=observation, command_limits=command_limits, gait=gait,
        yaw_rate_integral=yaw_rate_integral, linear_velocity_loop=linear_velocity_loop,
        legs=None if linear_velocity_loop is None else tuple(
            leg_spec(robot, sole) for sole in robot.soles))
