"""Counts on the device what happens in training; read once per iteration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, List

import torch

if TYPE_CHECKING:
    from humanoid_locomotion.training.rewards import Outcome

_COUNTS = ('steps', 'episodes', 'falls', 'lost', 'episode_steps', 'moving_steps',
           'linear_error', 'yaw_rate_error', 'standing_speed')


class Metrics:
    """Sums over steps and robots; :meth:`take` hands them over, :meth:`means` explains them."""

    def __init__(self, reward_names: List[str], device: str):
        self._reward_names = list(reward_names)
        self._sums = torch.zeros(len(_COUNTS) + len(reward_names), device=device)
        self._index = {name: i for i, name in enumerate(_COUNTS)}

    def _add(self, name: str, value: torch.Tensor) -> None:
        self._sums[self._index[name]] += value.sum()

    def count_episodes(self, episode_step: torch.Tensor, terminated: torch.Tensor,
                       done: torch.Tensor, lost: torch.Tensor) -> None:
        """Count the episodes that end in this step; all (num_envs,)."""
        self._add('episodes', done.float())
        self._add('falls', terminated.float())
        self._add('lost', lost.float())
        self._add('episode_steps', (episode_step * done).float())

    def add_step(self, o: Outcome, reward_terms: torch.Tensor, lost: torch.Tensor) -> None:
        """Add one control step of every robot."""
        velocity = o.truth.base_linear_velocity
        speed_error = (o.command[:, :2] - velocity[:, :2]).norm(dim=-1)
        yaw_error = (o.command[:, 2] - o.state.base_angular_velocity[:, 2]).abs()
        moving = o.moving * ~lost
        self._add('steps', torch.ones_like(o.moving))
        self._add('moving_steps', moving)
        self._add('linear_error', torch.where(moving > 0, speed_error, 0.0))
        self._add('yaw_rate_error', torch.where(moving > 0, yaw_error, 0.0))
        standing = (1.0 - o.moving) * ~lost
        self._add('standing_speed', torch.where(standing > 0, velocity[:, :2].norm(dim=-1), 0.0))
        self._sums[len(_COUNTS):] += reward_terms.sum(0)

    def clear(self) -> None:
        """Forget what was counted."""
        self._sums.zero_()

    def take(self) -> torch.Tensor:
        """Return the sums since they were last taken, on the device."""
        sums = self._sums.clone()
        self.clear()
        return sums

    def means(self, values: List[float]) -> Dict[str, float]:
        """Return named means of what :meth:`take` gave."""
        s = dict(zip(_COUNTS, values))
        steps, moving = max(s['steps'], 1.0), max(s['moving_steps'], 1.0)
        means = {
            'episode_length': s['episode_steps'] / max(s['episodes'], 1.0),
            'falls_per_1000_steps': 1000.0 * s['falls'] / steps,
            'lost_robots': s['lost'],
            'linear_velocity_error': s['linear_error'] / moving,
            'yaw_rate_error': s['yaw_rate_error'] / moving,
            'standing_speed': s['standing_speed'] / max(steps - s['moving_steps'], 1.0),
        }
        rewards = values[len(_COUNTS):]
        means.update({f'reward/{name}': value / steps
                      for name, value in zip(self._reward_names, rewards)})
        means['reward/total'] = sum(rewards) / steps
        return means
