# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Advantages by hand, and what the buffer keeps."""

from __future__ import annotations

import pytest
import torch

from humanoid_locomotion.training.ppo.rollout_buffer import Rollout, gae, minibatches

GAMMA, LAM = 0.5, 0.5  # halves, so that everything below can be worked out in the head


def advantages(reward, value, last_value, terminated=(), truncated=()):
    """Give one robot's advantages and returns; ends are given as step numbers."""
    def column(values, dtype=torch.float32) -> torch.Tensor:
        return torch.tensor(values, dtype=dtype)[:, None]

    steps = range(len(reward))
    both = gae(column(reward), column(value), column([t in terminated for t in steps], torch.bool),
               column([t in truncated for t in steps], torch.bool), torch.tensor([last_value]),
               GAMMA, LAM)
    return tuple(result.flatten().tolist() for result in both)


def test_three_steps_by_hand():
    # delta_t = r_t + gamma V_{t+1} - V_t      A_t = delta_t + gamma lam A_{t+1}
    # delta_2 = 3 + 0.5 * 8 - 6 = 1            A_2 = 1
    # delta_1 = 2 + 0.5 * 6 - 4 = 1            A_1 = 1 + 0.25 * 1    = 1.25
    # delta_0 = 1 + 0.5 * 4 - 2 = 1            A_0 = 1 + 0.25 * 1.25 = 1.3125
    got, returns = advantages([1.0, 2.0, 3.0], [2.0, 4.0, 6.0], 8.0)
    assert got == [1.3125, 1.25, 1.0]
    assert returns == [3.3125, 5.25, 7.0]  # A + V


def test_a_fall_ends_the_future():
    # delta_1 = 2 - 4 = -2                     A_1 = -2: neither V_2 nor A_2 counts
    # delta_0 = 1 + 0.5 * 4 - 2 = 1            A_0 = 1 + 0.25 * -2 = 0.5
    got, _ = advantages([1.0, 2.0, 3.0], [2.0, 4.0, 6.0], 8.0, terminated=[1])
    assert got == [0.5, -2.0, 1.0]


def test_time_that_is_over_does_not():
    # The value of the state cut off is taken from one step before: r_1 = 2 + 0.5 * 4 = 4.
    # delta_1 = 4 - 4 = 0                      A_1 = 0
    # delta_0 = 1 + 0.5 * 4 - 2 = 1            A_0 = 1
    got, _ = advantages([1.0, 2.0, 3.0], [2.0, 4.0, 6.0], 8.0, truncated=[1])
    assert got == [1.0, 0.0, 1.0]


@pytest.mark.parametrize('end', ['terminated', 'truncated'])
def test_nothing_leaks_from_one_episode_into_the_one_before(end):
    calm, _ = advantages([1.0, 2.0, 3.0], [2.0, 4.0, 6.0], 8.0, **{end: [1]})
    wild, _ = advantages([1.0, 2.0, 900.0], [2.0, 4.0, -700.0], 500.0, **{end: [1]})
    assert calm[:2] == wild[:2] and calm[2] != wild[2]


def test_an_end_at_the_last_step_hides_the_value_after_it():
    for end in ('terminated', 'truncated'):
        first, _ = advantages([1.0], [2.0], 8.0, **{end: [0]})
        second, _ = advantages([1.0], [2.0], -8.0, **{end: [0]})
        assert first == second


def test_where_values_are_true_nothing_is_an_advantage():
    # A reward of one for ever is worth 1 / (1 - gamma) = 2; an even stream holds no surprise,
    # whether or not time is over in between.
    got, returns = advantages([1.0] * 6, [2.0] * 6, 2.0, truncated=[2])
    assert got == pytest.approx([0.0] * 6) and returns == pytest.approx([2.0] * 6)


def test_robots_do_not_mix():
    torch.manual_seed(0)
    reward, value, last = torch.randn(5, 3), torch.randn(5, 3), torch.randn(3)
    terminated, truncated = torch.rand(5, 3) < 0.2, torch.rand(5, 3) < 0.2
    together, _ = gae(reward, value, terminated, truncated, last, 0.99, 0.95)
    for i in range(3):
        one = slice(i, i + 1)
        alone, _ = gae(reward[:, one], value[:, one], terminated[:, one], truncated[:, one],
                       last[one], 0.99, 0.95)
        assert torch.allclose(alone, together[:, one])


# The buffer.

def fill(it: Rollout, *rewards: float) -> None:
    """Write one step for each reward."""
    for reward in rewards:
        it.add(reward=torch.full((it.num_envs,), reward))


def test_the_buffer_starts_over_after_its_last_step():
    it = Rollout(3, 2, 4, 1, 2, 'cpu')
    fill(it, 1.0, 2.0, 3.0, 4.0)
    assert it.data['reward'].tolist() == [[4.0, 4.0], [2.0, 2.0], [3.0, 3.0]]
    fill(it, 5.0, 6.0, 7.0)
    assert it.data['reward'][:, 0].tolist() == [7.0, 5.0, 6.0]


def test_the_buffer_keeps_what_it_is_given():
    it = Rollout(2, 3, 4, 1, 2, 'cpu')
    obs, terminated = torch.randn(3, 4), torch.tensor([True, False, True])
    it.add(obs=obs, terminated=terminated)
    obs_before = obs.clone()
    obs.zero_()  # the environment overwrites its arrays
    assert torch.equal(it.data['obs'][0], obs_before)
    assert torch.equal(it.data['terminated'][0], terminated)
    assert torch.all(it.data['obs'][1] == 0.0)


def test_the_buffers_own_advantages_are_those_of_its_data():
    torch.manual_seed(1)
    it = Rollout(4, 2, 1, 1, 1, 'cpu')
    for _ in range(4):
        it.add(obs=torch.randn(2, 1), critic_observation=torch.randn(2, 1), reward=torch.randn(2),
               terminated=torch.rand(2) < 0.3, truncated=torch.rand(2) < 0.3)
    it.finish(torch.randn(2, 1), torch.randn(2, 1))

    def value(obs: torch.Tensor, critic: torch.Tensor) -> torch.Tensor:
        return (obs + 10.0 * critic)[..., 0]

    d, last = it.data, value(it.last_obs, it.last_critic_observation)
    values = value(d['obs'], d['critic_observation'])
    expected = gae(d['reward'], values, d['terminated'], d['truncated'], last, 0.9, 0.8)
    for got, wanted in zip(it.advantages(value, 0.9, 0.8), expected):
        assert torch.equal(got, wanted)
    assert torch.equal(d['value'], values)  # what the value loss may not move far from


# Minibatches.

def test_minibatches_take_every_sample_once():
    samples = {'number': torch.arange(24), 'square': torch.arange(24).square()}
    parts = list(minibatches(samples, 4))
    assert [part['number'].shape[0] for part in parts] == [6] * 4
    assert torch.cat([part['number'] for part in parts]).sort().values.tolist() == list(range(24))
    for part in parts:
        assert torch.equal(part['square'], part['number'].square())  # samples stay together


def test_minibatches_are_shuffled_anew():
    torch.manual_seed(2)
    samples = {'number': torch.arange(100)}
    first, second = (next(minibatches(samples, 2))['number'] for _ in range(2))
    assert not torch.equal(first, second)
    assert not torch.equal(first.sort().values, second.sort().values)
