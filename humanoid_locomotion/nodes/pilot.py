"""What lives between configure and cleanup: topics, the control loop and the diagnostics."""

from __future__ import annotations

from typing import Any, Callable, List

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import Twist, TwistStamped
from nav_msgs.msg import Odometry
import numpy as np
from rclpy.clock import JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import Imu, JointState
from std_msgs.msg import Float64MultiArray

from humanoid_locomotion.core.errors import LocomotionError, RefusedError
from humanoid_locomotion.core.policy import PolicyFolder
from humanoid_locomotion.nodes import conversions, qos
from humanoid_locomotion.nodes.diagnostics import (
    ERROR,
    OK,
    WARN,
    LoopTiming,
    channel_status,
    report,
    status,
)
from humanoid_locomotion.nodes.executor import create_wall_timer
from humanoid_locomotion.nodes.parameters import LocomotionParameters
from humanoid_locomotion.nodes.sensors import CommandInbox, Sensors
from humanoid_locomotion.nodes.state_machine import Mode, StateMachine

REFUSAL_LOG_PERIOD = 2.0  # [s]
DIAGNOSTICS_PERIOD = 1.0  # [s]
FLUSH_TIMEOUT = Duration(nanoseconds=200_000_000)


class Pilot:
    """Runs an opened policy on the robot behind a node's topics.

    ``joint_command`` cannot carry gains, so damping is said twice: ``joint_gains`` turns kp to
    zero and keeps kd, and the targets are the measured positions. A driver that has seen only one
    of the two holds still or gives way; neither moves the robot.

    Args:
        node: Whose topics and clock to use.
        parameters: How.
        folder: What to run.
        show: Called with what the robot is doing, whenever that changes.

    Attributes:
        machine: What the robot is doing.
    """

    def __init__(self, node: LifecycleNode, parameters: LocomotionParameters,
                 folder: PolicyFolder, show: Callable[[str], None]):
        self._node, self._parameters, self._folder = node, parameters, folder
        self._show = show
        self._contract = contract = folder.contract
        is_simulated = bool(node.get_parameter('use_sim_time').value)
        self.machine = StateMachine(
            folder.controller(), parameters.max_tilt, parameters.ramp_speed)
        self._sensors = Sensors(
            contract, parameters.sensor_timeout, self._log_refused, is_simulated)
        self._inbox = CommandInbox(parameters.cmd_vel_timeout, self._log_refused)
        self._timing = LoopTiming(contract.control_period, is_simulated)
        self._message = conversions.joint_command(contract.joint_names)
        kp, kd, effort = (contract.values(key) for key in conversions.GAINS)
        self._stiff_gains = conversions.joint_gains(kp, kd, effort)
        self._damped_gains = conversions.joint_gains(np.zeros_like(kp), kd, effort)
        self._timer: Any = None
        self._published_gains: Any = None
        self._label = ''
        self._create_publishers()
        self._create_subscriptions()
        self._diagnostics_timer = create_wall_timer(
            node, DIAGNOSTICS_PERIOD, self._publish_diagnostics)
        self._jump = node.get_clock().create_jump_callback(
            JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1),
                          on_clock_change=True), post_callback=self._on_jump)
        self._publish_gains()
        self.show_state()

    def _create_publishers(self) -> None:
        node, prefix = self._node, '~/' if self._parameters.dry_run else ''
        self._commands = node.create_lifecycle_publisher(
            JointState, prefix + 'joint_command', qos.COMMAND)
        self._gains = node.create_publisher(
            Float64MultiArray, prefix + 'joint_gains', qos.LATCHED)
        self._diagnostics = node.create_publisher(
            DiagnosticArray, '/diagnostics', qos.DIAGNOSTICS)

    def _create_subscriptions(self) -> None:
        node, stamped = self._node, self._parameters.enable_stamped_cmd_vel
        self._subscriptions: List[Any] = [
            node.create_subscription(
                JointState, 'joint_states',
                lambda msg: self._sensors.take_joint_states(msg, self.now()), qos.SENSOR_INPUT),
            node.create_subscription(
                Imu, 'imu/data',
                lambda msg: self._sensors.take_imu(msg, self.now()), qos.SENSOR_INPUT),
            node.create_subscription(
                TwistStamped if stamped else Twist, 'cmd_vel',
                self._on_stamped_command if stamped else self._on_command,
                qos.VELOCITY_COMMAND)]
        if 'odom' in self._sensors.channels:
            self._subscriptions.append(node.create_subscription(
                Odometry, 'odom',
                lambda msg: self._sensors.take_odom(msg, self.now()), qos.SENSOR_INPUT))

    def _on_command(self, msg: Twist) -> None:
        self._inbox.take(msg, self.now())

    def _on_stamped_command(self, msg: TwistStamped) -> None:
        self._inbox.take(msg.twist, self.now(), conversions.seconds(msg.header.stamp))

    def now(self) -> float:
        """Return the node's time [s]."""
        return 1e-9 * float(self._node.get_clock().now().nanoseconds)

    def missing(self) -> str:
        """Return which sensors are missing or stale, in words; empty when none is."""
        return self._sensors.stale(self.now())

    @property
    def is_active(self) -> bool:
        """Whether the control loop runs."""
        return self._timer is not None

    def activate(self) -> None:
        """Start the control loop with the ramp to the default pose.

        Raises:
            RefusedError: A sensor is stale, the robot lies, or a fault is latched.
        """
        self._check_sensors('activate')
        self.machine.activate(self._sensors.state)
        self._publish_gains()
        self._timing.pause()
        self._timer = self._node.create_timer(self._contract.control_period, self._tick)
        self.show_state()

    def deactivate(self) -> None:
        """Damp the robot, then stop the control loop."""
        if self._timer is None:
            return
        self._node.destroy_timer(self._timer)
        self._timer = None
        self.machine.idle()
        self._publish(self._sensors.state.joint_positions[0])
        for publisher in (self._gains, self._commands):
            publisher.wait_for_all_acked(FLUSH_TIMEOUT)

    def close(self) -> None:
        """Free the topics."""
        self.deactivate()
        self._jump.unregister()
        self._node.destroy_timer(self._diagnostics_timer)
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._node.destroy_lifecycle_publisher(self._commands)
        for publisher in (self._gains, self._diagnostics):
            self._node.destroy_publisher(publisher)

    def stand(self) -> None:
        """Stand and take no commands."""
        self._check_active('stand')
        self.machine.stand(self._sensors.state)

    def walk(self) -> None:
        """Stand up if need be, and take commands."""
        self._check_active('walk')
        self.machine.walk(self._sensors.state)

    def damp(self) -> None:
        """Let go."""
        if self.is_active:
            self.machine.damp()
            self._publish(self._sensors.state.joint_positions[0])

    def emergency_stop(self) -> None:
        """Let go, and stay so until :meth:`reset`."""
        self.machine.fault('emergency stop')
        if self.is_active:
            self._publish(self._sensors.state.joint_positions[0])
        self.show_state()

    def reset(self) -> None:
        """Leave a fault for damping (or idleness, while inactive)."""
        self.machine.reset(self.is_active)
        self.show_state()

    def _check_active(self, request: str) -> None:
        if not self.is_active:
            raise RefusedError(request, 'the node is not active')
        self._check_sensors(request)

    def _check_sensors(self, request: str) -> None:
        missing = self.missing()
        if missing:
            raise RefusedError(request, missing)

    def _tick(self) -> None:
        began = self._timing.begin()
        try:
            targets = self._control()
        except Exception as error:  # whatever goes wrong in here must end in damping
            self.machine.fault(f'{type(error).__name__}: {error}')
            targets = self._sensors.state.joint_positions[0]
        self._publish(targets)
        self._timing.end(began)

    def _control(self) -> np.ndarray:
        now = self.now()
        if self.machine.is_stiff:
            stale = self._sensors.stale(now)
            if stale:
                self.machine.fault(stale)
        return self.machine.step(self._sensors.state, self._inbox.command(now))

    def _publish(self, targets: np.ndarray) -> None:
        self._publish_gains()
        conversions.set_targets(
            self._message, targets, self._node.get_clock().now().to_msg())
        self._commands.publish(self._message)
        self.show_state()

    def _publish_gains(self) -> None:
        gains = self._stiff_gains if self.machine.is_stiff else self._damped_gains
        if gains is not self._published_gains:
            self._gains.publish(gains)
            self._published_gains = gains

    def show_state(self) -> None:
        """Publish what the robot is doing, if that changed."""
        label = self.machine.label
        if label != self._label:
            self._label = label
            self._show(label)

    def _on_jump(self, jump: TimeJump) -> None:
        self._node.get_logger().warning('the clock jumped; forgetting the past')
        now = self.now()
        self._sensors.rewind(now)
        self._inbox.channel.rewind(now)
        self.machine.forget()

    def _log_refused(self, error: LocomotionError) -> None:
        self._node.get_logger().warning(
            f'refused: {error}', throttle_duration_sec=REFUSAL_LOG_PERIOD)

    def _publish_diagnostics(self) -> None:
        msg = report(self._node.get_name(), self._contract.robot, self._statuses())
        msg.header.stamp = self._node.get_clock().now().to_msg()
        self._diagnostics.publish(msg)

    def _statuses(self) -> List[DiagnosticStatus]:
        now, machine, parameters = self.now(), self.machine, self._parameters
        writers = self._node.count_publishers('cmd_vel')
        silence = ERROR if self.is_active else WARN
        command = channel_status(self._inbox.channel, now, parameters.cmd_vel_timeout, OK,
                                 publishers=writers)
        if writers > 1:
            command.level, command.message = WARN, f'{writers} publishers; they overrule another'
        return [
            status('policy', OK, str(self._folder.path), {
                'robot': self._contract.robot, 'fingerprint': self._contract.fingerprint,
                'engine': self._folder.policy.name,
                'golden error': f'{self._folder.golden_error:.3g}'}),
            self._timing.status(),
            *(channel_status(channel, now, parameters.sensor_timeout, silence)
              for channel in self._sensors.channels.values()),
            command,
            status('safety', ERROR if machine.mode is Mode.FAULT else OK, machine.label, {
                'stiff': machine.is_stiff, 'dry run': parameters.dry_run})]
