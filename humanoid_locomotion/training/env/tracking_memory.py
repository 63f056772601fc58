# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Averages over the last second for rewards and critic, and the transitions they exclude.

After a new command or a kick, a robot needs time until it follows its command again. Errors in
this time are not counted: the robot may have to step hard, slide or turn to stay upright, and a
penalty for that would discourage the recovery.
"""

from __future__ import annotations

from typing import Dict

import torch

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.command import NUM_VELOCITY
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.backend import CONTACT_FORCE, Truth
from humanoid_locomotion.training.env.rewards.registry import Block

TRANSITION_TIME = 1.5  # [s] after a new command or a kick
AVERAGING_TIME = 1.0   # [s], a little more than a gait period


def velocity_in_heading(state: RobotState, truth: Truth) -> torch.Tensor:
    """Return (num_envs, 3): x, y in the heading frame [m/s], yaw rate about up [rad/s]."""
    horizontal = rotations.horizontal(
        rotations.projected_gravity(state.base_orientation), truth.base_linear_velocity)
    turning = rotations.vertical_rate(state.base_orientation, state.base_angular_velocity)
    return torch.cat([horizontal, turning[:, None]], dim=-1)


class CommandTransition:
    """Counts the control steps since each robot's last new command and last kick or reset.

    Args:
        control_period: Time between two control steps [s].
        command_size: Number of axes of a command.
        num_envs: Number of robots.
        device: Device of the tensors.
    """

    critic_mirror = Block((0, 1), (1.0, 1.0))

    def __init__(self, control_period: float, command_size: int, num_envs: int, device: str):
        self._steps = torch.zeros(num_envs, 2, dtype=torch.long, device=device)
        self._command = torch.zeros(num_envs, command_size, device=device)
        self._all_steps = round(TRANSITION_TIME / control_period)

    @property
    def remaining(self) -> torch.Tensor:
        """(num_envs, 2) remaining share of the transition after a command and after a kick."""
        return (1.0 - self._steps / self._all_steps).clamp(min=0.0)

    @property
    def is_over(self) -> torch.Tensor:
        """(num_envs,) bool: no recent command and no recent kick."""
        return (self._steps >= self._all_steps).all(-1)

    @property
    def has_recovered(self) -> torch.Tensor:
        """(num_envs,) bool: no recent kick."""
        return self._steps[:, 1] >= self._all_steps

    def step(self, command: torch.Tensor) -> None:
        """Advance by one control step with the ``command`` (num_envs, command_size)."""
        is_new = (command != self._command).any(-1)
        self._command.copy_(command)
        self._steps += 1
        self._steps[:, 0].masked_fill_(is_new, 0)

    def kick(self, mask: torch.Tensor) -> None:
        """Restart the transition after a kick for the robots in ``mask``, kicked or reset."""
        self._steps[:, 1].masked_fill_(mask, 0)

    def state_dict(self) -> Dict[str, torch.Tensor]:
        """Return the tensors that carry over from one control step to the next."""
        return {'transition_steps': self._steps, 'transition_command': self._command}


class TrackingError:
    """The command minus the velocity, averaged over :data:`AVERAGING_TIME`.

    Within each step a walking robot sways and turns several times as fast as its average error,
    so the instantaneous error contains little information. Transitions are excluded: their error
    could only be compensated by exceeding the command afterwards.

    Attributes:
        error: (num_envs, 3) x, y [m/s] and yaw rate [rad/s], in the heading frame; zero in a
            transition.

    Args:
        control_period: Time between two control steps [s].
        num_envs: Number of robots.
        device: Device of the tensors.
    """

    critic_mirror = Block((0, 1, 2), (1.0, -1.0, -1.0))

    def __init__(self, control_period: float, num_envs: int, device: str):
        self.error = torch.zeros(num_envs, 3, device=device)
        self._share = control_period / AVERAGING_TIME

    def step(self, command: torch.Tensor, velocity: torch.Tensor,
             counts: torch.Tensor) -> torch.Tensor:
        """Add a control step and return :attr:`error`.

        Args:
            command: (num_envs, 3) the velocity command [m/s, m/s, rad/s].
            velocity: (num_envs, 3) the velocity in the same axes and units.
            counts: (num_envs,) bool, robots that are not in a transition.
        """
        averaged = torch.lerp(self.error, command - velocity, self._share)
        self.error.copy_(torch.where(counts[:, None], averaged, 0.0))
        return self.error

    def reset(self, mask: torch.Tensor) -> None:
        """Set the averages of the robots in ``mask`` to zero."""
        self.error.masked_fill_(mask[:, None], 0.0)

    def state_dict(self) -> Dict[str, torch.Tensor]:
        """Return the tensors that carry over from one control step to the next."""
        return {'tracking_error': self.error}

    def critic_observation(self) -> torch.Tensor:
        """Return (num_envs, 3) of the order of one."""
        return 5.0 * self.error


class FootDrift:
    """The velocity of each standing sole, averaged over :data:`AVERAGING_TIME`.

    Legs that press against each other push the feet apart by millimetres per second. Exploration
    noise moves the feet five times as fast; the average removes it.

    Attributes:
        velocity: (num_envs, 2, 2) of the left and the right sole, x and y in the world frame
            [m/s]; zero for a foot in the air, while walking and in transitions.

    Args:
        control_period: Time between two control steps [s].
        num_envs: Number of robots.
        device: Device of the tensors.
    """

    critic_mirror = Block((2, 3, 0, 1), (1.0, -1.0, 1.0, -1.0))

    def __init__(self, control_period: float, num_envs: int, device: str):
        self.velocity = torch.zeros(num_envs, 2, 2, device=device)
        self._share = control_period / AVERAGING_TIME

    def step(self, truth: Truth, standing: torch.Tensor) -> torch.Tensor:
        """Add a control step and return :attr:`velocity`.

        Args:
            truth: Values that only the simulator has.
            standing: (num_envs,) bool, robots that are to stand and are not in a transition.
        """
        stands = (truth.sole_forces > CONTACT_FORCE) & standing[:, None]
        averaged = torch.lerp(self.velocity, truth.sole_velocities[:, :, :2], self._share)
        self.velocity.copy_(torch.where(stands[:, :, None], averaged, 0.0))
        return self.velocity

    def reset(self, mask: torch.Tensor) -> None:
        """Set the averages of the robots in ``mask`` to zero."""
        self.velocity.masked_fill_(mask[:, None, None], 0.0)

    def state_dict(self) -> Dict[str, torch.Tensor]:
        """Return the tensors that carry over from one control step to the next."""
        return {'foot_drift': self.velocity}

    def critic_observation(self, state: RobotState) -> torch.Tensor:
        """Return (num_envs, 4) of the order of one: forward and left of both soles."""
        in_heading = rotations.in_heading_frame(
            state.base_orientation[:, None], torch.nn.functional.pad(self.velocity, (0, 1)))
        return 50.0 * in_heading[:, :, :2].reshape(len(self.velocity), 4)


class TrackingMemory:
    """The command transition, the tracking error and the foot drift of all robots.

    Attributes:
        transition: Time since the last command and the last kick.
        tracking_error: The averaged tracking error.
        foot_drift: The averaged velocity of standing soles.

    Args:
        control_period: Time between two control steps [s].
        command_size: Number of axes of a command.
        num_envs: Number of robots.
        device: Device of the tensors.
    """

    critic_mirrors = (TrackingError.critic_mirror, FootDrift.critic_mirror,
                      CommandTransition.critic_mirror)

    def __init__(self, control_period: float, command_size: int, num_envs: int, device: str):
        self.transition = CommandTransition(control_period, command_size, num_envs, device)
        self.tracking_error = TrackingError(control_period, num_envs, device)
        self.foot_drift = FootDrift(control_period, num_envs, device)

    def step(self, truth: Truth, command: torch.Tensor, velocity: torch.Tensor,
             moving: torch.Tensor) -> None:
        """Add a control step.

        Args:
            truth: Values that only the simulator has.
            command: (num_envs, command_size).
            velocity: (num_envs, 3), in the heading frame [m/s, m/s, rad/s].
            moving: (num_envs,) bool, the command asks for walking.
        """
        self.transition.step(command)
        is_over = self.transition.is_over
        self.tracking_error.step(command[:, :NUM_VELOCITY], velocity, is_over)
        self.foot_drift.step(truth, is_over & ~moving)

    def reset(self, mask: torch.Tensor) -> None:
        """Restart the robots in ``mask`` (num_envs,) bool."""
        self.transition.kick(mask)
        self.tracking_error.reset(mask)
        self.foot_drift.reset(mask)

    def state_dict(self) -> Dict[str, torch.Tensor]:
        """Return the tensors that carry over from one control step to the next."""
        return {**self.transition.state_dict(), **self.tracking_error.state_dict(),
                **self.foot_drift.state_dict()}

    def critic_observation(self, state: RobotState) -> torch.Tensor:
        """Return (num_envs, 9) of the order of one: error, drift, remaining time."""
        return torch.cat([self.tracking_error.critic_observation(),
                          self.foot_drift.critic_observation(state), self.transition.remaining],
                         -1)
