"""Lets the policy act in the environment and keeps what happens."""

from __future__ import annotations

import torch

from humanoid_locomotion.training.capture import RepeatedStep
from humanoid_locomotion.training.env import LocomotionEnv
from humanoid_locomotion.training.networks import ActorCritic
from humanoid_locomotion.training.rollout import Rollout


class Collector:
    """Fills a rollout, one whole control step (policy, physics, reward, reset) at a time.

    Attributes:
        rollout: What was collected last.
    """

    def __init__(self, env: LocomotionEnv, model: ActorCritic, steps: int, use_graph: bool):
        self._env, self._model = env, model
        self.rollout = Rollout(steps, env.num_envs, env.obs_size, env.privileged_size,
                               env.contract.num_actions, env.device)
        first = env.reset()
        self._obs, self._privileged = first.obs.clone(), first.privileged.clone()
        self._step = RepeatedStep(self._one_step, env.device, use_graph)
        self.rollout.rewind()
        env.metrics.clear()

    @torch.no_grad()
    def _one_step(self) -> None:
        action, log_prob, mean = self._model.act(self._obs)
        value = self._model.value(self._obs, self._privileged)
        result = self._env.step(action)
        self.rollout.add(
            obs=self._obs, privileged=self._privileged, action=action, mean=mean,
            log_prob=log_prob, value=value, reward=result.reward,
            terminated=result.terminated, truncated=result.truncated)
        self._obs.copy_(result.obs)
        self._privileged.copy_(result.privileged)

    def collect(self) -> None:
        """Fill the rollout."""
        for _ in range(self.rollout.steps):
            self._step()

    @torch.no_grad()
    def last_value(self) -> torch.Tensor:
        """Return the value (num_envs,) of the states after the last step."""
        return self._model.value(self._obs, self._privileged)
