# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Actor and critic networks, each with a normaliser of its input."""

from __future__ import annotations

import math
from typing import Any, Dict, List, Sequence, Tuple

import torch
from torch import nn

LOG_2PI = math.log(2.0 * math.pi)


class Normalizer(nn.Module):
    """Scales inputs to zero mean and unit variance with running statistics."""

    mean: torch.Tensor
    variance: torch.Tensor
    count: torch.Tensor

    def __init__(self, size: int, epsilon: float = 1e-2):
        super().__init__()
        self.epsilon = epsilon
        self.register_buffer('mean', torch.zeros(1, size))
        self.register_buffer('variance', torch.ones(1, size))
        self.register_buffer('count', torch.zeros(()))

    @property
    def inverse_std(self) -> torch.Tensor:
        """Factor on inputs after the mean is subtracted, (1, size)."""
        return 1.0 / (self.variance.sqrt() + self.epsilon)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return normalised inputs (..., size)."""
        return (x - self.mean) * self.inverse_std

    @torch.no_grad()
    def update(self, mean: torch.Tensor, variance: torch.Tensor, count: int) -> None:
        """Add a batch to the statistics (Chan et al. 1979, parallel merge).

        Args:
            mean: (1, size) mean of the batch.
            variance: (1, size) population variance of the batch.
            count: Number of rows of the batch.
        """
        total = self.count + count
        share, delta = count / total, mean - self.mean
        self.variance.copy_((1.0 - share) * self.variance + share * variance
                            + share * (1.0 - share) * delta.square())
        self.mean.add_(delta * share)
        self.count.copy_(total)


def mlp(sizes: Sequence[int]) -> nn.Sequential:
    """Return a multilayer perceptron with ELU activations."""
    layers: List[nn.Module] = []
    for i in range(len(sizes) - 1):
        layers.append(nn.Linear(sizes[i], sizes[i + 1]))
        if i < len(sizes) - 2:
            layers.append(nn.ELU())
    return nn.Sequential(*layers)


class ActorCritic(nn.Module):
    """A Gaussian policy with a state-independent standard deviation, and a value function.

    Args:
        obs_size: Length of the actor's observation.
        critic_size: Length of the critic's additional observation.
        num_actions: Length of an action.
        hidden_sizes: Widths of the hidden layers.
        init_std: Initial standard deviation of the actions.
        min_std: Smallest standard deviation, before it is multiplied by ``std_factor``.
        estimates_velocity: Whether there is a :attr:`velocity_head`.

    Attributes:
        std_factor: () factor on the standard deviation of the actions, initially 1; not saved.
        velocity_head: Predicts the velocity of the base (..., 3) [m/s] from :meth:`features`, so
            that these contain it. It is trained beside the actor and not exported.
    """

    std_factor: torch.Tensor

    def __init__(self, obs_size: int, critic_size: int, num_actions: int,
                 hidden_sizes: Sequence[int], init_std: float, min_std: float,
                 estimates_velocity: bool = False):
        super().__init__()
        self.actor_normalizer = Normalizer(obs_size)
        self.critic_normalizer = Normalizer(obs_size + critic_size)
        self.actor = mlp([obs_size, *hidden_sizes, num_actions])
        self.critic = mlp([obs_size + critic_size, *hidden_sizes, 1])
        depth = min(2, len(hidden_sizes))
        self._cut = 2 * depth  # each hidden layer is followed by its activation
        self.velocity_head = nn.Linear(
            hidden_sizes[depth - 1], 3) if estimates_velocity else None
        self.log_std = nn.Parameter(torch.full((num_actions,), math.log(init_std)))
        self._min_log_std = math.log(min_std)
        self.register_buffer('std_factor', torch.ones(()), persistent=False)
        with torch.no_grad():  # start near the default pose: small first actions
            *_, weight, bias = self.actor.parameters()
            weight.mul_(0.1)
            bias.zero_()

    @property
    def std(self) -> torch.Tensor:
        """Standard deviation of the actions (num_actions,).

        The factor does not change the gradient of ``log_std``; a clamp would set it to zero.
        """
        return self.log_std.clamp(min=self._min_log_std, max=0.7).exp() * self.std_factor

    def act_mean(self, obs: torch.Tensor) -> torch.Tensor:
        """Return the deterministic action (..., num_actions), as in the exported policy."""
        return self.act_from(self.features(obs))

    def features(self, obs: torch.Tensor) -> torch.Tensor:
        """Return the second hidden layer of the actor (..., width)."""
        return self._through(self.actor_normalizer(obs), 0, self._cut)

    def act_from(self, features: torch.Tensor) -> torch.Tensor:
        """Return the deterministic action (..., num_actions) of :meth:`features`."""
        return self._through(features, self._cut, len(self.actor))

    def _through(self, x: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        for i in range(start, stop):  # a slice of the layers cannot be compiled everywhere
            x = self.actor[i](x)
        return x

    @torch.no_grad()
    def load_actor(self, layers: Dict[str, Any]) -> None:
        """Load the actor of a policy folder.

        Args:
            layers: Result of :func:`humanoid_locomotion.core.policy.engines.read_layers`.
        """
        normalizer = self.actor_normalizer
        std = 1.0 / torch.as_tensor(layers['inverse_std']) - normalizer.epsilon
        normalizer.mean.copy_(torch.as_tensor(layers['mean']))
        normalizer.variance.copy_(std.square())
        flat = [array for layer in layers['layers'] for array in layer]
        for parameter, array in zip(self.actor.parameters(), flat):
            parameter.copy_(torch.as_tensor(array))

    def act(self, obs: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Sample actions; return them, their log probabilities (...,) and their means."""
        mean = self.act_mean(obs)
        action = mean + self.std * torch.randn_like(mean)
        return action, self.log_prob(mean, action), mean

    def log_prob(self, mean: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        """Return the log density of actions under the policy (...,)."""
        return gaussian_log_prob(action, mean, self.std)

    def value(self, obs: torch.Tensor, critic_observation: torch.Tensor) -> torch.Tensor:
        """Return the value of states (...,)."""
        return self.critic(
            self.critic_normalizer(torch.cat((obs, critic_observation), -1))).squeeze(-1)


def gaussian_log_prob(x: torch.Tensor, mean: torch.Tensor, std: torch.Tensor) -> torch.Tensor:
    """Return the log density of a diagonal Gaussian, summed over the last axis."""
    z = (x - mean) / std
    return -(0.5 * z.square() + std.log() + 0.5 * LOG_2PI).sum(-1)


def gaussian_kl(mean: torch.Tensor, std: torch.Tensor, new_mean: torch.Tensor,
                new_std: torch.Tensor) -> torch.Tensor:
    """Return KL(old || new) of diagonal Gaussians, summed over the last axis."""
    ratio = (std / new_std).square()
    moved = ((new_mean - mean) / new_std).square()
    return 0.5 * (ratio + moved - 1.0 - ratio.log()).sum(-1)
