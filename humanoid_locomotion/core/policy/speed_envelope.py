# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measured envelope of a policy: speeds that it reached, and tested motion of its arms."""

from __future__ import annotations

from dataclasses import dataclass, field
import json
from typing import Any, Dict, List, Mapping, Optional, Tuple

from humanoid_locomotion.core.action import tested_arm_range
from humanoid_locomotion.core.command import NUM_VELOCITY, VELOCITY_NAMES
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import printable
from humanoid_locomotion.core.reading.parsing import parse_json, show

MAX_SPEED = 100.0  # [m/s] and [rad/s]; above the speed of any walking robot
MIN_COMMAND = 1e-3  # smallest strongest command that is evaluated
MAX_RESPONSES = 256
TOUR_KEYS, MAX_TOUR = ('runs', 'time', 'falls', 'time_up'), 1e6


@dataclass(frozen=True)
class Envelope:
    """The commands that a planner may give, and the velocities that result.

    Attributes:
        trained: Lowest and highest command of each velocity axis: forward [m/s], left [m/s],
            turning left [rad/s].
        reached: Lowest and highest measured velocity of each axis; ``trained`` for an end that
            was not measured.
        dead_zone: Slowest commanded speed that the robot responds to [m/s].
        threshold: Norm of a command up to which the robot stands, turning included.
        responses: Measured commands and their mean velocities.
        problem: Why there is no measurement; empty if there is.
        arms: Range of each joint in the tours with externally moved arms [rad], by name; empty if
            there was none.
        arm_tours: Number of these tours, their duration [s], the falls, and the mean time to the
            fall or the end [s]: ``runs``, ``time``, ``falls``, ``time_up``.
    """

    trained: Tuple[Tuple[float, float], ...]
    reached: Tuple[Tuple[float, float], ...]
    dead_zone: float
    threshold: float
    responses: Tuple[Tuple[Tuple[float, ...], Tuple[float, ...]], ...]
    problem: str
    arms: Mapping[str, Tuple[float, float]] = field(default_factory=dict)
    arm_tours: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the JSON text that ``~/envelope`` publishes."""
        return json.dumps({
            'axes': VELOCITY_NAMES, 'trained': self.trained, 'reached': self.reached,
            'dead_zone': self.dead_zone, 'threshold': self.threshold, 'problem': self.problem,
            'responses': [{'command': command, 'velocity': velocity}
                          for command, velocity in self.responses],
            'arms': dict(self.arms), 'arm_tours': dict(self.arm_tours)})

    def nav2_parameters(self) -> Dict[str, Any]:
        """Return parameters of Nav2's velocity smoother: the range both trained and reached."""
        lower = [max(t[0], r[0]) for t, r in zip(self.trained, self.reached)]
        upper = [min(t[1], r[1]) for t, r in zip(self.trained, self.reached)]
        return {'velocity_smoother': {'ros__parameters': {
            'max_velocity': [round(v, 3) for v in upper],
            'min_velocity': [round(v, 3) for v in lower],
            'deadband_velocity': [
                round(v, 3) for v in (self.dead_zone, self.dead_zone, self.threshold)]}}}


def measured_envelope(contract: PolicyContract, scorecard: Optional[bytes], problem: str = ''
                      ) -> Envelope:
    """Return the envelope measured in a scorecard.

    A scorecard that is missing, of another policy or of a newer format does not make the policy
    unsafe; the reason is then stored in :attr:`Envelope.problem`.

    Args:
        contract: Contract of the policy.
        scorecard: Content of ``scorecard.json``; None if it is not available.
        problem: Why it is not available.
    """
    velocity = contract.command_limits.velocity
    trained = tuple(zip(velocity.lower, velocity.upper))
    threshold = contract.moving_threshold
    try:
        if scorecard is None:
            raise ValueError(problem)
        card = parse_json(scorecard, 'scorecard.json')
        written = card['setting']['fingerprint']
        if written != contract.fingerprint:
            raise ValueError(f'scorecard.json: it belongs to the policy {show(written)}, not to '
                             f'{contract.fingerprint!r}')
        metrics = card['figures']
        responses = tuple((_three(row['command']), _three(row['velocity']))
                          for row in metrics['responses'] if not row.get('falls'))
        if len(responses) > MAX_RESPONSES:
            raise ValueError(f'scorecard.json: {len(responses)} responses, at most '
                             f'{MAX_RESPONSES} are allowed')
        measured = metrics.get('dead_zone')
        dead_zone = threshold if measured is None else max(threshold, _speed(measured))
        reached = _reached(trained, responses)
        led = metrics.get('led_arms')
        tours = {} if led is None else {key: _number(led[key]) for key in TOUR_KEYS}
    except ValueError as error:  # includes the exceptions of this package
        return Envelope(trained, trained, threshold, threshold, (), printable(str(error), 300))
    except (KeyError, TypeError, AttributeError) as error:
        detail = printable(f'scorecard.json: {type(error).__name__}: {error}', 300)
        return Envelope(trained, trained, threshold, threshold, (), detail)
    return Envelope(trained, reached, dead_zone, threshold, responses, '',
                    tested_arm_range(contract) if tours else {}, tours)


def _three(values: Any) -> Tuple[float, ...]:
    if not isinstance(values, list) or len(values) != NUM_VELOCITY:
        raise ValueError(f'scorecard.json: found {show(values)}, expected three numbers: forward, '
                         'left [m/s] and turning [rad/s]')
    return tuple(_speed(value) for value in values)


def _speed(value: Any) -> float:
    return _number(value, MAX_SPEED, -MAX_SPEED, 'speed')


def _number(value: Any, most: float = MAX_TOUR, least: float = 0.0, what: str = 'count') -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not (
            least <= value <= most):
        raise ValueError(f'scorecard.json: found {show(value)}, expected a {what} from '
                         f'{least:g} to {most:g}')
    return float(value)


def _reached(trained: Tuple[Tuple[float, float], ...],
             responses: Tuple[Any, ...]) -> Tuple[Tuple[float, float], ...]:
    """Scale each end of the trained range by the response to the strongest command along it."""
    ends: List[Tuple[float, float]] = []
    for axis, (low, high) in enumerate(trained):
        alone = [(c[axis], v[axis]) for c, v in responses
                 if abs(c[axis]) >= MIN_COMMAND
                 and not any(c[i] for i in range(NUM_VELOCITY) if i != axis)]
        ends.append((_end(low, [r for r in alone if r[0] < 0.0]),
                     _end(high, [r for r in alone if r[0] > 0.0])))
    if any(abs(end) > MAX_SPEED for pair in ends for end in pair):
        raise ValueError(f'scorecard.json: it results in speeds of {show(ends)}, expected none '
                         f'above {MAX_SPEED:g}')
    return tuple(ends)


def _end(limit: float, alone: List[Tuple[float, float]]) -> float:
    best: Optional[Tuple[float, float]] = max(alone, key=lambda row: abs(row[0]), default=None)
    return limit if best is None else limit * best[1] / best[0]
