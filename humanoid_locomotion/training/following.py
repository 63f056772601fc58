"""How far a robot's velocity stays from its command when its sway is averaged away."""

from __future__ import annotations

from typing import Dict

import torch

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.backend import Truth

AVERAGED_OVER = 1.0  # [s], a little more than a gait period
ON_THE_WAY = 1.5  # [s] to a new command, or back to the old one after a kick


def velocity_in_heading(state: RobotState, truth: Truth) -> torch.Tensor:
    """Return (num_envs, 3): x, y in the heading frame [m/s], turning about up [rad/s]."""
    in_world = rotations.rotate(state.base_orientation, truth.base_linear_velocity)
    horizontal = rotations.in_heading_frame(state.base_orientation, in_world)[:, :2]
    up = -rotations.projected_gravity(state.base_orientation)
    yaw_rate = (up * state.base_angular_velocity).sum(-1, keepdim=True)
    return torch.cat([horizontal, yaw_rate], dim=-1)


class Following:
    """The command less the velocity, averaged over the last second or so.

    Within a step a walking robot sways and twists several times as fast as it is off on average.
    A planner feels the average alone, and at an instant the sway hides it. The way from one
    command to the next does not count, nor the way back after a kick: what is behind on it could
    be paid back only by going past the command, and an actor that does not know how long ago that
    was would go past it always.

    Attributes:
        error: (num_envs, 3) x, y [m/s] and turning [rad/s], in the heading frame; zero until
            :data:`ON_THE_WAY` after a new command, a kick or a reset.

    Args:
        control_period: [s].
        num_envs: How many robots.
        device: Where the tensors are.
    """

    def __init__(self, control_period: float, num_envs: int, device: str):
        self.error = torch.zeros(num_envs, 3, device=device)
        self._command = torch.zeros(num_envs, 3, device=device)
        self._undisturbed = torch.zeros(num_envs, 1, dtype=torch.long, device=device)
        self._on_the_way = round(ON_THE_WAY / control_period)
        self._share = control_period / AVERAGED_OVER

    def step(self, command: torch.Tensor, velocity: torch.Tensor) -> torch.Tensor:
        """Take in a control step's ``command`` and ``velocity``, (num_envs, 3) each."""
        same = (command == self._command).all(-1, keepdim=True)
        self._command.copy_(command)
        self._undisturbed.copy_(torch.where(same, self._undisturbed + 1, 0))
        averaged = torch.lerp(self.error, command - velocity, self._share)
        on_the_way = self._undisturbed < self._on_the_way
        self.error.copy_(torch.where(on_the_way, 0.0, averaged))
        return self.error

    def reset(self, mask: torch.Tensor) -> None:
        """Forget the robots in ``mask``, which start afresh or were kicked."""
        self.error.masked_fill_(mask[:, None], 0.0)
        self._undisturbed.masked_fill_(mask[:, None], 0)

    def carried(self) -> Dict[str, torch.Tensor]:
        """Return what carries over from one step to the next."""
        return {'following_error': self.error, 'followed_command': self._command,
                'undisturbed_steps': self._undisturbed}
