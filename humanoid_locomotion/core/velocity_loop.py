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


class VelocityLoop:
    """Adds to a command what the gyroscope and the legs say was missing so far.

    Attributes:
        correction: (num_envs, 3) forward, left [m/s] and turning [rad/s]; zero while asked to
            stand, and where there is no loop.

    Args:
        linear: Gain and limit over the floor, of each axis; None to leave that alone.
        yaw_rate: Likewise, in turning.
        odometry: What measures the velocity over the floor; needed for ``linear``.
        moving_threshold: Commands whose norm is above this ask for walking.
        control_period: [s].
        num_envs: How many robots.
        like: An array of the kind, and on the device, to work on.
    """

    def __init__(self, linear: Optional[IntegralSpec], yaw_rate: Optional[IntegralSpec],
                 odometry: Optional[LegOdometry], moving_threshold: float, control_period: float,
                 num_envs: int, like: Array):
        specs = (linear, linear, yaw_rate)
        self._share = Constant([0.0 if it is None else it.gain * control_period for it in specs])
        self._limit = Constant([0.0 if it is None else it.limit for it in specs])
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
                      else self._odometry.velocity(state))
        error = command - concatenate((over_floor, turning[:, None]))
        correction = clip(
            self.correction + self._share.like(self.correction) * error, -limit, limit)
        self.correction[...] = xp.where(
            is_moving(command, self._threshold)[:, None], correction, xp.zeros_like(correction))
        return command + self.correction
