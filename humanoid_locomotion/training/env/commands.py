"""Draws velocity commands."""

from __future__ import annotations

import torch

from humanoid_locomotion.training.config import CommandConfig
from humanoid_locomotion.training.env.randomization import uniform

SLOW = (0.1, 0.4)  # factors on a slow command


class CommandSampler:
    """Holds every robot's velocity command and draws a new one when its time is over.

    Attributes:
        command: (num_envs, 3), see :mod:`humanoid_locomotion.core.command`.
    """

    def __init__(self, config: CommandConfig, control_period: float, moving_threshold: float,
                 num_envs: int, device: str):
        self._config = config
        self._control_period = control_period
        self._threshold = moving_threshold
        self._lower = torch.tensor(config.limits.lower, device=device)
        self._upper = torch.tensor(config.limits.upper, device=device)
        # Which components of a draw count: all, forward only, turning only, none.
        self._kinds = torch.tensor(
            [[1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]], device=device)
        shares = [config.straight_share, config.turning_share, config.standing_share]
        self._bounds = torch.tensor([1.0 - sum(shares[i:]) for i in range(3)], device=device)
        self.command = torch.zeros(num_envs, 3, device=device)
        self.time_left = torch.zeros(num_envs, device=device)

    def step(self, reset: torch.Tensor) -> None:
        """Count one control step; draw for robots in ``reset`` and those whose time is over."""
        self.time_left -= self._control_period
        due = reset | (self.time_left <= 0.0)
        drawn = self.draw(due.shape[0])
        self.command.copy_(torch.where(due[:, None], drawn, self.command))
        self.time_left.copy_(torch.where(
            due, uniform(due.shape, self._config.resample_period, due.device), self.time_left))

    def draw(self, count: int) -> torch.Tensor:
        """Return ``count`` commands; those too slow to walk to are zero."""
        device = self._lower.device
        drawn = self._lower + torch.rand(count, 3, device=device) * (self._upper - self._lower)
        kind = torch.bucketize(torch.rand(count, device=device), self._bounds, right=True)
        drawn = drawn * self._kinds[kind]
        slow = torch.rand(count, 1, device=device) < self._config.slow_share
        drawn = torch.where(slow, drawn * uniform((count, 1), SLOW, device), drawn)
        return drawn * (drawn.norm(dim=-1, keepdim=True) > self._threshold)
