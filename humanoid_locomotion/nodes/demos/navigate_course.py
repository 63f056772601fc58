# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The course of `humanoid-locomotion navigate`: goals, measurements and result; pure NumPy."""

from __future__ import annotations

from dataclasses import dataclass, field
import math
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.nodes.demos.walk_profile import Sample
from humanoid_locomotion.nodes.navigation.pursuit import wrap

POSITION_TOLERANCE = 0.15  # [m]
HEADING_TOLERANCE = 0.15  # [rad]
PUSH_AFTER = 2.5  # [s] since the robot set out
# Directions of the pushes, one goal after the other: forward and left, in the heading frame.
PUSHES = ((0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0))


@dataclass
class Leg:
    """The walk to one goal, filled in during the course.

    Attributes:
        name: Name of the goal, as published.
        goal: (3,) x [m], y [m], heading [rad].
        begin: Time at which the goal was published [s].
        end: Time at which the planner reported that it is reached or failed [s].
        status: Last status of the planner.
        pushes: Time of each push [s], and its velocity (2,) in the odometry frame [m/s].
        plans: Every planned path, (n, 2) each [m].
        drift: Error of odometry at the end [m]; None if unknown.
    """

    name: str
    goal: np.ndarray
    begin: float = math.nan
    end: float = math.nan
    status: str = ''
    pushes: List[Tuple[float, np.ndarray]] = field(default_factory=list)
    plans: List[np.ndarray] = field(default_factory=list)
    drift: Optional[float] = None


def pose_of(sample: Sample) -> np.ndarray:
    """Return x [m], y [m] and heading [rad] of a sample, (3,)."""
    return np.array([*sample.position[:2], float(rotations.yaw(sample.orientation))])


@dataclass(frozen=True)
class LegResult:
    """Result of one leg.

    Attributes:
        name: The goal.
        seconds: Duration [s].
        walked: Length of the walked path [m].
        straight: Distance of the goal from the start of the leg [m].
        position_error: Distance to the goal at the end [m].
        heading_error: Heading error at the end [rad], 0 or more.
        plans: Number of planned paths.
        pushes: Number of pushes.
        status: Last status of the planner.
        drift: Error of odometry at the end [m]; None if unknown.
    """

    name: str
    seconds: float
    walked: float
    straight: float
    position_error: float
    heading_error: float
    plans: int
    pushes: int
    status: str
    drift: Optional[float] = None

    @property
    def reached(self) -> bool:
        """Whether the goal was reached, by the planner's status and by odometry."""
        return (self.status.startswith('arrived') and self.position_error <= POSITION_TOLERANCE
                and self.heading_error <= HEADING_TOLERANCE)


@dataclass(frozen=True)
class CourseResult:
    """Result of the course.

    Attributes:
        legs: One result per started goal.
        goals: Number of goals.
        trouble: When and why the robot fell or stopped; empty if it did not.
        real_time_factor: Simulated seconds per second.
    """

    legs: List[LegResult]
    goals: int
    trouble: str
    real_time_factor: float

    @property
    def reached(self) -> int:
        """Number of reached goals."""
        return sum(leg.reached for leg in self.legs)

    @property
    def exit_code(self) -> int:
        """0 if every goal was reached, 1 otherwise."""
        return 0 if self.reached == self.goals and not self.trouble else 1

    def to_mapping(self) -> Dict[str, Any]:
        """Return the result as plain data."""
        return {'goals': self.goals, 'reached': self.reached, 'trouble': self.trouble,
                'real_time_factor': self.real_time_factor,
                'legs': [{**vars(leg), 'reached': leg.reached} for leg in self.legs]}


def measure(leg: Leg, samples: Sequence[Sample], index: int) -> LegResult:
    """Return the result of a leg, from the samples whose segment is its index."""
    poses = np.array([pose_of(s) for s in samples if s.segment == index]).reshape(-1, 3)
    if not len(poses):
        poses = np.full((1, 3), np.nan)
    last = poses[-1]
    return LegResult(
        leg.name, leg.end - leg.begin,
        float(np.linalg.norm(np.diff(poses[:, :2], axis=0), axis=1).sum()),
        float(np.linalg.norm(leg.goal[:2] - poses[0, :2])),
        float(np.linalg.norm(leg.goal[:2] - last[:2])), abs(wrap(float(leg.goal[2] - last[2]))),
        len(leg.plans), len(leg.pushes), leg.status, leg.drift)
