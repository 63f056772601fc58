# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Terminations: falls and invalid states (terminated) and the time limit (truncated)."""

from __future__ import annotations

from typing import Union

import torch

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.command import BASE_HEIGHT, CommandSpec
from humanoid_locomotion.core.state import RobotState, is_down
from humanoid_locomotion.sim.backend import Truth
from humanoid_locomotion.training.config import TerminationConfig


def fallen(state: RobotState, truth: Truth, config: TerminationConfig,
           share: Union[torch.Tensor, float] = 1.0) -> torch.Tensor:
    """Return which robots are too low or tilted too far, (num_envs,) bool; see height_share."""
    return is_down(truth.base_position[:, 2], rotations.tilt(state.base_orientation),
                   config.base_height * share, config.tilt)


def height_share(command: torch.Tensor, limits: CommandSpec) -> Union[torch.Tensor, float]:
    """Return each commanded base height over that at rest; 1 without such an axis."""
    if BASE_HEIGHT not in limits.names:
        return 1.0
    return command[:, limits.index(BASE_HEIGHT)] / limits[BASE_HEIGHT].rest


def broken(state: RobotState, truth: Truth) -> torch.Tensor:
    """Return which robots have an invalid state: not finite, or implausibly fast."""
    speeds = (state.joint_velocities, state.base_angular_velocity, truth.base_linear_velocity)
    places = (state.joint_positions, state.base_orientation, truth.base_position)
    slow = sum(speed.abs().amax(-1) for speed in speeds) < 500.0  # NaN is not below
    finite = torch.isfinite(torch.cat(places, -1)).all(-1)
    return ~(slow & finite)


def out_of_time(episode_step: torch.Tensor, config: TerminationConfig) -> torch.Tensor:
    """Return which episodes have reached the time limit. (num_envs,) bool."""
    return episode_step >= config.episode_steps
