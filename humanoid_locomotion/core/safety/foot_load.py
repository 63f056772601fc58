# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Estimates the vertical force on the feet from leg joint torques, without contact sensors."""

from __future__ import annotations

from typing import List, Optional, Sequence
from xml.etree import ElementTree

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.feedback.kinematics import leg_spec
from humanoid_locomotion.core.feedback.leg_odometry import LegSpec
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.state import RobotState

DAMPING = 1e-4  # [m^2] in the least squares: bounds the joint rates of a stretched leg


class FootLoad:
    """Estimates the vertical force on the soles by virtual work.

    For a small downward displacement of the sole without rotation, the work of the leg's joint
    torques equals the work of the floor's force. The masses of the legs are neglected: for a
    standing robot the estimate is too low by a part of their weight, and for a hanging one it is
    slightly below zero.

    Args:
        legs: The legs.
        joint_names: The joints of the states and torques, in order.
    """

    def __init__(self, legs: Sequence[LegSpec], joint_names: List[str]):
        self._joints = np.array([[joint_names.index(name) for name in leg.joints]
                                 for leg in legs])
        self._axes = np.array([leg.axes for leg in legs])
        self._origins = np.array([leg.origins for leg in legs])
        self._soles = np.array([leg.sole for leg in legs])
        crosses = np.cross(self._axes[..., None, :], np.eye(3)).swapaxes(-1, -2)
        self._crosses, self._squares = crosses, crosses @ crosses

    @classmethod
    def of(cls, robot: RobotSpec, joint_names: List[str]) -> Optional[FootLoad]:
        """Return the estimator of a robot; None if its legs are not known."""
        try:
            return cls([leg_spec(robot, sole) for sole in robot.soles], joint_names)
        # The model cannot be read or has another format, or joints are not measured.
        except (ValueError, KeyError, OSError, ElementTree.ParseError):
            return None

    def measure(self, state: RobotState, torques: np.ndarray) -> float:
        """Return the vertical force on the soles [N].

        Args:
            state: Measured state of the robot, one row.
            torques: Torque of every joint [Nm], (num_joints,).
        """
        down = rotations.projected_gravity(state.base_orientation)[0]
        jacobians = self.jacobians(state.joint_positions[0])
        wanted = np.concatenate([down, np.zeros(3)])
        square = jacobians.swapaxes(1, 2) @ jacobians + DAMPING * np.eye(jacobians.shape[2])
        turns = np.linalg.solve(square, (wanted @ jacobians)[..., None])[..., 0]  # [rad/m]
        return float((torques[self._joints] * turns).sum())

    def jacobians(self, positions: np.ndarray) -> np.ndarray:
        """Return the Jacobian of each sole, in the base frame.

        The product of exponentials (Lynch and Park, Modern Robotics, 2017, section 5.1).

        Args:
            positions: Position of every joint [rad], (num_joints,).

        Returns:
            (legs, 6, joints of a leg): velocity of the sole [m/rad], then its angular velocity.
        """
        angles = positions[self._joints][..., None, None]
        own = np.eye(3) + np.sin(angles) * self._crosses + (1.0 - np.cos(angles)) * self._squares
        turn, point, axes, points = np.eye(3), np.zeros(3), [], []
        before = np.zeros(3)
        for i in range(own.shape[1]):
            # From one axis to the next, in the links between them.
            point = point + _times(turn, self._origins[:, i] - before)
            axes.append(_times(turn, self._axes[:, i]))
            points.append(point)
            turn, before = turn @ own[:, i], self._origins[:, i]
        soles = point + _times(turn, self._soles - before)
        axes_in_base = np.stack(axes, axis=1)
        arms = soles[:, None] - np.stack(points, axis=1)
        return np.concatenate(
            [rotations.cross(axes_in_base, arms), axes_in_base], axis=2).swapaxes(1, 2)


def _times(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return (matrices @ vectors[..., None])[..., 0]
