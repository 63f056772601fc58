# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Collection of rollouts with the policy in the environment."""

from __future__ import annotations

from typing import Dict, Tuple

import torch

from humanoid_locomotion.core.state import JointTargets
from humanoid_locomotion.training.env.env import LocomotionEnv
from humanoid_locomotion.training.older_formats import convert_tensors
from humanoid_locomotion.training.ppo.cuda_graph import RepeatedStep, fused
from humanoid_locomotion.training.ppo.networks import ActorCritic
from humanoid_locomotion.training.ppo.rollout_buffer import Rollout


class Collector:
    """Fills a rollout with control steps of policy, physics, reward and reset.

    Attributes:
        rollout: The samples of the last iteration.
        step: Callable that runs one control step.
    """

    def __init__(self, env: LocomotionEnv, model: ActorCritic, steps: int, use_graph: bool,
                 fuse: bool):
        self._env, self._model = env, model
        self.rollout = Rollout(steps, env.num_envs, env.obs_size, env.critic_size,
                               env.contract.num_actions, env.device)
        first = env.reset()
        self._obs, self._critic_observation = first.obs.clone(), first.critic_observation.clone()
        self._before_physics = fused(self._decide, env.device, fuse)
        self._after_physics = fused(self._keep, env.device, fuse)
        self.step = RepeatedStep(self._one_step, env.device, use_graph)

    @torch.no_grad()
    def _one_step(self) -> None:
        targets, *decision = self._before_physics()
        self._env.backend.step(JointTargets(targets))
        self._after_physics(*decision)

    def _decide(self) -> Tuple[torch.Tensor, ...]:
        """Return joint targets, then action, log probability and mean."""
        action, log_prob, mean = self._model.act(self._obs)
        return self._env.targets(action).positions, action, log_prob, mean

    def _keep(self, action: torch.Tensor, log_prob: torch.Tensor, mean: torch.Tensor) -> None:
        """Compute the reward of the step and store it."""
        result = self._env.after_physics(action)
        self.rollout.add(
            obs=self._obs, critic_observation=self._critic_observation, action=action, mean=mean,
            log_prob=log_prob, reward=result.reward,
            terminated=result.terminated, truncated=result.truncated)
        self._obs.copy_(result.obs)
        self._critic_observation.copy_(result.critic_observation)

    def collect(self) -> None:
        """Fill the rollout."""
        for _ in range(self.rollout.steps):
            self.step()
        self.rollout.finish(self._obs, self._critic_observation)

    def run_eagerly(self, steps: int) -> None:
        """Run control steps without the CUDA graph."""
        for _ in range(steps):
            self._one_step()

    def snapshot(self) -> Dict[str, Dict[str, torch.Tensor]]:
        """Return copies of physics and environment; network and random state are not included."""
        physics = {name: torch.as_tensor(value)
                   for name, value in self._env.backend.snapshot().items()}
        return {'physics': physics,
                'env': {name: tensor.clone() for name, tensor in self._carried().items()}}

    def restore(self, snapshot: Dict[str, Dict[str, torch.Tensor]]) -> None:
        """Restore the state that :meth:`snapshot` returned."""
        self._env.backend.restore(snapshot['physics'])
        saved = convert_tensors(snapshot['env'])
        for name, tensor in self._carried().items():
            tensor.copy_(saved[name])

    def _carried(self) -> Dict[str, torch.Tensor]:
        return {'obs': self._obs, 'critic_observation': self._critic_observation,
                **self._env.carried()}
