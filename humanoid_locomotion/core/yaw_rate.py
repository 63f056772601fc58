"""Closes the loop over the turning rate, which a policy alone follows by some per cent at best.

A policy is right on average over all the robots and delays that it was trained with, and so a
little off on each of them. The gyroscope sees by how much.
"""

from __future__ import annotations

from dataclasses import dataclass

from humanoid_locomotion.core.arrays import Array, clip, concatenate, namespace, zeros
from humanoid_locomotion.core.command import is_moving
from humanoid_locomotion.core.rotations import vertical_rate
from humanoid_locomotion.core.state import RobotState


@dataclass(frozen=True)
class YawRateIntegralSpec:
    """An integral controller from the turning rate's error to the command that a policy sees.

    Attributes:
        gain: Change of the correction for an error of one [1/s].
        limit: Largest correction either way [rad/s]; what a kick turns is paid back up to here.
    """

    gain: float
    limit: float

    def __post_init__(self) -> None:
        for name in ('gain', 'limit'):
            if not 0.0 < getattr(self, name) <= 10.0:
                raise ValueError(f'{name} must be above 0 and at most 10 (without the loop, write '
                                 f'yaw_rate_integral: null), found {getattr(self, name)}')


class YawRateIntegral:
    """Adds to the turning that is asked for what the gyroscope says was missing so far.

    Attributes:
        correction: (num_envs,) [rad/s]; zero while asked to stand.

    Args:
        spec: Gain and limit.
        moving_threshold: Commands whose norm is above this ask for walking.
        control_period: [s].
        num_envs: How many robots.
        like: An array of the kind, and on the device, to work on.
    """

    def __init__(self, spec: YawRateIntegralSpec, moving_threshold: float, control_period: float,
                 num_envs: int, like: Array):
        self._share, self._limit = spec.gain * control_period, spec.limit
        self._threshold = moving_threshold
        self.correction = zeros((num_envs,), like)

    def reset(self, mask: Array) -> None:
        """Forget the robots in ``mask`` (num_envs,) bool."""
        self.correction[...] = namespace(self.correction).where(
            mask, zeros(tuple(self.correction.shape), self.correction), self.correction)

    def step(self, command: Array, state: RobotState) -> Array:
        """Count one control step; return the command (num_envs, 3) with its turning corrected."""
        error = command[:, 2] - vertical_rate(state.base_orientation, state.base_angular_velocity)
        correction = clip(self.correction + self._share * error, -self._limit, self._limit)
        xp = namespace(self.correction)
        self.correction[...] = xp.where(
            is_moving(command, self._threshold), correction, xp.zeros_like(correction))
        return concatenate((command[:, :2], (command[:, 2] + self.correction)[:, None]))
