# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The driver node: connects the topics of this package to the motors and sensors of a robot."""

from __future__ import annotations

import gc
import math
import sys
import time
from typing import Any, List, Optional

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from sensor_msgs.msg import BatteryState, Imu, JointState, Temperature
from std_msgs.msg import Float64MultiArray, String
from std_srvs.srv import Trigger

from humanoid_locomotion.core.errors import ConfigError, LocomotionError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.hardware.connection import Connection, check_free
from humanoid_locomotion.nodes.hardware.messages import StateMessages, battery
from humanoid_locomotion.nodes.hardware.motor_guard import COMMAND_TIMEOUT, MotorGuard
from humanoid_locomotion.nodes.hardware.motor_loop import MotorLoop, request_real_time
from humanoid_locomotion.nodes.hardware.port import RobotReading
from humanoid_locomotion.nodes.hardware.watchdog import Watchdog
from humanoid_locomotion.nodes.locomotion.diagnostics import (
    ERROR,
    OK,
    WARN,
    report,
    status,
    topics_status,
)
from humanoid_locomotion.nodes.operator.emergency_stop_client import EmergencyStop
from humanoid_locomotion.nodes.ros import conversions, graph, qos
from humanoid_locomotion.nodes.ros.executor import create_wall_timer, run
from humanoid_locomotion.nodes.ros.parameters import DriverParameters, declare, read

REPORT_PERIOD, SLOW_PERIOD, CHECK_PERIOD = 0.02, 1.0, 0.05  # [s]
STAND_PERIOD = 0.2  # [s] between requests to stand while the button is not held
REFUSAL_LOG_PERIOD = 2.0  # [s]
CONTROLLER_PATIENCE = 0.5  # [s] after which states are published without a controller
STIFF = ('ramping', 'standing', 'walking')  # states of the locomotion node


class DriverNode(Node):
    """Publishes the state of a robot, and applies ``joint_command`` and ``joint_gains``.

    The motors are commanded by :class:`MotorLoop`. When they are damped for another reason than
    the controller's own command, the node asks the locomotion node for an emergency stop until it
    confirms, so that it does not continue to walk.
    """

    def __init__(self, **kwargs: Any):
        super().__init__('driver', **kwargs)
        declare(self, DriverParameters)
        self._settings = read(self, DriverParameters)
        self._robot = load_robot(self._settings.robot)
        self._loop: Optional[MotorLoop] = None
        self._guard: Optional[MotorGuard] = None
        self._reason, self._since, self._trips, self._label = '', 0.0, 0, ''
        # Of the states: smallest time between two that are published, and time of the last one.
        self._gap, self._published = 1.0 / self._settings.publish_rate - 0.5e-3, 0.0
        # Before it hears a controller's gains it publishes none: a controller that ramps unheard
        # ramps from where the damped robot no longer is.
        self._publish_from = math.inf
        self._checked = 0.0  # time when other commanders were looked for
        self._publishers_of_state = [
            self.create_publisher(JointState, 'joint_states', qos.SENSOR_OUTPUT),
            self.create_publisher(Imu, 'imu/data', qos.SENSOR_OUTPUT)]
        self._temperatures = self.create_publisher(
            Temperature, 'joint_temperatures', qos.PARTS_OUTPUT)
        self._battery = self.create_publisher(BatteryState, 'battery_state', qos.SENSOR_OUTPUT)
        self._diagnostics = self.create_publisher(
            DiagnosticArray, '/diagnostics', qos.DIAGNOSTICS)
        self._stop = EmergencyStop(self, self._log_warning)
        self._stand: Any = self.create_client(Trigger, 'locomotion/stand')
        self._asked_to_stand = 0.0
        self.create_subscription(JointState, 'joint_command', self._on_command, qos.COMMAND)
        self.create_subscription(Float64MultiArray, 'joint_gains', self._on_gains, qos.LATCHED)
        self.create_subscription(String, 'locomotion/state', self._on_state, qos.LATCHED)
        self._topics = graph.TopicCheck(self)
        self.create_service(Trigger, '~/emergency_stop', self._on_emergency_stop)
        self.create_service(Trigger, '~/reset', self._on_reset)

    def connect(self) -> None:
        """Open the port and start to command the motors: damped or limp at first.

        Raises:
            LocomotionError: There is no robot, it is another one, something else commands its
                motors, or the watchdog does not start. Nothing was commanded then.
        """
        it = self._settings
        is_simulated = bool(it.simulator)
        connection = Connection(
            it.driver, it.robot, it.interface or ('lo' if is_simulated else ''),
            it.domain if it.domain >= 0 else int(is_simulated), is_simulated)
        if not connection.interface:
            raise ConfigError('driver', 'interface', 'expected the network interface of the '
                              'robot, as eth0, found nothing')
        problem = request_real_time()
        if problem:
            self._log_warning(problem)
        port = self._port = connection.make_port()
        port.open()
        try:
            guard = MotorGuard(
                port.joints, self._robot, it.start == 'limp', it.require_remote)
            check_free(port, it.release)
            loop = MotorLoop(port, guard, Watchdog(connection), self._after_read)
        except BaseException:
            port.close()
            raise
        self._guard, self._loop = guard, loop
        self._messages = StateMessages(port.joints, port.imu_frame)
        self._publish_from = time.monotonic() + CONTROLLER_PATIENCE
        loop.start()
        create_wall_timer(self, REPORT_PERIOD, self._report)
        create_wall_timer(self, SLOW_PERIOD, self._publish_slowly)
        self.get_logger().info(
            f'{self._robot.name}, {len(port.joints)} joints, {it.driver} on '
            f'{connection.interface}, domain {connection.domain}; motors {it.start}')

    def stop(self) -> None:
        """Damp the robot and disconnect, at the end of the process."""
        if self._loop is not None:
            self._loop.stop()
            self._port.close()

    def _after_read(self, reading: Optional[RobotReading]) -> None:
        """Publish a state at once; look for other commanders in between. In another thread."""
        now = time.monotonic()
        if (reading is not None and now > self._publish_from
                and reading.time - self._published > self._gap):
            self._published = reading.time
            self._publish_state(reading, now)
        if now - self._checked > CHECK_PERIOD:
            assert self._guard is not None
            self._checked, self._guard.others = now, self._port.other_commanders()

    def _publish_state(self, reading: RobotReading, now: float) -> None:
        age = round(1e9 * (now - reading.time))
        self._messages.fill(
            reading, conversions.to_stamp(self.get_clock().now().nanoseconds - age))
        joints, imu = self._publishers_of_state
        imu.publish(self._messages.imu)  # first: the joint states start the control step
        joints.publish(self._messages.joint_states)

    def _publish_slowly(self) -> None:
        assert self._loop is not None and self._guard is not None
        loop, guard, reading = self._loop, self._guard, self._loop.reading
        stamp = self.get_clock().now().to_msg()
        if reading is not None:
            for message in self._messages.temperatures(reading, stamp):
                self._temperatures.publish(message)
            if reading.battery is not None:
                self._battery.publish(battery(reading.battery, stamp))
        message = report(self, self._robot.name, [
            status('motors', ERROR if guard.reason else OK, guard.reason or 'follow', {
                'emergency stop': guard.stopped, 'times damped while stiff': guard.trips,
                'other commanders': ', '.join(guard.others)}),
            status('motor loop', WARN if loop.late else OK,
                   f'{loop.late} late cycles' if loop.late else 'on time', {
                       'remote': 'none' if reading is None or reading.remote is None else
                       '+'.join(sorted(reading.remote.buttons)) or 'connected'}),
            topics_status(self._topics.problems())])
        message.header.stamp = stamp
        loop.late = 0
        self._diagnostics.publish(message)

    def _report(self) -> None:
        """Log why the motors are damped, and stop the locomotion node with them."""
        guard, now = self._guard, time.monotonic()
        assert guard is not None
        if guard.reason != self._reason:
            self._reason, self._since = guard.reason, now
            if guard.reason:
                self._log_warning(f'motors damped: {guard.reason}')
            else:
                self.get_logger().info('motors follow joint_command')
        is_ignored = (bool(guard.reason) and now - self._since > COMMAND_TIMEOUT
                      and self._label.startswith(STIFF))
        if (guard.trips > self._trips or is_ignored) and not self._stop.is_pending:
            self._trips, self._since = guard.trips, now
            self._stop.press()
        self._keep_standing(now)

    def _keep_standing(self, now: float) -> None:
        """Ask a walking robot to stand while the button is not held."""
        button = self._settings.hold_button
        assert self._loop is not None
        remote = None if self._loop.reading is None else self._loop.reading.remote
        if (button and self._label.startswith('walk') and now - self._asked_to_stand > STAND_PERIOD
                and (remote is None or button not in remote.buttons)
                and self._stand.service_is_ready()):
            self._asked_to_stand = now
            self._log_warning(f'{button} is not held: the robot shall stand')
            self._stand.call_async(Trigger.Request())

    def _on_command(self, msg: JointState) -> None:
        guard, loop = self._guard, self._loop
        if guard is None or loop is None:
            return
        try:
            guard.take_command(msg.name, msg.position, msg.effort, time.monotonic())
            loop.wake()
        except LocomotionError as error:
            self._log_refused(error)

    def _on_gains(self, msg: Float64MultiArray) -> None:
        if self._guard is None:
            return
        self._publish_from = 0.0
        try:
            self._guard.take_gains(conversions.read_gains(msg), time.monotonic())
        except LocomotionError as error:
            self._guard.refuse_gains(str(error))
            self._log_refused(error)

    def _log_warning(self, text: str) -> None:
        self.get_logger().warning(text)

    def _log_refused(self, error: LocomotionError) -> None:
        self.get_logger().warning(
            f'refused: {error}', throttle_duration_sec=REFUSAL_LOG_PERIOD)

    def _on_state(self, msg: String) -> None:
        self._label = msg.data

    def _on_emergency_stop(self, _: Any, response: Trigger.Response) -> Trigger.Response:
        if self._guard is not None:
            self._guard.stop('~/emergency_stop was called')
        response.success, response.message = True, 'the motors are damped until ~/reset'
        return response

    def _on_reset(self, _: Any, response: Trigger.Response) -> Trigger.Response:
        try:
            if self._guard is not None and self._loop is not None:
                self._guard.reset(self._loop.reading)
            response.success, response.message = True, 'the motors follow joint_command'
        except LocomotionError as error:
            response.success, response.message = False, str(error)
        self._stop.release()
        return response


def connected() -> DriverNode:
    """Return a node that commands the motors."""
    node = DriverNode()
    try:
        node.connect()
    except BaseException:
        node.destroy_node()
        raise
    gc.collect()
    gc.freeze()  # what exists now lasts: collections while the robot walks skip it
    return node


def main(args: Optional[List[str]] = None) -> int:
    """Run the node until it is stopped."""
    request_real_time()  # first: the threads of the middleware inherit it; connect() reports
    return run(connected, args)


if __name__ == '__main__':
    sys.exit(main())
