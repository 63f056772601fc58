# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""PPO: its losses by hand, its learning rate, its mirrors, and a toy that it must learn."""

from __future__ import annotations

from dataclasses import replace
import math

import pytest
from tiny import config
import torch

from humanoid_locomotion.training.env.symmetry import Mirror
from humanoid_locomotion.training.ppo.networks import ActorCritic
from humanoid_locomotion.training.ppo.ppo import (
    LOGGED,
    MAX_LEARNING_RATE,
    MIN_LEARNING_RATE,
    Mirrors,
    Ppo,
    mirrored_too,
    ppo_losses,
    roughness,
)
from humanoid_locomotion.training.ppo.rollout_buffer import Rollout, neighbouring_means

FIGURES = replace(config().ppo, hidden_sizes=(32,), epochs=4, minibatches=4, symmetry=False)
STEPS, ROBOTS, OBS, EXTRA, ACTIONS = 8, 16, 3, 4, 2


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


# Losses.

def losses(**changes: object):
    """Give the losses of one sample that teaches nothing, with some figures changed."""
    figures = {'log_prob': 0.0, 'old_log_prob': 0.0, 'advantage': 0.0, 'value': 0.0,
               'old_value': 0.0, 'returns': 0.0, **changes}
    std = torch.tensor(figures.pop('std', [1.0]))
    return ppo_losses(**{key: torch.tensor([value]) for key, value in figures.items()}, std=std,
                      clip=0.2)


@pytest.mark.parametrize('ratio, advantage, expected', [
    (1.1, 2.0, -2.2), (1.1, -2.0, 2.2),  # within the range: -ratio * advantage
    (1.5, 2.0, -2.4),  # a better action: no more is gained beyond 1.2
    (0.5, 2.0, -1.0),  # but it may always become likelier again
    (0.5, -2.0, 1.6),  # a worse one: no more is gained below 0.8
    (1.5, -2.0, 3.0),  # but it may always become less likely again
])
def test_the_ratio_is_clipped_where_it_would_pay_to_go_further(ratio, advantage, expected):
    surrogate = losses(log_prob=math.log(ratio), advantage=advantage).surrogate
    assert float(surrogate) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize('value, returns, expected', [
    (1.1, 2.0, 0.81),  # moved by 0.1, within the range: (1.1 - 2)^2
    (1.9, 2.0, 0.64),  # moved by 0.9 towards the return: only 0.2 of it counts, (1.2 - 2)^2
    (0.1, 0.0, 0.64),  # likewise downwards, (0.8 - 0)^2
    (0.1, 2.0, 3.61),  # moved away: all of it counts
])
def test_the_value_gains_nothing_by_moving_too_far(value, returns, expected):
    assert float(losses(value=value, old_value=1.0, returns=returns).value) == pytest.approx(
        expected, rel=1e-5)


def test_entropy_is_that_of_the_gaussian():
    std = torch.tensor([0.5, 2.0, 1.3])
    expected = torch.distributions.Normal(torch.zeros(3), std).entropy().sum()
    assert float(losses(std=std.tolist()).entropy) == pytest.approx(float(expected))


# The learning rate follows the divergence.

@pytest.mark.parametrize('share, factor', [
    (0.0, 1.5), (0.4, 1.5), (0.6, 1.0), (1.0, 1.0), (1.9, 1.0), (2.1, 1 / 1.5), (50.0, 1 / 1.5)])
def test_the_rate_goes_up_stays_or_goes_down_with_the_divergence(share, factor):
    it = ppo()
    it._adapt_learning_rate(torch.tensor(share * FIGURES.desired_kl))
    assert float(it.learning_rate) == pytest.approx(factor * FIGURES.learning_rate)
    assert it.optimizer.param_groups[0]['lr'] is it.learning_rate  # what Adam uses


@pytest.mark.parametrize('kl, bound', [(0.0, MAX_LEARNING_RATE), (1.0, MIN_LEARNING_RATE)])
def test_the_rate_stays_within_its_bounds(kl, bound):
    it = ppo()
    for _ in range(100):
        it._adapt_learning_rate(torch.tensor(kl))
    assert float(it.learning_rate) == pytest.approx(bound)


# Mirrors.

def negate(size: int) -> Mirror:
    """Give a mirror that turns every sign."""
    return Mirror(range(size), [-1.0] * size)


MIRRORS = Mirrors(negate(OBS), Mirror(range(EXTRA), [1.0] * EXTRA), negate(ACTIONS))


def test_a_mirrored_batch_is_twice_as_long_and_worth_the_same():
    batch = {'obs': torch.randn(5, OBS), 'critic_observation': torch.randn(5, EXTRA),
             'action': torch.randn(5, ACTIONS), 'advantage': torch.randn(5),
             'returns': torch.randn(5), 'log_prob': torch.randn(5)}
    doubled = mirrored_too(batch, MIRRORS)
    for name, tensor in batch.items():
        sign = -1.0 if name in ('obs', 'action') else 1.0
        assert torch.equal(doubled[name], torch.cat((tensor, sign * tensor))), name


# Updates.

def ppo(mirrors: Mirrors | None = None, **changes: object) -> Ppo:
    """Give PPO with a small network."""
    figures = replace(FIGURES, **changes)
    model = ActorCritic(OBS, EXTRA, ACTIONS, figures.hidden_sizes, figures.init_std,
                        figures.min_std, figures.velocity_loss > 0.0)
    return Ppo(figures, model, mirrors)


def wanted(obs: torch.Tensor) -> torch.Tensor:
    """Give the best action (..., 2) in the toy; mirrored where the observation is."""
    return torch.stack((obs[..., 0], -0.5 * obs[..., 1]), -1)


class Toy:
    """Many episodes of one step each, in which the best action is known.

    Attributes:
        rollout: What was played last.
        ends: Whether each robot's episode ends with each step.
    """

    def __init__(self) -> None:
        self.rollout = Rollout(STEPS, ROBOTS, OBS, EXTRA, ACTIONS, 'cpu')
        self.ends = torch.ones(ROBOTS, dtype=torch.bool)

    @torch.no_grad()
    def play(self, model: ActorCritic, reward=None, positive: bool = False) -> Rollout:
        """Let the model act; give the rollout."""
        for _ in range(STEPS):
            obs, critic = torch.randn(ROBOTS, OBS), torch.randn(ROBOTS, EXTRA)
            if positive:
                obs = obs.abs()
            action, log_prob, mean = model.act(obs)
            missed = (action - wanted(obs)).square().sum(-1)
            self.rollout.add(
                obs=obs, critic_observation=critic, action=action, mean=mean, log_prob=log_prob,
                reward=-missed if reward is None else torch.full_like(missed, reward),
                terminated=self.ends, truncated=torch.zeros_like(self.ends))
        return self.rollout


def error(model: ActorCritic, obs: torch.Tensor) -> float:
    """Give the mean squared distance of the actions from the best ones."""
    with torch.no_grad():
        return float((model.act_mean(obs) - wanted(obs)).square().sum(-1).mean())


def test_a_toy_is_learned():
    it, toy, obs = ppo(), Toy(), torch.randn(500, OBS)
    before = error(it.model, obs)
    for _ in range(60):
        logged = it.update(toy.play(it.model))
    assert before > 1.0 and error(it.model, obs) < 0.05
    assert float(logged['policy/std']) < FIGURES.init_std  # surer than at first
    assert float(logged['loss/value']) < 1.0


def test_with_mirrors_the_half_of_the_world_never_seen_is_learned_as_well():
    it, toy, unseen = ppo(MIRRORS), Toy(), -torch.randn(500, OBS).abs()
    for _ in range(60):
        it.update(toy.play(it.model, positive=True))
    assert error(it.model, unseen) < 0.15


def test_the_velocity_is_estimated_beside_the_actions():
    it, toy, obs = ppo(MIRRORS, velocity_loss=1.0), Toy(), torch.randn(500, OBS)

    def played() -> Rollout:
        rollout = toy.play(it.model)
        rollout.data['critic_observation'][..., :3] = 0.5 * rollout.data['obs'].abs()
        return rollout

    for _ in range(60):
        it.update(played())
    with torch.no_grad():
        missed = it.model.velocity_head(it.model.features(obs)) - 0.5 * obs.abs()
    assert float(missed.square().sum(-1).mean()) < 0.05  # 0.27 for the best constant
    assert error(it.model, obs) < 0.1
    assert not any('velocity' in name for name in ppo().model.state_dict())


def test_smooth_actions_are_learned_without_a_reward_for_them():
    rough = {}
    for weight in (0.0, 1.0):
        torch.manual_seed(0)
        it, toy = ppo(MIRRORS, smoothness_loss=weight, smoothness_limit=1.0), Toy()
        toy.ends = torch.zeros(ROBOTS, dtype=torch.bool)
        for _ in range(20):
            it.update(toy.play(it.model, reward=1.0))
        mean = toy.play(it.model).data['mean']
        rough[weight] = float((mean[1:] - mean[:-1]).square().mean())
    assert rough[1.0] < 0.1 * rough[0.0]


def test_small_distances_count_squared_and_large_ones_no_more():
    assert float(roughness(torch.full((5, 2), 0.001), 0.1)) == pytest.approx(2e-6, rel=1e-3)
    assert float(roughness(torch.full((5, 2), 100.0), 0.1)) == pytest.approx(0.02, rel=1e-3)


def test_a_mean_action_has_no_neighbour_in_another_episode():
    mean = torch.tensor([1.0, 2.0, 4.0, 8.0])[:, None, None]
    ended = torch.tensor([False, True, False, False])[:, None]
    assert neighbouring_means(mean, ended).flatten().tolist() == [1.5, 1.5, 6.0, 6.0]


def test_the_distance_from_the_neighbours_has_the_gradient_of_the_changes():
    mean = torch.randn(6, 3, 2, requires_grad=True)
    ended = torch.rand(6, 3) < 0.3
    near = neighbouring_means(mean.detach(), ended)
    ours, = torch.autograd.grad((mean - near).square().sum(), mean)
    changes = (mean[1:] - mean[:-1]) * ~ended[:-1, :, None]
    theirs, = torch.autograd.grad(changes.square().sum(), mean)
    assert torch.allclose(2.0 * ours, theirs, atol=1e-6)


@pytest.mark.parametrize('mirrors', [None, MIRRORS])
def test_constant_rewards_leave_finite_networks(mirrors):
    it, toy = ppo(mirrors), Toy()
    for _ in range(3):
        logged = it.update(toy.play(it.model, reward=1.0))
    for name, tensor in [*it.model.state_dict().items(), *logged.items()]:
        assert torch.all(torch.isfinite(tensor)), name


def test_a_bonus_for_entropy_keeps_the_policy_exploring():
    spread = {}
    for entropy in (0.0, 1.0):
        torch.manual_seed(0)
        it, toy = ppo(entropy=(entropy, entropy)), Toy()
        for _ in range(5):
            it.update(toy.play(it.model, reward=1.0))
        spread[entropy] = float(it.model.std.detach().mean())
    assert spread[1.0] > 1.05 * spread[0.0]


@pytest.mark.parametrize('desired_kl, faster', [(1e3, True), (1e-9, False)])
def test_an_update_adapts_its_own_rate(desired_kl, faster):
    it = ppo(desired_kl=desired_kl)
    it.update(Toy().play(it.model))
    assert (float(it.learning_rate) > FIGURES.learning_rate) == faster


def test_a_first_look_at_unchanged_samples_shows_no_divergence():
    it = ppo(epochs=1, minibatches=1)
    logged = it.update(Toy().play(it.model))
    assert float(logged['policy/kl']) == pytest.approx(0.0, abs=1e-6)
    assert float(logged['loss/surrogate']) == pytest.approx(0.0, abs=1e-6)  # ratio one, mean zero


def test_normalisers_take_in_each_rollout_once():
    it = ppo(epochs=3)
    rollout = Toy().play(it.model)
    it.update(rollout)
    assert it.model.actor_normalizer.count == it.model.critic_normalizer.count == STEPS * ROBOTS
    seen = rollout.data['obs'].flatten(0, 1)
    assert torch.allclose(it.model.actor_normalizer.mean, seen.mean(0, keepdim=True), atol=1e-5)


def test_what_is_logged_is_named_and_carries_no_gradient():
    it = ppo()
    logged = it.update(Toy().play(it.model))
    assert tuple(logged) == LOGGED
    assert not any(value.requires_grad for value in logged.values())
    assert float(logged['policy/learning_rate']) == float(it.learning_rate)


def test_another_rollout_than_the_first_is_refused():
    # A graph knows the rollout by its memory: another one would not be learned from.
    it = ppo()
    it.update(Toy().play(it.model))
    with pytest.raises(ValueError, match='another rollout than the first'):
        it.update(Toy().play(it.model))


def test_states_are_valued_by_the_model_that_is_about_to_learn():
    it, seen = ppo(), []
    rollout = Rollout(STEPS, ROBOTS, OBS, EXTRA, ACTIONS, 'cpu')  # nothing ends in it
    value_of = it.model.value
    it.model.value = lambda obs, critic: seen.append(obs) or value_of(obs, critic)
    for last in (1.0, 2.0):
        seen.clear()
        rollout.finish(torch.full((ROBOTS, OBS), last), torch.zeros(ROBOTS, EXTRA))
        before = value_of(rollout.data['obs'], rollout.data['critic_observation']).detach().clone()
        it.update(rollout)
        assert torch.equal(seen[0], rollout.data['obs'])  # all that was collected, then the last
        assert torch.equal(seen[1], rollout.last_obs)
        assert float(seen[1].mean()) == last
        assert torch.equal(rollout.data['value'], before)
