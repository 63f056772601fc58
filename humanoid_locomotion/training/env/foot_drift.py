"""How fast the soles of a robot that stands wander over the floor."""

from __future__ import annotations

import torch

from humanoid_locomotion.sim.backend import CONTACT_FORCE, Truth

AVERAGED_OVER = 1.0  # [s]; what exploring shakes back and forth by 1 mm then counts as 1 mm/s


class Creep:
    """The velocity of each standing sole, averaged over the last second or so.

    Legs that press against each other push the feet apart by millimetres a second. While a policy
    explores, its feet shake five times as fast, so that their speed at an instant tells little
    of it; of the average the shaking is gone (docs/results.md has the figures).

    Attributes:
        velocity: (num_envs, 2, 2) of the left and the right sole, x and y in the world frame
            [m/s]; zero while walking or on the way, and for a foot in the air, which starts afresh
            when it lands.

    Args:
        control_period: [s].
        num_envs: How many robots.
        device: Where the tensors are.
    """

    def __init__(self, control_period: float, num_envs: int, device: str):
        self.velocity = torch.zeros(num_envs, 2, 2, device=device)
        self._share = control_period / AVERAGED_OVER

    def step(self, truth: Truth, standing: torch.Tensor) -> torch.Tensor:
        """Take in a control step; ``standing`` (num_envs,) bool are to stand still by now."""
        stands = (truth.sole_forces > CONTACT_FORCE) & standing[:, None]
        averaged = torch.lerp(self.velocity, truth.sole_velocities[:, :, :2], self._share)
        self.velocity.copy_(torch.where(stands[:, :, None], averaged, 0.0))
        return self.velocity

    def reset(self, mask: torch.Tensor) -> None:
        """Forget the robots in ``mask``."""
        self.velocity.masked_fill_(mask[:, None, None], 0.0)
