# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rewards for standing still while the command asks the robot to stand."""

from __future__ import annotations

import torch

from humanoid_locomotion.training.env.rewards.outcome import Outcome
from humanoid_locomotion.training.env.rewards.registry import register_reward


@register_reward
def stand_joint_velocity(o: Outcome) -> torch.Tensor:
    """Mean squared joint velocity, plus 10 times the base's squared speed, while standing."""
    joints = o.state.joint_velocities.square().mean(-1)
    base = o.velocity[:, :2].square().sum(-1)
    return (joints + 10.0 * base).clamp(max=10.0) * (1.0 - o.moving) * o.recovered


@register_reward
def stand_pose(o: Outcome) -> torch.Tensor:
    """Mean distance of the joints from the default pose while standing [rad]."""
    deviation = (o.state.joint_positions - o.context.default_pose).abs().mean(-1)
    return deviation * (1.0 - o.moving)


@register_reward
def stand_feet_height(o: Outcome) -> torch.Tensor:
    """Summed height of the soles while standing [m], at most 0.1 for each; 0 after a kick.

    For layouts without a gait clock, whose policies otherwise step on the spot.
    """
    heights = o.truth.sole_positions[:, :, 2].clamp(0.0, 0.1)
    return heights.sum(-1) * (1.0 - o.moving) * o.recovered


@register_reward(above_zero=['limit'])
def stand_foot_drift(o: Outcome, *, limit: float = 0.01) -> torch.Tensor:
    """Averaged speed of the soles while standing [m/s], bounded below ``limit`` for each.

    The value of a sole is ``speed / (1 + speed / limit)``: half of ``limit`` at a speed of
    ``limit``. It increases with the speed; the bound keeps the penalty below that of a fall.
    """
    return _bounded(o.foot_drift.norm(dim=-1), limit).sum(-1)


@register_reward(above_zero=['limit'])
def stand_base_drift(o: Outcome, *, limit: float = 0.01) -> torch.Tensor:
    """Averaged speed of the base while standing [m/s], bounded like that of a sole.

    The base can drift by millimetres for seconds while the feet do not move.
    """
    return _bounded(o.tracking_error[:, :2].norm(dim=-1), limit) * (1.0 - o.moving)


def _bounded(speed: torch.Tensor, limit: float) -> torch.Tensor:
    return speed / (1.0 + speed / limit)
