# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""rsl_rl 5 trains in our environment."""

from __future__ import annotations

import copy

import pytest
import torch

pytest.importorskip('gymnasium')
pytest.importorskip('rsl_rl')

import humanoid_locomotion as hl

NETWORK = {'class_name': 'MLPModel', 'hidden_dims': [16], 'activation': 'elu',
           'obs_normalization': True}
CONFIG = {
    'num_steps_per_env': 4, 'save_interval': 100,
    'obs_groups': {'actor': ['policy'], 'critic': ['policy', 'critic']},
    'actor': {**NETWORK, 'distribution_cfg': {'class_name': 'GaussianDistribution',
                                              'init_std': 0.5}},
    'critic': NETWORK,
    'algorithm': {'class_name': 'PPO', 'num_learning_epochs': 1, 'num_mini_batches': 1}}


def test_rsl_rl_trains_for_twenty_iterations():
    from rsl_rl.runners import OnPolicyRunner
    torch.manual_seed(1)
    env = hl.make_env('humanoid', num_envs=4, api='rsl_rl', device='cpu')
    runner = OnPolicyRunner(env, copy.deepcopy(CONFIG), log_dir=None, device='cpu')
    before = [it.clone() for it in runner.alg.actor.parameters()]
    runner.learn(20)
    after = list(runner.alg.actor.parameters())
    assert runner.current_learning_iteration == 19
    assert all(torch.isfinite(it).all() for it in after)
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    env.close()


def test_the_end_of_time_is_told_apart_from_a_fall():
    env = hl.make_env('humanoid', num_envs=3, api='rsl_rl', backend='fake', device='cpu',
                      settings={'terminations.episode_steps': 5})
    env.episode_length_buf = torch.tensor([4, 0, 1])
    obs, reward, dones, extras = env.step(torch.zeros(3, env.num_actions))
    assert dones.tolist() == [1, 0, 0] and extras['time_outs'].tolist() == [True, False, False]
    assert env.episode_length_buf.tolist() == [0, 1, 2]
    assert obs.batch_size == (3,) and reward.shape == (3,)
    assert torch.equal(obs['policy'], env.get_observations()['policy'])
    assert env.max_episode_length == 5
