"""When an episode ends; a fall and the end of time are two things, from here to the loss."""

from __future__ import annotations

import torch

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.backend import Truth
from humanoid_locomotion.training.config import TerminationConfig


def fallen(state: RobotState, truth: Truth, config: TerminationConfig) -> torch.Tensor:
    """Tell which robots lie or lean too far. (num_envs,) bool."""
    low = truth.base_position[:, 2] < config.base_height
    return low | (rotations.tilt(state.base_orientation) > config.tilt)


def broken(state: RobotState) -> torch.Tensor:
    """Tell which robots the simulator has lost: not finite, or faster than any joint can be."""
    largest = state.joint_velocities.abs().amax(-1) + state.base_angular_velocity.abs().amax(-1)
    return ~((largest < 500.0) & torch.isfinite(state.joint_positions).all(-1)
             & torch.isfinite(state.base_orientation).all(-1))


def out_of_time(episode_step: torch.Tensor, config: TerminationConfig) -> torch.Tensor:
    """Tell which episodes have lasted their full length. (num_envs,) bool."""
    return episode_step >= config.episode_steps
