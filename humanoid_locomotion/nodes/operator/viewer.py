# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The viewer node: the robot in a web browser, from its topics, and controls to drive it."""

from __future__ import annotations

import sys
import time
from typing import Any, Callable, Dict, List, Optional

from geometry_msgs.msg import Twist, TwistStamped
from nav_msgs.msg import Odometry
import numpy as np
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.msg import ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64, String

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.command import CommandSpec
from humanoid_locomotion.core.errors import LocomotionError, MissingPackageError
from humanoid_locomotion.core.policy.folder import find_policy, read_contract
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.demos.walk_profile import heading_velocity
from humanoid_locomotion.nodes.operator import emergency_stop_client
from humanoid_locomotion.nodes.operator.controls import Controls
from humanoid_locomotion.nodes.ros import conversions, graph, qos
from humanoid_locomotion.nodes.ros.executor import create_wall_timer, run
from humanoid_locomotion.nodes.ros.parameters import ViewerParameters, declare, read

SHOW_PERIOD = 0.04  # [s]
PANEL_EVERY = 5  # of those
COMMAND_SHOWN = 0.5  # [s] that a command is shown after it was heard
SOLE_DOWN = 0.02  # [m] above the floor
REFUSAL_LOG_PERIOD = 2.0  # [s]
SAID_ADDRESS = 'the viewer is at '


class ViewerNode(Node):
    """Shows a robot, simulated or real, from ``joint_states`` and ``odom``.

    It speaks on ``cmd_vel`` only while a hand on one of its pages drives: then another source may
    as well.

    Attributes:
        address: Of the page. The process prints it and does not log it, since others read
            ``/rosout``.
    """

    def __init__(self, **kwargs: Any):
        super().__init__('viewer', **kwargs)
        declare(self, ViewerParameters)
        self._settings = settings = read(self, ViewerParameters)
        contract = read_contract(find_policy(settings.policy) / 'contract.yaml')
        spec = load_robot(settings.robot or contract.robot)
        try:
            from humanoid_locomotion.nodes.operator.viewer_hands import Hands
            from humanoid_locomotion.nodes.operator.viewer_panel import Panel
            from humanoid_locomotion.sim.web.guard import Guard, bind
            from humanoid_locomotion.sim.web.server import WebServer
            from humanoid_locomotion.sim.web.viser_scene import Scene
        except ImportError as error:
            raise MissingPackageError('the viewer', str(error.name), "pip install "
                                      "'humanoid_locomotion[viewer]'") from error
        self._joints = conversions.JointReader(spec.joint_names)
        self._positions = spec.values('default')
        self._position = np.array([0.0, 0.0, spec.base_height])
        self._orientation = np.array([0.0, 0.0, 0.0, 1.0])
        self._achieved, self._commanded = np.zeros(3), np.zeros(3)
        self._heard = -np.inf
        self._state, self._answer, self._led, self._shown = 'silent', '', '', 0
        self._create_topics(contract.command_limits)
        self._controls = controls = Controls(
            self, settings.enable_stamped_cmd_vel, self._tell)
        hands = Hands(controls.dead_man, contract.command_limits.velocity,
                      lambda: controls.request(emergency_stop_client.SERVICE))
        self._server = WebServer(spec.name, bind(settings.host, settings.port),
                                 Guard(settings.host), self._warn, hands)
        self.address = self._server.address
        self._scene = Scene(self._server.viser, spec)
        self._panel = Panel(self._server.viser, controls.request,
                            lambda value: controls.do(lambda: self._set_friction(value)))
        self._panel.add_axes(
            contract.command_limits.set_points,
            lambda name, value: controls.do(lambda: self._set_axis(name, value)))
        create_wall_timer(self, SHOW_PERIOD, self._show)
        graph.watch_topics(self, self._show_problem)

    def _create_topics(self, commands: CommandSpec) -> None:
        stamped = self._settings.enable_stamped_cmd_vel
        kind = TwistStamped if stamped else Twist
        self.create_subscription(kind, 'cmd_vel', self._on_command, qos.VELOCITY_COMMAND)
        self.create_subscription(JointState, 'joint_states', self._try(
            lambda msg: self._on_joint_states(msg)), qos.SENSOR_INPUT)
        self.create_subscription(
            Odometry, 'odom', self._try(lambda msg: self._on_odom(msg)), qos.SENSOR_INPUT)
        self.create_subscription(String, 'locomotion/state', self._on_state, qos.LATCHED)
        self.create_subscription(
            String, 'locomotion/led_joints', self._on_led_joints, qos.LATCHED)
        self._axes: Dict[str, Any] = {
            it.axis.name: self.create_publisher(
                Float64, f'{conversions.AXIS_TOPIC}{it.axis.name}', qos.VELOCITY_COMMAND)
            for it in commands.set_points}
        self._sim_parameters: Any = self.create_client(SetParameters, 'sim/set_parameters')

    def stop(self) -> None:
        """Stand and close the page, at the end of the process."""
        self._controls.close()
        self._server.stop()

    def _try(self, action: Callable[[Any], None]) -> Callable[[Any], None]:
        def take(msg: Any) -> None:
            try:
                action(msg)
            except LocomotionError as error:
                self.get_logger().warning(
                    f'refused: {error}', throttle_duration_sec=REFUSAL_LOG_PERIOD)
        return take

    def _on_joint_states(self, msg: JointState) -> None:
        self._positions = self._joints.positions(msg)

    def _on_odom(self, msg: Odometry) -> None:
        orientation = conversions.odom_orientation(msg)
        self._position, self._orientation = conversions.odom_position(msg), orientation
        angular = msg.twist.twist.angular
        self._achieved = heading_velocity(
            orientation, conversions.odom_linear_velocity(msg),
            np.array([angular.x, angular.y, angular.z]))

    def _on_state(self, msg: String) -> None:
        self._state = msg.data

    def _on_led_joints(self, msg: String) -> None:
        self._led = msg.data

    def _on_command(self, msg: Any) -> None:
        twist = msg.twist if self._settings.enable_stamped_cmd_vel else msg
        self._commanded = np.array([twist.linear.x, twist.linear.y, twist.angular.z])
        self._heard = time.monotonic()

    def _warn(self, text: str) -> None:
        self.get_logger().warning(text)

    def _tell(self, answer: str) -> None:
        self._answer = answer

    def _show_problem(self, text: str) -> None:
        self.get_logger().error(text)
        self._tell(text)

    def _set_friction(self, value: float) -> None:
        if not self._sim_parameters.service_is_ready():
            self._answer = 'nobody simulates the robot'
            return
        self._sim_parameters.call_async(SetParameters.Request(parameters=[ParameterMessage(
            name='friction', value=ParameterValue(
                type=ParameterType.PARAMETER_DOUBLE, double_value=value))]))
        self._answer = f'friction {value:.2f}'

    def _set_axis(self, name: str, value: float) -> None:
        self._axes[name].publish(Float64(data=value))

    def _show(self) -> None:
        now = time.monotonic()
        commanded = self._commanded if now - self._heard < COMMAND_SHOWN else np.zeros(3)
        self._scene.show(
            self._position, self._orientation, self._positions, commanded, self._achieved)
        self._shown += 1
        if self._shown % PANEL_EVERY:
            return
        down = [side for side, height in zip(('left', 'right'), self._scene.robot.soles())
                if height < SOLE_DOWN]
        tilt = float(rotations.tilt(self._orientation))
        self._panel.show(
            f'**{self._state}**\n\nx {self._position[0]:.2f} m, y {self._position[1]:.2f} '
            f'm, tilt {tilt:.2f} rad, feet down: {" and ".join(down) or "none"}\n\n'
            f'led by another node: {self._led or "no joint"}\n\n'
            f'{self._answer or "it walks while a control is held"}',
            now, commanded, self._achieved)


def main(args: Optional[List[str]] = None) -> int:
    """Run the node until it is told to stop."""
    return run(_open, args)


def _open() -> ViewerNode:
    node = ViewerNode()
    print(f'{SAID_ADDRESS}{node.address}', flush=True)
    return node


if __name__ == '__main__':
    sys.exit(main())
