# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The terrain curriculum: harder ground after success, easier ground after failure."""

from __future__ import annotations

from typing import Dict

import torch

from humanoid_locomotion.sim.backend import Terrain


class TerrainCurriculum:
    """Moves robots up and down the rows of a terrain at the end of their episodes.

    A robot that walked more than half a tile along its commands moves up a row. One that fell
    before that, or walked at least a quarter of a tile less than commanded, moves down. A robot
    that succeeds on the last row continues on a random row.

    Args:
        terrain: The ground.
        control_period: Time between two steps [s].
        num_envs: Number of robots; each keeps its kind of ground, all kinds are equally frequent.
        device: Device of the tensors.

    Attributes:
        level: (num_envs,) int64, the row that each robot is on.
    """

    def __init__(self, terrain: Terrain, control_period: float, num_envs: int, device: str):
        self._starts = torch.as_tensor(terrain.starts, device=device)
        self._levels, kinds = self._starts.shape[:2]
        self._tile, self._dt = terrain.spec.tile, control_period
        self._kind = torch.arange(num_envs, device=device) % kinds
        self.level = torch.zeros(num_envs, dtype=torch.long, device=device)
        self._asked, self._gone = (torch.zeros(num_envs, device=device) for _ in range(2))

    def starts(self) -> torch.Tensor:
        """Return the start positions on the ground, (num_envs, 3) [m]."""
        return self._starts[self.level, self._kind]

    def add_step(self, command: torch.Tensor, velocity: torch.Tensor) -> None:
        """Add up the commanded distance and the distance walked along it.

        Args:
            command: (num_envs, 3) [m/s, m/s, rad/s] the command of this step.
            velocity: (num_envs, 3) [m/s] of the base, in its frame.
        """
        speed = command[:, :2].norm(dim=-1)
        along = (command[:, :2] * velocity[:, :2]).sum(-1) / speed.clamp(min=1e-6)
        self._asked += speed * self._dt
        self._gone += torch.where(speed > 0.0, along, 0.0).nan_to_num().clamp(-9.0, 9.0) * self._dt

    def finish(self, done: torch.Tensor, fell: torch.Tensor) -> None:
        """Move the robots in ``done`` (num_envs,) bool to their next row and reset their sums."""
        up = done & (self._gone > 0.5 * self._tile)
        lagged = self._asked - self._gone > 0.25 * self._tile
        down = done & ~up & (fell | lagged)
        level = (self.level + up.long() - down.long()).clamp(min=0)
        anywhere = torch.randint_like(level, self._levels)
        self.level.copy_(torch.where(level == self._levels, anywhere, level))
        for way in (self._asked, self._gone):
            way.masked_fill_(done, 0.0)

    def carried(self) -> Dict[str, torch.Tensor]:
        """Return the tensors that carry over from one step to the next."""
        return {'terrain_level': self.level, 'way_asked': self._asked, 'way_gone': self._gone}
