"""The speeds that a policy really reaches, as its scorecard measured them."""

from __future__ import annotations

from dataclasses import dataclass
import json
from typing import Any, Dict, List, Optional, Tuple

from humanoid_locomotion.core.command import NUM_VELOCITY, VELOCITY_NAMES
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import printable
from humanoid_locomotion.core.reading.parsing import parse_json, show

MAX_SPEED = 100.0  # [m/s] and [rad/s]; nothing that walks is as fast
MIN_COMMAND = 1e-3  # of those that tell what the strongest command reaches
MAX_RESPONSES = 256


@dataclass(frozen=True)
class Envelope:
    """What a planner may ask, and what it gets.

    Attributes:
        trained: Lowest and highest command of each velocity axis: forward [m/s], left [m/s],
            turning left [rad/s].
        reached: Lowest and highest velocity of each axis that was measured; ``trained`` for an
            end that was not.
        dead_zone: Slowest speed that is answered [m/s].
        threshold: Norm of a command up to which the robot stands, turning included.
        responses: Commands and the mean velocities they gave, as measured.
        problem: Why nothing measured is here; empty if it is.
    """

    trained: Tuple[Tuple[float, float], ...]
    reached: Tuple[Tuple[float, float], ...]
    dead_zone: float
    threshold: float
    responses: Tuple[Tuple[Tuple[float, ...], Tuple[float, ...]], ...]
    problem: str

    def to_json(self) -> str:
        """Return what ``~/envelope`` publishes."""
        return json.dumps({
            'axes': VELOCITY_NAMES, 'trained': self.trained, 'reached': self.reached,
            'dead_zone': self.dead_zone, 'threshold': self.threshold, 'problem': self.problem,
            'responses': [{'command': command, 'velocity': velocity}
                          for command, velocity in self.responses]})

    def nav2_parameters(self) -> Dict[str, Any]:
        """Return parameters of Nav2's velocity smoother: what is both trained and reached."""
        lower = [max(t[0], r[0]) for t, r in zip(self.trained, self.reached)]
        upper = [min(t[1], r[1]) for t, r in zip(self.trained, self.reached)]
        return {'velocity_smoother': {'ros__parameters': {
            'max_velocity': [round(v, 3) for v in upper],
            'min_velocity': [round(v, 3) for v in lower],
            'deadband_velocity': [
                round(v, 3) for v in (self.dead_zone, self.dead_zone, self.threshold)]}}}


def measured_envelope(contract: PolicyContract, scorecard: Optional[bytes], problem: str = ''
                      ) -> Envelope:
    """Return the envelope that a scorecard tells of.

    A scorecard is of another policy, of a form to come, or absent without making the policy
    unsafe, so what cannot be used becomes :attr:`Envelope.problem`.

    Args:
        contract: The policy's.
        scorecard: What ``scorecard.json`` holds; None if it is not to be had.
        problem: Why it is not.
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
            raise ValueError(f'scorecard.json: it is of the policy {show(written)}, not of '
                             f'{contract.fingerprint!r}')
        figures = card['figures']
        responses = tuple((_three(row['command']), _three(row['velocity']))
                          for row in figures['responses'] if not row.get('falls'))
        if len(responses) > MAX_RESPONSES:
            raise ValueError(f'scorecard.json: {len(responses)} responses, allowed are '
                             f'{MAX_RESPONSES}')
        measured = figures.get('dead_zone')
        dead_zone = threshold if measured is None else max(threshold, _speed(measured))
        reached = _reached(trained, responses)
    except ValueError as error:  # of this package, too
        return Envelope(trained, trained, threshold, threshold, (), printable(str(error), 300))
    except (KeyError, TypeError, AttributeError) as error:
        detail = printable(f'scorecard.json: {type(error).__name__}: {error}', 300)
        return Envelope(trained, trained, threshold, threshold, (), detail)
    return Envelope(trained, reached, dead_zone, threshold, responses, '')


def _three(values: Any) -> Tuple[float, ...]:
    if not isinstance(values, list) or len(values) != NUM_VELOCITY:
        raise ValueError(f'scorecard.json: found {show(values)}, expected three figures: forward, '
                         'left [m/s] and turning [rad/s]')
    return tuple(_speed(value) for value in values)


def _speed(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not (
            -MAX_SPEED <= value <= MAX_SPEED):
        raise ValueError(f'scorecard.json: found {show(value)}, expected a speed within '
                         f'{MAX_SPEED:g}')
    return float(value)


def _reached(trained: Tuple[Tuple[float, float], ...],
             responses: Tuple[Any, ...]) -> Tuple[Tuple[float, float], ...]:
    """Scale each end of the trained range by what the strongest command along it achieved."""
    ends: List[Tuple[float, float]] = []
    for axis, (low, high) in enumerate(trained):
        alone = [(c[axis], v[axis]) for c, v in responses
                 if abs(c[axis]) >= MIN_COMMAND
                 and not any(c[i] for i in range(NUM_VELOCITY) if i != axis)]
        ends.append((_end(low, [r for r in alone if r[0] < 0.0]),
                     _end(high, [r for r in alone if r[0] > 0.0])))
    if any(abs(end) > MAX_SPEED for pair in ends for end in pair):
        raise ValueError(f'scorecard.json: speeds of {show(ends)} follow from it, expected none '
                         f'above {MAX_SPEED:g}')
    return tuple(ends)


def _end(limit: float, alone: List[Tuple[float, float]]) -> float:
    best: Optional[Tuple[float, float]] = max(alone, key=lambda row: abs(row[0]), default=None)
    return limit if best is None else limit * best[1] / best[0]
