"""The scorecard: what was measured, under which setting, and whether it is enough."""

from __future__ import annotations

from dataclasses import dataclass
import json
import math
from pathlib import Path
import re
from typing import Any, Optional, TypeVar

from humanoid_locomotion.core import config
from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.evaluation.protocol import Protocol

T = TypeVar('T')


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
        gated: Whether the criteria look at this command.
    """

    command: tuple[float, float, float]
    velocity: tuple[float, float, float]
    linear_error: float
    yaw_error: float
    linear_rms: float
    yaw_rms: float
    runs: int
    falls: int
    gated: bool


@dataclass(frozen=True)
class Walking:
    """Walking with random commands on random floors.

    Attributes:
        runs: How many runs.
        falls: How many of them fell.
        time: Duration of a run [s].
    """

    runs: int
    falls: int
    time: float


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
class PushDirection:
    """Pushes towards one side.

    Attributes:
        angle: Where the push goes, from straight ahead towards the left [deg].
        runs: How many pushes while standing, and as many while walking.
        standing: How many of those standing were survived.
        walking: How many of those walking were survived.
    """

    angle: float
    runs: int
    standing: int
    walking: int


@dataclass(frozen=True)
class Pushes:
    """Sudden pushes.

    Attributes:
        speed: Velocity that a push adds to the base [m/s].
        walking_speed: Forward speed of those that walked [m/s].
        survived: Share of all pushes that were survived.
        directions: The pushes by direction.
    """

    speed: float
    walking_speed: float
    survived: float
    directions: tuple[PushDirection, ...]


@dataclass(frozen=True)
class Economy:
    """What walking straight costs, mean over runs, sampled at every control step.

    Attributes:
        command: Forward speed asked for [m/s].
        speed: Forward speed reached [m/s].
        falls: How many runs fell.
        cost_of_transport: Sum |torque * joint speed| / (m g v); None if a run fell or
            did not reach half the speed.
        peak_torque_share: Largest share of its effort that a joint ever used in any run.
        action_rate: Mean change of the joint targets [rad/s].
        foot_slip: Mean horizontal speed of soles that carry weight [m/s].
    """

    command: float
    speed: float
    falls: int
    cost_of_transport: Optional[float]
    peak_torque_share: float
    action_rate: float
    foot_slip: float


@dataclass(frozen=True)
class Criterion:
    """One gate.

    Attributes:
        name: What is looked at.
        measured: What came out; None if the policy was not trained for any of it.
        required: What is needed, as ``< 0.05 m``.
        passed: Whether it was reached.
    """

    name: str
    measured: Optional[float]
    required: str
    passed: bool


@dataclass(frozen=True)
class Figures:
    """Everything that was measured.

    Attributes:
        responses: How each command was followed.
        skipped_commands: Commands of the protocol that the policy was not trained for.
        walking: Random walks.
        standing: Standing still.
        pushes: Pushes.
        economy: Effort of walking straight, slowest first.
    """

    responses: tuple[Response, ...]
    skipped_commands: tuple[tuple[float, float, float], ...]
    walking: Walking
    standing: Standing
    pushes: Pushes
    economy: tuple[Economy, ...]


@dataclass(frozen=True)
class Scorecard:
    """What ``scorecard.json`` holds.

    Attributes:
        passed: Whether every criterion is met.
        criteria: The gates.
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

    @classmethod
    def from_json(cls, text: str, source: object) -> Scorecard:
        """Read a scorecard.

        Raises:
            ConfigError: The text is not JSON, or not a scorecard.
        """
        try:
            data = json.loads(text)
        except ValueError as error:
            raise ConfigError(source, '', f'is not valid JSON ({error})') from error
        return config.from_mapping(cls, data, source)


def read_scorecard(path: Path) -> Scorecard:
    """Read ``scorecard.json``."""
    return Scorecard.from_json(path.read_text(encoding='utf-8'), path)


def make_scorecard(figures: Figures, setting: Setting, protocol: Protocol) -> Scorecard:
    """Round the figures to four digits and judge what is then written."""
    figures = rounded(figures)
    criteria = judge(figures, protocol)
    return Scorecard(passed=all(criterion.passed for criterion in criteria), criteria=criteria,
                     figures=figures, setting=rounded(setting))


def judge(figures: Figures, protocol: Protocol) -> tuple[Criterion, ...]:
    """Hold the figures against the protocol's gates."""
    gates = protocol.gates
    gated = [response for response in figures.responses if response.gated]
    steady: tuple[Standing | Response | Economy, ...] = (
        figures.standing, *figures.responses, *figures.economy)
    steady_falls = sum(runs.falls for runs in steady)
    return (
        _at_most('falls in random walks', figures.walking.falls, 0),
        _at_most('falls in steady runs', steady_falls, 0),
        _below('drift while standing', figures.standing.drift_max, gates.standing_drift, 'm'),
        _at_least('pushes survived', figures.pushes.survived, gates.pushes_survived),
        _below('velocity error', max((r.linear_error for r in gated), default=None),
               gates.linear_error, 'm/s'),
        _below('turning error', max((r.yaw_error for r in gated), default=None),
               gates.yaw_error, 'rad/s'))


def _at_most(name: str, measured: float, limit: float) -> Criterion:
    return Criterion(name, float(measured), f'<= {limit:g}', measured <= limit)


def _at_least(name: str, measured: float, limit: float) -> Criterion:
    return Criterion(name, measured, f'>= {limit:g}', measured >= limit)


def _below(name: str, measured: Optional[float], limit: float, unit: str) -> Criterion:
    passed = measured is not None and measured < limit
    return Criterion(name, measured, f'< {limit:g} {unit}', passed)


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
