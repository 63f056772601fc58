"""What the robot is doing and what it may do next; knows nothing of ROS.

Every doubt ends in damping: the joints resist motion and pull nowhere.
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

# Even from the default pose the ramp takes this many control steps, in which a driver takes over
# the gains and the targets.
MIN_RAMP_STEPS = 5
# So many control steps lead from the targets before to the policy's, whenever it takes over,
# begins to walk or stops: there it may ask for a jump of half a radian.
FADE_STEPS = 5


class Mode(enum.Enum):
    """What the robot is doing."""

    UNCONFIGURED = 'unconfigured'
    IDLE = 'idle'
    DAMPING = 'damping'
    RAMPING = 'ramping'
    STANDING = 'standing'
    WALKING = 'walking'
    FAULT = 'fault'


@dataclass(frozen=True)
class Row:
    """What holds in one mode.

    Attributes:
        does: What the robot does, for people.
        is_stiff: Whether joints pull towards targets.
        then: The mode after each event; what is not here is refused.
    """

    does: str
    is_stiff: bool
    then: Dict[str, Mode]


STATES: Dict[Mode, Row] = {
    Mode.UNCONFIGURED: Row('nothing; no policy is open', False, {'configure': Mode.IDLE}),
    Mode.IDLE: Row('nothing; the policy is open', False, {
        'activate': Mode.RAMPING, 'activate damped': Mode.DAMPING, 'fault': Mode.FAULT,
        'cleanup': Mode.UNCONFIGURED}),
    Mode.DAMPING: Row("kp 0, the robot's kd: joints resist motion and pull nowhere", False, {
        'stand': Mode.RAMPING, 'walk': Mode.RAMPING, 'damp': Mode.DAMPING, 'fault': Mode.FAULT,
        'deactivate': Mode.IDLE}),
    Mode.RAMPING: Row(
        'moves from its pose to the default pose, then hands over to the policy', True, {
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
    lines = ['| `~/state` | what the robot does | and then |', '|---|---|---|']
    for mode, row in STATES.items():
        label = 'fault: REASON' if mode is Mode.FAULT else mode.value
        then = ', '.join(f'{event} → {after.value}' for event, after in row.then.items()
                         if after is not mode)
        lines.append(f'| `{label}` | {row.does} | {then} |')
    return '\n'.join(lines)


class StateMachine:
    """Decides between ramp, policy and damping, one control step at a time.

    Args:
        controller: Runs the policy.
        ramp_speed: Speed of the joint with the longest way to the default pose [rad/s].

    Attributes:
        mode: What the robot is doing.
        reason: Why it is in :attr:`Mode.FAULT`; empty otherwise.
        hold: Why it takes no commands though it stands; empty if none.
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
        """The mode in one line, with the reason of a fault."""
        return f'fault: {self.reason}' if self.mode is Mode.FAULT else self.mode.value

    @property
    def is_stiff(self) -> bool:
        """Whether joints pull towards targets, with the contract's gains."""
        return STATES[self.mode].is_stiff

    @property
    def takes_commands(self) -> bool:
        """Whether a velocity command may make the robot walk."""
        return self._may_walk and not self.hold

    def _go(self, event: str) -> None:
        then = STATES[self.mode].then
        if event not in then:
            advice = 'call ~/reset first' if self.mode is Mode.FAULT else (
                f'which allows {", ".join(then)}')
            raise RefusedError(event, f'{self.label}; {advice}')
        self.mode = then[event]

    def activate(self, state: RobotState, damped: bool = False) -> None:
        """Begin to stand, free to walk on the first command; or damped, and wait."""
        self._may_walk = not damped
        if damped:
            self._go('activate damped')
        else:
            self._engage('activate', state)

    def stand(self, state: RobotState) -> None:
        """Stand, and take no commands until :meth:`walk`."""
        self._engage('stand', state)
        self._may_walk = False

    def walk(self, state: RobotState) -> None:
        """Take commands again; stand up first if need be."""
        if self.hold:
            raise RefusedError('walk', f'{self.hold}; call ~/reset first')
        self._engage('walk', state)
        self._may_walk = True

    def damp(self) -> None:
        """Let go: damp the joints. A fault stays."""
        self._go('damp')

    def idle(self) -> None:
        """Stop commanding. A fault stays."""
        self._go('deactivate')

    def fault(self, reason: str) -> None:
        """Damp the joints until :meth:`reset`. The first reason stays."""
        if self.mode is not Mode.FAULT:
            self.reason = reason
        self._go('fault')

    def hold_still(self, reason: str) -> None:
        """Take no commands until :meth:`reset`. The first reason stays."""
        self.hold = self.hold or reason

    def reset(self, active: bool) -> None:
        """Leave a fault: for damping where the node is active, for idleness otherwise."""
        self.hold = ''
        if self.mode is Mode.FAULT:
            self._go('reset' if active else 'reset while inactive')
            self.reason = ''

    def swap(self, controller: Controller) -> None:
        """Go on with another policy; the robot stands, and its history begins anew."""
        self._go('swap')
        targets = self._targets
        self._take(controller)
        controller.reset_all()
        self._fade(targets)

    def forget(self) -> None:
        """Forget the past steps, as after a jump in time."""
        self.controller.reset_all()

    def step(self, state: RobotState, command: np.ndarray) -> np.ndarray:
        """Run one control step.

        Args:
            state: What the robot measures, one row.
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
        # So that the policy's history is what happened when it takes over.
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
