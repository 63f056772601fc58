"""What the critic sees besides the actor's observation: the simulator's truth, free of noise.

All that a reward remembers for longer than a step is in it. A critic that does not see an average
over the last second credits an action with what follows within GAE's horizon alone.
"""

from __future__ import annotations

from typing import List, NamedTuple, Sequence

import torch

from humanoid_locomotion.core import rotations
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
    Block((0, 1, 2), (1.0, -1.0, -1.0)),   # averaged error of following: forward, left, turning
    Block((2, 3, 0, 1), (1.0, -1.0, 1.0, -1.0)),  # averaged creep of the soles, forward and left
    Block((0, 1), (1.0, 1.0)),             # shares of the way left: to a command, after a kick
    Block((0, 1, 2), (1.0, -1.0, -1.0)),   # correction of the command
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

    def build(self, state: RobotState, truth: Truth, following_error: torch.Tensor,
              creep: torch.Tensor, way_left: torch.Tensor, correction: torch.Tensor
              ) -> torch.Tensor:
        """Return the numbers that :data:`BLOCKS` lists, of the order of one.

        Args:
            state: Of the robots.
            truth: Of the robots.
            following_error: (num_envs, 3) of :class:`Following`.
            creep: (num_envs, 2, 2) of :class:`Creep`.
            way_left: (num_envs, 2) of :class:`OnTheWay`.
            correction: (num_envs, 3) of the observed command [m/s, m/s, rad/s].
        """
        n = state.joint_positions.shape[0]
        crept = rotations.in_heading_frame(
            state.base_orientation[:, None], torch.nn.functional.pad(creep, (0, 1)))
        return torch.cat([
            truth.base_linear_velocity,
            truth.base_position[:, 2:],
            10.0 * truth.sole_positions[:, :, 2],
            truth.sole_forces / self._body_weight,
            truth.sole_normals[:, :, :2].square().reshape(n, 4),
            5.0 * following_error,
            50.0 * crept[:, :, :2].reshape(n, 4),
            way_left,
            5.0 * correction,
            self._constant], -1)
