# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The control loop of the locomotion node, without ROS topics: messages in, joint targets out.

The node, the fault matrix and the replay of recordings all use this class.
"""

from __future__ import annotations

from collections import deque
import math
from typing import Any, Callable, Deque, Optional

import numpy as np

from humanoid_locomotion.core.command_filter import CommandFilter
from humanoid_locomotion.core.errors import LocomotionError, RefusedError, UnknownNameError
from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.robot_bounds import check_contract
from humanoid_locomotion.core.safety.evidence import LOAD_WINDOW, Evidence, SafetyLimits, Topic
from humanoid_locomotion.core.safety.foot_load import FootLoad
from humanoid_locomotion.core.safety.guard import SafetyGuard, Verdict
from humanoid_locomotion.core.safety.joint_tracking import Tracking
from humanoid_locomotion.core.safety.rules import Severity
from humanoid_locomotion.core.terms import needs_odometry
from humanoid_locomotion.nodes.locomotion.arm_command import ArmCommand
from humanoid_locomotion.nodes.locomotion.condition import Condition
from humanoid_locomotion.nodes.locomotion.sensors import Channel, Sensors
from humanoid_locomotion.nodes.locomotion.state_machine import Mode, StateMachine
from humanoid_locomotion.nodes.ros import conversions
from humanoid_locomotion.nodes.ros.conversions import GAINS
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters

TIME_LOST = 1e-6  # [s] at least, if the clock was set or replaced


class ControlLoop:
    """Runs an opened policy. All times are of one clock, in seconds.

    Args:
        folder: The policy to run.
        robot: The robot description that the policy is checked against.
        parameters: The parameters of the node.
        on_refused: Called with the error of every refused message.
        is_simulated: Whether the clock is a simulator's.
        on_warning: Called with a text about a message that is used in spite of a problem.

    Raises:
        PolicyError: The policy exceeds the bounds of the robot.

    Attributes:
        folder: The running policy.
        sensors: The sensor messages received.
        condition: State of the motors and the battery.
        commands: The channel ``cmd_vel``.
        arms: Joints that other nodes lead.
        command: Filter from received commands to the command that the policy observes.
        guard: Applies the safety rules.
        machine: The state machine.
        period: Time between the last two control steps [s]; 0 after a pause.
        command_publishers: Number of nodes that publish ``cmd_vel``.
        stiff_gains: kp [Nm/rad], kd [Nm s/rad] and effort [Nm] of each joint while it follows
            the policy, the contract's (num_joints, 3).
        damped_gains: The same while damping: kp 0, and kd and effort of the robot description,
            independent of the contract.
        target_publishers: Number of nodes that publish ``joint_command``, including this one.
        clock_publishers: Number of nodes that publish ``/clock``, if the node uses it.
    """

    def __init__(self, folder: PolicyFolder, robot: RobotSpec,
                 parameters: LocomotionParameters,
                 on_refused: Callable[[LocomotionError], None], is_simulated: bool = False,
                 on_warning: Callable[[str], None] = lambda text: None):
        check_contract(folder.contract, robot, folder.path)
        self._parameters, self._robot, self._on_refused = parameters, robot, on_refused
        self.commands = Channel('cmd_vel')
        self.machine = StateMachine(folder.controller(), parameters.ramp_speed)
        self.sensors = Sensors(
            folder.contract.joint_names, parameters.sensor_timeout, on_refused, is_simulated,
            odometry=needs_odometry(folder.contract) or parameters.min_height > 0.0, robot=robot,
            on_warning=on_warning)
        self.arms = ArmCommand(robot, folder.contract, parameters.arm_speed,
                               parameters.arm_command_timeout, on_refused)
        self.condition = Condition(folder.contract.joint_names, on_refused)
        self._foot_load = FootLoad.of(robot, folder.contract.joint_names)
        self._loads: Deque[float] = deque(maxlen=math.ceil(
            LOAD_WINDOW / folder.contract.control_period))
        self.guard = SafetyGuard(self._limits(folder))
        self._evidence = Evidence(
            0.0, self.sensors.state, {name: Topic() for name in self.sensors.channels})
        self._take(folder)
        self.period, self.command_publishers, self.target_publishers = 0.0, 0, 1
        self.clock_publishers = 1
        self._last_step, self._time_lost = math.nan, 0.0

    def _take(self, folder: PolicyFolder) -> None:
        parameters, contract = self._parameters, folder.contract
        self.folder = folder
        self.stiff_gains = np.stack([contract.values(key) for key in GAINS], axis=1)
        own = [self._robot.joint_names.index(name) for name in contract.joint_names]
        self.damped_gains = np.stack(
            [np.zeros(len(own)), *(self._robot.values(key)[own] for key in GAINS[1:])], axis=1)
        self.guard.limits = self._limits(folder)
        self._tracking = Tracking(folder.contract)
        self.arms.adopt(folder.contract)
        self.command = CommandFilter(
            folder.contract.command_limits, folder.contract.control_period,
            (parameters.max_acceleration, parameters.max_turn_acceleration),
            parameters.cmd_vel_timeout)

    def _limits(self, folder: PolicyFolder) -> SafetyLimits:
        parameters = self._parameters
        # In a dry run nothing moves the robot, so its measurements may stay constant.
        unchanged = math.inf if parameters.dry_run else parameters.unchanged_timeout
        return SafetyLimits.of(
            folder.contract, self._robot, folder.golden_action,
            sensor_timeout=parameters.sensor_timeout, unchanged_timeout=unchanged,
            max_tilt=parameters.max_tilt, min_height=parameters.min_height,
            warm_motor=parameters.warm_motor, hot_motor=parameters.hot_motor,
            low_battery=parameters.low_battery, empty_battery=parameters.empty_battery)

    def take_command(self, twist: Any, now: float, stamp: float = 0.0) -> None:
        """Store a velocity command, or refuse it and keep the last one."""
        try:
            self.commands.check_stamp(stamp, now, self._parameters.cmd_vel_timeout)
            self.command.take(conversions.velocity_command(twist), now)
        except LocomotionError as error:
            self.commands.refuse(error)
            self._on_refused(error)
            return
        self.commands.accept(stamp, now)

    def take_axis_command(self, name: str, msg: Any, now: float) -> None:
        """Store a command of an axis beyond the velocity, or refuse it and keep the last one."""
        try:
            self.command.take_axis(name, conversions.axis_command(msg, name), now)
        except LocomotionError as error:
            self._on_refused(error)

    def take_arms(self, topic: str, msg: Any, now: float) -> None:
        """Store a command of the arms, or refuse it unless the robot stands or walks."""
        accepts = self.machine.mode in (Mode.STANDING, Mode.WALKING)
        self.arms.take(topic, msg, now, '' if accepts else
                       f'the robot must be standing or walking, it is {self.machine.label}')

    def missing(self, now: float, damped: bool = False, begins: bool = False) -> str:
        """Return the reasons against engaging the robot now; empty if there are none.

        A robot may be damped in any pose, as soon as its joint positions are known.
        """
        if now <= 0.0:
            return 'no /clock'
        if damped:
            return '' if self.sensors.channels['joint_states'].accepted else 'no joint_states'
        return '; '.join(self.guard.refusals(self._look(now, begins)))

    def activate(self, now: float, damped: bool = False) -> None:
        """Start with the ramp to the default pose, or with damping.

        Raises:
            RefusedError: A sensor is stale, the robot lies on the floor, or a verdict is latched.
        """
        if not damped:
            self._check('activate', now)
        self.machine.activate(self.sensors.state, damped)
        self._last_step = math.nan

    def stand(self, now: float) -> None:
        """Stand and ignore commands."""
        self._check('stand', now)
        self.machine.stand(self.sensors.state)

    def walk(self, now: float) -> None:
        """Stand up if necessary, and follow commands.

        Raises:
            RefusedError: As for :meth:`activate`, or the robot hangs.
        """
        self._check('walk', now)
        self.machine.walk(self.sensors.state)

    def apply(self, event: str, now: float, **details: Any) -> None:
        """Apply a request or event of the node, by name, so that recordings can be replayed."""
        if event in ('activate', 'stand', 'walk', 'swap', 'rewind', 'count', 'reset'):
            arguments = {} if event in ('swap', 'count') else {'now': now}
            getattr(self, event)(**arguments, **details)
        elif event == 'damp':
            self.machine.damp()
        elif event == 'deactivate':
            self.machine.idle()
            self.arms.forget(self.sensors.state.joint_positions[0])
        elif event == 'emergency stop':
            self.trip(event, Severity.DAMP, event)
        else:
            raise UnknownNameError('event', event, ['activate', 'stand', 'walk', 'swap', 'rewind',
                                                    'count', 'reset', 'damp', 'deactivate',
                                                    'emergency stop'])

    def count(self, **publishers: int) -> None:
        """Store the number of publishers of each topic."""
        for topic, number in publishers.items():
            for channels in (self.sensors.channels, self.arms.channels):
                if topic in channels:
                    channels[topic].publishers = number
        self.command_publishers = publishers.get('cmd_vel', self.command_publishers)
        self.target_publishers = publishers.get('joint_command', self.target_publishers)
        self.clock_publishers = publishers.get('/clock', self.clock_publishers)

    def trip(self, rule: str, severity: Severity, reason: str) -> None:
        """Latch a fault that was detected outside the rules, and apply it."""
        self.guard.trip(rule, severity, reason)
        self._obey(self.guard.latched)

    def reset(self, now: float, active: bool) -> None:
        """Clear the latched verdict; a fault becomes damping, or idle while inactive.

        Raises:
            RefusedError: The reason still holds, for example a motor is still hot.
        """
        self.guard.reset(self._look(now))
        self.machine.reset(active)

    def swap(self, folder: PolicyFolder) -> None:
        """Switch to another policy of the same robot, while standing.

        Raises:
            RefusedError: It does not match this node, or the robot does not stand.
        """
        ours, other = self.folder.contract, folder.contract
        for what in ('robot', 'control_period', 'joint_names'):
            if getattr(ours, what) != getattr(other, what):
                raise RefusedError('swap', f'{what} of {folder.path} is {getattr(other, what)}, '
                                   f'this node runs {getattr(ours, what)}')
        if ours.command_limits.names != other.command_limits.names:
            raise RefusedError('swap', f'{folder.path} takes commands on '
                               f'{list(other.command_limits.names)}, this node subscribes to '
                               f'{list(ours.command_limits.names)}')
        unseen = self.sensors.lacks(other)
        if unseen:
            raise RefusedError('swap', f'{folder.path} needs {unseen}, which is not subscribed')
        check_contract(other, self._robot, folder.path)
        if self.machine.mode is not Mode.STANDING:
            raise RefusedError('swap', f'the robot must be standing, it is {self.machine.label}')
        self.machine.swap(folder.controller())
        self._take(folder)

    def rewind(self, now: float, lost: float) -> None:
        """Reset after the clock jumped back by ``lost`` seconds to ``now``."""
        self.sensors.rewind(now)
        self.commands.rewind(now)
        self.command.rewind(now)
        self.condition.rewind(now)
        self.arms.rewind(now)
        self.machine.forget()
        self._forget()
        self._last_step = math.nan
        self._time_lost = max(self._time_lost, lost, TIME_LOST)

    def step(self, now: float) -> np.ndarray:
        """Run one control step; any exception in it ends in damping.

        Returns:
            Joint targets [rad] (num_joints,); the measured positions while damping.
        """
        if now < self._last_step:
            self.rewind(now, self._last_step - now)
        self.period = 0.0 if math.isnan(self._last_step) else now - self._last_step
        self._last_step = now
        state: np.ndarray = self.sensors.state.joint_positions[0]
        try:
            return self._step(now)
        except Exception as error:  # the robot must be damped after any error
            self.trip('exception', Severity.DAMP, f'{type(error).__name__}: {error}')
            return state

    def rehearse(self, now: float) -> None:
        """Run the code of the next step without using its results.

        Between two steps the processor caches lose the weights of the network and the code; a step
        with cold caches takes several times as long.
        """
        if not self.machine.is_stiff:
            return
        try:
            self.sensors.rehearse()
            self.guard.refusals(self._look(now))
            self.machine.controller.rehearse(self.sensors.state, self.command.command)
        except Exception as error:  # the step itself would raise it as well
            self.trip('exception', Severity.DAMP, f'{type(error).__name__}: {error}')

    def _step(self, now: float) -> np.ndarray:
        machine, state = self.machine, self.sensors.state
        if not machine.is_stiff:
            self.command.stop()
            self._time_lost = 0.0
            self.arms.forget(state.joint_positions[0])
            return machine.step(state, self.command.command)
        sensors = self.sensors
        self._tracking.look(state.joint_positions[0], state.joint_velocities[0],
                            sensors.joint_efforts, sensors.channels['joint_states'].age(now))
        begins = machine.mode is Mode.STANDING and self.command.is_asked(now)
        self._obey(self.guard.judge(self._look(now, begins)))
        self._time_lost = 0.0
        targets = machine.step(state, self.command.step(
            now, not machine.ignores and not self.guard.hold))
        if machine.ran:
            targets = self.arms.lead(targets, state.joint_positions[0], now)
        else:
            self.arms.forget(targets)
        self._tracking.follow(targets)
        action = machine.controller.previous_action
        if machine.ran and not np.isfinite(action).all():
            self._obey(self.guard.judge(self._look(now)))
            measured: np.ndarray = state.joint_positions[0]
            return measured
        return targets

    def _obey(self, verdict: Optional[Verdict]) -> None:
        if verdict is None:
            return
        if verdict.severity is Severity.DAMP:
            self.machine.fault(verdict.reason)
        else:
            self.machine.hold_still(verdict.reason)

    def _check(self, request: str, now: float) -> None:
        begins = request == 'walk' and self.machine.mode is Mode.STANDING
        missing = self.missing(now, begins=begins)
        if missing:
            raise RefusedError(request, missing)
        if not self.machine.is_stiff:
            self.sensors.engage(now)
            self._forget()

    def _forget(self) -> None:
        self.guard.forget()
        self._tracking.forget()

    def weigh(self) -> None:
        """Record the foot load while standing; call it once the command of a step is published.

        A kick can lift the feet for a moment, so the safety rule takes the largest recent load.
        """
        load = self.foot_load() if self.machine.mode is Mode.STANDING else None
        if load is None:
            self._loads.clear()
        else:
            self._loads.append(load)

    def foot_load(self) -> Optional[float]:
        """Return the load on the soles, from the leg torques [N]; None if unknown."""
        torques = self.sensors.joint_efforts
        if self._foot_load is None or torques is None:
            return None
        return self._foot_load.measure(self.sensors.state, torques)

    def _look(self, now: float, begins: bool = False) -> Evidence:
        """Return the inputs of the safety rules; foot load only if the robot may start to walk."""
        evidence, parameters = self._evidence, self._parameters
        for name, channel in self.sensors.channels.items():
            topic = evidence.topics[name]
            topic.age, topic.unchanged = channel.age(now), channel.unchanged
            topic.publishers, topic.problem = channel.publishers, channel.pending_problem
            topic.lag, topic.lag_growth = channel.lag, channel.lag - channel.least_lag
            topic.unknown_frame = channel.unknown_frame
        evidence.now, evidence.period, evidence.time_lost = now, self.period, self._time_lost
        evidence.joint_efforts = self.sensors.joint_efforts
        # In a dry run the targets do not move the robot.
        evidence.tracking = None if parameters.dry_run else self._tracking
        evidence.encoder_slip = self.sensors.encoders.slip
        may_hang = parameters.allow_hanging or parameters.dry_run
        load = self.foot_load() if begins and not may_hang else None
        evidence.foot_load = None if load is None else max([load, *self._loads])
        evidence.temperatures = self.condition.degrees(now)
        evidence.battery = self.condition.charge(now)
        evidence.battery_problem = self.condition.problem(now)
        evidence.action = self.machine.controller.previous_action
        evidence.command_publishers = self.command_publishers
        evidence.target_publishers = self.target_publishers
        evidence.clock_publishers = self.clock_publishers
        evidence.arm_publishers = self.arms.publishers
        return evidence
