# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""State machine that walks to one goal at a time by path pursuit; independent of ROS."""

from __future__ import annotations

from dataclasses import dataclass, field
import enum
from typing import Optional

import numpy as np

from humanoid_locomotion.core.command import CommandSpec
from humanoid_locomotion.nodes.navigation import pursuit
from humanoid_locomotion.nodes.navigation.pursuit import PursuitSettings

TURN_FIRST = 0.9  # bearing of the path above which the robot turns on the spot [rad]
TURNED = 0.25  # bearing below which it walks on [rad]
LAST_STRETCH = 0.4  # distance from the goal of the final approach [m]
OFF_THE_PATH = 0.5  # distance from the path at which a new path is planned [m]
SEARCH_AHEAD = 1.5  # search range along the path for the robot's position [m]
LEAVE_FACTOR = 2.0  # multiple of the tolerances at which the robot walks back to its goal
PROGRESS = 0.1  # [m] closer to the goal, or as many [rad] of turning
ACCELERATION = np.array([1.0, 1.0, 2.0])  # [m/s^2], [m/s^2], [rad/s^2]


class Mode(enum.Enum):
    """State of the walk to the goal."""

    IDLE = 'idle'
    TURNING = 'turning'
    WALKING = 'walking'
    ARRIVING = 'arriving'
    ARRIVED = 'arrived'
    FAILED = 'failed'
    CANCELLED = 'cancelled'


UNDER_WAY = (Mode.TURNING, Mode.WALKING, Mode.ARRIVING)


@dataclass(frozen=True)
class Goal:
    """A goal.

    Attributes:
        name: Name for messages.
        pose: (3,) goal pose of the base: x [m], y [m], heading [rad].
        route: (n, 2) waypoints [m], the last one is the position of the pose.
    """

    name: str
    pose: np.ndarray
    route: np.ndarray


@dataclass(frozen=True)
class NavigatorSettings:
    """Conditions for reaching and for aborting a goal.

    Attributes:
        position_tolerance: Distance at which the goal is reached [m].
        heading_tolerance: Heading error at which the goal is reached [rad].
        settle_time: Time for which the robot must stand there [s].
        progress_timeout: Time without progress after which the goal is aborted [s].
        hold: Whether to walk back after a push from a reached goal.
        pursuit: Settings of the path pursuit.
    """

    position_tolerance: float = 0.15
    heading_tolerance: float = 0.15
    settle_time: float = 1.0
    progress_timeout: float = 15.0
    hold: bool = True
    pursuit: PursuitSettings = field(default_factory=PursuitSettings)


class Navigator:
    """Walks to one goal at a time, within the limits of the robot.

    The path goes straight to the nearest point of the goal's route and then along it; a robot that
    is pushed off the path gets a new one. There is no obstacle avoidance.

    Args:
        settings: Conditions for reaching and aborting a goal.
        limits: Limits of the velocity commands.

    Attributes:
        mode: State of the walk to the goal.
        goal: The current or last goal.
        path: (n, 2) the planned path [m], from the robot's position at planning time.
        plans: Number of paths planned for the goal.
        reason: Why the goal failed; empty otherwise.
    """

    def __init__(self, settings: NavigatorSettings, limits: CommandSpec):
        self.mode, self.reason = Mode.IDLE, ''
        self.goal: Optional[Goal] = None
        self.path = np.zeros((0, 2))
        self.plans = 0
        self._settings, self._limits = settings, limits
        self._command = np.zeros(3)
        self._time = 0.0

    @property
    def label(self) -> str:
        """The mode as text, with its goal."""
        about = '' if self.goal is None else f': {self.goal.name}'
        return self.mode.value + about + (f', {self.reason}' if self.reason else '')

    @property
    def is_under_way(self) -> bool:
        """Whether the robot is walking to a goal."""
        return self.mode in UNDER_WAY

    def go(self, goal: Goal, pose: np.ndarray, now: float) -> None:
        """Start walking to a goal, from a pose (3,) at a time [s]; it replaces the last goal."""
        self.goal, self.reason, self.plans = goal, '', 0
        self._passed = 0.0  # along the route
        self._command, self._time = np.zeros(3), now
        self._set_out(pose, now)

    def cancel(self) -> bool:
        """Stop at the current position; return whether there was a goal."""
        if not self.is_under_way and self.mode is not Mode.ARRIVED:
            return False
        self.mode, self._command = Mode.CANCELLED, np.zeros(3)
        return True

    def fail(self, reason: str) -> None:
        """Abort the goal."""
        self.mode, self.reason, self._command = Mode.FAILED, reason, np.zeros(3)

    def remaining(self) -> float:
        """Return the length of the path that is left [m]; 0 without a goal."""
        return float(pursuit.places(self.path)[-1]) - self._place if self.is_under_way else 0.0

    def step(self, pose: np.ndarray, now: float) -> Optional[np.ndarray]:
        """Compute the command for the current time.

        Args:
            pose: (3,) pose of the robot.
            now: The time [s].

        Returns:
            The velocity command (3,), within the limits; None if none is to be published, so
            that another source may command the robot.
        """
        if self.mode is Mode.ARRIVED and self._settings.hold and self._is_pushed_away(pose):
            self._set_out(pose, now)
        if not self.is_under_way:
            return None
        wanted = self._limits.clamp(self._wanted(pose, now))
        self._watch_progress(pose, now)
        if not self.is_under_way:  # it arrived or failed: stand
            self._command = np.zeros(3)
            return self._command
        most = ACCELERATION * max(0.0, now - self._time)
        self._command, self._time = pursuit.ease(self._command, wanted, most), now
        return self._command

    def _set_out(self, pose: np.ndarray, now: float) -> None:
        """Plan a path: straight to the nearest point of the remaining route, then along it."""
        assert self.goal is not None
        route, here = self.goal.route, pose[:2]
        self._passed, _ = pursuit.nearest(
            route, here, self._passed, self._passed + SEARCH_AHEAD)
        rest = route[pursuit.places(route) > self._passed]
        self.path = np.vstack([here, pursuit.point_at(route, self._passed), rest])
        self._joins = float(np.linalg.norm(self.path[1] - here))
        self._place, self.plans = 0.0, self.plans + 1
        self._still_since: Optional[float] = None
        self._best, self._best_time = np.inf, now
        self.mode = Mode.WALKING

    def _wanted(self, pose: np.ndarray, now: float) -> np.ndarray:
        assert self.goal is not None
        how = self._settings.pursuit
        place, off = pursuit.nearest(
            self.path, pose[:2], self._place, self._place + SEARCH_AHEAD)
        self._passed += max(0.0, place - max(self._place, self._joins))
        self._place = place
        remaining = float(pursuit.places(self.path)[-1]) - place
        if off > OFF_THE_PATH:
            self._set_out(pose, now)
            return self._wanted(pose, now)
        if remaining < LAST_STRETCH or self.mode is Mode.ARRIVING:
            self.mode = Mode.ARRIVING
            return self._arrive(pose, now)
        ahead = pursuit.bearing(pose, pursuit.point_at(self.path, place + how.lookahead))
        if abs(ahead) > (TURNED if self.mode is Mode.TURNING else TURN_FIRST):
            self.mode = Mode.TURNING
            return pursuit.turn_towards(ahead, how)
        self.mode = Mode.WALKING
        return pursuit.pursue(pose, self.path, place, how, self._max_turn())

    def _arrive(self, pose: np.ndarray, now: float) -> np.ndarray:
        """Approach until within the aims; then stand, and arrive if the robot stays there."""
        assert self.goal is not None
        command = pursuit.approach(pose, self.goal.pose, self._settings.pursuit)
        if not self._is_within(pose, 1.0):
            self._still_since = None
            return command
        if self._still_since is None and not command.any():
            self._still_since = now
        if self._still_since is None:
            return command
        if now - self._still_since >= self._settings.settle_time:
            self.mode = Mode.ARRIVED
        return np.zeros(3)

    def _is_within(self, pose: np.ndarray, factor: float) -> bool:
        """Return whether the robot is at the goal, within the tolerances times a factor."""
        assert self.goal is not None
        distance = float(np.linalg.norm(self.goal.pose[:2] - pose[:2]))
        angle = abs(pursuit.wrap(self.goal.pose[2] - pose[2]))
        return (distance <= factor * self._settings.position_tolerance
                and angle <= factor * self._settings.heading_tolerance)

    def _is_pushed_away(self, pose: np.ndarray) -> bool:
        return not self._is_within(pose, LEAVE_FACTOR)

    def _max_turn(self) -> float:
        turning = self._limits['ang_vel_z']
        return min(-turning.lower, turning.upper)

    def _watch_progress(self, pose: np.ndarray, now: float) -> None:
        """Abort when neither distance nor angle to the goal has decreased for too long."""
        assert self.goal is not None
        left = self.remaining() + abs(pursuit.wrap(self.goal.pose[2] - pose[2])) / np.pi
        if left < self._best - PROGRESS or self._still_since is not None:
            self._best, self._best_time = min(left, self._best), now
        elif now - self._best_time > self._settings.progress_timeout and self.is_under_way:
            self.fail(f'no progress for {self._settings.progress_timeout:g} s')
