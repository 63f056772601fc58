"""The speeds that a policy really reaches, as its scorecard measured them."""

from __future__ import annotations

from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from humanoid_locomotion.core.contract import PolicyContract

MAX_BYTES = 4 * 1024 * 1024
AXES = ('lin_vel_x', 'lin_vel_y', 'ang_vel_z')


@dataclass(frozen=True)
class Envelope:
    """What a planner may ask, and what it gets.

    Attributes:
        trained: Lowest and highest command of each axis: forward [m/s], left [m/s], turn [rad/s].
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
            'axes': AXES, 'trained': self.trained, 'reached': self.reached,
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


def read_envelope(folder: Path, contract: PolicyContract) -> Envelope:
    """Read the envelope of a policy folder.

    A scorecard is of another policy, of a form to come, or absent without making the policy
    unsafe, so what cannot be used becomes :attr:`Envelope.problem`.
    """
    trained = tuple(zip(contract.command_limits.lower, contract.command_limits.upper))
    threshold = contract.moving_threshold
    path = folder / 'scorecard.json'
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f'larger than {MAX_BYTES} bytes')
        card = json.loads(path.read_text(encoding='utf-8'))
        written = card['setting']['fingerprint']
        if written != contract.fingerprint:
            raise ValueError(f'it is of the policy {written!r}, not of {contract.fingerprint!r}')
        figures = card['figures']
        responses = tuple((_three(row['command']), _three(row['velocity']))
                          for row in figures['responses'] if not row.get('falls'))
        measured = figures.get('dead_zone')
        dead_zone = threshold if measured is None else max(threshold, float(measured))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        detail = ' '.join(str(error).split())[:200]
        return Envelope(trained, trained, threshold, threshold, (),
                        f'{path.name}: {type(error).__name__}: {detail}')
    return Envelope(trained, _reached(trained, responses), dead_zone, threshold, responses, '')


def _three(values: Any) -> Tuple[float, ...]:
    x, y, turn = (float(value) for value in values)
    return (x, y, turn)


def _reached(trained: Tuple[Tuple[float, float], ...],
             responses: Tuple[Any, ...]) -> Tuple[Tuple[float, float], ...]:
    """Scale each end of the trained range by what the strongest command along it achieved."""
    ends: List[Tuple[float, float]] = []
    for axis, (low, high) in enumerate(trained):
        alone = [(c[axis], v[axis]) for c, v in responses
                 if c[axis] and not any(c[i] for i in range(3) if i != axis)]
        ends.append((_end(low, [r for r in alone if r[0] < 0.0]),
                     _end(high, [r for r in alone if r[0] > 0.0])))
    return tuple(ends)


def _end(limit: float, alone: List[Tuple[float, float]]) -> float:
    best: Optional[Tuple[float, float]] = max(alone, key=lambda row: abs(row[0]), default=None)
    return limit if best is None else limit * best[1] / best[0]
