"""The scorecard: what was measured, under which setting, and whether it is enough."""

from __future__ import annotations

from dataclasses import dataclass
import json
import math
from pathlib import Path
import re
from typing import Any, Optional, TypeVar

from humanoid_locomotion.core.policy.content import MAX_MEASURED_BYTES
from humanoid_locomotion.core.reading import config
from humanoid_locomotion.core.reading.files import read_bytes
from humanoid_locomotion.core.reading.parsing import parse_json
from humanoid_locomotion.evaluation.protocol import Command

T = TypeVar('T')
MAX_BYTES = 4 * 1024 * 1024  # of scorecard.json


@dataclass(frozen=True)
class Setting:
    """What was measured, and on what.

    Attributes:
        protocol: Version of the protocol.
        quick: Whether the number of runs was cut down.
        seed: Seed of every random choice.
        policy: Name of the policy folder.
        fingerprint: The contract's fingerprint.
        robot: Name of the robot.
        model_hash_matches: Whether the robot's model is the one that training used.
        simulator: Name of the backend.
        versions: Versions of the packages that computed it, by name.
        timestep: Duration of a physics step [s].
        control_period: Time between two control steps [s].
        wall_time: How long the measurement took [s]; the one figure that no seed fixes.
        solver_iterations: Most iterations of the constraint solver.
        model: The robot's model, if not the package's own.
    """

    protocol: int
    quick: bool
    seed: int
    policy: str
    fingerprint: str
    robot: str
    model_hash_matches: bool
    simulator: str
    versions: dict[str, str]
    timestep: float
    control_period: float
    wall_time: float
    solver_iterations: int = 50
    model: str = ''


@dataclass(frozen=True)
class Response:
    """How a command was followed, mean over runs.

    Attributes:
        command: Forward [m/s], left [m/s], turning left [rad/s].
        velocity: What was reached, likewise, in the heading frame.
        linear_error: Distance of a run's mean velocity from the command [m/s].
        yaw_error: Likewise, of the turning rate [rad/s].
        linear_rms: Root mean square of the momentary error, sway included [m/s].
        yaw_rms: Likewise, of the turning rate [rad/s].
        runs: How many runs.
        falls: How many of them fell.
        answered: Whether no run fell and at most half of the command is missing.
    """

    command: Command
    velocity: Command
    linear_error: float
    yaw_error: float
    linear_rms: float
    yaw_rms: float
    runs: int
    falls: int
    answered: bool


@dataclass(frozen=True)
class Standing:
    """Standing still.

    Attributes:
        runs: How many runs.
        falls: How many of them fell.
        drift_mean: Farthest distance from the start of the measurement, mean over runs [m].
        drift_max: Likewise, of the worst run [m].
        yaw_drift_mean: Farthest turn, mean over runs [rad].
        yaw_drift_max: Likewise, of the worst run [rad].
    """

    runs: int
    falls: int
    drift_mean: float
    drift_max: float
    yaw_drift_mean: float
    yaw_drift_max: float


@dataclass(frozen=True)
class Rung:
    """Kicks of one strength.

    Attributes:
        speed: Velocity that a kick adds to the base [m/s].
        runs: How many kicks.
        survived: How many of them were survived.
    """

    speed: float
    runs: int
    survived: int


@dataclass(frozen=True)
class PushLadder:
    """Kicks of growing strength, while doing one thing.

    Attributes:
        name: What the robot did, and where the kicks came from.
        walking_speed: Its forward speed [m/s].
        score: Share of all kicks that were survived.
        rungs: The kicks by strength.
    """

    name: str
    walking_speed: float
    score: float
    rungs: tuple[Rung, ...]


@dataclass(frozen=True)
class Economy:
    """What walking straight costs, mean over runs, sampled at every physics step.

    Attributes:
        command: Forward speed asked for [m/s].
        speed: Forward speed reached [m/s].
        falls: How many runs fell.
        cost_of_transport: Sum |torque * joint speed| / (m g v); None if a run fell or
            did not reach half the speed.
        peak_torque_share: Largest share of its effort that a joint ever used in any run.
        action_rate: Mean change of the joint targets [rad/s].
        foot_slip: Mean horizontal speed of soles that carry weight [m/s].
        peak_force: Hardest that a foot pressed on the floor, mean over runs [body weights].
    """

    command: float
    speed: float
    falls: int
    cost_of_transport: Optional[float]
    peak_torque_share: float
    action_rate: float
    foot_slip: float
    peak_force: float


@dataclass(frozen=True)
class Tour:
    """A long walk of changing commands and shoves.

    Attributes:
        runs: How many runs.
        falls: How many of them fell.
        time: Duration of a run [s].
        time_up: How long a robot stayed up, mean over runs [s].
        linear_rms: Root mean square of the velocity error of runs that did not fall [m/s]; None
            if all fell.
    """

    runs: int
    falls: int
    time: float
    time_up: float
    linear_rms: Optional[float]


@dataclass(frozen=True)
class Disturbed:
    """Runs under one disturbance.

    Attributes:
        name: What it was.
        runs: How many runs.
        falls: How many of them fell.
        linear_error: Distance of the mean velocity from the command, mean over runs [m/s].
    """

    name: str
    runs: int
    falls: int
    linear_error: float


@dataclass(frozen=True)
class Criterion:
    """One line, judged; most have one value, some one for each of several speeds.

    Attributes:
        name: What is looked at.
        unit: Unit of the values; empty for counts and ratios.
        more_is_better: Whether high values are good.
        measured: What came out; None for what could not be measured.
        gate: What is needed to pass; None where nothing is asked for.
        lead: What leads the field.
        passed: Whether every gate is reached.
        leads: Whether every lead is.
    """

    name: str
    unit: str
    more_is_better: bool
    measured: tuple[Optional[float], ...]
    gate: tuple[Optional[float], ...]
    lead: tuple[Optional[float], ...]
    passed: bool
    leads: bool

    @property
    def label(self) -> str:
        """The name, with the unit if there is one."""
        return f'{self.name} [{self.unit}]' if self.unit else self.name

    @property
    def verdict(self) -> str:
        """``leads``, ``pass`` or ``FAIL``."""
        return 'FAIL' if not self.passed else 'leads' if self.leads else 'pass'


@dataclass(frozen=True)
class Figures:
    """Everything that was measured.

    Attributes:
        responses: How each command was followed.
        mean_linear_error: Mean of their velocity errors [m/s].
        mean_yaw_error: Mean of their turning errors [rad/s].
        dead_zone: Slowest forward speed from which on all are answered [m/s]; None if none is.
        standing: Standing still.
        pushes: Kicks, by what the robot did.
        economy: Effort of walking straight, slowest first.
        own_arms: Tours with the policy's own arms.
        led_arms: Tours with arms that somebody else moves; None for a robot without arms.
        situations: Runs under each disturbance.
        ice: Runs on the slipperiest floor.
    """

    responses: tuple[Response, ...]
    mean_linear_error: float
    mean_yaw_error: float
    dead_zone: Optional[float]
    standing: Standing
    pushes: tuple[PushLadder, ...]
    economy: tuple[Economy, ...]
    own_arms: Tour
    led_arms: Optional[Tour]
    situations: tuple[Disturbed, ...]
    ice: Disturbed


@dataclass(frozen=True)
class Scorecard:
    """What ``scorecard.json`` holds.

    Attributes:
        passed: Whether every line reaches its gate.
        criteria: The lines.
        figures: What was measured.
        setting: Under which conditions.
    """

    passed: bool
    criteria: tuple[Criterion, ...]
    figures: Figures
    setting: Setting

    def __post_init__(self) -> None:
        if self.passed != all(criterion.passed for criterion in self.criteria):
            raise ValueError(f'passed is {self.passed}, which its criteria contradict')

    def to_json(self) -> str:
        """Return the scorecard as JSON, keys sorted, short lists on one line."""
        text = json.dumps(config.to_mapping(self), sort_keys=True, indent=2, allow_nan=False)
        return re.sub(r'\[[^][{}]*\]', lambda match: _one_line(match[0]), text) + '\n'

    @property
    def lines_led(self) -> int:
        """How many lines are at or past the best that is known."""
        return sum(criterion.leads for criterion in self.criteria)

    @classmethod
    def from_json(cls, text: str, source: object) -> Scorecard:
        """Read a scorecard.

        Raises:
            ConfigError: The text is not JSON, or not a scorecard.
        """
        return config.from_mapping(cls, parse_json(text.encode('utf-8'), source), source)


def read_scorecard(path: Path) -> Scorecard:
    """Read ``scorecard.json``.

    Raises:
        ConfigError: It is no file that can be read, or not a scorecard.
    """
    data = parse_json(read_bytes(path, MAX_MEASURED_BYTES), path)
    return config.from_mapping(Scorecard, data, path)


def shown(values: tuple[Optional[float], ...], form: str = '.3g') -> str:
    """Return a line's values for people, a dash for those that are not there."""
    return ' / '.join('-' if value is None else f'{value:{form}}' for value in values)


def _one_line(text: str) -> str:
    return ' '.join(text.split()).replace('[ ', '[').replace(' ]', ']')


def rounded(record: T) -> T:
    """Return a dataclass with every float in it rounded to four significant digits."""
    return config.from_mapping(type(record), _round(config.to_mapping(record)), 'scorecard')


def _round(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _round(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_round(item) for item in value]
    if isinstance(value, float) and math.isfinite(value):
        return float(f'{value:.4g}') + 0.0
    return value
