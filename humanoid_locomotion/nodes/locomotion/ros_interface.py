# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""ROS interface of a configured policy: topics, control-loop timer and diagnostics."""

from __future__ import annotations

from contextlib import ExitStack
import functools
import gc
from typing import Any, Callable, Dict, List, Optional, Tuple

from geometry_msgs.msg import Twist, TwistStamped
from nav_msgs.msg import Odometry
import numpy as np
from rclpy.clock import JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.qos import QoSProfile
from sensor_msgs.msg import BatteryState, Imu, JointState, Temperature
from std_msgs.msg import Float64, String

from humanoid_locomotion.core.errors import LocomotionError, RefusedError
from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import described_robot
from humanoid_locomotion.core.robot_bounds import wider_bounds
from humanoid_locomotion.core.safety.rules import Severity
from humanoid_locomotion.nodes.locomotion.control_loop import ControlLoop
from humanoid_locomotion.nodes.locomotion.reporter import Reporter
from humanoid_locomotion.nodes.locomotion.state_machine import Mode, StateMachine
from humanoid_locomotion.nodes.locomotion.step_scheduler import StepScheduler
from humanoid_locomotion.nodes.locomotion.timing import LoopTiming
from humanoid_locomotion.nodes.ros import conversions, qos
from humanoid_locomotion.nodes.ros.command_output import CommandOutput
from humanoid_locomotion.nodes.ros.executor import create_wall_timer
from humanoid_locomotion.nodes.ros.guarded import GuardedNode
from humanoid_locomotion.nodes.ros.parameters import JOINT_COMMAND, LocomotionParameters

REFUSAL_LOG_PERIOD = 2.0  # [s]
DIAGNOSTICS_PERIOD = 1.0  # [s]
JUMP_LOG_PERIOD = 2.0  # [s]
COUNT_PERIOD = 0.2  # [s] between two counts of publishers


class RosInterface:
    """Connects an opened policy to a node's topics.

    Args:
        node: The node that provides topics and clock.
        parameters: The parameters of the node.
        folder: The policy to run.
        show: Called with the state of the robot, as text and as values, whenever it changes.

    Attributes:
        loop: The control loop behind the topics.
    """

    def __init__(self, node: GuardedNode, parameters: LocomotionParameters,
                 folder: PolicyFolder, show: Callable[[str, Dict[str, str]], None]):
        self._node, self._parameters, self._show = node, parameters, show
        self._is_simulated = bool(node.get_parameter('use_sim_time').value)
        robot = described_robot(folder.contract.robot, parameters.robot)
        self.loop = ControlLoop(folder, robot, parameters, self._log_refused, self._is_simulated,
                                self._log_warning)
        self._period = folder.contract.control_period
        self._scheduler = StepScheduler(self._period)
        self._timing = LoopTiming(self._period)
        self._timer: Any = None
        self._is_rehearsed = False
        self._recorder: Any = None
        self._shown: Any = None
        self._led = 'not published'
        self._counts: Dict[str, int] = {}
        with ExitStack() as made:
            self._made = made
            self._start_recording()
            self._create_publishers()
            self._take_contract()
            self._create_subscriptions()
            self._reporter = Reporter(
                node, parameters, self.loop, self._timing, self._recorder, self._subscriptions,
                self._output.publishers, made)
            for period, callback in ((DIAGNOSTICS_PERIOD, self._report),
                                     (COUNT_PERIOD, self._count_publishers)):
                made.callback(node.destroy_timer, create_wall_timer(node, period, callback))
            made.callback(node.get_clock().create_jump_callback(
                JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1),
                              on_clock_change=True),
                post_callback=node.guarded(self._on_jump, 'clock')).unregister)
            self._count_publishers()
            self.show_state()
            self._made = made.pop_all()  # freed by close(), or at once if anything above raised

    @property
    def machine(self) -> StateMachine:
        """The state machine."""
        return self.loop.machine

    def _start_recording(self) -> None:
        if self._parameters.record:
            from humanoid_locomotion.nodes.locomotion.recording import Recorder
            log = self._node.get_logger()
            self._recorder = Recorder(self._parameters, self.loop, self._is_simulated, log.error)
            self._made.callback(self._end_recording)
            log.info(f'recording to {self._recorder.path}')

    def _end_recording(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.close()

    def _create_publishers(self) -> None:
        node, free = self._node, self._made.callback
        self._output = CommandOutput(node, self._parameters)
        free(self._output.destroy)
        self._envelope = node.create_publisher(String, '~/envelope', qos.LATCHED)
        free(node.destroy_publisher, self._envelope)
        self._led_joints = node.create_publisher(String, '~/led_joints', qos.LATCHED)
        free(node.destroy_publisher, self._led_joints)

    def _take_contract(self) -> None:
        """Publish the data that depends on the policy only."""
        folder = self.loop.folder
        self._output.take(
            folder.contract.joint_names, self.loop.stiff_gains, self.loop.damped_gains)
        wider = wider_bounds(folder.contract)
        if wider:
            self._node.get_logger().warning(f'accepted beyond the bounds of the robot: {wider}')
        self._output.publish_gains(self.machine.is_stiff)
        envelope = folder.envelope
        if envelope.problem:
            self._node.get_logger().warning(f'~/envelope is not measured: {envelope.problem}')
        self._envelope.publish(String(data=envelope.to_json()))

    def _create_subscriptions(self) -> None:
        loop, stamped = self.loop, self._parameters.enable_stamped_cmd_vel

        def take_twist(msg: Any, now: float) -> None:
            if stamped:
                loop.take_command(msg.twist, now, conversions.seconds(msg.header.stamp))
            else:
                loop.take_command(msg, now)

        topics: List[Tuple[type, str, Callable[[Any, float], None], QoSProfile]] = [
            (Imu, 'imu/data', lambda msg, now: loop.sensors.take_imu(msg, now), qos.SENSOR_INPUT),
            (TwistStamped if stamped else Twist, 'cmd_vel', take_twist, qos.VELOCITY_COMMAND),
            (BatteryState, 'battery_state',
             lambda msg, now: loop.condition.take_battery(msg, now), qos.SENSOR_INPUT),
            (Temperature, 'joint_temperatures',
             lambda msg, now: loop.condition.take_temperature(msg, now), qos.PARTS_INPUT)]
        topics += [(kind, topic, functools.partial(loop.take_arms, topic), qos.PARTS_INPUT)
                   for topic, kind in conversions.ARM_TOPICS.items()]
        if 'odom' in loop.sensors.channels:
            topics.append((Odometry, 'odom', lambda msg, now: loop.sensors.take_odom(msg, now),
                           qos.SENSOR_INPUT))
        topics += [(Float64, f'{conversions.AXIS_TOPIC}{it.axis.name}',
                    functools.partial(loop.take_axis_command, it.axis.name),
                    qos.VELOCITY_COMMAND)
                   for it in loop.folder.contract.command_limits.further]
        self._subscriptions: List[Any] = [
            self._node.create_subscription(
                JointState, 'joint_states', self._on_joint_states, qos.SENSOR_INPUT),
            *(self._subscribe(*topic) for topic in topics)]
        for subscription in self._subscriptions:
            self._made.callback(self._node.destroy_subscription, subscription)

    def _subscribe(self, kind: type, topic: str, take: Callable[[Any, float], None],
                   quality: QoSProfile) -> Any:
        """Subscribe to a topic whose messages are recorded and given to ``take``."""
        def receive(msg: Any) -> None:
            now = self.now()
            self._record(topic, msg, now)
            take(msg, now)
        return self._node.create_subscription(kind, topic, receive, quality)

    def _on_joint_states(self, msg: JointState) -> None:
        now = self.now()
        arrived = self._timing.clock()
        self._record('joint_states', msg, now)
        self.loop.sensors.take_joint_states(msg, now)
        # A simulator's clock message follows its measurements, so the timer is sufficient there.
        if self._timer is not None and not self._is_simulated and self._scheduler.is_due(now):
            self._tick(now, arrived)

    def now(self) -> float:
        """Return the node's time in whole microseconds [s]."""
        return (self._node.get_clock().now().nanoseconds // 1000) / 1e6

    def missing(self) -> str:
        """Return the reasons against activating the robot now; empty if there are none."""
        missing = self.loop.missing(self.now(), damped=self._parameters.start_damped)
        return '; '.join(part for part in (missing, self._output.unheard) if part)

    @property
    def is_active(self) -> bool:
        """Whether the control loop runs."""
        return self._timer is not None

    def activate(self) -> None:
        """Start the control loop with the ramp to the default pose, or with damping.

        Raises:
            RefusedError: A sensor is stale, the robot lies on the floor, a fault is latched, or
                no driver subscribes.
        """
        unheard = self._output.unheard
        if unheard:
            raise RefusedError('activate', self.missing() or unheard)  # all reasons in one message
        self._count_publishers()
        now = self.now()
        self._apply('activate', now, damped=self._parameters.start_damped)
        self._output.publish_gains(self.machine.is_stiff)
        self._timing.pause()
        self._scheduler.begin(now)
        self._is_rehearsed = True  # the first alarm is for a step
        self._timer = self._node.create_timer(self._period, self._on_alarm)
        # Garbage is collected once a second, between two steps, never within a step.
        gc.disable()
        self.show_state()

    def deactivate(self) -> None:
        """Damp the robot, then stop the control loop."""
        if self._timer is None:
            return
        self._node.destroy_timer(self._timer)
        self._timer = None
        gc.enable()
        try:
            self._apply('deactivate')
        finally:
            self._publish(self.loop.sensors.state.joint_positions[0], self.now())
            self._output.flush()

    def stop(self) -> None:
        """Damp the robot, and end the recording."""
        try:
            self.deactivate()
        finally:
            self._end_recording()

    def close(self) -> None:
        """Damp the robot and free the topics, whatever raises."""
        with self._made:
            self.stop()

    def stand(self) -> None:
        """Stand and ignore commands."""
        self._check_active('stand')
        self._apply('stand')

    def walk(self) -> None:
        """Stand up if necessary, and follow commands."""
        self._check_active('walk')
        self._apply('walk')

    def damp(self) -> None:
        """Damp the joints."""
        if self.is_active:
            self._apply('damp')
            self._publish(self.loop.sensors.state.joint_positions[0], self.now())

    def emergency_stop(self) -> None:
        """Damp the joints until :meth:`reset`."""
        self._apply('emergency stop')
        if self.is_active:
            self._publish(self.loop.sensors.state.joint_positions[0], self.now())
        self.show_state()

    def fault(self, reason: str) -> None:
        """Damp the joints until :meth:`reset`, because of a failure."""
        self.loop.trip('exception', Severity.DAMP, reason)
        if self.is_active:
            self._publish(self.loop.sensors.state.joint_positions[0], self.now())
        self.show_state()

    def reset(self) -> None:
        """Change from fault to damping (or idle, while inactive), and from hold to walking."""
        self._apply('reset', active=self.is_active)
        self.show_state()

    def swap(self, folder: PolicyFolder) -> None:
        """Switch to another policy of the same robot, while standing."""
        if self._recorder is not None:
            self._recorder.event(self.now(), 'swap', policy=str(folder.path.resolve()))
        self.loop.swap(folder)
        self._take_contract()

    def _apply(self, event: str, now: Optional[float] = None, **details: Any) -> None:
        now = self.now() if now is None else now
        try:
            if self._recorder is not None:
                self._recorder.event(now, event, **details)
        finally:
            self.loop.apply(event, now, **details)

    def _check_active(self, request: str) -> None:
        if not self.is_active:
            raise RefusedError(request, 'the node is not active')

    def _on_alarm(self) -> None:
        if self._timer is None:  # a late call of a destroyed timer
            return
        now = self.now()
        if self._is_simulated or self._is_rehearsed:
            self._tick(now, None)
        else:
            began = self._timing.clock()
            self.loop.rehearse(now)
            self._output.rehearse(self.loop.sensors.state.joint_positions[0])
            self._scheduler.rehearsed(self._timing.clock() - began)
            self._is_rehearsed = True
            self._set_alarm(self._scheduler.alarm)

    def _set_alarm(self, when: float) -> None:
        self._timer.timer_period_ns = max(1, int(1e9 * (when - self.now())))
        self._timer.reset()

    def _tick(self, now: float, arrived: Optional[float]) -> None:
        """Run a control step, started by a measurement (``arrived`` at that time) or the alarm."""
        began = self._timing.begin()
        targets = self.loop.step(now)
        self._publish(targets, now)
        self._timing.end(began, arrived, self.loop.sensors.channels['joint_states'].age(now))
        self.loop.weigh()
        if self._recorder is not None:
            self._recorder.step(now, targets)
        if not self._is_simulated and self._timer is not None:
            self._scheduler.stepped(now, arrived is not None)
            self._is_rehearsed = False
            self._set_alarm(self._scheduler.rehearsal)

    def _record(self, topic: str, msg: Any, now: float) -> None:
        if self._recorder is not None:
            self._recorder.message(topic, msg, now)

    def _publish(self, targets: np.ndarray, now: float) -> None:
        self._output.publish(targets, round(1e9 * now), self.machine.is_stiff)
        self.show_state()

    def show_state(self) -> None:
        """Publish the state of the robot and the led joints, if they changed."""
        led = ','.join(self.loop.arms.led)
        if led != self._led:
            self._led = led
            self._led_joints.publish(String(data=led))
        machine, hold = self.machine, self.machine.hold or self.loop.guard.hold
        takes = (machine.mode in (Mode.STANDING, Mode.WALKING) and not machine.ignores
                 and not hold)
        shown = (machine.label, hold, takes)
        if shown != self._shown:
            self._shown = shown
            self._show(machine.label, {
                'mode': machine.mode.value, 'reason': machine.reason, 'hold': hold,
                'stiff': str(machine.is_stiff).lower(), 'takes_commands': str(takes).lower()})

    def _on_jump(self, jump: TimeJump) -> None:
        self._node.get_logger().warning(
            'the clock jumped; resetting all history', throttle_duration_sec=JUMP_LOG_PERIOD)
        self._apply('rewind', lost=max(0.0, -1e-9 * jump.delta.nanoseconds))

    def _log_refused(self, error: LocomotionError) -> None:
        self._node.get_logger().warning(
            f'refused: {error}', throttle_duration_sec=REFUSAL_LOG_PERIOD)

    def _log_warning(self, text: str) -> None:
        self._node.get_logger().warning(text)

    def _count_publishers(self) -> None:
        # Count a remapped topic under its actual name.
        topics = {name: name for name in (
            *self.loop.sensors.channels, *self.loop.arms.channels, 'cmd_vel',
            *(['/clock'] * self._is_simulated))}
        topics[JOINT_COMMAND] = self._output.topic
        counts = {name: self._node.count_publishers(self._node.resolve_topic_name(topic))
                  for name, topic in topics.items()}
        if counts != self._counts:
            self._counts = counts
            self._apply('count', **counts)

    def _report(self) -> None:
        self._reporter.report(self.now(), self.is_active)
        if self.is_active:
            gc.collect(1)
