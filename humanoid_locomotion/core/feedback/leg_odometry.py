# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Leg odometry: velocity of the base over the floor, assuming that the stance sole does not move.

No contact sensor is needed: the lower one of the two soles is the stance sole. Soles at the same
depth share the weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, NamedTuple, Sequence, Tuple

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.arrays import Array, Constant, clip, concatenate, largest, namespace
from humanoid_locomotion.core.errors import JointsError
from humanoid_locomotion.core.state import RobotState

Vector = Tuple[float, float, float]

# [m] Beyond this difference in depth only the lower sole counts. Choosing between two level soles
# would depend on rounding.
LEVEL = 1e-5


@dataclass(frozen=True)
class LegSpec:
    """Kinematic chain from the base to a sole, at zero joint positions, in the base frame.

    Attributes:
        joints: The joints from the hip to the foot.
        axes: The axis of each, of unit length.
        origins: A point on each axis [m].
        sole: The middle of the sole [m].
    """

    joints: Tuple[str, ...]
    axes: Tuple[Vector, ...]
    origins: Tuple[Vector, ...]
    sole: Vector

    def __post_init__(self) -> None:
        if not len(self.joints) == len(self.axes) == len(self.origins) > 0:
            raise ValueError(f'expected as many axes and origins as joints, found '
                             f'{len(self.axes)} and {len(self.origins)} for {list(self.joints)}')
        if not np.all(np.isfinite([*self.axes, *self.origins, self.sole])):
            raise ValueError(f'every value of the leg {list(self.joints)} must be finite')
        lengths = np.linalg.norm(np.asarray(self.axes), axis=1)
        if not np.allclose(lengths, 1.0, atol=1e-4):
            raise ValueError(f'axes: expected unit length, found {lengths.round(4).tolist()} '
                             f'for {list(self.joints)}')


class OverFloor(NamedTuple):
    """Motion of the base measured by the legs, in the heading frame.

    Attributes:
        velocity: (num_envs, 2) forward and left [m/s]; with both feet in the air or a sliding
            sole, the error is the speed of the lower sole.
        height: (num_envs,) above the lower sole [m].
        offset: (num_envs, 2) forward and left of the middle between the soles [m].
    """

    velocity: Array
    height: Array
    offset: Array


class LegOdometry:
    """Measures the velocity of the base with the stance leg.

    Args:
        legs: Two legs with the same number of joints, left first.
        joint_names: The joints of the states, in order.

    Raises:
        JointsError: A joint of a leg is not in ``joint_names``.
        ValueError: There are not two legs, or they differ in their number of joints.
    """

    def __init__(self, legs: Sequence[LegSpec], joint_names: List[str]):
        sizes = [len(leg.joints) for leg in legs]
        if len(sizes) != 2 or sizes[0] != sizes[1]:
            raise ValueError(f'legs: expected two with the same number of joints, found {sizes}')
        missing = [name for leg in legs for name in leg.joints if name not in joint_names]
        if missing:
            raise JointsError('legs', missing, joint_names)
        names = [name for leg in legs for name in leg.joints]
        axes = [[_cross_matrix(axis) for axis in leg.axes] for leg in legs]
        self._joints = Constant(np.reshape([joint_names.index(it) for it in names], (2, -1)),
                                np.int64)
        self._axes, self._squares = Constant(axes), Constant(np.matmul(axes, axes))
        self._identity = Constant(np.eye(3))
        at_rest = [0.0] * 3  # the velocity beside a position
        self._origins = Constant([[[[*it, *at_rest]] for it in leg.origins] for leg in legs])
        self._soles = Constant([[[*leg.sole, *at_rest]] for leg in legs])

    def soles(self, state: RobotState) -> Tuple[Array, Array]:
        """Return positions and velocities of the soles, relative to the base.

        Each joint, from the foot up, rotates the links below it: the product of exponentials
        (Lynch and Park, Modern Robotics, 2017, section 4.1) with Rodrigues' formula. A joint is
        an affine map of the row (position, velocity), with a matrix of 6 x 6.

        Returns:
            Positions [m] and velocities [m/s], both (num_envs, 2, 3) in the base frame.
        """
        xp, joints = namespace(state.joint_positions), self._joints.like(state.joint_positions)
        angles = state.joint_positions[:, joints][..., None, None]
        speeds = state.joint_velocities[:, joints][..., None, None]
        axes, origins = self._axes.like(angles), self._origins.like(angles)
        # Transposed rotation matrix of every joint, (num_envs, 2, joints, 3, 3).
        turns = (self._identity.like(angles) - xp.sin(angles) * axes
                 + (1.0 - xp.cos(angles)) * self._squares.like(angles))
        shape = (*turns.shape[:3], 18)
        maps = concatenate((concatenate((turns, -speeds * (turns @ axes))).reshape(shape),
                            concatenate((xp.zeros_like(turns), turns)).reshape(shape)))
        maps = maps.reshape((*shape[:3], 6, 6))
        shifts = origins - origins @ maps
        sole = self._soles.like(angles)
        for i in reversed(range(axes.shape[1])):
            sole = sole @ maps[:, :, i] + shifts[:, :, i]
        return sole[:, :, 0, :3], sole[:, :, 0, 3:]

    def measure(self, state: RobotState) -> OverFloor:
        """Return velocity, height and offset of the base relative to the soles."""
        point, velocity = self.soles(state)
        gravity = rotations.projected_gravity(state.base_orientation)
        depths = (point * gravity[:, None]).sum(-1)
        share = clip(0.5 + (depths[:, :1] - depths[:, 1:]) / (2.0 * LEVEL), 0.0, 1.0)
        arm, moving = (it[:, 1] + share * (it[:, 0] - it[:, 1]) for it in (point, velocity))
        base = -moving - rotations.cross(state.base_angular_velocity, arm)
        return OverFloor(rotations.horizontal(gravity, base), largest(depths, 1),
                         -rotations.horizontal(gravity, 0.5 * (point[:, 0] + point[:, 1])))


def _cross_matrix(axis: Vector) -> np.ndarray:
    return np.cross(axis, np.eye(3)).T
