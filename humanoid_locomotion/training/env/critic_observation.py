# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The critic's additional observation: values of the simulator without noise.

It contains all averages that rewards use over more than one control step. Without them, the value
function could not represent these rewards, and an action would only be credited with its effects
within the horizon of GAE.
"""

from __future__ import annotations

from typing import List, Sequence, Tuple

import torch

from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.backend import PhysicsVariation, Truth
from humanoid_locomotion.training.env.rewards.registry import Block
from humanoid_locomotion.training.env.tracking_memory import TrackingMemory

SWAPPED_FEET = Block((1, 0), (1.0, 1.0))
BASE_VELOCITY = slice(0, 3)
# The numbers in order, each block with its mirror image; those of reward terms follow them.
BLOCKS: Tuple[Block, ...] = (
    Block((0, 1, 2), (1.0, -1.0, 1.0)),    # base linear velocity
    Block((0,), (1.0,)),                   # base height
    SWAPPED_FEET,                          # sole heights
    SWAPPED_FEET,                          # sole forces
    Block((2, 3, 0, 1), (1.0, 1.0, 1.0, 1.0)),  # tilt of the soles: forward and sideways, squared
    *TrackingMemory.critic_mirrors,
    Block((0, 1, 2), (1.0, -1.0, -1.0)),   # correction of the command
    Block((0, 1, 2), (1.0, 1.0, 1.0)),     # friction, mass scale, payload
    Block((0, 1, 2), (1.0, -1.0, 1.0)),    # shift of the centre of mass
)


class CriticObservation:
    """Builds the critic's additional observation.

    Attributes:
        blocks: The parts in order, with their mirror images.
        size: Total length.

    Args:
        variation: The physics of each robot.
        body_weight: Weight of one robot [N].
        device: Device of the tensors.
        of_terms: The blocks that reward terms with a memory add at the end.
    """

    def __init__(self, variation: PhysicsVariation, body_weight: float, device: str,
                 of_terms: Sequence[Block] = ()):
        columns = [variation.friction, variation.mass_scale, variation.payload]
        self._constant = torch.cat([
            torch.stack([torch.as_tensor(c, dtype=torch.float32, device=device)
                         for c in columns], -1),
            10.0 * torch.as_tensor(variation.com_offset, dtype=torch.float32, device=device)], -1)
        self._body_weight = body_weight
        self.blocks = (*BLOCKS, *of_terms)
        self.size = sum(len(block.source) for block in self.blocks)

    def build(self, state: RobotState, truth: Truth, memory: TrackingMemory,
              correction: torch.Tensor, of_terms: Sequence[torch.Tensor] = ()) -> torch.Tensor:
        """Return the observation (num_envs, size), scaled to the order of one.

        Args:
            state: State of the robots.
            truth: Values that only the simulator has.
            memory: Averages of the robots.
            correction: (num_envs, 3) correction of the observed command [m/s, m/s, rad/s].
            of_terms: (num_envs, numbers) of each reward term with a memory.
        """
        parts: List[torch.Tensor] = [
            truth.base_linear_velocity,
            truth.base_position[:, 2:],
            10.0 * truth.sole_positions[:, :, 2],
            truth.sole_forces / self._body_weight,
            truth.sole_normals[:, :, :2].square().reshape(-1, 4),
            memory.critic_observation(state),
            5.0 * correction,
            self._constant,
            *of_terms]
        return torch.cat(parts, -1)
