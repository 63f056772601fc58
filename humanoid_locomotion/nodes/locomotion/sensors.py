# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Stores the last valid message of each sensor topic, its age, and refused messages."""

from __future__ import annotations

import math
from typing import Any, Callable, Dict, Optional, Sequence, Set

import numpy as np

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import LocomotionError, MessageError
from humanoid_locomotion.core.feedback.kinematics import LinkFrame, frame_names
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.safety.joint_tracking import Encoders
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.core.terms import needs_odometry
from humanoid_locomotion.nodes.ros import conversions

Values = Dict[str, np.ndarray]  # values of a message, by field of the state
BASE = 'base_link'  # REP-105's name of the base, independent of the model
# Allowed lead of a stamp over a simulator's clock: after a pause of this process, all sensor
# messages of the pause may be read before the clock messages.
SIMULATED_AHEAD = 1.0  # [s]
MOST_FRAMES = 20  # number of unknown frames that are reported
LAG_OVER = 0.3  # [s], time constant of the mean lag


class Channel:
    """Message statistics of one topic. Times are of the node's clock, in seconds.

    Args:
        topic: Name of the topic, for messages.
        is_simulated: Whether the node uses a simulator's clock.

    Attributes:
        accepted: Number of accepted messages.
        refused: Number of refused messages.
        problem: Reason of the last refusal; empty if there was none.
        unchanged: Time for which the values have been bit-identical [s].
        publishers: Number of publishers, as last counted.
        turned_from: Frame from which the values are rotated to the base frame; empty if none.
        unknown_frame: Frame of the messages, if the robot has no such frame; empty otherwise.
        lag: Mean difference of arrival and stamp [s]; negative if ahead; 0 without stamps.
        least_lag: Smallest lag since the robot was engaged [s].
    """

    def __init__(self, topic: str, is_simulated: bool = False):
        self.topic = topic
        self.accepted = self.refused = 0
        self.problem = self.turned_from = self.unknown_frame = ''
        self.lag = self.least_lag = 0.0
        self.unchanged, self.publishers = 0.0, 1
        self._is_simulated, self._is_refusing = is_simulated, False
        self._measured = self._stamp = -math.inf
        self._changed, self._arrived = math.inf, -math.inf

    def rewind(self, now: float) -> None:
        """Reset after the clock jumped back to ``now``."""
        self._measured = min(self._measured, now)
        self._stamp = self._arrived = -math.inf
        self.engage(now)

    def engage(self, now: float) -> None:
        """Restart the measurements of constant values and of lag growth."""
        self._changed, self.unchanged = now, 0.0
        self.least_lag = self.lag

    @property
    def measured(self) -> float:
        """Measurement time of the last accepted message [s]."""
        return self._measured

    def age(self, now: float) -> float:
        """Return the age of the last accepted measurement [s]; infinite without one."""
        return now - self._measured

    @property
    def pending_problem(self) -> str:
        """Why the latest message was refused; empty if it was accepted."""
        return self.problem if self._is_refusing else ''

    def check_stamp(self, stamp: float, now: float, timeout: float) -> None:
        """Refuse a stamp that goes backwards or is far in past or future; 0 means no stamp."""
        if stamp == 0.0:
            return
        if stamp < self._stamp:
            raise MessageError(
                self.topic, f'stamped {self._stamp - stamp:.3f} s before its predecessor')
        if now - stamp > timeout:
            raise MessageError(self.topic, f'stamped {now - stamp:.3f} s ago, allowed is '
                               f'{timeout:g} s')
        ahead = max(timeout, SIMULATED_AHEAD) if self._is_simulated else timeout
        if stamp - now > ahead and now > 0.0:  # a simulator's clock is 0 before its first message
            raise MessageError(self.topic, f'stamped {stamp - now:.3f} s ahead of this clock, '
                               f'allowed is {ahead:g} s; check the clocks of both machines')

    def accept(self, stamp: float, now: float, changed: bool = True) -> None:
        """Count an accepted message, and whether its values changed."""
        self.accepted += 1
        self._is_refusing = False
        # After a pause of this process, a simulator's sensor message may be read before its clock;
        # a driver's clock may be slightly ahead of this one.
        # Before the first clock message (now is 0) nothing tells whether a stamp is true.
        trusted = stamp != 0.0 and (stamp < now or (self._is_simulated and now > 0.0))
        self._measured = stamp if trusted else now
        if stamp != 0.0:
            # A stamp ahead of this clock must not make later, correct stamps go backwards.
            self._stamp = min(stamp, now)
            if now > 0.0:
                self._notice_lag(now - stamp, now)
        if changed:
            self._changed = now
        self.unchanged = max(0.0, now - self._changed)

    def _notice_lag(self, lag: float, now: float) -> None:
        share = (now - self._arrived) / LAG_OVER
        if self._arrived == -math.inf:
            self.lag = self.least_lag = lag
        else:
            self.lag += min(1.0, share) * (lag - self.lag)
        self.least_lag, self._arrived = min(self.least_lag, self.lag), now

    def refuse(self, error: LocomotionError) -> None:
        """Count a refused message."""
        self.refused += 1
        self._is_refusing = True
        self.problem = str(error)


class Sensors:
    """Stores the last measurements of the robot, in the arrays of one :class:`RobotState`.

    A refused message changes nothing: the last valid one is kept and its age grows. A clock that
    goes backwards resets what was remembered of stamps.

    Args:
        joint_names: The joints to read, in the order of the state.
        timeout: Largest age of a message [s].
        on_refused: Called with the error of every refused message.
        is_simulated: Whether the node uses a simulator's clock.
        odometry: Whether to use odometry.
        robot: The robot description, for an IMU that is not in the base link; None if unknown.
        on_warning: Called with a text about a message that is used in spite of a problem.

    Attributes:
        state: The last measurements, one row; its arrays are updated in place.
        joint_efforts: Last measured torques [Nm] (num_joints,); None if there are none.
        channels: The required topics, by name.
        encoders: Compares changes of joint positions with velocities.
    """

    def __init__(self, joint_names: Sequence[str], timeout: float,
                 on_refused: Callable[[LocomotionError], None], is_simulated: bool = False,
                 odometry: bool = False, robot: Optional[RobotSpec] = None,
                 on_warning: Callable[[str], None] = lambda text: None):
        n = len(joint_names)
        self._timeout, self._on_refused, self._on_warning = timeout, on_refused, on_warning
        self._joints = conversions.JointReader(joint_names)
        self._joint_names, self._robot = joint_names, robot
        self._imu_frame: Optional[LinkFrame] = None
        self._imu_frame_id = ''
        self._warned_of: Set[str] = set()
        self.state = RobotState(
            joint_positions=np.zeros((1, n), np.float32),
            joint_velocities=np.zeros((1, n), np.float32),
            base_orientation=np.array([[0.0, 0.0, 0.0, 1.0]], np.float32),
            base_angular_velocity=np.zeros((1, 3), np.float32),
            base_position=np.zeros((1, 3), np.float32) if odometry else None,
            base_linear_velocity=np.zeros((1, 3), np.float32) if odometry else None)
        self.joint_efforts: Optional[np.ndarray] = None
        self.encoders = Encoders(n)
        self._joint_states: Any = None  # the last accepted message
        topics = ('joint_states', 'imu/data') + (('odom',) if odometry else ())
        self.channels: Dict[str, Channel] = {
            topic: Channel(topic, is_simulated) for topic in topics}
        self._measured: Dict[str, Any] = dict.fromkeys(topics, math.nan)
        self._now = -math.inf

    def lacks(self, contract: PolicyContract) -> str:
        """Return a topic that another contract needs and that is not subscribed; empty if none."""
        return 'odom' if needs_odometry(contract) and 'odom' not in self.channels else ''

    def engage(self, now: float) -> None:
        """Restart the measurements of constant values and of encoder slip."""
        self.encoders.forget()
        for channel in self.channels.values():
            channel.engage(now)

    def rewind(self, now: float) -> None:
        """Reset after the clock jumped back to ``now``."""
        self.encoders.forget()
        for channel in self.channels.values():
            channel.rewind(now)

    def take_joint_states(self, msg: Any, now: float) -> None:
        """Store joint positions and velocities, and torques if there are any."""
        if self._take('joint_states', msg, now, self._read_joints):
            self._joint_states, self.joint_efforts = msg, self._joints.efforts(msg)
            self.encoders.take(self.state.joint_positions[0], self.state.joint_velocities[0],
                               self.channels['joint_states'].measured)

    def rehearse(self) -> None:
        """Run the code that reads the last messages again, without using the result."""
        if self._joint_states is not None:
            self._read_joints(self._joint_states)
            self._joints.efforts(self._joint_states)

    def take_imu(self, msg: Any, now: float) -> None:
        """Store orientation and angular velocity of the base.

        If ``frame_id`` names another link or site of the robot, the values are transformed to the
        base through the joints in between. Any other name is taken as the base frame, with a
        warning.
        """
        self._take('imu/data', msg, now, self._read_imu, self._turn_imu)

    def take_odom(self, msg: Any, now: float) -> None:
        """Store position and linear velocity."""
        self._take('odom', msg, now, lambda msg: {
            'base_position': conversions.odom_position(msg),
            'base_linear_velocity': conversions.odom_linear_velocity(msg)})

    def _read_joints(self, msg: Any) -> Values:
        return {'joint_positions': self._joints.positions(msg),
                'joint_velocities': self._joints.velocities(msg)}

    def _read_imu(self, msg: Any) -> Values:
        if msg.header.frame_id != self._imu_frame_id:
            self._imu_frame = self._find_frame(msg.header.frame_id)
            self._imu_frame_id = msg.header.frame_id
        return {'base_orientation': conversions.imu_orientation(msg),
                'base_angular_velocity': conversions.imu_angular_velocity(msg)}

    def _turn_imu(self, values: Values) -> Values:
        if self._imu_frame is None:
            return values
        return dict(zip(values, self._imu_frame.base_motion(
            values['base_orientation'], values['base_angular_velocity'],
            self.state.joint_positions[0], self.state.joint_velocities[0])))

    def _find_frame(self, frame_id: str) -> Optional[LinkFrame]:
        """Return a frame of the robot; None if its axes are always those of the base."""
        name = frame_id.rpartition('/')[2]  # without the namespace prefix of a robot
        frame = None if self._robot is None else LinkFrame(self._robot, name, self._joint_names)
        is_turned = frame is not None and frame.is_turned
        self.channels['imu/data'].turned_from = name if is_turned else ''
        self._check_known(frame_id, name)
        return frame if is_turned else None

    def _check_known(self, frame_id: str, name: str) -> None:
        known = [BASE] if self._robot is None else [
            BASE, self._robot.base_link, *frame_names(self._robot)]
        is_known = name in ('', *known)
        self.channels['imu/data'].unknown_frame = '' if is_known else frame_id
        if not is_known and frame_id not in self._warned_of and len(self._warned_of) < MOST_FRAMES:
            self._warned_of.add(frame_id)
            listed = ', '.join(dict.fromkeys(known))
            self._on_warning(f'imu/data: frame_id {frame_id!r} is not a frame of the robot; the '
                             f'base frame is assumed; the robot has: {listed}')

    def _take(self, topic: str, msg: Any, now: float,
              read: Callable[[Any], Values], turn: Callable[[Values], Values] = dict) -> bool:
        """Store the values of a message; return whether it was accepted.

        Values are compared with those of the previous message before the transformation, since the
        transformed values change with the joints.
        """
        channel, stamp = self.channels[topic], conversions.seconds(msg.header.stamp)
        if now < self._now:
            self.rewind(now)
        self._now = now
        try:
            channel.check_stamp(stamp, now, self._timeout)
            values = read(msg)
        except LocomotionError as error:
            channel.refuse(error)
            self._on_refused(error)
            return False
        measured = np.concatenate(list(values.values()))
        changed = bool(np.count_nonzero(measured != self._measured[topic]))
        self._measured[topic] = measured
        with np.errstate(over='ignore'):  # too large values become infinite, which a rule detects
            for name, value in turn(values).items():
                getattr(self.state, name)[0] = value
        channel.accept(stamp, now, changed)
        return True
