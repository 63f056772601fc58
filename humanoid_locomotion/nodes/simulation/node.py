# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The sim node: simulates a robot in MuJoCo behind the same topics as a real robot."""

from __future__ import annotations

import sys
from typing import Any, List, Optional

from nav_msgs.msg import Odometry
import numpy as np
from rclpy.node import Node
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Imu, JointState
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import Trigger

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.ros import conversions, qos
from humanoid_locomotion.nodes.ros.executor import create_wall_timer, run
from humanoid_locomotion.nodes.ros.parameters import SimParameters, declare, read
from humanoid_locomotion.nodes.ros.transform import OdometryTransform
from humanoid_locomotion.nodes.simulation.messages import Measurements
from humanoid_locomotion.nodes.simulation.simulated_robot import SimulatedRobot

REFUSAL_LOG_PERIOD = 2.0  # [s]
MOST_TICKS = 20  # at once; over a longer pause simulated time falls behind
COUNT_PERIOD = 1.0  # [s] between two counts of the publishers of /clock


class SimNode(Node):
    """Steps a simulated robot in real time and publishes its measurements.

    The node publishes ``/clock``: it follows the wall clock by absolute deadlines; on a machine
    that is too slow, simulated time falls behind, without bursts. With ``publish_clock`` false it
    follows its node clock: another robot's ``/clock``, or the system's. Until the first
    command with kp > 0, and after ``~/reset``, the robot is suspended in its default pose on a
    virtual gantry; it is damped when ``joint_command`` stops.
    """

    def __init__(self, **kwargs: Any):
        super().__init__('sim', **kwargs)
        declare(self, SimParameters)
        parameters = read(self, SimParameters)
        tick = 1.0 / parameters.publish_rate
        self._tick_ns, self._stepped_ns = round(1e9 * tick), 0
        robot = load_robot(parameters.robot)
        self._robot = SimulatedRobot(
            robot, tick, parameters.physics_timestep, parameters.command_timeout)
        self._robot.set_friction(parameters.friction)
        self._robot.load_hands(parameters.hand_payload)
        self.add_post_set_parameters_callback(self._on_set_parameters)
        self._was_held = False
        prefix = parameters.frame_prefix
        self._measurements = Measurements(
            self._robot, prefix + parameters.base_frame, prefix + parameters.odom_frame)
        self._create_topics(parameters)
        # Missed cycles are skipped: simulated time falls behind.
        create_wall_timer(self, tick / parameters.real_time_factor, self._on_tick)
        self.get_logger().info(
            f'{robot.name}, {robot.num_joints} joints, {parameters.publish_rate:g} Hz')
        self._log_gantry()

    def _create_topics(self, parameters: SimParameters) -> None:
        self._joint_states_publisher = self.create_publisher(
            JointState, 'joint_states', qos.SENSOR_OUTPUT)
        self._imu_publisher = self.create_publisher(Imu, 'imu/data', qos.SENSOR_OUTPUT)
        self._odom_publisher = self.create_publisher(Odometry, 'odom', qos.SENSOR_OUTPUT)
        self._clock_publisher: Any = None
        if parameters.publish_clock:
            self._clock_publisher = self.create_publisher(Clock, '/clock', qos.SENSOR_OUTPUT)
            create_wall_timer(self, COUNT_PERIOD, self._check_clock)
        self._transform = OdometryTransform(
            self, self._measurements.odom, parameters.frame_prefix)
        self.create_subscription(JointState, 'joint_command', self._on_command, qos.COMMAND)
        self.create_subscription(Float64MultiArray, 'joint_gains', self._on_gains, qos.LATCHED)
        self.create_service(Trigger, '~/reset', self._on_reset)
        self.create_service(Trigger, '~/push', self._on_push)

    def stop(self) -> None:
        """Free the simulator, at the end of the process."""
        self._robot.close()

    def _on_tick(self) -> None:
        due = self._due()
        if due == 0:
            return
        for _ in range(due):
            self._robot.step()
        if self._robot.is_held is not self._was_held:
            self._log_gantry()
        stamp = (self.get_clock().now().to_msg() if self._clock_publisher is None
                 else conversions.to_stamp(self._robot.ticks * self._tick_ns))
        now = self._measurements
        now.take(stamp)
        self._joint_states_publisher.publish(now.joint_states)
        self._imu_publisher.publish(now.imu)
        self._odom_publisher.publish(now.odom)
        self._transform.publish(now.odom)
        # Last, so that nodes that wait for the clock already have the measurements of this cycle.
        if self._clock_publisher is not None:
            self._clock_publisher.publish(Clock(clock=stamp))

    def _due(self) -> int:
        """Return how many ticks to simulate: one, or those that passed on a clock of others."""
        if self._clock_publisher is not None:
            return 1
        now = self.get_clock().now().nanoseconds
        if not 0 <= now - self._stepped_ns <= MOST_TICKS * self._tick_ns:  # it began or jumped
            self._stepped_ns = now - self._tick_ns
        due = (now - self._stepped_ns) // self._tick_ns
        self._stepped_ns += due * self._tick_ns
        return int(due)

    def _check_clock(self) -> None:
        others = self.count_publishers('/clock') - 1
        if others > 0:
            self.get_logger().error(
                f'{others} other node(s) publish /clock, and no robot can follow two clocks; '
                'start every simulated robot but one with publish_clock:=false', once=True)

    def _on_command(self, msg: JointState) -> None:
        self._robot.command_timeout = self.get_parameter('command_timeout').value
        self._try(lambda: self._robot.command(msg.name, np.asarray(msg.position)))

    def _on_gains(self, msg: Float64MultiArray) -> None:
        self._try(lambda: self._robot.set_gains(conversions.read_gains(msg)))

    def _try(self, action: Any) -> None:
        try:
            action()
        except LocomotionError as error:
            self.get_logger().warning(
                f'refused: {error}', throttle_duration_sec=REFUSAL_LOG_PERIOD)

    def _on_set_parameters(self, parameters: List[Parameter]) -> None:
        for parameter in parameters:
            if parameter.name == 'friction':
                self._robot.set_friction(parameter.value)

    def _on_reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._robot.reset()
        response.success, response.message = True, 'the robot hangs in its default pose'
        return response

    def _on_push(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        velocity = [self.get_parameter(name).value for name in ('push_x', 'push_y')]
        self._robot.push([*velocity, 0.0])
        response.success, response.message = True, f'pushed by {velocity} m/s'
        return response

    def _log_gantry(self) -> None:
        self._was_held = self._robot.is_held
        self.get_logger().info(
            'the robot hangs on a virtual gantry until a joint_command with kp' if self._was_held
            else 'the robot is released from the gantry')


def main(args: Optional[List[str]] = None) -> int:
    """Run the node until it is stopped."""
    return run(SimNode, args)


if __name__ == '__main__':
    sys.exit(main())
