# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Joint commands in the messages of this package's drivers, or of ros2_control's controllers.

The latter keep the last command when messages stop, so that no watchdog damps the robot when the
locomotion node ends. ``docs/ros2_control.md`` says what each interface can and cannot do.
"""

from __future__ import annotations

import array
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Sequence

import numpy as np
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.nodes.ros import conversions, qos
from humanoid_locomotion.nodes.ros.parameters import JOINT_COMMAND, LocomotionParameters

MIT = 'mit'
MIT_INTERFACES = ('velocity', 'effort', 'kp', 'kd')  # besides the position
FLUSH_TIMEOUT = Duration(nanoseconds=200_000_000)


class ForwardCommand:
    """Targets for a ``forward_command_controller``: one number for each joint, without names."""

    def __init__(self, joint_names: Sequence[str]):
        self._message = Float64MultiArray()

    def serialized(self, positions: np.ndarray, nanoseconds: int) -> Float64MultiArray:
        """Return the message with joint targets [rad] (num_joints,)."""
        self._message.data = array.array('d', positions.astype(np.float64).tobytes())
        return self._message


class TrajectoryCommand:
    """Targets for a ``joint_trajectory_controller``: one point that holds from now on.

    Without a stamp the trajectory begins at arrival, and a point at time 0 is not interpolated:
    the joints get the same steps of the target as in training.
    """

    def __init__(self, joint_names: Sequence[str]):
        self._point = JointTrajectoryPoint()
        self._message = JointTrajectory(joint_names=list(joint_names), points=[self._point])

    def serialized(self, positions: np.ndarray, nanoseconds: int) -> JointTrajectory:
        """Return the message with joint targets [rad] (num_joints,)."""
        self._point.positions = array.array('d', positions.astype(np.float64).tobytes())
        return self._message


@dataclass(frozen=True)
class CommandInterface:
    """One kind of joint command.

    Attributes:
        kind: Type of the message.
        topic: Topic, with the name of the controller as ``{}``.
        encoder: Returns the encoder of targets for joints.
    """

    kind: type
    topic: str
    encoder: Callable[[Sequence[str]], Any]


INTERFACES: Dict[str, CommandInterface] = {
    JOINT_COMMAND: CommandInterface(JointState, 'joint_command', conversions.JointCommand),
    'forward_command': CommandInterface(Float64MultiArray, '{}/commands', ForwardCommand),
    'joint_trajectory': CommandInterface(
        JointTrajectory, '{}/joint_trajectory', TrajectoryCommand),
    MIT: CommandInterface(Float64MultiArray, '{}_position/commands', ForwardCommand)}


ROS2_CONTROL = tuple(name for name in INTERFACES if name != JOINT_COMMAND)


def controllers(
        config: Dict[str, Any], interface: str, contract: PolicyContract) -> Dict[str, Any]:
    """Return the parameters of one interface's controllers, for the joints of a contract.

    Args:
        config: The content of ``config/ros2_control/controllers.yaml``.
        interface: One of :data:`ROS2_CONTROL`.
        contract: Gives joints, gains and torque limits.
    """
    chosen = config[interface]
    for controller in chosen.values():
        params = controller['ros__parameters']
        params['joints'] = list(contract.joint_names)
        if 'gains' in params:
            columns = [contract.values(key).tolist() for key in conversions.GAINS]
            params['gains'] = {
                name: {'p': kp, 'd': kd, 'u_clamp_max': effort, 'u_clamp_min': -effort}
                for name, kp, kd, effort in zip(contract.joint_names, *columns)}
    others = {name: value for name, value in config.items() if name not in ROS2_CONTROL}
    return {**others, **chosen}


def command_interface(parameters: LocomotionParameters) -> CommandInterface:
    """Return the interface that the parameters select.

    Raises:
        ConfigError: It has no watchdog, and the parameters do not accept that.
    """
    name = parameters.command_interface
    if name != JOINT_COMMAND and not (parameters.accept_no_watchdog or parameters.dry_run):
        raise ConfigError(
            'locomotion', 'accept_no_watchdog', f'command_interface is {name!r}, whose '
            'controllers keep the last command when this node ends; set it to true to accept '
            f'that, or use {JOINT_COMMAND!r} and a driver that damps the joints')
    found = INTERFACES[name]
    return CommandInterface(
        found.kind, found.topic.format(parameters.controller), found.encoder)


class CommandOutput:
    """Publishes joint targets and gains in the messages of one command interface.

    ``joint_command`` cannot carry gains, so damping is published twice: ``joint_gains`` sets kp to
    zero and kd to that of the robot description, and the targets are the measured positions. A
    driver that receives only one of them holds its position or damps; neither moves the robot.
    With ``mit``, four more controllers get velocity 0, effort 0, kp and kd.

    Args:
        node: The node that publishes.
        parameters: The parameters of the node; with ``dry_run`` nothing is published.

    Raises:
        ConfigError: The interface has no watchdog, and the parameters do not accept that.

    Attributes:
        topic: Topic of the targets.
        publishers: The publishers; none in a dry run.
    """

    def __init__(self, node: LifecycleNode, parameters: LocomotionParameters):
        self._interface = command_interface(parameters)
        self.topic = self._interface.topic
        self._node, self._is_published = node, not parameters.dry_run
        self.publishers: List[Any] = []
        self._required: Dict[str, Any] = {}  # publishers that need a subscriber, by topic
        if not self._is_published:
            return
        self._commands: Any = node.create_lifecycle_publisher(
            self._interface.kind, self.topic, qos.COMMAND)
        self._gains = node.create_publisher(Float64MultiArray, 'joint_gains', qos.LATCHED)
        parts = MIT_INTERFACES if parameters.command_interface == MIT else ()
        topics = [f'{parameters.controller}_{name}/commands' for name in parts]
        self._mit = {topic: node.create_publisher(Float64MultiArray, topic, qos.COMMAND)
                     for topic in topics}
        self._required = {self.topic: self._commands, **self._mit}
        self.publishers = [self._commands, self._gains, *self._mit.values()]

    def take(self, joint_names: Sequence[str], stiff: np.ndarray, damped: np.ndarray) -> None:
        """Set the joints, and their gains (num_joints, 3) while stiff and while damped."""
        self._message = self._interface.encoder(joint_names)
        self._stiff = conversions.joint_gains(*stiff.T)
        self._damped = conversions.joint_gains(*damped.T)
        self._published: Any = None

    @property
    def unheard(self) -> str:
        """The topic that no controller and no driver subscribes; empty if there is none."""
        # Otherwise the first targets are lost, and the joints seem not to follow.
        return next((f'no subscriber of {topic}' for topic, publisher in self._required.items()
                     if not publisher.get_subscription_count()), '')

    def rehearse(self, targets: np.ndarray) -> None:
        """Do the work of :meth:`publish` without publishing."""
        self._message.serialized(targets, 0)

    def publish(self, targets: np.ndarray, nanoseconds: int, is_stiff: bool) -> None:
        """Publish targets [rad] (num_joints,) with a stamp, and before them the gains."""
        self.publish_gains(is_stiff)
        if self._is_published:
            self._commands.publish(self._message.serialized(targets, nanoseconds))

    def publish_gains(self, is_stiff: bool) -> None:
        """Publish the gains; as ``joint_gains`` only if they changed."""
        gains = self._stiff if is_stiff else self._damped
        if not self._is_published:
            return
        if gains is not self._published:
            self._gains.publish(gains)
            self._published = gains
        if self._mit:  # in every step: a controller may start later
            kp, kd = gains.data[0::3], gains.data[1::3]
            zeros = array.array('d', bytes(8 * len(kp)))
            for publisher, data in zip(self._mit.values(), (zeros, zeros, kp, kd)):
                publisher.publish(Float64MultiArray(data=data))

    def flush(self) -> None:
        """Wait until the last messages have arrived."""
        for publisher in self.publishers:
            publisher.wait_for_all_acked(FLUSH_TIMEOUT)

    def destroy(self) -> None:
        """Free the topics."""
        if self.publishers:
            self._node.destroy_lifecycle_publisher(self._commands)
        for publisher in self.publishers[1:]:
            self._node.destroy_publisher(publisher)
