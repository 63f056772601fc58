# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""State machine of the locomotion node: modes, transitions and joint targets; no ROS.

The fallback is damping: the joints resist motion and have no target.
"""

from __future__ import annotations

from dataclasses import dataclass
import enum
import math
from typing import Dict

import numpy as np

from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.errors import RefusedError
from humanoid_locomotion.core.state import RobotState

# Even from the default pose the ramp takes this many control steps, in which the driver starts to
# use the gains and the targets.
MIN_RAMP_STEPS = 5
# Number of control steps to blend from the previous targets to those of the policy, whenever it
# takes over, starts to walk or stops: its targets may then jump by half a radian.
FADE_STEPS = 5


class Mode(enum.Enum):
    """State of the robot."""

    UNCONFIGURED = 'unconfigured'
    IDLE = 'idle'
    DAMPING = 'damping'
    RAMPING = 'ramping'
    STANDING = 'standing'
    WALKING = 'walking'
    FAULT = 'fault'


@dataclass(frozen=True)
class Row:
    """Properties of one mode.

    Attributes:
        does: Description of the mode, for the documentation.
        is_stiff: Whether the joints are controlled to targets.
        then: The next mode for each event; other events are refused.
    """

    does: str
    is_stiff: bool
    then: Dict[str, Mode]


STATES: Dict[Mode, Row] = {
    Mode.UNCONFIGURED: Row('nothing; no policy is open', False, {'configure': Mode.IDLE}),
    Mode.IDLE: Row('nothing; the policy is open', False, {
        'activate': Mode.RAMPING, 'activate damped': Mode.DAMPING, 'fault': Mode.FAULT,
        'cleanup': Mode.UNCONFIGURED}),
    Mode.DAMPING: Row("kp 0, the robot's kd: joints resist motion without a target", False, {
        'stand': Mode.RAMPING, 'walk': Mode.RAMPING, 'damp': Mode.DAMPING, 'fault': Mode.FAULT,
        'deactivate': Mode.IDLE}),
    Mode.RAMPING: Row(
        'moves from its pose to the default pose, then starts the policy', True, {
            'ramped': Mode.STANDING, 'stand': Mode.RAMPING, 'walk': Mode.RAMPING,
            'damp': Mode.DAMPING, 'fault': Mode.FAULT, 'deactivate': Mode.IDLE}),
    Mode.STANDING: Row('the policy runs with a zero command', True, {
        'command': Mode.WALKING, 'stand': Mode.STANDING, 'walk': Mode.STANDING,
        'swap': Mode.STANDING, 'damp': Mode.DAMPING, 'fault': Mode.FAULT,
        'deactivate': Mode.IDLE}),
    Mode.WALKING: Row('the policy runs with `cmd_vel`', True, {
        'silence': Mode.STANDING, 'stand': Mode.WALKING, 'walk': Mode.WALKING,
        'damp': Mode.DAMPING, 'fault': Mode.FAULT, 'deactivate': Mode.IDLE}),
    Mode.FAULT: Row('as damping, until `~/reset`', False, {
        'reset': Mode.DAMPING, 'reset while inactive': Mode.IDLE, 'damp': Mode.FAULT,
        'fault': Mode.FAULT, 'deactivate': Mode.FAULT, 'cleanup': Mode.UNCONFIGURED}),
}


def states_table() -> str:
    """Return :data:`STATES` as a Markdown table, for the documentation."""
    lines = ['| `~/state` | what the robot does | transitions |', '|---|---|---|']
    for mode, row in STATES.items():
        label = 'fault: REASON' if mode is Mode.FAULT else mode.value
        then = ', '.join(f'{event} → {after.value}' for event, after in row.then.items()
                         if after is not mode)
        lines.append(f'| `{label}` | {row.does} | {then} |')
    return '\n'.join(lines)


class StateMachine:
    """Selects ramp, policy or damping in each control step.

    Args:
        controller: Runs the policy.
        ramp_speed: Speed of the joint with the largest distance to the default pose [rad/s].

    Attributes:
        mode: The current mode.
        reason: Reason of :attr:`Mode.FAULT`; empty otherwise.
        hold: Why commands are ignored while standing; empty if they are not.
        controller: Runs the policy.
        ran: Whether the last step ran the policy.
    """

    def __init__(self, controller: Controller, ramp_speed: float):
        self.mode, self.reason, self.hold = Mode.IDLE, '', ''
        self.ran = False
        self._ramp_speed = ramp_speed
        self._ramp_steps = self._ramp_step = 0
        self._fade_step = FADE_STEPS
        self._may_walk = True
        self._take(controller)

    def _take(self, controller: Controller) -> None:
        contract = controller.contract
        self.controller = controller
        self._commands, self._threshold = contract.command_limits, contract.moving_threshold
        self._no_command = np.array([contract.command_limits.rest], np.float32)
        self._default = self._ramp_start = contract.values('default').astype(np.float32)
        self._fade_from = self._targets = self._default

    @property
    def label(self) -> str:
        """The mode as text, with the reason of a fault."""
        return f'fault: {self.reason}' if self.mode is Mode.FAULT else self.mode.value

    @property
    def is_stiff(self) -> bool:
        """Whether the joints are controlled to targets, with the gains of the contract."""
        return STATES[self.mode].is_stiff

    @property
    def ignores(self) -> str:
        """Why velocity commands are ignored, and what to call; empty if they are followed."""
        if self.mode is Mode.FAULT:
            return f'{self.label}; call ~/reset, then ~/walk'
        if self.hold:
            return f'{self.hold}; call ~/reset'
        if self.mode in (Mode.UNCONFIGURED, Mode.IDLE):
            return 'the node is not active'
        if not self.is_stiff:
            return f'{self.label}; call ~/walk'
        return '' if self._may_walk else 'since ~/stand; call ~/walk'

    def _go(self, event: str) -> None:
        then = STATES[self.mode].then
        if event not in then:
            advice = 'call ~/reset first' if self.mode is Mode.FAULT else (
                f'which allows {", ".join(then)}')
            raise RefusedError(event, f'{self.label}; {advice}')
        self.mode = then[event]

    def activate(self, state: RobotState, damped: bool = False) -> None:
        """Start the ramp to standing, then follow commands; or start damped, and wait."""
        self._may_walk = not damped
        if damped:
            self._go('activate damped')
        else:
            self._engage('activate', state)

    def stand(self, state: RobotState) -> None:
        """Stand, and ignore commands until :meth:`walk`."""
        self._engage('stand', state)
        self._may_walk = False

    def walk(self, state: RobotState) -> None:
        """Follow commands again; stand up first if necessary."""
        if self.hold:
            raise RefusedError('walk', f'{self.hold}; call ~/reset first')
        self._engage('walk', state)
        self._may_walk = True

    def damp(self) -> None:
        """Damp the joints. A fault is kept."""
        self._go('damp')

    def idle(self) -> None:
        """Stop publishing targets. A fault is kept."""
        self._go('deactivate')

    def fault(self, reason: str) -> None:
        """Damp the joints until :meth:`reset`. The first reason is kept."""
        if self.mode is not Mode.FAULT:
            self.reason = reason
        self._go('fault')

    def hold_still(self, reason: str) -> None:
        """Ignore commands until :meth:`reset`. The first reason is kept."""
        self.hold = self.hold or reason

    def reset(self, active: bool) -> None:
        """Clear a fault: change to damping if the node is active, else to idle."""
        self.hold = ''
        if self.mode is Mode.FAULT:
            self._go('reset' if active else 'reset while inactive')
            self.reason = ''

    def swap(self, controller: Controller) -> None:
        """Switch to another policy while standing; the history of observations is reset."""
        self._go('swap')
        targets = self._targets
        self._take(controller)
        controller.reset_all()
        self._fade(targets)

    def forget(self) -> None:
        """Reset the history, as after a clock jump."""
        self.controller.reset_all()

    def step(self, state: RobotState, command: np.ndarray) -> np.ndarray:
        """Run one control step.

        Args:
            state: Measured state of the robot, one row.
            command: (1, size), within the trained ranges.

        Returns:
            Joint targets [rad], float32 (num_joints,); the measured positions while damping.
        """
        self.ran = False
        if self.mode is Mode.RAMPING:
            return self._ramp(state)
        if self.is_stiff:
            self.ran = True
            return self._run_policy(state, command)
        measured: np.ndarray = state.joint_positions[0]
        return measured

    def _engage(self, request: str, state: RobotState) -> None:
        was_stiff = self.is_stiff
        self._go(request)
        if was_stiff:
            return
        self._ramp_start = state.joint_positions[0].copy()
        distance = float(np.max(np.abs(self._ramp_start - self._default)))
        per_step = self._ramp_speed * self.controller.contract.control_period
        self._ramp_steps = max(MIN_RAMP_STEPS, math.ceil(distance / per_step))
        self._ramp_step = 0
        self.controller.reset_all()

    def _ramp(self, state: RobotState) -> np.ndarray:
        self._ramp_step += 1
        share = min(1.0, self._ramp_step / self._ramp_steps)
        targets: np.ndarray = self._ramp_start + share * (self._default - self._ramp_start)
        # Fills the policy's history with actual states for the time when it takes over.
        self.controller.observe(state, self._no_command)
        if self._ramp_step >= self._ramp_steps:
            self._go('ramped')
            self._fade(targets)
        return targets

    def _run_policy(self, state: RobotState, command: np.ndarray) -> np.ndarray:
        moving = bool(self._commands.is_moving(command, self._threshold)[0])
        if moving is not (self.mode is Mode.WALKING):
            self._go('command' if moving else 'silence')
            self._fade(self._targets)
        targets: np.ndarray = self.controller.step(state, command).positions[0]
        if self._fade_step < FADE_STEPS:
            self._fade_step += 1
            share = self._fade_step / FADE_STEPS
            targets = self._fade_from + share * (targets - self._fade_from)
        self._targets = targets
        return targets

    def _fade(self, targets: np.ndarray) -> None:
        self._fade_from, self._fade_step = targets, 0
