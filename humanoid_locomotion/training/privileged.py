"""What the critic sees besides the actor's observation: the simulator's truth, free of noise."""

from __future__ import annotations

from typing import List, NamedTuple, Sequence

import torch

from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.backend import PhysicsVariation, Truth


class Block(NamedTuple):
    """A run of numbers and how a mirror changes it.

    Attributes:
        source: Index each mirrored number is taken from, within the block.
        sign: Its factor.
    """

    source: Sequence[int]
    sign: Sequence[float]


SWAPPED_FEET = Block((1, 0), (1.0, 1.0))
BLOCKS: List[Block] = [
    Block((0, 1, 2), (1.0, -1.0, 1.0)),    # base linear velocity
    Block((0,), (1.0,)),                   # base height
    SWAPPED_FEET,                          # sole heights
    SWAPPED_FEET,                          # sole forces
    Block((2, 3, 0, 1), (1.0, 1.0, 1.0, 1.0)),  # tilt of the soles: forward and sideways, squared
    Block((0, 1, 2), (1.0, 1.0, 1.0)),     # friction, mass scale, payload
    Block((0, 1, 2), (1.0, -1.0, 1.0)),    # shift of the centre of mass
]
SIZE = sum(len(block.source) for block in BLOCKS)


class Privileged:
    """Builds the critic's extra observation, (num_envs, SIZE)."""

    def __init__(self, variation: PhysicsVariation, body_weight: float, device: str):
        columns = [variation.friction, variation.mass_scale, variation.payload]
        self._constant = torch.cat([
            torch.stack([torch.as_tensor(c, dtype=torch.float32, device=device)
                         for c in columns], -1),
            10.0 * torch.as_tensor(variation.com_offset, dtype=torch.float32, device=device)], -1)
        self._body_weight = body_weight

    def build(self, state: RobotState, truth: Truth) -> torch.Tensor:
        """Return the numbers that :data:`BLOCKS` lists, of the order of one."""
        n = state.joint_positions.shape[0]
        return torch.cat([
            truth.base_linear_velocity,
            truth.base_position[:, 2:],
            10.0 * truth.sole_positions[:, :, 2],
            truth.sole_forces / self._body_weight,
            truth.sole_normals[:, :, :2].square().reshape(n, 4),
            self._constant], -1)
