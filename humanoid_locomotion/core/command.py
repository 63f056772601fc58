# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Commands: their axes, the ranges that a policy was trained in, and the gait clock.

A command is an array (num_envs, size), one column per axis. The first three columns are always
the velocity command in the heading frame (REP-103): forward [m/s], left [m/s] and turning left
[rad/s]. Further axes follow, sorted by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
import math
from typing import Dict, List, Optional, Tuple

from humanoid_locomotion.core.arrays import (
    Array,
    Constant,
    clip,
    concatenate,
    namespace,
    norm_last,
    zeros,
)
from humanoid_locomotion.core.errors import UnknownNameError
from humanoid_locomotion.core.reading.parsing import show

MAX_COMMAND = 10.0  # [m/s], [rad/s]: largest velocity command of any humanoid
GAIT_PERIODS = (0.1, 10.0)  # [s]
# What the clock gives while the robot stands: sine and cosine for the left leg, then the right.
# None is the clock of this package's training.
AT_REST: Dict[Optional[str], Tuple[float, ...]] = {
    None: (0.0, 0.0, 0.0, 0.0), 'running': (0.0, 0.0, 0.0, 0.0),
    'half_stride': (0.0, -1.0, 0.0, -1.0), 'stride_start': (0.0, 1.0, 0.0, -1.0)}


@dataclass(frozen=True)
class CommandAxis:
    """One quantity that can be commanded, the same for every policy.

    Attributes:
        name: Key in configs, contracts and topics.
        label: Name for people, without the unit.
        unit: Unit of the value, as it is written in brackets.
        mirror_sign: 1 if the value keeps its sign when left and right are exchanged, -1 if it
            changes it.
        counts_as_moving: Whether a value other than 0 asks the robot to walk. Such an axis is 0
            at rest and returns to 0 when its commands time out. Other axes keep their last value.
        max_magnitude: Largest magnitude that a policy's range may contain.
        max_rate: Largest rate of change of the command in the node [unit/s].
        rest: Value at rest; a policy may have another.
    """

    name: str
    label: str
    unit: str
    mirror_sign: float
    counts_as_moving: bool
    max_magnitude: float
    max_rate: float
    rest: float = 0.0

    def __post_init__(self) -> None:
        if self.mirror_sign not in (-1.0, 1.0):
            raise ValueError(
                f'{self.name}: mirror_sign must be -1 or 1, found {self.mirror_sign}')
        if self.counts_as_moving and self.rest != 0.0:
            raise ValueError(f'{self.name}: an axis that counts as moving must have rest 0, '
                             f'found {self.rest}')
        if not self.max_rate > 0.0:
            raise ValueError(f'{self.name}: max_rate must be above 0, found {self.max_rate}')

    @property
    def title(self) -> str:
        """Label and unit: ``forward [m/s]``."""
        return f'{self.label} [{self.unit}]'


# The axes of ``cmd_vel``: the first columns of every command, required in every spec.
VELOCITY_AXES = (
    CommandAxis('lin_vel_x', 'forward', 'm/s', 1.0, True, MAX_COMMAND, max_rate=2.0),
    CommandAxis('lin_vel_y', 'left', 'm/s', -1.0, True, MAX_COMMAND, max_rate=2.0),
    CommandAxis('ang_vel_z', 'turning left', 'rad/s', -1.0, True, MAX_COMMAND, max_rate=4.0))
VELOCITY_NAMES = tuple(axis.name for axis in VELOCITY_AXES)
NUM_VELOCITY = len(VELOCITY_AXES)
BASE_HEIGHT = 'base_height'
# Axes that a config or a contract may have besides the velocity.
FURTHER_AXES: Tuple[CommandAxis, ...] = (
    CommandAxis(BASE_HEIGHT, 'base height', 'm', 1.0, False, max_magnitude=2.0, max_rate=0.1),)
COMMAND_AXES: Dict[str, CommandAxis] = {
    axis.name: axis for axis in (*VELOCITY_AXES, *FURTHER_AXES)}


def register_command_axis(axis: CommandAxis) -> None:
    """Add an axis to :data:`COMMAND_AXES` for this process.

    Raises:
        ValueError: An axis of that name exists.
    """
    if axis.name in COMMAND_AXES:
        raise ValueError(f'command axis {axis.name!r} is already registered; '
                         f'the axes are {sorted(COMMAND_AXES)}')
    COMMAND_AXES[axis.name] = axis


@dataclass(frozen=True)
class CommandRange:
    """The values of one axis that a policy was trained in.

    Attributes:
        axis: The axis.
        lower: Lowest value [axis.unit].
        upper: Highest value [axis.unit].
        rest: Value while nothing is commanded [axis.unit].
    """

    axis: CommandAxis
    lower: float
    upper: float
    rest: float

    def __post_init__(self) -> None:
        name, most = self.axis.name, self.axis.max_magnitude
        found = f'[{self.lower}, {self.upper}]'
        if self.axis.counts_as_moving and self.rest != 0.0:
            raise ValueError(f'{name}: the value at rest must be 0 because the axis counts as '
                             f'moving, found {self.rest}')
        if not self.lower <= self.rest <= self.upper:
            raise ValueError(f'{name}: the range must contain {self.rest:g}, the value at rest, '
                             f'but is {found}; a third number sets the value at rest')
        if not -most <= self.lower <= self.upper <= most:
            raise ValueError(f'{name}: the range must lie within [-{most:g}, {most:g}], '
                             f'but is {found}')

    def to_config(self) -> List[float]:
        """Return ``[lower, upper]``, or ``[lower, upper, rest]`` if rest is not the default."""
        own = [] if self.rest == self.axis.rest else [self.rest]
        return [self.lower, self.upper, *own]


@dataclass(frozen=True)
class CommandSpec:
    """The axes of a policy's commands, in the order of the columns, and their ranges.

    In YAML it is a mapping from the axis's name to ``[lower, upper]`` or ``[lower, upper,
    rest]``.

    Attributes:
        ranges: One range per column: the velocity axes, then further axes sorted by name.
    """

    ranges: Tuple[CommandRange, ...]

    def __post_init__(self) -> None:
        expected = [*VELOCITY_NAMES, *sorted({*self.names} - {*VELOCITY_NAMES})]
        if list(self.names) != expected:
            raise ValueError(f'command axes: expected the order {expected}, '
                             f'found {list(self.names)}')

    @classmethod
    def of(cls, **ranges: Tuple[float, ...]) -> CommandSpec:
        """Return a spec with ranges by axis name; see :meth:`from_config`."""
        return cls.from_config(ranges)

    @classmethod
    def from_config(cls, data: Dict[str, Tuple[float, ...]]) -> CommandSpec:
        """Return the spec of a mapping; the order of its keys has no effect.

        Raises:
            ValueError: An axis is unknown or missing, or a range does not fit it.
        """
        missing = [name for name in VELOCITY_NAMES if name not in data]
        unknown = [name for name in data if name not in COMMAND_AXES]
        if missing or unknown:
            found = [f'unknown keys {show(unknown, 200)}'] * bool(unknown)
            found += [f'missing keys {missing}'] * bool(missing)
            raise ValueError(f'{", ".join(found)}; the keys are {sorted(COMMAND_AXES)}')
        names = [*VELOCITY_NAMES, *sorted({*data} - {*VELOCITY_NAMES})]
        return cls(tuple(_range(COMMAND_AXES[name], data[name]) for name in names))

    def to_config(self) -> Dict[str, List[float]]:
        """Return the mapping that :meth:`from_config` reads."""
        return {it.axis.name: it.to_config() for it in self.ranges}

    def __getitem__(self, name: str) -> CommandRange:
        """Return the range of an axis by its name."""
        return self.ranges[self.index(name)]

    def index(self, name: str) -> int:
        """Return the column of an axis.

        Raises:
            UnknownNameError: The policy has no such axis.
        """
        if name not in self.names:
            raise UnknownNameError('command axis', name, self.names)
        return self.names.index(name)

    @property
    def size(self) -> int:
        """Number of columns of a command."""
        return len(self.ranges)

    @cached_property
    def names(self) -> Tuple[str, ...]:
        """Names of the axes."""
        return tuple(it.axis.name for it in self.ranges)

    @property
    def lower(self) -> Tuple[float, ...]:
        """The lowest value of each axis."""
        return tuple(it.lower for it in self.ranges)

    @property
    def upper(self) -> Tuple[float, ...]:
        """The highest value of each axis."""
        return tuple(it.upper for it in self.ranges)

    @property
    def rest(self) -> Tuple[float, ...]:
        """The value of each axis at rest."""
        return tuple(it.rest for it in self.ranges)

    @property
    def mirror_signs(self) -> Tuple[float, ...]:
        """Factor on each column when left and right are exchanged."""
        return tuple(it.axis.mirror_sign for it in self.ranges)

    @cached_property
    def counts_as_moving(self) -> Tuple[bool, ...]:
        """Whether each column counts as moving."""
        return tuple(it.axis.counts_as_moving for it in self.ranges)

    @property
    def velocity(self) -> CommandSpec:
        """The spec of the first three axes, those of ``cmd_vel``."""
        return self if self.size == NUM_VELOCITY else CommandSpec(self.ranges[:NUM_VELOCITY])

    @property
    def further(self) -> Tuple[CommandRange, ...]:
        """The axes beyond the velocity."""
        return self.ranges[NUM_VELOCITY:]

    @property
    def set_points(self) -> Tuple[CommandRange, ...]:
        """The further axes that do not count as moving; they keep the value that was set last."""
        return tuple(it for it in self.further if not it.axis.counts_as_moving)

    def with_velocity(self, velocity: Array) -> Array:
        """Return commands (..., size) of a velocity (..., 3), further axes at rest."""
        if self.size == NUM_VELOCITY:
            return velocity
        rest = self._rest.like(velocity)[NUM_VELOCITY:]
        return concatenate((velocity, rest + namespace(velocity).zeros_like(velocity[..., :1])))

    def clamp(self, command: Array) -> Array:
        """Return the command clamped to the range of each column. (..., size)."""
        lower, upper = self._bounds
        return clip(command, lower.like(command), upper.like(command))

    def moving_part(self, command: Array) -> Array:
        """Return the columns that count as moving. (..., size) to (..., moving columns)."""
        if self._all_move:
            return command
        return command[..., self._moving.like(command)]

    def is_moving(self, command: Array, threshold: float) -> Array:
        """Return which commands ask for walking. (num_envs, size) to (num_envs,) bool."""
        return norm_last(self.moving_part(command)) > threshold

    @cached_property
    def _bounds(self) -> Tuple[Constant, Constant]:
        return Constant(self.lower), Constant(self.upper)

    @cached_property
    def _rest(self) -> Constant:
        return Constant(self.rest)

    @cached_property
    def _all_move(self) -> bool:
        return all(self.counts_as_moving)

    @cached_property
    def _moving(self) -> Constant:
        return Constant([i for i, counts in enumerate(self.counts_as_moving) if counts],
                        dtype='int64')


def _range(axis: CommandAxis, values: Tuple[float, ...]) -> CommandRange:
    if len(values) not in (2, 3):
        raise ValueError(f'{axis.name}: expected [lowest, highest] or [lowest, highest, rest], '
                         f'found {show(list(values))}')
    lower, upper, rest = (*values, axis.rest)[:3]
    return CommandRange(axis, lower, upper, rest)


@dataclass(frozen=True)
class GaitSpec:
    """Parameters of the gait clock.

    Attributes:
        period: Duration of one full stride, left and right step [s].
        moving_threshold: Commands whose norm is above this ask for walking, others for standing.
        at_rest: The clock while the command asks for standing. None: it pauses, and its numbers
            are zeros. ``running``: it goes on, and its numbers are zeros. ``half_stride``: its
            numbers are those of half a stride, for both legs, and the next stride begins anew.
            ``stride_start``: its numbers are those of the phase 0, and the next stride begins
            anew.
    """

    period: float
    moving_threshold: float
    at_rest: Optional[str] = None

    def __post_init__(self) -> None:
        low, high = GAIT_PERIODS
        if not low <= self.period <= high:
            raise ValueError(f'period must be from {low:g} to {high:g} s, found {self.period}')
        if not -MAX_COMMAND <= self.moving_threshold <= MAX_COMMAND:
            raise ValueError(f'moving_threshold must be from -{MAX_COMMAND:g} to '
                             f'{MAX_COMMAND:g}, found {self.moving_threshold}')
        if self.at_rest not in AT_REST:
            names = ', '.join(sorted(filter(None, AT_REST)))
            raise ValueError(f'at_rest must be {names} or null, found {self.at_rest!r}')


class GaitClock:
    """The phase of the stride, computed from the number of control steps, not from wall time.

    The phase is a fraction of the stride in [0, 1): the left foot swings in the first half and
    the right foot in the second. While the command asks for standing it follows
    :attr:`GaitSpec.at_rest`.

    Args:
        spec: The parameters.
        commands: The axes of the commands.
        control_period: Time between two control steps [s].
        num_envs: Number of robots.
        like: An array whose type and device are used.

    Attributes:
        phase: (num_envs,) in [0, 1).
    """

    def __init__(self, spec: GaitSpec, commands: CommandSpec, control_period: float,
                 num_envs: int, like: Array):
        self._spec, self._commands = spec, commands
        self._increment = control_period / spec.period
        self._rest = Constant(AT_REST[spec.at_rest])
        self.phase = zeros((num_envs,), like)

    def reset(self, mask: Array, phase: Array = 0.0) -> None:
        """Set the clock of the robots in ``mask`` (num_envs,) to a phase."""
        self.phase[...] = namespace(self.phase).where(
            mask, phase + zeros(tuple(self.phase.shape), self.phase), self.phase)

    def step(self, command: Array) -> Array:
        """Advance the clock of every robot whose command (num_envs, size) asks to walk.

        Returns:
            (num_envs, 4): sine and cosine of the phase before this step for the left leg, then
            for the right one, half a stride later; :data:`AT_REST` for a command to stand.
        """
        xp = namespace(self.phase)
        moving = self._commands.is_moving(command, self._spec.moving_threshold)
        angle = (2.0 * math.pi) * self.phase[:, None]
        left = concatenate((xp.sin(angle), xp.cos(angle)))
        later = (self.phase + self._increment) % 1.0
        if self._spec.at_rest in ('half_stride', 'stride_start'):
            self.phase[...] = xp.where(moving, later, xp.zeros_like(later))
        else:
            self.phase[...] = later if self._spec.at_rest == 'running' else xp.where(
                moving, later, self.phase)
        legs = concatenate((left, -left))
        return xp.where(moving[:, None], legs, self._rest.like(legs))
