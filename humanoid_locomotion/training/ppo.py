"""Proximal policy optimisation (Schulman et al. 2017), with the habits of rsl_rl.

Nothing here knows what an environment is, and nothing waits for the device: the learning rate and
the divergence are tensors.
"""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional

import torch

from humanoid_locomotion.training.config import PpoConfig
from humanoid_locomotion.training.networks import LOG_2PI, ActorCritic, gaussian_kl
from humanoid_locomotion.training.rollout import Rollout, minibatches
from humanoid_locomotion.training.symmetry import Mirror

MIN_LEARNING_RATE, MAX_LEARNING_RATE = 1e-5, 1e-2


class Mirrors(NamedTuple):
    """The mirrors of everything that a sample holds."""

    obs: Mirror
    privileged: Mirror
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
        log_prob: (samples,) of the actions under the policy as it is now.
        old_log_prob: Under the policy that took them.
        advantage: Normalised.
        value: As it is now.
        old_value: When the samples were taken.
        returns: What the value should be.
        std: (num_actions,) of the policy.
        clip: Clipping range of ratio and value.
    """
    ratio = torch.exp(log_prob - old_log_prob)
    surrogate = -torch.min(advantage * ratio, advantage * ratio.clamp(1.0 - clip, 1.0 + clip))
    clipped = old_value + (value - old_value).clamp(-clip, clip)
    value_loss = torch.max((value - returns).square(), (clipped - returns).square())
    entropy = (std.log() + 0.5 * (1.0 + LOG_2PI)).sum()
    return Losses(surrogate.mean(), value_loss.mean(), entropy)


class Ppo:
    """Improves an actor-critic from rollouts.

    Args:
        config: The figures.
        model: What to improve, in place.
        mirrors: How to mirror samples; None to learn from each as it is only.
    """

    def __init__(self, config: PpoConfig, model: ActorCritic, mirrors: Optional[Mirrors] = None):
        self.config, self.model, self.mirrors = config, model, mirrors
        device = model.log_std.device
        self.learning_rate = torch.tensor(config.learning_rate, device=device)
        on_gpu = device.type == 'cuda'
        self.optimizer = torch.optim.Adam(
            model.parameters(), lr=self.learning_rate, capturable=on_gpu, fused=on_gpu)

    def update(self, rollout: Rollout, last_value: torch.Tensor) -> Dict[str, torch.Tensor]:
        """Run the epochs over a rollout; return what to log, as tensors on the device."""
        config = self.config
        advantages, returns = rollout.advantages(last_value, config.gamma, config.lam)
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        samples = {name: rollout.data[name].flatten(0, 1) for name in (
            'obs', 'privileged', 'action', 'mean', 'log_prob', 'value')}
        samples.update(advantage=advantages.flatten(), returns=returns.flatten())
        old_std = self.model.std.detach().clone()
        sums = torch.zeros(4, device=last_value.device)
        for _ in range(config.epochs):
            for batch in minibatches(samples, config.minibatches):
                sums += self._learn(batch, old_std)
        both = torch.cat((samples['obs'], samples['privileged']), -1)
        self.model.actor_normalizer.update(samples['obs'])
        self.model.critic_normalizer.update(both)
        means = sums / (config.epochs * config.minibatches)
        names = ('loss/surrogate', 'loss/value', 'policy/entropy', 'policy/kl')
        logged = dict(zip(names, means))
        logged.update({'policy/std': self.model.std.detach().mean(),
                       'policy/learning_rate': self.learning_rate.clone()})
        return logged

    def _learn(self, batch: Dict[str, torch.Tensor], old_std: torch.Tensor) -> torch.Tensor:
        config, model = self.config, self.model
        mean = model.act_mean(batch['obs'])
        with torch.no_grad():
            kl = gaussian_kl(batch['mean'], old_std, mean, model.std).mean()
            self._adapt_learning_rate(kl)
        if self.mirrors is not None:
            batch = mirrored_too(batch, self.mirrors)
            mean = torch.cat((mean, model.act_mean(batch['obs'][mean.shape[0]:])))
        losses = ppo_losses(
            model.log_prob(mean, batch['action']), batch['log_prob'], batch['advantage'],
            model.value(batch['obs'], batch['privileged']), batch['value'], batch['returns'],
            model.std, config.clip)
        loss = (losses.surrogate + config.value_loss * losses.value
                - config.entropy * losses.entropy)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.max_grad_norm)
        self.optimizer.step()
        return torch.stack((*losses, kl)).detach()

    def _adapt_learning_rate(self, kl: torch.Tensor) -> None:
        """Slow down when the policy moves too far, speed up when it hardly moves."""
        wanted, rate = self.config.desired_kl, self.learning_rate
        factor = torch.where(kl > 2.0 * wanted, 1.0 / 1.5,
                             torch.where(kl < 0.5 * wanted, 1.5, 1.0))
        rate.copy_((rate * factor).clamp(MIN_LEARNING_RATE, MAX_LEARNING_RATE))


def mirrored_too(batch: Dict[str, torch.Tensor], mirrors: Mirrors) -> Dict[str, torch.Tensor]:
    """Return the batch followed by its mirror image.

    A mirrored action is as likely under the old policy's mirror image, and worth as much, so
    every other figure is repeated.
    """
    mirrored = {'obs': mirrors.obs, 'privileged': mirrors.privileged, 'action': mirrors.action}
    return {name: torch.cat((tensor, mirrored[name](tensor) if name in mirrored else tensor))
            for name, tensor in batch.items()}
