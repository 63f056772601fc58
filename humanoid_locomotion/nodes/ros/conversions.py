# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Conversions between ROS messages and arrays. Joints by name; quaternions are x, y, z, w."""

from __future__ import annotations

import array
import contextlib
import math
import struct
from typing import Any, Dict, List, Optional, Sequence

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Pose, Quaternion, Twist, TwistStamped
from nav_msgs.msg import Odometry
import numpy as np
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Imu, JointState
from std_msgs.msg import Float64, Float64MultiArray, Header, MultiArrayDimension

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.errors import JointsError, MessageError

# Topics by which other nodes lead joints; the package of the second type is optional.
ARM_TOPICS: Dict[str, Any] = {'arm_command': JointState}
with contextlib.suppress(ImportError):
    from trajectory_msgs.msg import JointTrajectory
    ARM_TOPICS['arm_trajectory'] = JointTrajectory

GAINS = ('kp', 'kd', 'effort')
AXIS_TOPIC = 'command/'  # followed by the name of a command axis beyond the velocity
# First element of a covariance by which a sensor states that it does not measure the quantity.
NOT_MEASURED = -1.0
UNIT_TOLERANCE = 0.05


def seconds(stamp: Time) -> float:
    """Return a stamp in seconds; 0 for a message without one."""
    return float(stamp.sec + 1e-9 * stamp.nanosec)


def to_stamp(nanoseconds: int) -> Time:
    """Convert a time [ns] to a stamp."""
    return Time(sec=nanoseconds // 1_000_000_000, nanosec=nanoseconds % 1_000_000_000)


class JointReader:
    """Reads the known joints of ``JointState`` messages, in any order, ignoring extra joints.

    Args:
        joint_names: The joints, in the order of the arrays to fill.
    """

    def __init__(self, joint_names: Sequence[str]):
        self._wanted = list(joint_names)
        self._names: Optional[List[str]] = None
        self._index = np.zeros(len(self._wanted), np.intp)

    def positions(self, msg: JointState) -> np.ndarray:
        """Return joint positions [rad], float64 (num_joints,)."""
        return self._pick(msg, msg.position, 'position')

    def velocities(self, msg: JointState) -> np.ndarray:
        """Return joint velocities [rad/s], float64 (num_joints,)."""
        return self._pick(msg, msg.velocity, 'velocity')

    def efforts(self, msg: JointState) -> Optional[np.ndarray]:
        """Return joint torques [Nm], float64 (num_joints,); None if they are not measured."""
        # Drivers without torque sensors send none, too few, NaN or only zeros.
        if len(msg.effort) != len(msg.name) or msg.name != self._names:
            return None
        picked: np.ndarray = np.asarray(msg.effort)[self._index]
        return picked if _are_finite(picked) and np.count_nonzero(picked) else None

    def _pick(self, msg: JointState, values: Any, what: str) -> np.ndarray:
        if msg.name != self._names:
            self._index = self._find(msg.name)
            self._names = list(msg.name)
        if len(values) != len(msg.name):
            raise MessageError('joint_states', f'{len(values)} values in {what!r} for '
                               f'{len(msg.name)} joints')
        picked: np.ndarray = np.asarray(values)[self._index]
        if not _are_finite(picked):
            worst = int(np.argmin(np.isfinite(picked)))
            raise MessageError('joint_states', f'{what} of joint {self._wanted[worst]!r} is '
                               f'{picked[worst]}')
        return picked

    def _find(self, names: Sequence[str]) -> np.ndarray:
        missing = [name for name in self._wanted if name not in names]
        if missing:
            raise JointsError('joint_states', missing, names)
        twice = [name for name in self._wanted if names.count(name) > 1]
        if twice:
            raise MessageError('joint_states', f'joints {twice} appear more than once')
        return np.array([names.index(name) for name in self._wanted], np.intp)


def imu_orientation(msg: Imu) -> np.ndarray:
    """Return the orientation of the base, xyzw of unit length, (4,)."""
    if msg.orientation_covariance[0] == NOT_MEASURED:
        raise MessageError('imu/data', 'has no orientation (its covariance is -1)')
    q = msg.orientation
    return _unit_quaternion(np.array([q.x, q.y, q.z, q.w]), 'imu/data')


def imu_angular_velocity(msg: Imu) -> np.ndarray:
    """Return the angular velocity of the base, in the base frame [rad/s], (3,)."""
    if msg.angular_velocity_covariance[0] == NOT_MEASURED:
        raise MessageError('imu/data', 'has no angular velocity (its covariance is -1)')
    return _finite(_xyz(msg.angular_velocity), 'imu/data', 'angular_velocity')


def odom_position(msg: Odometry) -> np.ndarray:
    """Return the position of the base in the odometry frame [m], (3,)."""
    return _finite(_xyz(msg.pose.pose.position), 'odom', 'position')


def odom_orientation(msg: Odometry) -> np.ndarray:
    """Return the orientation of the base in the odometry frame, xyzw, (4,)."""
    q = msg.pose.pose.orientation
    return _unit_quaternion(np.array([q.x, q.y, q.z, q.w]), 'odom')


def pose_2d(msg: Pose, topic: str) -> np.ndarray:
    """Return x [m], y [m] and heading [rad] of a pose, (3,); NaN in any field is refused."""
    q = msg.orientation
    position = _finite(_xyz(msg.position), topic, 'position')
    orientation = _unit_quaternion(np.array([q.x, q.y, q.z, q.w]), topic)
    return np.array([position[0], position[1], float(rotations.yaw(orientation))])


def odom_linear_velocity(msg: Odometry) -> np.ndarray:
    """Return the velocity of the base, in the base frame (the message's child) [m/s], (3,)."""
    return _finite(_xyz(msg.twist.twist.linear), 'odom', 'linear velocity')


def velocity_command(msg: Twist) -> np.ndarray:
    """Return forward [m/s], left [m/s] and turning left [rad/s], (3,).

    All six components must be finite, since one invalid component makes the others doubtful.
    """
    six = np.concatenate([_xyz(msg.linear), _xyz(msg.angular)])
    _finite(six, 'cmd_vel', 'velocity')
    return six[[0, 1, 5]]


def axis_command(msg: Float64, axis: str) -> float:
    """Return the value of a command axis beyond the velocity; NaN and infinity are refused."""
    if not math.isfinite(msg.data):
        raise MessageError(f'{AXIS_TOPIC}{axis}', f'the value is not finite: {msg.data}')
    return float(msg.data)


def twist(command: np.ndarray, stamp: Optional[Time] = None) -> Any:
    """Return a velocity command (3,) as a Twist, or as a TwistStamped if a stamp is given."""
    msg = Twist()
    msg.linear.x, msg.linear.y, msg.angular.z = np.asarray(command, np.float64).tolist()
    if stamp is None:
        return msg
    return TwistStamped(header=Header(stamp=stamp, frame_id='base_link'), twist=msg)


class JointCommand:
    """The message ``joint_command``, serialised once; afterwards only stamp and targets change.

    It has no velocity and no feed-forward torque. rclpy publishes the bytes directly, so that the
    joint names are not serialised in every step.

    Args:
        joint_names: The joints, in the order of the targets.
    """

    STAMP = 4  # offset of the stamp, after the 4-byte CDR header

    def __init__(self, joint_names: Sequence[str]):
        n = len(joint_names)
        zeros, found = array.array('d', bytes(8 * n)), array.array('d', range(1, n + 1))
        self._data = bytearray(serialize_message(JointState(
            name=list(joint_names), position=found, velocity=zeros, effort=zeros)))
        start = self._data.index(found.tobytes())
        self._positions = slice(start, start + 8 * n)

    def serialized(self, positions: np.ndarray, nanoseconds: int) -> bytes:
        """Return the message with joint targets [rad] (num_joints,) and a stamp."""
        struct.pack_into('=iI', self._data, self.STAMP, *divmod(nanoseconds, 1_000_000_000))
        self._data[self._positions] = positions.astype(np.float64).tobytes()
        return bytes(self._data)


def joint_gains(kp: np.ndarray, kd: np.ndarray, effort: np.ndarray) -> Float64MultiArray:
    """Return the gains of the joints in the order of ``joint_command``."""
    return table(np.stack([kp, kd, effort], axis=1), ['joint'], list(GAINS))


def table(values: np.ndarray, rows: List[str], columns: List[str]) -> Float64MultiArray:
    """Return a table with labelled rows and columns."""
    msg = Float64MultiArray(data=array.array('d', values.astype(np.float64).tobytes()))
    msg.layout.dim = [
        MultiArrayDimension(label=','.join(rows), size=values.shape[0], stride=values.size),
        MultiArrayDimension(label=','.join(columns), size=values.shape[1],
                            stride=values.shape[1])]
    return msg


def read_gains(msg: Float64MultiArray) -> np.ndarray:
    """Return gains (num_joints, 3): kp [Nm/rad], kd [Nm s/rad], effort [Nm]."""
    labels = [dim.label for dim in msg.layout.dim]
    if labels != ['joint', ','.join(GAINS)]:
        raise MessageError('joint_gains', f"expected dimensions 'joint' and {','.join(GAINS)!r}, "
                           f'found {labels}')
    if len(msg.data) % len(GAINS) or msg.layout.dim[0].size * len(GAINS) != len(msg.data):
        raise MessageError('joint_gains', f'{len(msg.data)} values for '
                           f'{msg.layout.dim[0].size} joints')
    gains = np.asarray(msg.data).reshape(-1, len(GAINS))
    if not (np.isfinite(gains).all() and (gains >= 0.0).all()):
        raise MessageError('joint_gains', 'every gain must be finite and 0 or more')
    return gains


def set_odometry(msg: Odometry, position: np.ndarray, velocity: np.ndarray,
                 orientation: np.ndarray, angular_velocity: np.ndarray) -> None:
    """Write pose and velocity of the base into a message.

    Args:
        msg: The message; its header, frames and covariances are kept.
        position: In the odometry frame [m], (3,).
        velocity: In the base frame [m/s], (3,).
        orientation: xyzw, (4,).
        angular_velocity: In the base frame [rad/s], (3,).
    """
    x, y, z, w = orientation.tolist()
    msg.pose.pose.orientation = Quaternion(x=x, y=y, z=z, w=w)
    set_xyz(msg.pose.pose.position, position)
    set_xyz(msg.twist.twist.linear, velocity)
    set_xyz(msg.twist.twist.angular, angular_velocity)


def set_xyz(target: Any, values: np.ndarray) -> None:
    """Write three numbers into a point or a vector."""
    target.x, target.y, target.z = values.tolist()


def _xyz(vector: Any) -> np.ndarray:
    return np.array([vector.x, vector.y, vector.z])


def _are_finite(values: np.ndarray) -> bool:
    # Much faster than ndarray.all() for small arrays.
    return bool(np.count_nonzero(np.isfinite(values)) == values.size)


def _finite(values: np.ndarray, topic: str, what: str) -> np.ndarray:
    if not _are_finite(values):
        raise MessageError(topic, f'{what} is not finite: {values.tolist()}')
    return values


def _unit_quaternion(q: np.ndarray, topic: str) -> np.ndarray:
    length = math.sqrt(float(q @ q))
    if not abs(length - 1.0) <= UNIT_TOLERANCE:  # also refuses NaN
        raise MessageError(topic, f'orientation has length {length:.3g}, expected 1')
    return q / length
