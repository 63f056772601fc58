# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rewards for following the command.

Kernels ``exp(-error^2 / sigma^2)`` come in pairs: a wide one, which has a gradient far from the
command, and a narrow one, which still has a gradient when the error is small. With the wide kernel
alone, standing still gets most of the reward for a slow command.
"""

from __future__ import annotations

from typing import Tuple

import torch

from humanoid_locomotion.core.command import BASE_HEIGHT
from humanoid_locomotion.training.env.rewards.outcome import Outcome, RewardContext
from humanoid_locomotion.training.env.rewards.registry import RewardTerm, register_reward

Pair = Tuple[float, float]


def _kernels(squared_error: torch.Tensor, sigmas: Pair) -> torch.Tensor:
    wide, narrow = (torch.exp(-squared_error / sigma**2) for sigma in sigmas)
    return 0.5 * (wide + narrow)


@register_reward(above_zero=['sigma'])
def track_linear_velocity(o: Outcome, *, sigma: Pair = (0.5, 0.15)) -> torch.Tensor:
    """Agreement of the horizontal velocity with the command, 0 to 1; widths [m/s]."""
    error = o.command[:, :2] - o.velocity[:, :2]
    return _kernels(error.square().sum(-1), sigma)


@register_reward(above_zero=['sigma'])
def track_yaw_rate(o: Outcome, *, sigma: Pair = (0.8, 0.25)) -> torch.Tensor:
    """Agreement of the yaw rate about the vertical with the command, 0 to 1; widths [rad/s]."""
    return _kernels((o.command[:, 2] - o.velocity[:, 2]).square(), sigma)


@register_reward(name='track_base_height', above_zero=['sigma'])
class TrackBaseHeight(RewardTerm):
    """Agreement of the height of the base with the command, 0 to 1; widths [m].

    Raises:
        ValueError: The commands have no axis ``base_height``.
    """

    def __init__(self, context: RewardContext, *, sigma: Pair = (0.1, 0.03)):
        limits = context.contract.command_limits
        if BASE_HEIGHT not in limits.names:
            raise ValueError(f'commands.limits has the axes {list(limits.names)}, expected '
                             f'{BASE_HEIGHT} among them')
        self._column, self._sigma = limits.index(BASE_HEIGHT), sigma

    def step(self, o: Outcome) -> torch.Tensor:
        """See the base class."""
        error = o.command[:, self._column] - o.truth.base_position[:, 2]
        return _kernels(error.square(), self._sigma)


@register_reward(above_zero=['limit'])
def lasting_velocity_error(o: Outcome, *, limit: float = 0.2) -> torch.Tensor:
    """Averaged error of the horizontal velocity, at most ``limit`` [m/s]."""
    return o.tracking_error[:, :2].norm(dim=-1).clamp(max=limit)


@register_reward(above_zero=['limit'])
def lasting_yaw_error(o: Outcome, *, limit: float = 0.2) -> torch.Tensor:
    """Averaged error of the yaw rate, at most ``limit`` [rad/s]."""
    return o.tracking_error[:, 2].abs().clamp(max=limit)


@register_reward
def alive(o: Outcome) -> torch.Tensor:
    """One in every step of an episode."""
    return torch.ones_like(o.moving)
