# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The weighted sum of reward terms: how it is read from a config, and terms from elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import FILE, config, context, make_env, mapping, outcome, random_outcome
import torch

from humanoid_locomotion.core.errors import ConfigError, LocomotionError
from humanoid_locomotion.training.config_file import read_config
from humanoid_locomotion.training.env.rewards import REWARDS, RewardTerm, register_reward
from humanoid_locomotion.training.env.rewards.registry import Block
from humanoid_locomotion.training.env.rewards.weighted_sum import RewardSum
from humanoid_locomotion.training.env.symmetry import critic_mirror


def reward_sum(*assignments: str, penalty_factor: float = 1.0, num_envs: int = 1) -> RewardSum:
    """Give the shipped reward, changed."""
    return RewardSum(config(*assignments).rewards.weights, context(num_envs),
                     torch.tensor(penalty_factor))


def summed(penalty_factor: float = 1.0) -> dict:
    """Give each term of the shipped config, weighted, for a tumbling robot."""
    it = reward_sum(penalty_factor=penalty_factor)
    terms = it.terms(random_outcome(np.random.default_rng(1), 1))
    assert terms.shape == (1, len(it.names))
    return dict(zip(it.names, terms[0].tolist()))


def test_terms_are_weighted_per_second():
    o = random_outcome(np.random.default_rng(1), 1)
    weights = config().rewards.weights
    for name, got in summed().items():
        term = REWARDS[name].make(context(), weights[name].parameters)
        assert got == pytest.approx(0.02 * weights[name].weight * float(term.step(o)), rel=1e-4)


def test_the_penalty_factor_scales_negative_weights_only():
    whole, eased = summed(), summed(0.25)
    weights = config().rewards.weights
    assert eased == pytest.approx({
        name: term * (0.25 if weights[name].weight < 0.0 else 1.0)
        for name, term in whole.items()})


def test_a_weight_of_zero_leaves_a_term_out():
    names = reward_sum('rewards.weights.energy=0.0').names
    assert 'energy' not in names and 'alive' in names


def test_a_reward_without_terms_is_refused():
    with pytest.raises(ConfigError, match=r"weights: expected one term or more .*found \['alive'"):
        reward_sum('rewards.weights={alive: 0.0}')


def test_a_term_may_be_used_twice_under_another_label():
    o = random_outcome(np.random.default_rng(1), 1)
    it = reward_sum('rewards.weights={near: {term: track_yaw_rate, weight: 1, sigma: [0.2, 0.1]},'
                    ' track_yaw_rate: 1}')
    near, usual = it.terms(o)[0].tolist()
    assert it.names == ['near', 'track_yaw_rate'] and near < usual
    expected = REWARDS['track_yaw_rate'].make(context(), {'sigma': (0.2, 0.1)}).step(o)
    assert near == pytest.approx(0.02 * float(expected))


@pytest.mark.parametrize('weights, message', [
    ({'enrgy': 1.0}, r"rewards\.weights\.enrgy: unknown reward 'enrgy' \(did you mean 'energy'\?\)"
     r'; there is: action_rate, alive, '),
    ({'mine': {'term': 'enrgy', 'weight': 1.0}}, r'rewards\.weights\.mine: unknown reward'),
    ({'alive': None}, r'rewards\.weights\.alive: expected float, found NoneType'),
    ({'alive': True}, r'rewards\.weights\.alive: expected float, found bool'),
    ({'alive': {}}, r"rewards\.weights\.alive: missing keys \['weight'\]"),
    ({'alive': {'weight': 1.0, 'sigma': 2.0}},
     r"rewards\.weights\.alive: unknown keys \['sigma'\]; the reward 'alive' has the keys "
     r"\['weight', 'term'\]"),
    ({'track_yaw_rate': {'weight': 1.0, 'sigma': [0.5]}},
     r'rewards\.weights\.track_yaw_rate\.sigma: expected 2 values, found 1'),
    ({'track_yaw_rate': {'weight': 1.0, 'sigma': [0.5, 0.0]}},
     r'rewards\.weights\.track_yaw_rate\.sigma: must be above 0'),
    ({'track_yaw_rate': {'weight': 'two'}}, r'rewards\.weights\.track_yaw_rate: expected float'),
    ({'base_height': -20.0}, r"rewards\.weights\.base_height: missing keys \['height'\]"),
    ({'hard_landing': {'weight': -1.0, 'force_per_speed': -1.0}},
     r'hard_landing\.force_per_speed: must be 0 or more, found -1.0'),
    ({'hard_landing': {'weight': -1.0, 'force_per_speed': float('nan')}},
     r'hard_landing\.force_per_speed: must be 0 or more, found nan'),
    ({'stand_foot_drift': {'weight': -1.0, 'limit': 0.0}},
     r'stand_foot_drift\.limit: must be above 0, found 0.0'),
    ({'base_height': {'weight': -1.0, 'height': float('inf')}},
     r'rewards\.weights\.base_height\.height: expected a finite number'),
])
def test_a_term_that_does_not_fit_is_refused_with_file_and_dotted_key(weights, message):
    data = mapping()
    data['rewards']['weights'] = weights
    with pytest.raises(ConfigError, match=message) as caught:
        read_config(data, FILE)
    assert str(caught.value).startswith(f'{FILE}: ')


# Terms from elsewhere.

@pytest.fixture
def registry():
    """Forget what a test registers."""
    known = dict(REWARDS)
    yield
    REWARDS.clear()
    REWARDS.update(known)


def test_a_term_of_ones_own_is_a_function_and_a_line_of_the_config(registry):
    @register_reward
    def higher(o, *, than: float = 0.5) -> torch.Tensor:
        return (o.truth.base_position[:, 2] - than).clamp(min=0.0)

    it = reward_sum('rewards.weights={higher: {weight: 2, than: 0.8}}')
    assert float(it.terms(outcome())) == pytest.approx(0.02 * 2.0 * 0.08)
    assert config('rewards.weights={higher: 2}').rewards.weights['higher'].parameters == {
        'than': 0.5}


def test_a_term_with_a_memory_is_reset_carried_and_seen_by_the_critic(registry):
    @register_reward
    class Travelled(RewardTerm):
        """Distance to the left since the last reset [m]."""

        critic_mirror = Block((0,), (-1.0,))

        def __init__(self, context, *, limit: float = 10.0):
            self._limit = limit
            self._left = torch.zeros(context.num_envs)
            self._period = context.contract.control_period

        def step(self, o):
            self._left += o.velocity[:, 1] * self._period
            return self._left.abs().clamp(max=self._limit)

        def reset(self, mask):
            self._left.masked_fill_(mask, 0.0)

        def state_dict(self):
            return {'left': self._left}

        def critic_observation(self, state):
            return self._left[:, None]

    env = make_env('rewards.weights={far: {term: Travelled, weight: -1}, alive: 1}')
    assert env.critic_size == 31
    env.reset()
    left = env.carried()['far.left']
    result = env.step(torch.zeros(4, 23))
    assert torch.equal(result.critic_observation[:, -1], left) and left.abs().max() > 0.0
    mirrored = critic_mirror(env.critic_blocks)(result.critic_observation)
    assert torch.equal(mirrored[:, -1], -left)
    env._reset(torch.tensor([True, False, False, True]))
    assert left[[0, 3]].tolist() == [0.0, 0.0] and torch.all(left[[1, 2]] != 0.0)


def test_a_name_that_is_taken_and_parameters_without_a_type_are_refused(registry):
    with pytest.raises(LocomotionError, match=r"'alive' is registered already, by .*tracking"):
        register_reward(lambda o: o.moving, name='alive')

    def higher(o, *, than=0.5):
        return o.moving

    with pytest.raises(LocomotionError, match=r"has the parameters \['than'\]; expected a type"):
        register_reward(higher)

    def heavier(o, *, weight: float = 0.5):
        return o.moving

    with pytest.raises(LocomotionError, match=r"has the parameters \['weight'\]"):
        register_reward(heavier)
