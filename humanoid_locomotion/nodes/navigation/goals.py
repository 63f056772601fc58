# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Goals from messages and named places, in the frame of odometry; invalid ones are refused."""

from __future__ import annotations

from dataclasses import dataclass

from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path
import numpy as np

from humanoid_locomotion.core.errors import MessageError
from humanoid_locomotion.nodes.navigation.named_places import Rooms
from humanoid_locomotion.nodes.navigation.navigator import Goal
from humanoid_locomotion.nodes.ros import conversions


class LocalizationError(MessageError):
    """The position of the robot in the frame of a goal is not known."""


@dataclass(frozen=True)
class GoalReader:
    """Reads goals, relative to the last odometry.

    Each method raises a :class:`MessageError` for a goal that is not valid, with the topic or
    action ``source`` in its message.

    Attributes:
        pose: (3,) pose of the robot: x [m], y [m], heading [rad].
        frame: Frame of the odometry.
        is_fresh: Whether the odometry is recent.
        max_distance: Largest distance from the robot to a goal or a point of a path [m].
    """

    pose: np.ndarray
    frame: str
    is_fresh: bool
    max_distance: float

    def of_pose(self, msg: PoseStamped, source: str) -> Goal:
        """Return the goal of a pose."""
        self._check_frame(source, msg.header.frame_id)
        pose = conversions.pose_2d(msg.pose, source)
        return self._goal(source, place(pose), pose[None])

    def of_path(self, msg: Path, source: str) -> Goal:
        """Return the goal at the end of a path, which is followed."""
        self._check_frame(source, msg.header.frame_id)
        if not msg.poses:
            raise MessageError(source, 'has no poses; to stop, call ~/cancel')
        for stamped in msg.poses:  # most planners leave these frames empty
            if stamped.header.frame_id:
                self._check_frame(source, stamped.header.frame_id)
        poses = np.array([conversions.pose_2d(it.pose, source) for it in msg.poses])
        return self._goal(source, f'end of the {source} {place(poses[-1])}', poses)

    def of_name(self, said: str, rooms: Rooms, source: str) -> Goal:
        """Return the goal of a named place; its frame may lack the prefix of the robot's frames.

        Raises:
            UnknownNameError: The name is unknown.
        """
        room = rooms.find(said)
        is_ours = self.frame.rpartition('/')[2] == rooms.frame
        self._check_frame(source, self.frame if is_ours else rooms.frame)
        return self._goal(source, said.strip().lower(), room.pose[None])

    def _check_frame(self, source: str, frame: str) -> None:
        if not self.is_fresh:
            raise LocalizationError(
                source, 'no recent odom: the position of the robot is not known')
        if frame != self.frame:
            raise LocalizationError(
                source, f'frame {frame!r} is unknown; odom is given in {self.frame!r}')

    def _goal(self, source: str, name: str, poses: np.ndarray) -> Goal:
        farthest = float(np.linalg.norm(poses[:, :2] - self.pose[:2], axis=1).max())
        if not farthest <= self.max_distance:
            raise MessageError(source, f'is {farthest:.4g} m away; at most max_distance = '
                               f'{self.max_distance:g} m is allowed')
        return Goal(name, poses[-1], poses[:, :2])


def place(pose: np.ndarray) -> str:
    """Return a pose (3,) as text."""
    x, y, heading = pose.tolist()
    return f'({x:.2f} m, {y:.2f} m, {heading:.2f} rad)'
