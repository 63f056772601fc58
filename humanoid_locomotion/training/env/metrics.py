# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Training metrics, summed on the device and read once per iteration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, List, Sequence

import torch

from humanoid_locomotion.core.command import NUM_VELOCITY

if TYPE_CHECKING:
    from humanoid_locomotion.training.env.rewards.outcome import Outcome

_COUNTS = ('steps', 'episodes', 'falls', 'lost', 'episode_steps', 'moving_steps',
           'linear_error', 'yaw_rate_error', 'standing_speed')


class Metrics:
    """Sums over steps and robots; :meth:`take` returns them, :meth:`means` names them.

    Args:
        reward_names: The reward terms.
        device: Device of the sums.
        more: Names of additional values to average over steps and robots.
    """

    def __init__(self, reward_names: List[str], device: str, more: Sequence[str] = ()):
        self._reward_names, self._more = list(reward_names), tuple(more)
        self._counts = (*_COUNTS, *more)
        self._sums = torch.zeros(len(self._counts) + len(reward_names), device=device)
        self._index = {name: i for i, name in enumerate(self._counts)}

    def add(self, name: str, value: torch.Tensor) -> None:
        """Add a value of every robot (num_envs,) to one of the sums."""
        self._sums[self._index[name]] += value.sum()

    def count_episodes(self, episode_step: torch.Tensor, terminated: torch.Tensor,
                       done: torch.Tensor, lost: torch.Tensor) -> None:
        """Count the episodes that end in this step; all (num_envs,)."""
        self.add('episodes', done.float())
        self.add('falls', terminated.float())
        self.add('lost', lost.float())
        self.add('episode_steps', (episode_step * done).float())

    def add_step(self, o: Outcome, reward_terms: torch.Tensor, lost: torch.Tensor) -> None:
        """Add one control step of every robot."""
        error = o.command[:, :NUM_VELOCITY] - o.velocity
        speed_error, yaw_error = error[:, :2].norm(dim=-1), error[:, 2].abs()
        moving = o.moving * ~lost
        self.add('steps', torch.ones_like(o.moving))
        self.add('moving_steps', moving)
        self.add('linear_error', torch.where(moving > 0, speed_error, 0.0))
        self.add('yaw_rate_error', torch.where(moving > 0, yaw_error, 0.0))
        standing = (1.0 - o.moving) * ~lost
        self.add('standing_speed',
                 torch.where(standing > 0, o.velocity[:, :2].norm(dim=-1), 0.0))
        self._sums[len(self._counts):] += reward_terms.sum(0)

    def clear(self) -> None:
        """Set all sums to zero."""
        self._sums.zero_()

    def take(self) -> torch.Tensor:
        """Return the sums since they were last taken, on the device."""
        sums = self._sums.clone()
        self.clear()
        return sums

    def means(self, values: List[float]) -> Dict[str, float]:
        """Return named means of the sums that :meth:`take` returned."""
        s = dict(zip(self._counts, values))
        steps, moving = max(s['steps'], 1.0), max(s['moving_steps'], 1.0)
        means = {
            'episode_length': s['episode_steps'] / max(s['episodes'], 1.0),
            'falls_per_1000_steps': 1000.0 * s['falls'] / steps,
            'lost_robots': s['lost'],
            'linear_velocity_error': s['linear_error'] / moving,
            'yaw_rate_error': s['yaw_rate_error'] / moving,
            'standing_speed': s['standing_speed'] / max(steps - s['moving_steps'], 1.0),
        }
        means.update({name: s[name] / steps for name in self._more})
        rewards = values[len(self._counts):]
        means.update({f'reward/{name}': value / steps
                      for name, value in zip(self._reward_names, rewards)})
        means['reward/total'] = sum(rewards) / steps
        return means
