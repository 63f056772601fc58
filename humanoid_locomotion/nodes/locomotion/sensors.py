"""What has arrived: the last good message of each topic, how old it is, and what was refused."""

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

Figures = Dict[str, np.ndarray]  # of a message, by the name of the state's field
BASE = 'base_link'  # REP-105's name of the base, whatever the model calls it
# How far ahead of a simulator's clock a stamp may lie: after a pause of this process, messages of
# all the pause may be read before the clock is.
SIMULATED_AHEAD = 1.0  # [s]
MOST_FRAMES = 20  # unknown ones that are worth a word each
LAG_OVER = 0.3  # [s], the time constant of the lag's average


class Channel:
    """One topic's messages, counted. Times are of the node's clock, in seconds.

    Args:
        topic: The topic's name, for messages to people.
        is_simulated: Whether the node follows a simulator's clock.

    Attributes:
        accepted: How many messages were used.
        refused: How many were not.
        problem: Why the last refused message was refused; empty if none ever was.
        unchanged: For how long the figures have been the same to the last bit [s].
        publishers: How many nodes publish it, as last counted.
        turned_from: The frame that its figures are turned from, into the base's; empty if none.
        unknown_frame: The frame of its messages, where it is none of the robot's; empty otherwise.
        lag: How far stamps lie behind their arrival, averaged [s]; below 0 ahead; 0 without any.
        least_lag: The least of it since the robot was engaged [s].
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
        """Begin anew after the clock jumped back to ``now``."""
        self._measured = min(self._measured, now)
        self._stamp = self._arrived = -math.inf
        self.engage(now)

    def engage(self, now: float) -> None:
        """Measure from now on for how long the figures stay the same, and how the lag grows."""
        self._changed, self.unchanged = now, 0.0
        self.least_lag = self.lag

    @property
    def measured(self) -> float:
        """When what was used last was measured [s]."""
        return self._measured

    def age(self, now: float) -> float:
        """Return how long ago was measured what was used last [s]; infinite without."""
        return now - self._measured

    @property
    def pending_problem(self) -> str:
        """Why the latest message was refused; empty if it was used."""
        return self.problem if self._is_refusing else ''

    def check_stamp(self, stamp: float, now: float, timeout: float) -> None:
        """Refuse a stamp that runs backwards or lies far in past or future; 0 means no stamp."""
        if stamp == 0.0:
            return
        if stamp < self._stamp:
            raise MessageError(
                self.topic, f'stamped {self._stamp - stamp:.3f} s before its predecessor')
        if now - stamp > timeout:
            raise MessageError(self.topic, f'stamped {now - stamp:.3f} s ago, allowed is '
                               f'{timeout:g} s')
        ahead = max(timeout, SIMULATED_AHEAD) if self._is_simulated else timeout
        if stamp - now > ahead and now > 0.0:  # 0 is a simulator's clock before it is heard
            raise MessageError(self.topic, f'stamped {stamp - now:.3f} s ahead of this clock, '
                               f'allowed is {ahead:g} s; are the clocks of both machines set?')

    def accept(self, stamp: float, now: float, changed: bool = True) -> None:
        """Count a message that was used, and whether its figures are new."""
        self.accepted += 1
        self._is_refusing = False
        # After a pause of this process, a simulator's message may arrive before its clock does;
        # a driver's clock may be a little ahead of ours.
        trusted = stamp != 0.0 and (self._is_simulated or stamp < now)
        self._measured = stamp if trusted else now
        if stamp != 0.0:
            # What lies ahead of this clock must not make later, truer stamps run backwards.
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
        """Count a message that was not."""
        self.refused += 1
        self._is_refusing = True
        self.problem = str(error)


class Sensors:
    """Keeps what the robot measured last, in the arrays of one :class:`RobotState`.

    A refused message changes nothing: the last good one stays and grows old.

    Args:
        joint_names: The joints to read, in the order of the state.
        timeout: Age at which a message is too old [s].
        on_refused: Called with the error of every message that is refused.
        is_simulated: Whether the node follows a simulator's clock.
        odometry: Whether to read it.
        robot: The robot's description, for an IMU that is not in the base link; None if unknown.
        on_warning: Called with what people should know of a message that is used all the same.

    Attributes:
        state: What the robot measured last, one row; always these very arrays.
        joint_efforts: Torques [Nm] (num_joints,) as measured last; None where there are none.
        channels: The topics that are needed, by name.
        encoders: What the joints' positions changed by beyond their velocities.
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
        self._joint_states: Any = None  # the last message that was used
        topics = ('joint_states', 'imu/data') + (('odom',) if odometry else ())
        self.channels: Dict[str, Channel] = {
            topic: Channel(topic, is_simulated) for topic in topics}
        self._measured: Dict[str, Any] = dict.fromkeys(topics, math.nan)

    def lacks(self, contract: PolicyContract) -> str:
        """Return the topic that another contract needs and that is not read; empty if none."""
        return 'odom' if needs_odometry(contract) and 'odom' not in self.channels else ''

    def engage(self, now: float) -> None:
        """Measure from now on for how long figures stay the same, and what positions slip by."""
        self.encoders.forget()
        for channel in self.channels.values():
            channel.engage(now)

    def rewind(self, now: float) -> None:
        """Begin anew after the clock jumped back to ``now``."""
        self.encoders.forget()
        for channel in self.channels.values():
            channel.rewind(now)

    def take_joint_states(self, msg: Any, now: float) -> None:
        """Take over joint positions and velocities, and torques where there are any."""
        if self._take('joint_states', msg, now, self._read_joints):
            self._joint_states, self.joint_efforts = msg, self._joints.efforts(msg)
            self.encoders.take(self.state.joint_positions[0], self.state.joint_velocities[0],
                               self.channels['joint_states'].measured)

    def rehearse(self) -> None:
        """Read once more what was read last, and use nothing of it."""
        if self._joint_states is not None:
            self._read_joints(self._joint_states)
            self._joints.efforts(self._joint_states)

    def take_imu(self, msg: Any, now: float) -> None:
        """Take over orientation and angular velocity of the base.

        Where ``frame_id`` names another link or site of the robot, the figures are turned by the
        joints in between. Any other name is taken for the base's own, with a warning.
        """
        self._take('imu/data', msg, now, self._read_imu, self._turn_imu)

    def take_odom(self, msg: Any, now: float) -> None:
        """Take over position and linear velocity."""
        self._take('odom', msg, now, lambda msg: {
            'base_position': conversions.odom_position(msg),
            'base_linear_velocity': conversions.odom_linear_velocity(msg)})

    def _read_joints(self, msg: Any) -> Figures:
        return {'joint_positions': self._joints.positions(msg),
                'joint_velocities': self._joints.velocities(msg)}

    def _read_imu(self, msg: Any) -> Figures:
        if msg.header.frame_id != self._imu_frame_id:
            self._imu_frame = self._find_frame(msg.header.frame_id)
            self._imu_frame_id = msg.header.frame_id
        return {'base_orientation': conversions.imu_orientation(msg),
                'base_angular_velocity': conversions.imu_angular_velocity(msg)}

    def _turn_imu(self, values: Figures) -> Figures:
        if self._imu_frame is None:
            return values
        return dict(zip(values, self._imu_frame.base_motion(
            values['base_orientation'], values['base_angular_velocity'],
            self.state.joint_positions[0], self.state.joint_velocities[0])))

    def _find_frame(self, frame_id: str) -> Optional[LinkFrame]:
        """Return a frame of the robot; None for one whose axes are always those of the base."""
        name = frame_id.rpartition('/')[2]  # without the prefix of one robot of several
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
            self._on_warning(f"imu/data: frame_id {frame_id!r} is no frame of the robot, and is "
                             f"taken for the base's; it has: {listed}")

    def _take(self, topic: str, msg: Any, now: float,
              read: Callable[[Any], Figures], turn: Callable[[Figures], Figures] = dict) -> bool:
        """Return whether the message was used.

        A sensor shows the same figures if those of its message are the same: turned ones would
        hide that, since joints move.
        """
        channel, stamp = self.channels[topic], conversions.seconds(msg.header.stamp)
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
        with np.errstate(over='ignore'):  # beyond single precision is infinite, which a rule sees
            for name, value in turn(values).items():
                getattr(self.state, name)[0] = value
        channel.accept(stamp, now, changed)
        return True
