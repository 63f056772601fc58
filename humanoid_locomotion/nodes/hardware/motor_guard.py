# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Decides which command is sent to the motors in each cycle; independent of ROS and of the wire.

The motors follow the newest ``joint_command`` and ``joint_gains`` within the torque limits of the
latter. In any doubt they are damped with the gains of the robot description. Torque never returns
by surprise: afterwards they follow only a controller that has itself commanded damping (kp 0 for
all joints) in the meantime, or any after :meth:`MotorGuard.reset`. The very first targets may also
be those of a ramp that begins at the measured pose.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
import math
from typing import Any, Deque, FrozenSet, List, Optional, Sequence, Tuple

import numpy as np

from humanoid_locomotion.core.errors import (
    ConfigError,
    JointsError,
    LocomotionError,
    MessageError,
    RefusedError,
)
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.nodes.hardware.port import MotorCommand, RobotReading

COMMAND_TIMEOUT, STATE_TIMEOUT = 0.2, 0.1  # [s]
START_DISTANCE = 0.1  # [rad] from the measured pose to the first targets
STOP_BUTTONS: FrozenSet[str] = frozenset({'L2', 'B'})
# Of the last cycles, the share that must have brought a new state: 75 Hz at 500 cycles a second.
RATE_WINDOW, LEAST_SHARE = 100, 0.15


@dataclass(frozen=True)
class _Command:
    time: float
    order: List[int]  # of each motor, its place in the message
    position: np.ndarray  # in the order of the motors
    effort: np.ndarray


@dataclass(frozen=True)
class _Gains:
    time: float
    table: np.ndarray  # (n, 3): kp, kd, effort, in the order of the command
    is_stiff: bool


class MotorGuard:
    """The last check before the motors.

    ``take_*`` and :meth:`reset` may be called from other threads than :meth:`command`.

    Args:
        joints: The joints of the motors, in their order.
        robot: Description with the damping gain of each joint.
        limp: Whether the motors have no torque, instead of damping, until they first follow.
        needs_remote: Whether they follow only while the remote is connected.

    Attributes:
        reason: Why the motors are damped, as a sentence; empty while they follow.
        stopped: Why an emergency stop is latched; empty if none is.
        others: Other processes that command the motors.
        failure: A failure of the driver itself, such as a lost watchdog; it cannot be reset.
        trips: Number of times that a stiff robot was damped.

    Raises:
        ConfigError: The description lacks a joint of the robot.
    """

    def __init__(self, joints: Sequence[str], robot: RobotSpec, limp: bool = False,
                 needs_remote: bool = False):
        missing = [name for name in joints if name not in robot.joint_names]
        if missing:
            raise ConfigError(
                f'{robot.folder}/robot.yaml', 'joints', f'the robot that answers has the joints '
                f'{missing}, which the description lacks: it is another robot')
        kd = robot.values('kd')
        self._joints = tuple(joints)
        self._damping = np.array([kd[robot.joint_names.index(name)] for name in joints])
        self._command: Optional[_Command] = None
        self._gains: Optional[_Gains] = None
        self._refused = self.stopped = self.failure = ''
        self._no_gains = self._cause = 'no joint_gains yet'
        self.others: Tuple[str, ...] = ()
        self._is_limp, self._needs_remote = limp, needs_remote
        self._is_armed = self._was_stiff = self._has_followed = False
        self._news: Deque[bool] = deque([True] * RATE_WINDOW, RATE_WINDOW)
        self._last_state = -math.inf
        self.reason, self.trips = self._no_gains, 0

    def take_command(self, names: Sequence[str], position: Any,
                     effort: Any, now: float) -> None:
        """Take a ``joint_command``: targets [rad] and feed-forward torques [Nm], or none.

        Raises:
            LocomotionError: It is not valid; the motors are damped until a valid one arrives.
        """
        try:
            self._command = self._checked(tuple(names), position, effort, now)
            self._refused = ''
        except LocomotionError as error:
            self._refused = str(error)
            raise

    def _checked(self, names: Tuple[str, ...], position: Any,
                 effort: Any, now: float) -> _Command:
        if sorted(names) != sorted(self._joints):
            unknown = sorted(set(names) - set(self._joints))
            if unknown:
                raise MessageError('joint_command', f'the robot has no joints {unknown}; it has '
                                   f'{list(self._joints)}')
            raise JointsError('joint_command', sorted(set(self._joints) - set(names)), names)
        values = [np.asarray(it, np.float64) if len(it) else np.zeros(len(names))
                  for it in (position, effort)]
        if any(it.shape != (len(names),) or not np.isfinite(it).all() for it in values):
            raise MessageError('joint_command', f'expected {len(names)} finite positions, and '
                               'as many efforts or none')
        order = [names.index(name) for name in self._joints]
        return _Command(now, order, values[0][order], values[1][order])

    def take_gains(self, table: np.ndarray, now: float) -> None:
        """Take ``joint_gains``: kp, kd and effort (n, 3), in the order of ``joint_command``.

        Raises:
            MessageError: There are not as many rows as joints.
        """
        if len(table) != len(self._joints):
            raise MessageError('joint_gains', f'{len(table)} rows for {len(self._joints)} joints')
        self._gains = _Gains(now, table, bool((table[:, 0] > 0.0).any()))
        self._is_armed = self._is_armed or not self._gains.is_stiff

    def refuse_gains(self, reason: str) -> None:
        """Damp the motors until valid gains arrive."""
        self._gains, self._no_gains = None, reason

    def stop(self, reason: str) -> None:
        """Damp the motors until :meth:`reset`."""
        self.stopped = self.stopped or reason

    def reset(self, reading: Optional[RobotReading]) -> None:
        """Clear an emergency stop, and let the motors follow a controller that is stiff.

        Raises:
            RefusedError: The cause lasts.
        """
        if _is_stop_pressed(reading):
            raise RefusedError('reset', 'L2 and B of the remote are pressed')
        doubt = self.failure or self._foreign(reading)
        if doubt:
            raise RefusedError('reset', doubt)
        self.stopped = ''
        self._is_armed = True

    def command(self, now: float, reading: Optional[RobotReading]) -> MotorCommand:
        """Return the command of this cycle.

        Args:
            now: Time of ``time.monotonic()`` [s].
            reading: Newest state of the robot.
        """
        if _is_stop_pressed(reading):
            self.stop('L2 and B were pressed on the remote')
        command, gains = self._command, self._gains
        silent = self._silence(now, command, gains)
        doubt = self._doubt(now, reading)
        is_stiff = gains is not None and gains.is_stiff
        if gains is not None and is_stiff and (
                doubt or (silent and now - gains.time > COMMAND_TIMEOUT)):
            self._is_armed = False
        if not (doubt or silent or self._has_followed or self._is_armed):
            assert reading is not None and command is not None
            self._is_armed = bool(
                (np.abs(command.position - reading.position) < START_DISTANCE).all())
        self._cause = doubt or silent or self._cause
        reason = doubt or silent or ('' if self._is_armed else (
            f'the motors were damped ({self._cause}): expected joint_gains with kp 0 next, or '
            '~/reset'))
        self.trips += bool(reason) and self._was_stiff
        self._was_stiff, self.reason = is_stiff and not reason, reason
        if reason or reading is None or command is None or gains is None:
            return self._damped(doubt)
        self._has_followed = True
        return limited(command.position, command.effort, gains.table[command.order], reading)

    def damped(self) -> MotorCommand:
        """Return the damping command."""
        zeros = np.zeros(len(self._joints))
        return MotorCommand(zeros, zeros, zeros, zeros, self._damping)

    def _damped(self, doubt: str) -> MotorCommand:
        command = self.damped()
        if self._is_limp and not (doubt or self._has_followed):
            zeros = command.kp
            return MotorCommand(zeros, zeros, zeros, zeros, zeros)
        return command

    def _silence(self, now: float, command: Optional[_Command],
                 gains: Optional[_Gains]) -> str:
        if gains is None:
            return self._no_gains
        if command is None:
            return 'no joint_command yet'
        age = now - command.time
        return f'no joint_command for {COMMAND_TIMEOUT:g} s' if age > COMMAND_TIMEOUT else ''

    def _doubt(self, now: float, reading: Optional[RobotReading]) -> str:
        newest = -math.inf if reading is None else reading.time
        self._news.append(newest > self._last_state)
        self._last_state = newest
        if self.failure or self.stopped:
            return self.failure or self.stopped
        foreign = self._foreign(reading)
        if foreign:
            return foreign
        if reading is None or now - newest > STATE_TIMEOUT:
            return f'no state of the robot for {STATE_TIMEOUT:g} s'
        finite = np.isfinite(reading.position) & np.isfinite(reading.velocity)
        if not finite.all():
            return f'the state of {self._joints[int(np.argmin(finite))]} is not finite'
        return self._refused or self._doubtful_link(reading)

    def _foreign(self, reading: Optional[RobotReading]) -> str:
        if self.others:
            return f'another process commands the motors: {", ".join(self.others)}'
        return '' if reading is None else reading.fault

    def _doubtful_link(self, reading: RobotReading) -> str:
        if self._needs_remote and reading.remote is None:
            return 'the remote is not connected'
        if sum(self._news) < LEAST_SHARE * RATE_WINDOW:
            return f'fewer than {LEAST_SHARE * 500.0:.0f} states of the robot per second'
        return ''


def limited(position: np.ndarray, effort: np.ndarray, gains: np.ndarray,
            reading: RobotReading) -> MotorCommand:
    """Return a command whose torque at the measured state is within the limit of each joint.

    Args:
        position: Targets [rad].
        effort: Feed-forward torques [Nm].
        gains: kp, kd and largest torque, (n, 3).
        reading: Measured state.
    """
    kp, kd, most = gains.T
    effort = np.clip(effort, -most, most)
    speed = np.abs(reading.velocity)
    with np.errstate(divide='ignore', invalid='ignore'):
        # Without kp, the target has no effect and damping is what remains to be reduced.
        soft = np.where(speed > 0.0, (most - np.abs(effort)) / speed, np.inf)
        kd = np.where(kp > 0.0, kd, np.minimum(kd, soft))
        others = effort - kd * reading.velocity
        lowest = reading.position + (-most - others) / kp
        highest = reading.position + (most - others) / kp
        target = np.where(kp > 0.0, np.clip(position, lowest, highest), reading.position)
    return MotorCommand(target, np.zeros_like(kp), effort, kp, kd)


def _is_stop_pressed(reading: Optional[RobotReading]) -> bool:
    return (reading is not None and reading.remote is not None
            and reading.remote.buttons >= STOP_BUTTONS)
