# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The rollout buffer and generalised advantage estimation."""

from __future__ import annotations

from typing import Callable, Dict, Iterator, Tuple

import torch


class Rollout:
    """Buffers (steps, num_envs, ...) that are filled step by step.

    The step counter is on the device, so that writing can be part of a CUDA graph.
    """

    def __init__(self, steps: int, num_envs: int, obs_size: int, critic_size: int,
                 num_actions: int, device: str):
        def buffer(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
            return torch.zeros((steps, num_envs) + shape, dtype=dtype, device=device)

        self.steps, self.num_envs = steps, num_envs
        self.data: Dict[str, torch.Tensor] = {
            'obs': buffer(obs_size), 'critic_observation': buffer(critic_size),
            'action': buffer(num_actions), 'mean': buffer(num_actions),
            'log_prob': buffer(), 'value': buffer(), 'reward': buffer(),
            'terminated': buffer(dtype=torch.bool), 'truncated': buffer(dtype=torch.bool)}
        # The observations after the last step, to bootstrap from.
        self.last_obs = torch.zeros(num_envs, obs_size, device=device)
        self.last_critic_observation = torch.zeros(num_envs, critic_size, device=device)
        self._index = torch.zeros(1, dtype=torch.long, device=device)

    def add(self, **values: torch.Tensor) -> None:
        """Write one step; after the last step the index returns to 0."""
        for name, value in values.items():
            self.data[name].index_copy_(0, self._index, value[None])
        self._index.copy_((self._index + 1) % self.steps)

    def finish(self, obs: torch.Tensor, critic_observation: torch.Tensor) -> None:
        """Store the observations after the last step."""
        self.last_obs.copy_(obs)
        self.last_critic_observation.copy_(critic_observation)

    @torch.no_grad()
    def advantages(self, value: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
                   gamma: float, lam: float) -> Tuple[torch.Tensor, torch.Tensor]:
        """Return advantages and returns, (steps, num_envs); see :func:`gae`.

        Args:
            value: The value function of observations and critic observations (..., size). It is
                evaluated here and not during the collection, which does not need it.
            gamma: Discount factor.
            lam: Trade-off between bias and variance.
        """
        d = self.data
        d['value'].copy_(value(d['obs'], d['critic_observation']))
        last_value = value(self.last_obs, self.last_critic_observation)
        return gae(d['reward'], d['value'], d['terminated'], d['truncated'], last_value,
                   gamma, lam)


def neighbouring_means(mean: torch.Tensor, ended: torch.Tensor) -> torch.Tensor:
    """Return the average of the mean actions one step earlier and later, (steps, num_envs, size).

    Where one of the two belongs to another episode or rollout, the action itself stands for it.
    The squared distance from this average has, up to a factor of 2, the gradient of the summed
    squared changes from step to step.

    Args:
        mean: (steps, num_envs, size) mean actions.
        ended: (steps, num_envs) bool, the episode ended with the step.
    """
    linked = ~ended[:-1, :, None]
    earlier, later = mean.clone(), mean.clone()
    earlier[1:] = torch.where(linked, mean[:-1], mean[1:])
    later[:-1] = torch.where(linked, mean[1:], mean[:-1])
    return 0.5 * (earlier + later)


def gae(reward: torch.Tensor, value: torch.Tensor, terminated: torch.Tensor,
        truncated: torch.Tensor, last_value: torch.Tensor, gamma: float,
        lam: float) -> Tuple[torch.Tensor, torch.Tensor]:
    """Generalised advantage estimation (Schulman et al. 2016).

    After a fall the return is zero. After a time limit it is bootstrapped with the value of the
    last state, approximated, as rsl_rl does, by the value one step earlier.

    Args:
        reward: (steps, num_envs).
        value: (steps, num_envs) of the state before the step.
        terminated: (steps, num_envs) bool, the step ended in a fall.
        truncated: (steps, num_envs) bool, the step reached the time limit.
        last_value: (num_envs,) of the state after the last step.
        gamma: Discount factor.
        lam: Trade-off between bias and variance.

    Returns:
        Advantages and returns, (steps, num_envs) each.
    """
    reward = reward + gamma * value * truncated
    goes_on = (~(terminated | truncated)).to(reward.dtype)
    advantage = torch.zeros_like(last_value)
    advantages = torch.zeros_like(reward)
    next_value = last_value
    for t in range(reward.shape[0] - 1, -1, -1):
        delta = reward[t] + gamma * goes_on[t] * next_value - value[t]
        advantage = delta + gamma * lam * goes_on[t] * advantage
        advantages[t] = advantage
        next_value = value[t]
    return advantages, advantages + value


def minibatches(tensors: Dict[str, torch.Tensor], count: int) -> Iterator[Dict[str, torch.Tensor]]:
    """Yield ``count`` parts of flat tensors (samples, ...), in a new random order."""
    first = next(iter(tensors.values()))
    order = torch.randperm(first.shape[0], device=first.device)
    size = first.shape[0] // count
    for i in range(count):
        chosen = order[i * size:(i + 1) * size]
        yield {name: tensor[chosen] for name, tensor in tensors.items()}
