"""The viewer node: the robot in a web browser, from its topics, and controls to drive it."""

from __future__ import annotations

import queue
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
from std_msgs.msg import String
from std_srvs.srv import Trigger

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.errors import LocomotionError, MissingPackageError
from humanoid_locomotion.core.policy import find_policy, read_contract
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes import conversions, emergency_stop, qos
from humanoid_locomotion.nodes.emergency_stop import EmergencyStop
from humanoid_locomotion.nodes.executor import create_wall_timer, run
from humanoid_locomotion.nodes.parameters import ViewerParameters, declare, read
from humanoid_locomotion.nodes.walk_profile import heading_velocity

DRIVE_PERIOD = 0.05  # [s]
SHOW_PERIOD = 0.04  # [s]
PANEL_EVERY = 5  # of those
COMMAND_SHOWN = 0.5  # [s] that a command is shown after it was heard
SOLE_DOWN = 0.02  # [m] above the floor
REFUSAL_LOG_PERIOD = 2.0  # [s]


class ViewerNode(Node):
    """Shows a robot, simulated or real, from ``joint_states`` and ``odom``.

    It speaks on ``cmd_vel`` only while someone drives: then another source may as well.
    """

    def __init__(self, **kwargs: Any):
        super().__init__('viewer', **kwargs)
        declare(self, ViewerParameters)
        self._settings = read(self, ViewerParameters)
        contract = read_contract(find_policy(self._settings.policy) / 'contract.yaml')
        spec = load_robot(self._settings.robot or contract.robot)
        try:
            import viser

            from humanoid_locomotion.nodes.viewer_panel import Panel
            from humanoid_locomotion.sim.web_scene import Scene
        except ImportError as error:
            raise MissingPackageError('the viewer', str(error.name), "pip install "
                                      "'humanoid_locomotion[viewer]'") from error
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._joints = conversions.JointReader(spec.joint_names)
        self._positions = spec.values('default')
        self._position = np.array([0.0, 0.0, spec.base_height])
        self._orientation = np.array([0.0, 0.0, 0.0, 1.0])
        self._achieved, self._commanded = np.zeros(3), np.zeros(3)
        self._heard = -np.inf
        self._state, self._answer, self._is_driving, self._shown = 'silent', '', False, 0
        self._create_topics()
        self._server = viser.ViserServer(
            host=self._settings.host, port=self._settings.port, label=spec.name, verbose=False)
        self._scene = Scene(self._server, spec)
        self._panel = Panel(
            self._server, contract.command_limits,
            lambda service: self._work.put(lambda: self._call(service)),
            lambda value: self._work.put(lambda: self._set_friction(value)))
        create_wall_timer(self, DRIVE_PERIOD, self._drive)
        create_wall_timer(self, SHOW_PERIOD, self._show)
        self.get_logger().info(f'http://{self._settings.host}:{self._server.get_port()}')

    def _create_topics(self) -> None:
        stamped = self._settings.enable_stamped_cmd_vel
        kind = TwistStamped if stamped else Twist
        self._commands = self.create_publisher(kind, 'cmd_vel', qos.VELOCITY_COMMAND)
        self.create_subscription(kind, 'cmd_vel', self._on_command, qos.VELOCITY_COMMAND)
        self.create_subscription(JointState, 'joint_states', self._try(
            lambda msg: self._on_joint_states(msg)), qos.SENSOR_INPUT)
        self.create_subscription(
            Odometry, 'odom', self._try(lambda msg: self._on_odom(msg)), qos.SENSOR_INPUT)
        self.create_subscription(String, 'locomotion/state', self._on_state, qos.LATCHED)
        self._triggers: Dict[str, Any] = {
            name: self.create_client(Trigger, name) for name in (
                *(f'locomotion/{request}' for request in (
                    'stand', 'walk', 'damp', 'reset')), 'sim/push')}
        self._stop = EmergencyStop(self, self._tell)
        self._sim_parameters: Any = self.create_client(SetParameters, 'sim/set_parameters')

    def stop(self) -> None:
        """Stand and close the page, at the end of the process."""
        if self._is_driving:
            self._publish(np.zeros(3))
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

    def _on_command(self, msg: Any) -> None:
        twist = msg.twist if self._settings.enable_stamped_cmd_vel else msg
        self._commanded = np.array([twist.linear.x, twist.linear.y, twist.angular.z])
        self._heard = time.monotonic()

    def _drive(self) -> None:
        while not self._work.empty():
            self._work.get()()
        command = self._panel.command()
        wants = bool(command.any())
        if wants or self._is_driving:  # once more at the end, to stand
            self._publish(command)
        self._is_driving = wants

    def _publish(self, command: np.ndarray) -> None:
        stamp = self.get_clock().now().to_msg() if self._settings.enable_stamped_cmd_vel else None
        self._commands.publish(conversions.twist(command, stamp))

    def _call(self, service: str) -> None:
        if service == emergency_stop.SERVICE:
            self._stop.press()
            return
        if service == emergency_stop.RESET:
            self._stop.release()
        client = self._triggers[service]
        if not client.service_is_ready():
            self._answer = f'nobody offers {service}'
            return

        def take(future: Any) -> None:
            self._tell(f'{service}: {future.result().message}')
        client.call_async(Trigger.Request()).add_done_callback(take)

    def _tell(self, answer: str) -> None:
        self._answer = answer

    def _set_friction(self, value: float) -> None:
        if not self._sim_parameters.service_is_ready():
            self._answer = 'nobody simulates the robot'
            return
        self._sim_parameters.call_async(SetParameters.Request(parameters=[ParameterMessage(
            name='friction', value=ParameterValue(
                type=ParameterType.PARAMETER_DOUBLE, double_value=value))]))
        self._answer = f'friction {value:.2f}'

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
            f'{self._answer or "I K forward, J L turn, U O sideways, space stop"}',
            now, commanded, self._achieved)


def main(args: Optional[List[str]] = None) -> int:
    """Run the node until it is told to stop."""
    return run(ViewerNode, args)


if __name__ == '__main__':
    sys.exit(main())
