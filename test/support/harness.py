# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A driver's side of the topics, to test the locomotion node in one process."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, List, Optional

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import Twist
import numpy as np
from rclpy.node import Node
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Imu, JointState
from std_msgs.msg import Float64MultiArray, String
from std_srvs.srv import Trigger

from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.locomotion.node import LocomotionNode
from humanoid_locomotion.nodes.ros import conversions, qos
from humanoid_locomotion.nodes.ros.executor import make_executor

PATIENCE = 10.0  # [s]
PERIOD = 0.01  # [s] between measurements


class Driver(Node):
    """Publishes what a still, upright robot measures; keeps what it is told.

    Attributes:
        names: Joint names as sent.
        positions: Joint positions as sent.
        velocities: Joint velocities as sent.
        orientation: Of the base as sent, xyzw.
        stamp_offset: Added to the stamps [s].
        is_silent: Whether to send nothing.
        is_frozen: Whether to send the same figures again and again.
        without_stamp: Whether to leave the stamps at 0.
        listening: The subscription to ``joint_command``.
        simulated_time: If set, the time [s] to publish on ``/clock`` and to stamp with.
    """

    def __init__(self, namespace: str = '') -> None:
        super().__init__('driver', namespace=namespace)
        robot = load_robot('humanoid')
        self.names = list(robot.joint_names)
        self.positions = robot.values('default').tolist()
        self.velocities = [0.0] * len(self.names)
        self.orientation = [0.0, 0.0, 0.0, 1.0]
        self.stamp_offset, self.is_silent, self.without_stamp = 0.0, False, False
        self.is_frozen, self._noise = False, 0.0
        self.simulated_time: Optional[float] = None
        self.commands: List[JointState] = []
        self.gains: List[np.ndarray] = []
        self.states: List[str] = []
        self.diagnostics: Dict[str, Any] = {}
        self.hardware: Dict[str, str] = {}
        self.status: Dict[str, Any] = {}
        self._joint_states = self.create_publisher(
            JointState, 'joint_states', qos.SENSOR_OUTPUT)
        self._imu = self.create_publisher(Imu, 'imu/data', qos.SENSOR_OUTPUT)
        self._clock_publisher = self.create_publisher(
            Clock, '/clock', qos.SENSOR_OUTPUT)
        self.cmd_vel = self.create_publisher(Twist, 'cmd_vel', qos.VELOCITY_COMMAND)
        self.listening = self.create_subscription(
            JointState, 'joint_command', self.commands.append, qos.COMMAND)
        self.create_subscription(
            Float64MultiArray, 'joint_gains',
            lambda msg: self.gains.append(np.array(msg.data).reshape(-1, 3)), qos.LATCHED)
        self.create_subscription(
            String, 'locomotion/state', lambda msg: self.states.append(msg.data), qos.LATCHED)
        self.create_subscription(
            DiagnosticStatus, 'locomotion/status', self._on_status, qos.LATCHED)
        self.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.DIAGNOSTICS)

    @property
    def state(self) -> str:
        """The last state that the node showed."""
        return self.states[-1] if self.states else ''

    def measure(self) -> None:
        """Send one set of measurements."""
        if self.is_silent:
            return
        if self.simulated_time is not None:
            self.simulated_time += PERIOD
        now = (self.get_clock().now().nanoseconds if self.simulated_time is None
               else round(1e9 * self.simulated_time))
        stamp = conversions.to_stamp(now + int(1e9 * self.stamp_offset))
        joints, imu = JointState(name=self.names), Imu()
        # What is measured is never twice the same to the last bit.
        self._noise = 1e-6 - self._noise
        noise = 0.0 if self.is_frozen else self._noise
        joints.position = self.positions
        joints.velocity = [velocity + noise for velocity in self.velocities]
        imu.angular_velocity.x = noise
        q = imu.orientation
        q.x, q.y, q.z, q.w = self.orientation
        for msg in (joints, imu):
            if not self.without_stamp:
                msg.header.stamp = stamp
        self._joint_states.publish(joints)
        self._imu.publish(imu)
        if self.simulated_time is not None:
            self._clock_publisher.publish(Clock(clock=stamp))

    def command(self, **components: float) -> None:
        """Send a velocity command, as ``linear_x=0.5``."""
        self.cmd_vel.publish(twist(**components))

    def _on_status(self, msg: DiagnosticStatus) -> None:
        self.status = {'level': msg.level, **{pair.key: pair.value for pair in msg.values}}

    def _on_diagnostics(self, msg: DiagnosticArray) -> None:
        for status in msg.status:
            values = {pair.key: pair.value for pair in status.values}
            self.hardware[status.name] = status.hardware_id
            self.diagnostics[status.name] = (status.level, status.message, values)


def twist(**components: float) -> Twist:
    """Return a Twist."""
    msg = Twist()
    for name, value in components.items():
        part, axis = name.split('_')
        setattr(getattr(msg, part), axis, value)
    return msg


class Bench:
    """A locomotion node and its driver on one executor.

    Args:
        namespace: Of both.
        parameters: The node's.
    """

    def __init__(self, namespace: str = '', **parameters: Any):
        self.driver = Driver(namespace)
        self.node = LocomotionNode(namespace=namespace, parameter_overrides=[
            Parameter(name, value=value) for name, value in parameters.items()])
        self.executor = make_executor()
        self.executor.add_node(self.driver)
        self.executor.add_node(self.node)

    def spin(self, seconds: float) -> None:
        """Let both run for a while, with measurements."""
        self.until(lambda: False, seconds, must=False)

    def until(self, condition: Callable[[], bool], seconds: float = PATIENCE,
              must: bool = True) -> None:
        """Let both run until a condition holds."""
        deadline, due = time.monotonic() + seconds, 0.0
        while time.monotonic() < deadline:
            if condition():
                return
            if time.monotonic() >= due:
                due = max(due + PERIOD, time.monotonic())
                self.driver.measure()
            self.executor.spin_once(timeout_sec=0.005)
        assert not must, f'waited in vain; the node is {self.driver.state!r}'

    def until_state(self, start: str) -> None:
        """Let both run until the node shows a state."""
        self.until(lambda: self.driver.state.startswith(start))

    def stand(self) -> None:
        """Configure, activate and wait until the robot stands."""
        self.node.trigger_configure()
        self.until(lambda: not self.node.interface.missing())
        self.node.trigger_activate()
        self.until_state('standing')

    @property
    def is_damped(self) -> bool:
        """Whether the driver is to damp: kp 0, kd kept, targets where the joints are."""
        gains, command = self.driver.gains[-1], self.driver.commands[-1]
        return bool((gains[:, 0] == 0.0).all() and (gains[:, 1] > 0.0).all() and np.allclose(
            command.position, self.driver.positions, atol=1e-6))

    def call(self, service: str) -> Trigger.Response:
        """Call one of the node's services."""
        client = self.driver.create_client(Trigger, f'locomotion/{service}')
        self.until(client.service_is_ready)
        future = client.call_async(Trigger.Request())
        self.until(future.done)
        return future.result()

    def close(self) -> None:
        """Free both."""
        self.node.stop()
        self.executor.shutdown()
        self.node.destroy_node()
        self.driver.destroy_node()
