# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Proximal policy optimisation (Schulman et al. 2017), with the defaults of rsl_rl.

This module does not depend on the environment and never synchronises with the device: the learning
rate and the divergence are tensors.
"""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Tuple

import torch

from humanoid_locomotion.training.config import PpoConfig
from humanoid_locomotion.training.env.critic_observation import BASE_VELOCITY
from humanoid_locomotion.training.env.symmetry import Mirror
from humanoid_locomotion.training.ppo import torch_compat
from humanoid_locomotion.training.ppo.cuda_graph import RepeatedStep, fused
from humanoid_locomotion.training.ppo.distributed import Group
from humanoid_locomotion.training.ppo.networks import LOG_2PI, ActorCritic, gaussian_kl
from humanoid_locomotion.training.ppo.rollout_buffer import (
    Rollout,
    minibatches,
    neighbouring_means,
)

# Names of the values that an update returns, in this order.
LOGGED = ('loss/surrogate', 'loss/value', 'policy/entropy', 'policy/kl', 'policy/std',
          'policy/learning_rate')
MIN_LEARNING_RATE, MAX_LEARNING_RATE = 1e-5, 1e-2


class Mirrors(NamedTuple):
    """The mirrors of observation, critic observation and action."""

    obs: Mirror
    critic_observation: Mirror
    action: Mirror


class Losses(NamedTuple):
    """The parts of the loss, () each."""

    surrogate: torch.Tensor
    value: torch.Tensor
    entropy: torch.Tensor


def ppo_losses(log_prob: torch.Tensor, old_log_prob: torch.Tensor, advantage: torch.Tensor,
               value: torch.Tensor, old_value: torch.Tensor, returns: torch.Tensor,
               std: torch.Tensor, clip: float) -> Losses:
    """Return the clipped surrogate, the clipped value loss and the entropy.

    Args:
        log_prob: (samples,) log probability of the actions under the current policy.
        old_log_prob: (samples,) the same under the policy that sampled them.
        advantage: (samples,) normalised advantage.
        value: (samples,) current value.
        old_value: (samples,) value before the update.
        returns: (samples,) target of the value.
        std: (num_actions,) standard deviation of the policy.
        clip: Clipping range of ratio and value.
    """
    ratio = torch.exp(log_prob - old_log_prob)
    surrogate = -torch.min(advantage * ratio, advantage * ratio.clamp(1.0 - clip, 1.0 + clip))
    clipped = old_value + (value - old_value).clamp(-clip, clip)
    value_loss = torch.max((value - returns).square(), (clipped - returns).square())
    entropy = (std.log() + 0.5 * (1.0 + LOG_2PI)).sum()
    return Losses(surrogate.mean(), value_loss.mean(), entropy)


def roughness(distance: torch.Tensor, limit: float) -> torch.Tensor:
    """Return the mean of the squared distances (samples, num_actions), saturated at a limit."""
    squared = distance.square()
    return (squared / (1.0 + squared / limit ** 2)).sum(-1).mean()


class Ppo:
    """Updates an actor-critic from rollouts.

    Args:
        config: The parameters.
        model: The networks, updated in place.
        mirrors: The mirrors of samples; None to train without mirror images.
        use_graph: Whether to run the update as one CUDA graph; only on CUDA.
        group: The processes that train together.
        fuse: Whether to fuse the small kernels of the loss; only on CUDA.

    Attributes:
        entropy_weight: () weight of the entropy bonus; read in each update.
        learning_rate: (), adapted to the KL divergence.
    """

    def __init__(self, config: PpoConfig, model: ActorCritic, mirrors: Optional[Mirrors] = None,
                 use_graph: bool = False, group: Optional[Group] = None, fuse: bool = False):
        self.config, self.model, self.mirrors = config, model, mirrors
        self.group = group or Group()
        device = model.log_std.device
        self.learning_rate = torch.tensor(config.learning_rate, device=device)
        self.entropy_weight = torch.tensor(config.entropy[0], device=device)
        on_gpu = device.type == 'cuda'
        self.optimizer = torch_compat.adam(model.parameters(), self.learning_rate, on_gpu)
        self._logged = torch.zeros(len(LOGGED), device=device)
        self._loss_of = fused(self._loss, str(device), fuse)
        self._repeated = RepeatedStep(self._update, str(device), use_graph)
        self._rollout: Optional[Rollout] = None

    def update(self, rollout: Rollout) -> Dict[str, torch.Tensor]:
        """Run the epochs over a rollout.

        Args:
            rollout: The collected samples; the same object in every call, since a CUDA graph
                uses its memory.

        Returns:
            The values of ``LOGGED``, () each, on the device; valid until the next update.
        """
        if self._rollout is None:
            self._rollout = rollout
        if self._rollout is not rollout:
            raise ValueError('update was given another rollout than the first time')
        self._repeated()
        return dict(zip(LOGGED, self._logged))

    def _update(self) -> None:
        assert self._rollout is not None
        config, rollout = self.config, self._rollout
        advantages, returns = rollout.advantages(self.model.value, config.gamma, config.lam)
        mean, variance = self.group_moments(advantages.reshape(-1, 1))
        advantages = (advantages - mean) / (variance.sqrt() + 1e-8)
        samples = {name: rollout.data[name].flatten(0, 1) for name in (
            'obs', 'critic_observation', 'action', 'mean', 'log_prob', 'value')}
        samples.update(advantage=advantages.flatten(), returns=returns.flatten())
        if config.smoothness_loss > 0.0:
            ended = rollout.data['terminated'] | rollout.data['truncated']
            samples['neighbours'] = neighbouring_means(rollout.data['mean'], ended).flatten(0, 1)
        old_std = self.model.std.detach().clone()
        sums = torch.zeros(4, device=advantages.device)
        for _ in range(config.epochs):
            for batch in minibatches(samples, config.minibatches):
                sums += self._learn(batch, old_std)
        both = torch.cat((samples['obs'], samples['critic_observation']), -1)
        for normalizer, x in ((self.model.actor_normalizer, samples['obs']),
                              (self.model.critic_normalizer, both)):
            normalizer.update(*self.group_moments(x), x.shape[0] * self.group.size)
        means = sums / (config.epochs * config.minibatches)
        self._logged[:4] = means
        self._logged[4] = self.model.std.detach().mean()
        self._logged[5] = self.learning_rate

    def _learn(self, batch: Dict[str, torch.Tensor], old_std: torch.Tensor) -> torch.Tensor:
        """Run one step of the optimizer; return surrogate, value loss, entropy and KL, (4,)."""
        loss, logged = self._loss_of(batch, old_std)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        gradients = [parameter.grad for parameter in self.model.parameters()
                     if parameter.grad is not None]
        kl = logged[-1]
        self.group.average([*gradients, kl])
        self._adapt_learning_rate(kl)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.max_grad_norm)
        self.optimizer.step()
        return logged

    def _loss(self, batch: Dict[str, torch.Tensor],
              old_std: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        """Return the loss () and its logged parts (4,)."""
        config, model = self.config, self.model
        features = model.features(batch['obs'])
        mean = model.act_from(features)
        kl = gaussian_kl(batch['mean'], old_std, mean.detach(), model.std.detach()).mean()
        rough = config.smoothness_loss and roughness(
            mean - batch['neighbours'], config.smoothness_limit)
        if self.mirrors is not None:
            batch = mirrored_too(batch, self.mirrors)
            mirrored = model.features(batch['obs'][mean.shape[0]:])
            features = torch.cat((features, mirrored))
            mean = torch.cat((mean, model.act_from(mirrored)))
        losses = ppo_losses(
            model.log_prob(mean, batch['action']), batch['log_prob'], batch['advantage'],
            model.value(batch['obs'], batch['critic_observation']), batch['value'],
            batch['returns'], model.std, config.clip)
        loss = (losses.surrogate + config.value_loss * losses.value
                - self.entropy_weight * losses.entropy + config.smoothness_loss * rough)
        if model.velocity_head is not None:
            missed = model.velocity_head(features) - batch['critic_observation'][:, BASE_VELOCITY]
            loss = loss + config.velocity_loss * missed.square().sum(-1).mean()
        return loss, torch.stack((*losses, kl)).detach()

    def group_moments(self, x: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        """Return mean and variance (1, size) of rows (count, size), over all processes."""
        mean = x.mean(0, keepdim=True)
        self.group.average([mean])
        variance = (x - mean).square().mean(0, keepdim=True)
        self.group.average([variance])
        return mean, variance

    def restore(self, optimizer: Dict[str, Any], learning_rate: torch.Tensor) -> None:
        """Load the state of the optimizer, unless it is empty, and the learning rate."""
        if optimizer:
            self.optimizer.load_state_dict(optimizer)
        self.learning_rate.copy_(learning_rate)
        for group in self.optimizer.param_groups:
            group['lr'] = self.learning_rate

    def close(self) -> None:
        """Release the CUDA graph of the update."""
        self._repeated.forget()

    def _adapt_learning_rate(self, kl: torch.Tensor) -> None:
        """Decrease the learning rate at a large divergence, increase it at a small one."""
        wanted, rate = self.config.desired_kl, self.learning_rate
        factor = torch.where(kl > 2.0 * wanted, 1.0 / 1.5,
                             torch.where(kl < 0.5 * wanted, 1.5, 1.0))
        rate.copy_((rate * factor).clamp(MIN_LEARNING_RATE, MAX_LEARNING_RATE))


def mirrored_too(batch: Dict[str, torch.Tensor], mirrors: Mirrors) -> Dict[str, torch.Tensor]:
    """Return the batch followed by its mirror image.

    A mirrored action has the same probability under the mirrored policy and the same advantage, so
    all other values are repeated.
    """
    mirrored = {'obs': mirrors.obs, 'critic_observation': mirrors.critic_observation,
                'action': mirrors.action}
    return {name: torch.cat((tensor, mirrored[name](tensor) if name in mirrored else tensor))
            for name, tensor in batch.items()}
