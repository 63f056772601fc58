# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The training environment with the interface of rsl_rl 5."""

from __future__ import annotations

from typing import Any, Dict, Tuple

from rsl_rl.env import VecEnv
from tensordict import TensorDict
import torch

from humanoid_locomotion.api.vector_env import LocomotionVectorEnv


class RslRlVecEnv(VecEnv):
    """A ``rsl_rl.env.VecEnv`` around a Gymnasium one that returns tensors.

    Observation groups: ``policy`` (num_envs, obs), the measured values, and ``critic``
    (num_envs, more), values that only the simulator has. In the config of rsl_rl:
    ``obs_groups={'actor': ['policy'], 'critic': ['policy', 'critic']}``.

    Args:
        env: The environment; it is reset.

    Attributes:
        env: The Gymnasium environment.
        num_envs: Number of robots.
        num_actions: Number of commanded joints.
        max_episode_length: Control steps of an episode.
        device: Device of the tensors.
        cfg: The training config.
    """

    def __init__(self, env: LocomotionVectorEnv):
        self.env = env
        self.num_envs, self.device, self.cfg = env.num_envs, env.device, env.config
        self.num_actions = env.env.contract.num_actions
        self.max_episode_length = env.config.terminations.episode_steps
        self._observations = self._grouped(*env.reset())

    @property
    def episode_length_buf(self) -> torch.Tensor:
        """(num_envs,) control steps since each robot's last reset."""
        return self.env.env.episode_step

    @episode_length_buf.setter
    def episode_length_buf(self, steps: torch.Tensor) -> None:
        self.env.env.episode_step.copy_(steps)

    def get_observations(self) -> TensorDict:
        """Return the newest observations."""
        return self._observations

    def step(self, actions: torch.Tensor
             ) -> Tuple[TensorDict, torch.Tensor, torch.Tensor, Dict[str, Any]]:
        """Advance by one control step; robots whose episode ended are reset.

        Args:
            actions: (num_envs, num_actions).

        Returns:
            Observations, rewards (num_envs,), dones (num_envs,) and extras: ``time_outs``
            (num_envs,) bool.
        """
        obs, reward, terminated, truncated, infos = self.env.step(actions)
        self._observations = self._grouped(obs, infos)
        return (self._observations, reward, (terminated | truncated).long(),
                {'time_outs': truncated})

    def close(self) -> None:
        """Close the simulator."""
        self.env.close()

    def _grouped(self, obs: torch.Tensor, infos: Dict[str, Any]) -> TensorDict:
        return TensorDict({'policy': obs, 'critic': infos['critic_observation']},
                          batch_size=[self.num_envs])
