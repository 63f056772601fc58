# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The Gymnasium environment: the laws of a vector environment, and what it promises besides."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('gymnasium')
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics
import torch

import humanoid_locomotion as hl
from humanoid_locomotion.core.errors import ConfigError, UnknownNameError

N = 3
GRAVITY = slice(3, 6)  # in the observation, behind the angular velocity


def opened(backend: str = 'fake', num_envs: int = N, **more) -> VectorEnv:
    """Open an environment on the CPU."""
    return hl.make_env('humanoid', num_envs, backend=backend, device='cpu', **more)


def actions(env: VectorEnv, steps: int) -> np.ndarray:
    """Give (steps, num_envs, m): the same for every call."""
    shape = (steps, *env.action_space.shape)
    return np.random.default_rng(5).normal(0.0, 0.5, shape).astype(np.float32)


def trajectory(env: VectorEnv, seed: int, steps: int = 12) -> list:
    """Reset with a seed, step, and return all observations, rewards and ends of episodes."""
    found = [env.reset(seed=seed)[0]]
    for action in actions(env, steps):
        found += env.step(action)[:4]
    return found


def equal(left: list, right: list) -> bool:
    """Tell whether two trajectories are the same bit by bit."""
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def test_spaces_shapes_and_types():
    env = opened()
    assert isinstance(env, VectorEnv) and env.num_envs == N
    assert env.metadata['autoreset_mode'] == AutoresetMode.SAME_STEP
    assert env.observation_space.shape == (N, *env.single_observation_space.shape)
    assert env.action_space.shape == (N, *env.single_action_space.shape)
    obs, infos = env.reset(seed=1)
    assert obs in env.observation_space and infos['critic_observation'].shape[0] == N
    action = env.action_space.sample()
    obs, reward, terminated, truncated, infos = env.step(action)
    assert obs in env.observation_space and np.isfinite(reward).all()
    assert reward.shape == terminated.shape == truncated.shape == (N,)
    assert reward.dtype == np.float32 and terminated.dtype == truncated.dtype == bool
    env.close()
    assert env.closed


def test_the_bounds_of_actions_are_the_joint_limits():
    env = opened()
    contract, mapper = env.env.contract, env.env.controller.mapper
    for bound, key in ((env.single_action_space.low, 'lower'),
                       (env.single_action_space.high, 'upper')):
        np.testing.assert_allclose(mapper.targets(bound[None]).positions[0],
                                   contract.values(key), atol=1e-5)


def test_a_seed_and_actions_fix_everything_that_follows():
    env = opened()
    first = trajectory(env, 7)
    assert equal(first, trajectory(env, 7))
    assert equal(first, trajectory(opened(), 7))
    assert not equal(first, trajectory(env, 8))


def test_the_seed_fixes_mujoco_too():
    env = opened('mujoco', 2)
    assert equal(trajectory(env, 7), trajectory(env, 7))


def test_draws_of_others_change_nothing_and_are_not_changed():
    quiet, env = trajectory(opened(), 7), opened()
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    env.reset(seed=7)
    found = [env.reset(seed=7)[0]]
    drawn = []
    for action in actions(env, 12):
        drawn.append(torch.rand(1))
        found += env.step(action)[:4]
    assert equal(quiet, found)
    assert torch.equal(torch.cat(drawn[:3]), expected)


def test_a_step_does_not_change_what_the_last_one_returned():
    env = opened()
    kept = env.reset(seed=1)[0]
    copy = kept.copy()
    env.step(actions(env, 1)[0])
    np.testing.assert_array_equal(kept, copy)


def test_time_that_is_over_truncates_and_resets_in_the_same_step():
    env = opened(settings={'terminations.episode_steps': 5})
    env.reset(seed=1)
    env.env.episode_step.copy_(torch.tensor([4, 0, 1]))
    _, _, terminated, truncated, infos = env.step(actions(env, 1)[0])
    assert truncated.tolist() == [True, False, False] and not terminated.any()
    assert infos['_final_obs'].tolist() == [True, False, False]
    assert infos['final_obs'].shape == env.observation_space.shape
    assert not infos['final_obs'][1:].any() and infos['final_obs'][0].any()
    assert env.env.episode_step.tolist() == [0, 1, 2]
    infos = env.step(actions(env, 1)[0])[-1]
    assert 'final_obs' not in infos and '_final_obs' not in infos


def test_the_final_observation_is_that_of_the_fallen_robot():
    env = opened('mujoco', 4)
    env.reset(seed=1)
    for action in 4.0 * actions(env, 300):
        obs, _, terminated, _, infos = env.step(action)
        if terminated.any():
            break
    fallen = int(np.flatnonzero(terminated)[0])
    assert infos['final_obs'][fallen, GRAVITY][2] > -0.9  # tilted
    assert obs[fallen, GRAVITY][2] < -0.95  # upright again
    assert np.isfinite(infos['final_critic_observation'][fallen]).all()


def test_observing_the_end_of_an_episode_does_not_disturb_the_others():
    """The gait clock and the history advance once a step, not twice."""
    plain, ended = (opened(settings={'observation.history': 2}) for _ in range(2))
    for env in (plain, ended):
        env.reset(seed=1)
        env.env.episode_step.zero_()
    before = plain.env.controller.clock.phase.clone()
    ended.env.episode_step[0] = env.config.terminations.episode_steps - 1
    for env in (plain, ended):
        env.step(actions(env, 1)[0])
    torch.testing.assert_close(ended.env.controller.clock.phase[1:],
                               plain.env.controller.clock.phase[1:])
    period = plain.env.contract.control_period / plain.env.contract.gait.period
    step = torch.remainder(plain.env.controller.clock.phase - before, 1.0)
    assert (torch.isclose(step, torch.tensor(period)) | (step == 0.0)).all()


def test_tensors_stay_tensors_when_asked_for():
    env = opened(arrays='torch')
    obs, _ = env.reset(seed=1)
    found = env.step(torch.zeros(env.action_space.shape))[:4]
    assert all(isinstance(it, torch.Tensor) for it in (obs, *found))
    as_numpy = opened()
    np.testing.assert_array_equal(as_numpy.reset(seed=1)[0], obs.numpy())


def test_gymnasiums_own_wrapper_counts_its_episodes():
    env = RecordEpisodeStatistics(opened(settings={'terminations.episode_steps': 4}))
    env.reset(seed=1)
    for action in actions(env, 8):
        infos = env.step(action)[-1]
        if 'episode' in infos:
            break
    assert infos['episode']['l'][infos['_episode']].max() <= 4


def test_metrics_and_difficulty():
    env = opened()
    env.reset(seed=1)
    env.step(actions(env, 1)[0])
    assert all(np.isfinite(value) for value in env.take_metrics().values())
    env.difficulty = 0.25
    assert env.difficulty == 0.25 == float(env.env.difficulty)


@pytest.mark.parametrize('change, error, message', [
    ({'api': 'gym'}, UnknownNameError, 'there is: gymnasium, rsl_rl'),
    ({'arrays': 'jax'}, UnknownNameError, 'there is: numpy, torch'),
    ({'num_envs': 0}, ConfigError, 'num_envs: found 0, expected 1 or more'),
    ({'settings': {'ppo.gama': 1.0}}, ConfigError, "unknown key 'gama'"),
])
def test_what_does_not_fit_is_refused(change, error, message):
    with pytest.raises(error, match=message):
        hl.make_env('humanoid', **{'num_envs': 1, 'device': 'cpu', **change})


def test_actions_of_another_shape_are_refused():
    env = opened()
    env.reset(seed=1)
    with pytest.raises(ConfigError, match=r'actions: found the shape \(1, 23\), expected \(3, 23'):
        env.step(np.zeros((1, 23), np.float32))
