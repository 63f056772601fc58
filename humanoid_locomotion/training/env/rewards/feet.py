# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rewards for the gait: alternating swing feet that land flat, softly and without slip."""

from __future__ import annotations

import math
from typing import Dict, Optional

import torch

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.backend import CONTACT_FORCE
from humanoid_locomotion.training.env.rewards.outcome import Outcome, RewardContext
from humanoid_locomotion.training.env.rewards.registry import Block, RewardTerm, register_reward


def _swing(o: Outcome) -> torch.Tensor:
    """Return (num_envs, 2): sine of each foot's progress through its swing, 0 in stance."""
    sine = torch.sin(2.0 * math.pi * o.phase) * o.moving
    return torch.stack((sine.clamp(min=0.0), (-sine).clamp(min=0.0)), -1)


@register_reward(above_zero=['swing_height', 'sigma'])
def feet_follow_clock(o: Outcome, *, swing_height: float = 0.08,
                      sigma: float = 0.05) -> torch.Tensor:
    """Agreement of the soles' heights with the gait clock, 0 to 1.

    The left foot swings in the first half of the stride, the right in the second, along
    ``swing_height * sin^2`` [m]. Stance feet, and both feet of a standing robot, should be on the
    floor. ``sigma`` is the width of the kernel [m].
    """
    heights = o.truth.sole_positions[:, :, 2]
    error = heights - swing_height * _swing(o).square()
    return torch.exp(-error.square().sum(-1) / sigma**2)


@register_reward
def contact_follows_clock(o: Outcome) -> torch.Tensor:
    """Share of the feet whose contact agrees with the clock: contact in stance, none in swing."""
    on_floor = o.truth.sole_forces > CONTACT_FORCE
    return (on_floor == (_swing(o) <= 0.2)).float().mean(-1)


@register_reward(name='single_support_time', above_zero=['best'])
class SingleSupportTime(RewardTerm):
    """Time since the last change of contact of a walking robot on one foot [s].

    The value increases up to ``best`` [s], then decreases to 0 at twice that time, so steps of
    that length are best and standing on one foot is not. For layouts without a gait clock.
    """

    critic_mirror = Block((1, 0), (1.0, 1.0))

    def __init__(self, context: RewardContext, *, best: float = 0.35):
        self._best, self._period = best, context.contract.control_period
        self._time = torch.zeros(context.num_envs, 2, device=context.device)
        self._on_floor = torch.ones_like(self._time, dtype=torch.bool)

    def step(self, o: Outcome) -> torch.Tensor:
        """See the base class."""
        on_floor = o.truth.sole_forces > CONTACT_FORCE
        same = on_floor == self._on_floor
        self._time.copy_(torch.where(same, self._time, 0.0) + self._period)
        self._on_floor.copy_(on_floor)
        value = (self._best - (self._time.amin(-1) - self._best).abs()).clamp(min=0.0)
        return value * (on_floor.sum(-1) == 1) * o.moving

    def reset(self, mask: torch.Tensor) -> None:
        """See the base class."""
        self._time.masked_fill_(mask[:, None], 0.0)
        self._on_floor.masked_fill_(mask[:, None], True)

    def state_dict(self) -> Dict[str, torch.Tensor]:
        """See the base class."""
        return {'time': self._time, 'on_floor': self._on_floor}

    def critic_observation(self, state: RobotState) -> Optional[torch.Tensor]:
        """See the base class."""
        return self._time.clamp(max=1.0)


@register_reward
def feet_slip(o: Outcome) -> torch.Tensor:
    """Speed of the soles under load [m/s]; not squared, so that slow slip counts too."""
    return o.truth.sole_slips.sum(-1) * o.recovered


@register_reward(above_zero=['swing_height'])
def low_feet_speed(o: Outcome, *, swing_height: float = 0.08) -> torch.Tensor:
    """Horizontal speed of low soles [m/s].

    Its weight decreases linearly from 1 on the floor to 0 at ``swing_height`` [m]. A foot that
    lands with a high speed slides, hits the floor hard and loses the energy of its swing.
    """
    lowness = (1.0 - o.truth.sole_positions[:, :, 2] / swing_height).clamp(0.0, 1.0)
    return (o.truth.sole_velocities[:, :, :2].norm(dim=-1) * lowness).sum(-1)


@register_reward
def feet_tilt(o: Outcome) -> torch.Tensor:
    """Squared sine of the soles' tilt."""
    return o.truth.sole_normals[:, :, :2].square().sum((-1, -2))


@register_reward
def feet_too_close(o: Outcome, *, distance: float = 0.15) -> torch.Tensor:
    """Amount by which the sideways distance of the feet is below ``distance`` [m]."""
    apart = o.truth.sole_positions[:, 0] - o.truth.sole_positions[:, 1]
    sideways = rotations.in_heading_frame(o.state.base_orientation, apart)[:, 1]
    return (distance - sideways).clamp(min=0.0)


@register_reward(not_negative=['force', 'force_per_speed'])
def hard_landing(o: Outcome, *, force: float = 1.3, force_per_speed: float = 0.0,
                 together: bool = False) -> torch.Tensor:
    """Contact force of the feet above the allowed one [body weights], at most 2 for each foot.

    The allowed force of one foot is the larger of ``force`` [body weights] and ``force_per_speed``
    [body weights per m/s] times the commanded speed, since contact forces increase with speed.
    With ``together`` the limits apply to the sum of both feet.
    """
    forces = o.truth.peak_sole_forces / o.context.body_weight
    if together:
        forces = forces.sum(-1, keepdim=True)
    speed = o.command[:, :2].norm(dim=-1)
    allowed = (force_per_speed * speed).clamp(min=force)
    beyond = (forces - allowed[:, None]).clamp(0.0, 2.0)
    return beyond.sum(-1) * o.recovered
