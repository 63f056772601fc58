"""What the robot is doing and what it may do next; knows nothing of ROS.

Every doubt ends in damping: the joints resist motion and pull nowhere.
"""

from __future__ import annotations

import enum
import math

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.command import is_moving
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.errors import RefusedError
from humanoid_locomotion.core.state import RobotState

# Even from the default pose the ramp takes this many control steps, in which a driver takes over
# the gains and the targets.
MIN_RAMP_STEPS = 5


class Mode(enum.Enum):
    """What the robot is doing."""

    IDLE = 'idle'
    DAMPING = 'damping'
    RAMPING = 'ramping'
    STANDING = 'standing'
    WALKING = 'walking'
    FAULT = 'fault'


STIFF_MODES = (Mode.RAMPING, Mode.STANDING, Mode.WALKING)


class StateMachine:
    """Decides between ramp, policy and damping, one control step at a time.

    Args:
        controller: Runs the policy.
        max_tilt: Tilt of the base at which walking is given up [rad].
        ramp_speed: Speed of the joint with the longest way to the default pose [rad/s].

    Attributes:
        mode: What the robot is doing.
        reason: Why it is in :attr:`Mode.FAULT`; empty otherwise.
    """

    def __init__(self, controller: Controller, max_tilt: float, ramp_speed: float):
        contract = controller.contract
        self.mode, self.reason = Mode.IDLE, ''
        self._controller = controller
        self._max_tilt = max_tilt
        self._ramp_per_step = ramp_speed * contract.control_period
        self._threshold = 0.0 if contract.gait is None else contract.gait.moving_threshold
        self._limits = contract.command_limits
        self._default = contract.values('default').astype(np.float32)
        self._ramp_start = self._default
        self._ramp_steps = self._ramp_step = 0
        self._may_walk = True
        self._no_command = np.zeros((1, 3), np.float32)

    @property
    def label(self) -> str:
        """The mode in one line, with the reason of a fault."""
        return f'fault: {self.reason}' if self.mode is Mode.FAULT else self.mode.value

    @property
    def is_stiff(self) -> bool:
        """Whether joints pull towards targets, with the contract's gains."""
        return self.mode in STIFF_MODES

    def activate(self, state: RobotState) -> None:
        """Begin to stand, free to walk on the first command."""
        self._engage('activate', state)
        self._may_walk = True

    def stand(self, state: RobotState) -> None:
        """Stand, and take no commands until :meth:`walk`."""
        self._engage('stand', state)
        self._may_walk = False

    def walk(self, state: RobotState) -> None:
        """Take commands again; stand up first if need be."""
        self._engage('walk', state)
        self._may_walk = True

    def damp(self) -> None:
        """Let go: damp the joints. A fault stays."""
        if self.mode is not Mode.FAULT:
            self.mode = Mode.DAMPING

    def idle(self) -> None:
        """Stop commanding. A fault stays."""
        if self.mode is not Mode.FAULT:
            self.mode = Mode.IDLE

    def fault(self, reason: str) -> None:
        """Damp the joints until :meth:`reset`. The first reason stays."""
        if self.mode is not Mode.FAULT:
            self.mode, self.reason = Mode.FAULT, reason

    def reset(self, active: bool) -> None:
        """Leave a fault: for damping where the node is active, for idleness otherwise."""
        if self.mode is Mode.FAULT:
            self.mode, self.reason = Mode.DAMPING if active else Mode.IDLE, ''

    def forget(self) -> None:
        """Forget the past steps, as after a jump in time."""
        self._controller.reset_all()

    def step(self, state: RobotState, command: np.ndarray) -> np.ndarray:
        """Run one control step.

        Args:
            state: What the robot measures, one row.
            command: (1, 3) velocity command; ignored where commands are not taken.

        Returns:
            Joint targets [rad], float32 (num_joints,); the measured positions while damping.
        """
        if self.is_stiff:
            self._check_upright(state)
        if self.mode is Mode.RAMPING:
            return self._ramp()
        if self.is_stiff:
            targets = self._run_policy(state, command)
            if np.isfinite(targets).all():
                return targets
            self.fault('the policy gave a target that is not finite')
        measured: np.ndarray = state.joint_positions[0]
        return measured

    def _engage(self, request: str, state: RobotState) -> None:
        if self.mode is Mode.FAULT:
            raise RefusedError(request, f'{self.label}; call ~/reset first')
        if self.is_stiff:
            return
        tilt = float(rotations.tilt(state.base_orientation)[0])
        if not tilt <= self._max_tilt:
            raise RefusedError(request, f'the base is tilted by {tilt:.2f} rad, allowed is '
                               f'{self._max_tilt:.2f}')
        self._ramp_start = state.joint_positions[0].copy()
        distance = float(np.max(np.abs(self._ramp_start - self._default)))
        self._ramp_steps = max(MIN_RAMP_STEPS, math.ceil(distance / self._ramp_per_step))
        self._ramp_step = 0
        self.mode = Mode.RAMPING

    def _check_upright(self, state: RobotState) -> None:
        tilt = float(rotations.tilt(state.base_orientation)[0])
        if not tilt <= self._max_tilt:
            self.fault(f'the base tilted by {tilt:.2f} rad')

    def _ramp(self) -> np.ndarray:
        self._ramp_step += 1
        share = min(1.0, self._ramp_step / self._ramp_steps)
        targets: np.ndarray = self._ramp_start + share * (self._default - self._ramp_start)
        if self._ramp_step >= self._ramp_steps:
            self._controller.reset_all()
            self.mode = Mode.STANDING
        return targets

    def _run_policy(self, state: RobotState, command: np.ndarray) -> np.ndarray:
        command = self._limits.clamp(command) if self._may_walk else self._no_command
        moving = bool(is_moving(command, self._threshold)[0])
        self.mode = Mode.WALKING if moving else Mode.STANDING
        targets: np.ndarray = self._controller.step(state, command).positions[0]
        return targets
