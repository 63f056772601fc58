"""Closes the loop over the velocity, which a policy alone follows by some per cent at best.

A policy is right on average over all the robots and delays that it was trained with, and so a
little off on each of them. The gyroscope sees by how much it turns, the legs by how much it walks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from humanoid_locomotion.core.arrays import Array, Constant, clip, concatenate, namespace, zeros
from humanoid_locomotion.core.command import is_moving
from humanoid_locomotion.core.leg_odometry import LegOdometry
from humanoid_locomotion.core.rotations import vertical_rate
from humanoid_locomotion.core.state import RobotState

SMOOTHED_OVER = 0.1  # [s]


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
    """

    damping: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 <= self.damping <= 1.0:
            raise ValueError(f'damping must be from 0 to 1, found {self.damping}')


class VelocityLoop:
    """Adds to a command what the gyroscope and the legs say was missing so far.

    Attributes:
        correction: (num_envs, 3) forward, left [m/s] and turning [rad/s]; zero where there is no
            loop, and while asked to stand without damping.

    Args:
        linear: The loop over the floor, the same for both axes; None to leave that alone.
        yaw_rate: The loop in turning, likewise.
        odometry: What measures the velocity over the floor; needed for ``linear``.
        moving_threshold: Commands whose norm is above this ask for walking.
        control_period: [s].
        num_envs: How many robots.
        like: An array of the kind, and on the device, to work on.
    """

    def __init__(self, linear: Optional[LinearLoopSpec], yaw_rate: Optional[IntegralSpec],
                 odometry: Optional[LegOdometry], moving_threshold: float, control_period: float,
                 num_envs: int, like: Array):
        specs = (linear, linear, yaw_rate)
        self._share = Constant([0.0 if it is None else it.gain * control_period for it in specs])
        self._limit = Constant([0.0 if it is None else it.limit for it in specs])
        damping = 0.0 if linear is None else linear.damping
        self._damping = Constant([damping, damping, 0.0])
        # Joint speeds are noisy: the damping goes by what they were over a tenth of a second.
        self._settling = min(control_period / SMOOTHED_OVER, 1.0) if damping else 1.0
        self._odometry = None if linear is None else odometry
        self._threshold = moving_threshold
        self.correction = zeros((num_envs, 3), like)

    def reset(self, mask: Array) -> None:
        """Forget the robots in ``mask`` (num_envs,) bool."""
        xp = namespace(self.correction)
        self.correction[...] = xp.where(
            mask[:, None], xp.zeros_like(self.correction), self.correction)

    def step(self, command: Array, state: RobotState) -> Array:
        """Count one control step; return the corrected command (num_envs, 3)."""
        xp, limit = namespace(self.correction), self._limit.like(self.correction)
        turning = vertical_rate(state.base_orientation, state.base_angular_velocity)
        over_floor = (xp.zeros_like(command[:, :2]) if self._odometry is None
                      else self._odometry.measure(state)[0])
        velocity, before = concatenate((over_floor, turning[:, None])), self.correction
        following = before + self._share.like(before) * (command - velocity)
        calming = before - self._settling * (before + self._damping.like(before) * velocity)
        moving = is_moving(command, self._threshold)[:, None]
        self.correction[...] = clip(xp.where(moving, following, calming), -limit, limit)
        return command + self.correction
