# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A simulated robot behind ROS topics in wall time: standing still, or simulated in MuJoCo."""

from __future__ import annotations

import time
from typing import Dict, List, Optional

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Twist
import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import Imu, JointState
from std_msgs.msg import Float64MultiArray, String
from std_srvs.srv import Trigger

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.nodes.locomotion.diagnostics import TRIPS
from humanoid_locomotion.nodes.ros import conversions, qos
from humanoid_locomotion.nodes.ros.executor import create_wall_timer, make_executor
from humanoid_locomotion.nodes.simulation.messages import Measurements
from humanoid_locomotion.nodes.simulation.simulated_robot import SimulatedRobot

DRIVER_TIMEOUT = 0.2  # [s]
FALLEN_TILT = 1.0  # [rad]


class DdsRobot(Node):
    """A simulated robot behind ROS topics, in wall time like a real one.

    Args:
        spec: The robot.
        rate: Measurements per second.

    Attributes:
        robot: The simulated robot.
        state: State of the locomotion node.
        is_frozen: Whether to repeat the same measurements.
        is_silent: Whether to publish nothing.
        commands: Arrival times of ``joint_command`` [s].
        trips: Number of control steps in which each safety rule tripped, from diagnostics.
        walk: The velocity command that is published at 20 Hz; None for none.
        damped_at: Time at which the joints were first damped [s]; None before. Set it to None to
            detect it again.
    """

    def __init__(self, spec: RobotSpec, rate: float = 200.0):
        super().__init__('driver')
        self._tick = 1.0 / rate
        self.robot = SimulatedRobot(spec, self._tick, 0.005, DRIVER_TIMEOUT)
        self._measurements = Measurements(self.robot, 'base_link', 'odom')
        self.state, self.is_frozen, self.is_silent = '', False, False
        self.commands: List[float] = []
        self.states: List[str] = []
        self.trips: Dict[str, int] = {}
        self.walk: Optional[List[float]] = None
        self.damped_at: Optional[float] = None
        self._topics = {
            'joint_states': self.create_publisher(JointState, 'joint_states', qos.SENSOR_OUTPUT),
            'imu': self.create_publisher(Imu, 'imu/data', qos.SENSOR_OUTPUT)}
        self._cmd_vel = self.create_publisher(Twist, 'cmd_vel', qos.VELOCITY_COMMAND)
        self.create_subscription(JointState, 'joint_command', self._on_command, qos.COMMAND)
        self.create_subscription(
            Float64MultiArray, 'joint_gains',
            lambda msg: self.robot.set_gains(conversions.read_gains(msg)), qos.LATCHED)
        self.create_subscription(String, 'locomotion/state', self._on_state, qos.LATCHED)
        self.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.DIAGNOSTICS)
        create_wall_timer(self, self._tick, self._on_tick)
        create_wall_timer(self, 0.05, self._on_walk)
        self._requests: Dict[str, object] = {
            name: self.create_client(Trigger, f'locomotion/{name}')
            for name in ('stand', 'walk', 'damp', 'emergency_stop', 'reset')}
        self._spinner = make_executor()
        self._spinner.add_node(self)

    @property
    def is_fallen(self) -> bool:
        """Whether the robot has fallen."""
        return float(rotations.tilt(self.robot.state().base_orientation)[0]) > FALLEN_TILT

    def spin(self, seconds: float) -> None:
        """Spin for a time [s]."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._spinner.spin_once(timeout_sec=0.01)

    def until_state(self, start: str, seconds: float) -> bool:
        """Spin until the node has a state; return whether that was in time."""
        end = time.monotonic() + seconds
        while not self.state.startswith(start):
            if time.monotonic() > end:
                return False
            self._spinner.spin_once(timeout_sec=0.01)
        return True

    def request(self, name: str) -> None:
        """Call a service of the node without waiting."""
        self._requests[name].call_async(Trigger.Request())  # type: ignore[attr-defined]

    def close(self) -> None:
        """Free the node and the simulator."""
        self._spinner.shutdown()
        self.robot.close()
        self.destroy_node()

    def _on_tick(self) -> None:
        self.robot.step()
        if self.damped_at is None and not self.robot.pulls:
            self.damped_at = time.monotonic()
        if self.is_silent:
            return
        stamp = self.get_clock().now().to_msg()
        if self.is_frozen:
            for msg in (self._measurements.joint_states, self._measurements.imu):
                msg.header.stamp = stamp
        else:
            self._measurements.take(stamp)
        # The IMU first: the joint states start the node's control step.
        self._topics['imu'].publish(self._measurements.imu)
        self._topics['joint_states'].publish(self._measurements.joint_states)

    def _on_walk(self) -> None:
        if self.walk is not None:
            msg = Twist()
            msg.linear.x, msg.linear.y, msg.angular.z = self.walk
            self._cmd_vel.publish(msg)

    def _on_command(self, msg: JointState) -> None:
        self.commands.append(time.monotonic())
        self.robot.command(msg.name, np.asarray(msg.position))

    def _on_diagnostics(self, msg: DiagnosticArray) -> None:
        for status in msg.status:
            if status.name == 'locomotion: safety':
                self.trips = {pair.key[len(TRIPS):]: int(pair.value) for pair in status.values
                              if pair.key.startswith(TRIPS)}

    def _on_state(self, msg: String) -> None:
        self.state = msg.data
        self.states.append(msg.data)
