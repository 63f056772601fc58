# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The profile of `humanoid-locomotion walk`: commands, measurements and result; pure NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from humanoid_locomotion.core import rotations

SETTLING = 1.0  # [s] at the start of a segment, which are not evaluated
FALLEN_TILT = 0.8  # [rad]
FALLEN_HEIGHT = 0.5  # share of the height at the start
WALKED_SHARE = 0.5  # of the commanded forward velocity: less does not count as walking


@dataclass(frozen=True)
class Segment:
    """A velocity command, held for a while.

    Attributes:
        name: Name for messages.
        command: Forward [m/s], left [m/s], turning left [rad/s].
        seconds: Duration [s].
    """

    name: str
    command: Tuple[float, float, float]
    seconds: float


PROFILE = (
    Segment('stand', (0.0, 0.0, 0.0), 3.0),
    Segment('forward', (0.5, 0.0, 0.0), 6.0),
    Segment('sideways', (0.0, 0.3, 0.0), 5.0),
    Segment('turn', (0.0, 0.0, 0.5), 5.0),
    Segment('stop', (0.0, 0.0, 0.0), 3.0),
)


@dataclass(frozen=True)
class Sample:
    """State of the robot at one time.

    Attributes:
        time: Time since the start of the first segment [s].
        segment: Index into the profile.
        position: (3,) of the base in the odometry frame [m].
        orientation: (4,) of the base, xyzw.
        velocity: (3,) forward [m/s], left [m/s], turning left [rad/s], in the heading frame.
        joint_positions: (num_joints,) [rad], in the robot's order; None if not received yet.
    """

    time: float
    segment: int
    position: np.ndarray
    orientation: np.ndarray
    velocity: np.ndarray
    joint_positions: Optional[np.ndarray] = None


def heading_velocity(orientation: np.ndarray, linear: np.ndarray,
                     angular: np.ndarray) -> np.ndarray:
    """Return forward, left and turning velocity from velocities in the base frame. (3,)."""
    world = rotations.rotate(orientation, linear)
    velocity: np.ndarray = rotations.in_heading_frame(orientation, world)
    velocity[2] = rotations.rotate(orientation, angular)[2]
    return velocity


@dataclass(frozen=True)
class SegmentResult:
    """Result of one segment.

    Attributes:
        segment: The commanded segment.
        achieved: (3,) mean velocity after settling; NaN if the segment was not reached.
    """

    segment: Segment
    achieved: np.ndarray

    @property
    def error(self) -> np.ndarray:
        """Achieved minus commanded, (3,)."""
        difference: np.ndarray = self.achieved - np.array(self.segment.command)
        return difference


@dataclass(frozen=True)
class WalkResult:
    """Result of the walk.

    Attributes:
        segments: One result per segment.
        fall: When and why the robot fell; empty if it did not.
        real_time_factor: Simulated seconds per second.
        cores: Mean number of busy cores of each process, by name; None if unknown.
    """

    segments: List[SegmentResult]
    fall: str
    real_time_factor: float
    cores: Dict[str, Optional[float]]

    @property
    def walked(self) -> bool:
        """Whether the robot followed the forward commands."""
        forward = [(r.achieved[0], r.segment.command[0]) for r in self.segments
                   if r.segment.command[0] > 0.0]
        return all(achieved >= WALKED_SHARE * asked for achieved, asked in forward)

    @property
    def exit_code(self) -> int:
        """0 if the robot walked and never fell, 1 otherwise."""
        return 0 if self.walked and not self.fall else 1

    def to_mapping(self) -> Dict[str, Any]:
        """Return the result as plain data; values that were not measured are None."""
        return {
            'walked': self.walked, 'fall': self.fall, 'cores': self.cores,
            'real_time_factor': self.real_time_factor,
            'segments': [{'name': row.segment.name, 'commanded': list(row.segment.command),
                          'achieved': [None if np.isnan(value) else float(value)
                                       for value in row.achieved]} for row in self.segments]}


def measure(profile: Sequence[Segment], samples: Sequence[Sample]) -> List[SegmentResult]:
    """Return each segment's mean velocity, without its first second."""
    results, begin = [], 0.0
    for i, segment in enumerate(profile):
        settling = min(SETTLING, 0.5 * segment.seconds)
        counted = [s.velocity for s in samples if s.segment == i and s.time >= begin + settling]
        achieved = np.mean(counted, axis=0) if counted else np.full(3, np.nan)
        results.append(SegmentResult(segment, achieved))
        begin += segment.seconds
    return results


def fallen(sample: Sample, start_height: float) -> str:
    """Return how the robot has fallen; empty while it stands."""
    tilt = float(rotations.tilt(sample.orientation))
    if tilt > FALLEN_TILT:
        return f'tilted by {tilt:.2f} rad after {sample.time:.1f} s'
    if sample.position[2] < FALLEN_HEIGHT * start_height:
        return f'down at {sample.position[2]:.2f} m after {sample.time:.1f} s'
    return ''
