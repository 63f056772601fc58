# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Normaliser, Gaussian and network: against NumPy's and PyTorch's own."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from humanoid_locomotion.training.ppo.networks import (
    ActorCritic,
    Normalizer,
    gaussian_kl,
    gaussian_log_prob,
    mlp,
)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def network() -> ActorCritic:
    """Give a small actor-critic."""
    return ActorCritic(obs_size=5, critic_size=3, num_actions=2, hidden_sizes=[8, 4],
                       init_std=0.5, min_std=0.05)


def take_in(it: Normalizer, batch: torch.Tensor) -> None:
    """Give a normaliser the moments of a batch (count, size)."""
    it.update(batch.mean(0, keepdim=True), batch.var(0, unbiased=False, keepdim=True),
              batch.shape[0])


def gaussian(mean: torch.Tensor, std: torch.Tensor) -> Independent:
    """Give PyTorch's diagonal Gaussian."""
    return Independent(Normal(mean, std), 1)


@pytest.mark.parametrize('sizes', [[100], [7, 50, 43], [1, 1, 1, 97]])
def test_statistics_over_batches_are_those_of_all_inputs_at_once(sizes):
    everything = 3.0 + 5.0 * torch.randn(100, 4) * torch.tensor([1.0, 0.1, 10.0, 0.0])
    it = Normalizer(4)
    for batch in everything.split(sizes):
        take_in(it, batch)
    assert torch.allclose(it.mean, everything.mean(0, keepdim=True), atol=1e-4)
    assert torch.allclose(
        it.variance, everything.var(0, unbiased=False, keepdim=True), rtol=1e-4, atol=1e-4)
    assert it.count == 100


def test_normalised_inputs_have_zero_mean_and_unit_variance():
    inputs = 3.0 + 5.0 * torch.randn(1000, 4)
    it = Normalizer(4)
    take_in(it, inputs)
    scaled = it(inputs)
    assert torch.allclose(scaled.mean(0), torch.zeros(4), atol=1e-4)
    assert torch.allclose(scaled.std(0), torch.ones(4), atol=5e-3)


def test_an_input_that_never_changes_stays_finite():
    it = Normalizer(1)
    take_in(it, torch.full((50, 1), 3.0))
    assert torch.all(it(torch.tensor([[3.0], [4.0]])).abs() <= 1.0 / it.epsilon)


def test_a_new_normaliser_nearly_passes_inputs_through():
    inputs = torch.randn(10, 4)
    assert torch.allclose(Normalizer(4)(inputs), inputs, rtol=0.011)


def test_log_density_is_that_of_torch_distributions():
    mean, x, std = torch.randn(20, 3), torch.randn(20, 3), torch.rand(3) + 0.1
    assert torch.allclose(
        gaussian_log_prob(x, mean, std), gaussian(mean, std).log_prob(x), atol=1e-4)


def test_divergence_is_that_of_torch_distributions():
    mean, new_mean = torch.randn(2, 20, 3)
    std, new_std = torch.rand(2, 3) + 0.1
    expected = kl_divergence(gaussian(mean, std), gaussian(new_mean, new_std))
    assert torch.allclose(gaussian_kl(mean, std, new_mean, new_std), expected, rtol=1e-4)
    assert torch.all(gaussian_kl(mean, std, mean, std) == 0.0)


def test_actions_spread_about_their_mean_by_the_standard_deviation():
    it = network()
    action, log_prob, mean = it.act(torch.randn(1, 5).repeat(20_000, 1))
    assert torch.allclose(action.mean(0), mean[0], atol=0.02)
    assert torch.allclose(action.std(0), it.std, atol=0.02)
    assert torch.allclose(log_prob, gaussian(mean, it.std).log_prob(action), atol=1e-4)


def test_the_standard_deviation_starts_as_asked_and_stays_within_bounds():
    it = network()
    assert torch.allclose(it.std, torch.full((2,), 0.5))
    for log_std, bound in ((-50.0, 0.05), (50.0, torch.tensor(0.7).exp())):
        with torch.no_grad():
            it.log_std.fill_(log_std)
        assert torch.allclose(it.std, torch.as_tensor(bound).expand(2))


def test_the_factor_narrows_the_actions_and_leaves_the_gradient_of_the_width():
    it, obs = network(), torch.randn(1, 5).repeat(20_000, 1)
    gradients = []
    for factor in (1.0, 0.25):
        it.std_factor.fill_(factor)
        action, log_prob, mean = it.act(obs)
        assert torch.allclose(action.std(0), torch.full((2,), 0.5 * factor), rtol=0.03)
        assert torch.allclose(log_prob, gaussian(mean, it.std).log_prob(action), atol=1e-4)
        two_away = mean.detach() + 2.0 * it.std.detach()
        it.log_std.grad = None
        it.log_prob(mean.detach(), two_away).mean().backward()
        gradients.append(it.log_std.grad.clone())
    assert torch.allclose(*gradients, atol=1e-5)
    assert torch.allclose(gradients[0], torch.full((2,), 3.0), atol=1e-4)


def test_the_factor_is_not_saved():
    assert 'std_factor' not in network().state_dict()


def test_the_actor_does_not_see_what_only_the_critic_may():
    it, obs = network(), torch.randn(6, 5)
    value, other = (it.value(obs, torch.randn(6, 3)) for _ in range(2))
    assert value.shape == (6,) and not torch.equal(value, other)
    assert it.actor[0].in_features == 5


def test_first_actions_are_small():
    assert network().act_mean(torch.randn(500, 5)).abs().max() < 0.2


def test_layers_alternate_with_elu_and_end_linear():
    kinds = [type(layer).__name__ for layer in mlp([5, 8, 4, 2])]
    assert kinds == ['Linear', 'ELU', 'Linear', 'ELU', 'Linear']


def test_an_actor_that_is_exported_and_loaded_acts_alike():
    from humanoid_locomotion.training.export import network_layers
    trained, fresh = network(), network()
    take_in(trained.actor_normalizer, 3.0 + 2.0 * torch.randn(50, 5))
    fresh.load_actor(network_layers(trained))
    obs = torch.randn(7, 5)
    assert torch.allclose(fresh.act_mean(obs), trained.act_mean(obs), atol=1e-5)
