"""Regulated pure pursuit: from a pose and a path to a velocity command; pure NumPy.

After Macenski et al., "Regulated Pure Pursuit for Robot Path Tracking" (arXiv:2305.20026), with a
last stretch of its own: near the goal a humanoid steps in any direction and turns as it does.

A pose is (3,): x [m], y [m], heading [rad]. A path is (n, 2) [m], n >= 1. Both are in the frame
of odometry. A place on a path is its distance along it from the first point [m].
"""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Tuple

import numpy as np

Command = np.ndarray  # (3,): forward [m/s], left [m/s], turning left [rad/s]


@dataclass(frozen=True)
class PursuitSettings:
    """How to follow a path.

    Attributes:
        speed: Of walking straight on [m/s].
        min_speed: Below this the robot would step on the spot [m/s].
        min_turn: The same for turning [rad/s].
        lookahead: Distance of the point on the path that is walked towards [m].
        tight_radius: Bends tighter than this are walked more slowly, in proportion [m].
        slow_distance: From the goal at which to slow down [m].
        gain: Speed per distance, and turning per angle, of the last stretch [1/s].
        position_aim: Distance at which the last stretch ends [m].
        heading_aim: The same for the heading [rad].
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
    """Return the point (2,) at a place; beyond the ends, the nearer end."""
    along = places(path)
    return np.array([np.interp(place, along, path[:, i]) for i in range(2)])


def nearest(path: np.ndarray, point: np.ndarray, begin: float = 0.0,
            end: float = math.inf) -> Tuple[float, float]:
    """Return the place in [begin, end] that is nearest to a point, and how far off that is.

    The bounds keep a robot on its branch where a path crosses or retraces itself.
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
    """Return a point (2,) as the robot sees it: forward and left of it [m]."""
    dx, dy = point - pose[:2]
    cos, sin = math.cos(pose[2]), math.sin(pose[2])
    return np.array([cos * dx + sin * dy, cos * dy - sin * dx])


def bearing(pose: np.ndarray, point: np.ndarray) -> float:
    """Return the angle by which the robot must turn left to face a point [rad]."""
    forward, left = seen_from(pose, point)
    return math.atan2(left, forward)


def pursue(pose: np.ndarray, path: np.ndarray, place: float, settings: PursuitSettings,
           max_turn: float) -> Command:
    """Return the command that follows a path: ahead, and round the arc to the lookahead point.

    Args:
        pose: The robot.
        path: The path, its end the goal.
        place: Where on the path the robot is.
        settings: How.
        max_turn: Highest turning rate [rad/s]; a tighter arc is walked more slowly instead.

    Returns:
        Never backwards and never sideways. A point behind the robot is for
        :func:`turn_towards`, before.
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
    """Return the command of the last stretch: straight to the goal pose (3,) in any direction.

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
    """Return the command moved from the previous one by at most ``most`` (3,), part by part."""
    return previous + np.clip(wanted - previous, -most, most)
