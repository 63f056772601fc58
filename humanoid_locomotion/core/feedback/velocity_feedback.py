"""Closes the loop over the velocity, which a policy alone follows by some per cent at best.

A policy is right on average over all the robots and delays that it was trained with, and so a
little off on each of them. The gyroscope sees by how much it turns, the legs by how much it walks.
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
GIVE = 0.03  # [m] that a base is asked back at most: a kick or a step gives it a new place


@dataclass(frozen=True)
class IntegralSpec:
    """An integral controller from a velocity's error to the command that a policy sees.

    Attributes:
        gain: Change of the correction for an error of one [1/s].
        limit: Largest correction either way [m/s or rad/s]; what a kick moves is paid back up
            to here.
    """

    gain: float
    limit: float

    def __post_init__(self) -> None:
        for name in ('gain', 'limit'):
            if not 0.0 < getattr(self, name) <= 10.0:
                raise ValueError(f'{name} must be above 0 and at most 10 (without the loop, write '
                                 f'null in its place), found {getattr(self, name)}')


@dataclass(frozen=True)
class LinearLoopSpec(IntegralSpec):
    """The same over the floor, and what calms a robot that stands.

    Attributes:
        damping: Told to stand, the policy sees a command of this share of the base's velocity,
            against it: a base that sways to and fro over its feet comes to rest sooner. 0 for no
            command.
        stiffness: Likewise, a command of so many times the way back to where the base was over
            its feet [1/s]: one that would creep to rest for seconds stays. 0 likewise.
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
    """Adds to a command what the gyroscope and the legs say was missing so far.

    Attributes:
        correction: (num_envs, 3) forward, left [m/s] and turning [rad/s]; zero where there is no
            loop, and while asked to stand with neither damping nor stiffness.
        place: (num_envs, 2) where the base is held over the middle of its soles while it stands
            [m]; NaN after a reset, until the next step.

    Args:
        linear: The loop over the floor, the same for both axes; None to leave that alone.
        yaw_rate: The loop in turning, likewise.
        odometry: What measures the velocity over the floor; needed for ``linear``.
        commands: The axes of the commands; only the velocity axes are corrected.
        moving_threshold: Commands whose norm is above this ask for walking.
        control_period: [s].
        num_envs: How many robots.
        like: An array of the kind, and on the device, to work on.
    """

    def __init__(self, linear: Optional[LinearLoopSpec], yaw_rate: Optional[IntegralSpec],
                 odometry: Optional[LegOdometry], commands: CommandSpec, moving_threshold: float,
                 control_period: float, num_envs: int, like: Array):
        specs = (linear, linear, yaw_rate)
        self._share = Constant([0.0 if it is None else it.gain * control_period for it in specs])
        self._limit = Constant([0.0 if it is None else it.limit for it in specs])
        self._damping = 0.0 if linear is None else linear.damping
        self._stiffness = 0.0 if linear is None else linear.stiffness
        # Joints are measured with noise: who stands goes by what they say in a tenth of a second.
        is_held = self._damping > 0.0 or self._stiffness > 0.0
        self._settling = min(control_period / SMOOTHED_OVER, 1.0) if is_held else 1.0
        self._odometry = None if linear is None else odometry
        self._commands, self._threshold = commands, moving_threshold
        self.correction = zeros((num_envs, NUM_VELOCITY), like)
        self.place = zeros((num_envs, 2), like) + float('nan')

    def reset(self, mask: Array) -> None:
        """Forget the robots in ``mask`` (num_envs,) bool."""
        xp = namespace(self.correction)
        self.correction[...] = xp.where(
            mask[:, None], xp.zeros_like(self.correction), self.correction)
        self.place[...] = xp.where(
            mask[:, None], xp.full_like(self.place, float('nan')), self.place)

    def carried(self) -> Dict[str, Array]:
        """Return the arrays that carry over from one control step to the next, by name."""
        place = {} if self._odometry is None else {'standing_place': self.place}
        return {'command_correction': self.correction, **place}

    def step(self, command: Array, state: RobotState) -> Array:
        """Count one control step; return the corrected command (num_envs, size)."""
        xp, limit = namespace(self.correction), self._limit.like(self.correction)
        moving = self._commands.is_moving(command, self._threshold)[:, None]
        turning = vertical_rate(state.base_orientation, state.base_angular_velocity)[:, None]
        over_floor, back = xp.zeros_like(command[:, :2]), xp.zeros_like(command[:, :2])
        if self._odometry is not None:
            seen = self._odometry.measure(state)
            over_floor, back = seen.velocity, self._way_back(seen.offset, moving)
        velocity, before = concatenate((over_floor, turning)), self.correction
        following = before + self._share.like(before) * (command[:, :NUM_VELOCITY] - velocity)
        wanted = concatenate((self._stiffness * back - self._damping * over_floor,
                              xp.zeros_like(turning)))
        calming = before + self._settling * (wanted - before)
        self.correction[...] = clip(xp.where(moving, following, calming), -limit, limit)
        corrected = command[:, :NUM_VELOCITY] + self.correction
        if self._commands.size == NUM_VELOCITY:
            return corrected
        return concatenate((corrected, command[:, NUM_VELOCITY:]))

    def _way_back(self, offset: Array, moving: Array) -> Array:
        """Return the way (num_envs, 2) from where the base is over its feet to its place."""
        xp = namespace(offset)
        held = clip(self.place, offset - GIVE, offset + GIVE)
        self.place[...] = xp.where(moving | xp.isnan(held), offset, held)
        return self.place - offset
