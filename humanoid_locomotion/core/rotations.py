# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Batched rotations. A quaternion is (x, y, z, w) with unit length, as in ROS messages.

``base_orientation`` rotates vectors given in the base frame into the world frame.
Formulas: https://en.wikipedia.org/wiki/Quaternions_and_spatial_rotation.
"""

from __future__ import annotations

import math

import numpy as np

from humanoid_locomotion.core.arrays import Array, clip, concatenate, namespace, norm_last

IDENTITY = np.array([0.0, 0.0, 0.0, 1.0])


def normalize(quaternion: Array) -> Array:
    """Return the quaternion scaled to unit length. Shape (..., 4)."""
    return quaternion / norm_last(quaternion)[..., None]


def rotate(quaternion: Array, vector: Array) -> Array:
    """Rotate vectors: base frame to world frame for a base orientation.

    Args:
        quaternion: (..., 4), xyzw.
        vector: (..., 3).

    Returns:
        (..., 3), ``v + 2w (u x v) + 2 u x (u x v)`` with u the quaternion's vector part.
    """
    axis, scalar = quaternion[..., :3], quaternion[..., 3:]
    twice_cross = 2.0 * cross(axis, vector)
    return vector + scalar * twice_cross + cross(axis, twice_cross)


def rotate_inverse(quaternion: Array, vector: Array) -> Array:
    """Rotate vectors by the inverse: world frame to base frame for a base orientation."""
    return rotate(conjugate(quaternion), vector)


def conjugate(quaternion: Array) -> Array:
    """Return the inverse rotation. Shape (..., 4)."""
    return concatenate((-quaternion[..., :3], quaternion[..., 3:]))


def multiply(first: Array, second: Array) -> Array:
    """Return the rotation that applies ``second``, then ``first``. Shapes (..., 4)."""
    u, a = first[..., :3], first[..., 3:]
    v, b = second[..., :3], second[..., 3:]
    scalar = a * b - (u * v).sum(-1)[..., None]
    return concatenate((a * v + b * u + cross(u, v), scalar))


def cross(first: Array, second: Array) -> Array:
    """Return the cross product along the last axis, with broadcasting. Shapes (..., 3)."""
    ax, ay, az = (first[..., i:i + 1] for i in range(3))
    bx, by, bz = (second[..., i:i + 1] for i in range(3))
    return concatenate((ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx))


def projected_gravity(quaternion: Array) -> Array:
    """Return the unit vector of gravity in the base frame: (0, 0, -1) when upright.

    This is minus the third row of the rotation matrix, in closed form. Shape (..., 3).
    """
    x, y, z, w = (quaternion[..., i:i + 1] for i in range(4))
    return concatenate(
        (2.0 * (w * y - x * z), -2.0 * (y * z + w * x), -1.0 + 2.0 * (x * x + y * y)))


def vertical_rate(quaternion: Array, angular_velocity: Array) -> Array:
    """Return the turning rate about the vertical, left positive [rad/s].

    Args:
        quaternion: (..., 4), of the base.
        angular_velocity: (..., 3), in the base frame, as a gyroscope measures it.

    Returns:
        (...), independent of the tilt.
    """
    return -(projected_gravity(quaternion) * angular_velocity).sum(-1)


def tilt(quaternion: Array) -> Array:
    """Return the angle between the base's z axis and the vertical [rad]. Shape (...)."""
    up = -projected_gravity(quaternion)[..., 2]
    xp = namespace(quaternion)
    return xp.arccos(xp.clip(up, -1.0, 1.0))


def tilt_of_one(quaternion: np.ndarray) -> float:
    """Return :func:`tilt` of one quaternion (4,), computed much faster; NaN gives NaN."""
    x, y, _, _ = quaternion.tolist()
    up = 1.0 - 2.0 * (x * x + y * y)
    return math.acos(min(max(up, -1.0), 1.0)) if up == up else math.nan


def yaw(quaternion: Array) -> Array:
    """Return the heading, the angle about the vertical [rad], in (-pi, pi]. Shape (...)."""
    x, y, z, w = (quaternion[..., i] for i in range(4))
    return namespace(quaternion).arctan2(
        2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))


def yaw_quaternion(angle: Array) -> Array:
    """Return the rotation by an angle [rad] about the vertical. Shape (...) to (..., 4)."""
    xp = namespace(angle)
    zero = xp.zeros_like(angle)
    return xp.stack((zero, zero, xp.sin(0.5 * angle), xp.cos(0.5 * angle)), -1)


def small_rotation(vector: Array) -> Array:
    """Return the rotation by a small rotation vector [rad], to second order, unit length."""
    scalar = namespace(vector).ones_like(vector[..., :1])
    return normalize(concatenate((0.5 * vector, scalar)))


def in_heading_frame(quaternion: Array, vector: Array) -> Array:
    """Return world vectors in the frame that shares the base's heading, z up. (..., 3)."""
    return rotate(yaw_quaternion(-yaw(quaternion)), vector)


def horizontal(gravity: Array, vector: Array) -> Array:
    """Return the part forward and left in the heading frame of vectors in the base frame.

    The same as :func:`rotate` and :func:`in_heading_frame`, without the angles between.

    Args:
        gravity: (..., 3), see :func:`projected_gravity`.
        vector: (..., 3), in the base frame.

    Returns:
        (..., 2).
    """
    (x, y, z), (vx, vy, vz) = (
        tuple(it[..., i:i + 1] for i in range(3)) for it in (gravity, vector))
    xp = namespace(gravity)
    level = xp.sqrt(clip(y * y + z * z, 1e-12, 1.0))  # 0 if the base's x axis is vertical
    return concatenate((level * vx - x * (y * vy + z * vz) / level, (y * vz - z * vy) / level))
