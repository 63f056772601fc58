"""Rewards for following the command.

Kernels ``exp(-error^2 / sigma^2)`` come in pairs: a wide one, which has a gradient far from the
command, and a narrow one, which still has a gradient when the error is small. With the wide kernel
alone, standing still gets most of the reward for a slow command.
"""

from __future__ import annotations

from typing import Tuple

import torch

from humanoid_locomotion.training.env.rewards.outcome import Outcome
from humanoid_locomotion.training.env.rewards.registry import register_reward

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
