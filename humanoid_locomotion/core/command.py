"""Velocity commands, the limits they were trained in, and the gait clock they drive.

A command is an array (num_envs, 3): forward [m/s], left [m/s] and turning left [rad/s], all in
the heading frame (REP-103).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
import math
from typing import Tuple

from humanoid_locomotion.core.arrays import (
    Array,
    Constant,
    clip,
    concatenate,
    namespace,
    norm_last,
    zeros,
)

MAX_COMMAND = 10.0  # [m/s], [rad/s]: no humanoid is asked for more
GAIT_PERIODS = (0.1, 10.0)  # [s]
COMMAND_NAMES = ('lin_vel_x', 'lin_vel_y', 'ang_vel_z')


@dataclass(frozen=True)
class CommandLimits:
    """The range of velocity commands a policy was trained in.

    Attributes:
        lin_vel_x: Lowest and highest forward velocity [m/s].
        lin_vel_y: Lowest and highest leftward velocity [m/s].
        ang_vel_z: Lowest and highest turning rate [rad/s].
    """

    lin_vel_x: Tuple[float, float]
    lin_vel_y: Tuple[float, float]
    ang_vel_z: Tuple[float, float]

    def __post_init__(self) -> None:
        for name in COMMAND_NAMES:
            low, high = getattr(self, name)
            if not low <= 0.0 <= high:
                raise ValueError(
                    f'{name}: the range must contain 0 (standing), but is [{low}, {high}]')
            if not -MAX_COMMAND <= low <= high <= MAX_COMMAND:
                raise ValueError(f'{name}: the range must lie within [-{MAX_COMMAND:g}, '
                                 f'{MAX_COMMAND:g}], but is [{low}, {high}]')

    @property
    def lower(self) -> Tuple[float, float, float]:
        """The lowest command."""
        return (self.lin_vel_x[0], self.lin_vel_y[0], self.ang_vel_z[0])

    @property
    def upper(self) -> Tuple[float, float, float]:
        """The highest command."""
        return (self.lin_vel_x[1], self.lin_vel_y[1], self.ang_vel_z[1])

    def clamp(self, command: Array) -> Array:
        """Return the command moved into the limits, component by component. (..., 3)."""
        lower, upper = self._bounds
        return clip(command, lower.like(command), upper.like(command))

    @cached_property
    def _bounds(self) -> Tuple[Constant, Constant]:
        return Constant(self.lower), Constant(self.upper)


@dataclass(frozen=True)
class GaitSpec:
    """The rhythm that a policy is given to walk to.

    Attributes:
        period: Duration of one full stride, left and right step [s].
        moving_threshold: Commands whose norm is above this ask for walking, others for standing.
    """

    period: float
    moving_threshold: float

    def __post_init__(self) -> None:
        low, high = GAIT_PERIODS
        if not low <= self.period <= high:
            raise ValueError(f'period must be from {low:g} to {high:g} s, found {self.period}')
        if not -MAX_COMMAND <= self.moving_threshold <= MAX_COMMAND:
            raise ValueError(f'moving_threshold must be from -{MAX_COMMAND:g} to '
                             f'{MAX_COMMAND:g}, found {self.moving_threshold}')


def is_moving(command: Array, threshold: float) -> Array:
    """Tell which commands ask for walking. (num_envs, 3) to (num_envs,) bool."""
    return norm_last(command) > threshold


class GaitClock:
    """The phase of the stride, counted in control steps and never in wall time.

    The phase is a share of the stride in [0, 1): the left foot swings in the first half and the
    right foot in the second. It holds still while the command asks for standing.
    """

    def __init__(self, spec: GaitSpec, control_period: float, num_envs: int, like: Array):
        self._spec = spec
        self._increment = control_period / spec.period
        self.phase = zeros((num_envs,), like)

    def reset(self, mask: Array, phase: Array = 0.0) -> None:
        """Restart the clock of the robots in ``mask`` (num_envs,) at a phase."""
        self.phase[...] = namespace(self.phase).where(
            mask, phase + zeros(tuple(self.phase.shape), self.phase), self.phase)

    def step(self, command: Array) -> Array:
        """Count one control step for every robot whose command (num_envs, 3) asks to walk.

        Returns:
            (num_envs, 2): sine and cosine of the phase before; zeros where standing is asked.
        """
        xp = namespace(self.phase)
        moving = is_moving(command, self._spec.moving_threshold)
        angle = (2.0 * math.pi) * self.phase[:, None]
        features = concatenate((xp.sin(angle), xp.cos(angle))) * moving[:, None]
        self.phase[...] = xp.where(moving, (self.phase + self._increment) % 1.0, self.phase)
        return features
