"""What has arrived: the last good message of each topic, how old it is, and what was refused."""

from __future__ import annotations

import math
from typing import Any, Callable, Dict, Optional

import numpy as np

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import LocomotionError, MessageError
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.core.terms import needs_odometry
from humanoid_locomotion.nodes import conversions


class Channel:
    """One topic's messages, counted. Times are of the node's clock, in seconds.

    Args:
        topic: The topic's name, for messages to people.
        is_simulated: Whether the node follows a simulator's clock.

    Attributes:
        accepted: How many messages were used.
        refused: How many were not.
        problem: Why the last refused message was refused; empty if none ever was.
    """

    def __init__(self, topic: str, is_simulated: bool = False):
        self.topic = topic
        self.accepted = self.refused = 0
        self.problem = ''
        self._is_simulated = is_simulated
        self._received = self._stamp = -math.inf

    def rewind(self, now: float) -> None:
        """Begin anew after the clock jumped back to ``now``."""
        self._received = min(self._received, now)
        self._stamp = -math.inf

    def age(self, now: float) -> float:
        """Return the time since the last message that was used [s]; infinite without one."""
        return now - self._received

    def check_stamp(self, stamp: float, now: float, timeout: float) -> None:
        """Refuse a stamp that runs backwards or lies far in the past; 0 means no stamp."""
        if stamp == 0.0:
            return
        if stamp < self._stamp:
            raise MessageError(
                self.topic, f'stamped {self._stamp - stamp:.3f} s before its predecessor')
        if now - stamp > timeout:
            raise MessageError(self.topic, f'stamped {now - stamp:.3f} s ago, allowed is '
                               f'{timeout:g} s')

    def accept(self, stamp: float, now: float) -> None:
        """Count a message that was used."""
        self.accepted += 1
        # After a pause of this process, a simulator's message may arrive before its clock does.
        self._received = max(now, stamp) if self._is_simulated else now
        self._stamp = stamp if stamp != 0.0 else self._stamp

    def refuse(self, error: LocomotionError) -> None:
        """Count a message that was not."""
        self.refused += 1
        self.problem = str(error)


class Sensors:
    """Keeps what the robot measured last, in the arrays of one :class:`RobotState`.

    A refused message changes nothing: the last good one stays and grows old.

    Args:
        contract: The joints to read, and whether odometry is needed.
        timeout: Age at which a message is too old [s].
        on_refused: Called with the error of every message that is refused.
        is_simulated: Whether the node follows a simulator's clock.

    Attributes:
        state: What the robot measured last, one row; always these very arrays.
        channels: The topics that the contract needs, by name.
    """

    def __init__(self, contract: PolicyContract, timeout: float,
                 on_refused: Callable[[LocomotionError], None], is_simulated: bool = False):
        n = contract.num_actions
        self._timeout, self._on_refused = timeout, on_refused
        self._joints = conversions.JointReader(contract.joint_names)
        odometry = needs_odometry(contract)
        self.state = RobotState(
            joint_positions=np.zeros((1, n), np.float32),
            joint_velocities=np.zeros((1, n), np.float32),
            base_orientation=np.array([[0.0, 0.0, 0.0, 1.0]], np.float32),
            base_angular_velocity=np.zeros((1, 3), np.float32),
            base_position=np.zeros((1, 3), np.float32) if odometry else None,
            base_linear_velocity=np.zeros((1, 3), np.float32) if odometry else None)
        topics = ('joint_states', 'imu/data') + (('odom',) if odometry else ())
        self.channels: Dict[str, Channel] = {
            topic: Channel(topic, is_simulated) for topic in topics}

    def stale(self, now: float) -> str:
        """Return what is too old to walk on, in words; empty when all is fresh."""
        return ', '.join(
            f'no {topic}' if channel.age(now) == math.inf
            else f'{topic} is {channel.age(now):.2f} s old'
            for topic, channel in self.channels.items() if channel.age(now) > self._timeout)

    def rewind(self, now: float) -> None:
        """Begin anew after the clock jumped back to ``now``."""
        for channel in self.channels.values():
            channel.rewind(now)

    def take_joint_states(self, msg: Any, now: float) -> None:
        """Take over joint positions and velocities."""
        self._take('joint_states', msg, now, {
            'joint_positions': self._joints.positions,
            'joint_velocities': self._joints.velocities})

    def take_imu(self, msg: Any, now: float) -> None:
        """Take over orientation and angular velocity; the IMU's frame must be the base's."""
        self._take('imu/data', msg, now, {
            'base_orientation': conversions.imu_orientation,
            'base_angular_velocity': conversions.imu_angular_velocity})

    def take_odom(self, msg: Any, now: float) -> None:
        """Take over position and linear velocity."""
        self._take('odom', msg, now, {
            'base_position': conversions.odom_position,
            'base_linear_velocity': conversions.odom_linear_velocity})

    def _take(self, topic: str, msg: Any, now: float,
              readers: Dict[str, Callable[[Any], np.ndarray]]) -> None:
        channel, stamp = self.channels[topic], conversions.seconds(msg.header.stamp)
        try:
            channel.check_stamp(stamp, now, self._timeout)
            values = {name: reader(msg) for name, reader in readers.items()}
        except LocomotionError as error:
            channel.refuse(error)
            self._on_refused(error)
            return
        for name, value in values.items():
            getattr(self.state, name)[0] = value
        channel.accept(stamp, now)


class CommandInbox:
    """Keeps the last velocity command, and turns silence into standing.

    Args:
        timeout: Silence after which the command is zero [s].
        on_refused: Called with the error of every message that is refused.

    Attributes:
        channel: What arrived.
    """

    def __init__(self, timeout: float, on_refused: Callable[[LocomotionError], None]):
        self.channel = Channel('cmd_vel')
        self._timeout, self._on_refused = timeout, on_refused
        self._command = np.zeros((1, 3), np.float32)
        self._zero = np.zeros((1, 3), np.float32)

    def take(self, twist: Any, now: float, stamp: Optional[float] = None) -> None:
        """Take over a command, or refuse it and keep the last one."""
        try:
            self.channel.check_stamp(stamp or 0.0, now, self._timeout)
            self._command[0] = conversions.velocity_command(twist)
        except LocomotionError as error:
            self.channel.refuse(error)
            self._on_refused(error)
            return
        self.channel.accept(stamp or 0.0, now)

    def command(self, now: float) -> np.ndarray:
        """Return the command that holds now, (1, 3); zero after silence."""
        return self._command if self.channel.age(now) <= self._timeout else self._zero
