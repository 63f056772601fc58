# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rewards for an upright, steady base and for smooth joint motion with low effort."""

from __future__ import annotations

from typing import Dict, Optional

import torch

from humanoid_locomotion.core import rotations
from humanoid_locomotion.training.env.rewards.outcome import Outcome, RewardContext
from humanoid_locomotion.training.env.rewards.registry import RewardTerm, register_reward


@register_reward
def base_height(o: Outcome, *, height: float) -> torch.Tensor:
    """Squared distance of the base from its wanted ``height`` [m], in m^2."""
    return (o.truth.base_position[:, 2] - height).square()


@register_reward
def orientation(o: Outcome) -> torch.Tensor:
    """Squared sine of the base's tilt."""
    gravity = rotations.projected_gravity(o.state.base_orientation)
    return gravity[:, :2].square().sum(-1)


@register_reward
def vertical_velocity(o: Outcome) -> torch.Tensor:
    """Squared vertical velocity of the base [m^2/s^2]."""
    in_world = rotations.rotate(o.state.base_orientation, o.truth.base_linear_velocity)
    return in_world[:, 2].square()


@register_reward
def roll_pitch_rate(o: Outcome) -> torch.Tensor:
    """Squared roll and pitch rates of the base [rad^2/s^2]."""
    return o.state.base_angular_velocity[:, :2].square().sum(-1)


@register_reward
def energy(o: Outcome) -> torch.Tensor:
    """Sum of the absolute mechanical power of all joints [W]."""
    return (o.truth.joint_torques * o.state.joint_velocities).abs().sum(-1)


@register_reward
def torques(o: Outcome) -> torch.Tensor:
    """Squared torques [N^2 m^2], which heat the motors even without motion."""
    return o.truth.joint_torques.square().sum(-1)


@register_reward
def joint_accelerations(o: Outcome) -> torch.Tensor:
    """Squared joint accelerations [rad^2/s^4]."""
    return o.joint_accelerations.square().sum(-1)


@register_reward
def action_rate(o: Outcome) -> torch.Tensor:
    """Squared change of the action since the last control step."""
    return (o.action - o.previous_action).square().sum(-1)


@register_reward(name='pose')
class Pose(RewardTerm):
    """Squared deviation from the default pose [rad^2], with a weight per joint.

    Args:
        context: Constants of the robots.
        joint_weights: Weight of each joint, by a part of its name; the first entry that matches
            counts. None for a weight of 1 for every joint.

    Raises:
        ValueError: No entry matches a joint.
    """

    def __init__(self, context: RewardContext, *,
                 joint_weights: Optional[Dict[str, float]] = None):
        names = context.contract.joint_names
        parts = {'': 1.0} if joint_weights is None else joint_weights
        matching = [[weight for part, weight in parts.items() if part in name] for name in names]
        without = [name for name, weights in zip(names, matching) if not weights]
        if without:
            raise ValueError(
                f'joint_weights: no entry is part of {without[0]!r}, found {list(parts)}')
        self._weights = context.tensor([weights[0] for weights in matching])

    def step(self, o: Outcome) -> torch.Tensor:
        """See the base class."""
        deviation = o.state.joint_positions - o.context.default_pose
        return (self._weights * deviation.square()).sum(-1)


@register_reward(name='joint_limits', above_zero=['free_share'])
class JointLimits(RewardTerm):
    """Distance of the joints beyond ``free_share`` of their range [rad]."""

    def __init__(self, context: RewardContext, *, free_share: float = 0.9):
        lower, upper = context.contract.values('lower'), context.contract.values('upper')
        middle, half = 0.5 * (lower + upper), 0.5 * free_share * (upper - lower)
        self._lower, self._upper = context.tensor(middle - half), context.tensor(middle + half)

    def step(self, o: Outcome) -> torch.Tensor:
        """See the base class."""
        q = o.state.joint_positions
        return ((self._lower - q).clamp(min=0.0) + (q - self._upper).clamp(min=0.0)).sum(-1)
