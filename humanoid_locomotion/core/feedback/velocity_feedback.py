# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Velocity feedback: corrects the command by the measured velocity error.

A policy tracks a command with an error of some per cent: it is correct on average over all robots
and delays of its training, not on each of them. The gyroscope measures the turning rate, leg
odometry the velocity over the floor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional

from humanoid_locomotion.core.arrays import Array, Constant, clip, concatenate, namespace, zeros
from humanoid_locomotion.core.command import NUM_VELOCITY, CommandSpec
from humanoid_locomotion.core.feedback.leg_odometry import LegOdometry
from humanoid_locomotion.core.rotations import vertical_rate
from humanoid_locomotion.core.state import RobotState

SMOOTHED_OVER = 0.1  # [s]
GIVE = 0.03  # [m] largest position error; beyond it, the held place moves along


@dataclass(frozen=True)
class IntegralSpec:
    """An integral controller from a velocity error to a correction of the command.

    Attributes:
        gain: Rate of change of the correction per unit of error [1/s].
        limit: Largest magnitude of the correction [m/s or rad/s].
    """

    gain: float
    limit: float

    def __post_init__(self) -> None:
        for name in ('gain', 'limit'):
            if not 0.0 < getattr(self, name) <= 10.0:
                raise ValueError(f'{name} must be above 0 and at most 10 (null in place of the '
                                 f'section disables it), found {getattr(self, name)}')


@dataclass(frozen=True)
class LinearLoopSpec(IntegralSpec):
    """Feedback of the velocity over the floor, with damping and stiffness while standing.

    Attributes:
        damping: While standing, a command of this share of the base velocity is given against
            it, which damps sway; 0 disables it.
        stiffness: While standing, a command of this gain [1/s] times the offset of the base from
            its place over the feet is given back towards it, which stops slow drift; 0 disables
            it.
    """

    damping: float
    stiffness: float

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, most in (('damping', 1.0), ('stiffness', 10.0)):
            if not 0.0 <= getattr(self, name) <= most:
                raise ValueError(
                    f'{name} must be from 0 to {most:g}, found {getattr(self, name)}')


class VelocityLoop:
    """Adds a correction to the command, from the velocities of gyroscope and leg odometry.

    Attributes:
        correction: (num_envs, 3) forward, left [m/s] and turning [rad/s]; zero for an axis
            without feedback, and for a standing command without damping and stiffness.
        place: (num_envs, 2) held position of the base relative to the middle of its soles while
            standing [m]; NaN after a reset, until the next step.
        strength: Factor on gains and limits, one or (num_envs, 1); training varies it.

    Args:
        linear: Feedback over the floor, the same for both axes; None disables it.
        yaw_rate: Feedback of the turning rate; None disables it.
        odometry: Measures the velocity over the floor; required for ``linear``.
        commands: The axes of the commands; only the velocity axes are corrected.
        moving_threshold: Norm of a command above which the robot walks.
        control_period: [s].
        num_envs: Number of robots.
        like: An array of the type and on the device to compute with.
    """

    def __init__(self, linear: Optional[LinearLoopSpec], yaw_rate: Optional[IntegralSpec],
                 odometry: Optional[LegOdometry], commands: CommandSpec, moving_threshold: float,
                 control_period: float, num_envs: int, like: Array):
        specs = (linear, linear, yaw_rate)
        self._share = Constant([0.0 if it is None else it.gain * control_period for it in specs])
        self._limit = Constant([0.0 if it is None else it.limit for it in specs])
        self._damping = 0.0 if linear is None else linear.damping
        self._stiffness = 0.0 if linear is None else linear.stiffness
        # Joint measurements are noisy, so the standing correction is smoothed over SMOOTHED_OVER.
        is_held = self._damping > 0.0 or self._stiffness > 0.0
        self._settling = min(control_period / SMOOTHED_OVER, 1.0) if is_held else 1.0
        self._odometry = None if linear is None else odometry
        self._commands, self._threshold = commands, moving_threshold
        self.strength: Array = 1.0
        self.correction = zeros((num_envs, NUM_VELOCITY), like)
        self.place = zeros((num_envs, 2), like) + float('nan')

    def reset(self, mask: Array) -> None:
        """Reset the robots in ``mask`` (num_envs,) bool."""
        xp = namespace(self.correction)
        self.correction[...] = xp.where(
            mask[:, None], xp.zeros_like(self.correction), self.correction)
        self.place[...] = xp.where(
            mask[:, None], xp.full_like(self.place, float('nan')), self.place)

    def carried(self) -> Dict[str, Array]:
        """Return the arrays that are carried over from one control step to the next, by name."""
        place = {} if self._odometry is None else {'standing_place': self.place}
        return {'command_correction': self.correction, **place}

    def step(self, command: Array, state: RobotState) -> Array:
        """Run one control step; return the corrected command (num_envs, size)."""
        xp, strength = namespace(self.correction), self.strength
        limit = strength * self._limit.like(self.correction)
        moving = self._commands.is_moving(command, self._threshold)[:, None]
        turning = vertical_rate(state.base_orientation, state.base_angular_velocity)[:, None]
        over_floor, back = xp.zeros_like(command[:, :2]), xp.zeros_like(command[:, :2])
        if self._odometry is not None:
            seen = self._odometry.measure(state)
            over_floor, back = seen.velocity, self._way_back(seen.offset, moving)
        velocity, before = concatenate((over_floor, turning)), self.correction
        share = strength * self._share.like(before)
        following = before + share * (command[:, :NUM_VELOCITY] - velocity)
        wanted = concatenate((self._stiffness * back - self._damping * over_floor,
                              xp.zeros_like(turning)))
        calming = before + self._settling * (strength * wanted - before)
        self.correction[...] = clip(xp.where(moving, following, calming), -limit, limit)
        corrected = command[:, :NUM_VELOCITY] + self.correction
        if self._commands.size == NUM_VELOCITY:
            return corrected
        return concatenate((corrected, command[:, NUM_VELOCITY:]))

    def _way_back(self, offset: Array, moving: Array) -> Array:
        """Return the vector (num_envs, 2) from the base's offset to its held place."""
        xp = namespace(offset)
        held = clip(self.place, offset - GIVE, offset + GIVE)
        self.place[...] = xp.where(moving | xp.isnan(self.place), offset, held)
        return self.place - offset
