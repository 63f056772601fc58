"""How far a robot's velocity stays from its command when its sway is averaged away."""

from __future__ import annotations

import torch

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.backend import Truth

AVERAGED_OVER = 1.0  # [s], a little more than a gait period


def velocity_in_heading(state: RobotState, truth: Truth) -> torch.Tensor:
    """Return (num_envs, 3): x, y in the heading frame [m/s], turning about up [rad/s]."""
    in_world = rotations.rotate(state.base_orientation, truth.base_linear_velocity)
    horizontal = rotations.in_heading_frame(state.base_orientation, in_world)[:, :2]
    turning = rotations.vertical_rate(state.base_orientation, state.base_angular_velocity)
    return torch.cat([horizontal, turning[:, None]], dim=-1)


class Following:
    """The command less the velocity, averaged over the last second or so.

    Within a step a walking robot sways and twists several times as fast as it is off on average.
    A planner feels the average alone, and at an instant the sway hides it. The way from one
    command to the next does not count, nor the way back after a kick: what is behind on it could
    be paid back only by going past the command, and an actor that does not know how long ago that
    was would go past it always.

    Attributes:
        error: (num_envs, 3) x, y [m/s] and turning [rad/s], in the heading frame; zero while on
            the way.

    Args:
        control_period: [s].
        num_envs: How many robots.
        device: Where the tensors are.
    """

    def __init__(self, control_period: float, num_envs: int, device: str):
        self.error = torch.zeros(num_envs, 3, device=device)
        self._share = control_period / AVERAGED_OVER

    def step(self, command: torch.Tensor, velocity: torch.Tensor,
             arrived: torch.Tensor) -> torch.Tensor:
        """Take in a control step's ``command`` and ``velocity``, (num_envs, 3) each.

        Args:
            command: What was asked for.
            velocity: What was done.
            arrived: (num_envs,) bool of :class:`OnTheWay`.
        """
        averaged = torch.lerp(self.error, command - velocity, self._share)
        self.error.copy_(torch.where(arrived[:, None], averaged, 0.0))
        return self.error

    def reset(self, mask: torch.Tensor) -> None:
        """Forget the robots in ``mask``, which start afresh."""
        self.error.masked_fill_(mask[:, None], 0.0)
