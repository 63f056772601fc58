# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sampling of the commands in training.

The shares of standing, straight, turning and slow samples apply to the axes that count as moving.
The others, set-points, are sampled independently: at rest, or uniformly from their range.
"""

from __future__ import annotations

import torch

from humanoid_locomotion.core.command import CommandSpec
from humanoid_locomotion.training.config import CommandConfig
from humanoid_locomotion.training.env.randomization import uniform

SLOW = (0.1, 0.4)  # factors on a slow command


class CommandSampler:
    """The command of every robot; a new one is sampled when its time is over.

    Attributes:
        command: (num_envs, size), see :mod:`humanoid_locomotion.core.command`.
        time_left: (num_envs,) time until the next sample [s].
    """

    def __init__(self, config: CommandConfig, control_period: float, moving_threshold: float,
                 num_envs: int, device: str):
        self._config = config
        self._control_period = control_period
        self._threshold = moving_threshold
        limits = config.limits
        self._has_set_points = bool(limits.set_points)
        self._rest = torch.tensor(limits.rest, device=device)
        self._lower = torch.tensor(limits.lower, device=device)
        self._upper = torch.tensor(limits.upper, device=device)
        self._counts_as_moving = torch.tensor(limits.counts_as_moving, device=device)
        self._kinds = _kinds(limits).to(device)
        shares = [config.straight_share, config.turning_share, config.standing_share]
        self._bounds = torch.tensor([1.0 - sum(shares[i:]) for i in range(3)], device=device)
        self.command = self._rest.repeat(num_envs, 1)
        self.time_left = torch.zeros(num_envs, device=device)

    def step(self, reset: torch.Tensor) -> None:
        """Advance by one control step; resample for ``reset`` and where the time is over."""
        self.time_left -= self._control_period
        due = reset | (self.time_left <= 0.0)
        drawn = self.draw(due.shape[0])
        self.command.copy_(torch.where(due[:, None], drawn, self.command))
        self.time_left.copy_(torch.where(
            due, uniform(due.shape, self._config.resample_period, due.device), self.time_left))

    def draw(self, count: int) -> torch.Tensor:
        """Sample ``count`` commands; moving axes are 0 if their norm is below the threshold."""
        device = self._lower.device
        size = self._lower.shape[0]
        drawn = self._lower + torch.rand(count, size, device=device) * (self._upper - self._lower)
        kind = torch.bucketize(torch.rand(count, device=device), self._bounds, right=True)
        moving = drawn * self._kinds[kind]
        slow = torch.rand(count, 1, device=device) < self._config.slow_share
        moving = torch.where(slow, moving * uniform((count, 1), SLOW, device), moving)
        moving = moving * (moving.norm(dim=-1, keepdim=True) > self._threshold)
        if not self._has_set_points:
            return moving
        rests = torch.rand(count, 1, device=device) < self._config.rest_share
        return torch.where(
            self._counts_as_moving, moving, torch.where(rests, self._rest, drawn))


def _kinds(limits: CommandSpec) -> torch.Tensor:
    """Return (4, size) factors of the kinds of command: all moving, forward, turning, none."""
    every = torch.tensor(limits.counts_as_moving, dtype=torch.float32)
    kinds = torch.zeros(4, limits.size)
    kinds[0] = every
    kinds[1, limits.index('lin_vel_x')] = 1.0
    kinds[2, limits.index('ang_vel_z')] = 1.0
    return kinds
