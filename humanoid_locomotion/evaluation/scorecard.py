# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The scorecard: the measurements, their setting and the verdict on each line."""

from __future__ import annotations

from dataclasses import dataclass
import json
import math
from pathlib import Path
import re
from typing import Any, Optional, TypeVar

from humanoid_locomotion.core.feedback.robot_size import USUAL, Scale
from humanoid_locomotion.core.policy.content import MAX_MEASURED_BYTES
from humanoid_locomotion.core.reading import config
from humanoid_locomotion.core.reading.files import read_bytes
from humanoid_locomotion.core.reading.parsing import parse_json
from humanoid_locomotion.evaluation.protocol import Command

T = TypeVar('T')
MAX_BYTES = 4 * 1024 * 1024  # of scorecard.json


@dataclass(frozen=True)
class Setting:
    """The policy that was measured, the simulator and the protocol.

    Attributes:
        protocol: Version of the protocol.
        quick: Whether the number of runs was reduced.
        seed: Seed of every random choice.
        policy: Name of the policy folder.
        fingerprint: The contract's fingerprint.
        robot: Name of the robot.
        model_hash_matches: Whether the robot's model is the one that training used.
        simulator: Name of the backend.
        versions: Versions of the packages that were used, by name.
        timestep: Duration of a physics step [s].
        control_period: Time between two control steps [s].
        wall_time: Duration of the measurement [s]; the only value that the seed does not fix.
        solver_iterations: Maximum number of iterations of the constraint solver.
        model: Path of the robot's model; empty for the package's own.
        network_alone: Whether the policy's velocity feedback was left out.
        scale: The factors by which the protocol was scaled to a smaller robot.
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
    network_alone: bool = False
    scale: Scale = USUAL

    @property
    def asked(self) -> str:
        """The protocol, whether it is the quick one, and whether it is scaled."""
        return (f'protocol {self.protocol}{", quick" if self.quick else ""}'
                + (f', scaled to the robot: {self.scale}' if self.scale != USUAL else ''))


@dataclass(frozen=True)
class Response:
    """The response to a command, mean over runs.

    Attributes:
        command: Forward [m/s], left [m/s], turning left [rad/s].
        velocity: The achieved mean velocity, in the heading frame; units as in ``command``.
        linear_error: Distance between the mean velocity of a run and the command [m/s].
        yaw_error: The same for the yaw rate [rad/s].
        linear_rms: Root mean square of the instantaneous error, sway included [m/s].
        yaw_rms: The same for the yaw rate [rad/s].
        runs: Number of runs.
        falls: Number of falls.
        answered: Whether no run fell and the error is at most half of the command.
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
    """Drift while commanded to stand.

    Attributes:
        runs: Number of runs.
        falls: Number of falls.
        drift_mean: Largest distance from the position at the start, mean over runs [m].
        drift_max: The same for the worst run [m].
        yaw_drift_mean: Largest turn, mean over runs [rad].
        yaw_drift_max: The same for the worst run [rad].
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
        runs: Number of kicks.
        survived: Number of kicks without a fall.
    """

    speed: float
    runs: int
    survived: int


@dataclass(frozen=True)
class PushLadder:
    """Kicks of increasing strength at one walking speed.

    Attributes:
        name: Motion of the robot and direction of the kicks.
        walking_speed: Commanded forward speed [m/s].
        score: Share of all kicks without a fall.
        rungs: The kicks by strength.
    """

    name: str
    walking_speed: float
    score: float
    rungs: tuple[Rung, ...]


@dataclass(frozen=True)
class Economy:
    """Effort of walking straight, mean over runs, sampled at every physics step.

    Attributes:
        command: Commanded forward speed [m/s].
        speed: Achieved forward speed [m/s].
        falls: Number of falls.
        cost_of_transport: Sum |torque * joint speed| / (m g v); None if a run fell or
            did not reach half the speed.
        peak_torque_share: Largest share of its effort that any joint used in any run.
        foot_slip: Mean horizontal speed of soles that carry weight [m/s].
        target_rate: Root mean square change of the targets of legs and waist [rad/s].
        feet_force: Contact force of both feet, 99.5th percentile of each run [body weights].
        action_rate: Until protocol 3: mean change of all joint targets [rad/s].
        peak_force: Until protocol 3: largest contact force of a foot [body weights].
    """

    command: float
    speed: float
    falls: int
    cost_of_transport: Optional[float]
    peak_torque_share: float
    foot_slip: float
    target_rate: Optional[float] = None
    feet_force: Optional[float] = None
    action_rate: Optional[float] = None
    peak_force: Optional[float] = None


@dataclass(frozen=True)
class Tour:
    """A long walk with changing commands and kicks.

    Attributes:
        runs: Number of runs.
        falls: Number of falls.
        time: Duration of a run [s].
        time_up: Time until the fall, or the whole duration, mean over runs [s].
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
        name: Name of the disturbance.
        runs: Number of runs.
        falls: Number of falls.
        linear_error: Distance between mean velocity and command, mean over runs [m/s].
    """

    name: str
    runs: int
    falls: int
    linear_error: float


@dataclass(frozen=True)
class Criterion:
    """One line with its verdict; most lines have one value, some have one per speed.

    Attributes:
        name: Name of the quantity.
        unit: Unit of the values; empty for counts and ratios.
        more_is_better: Whether high values are good.
        measured: The measured values; None for a value that could not be measured.
        gate: The values that are needed to pass; None where there is no requirement.
        lead: The values at or beyond the best public policy.
        passed: Whether every gate is reached.
        leads: Whether every lead is reached.
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
class Measurements:
    """All measured values.

    Attributes:
        responses: The response to each command.
        mean_linear_error: Mean of their velocity errors [m/s].
        mean_yaw_error: Mean of their yaw rate errors [rad/s].
        dead_zone: Slowest forward command such that it and all faster ones are answered [m/s];
            None if none is answered.
        standing: Drift while commanded to stand.
        pushes: Kicks, one ladder per motion and direction.
        economy: Effort of walking straight, slowest first.
        own_arms: Tours with arms that the policy moves.
        led_arms: Tours with externally moved arms; None for a robot without arms.
        situations: Runs under each disturbance.
        ice: Runs on the floor of lowest friction.
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
    """The content of ``scorecard.json``.

    Attributes:
        passed: Whether every line reaches its gate.
        criteria: The lines with their verdicts.
        figures: All measured values.
        setting: The conditions of the measurement.
    """

    passed: bool
    criteria: tuple[Criterion, ...]
    figures: Measurements
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
        """Number of lines at or beyond the best public policy."""
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
        ConfigError: The file cannot be read or is not a scorecard.
    """
    data = parse_json(read_bytes(path, MAX_MEASURED_BYTES), path)
    return config.from_mapping(Scorecard, data, path)


def shown(values: tuple[Optional[float], ...], form: str = '.3g') -> str:
    """Return the values of a line as text, with a dash for missing values."""
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
