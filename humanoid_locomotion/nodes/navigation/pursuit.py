# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Regulated pure pursuit: computes a velocity command from a pose and a path; pure NumPy.

After Macenski et al., "Regulated Pure Pursuit for Robot Path Tracking" (arXiv:2305.20026), with an
added final approach: near the goal a humanoid steps in any direction while turning.

A pose is (3,): x [m], y [m], heading [rad]. A path is (n, 2) [m], n >= 1. Both are in the frame of
odometry. A place on a path is the distance along the path from its first point [m].
"""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Tuple

import numpy as np

Command = np.ndarray  # (3,): forward [m/s], left [m/s], turning left [rad/s]


@dataclass(frozen=True)
class PursuitSettings:
    """Settings of the path pursuit.

    Attributes:
        speed: Speed of straight walking [m/s].
        min_speed: Slowest speed; below it the robot would step in place [m/s].
        min_turn: Slowest turning rate [rad/s].
        lookahead: Distance of the target point on the path [m].
        tight_radius: Curve radius below which the speed is reduced in proportion [m].
        slow_distance: Distance from the goal at which to slow down [m].
        gain: Speed per distance, and turning per angle, of the final approach [1/s].
        position_aim: Distance at which the final approach ends [m].
        heading_aim: Heading error at which the final approach ends [rad].
    """

    speed: float = 0.6
    min_speed: float = 0.12
    min_turn: float = 0.2
    lookahead: float = 0.6
    tight_radius: float = 0.8
    slow_distance: float = 0.8
    gain: float = 1.0
    position_aim: float = 0.06
    heading_aim: float = 0.06


def wrap(angle: float) -> float:
    """Return the angle in [-pi, pi) [rad]."""
    return (angle + math.pi) % (2.0 * math.pi) - math.pi


def places(path: np.ndarray) -> np.ndarray:
    """Return the place of every point of a path (n,), the last one its length."""
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)])


def point_at(path: np.ndarray, place: float) -> np.ndarray:
    """Return the point (2,) at a place; clamped to the ends."""
    along = places(path)
    return np.array([np.interp(place, along, path[:, i]) for i in range(2)])


def nearest(path: np.ndarray, point: np.ndarray, begin: float = 0.0,
            end: float = math.inf) -> Tuple[float, float]:
    """Return the place in [begin, end] that is nearest to a point, and its distance.

    The bounds select the right branch if a path crosses or retraces itself.
    """
    along, steps = places(path), np.diff(path, axis=0)
    squared = np.maximum((steps ** 2).sum(1), 1e-12)
    share = np.clip(((point - path[:-1]) * steps).sum(1) / squared, 0.0, 1.0)
    candidates = np.append(along[:-1] + share * np.diff(along), begin)
    candidates = np.clip(candidates, begin, max(begin, min(end, float(along[-1]))))
    distances = np.linalg.norm(
        np.stack([np.interp(candidates, along, path[:, i]) for i in range(2)], 1) - point, axis=1)
    best = int(np.argmin(distances))
    return float(candidates[best]), float(distances[best])


def seen_from(pose: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Return a point (2,) relative to the robot: forward and left [m]."""
    dx, dy = point - pose[:2]
    cos, sin = math.cos(pose[2]), math.sin(pose[2])
    return np.array([cos * dx + sin * dy, cos * dy - sin * dx])


def bearing(pose: np.ndarray, point: np.ndarray) -> float:
    """Return the angle by which the robot must turn left to face a point [rad]."""
    forward, left = seen_from(pose, point)
    return math.atan2(left, forward)


def pursue(pose: np.ndarray, path: np.ndarray, place: float, settings: PursuitSettings,
           max_turn: float) -> Command:
    """Return the command that follows a path: forward, on an arc to the lookahead point.

    Args:
        pose: Pose of the robot.
        path: The path; it ends at the goal.
        place: Place of the robot on the path.
        settings: Settings of the path pursuit.
        max_turn: Highest turning rate [rad/s]; on a tighter arc the speed is reduced instead.

    Returns:
        The command, never backwards or sideways. For a point behind the robot, call
        :func:`turn_towards` first.
    """
    forward, left = seen_from(pose, point_at(path, place + settings.lookahead))
    # The circle through the robot, tangent to its heading, and the point: curvature 2 y / d^2.
    curvature = 2.0 * left / max(forward * forward + left * left, 1e-6)
    speed = settings.speed * min(1.0, 1.0 / max(abs(curvature) * settings.tight_radius, 1e-6))
    remaining = float(places(path)[-1]) - place
    speed *= min(1.0, remaining / settings.slow_distance)
    speed = max(speed, settings.min_speed)
    speed = min(speed, max_turn / max(abs(curvature), 1e-6))
    return np.array([speed, 0.0, speed * curvature])


def turn_towards(angle: float, settings: PursuitSettings) -> Command:
    """Return the command that turns on the spot by an angle [rad]; 0 within the aim."""
    if abs(angle) <= settings.heading_aim:
        return np.zeros(3)
    return np.array([0.0, 0.0, math.copysign(
        max(settings.gain * abs(angle), settings.min_turn), angle)])


def approach(pose: np.ndarray, goal: np.ndarray, settings: PursuitSettings) -> Command:
    """Return the command of the final approach: straight to the goal pose (3,).

    It is zero once both position and heading are within their aims.
    """
    command = turn_towards(wrap(goal[2] - pose[2]), settings)
    offset = seen_from(pose, goal[:2])
    distance = float(np.linalg.norm(offset))
    if distance > settings.position_aim:
        speed = min(max(settings.gain * distance, settings.min_speed), settings.speed)
        command[:2] = offset / distance * speed
    return command


def ease(previous: Command, wanted: Command, most: np.ndarray) -> Command:
    """Return the wanted command, limited to a change of ``most`` (3,) per axis."""
    return previous + np.clip(wanted - previous, -most, most)
