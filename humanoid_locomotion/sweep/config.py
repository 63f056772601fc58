# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The schema of sweep files, which name what to try and what to compare.

An example::

    objective: time_to_scorecard      # or reward, or the name of a scorecard line
    seeds: [1, 2, 3]                  # each trial trains with all; its value is their median
    trials: 30                        # left out: every combination of the lists
    parameters:
      ppo.epochs: [3, 5]              # dotted keys of the training config
      ppo.desired_kl: {low: 0.005, high: 0.05, log: true}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import itertools
import math
from pathlib import Path
from typing import Any, Optional

import yaml

from humanoid_locomotion.core.errors import ConfigError, UnknownNameError
from humanoid_locomotion.core.reading.config import from_mapping, load, read_value, to_mapping
from humanoid_locomotion.evaluation.gates import LINES
from humanoid_locomotion.training.config_checks import MAX_SEED

MAX_TRIALS = 100_000
REWARD, TIME = 'reward', 'time_to_scorecard'


@dataclass(frozen=True)
class Range:
    """A range of numbers; of whole numbers if both ends are written so.

    Attributes:
        low: The smallest value.
        high: The largest value.
        log: Whether to sample the logarithm uniformly.
    """

    low: Any
    high: Any
    log: bool = False

    def __post_init__(self) -> None:
        for end in (self.low, self.high):
            if isinstance(end, bool) or not (
                    isinstance(end, (int, float)) and math.isfinite(end)):
                raise ValueError(f'low and high must be finite numbers, found {end!r}')
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError(f'expected low < high{" and low above 0" * self.log}, found '
                             f'{self.low} and {self.high}')


@dataclass(frozen=True)
class Parameter:
    """The values of one key: a list or a range.

    Attributes:
        choices: The values of the list as YAML; empty for a range.
        range: The range; None for a list.
    """

    choices: tuple[str, ...] = ()
    range: Optional[Range] = None

    @classmethod
    def from_value(cls, value: Any, source: object, at: str) -> Parameter:
        """Read a list of values, or ``{low, high, log}``.

        Raises:
            ConfigError: It is neither, or empty.
        """
        if isinstance(value, Mapping):
            return cls(range=from_mapping(Range, value, source, at))
        values = read_value(tuple[Any, ...], value, source, at)
        if not values:
            raise ConfigError(source, at, 'expected one value or more, found none')
        return cls(choices=tuple(dict.fromkeys(map(as_yaml, values))))

    def to_config(self) -> Any:
        """Return the plain data that :meth:`from_value` reads."""
        if self.range is not None:
            return to_mapping(self.range)
        return [yaml.safe_load(text) for text in self.choices]

    @property
    def ends(self) -> tuple[str, ...]:
        """All values of a list, or the ends of a range, as YAML."""
        if self.range is None:
            return self.choices
        return as_yaml(self.range.low), as_yaml(self.range.high)


@dataclass(frozen=True)
class SweepConfig:
    """The content of a sweep file.

    Attributes:
        parameters: Values by dotted key of the training config.
        objective: ``reward``, ``time_to_scorecard`` or the name of a scorecard line.
        seeds: Seeds that each trial trains with.
        trials: Number of trials; None for every combination of the lists.
    """

    parameters: dict[str, Parameter]
    objective: str
    seeds: tuple[int, ...] = (1,)
    trials: Optional[int] = None

    def __post_init__(self) -> None:
        if not self.parameters:
            raise ValueError('parameters: expected one key or more, found none')
        known = {REWARD, TIME, *(line.name for line in LINES)}
        if self.objective not in known:
            raise ValueError(str(UnknownNameError('objective', self.objective, known)))
        if not self.seeds or len(set(self.seeds)) < len(self.seeds) or not all(
                0 <= seed <= MAX_SEED for seed in self.seeds):
            raise ValueError('seeds: expected different numbers from 0 to '
                             f'{MAX_SEED}, found {list(self.seeds)}')
        ranges = [key for key, it in self.parameters.items() if it.range is not None]
        if self.trials is None and ranges:
            raise ValueError(f'trials is missing; it is needed with a range, as of {ranges[0]}')
        if not 1 <= self.total <= MAX_TRIALS:
            raise ValueError(f'trials: found {self.total}, expected 1 to {MAX_TRIALS:,}')

    @property
    def total(self) -> int:
        """Number of trials."""
        if self.trials is not None:
            return self.trials
        return math.prod(len(it.choices) for it in self.parameters.values())

    @property
    def more_is_better(self) -> bool:
        """Whether high values of the objective are good."""
        lines = {line.name: line.more_is_better for line in LINES}
        return lines.get(self.objective, self.objective == REWARD)

    def combinations(self) -> list[dict[str, str]]:
        """Return every combination of the lists, by key, values as YAML."""
        lists = [it.choices for it in self.parameters.values()]
        return [dict(zip(self.parameters, values)) for values in itertools.product(*lists)]


def as_yaml(value: Any) -> str:
    """Return a value as one line of YAML, as ``--set`` reads it; JSON has no decimal point."""
    text: str = yaml.safe_dump(value, default_flow_style=True, width=math.inf)
    return text.removesuffix('...\n').strip()


def read_sweep(path: Path, check: Callable[[str], object]) -> SweepConfig:
    """Read a sweep file and check every value of its lists and both ends of its ranges.

    Args:
        path: The file.
        check: Raises :class:`ConfigError` for a ``key=value`` that does not fit the config.

    Raises:
        ConfigError: The file is not valid.
    """
    sweep = load(SweepConfig, path)
    for key, parameter in sweep.parameters.items():
        for text in parameter.ends:
            try:
                check(f'{key}={text}')
            except ConfigError as error:
                where = '' if error.key == key else f'{error.key}: '
                raise ConfigError(path, f'parameters.{key}', f'{where}{error.problem}') from error
    return sweep
