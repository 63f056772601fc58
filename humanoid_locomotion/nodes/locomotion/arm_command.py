# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Joints led by other nodes, by ``arm_command`` and ``arm_trajectory``; independent of ROS.

Only published targets are replaced, as in training and evaluation with externally moved arms: see
:func:`humanoid_locomotion.core.action.replace_targets`.
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Dict, FrozenSet, List, NamedTuple, Optional, Sequence
from xml.etree import ElementTree

import numpy as np

from humanoid_locomotion.core.action import replace_targets
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import (
    LocomotionError,
    MessageError,
    RefusedError,
    UnknownNameError,
)
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.nodes.locomotion.sensors import Channel
from humanoid_locomotion.nodes.ros.conversions import ARM_TOPICS, seconds

BLEND_STEPS = 15  # control steps, at least, in which a joint returns to the policy's target
MAX_POINTS, MAX_DURATION = 1000, 600.0  # of a trajectory; [s]


class Plan(NamedTuple):
    """A trajectory that some joints follow along straight lines.

    Attributes:
        joints: (k,) indices of the joints.
        times: (points,) [s], of the node's clock.
        positions: (points, k) [rad].
    """

    joints: np.ndarray
    times: np.ndarray
    positions: np.ndarray


class ArmCommand:
    """Replaces the targets of joints that other nodes lead.

    A led joint approaches its commanded position with limited speed, within the limits of contract
    and robot. Its target stays as close to the measured position as the torque limit requires,
    so that an arm that was held back does not rush when it is released. Without a command for
    ``timeout``, the joint returns to the policy's target with the same limit on speed.

    Args:
        robot: The robot; joints above its feet cannot be led.
        contract: The contract of the policy.
        speed: Largest speed of a led target [rad/s].
        timeout: Time without a command after which a joint is handed back [s].
        on_refused: Called with the error of every refused message.

    Attributes:
        channels: The two topics, by name.
        may_be_led: Names of the joints that can be led.
    """

    def __init__(self, robot: RobotSpec, contract: PolicyContract, speed: float, timeout: float,
                 on_refused: Callable[[LocomotionError], None]):
        self._robot, self._speed, self._timeout = robot, speed, timeout
        self._on_refused = on_refused
        self.channels = {topic: Channel(topic) for topic in ARM_TOPICS}
        for channel in self.channels.values():
            channel.publishers = 0  # until they are counted
        self._names = list(contract.joint_names)
        self._legs: FrozenSet[str] = frozenset()
        self.may_be_led: List[str] = []
        # Without a readable model nothing can be led.
        with contextlib.suppress(LocomotionError, OSError, ElementTree.ParseError):
            self._legs = robot.leg_joints
            self.may_be_led = [name for name in self._names if name not in self._legs]
        n = len(self._names)
        self._is_led, self._since = np.zeros(n, bool), np.zeros(n)
        self._until = np.full(n, -np.inf)
        self._goal, self._last, self._left, self._share, self._decay = np.zeros((5, n), np.float32)
        self._plan: Optional[Plan] = None
        self.adopt(contract)

    def adopt(self, contract: PolicyContract) -> None:
        """Take limits and gains from another contract of the same joints."""
        own = [self._robot.joint_names.index(name) for name in self._names]
        robot = {key: self._robot.values(key)[own] for key in ('lower', 'upper', 'velocity')}
        self._lower = np.maximum(contract.values('lower'), robot['lower']).astype(np.float32)
        self._upper = np.minimum(contract.values('upper'), robot['upper']).astype(np.float32)
        self._step = (contract.control_period * np.minimum(self._speed, robot['velocity'])).astype(
            np.float32)
        self._stretch = (contract.values('effort') / contract.values('kp')).astype(np.float32)

    @property
    def publishers(self) -> int:
        """Number of publishers of the two topics, as last counted."""
        return sum(channel.publishers for channel in self.channels.values())

    @property
    def led(self) -> Dict[str, float]:
        """The joints that follow a command, and the time since which each does [s]."""
        return {self._names[i]: float(self._since[i]) for i in np.flatnonzero(self._is_led)}

    def take(self, topic: str, msg: Any, now: float, refusal: str = '') -> None:
        """Store a command, or refuse it and keep the last one.

        Args:
            topic: A key of :data:`~humanoid_locomotion.nodes.ros.conversions.ARM_TOPICS`.
            msg: A ``JointState``, of which only the positions are used, or a ``JointTrajectory``.
            now: Time of arrival [s].
            refusal: Why no command is accepted; empty if one is.
        """
        channel, stamp = self.channels[topic], seconds(msg.header.stamp)
        try:
            if refusal:
                raise RefusedError(topic, refusal)
            channel.check_stamp(stamp, now, self._timeout)
            if hasattr(msg, 'points'):
                self._take_trajectory(topic, msg, stamp or now)
            else:
                joints = self._find(topic, msg.name)
                self._goal[joints] = self._read(topic, joints, [msg.position])[0]
                self._cut(joints)
                self._until[joints] = now + self._timeout
        except LocomotionError as error:
            channel.refuse(error)
            self._on_refused(error)
            return
        channel.accept(stamp, now)

    def lead(self, targets: np.ndarray, measured: np.ndarray, now: float) -> np.ndarray:
        """Return the targets to publish, float32 (num_joints,) [rad].

        Args:
            targets: The policy's targets [rad].
            measured: Measured positions [rad].
            now: Time of the control step [s].
        """
        led = now <= self._until
        if not np.count_nonzero(led) and not np.count_nonzero(self._share):
            self._is_led = led
            self._last[:] = targets
            return targets
        self._follow_plan(now)
        self._since[led & ~self._is_led] = now
        ends = self._is_led & ~led
        self._left[ends] = self._last[ends]
        self._decay[ends] = 1.0 / np.maximum(
            BLEND_STEPS, np.abs(self._last - targets)[ends] / self._step[ends])
        self._is_led = led
        self._share = np.where(led, np.float32(1.0), np.maximum(self._share - self._decay, 0.0))
        goal = np.clip(np.clip(self._goal, measured - self._stretch, measured + self._stretch),
                       self._lower, self._upper)
        approach = self._last + np.clip(goal - self._last, -self._step, self._step)
        returning = targets + self._share * (self._left - targets)
        published: np.ndarray = replace_targets(returning, approach, led).astype(np.float32)
        self._last[:] = published
        return published

    def forget(self, targets: np.ndarray) -> None:
        """Drop all commands at once, while the policy does not run; ``targets`` are published."""
        self.release()
        self._is_led[:] = False
        self._share[:], self._last[:] = 0.0, targets

    def release(self) -> None:
        """Drop all commands; the joints return to the policy's targets."""
        self._until[:] = -np.inf
        self._plan = None

    def rewind(self, now: float) -> None:
        """Drop all commands after the clock jumped back to ``now``."""
        self.release()
        for channel in self.channels.values():
            channel.rewind(now)

    def _follow_plan(self, now: float) -> None:
        if self._plan is not None:
            joints, times, positions = self._plan
            for joint, column in zip(joints, positions.T):
                self._goal[joint] = np.interp(now, times, column)
            if now >= times[-1]:
                self._plan = None

    def _cut(self, joints: np.ndarray) -> None:
        """Remove joints from the trajectory: a later command replaces it."""
        if self._plan is not None:
            kept = ~np.isin(self._plan.joints, joints)
            self._plan = Plan(
                self._plan.joints[kept], self._plan.times, self._plan.positions[:, kept])

    def _take_trajectory(self, topic: str, msg: Any, begin: float) -> None:
        joints = self._find(topic, msg.joint_names)
        if not 0 < len(msg.points) <= MAX_POINTS:
            raise MessageError(topic, f'{len(msg.points)} points, expected 1 to {MAX_POINTS}')
        positions = self._read(topic, joints, [point.positions for point in msg.points])
        times = np.array([seconds(point.time_from_start) for point in msg.points])
        if times[0] < 0.0 or (np.diff(times) <= 0.0).any() or times[-1] > MAX_DURATION:
            raise MessageError(topic, 'time_from_start must increase from 0 or more to '
                               f'{MAX_DURATION:g} s at most')
        if times[0] > 0.0:
            times = np.insert(times, 0, 0.0)
            positions = np.vstack([self._last[joints], positions])
        if self._plan is not None:
            self._until[self._plan.joints] = -np.inf
        self._plan = Plan(joints, begin + times, positions)
        self._until[joints] = begin + times[-1] + self._timeout

    def _find(self, topic: str, names: Sequence[str]) -> np.ndarray:
        """Return the indices of the named joints."""
        if not names:
            raise MessageError(topic, 'names no joint')
        legs = [name for name in names if name in self._legs]
        if legs:
            raise MessageError(topic, f'{legs} are joints of a leg, which only the policy moves; '
                               f'these can be led: {", ".join(self.may_be_led)}')
        for name in names:
            if name not in self.may_be_led:
                raise UnknownNameError(f'{topic}: joint', name, self.may_be_led)
        if len(set(names)) < len(names):
            raise MessageError(topic, f'a joint appears twice among {list(names)}')
        return np.array([self._names.index(name) for name in names], np.intp)

    def _read(self, topic: str, joints: np.ndarray, rows: Sequence[Sequence[float]]) -> np.ndarray:
        """Return positions within the limits, (rows, k) [rad]."""
        for row in rows:
            if len(row) != len(joints):
                raise MessageError(topic, f'{len(row)} positions for {len(joints)} joints')
        positions = np.array(rows, np.float64)
        wrong = joints[~np.isfinite(positions).all(axis=0)]
        if wrong.size:
            raise MessageError(topic, f'a position of joint {self._names[wrong[0]]!r} is NaN or '
                               'infinite')
        return np.clip(positions, self._lower[joints], self._upper[joints])
