# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The course's environments: the training environment, with the course's methods."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

pytest.importorskip('torch')
pytest.importorskip('mujoco')

import torch

import humanoid_locomotion as hl
from humanoid_locomotion.core.errors import ConfigError, UnknownNameError
from humanoid_locomotion.core.reading.config import to_mapping
from humanoid_locomotion.core.reading.resources import config_file
from humanoid_locomotion.course import FallbackHumanoidEnv, HumanoidEnvConfig, HumanoidIsaacEnv
from humanoid_locomotion.course import envs as module
from humanoid_locomotion.course.config import REWARD_TERMS
from humanoid_locomotion.course.values import arrays
from humanoid_locomotion.training.config_file import load_config
from humanoid_locomotion.training.run.options import Choice

N = 3


@pytest.fixture
def env(monkeypatch):
    """Give an environment of three robots that float in a fake simulator."""
    monkeypatch.setattr(FallbackHumanoidEnv, 'wanted', 'fake')
    opened = FallbackHumanoidEnv(HumanoidEnvConfig(num_envs=N, max_episode_length=6))
    yield opened
    opened.close()


def test_its_defaults_are_the_task_of_the_training_config():
    task, _ = HumanoidEnvConfig().training_config()
    expected = load_config(config_file('training', 'course'))
    assert task.physics.control_period == pytest.approx(0.0167) and task.physics.substeps == 5
    assert to_mapping(replace(task, run=expected.run)) == to_mapping(expected)
    assert task.run.num_envs == 4096


@pytest.mark.parametrize('key', REWARD_TERMS)
def test_a_weight_scales_its_family_of_terms_and_no_other(key):
    task, _ = HumanoidEnvConfig().training_config()
    value = 2.0 * getattr(HumanoidEnvConfig(), key)
    changed, _ = HumanoidEnvConfig(**{key: value}).training_config()
    for term, reward in task.rewards.weights.items():
        factor = 2.0 if term in REWARD_TERMS[key] else 1.0
        assert changed.rewards.weights[term].weight == pytest.approx(factor * reward.weight), term


def test_every_other_value_reaches_the_task():
    task, _ = HumanoidEnvConfig(
        num_envs=7, dt=0.02, sim_substeps=4, max_episode_length=300, height_threshold=0.4,
        orientation_threshold=1.0).training_config()
    assert (task.run.num_envs, task.physics.substeps) == (7, 4)
    assert task.physics.timestep == pytest.approx(0.005)
    limits = task.terminations
    assert (limits.episode_steps, limits.base_height, limits.tilt) == (300, 0.4, 1.0)
    covered = {'num_envs', 'num_obs', 'num_actions', 'dt', 'sim_substeps', 'max_episode_length',
               'height_threshold', 'orientation_threshold', *REWARD_TERMS}
    assert {it.name for it in fields(HumanoidEnvConfig)} == covered


@pytest.mark.parametrize('change, message', [
    ({'num_obs': 75}, r'num_obs: found 75, expected 93.*docs/course.md'),
    ({'num_actions': 23}, 'num_actions: found 23, expected 39'),
    ({'num_envs': '8'}, "num_envs: found '8', expected a whole number"),
    ({'num_envs': 8.0}, 'num_envs: found 8.0'), ({'max_episode_length': True}, 'found True'),
    ({'dt': 'fast'}, "dt: found 'fast', expected a finite number"),
    ({'dt': float('inf')}, 'dt: found inf, expected a finite number'),
    ({'num_envs': 0}, 'num_envs must be 1 to'), ({'sim_substeps': 0}, 'sim_substeps must be 1'),
    ({'dt': 0.0}, 'dt must be above 0'), ({'dt': float('nan')}, 'dt must be above 0, found nan'),
    ({'energy_penalty_weight': -1.0}, 'energy_penalty_weight must be 0 or more')])
def test_a_value_that_does_not_fit_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        HumanoidEnvConfig(**change)


def test_an_unknown_field_is_refused_with_the_closest_one():
    with pytest.raises(UnknownNameError, match=r"'num_env' \(did you mean 'num_envs'\?\)"):
        HumanoidEnvConfig(num_env=8)


def test_without_a_gpu_128_robots_in_mujoco_take_over(capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    env = HumanoidIsaacEnv()
    assert (env.backend, env.num_envs, env.config.num_envs) == ('mujoco', 128, 4096)
    assert env.device == 'cpu'
    assert capsys.readouterr().out == ('HumanoidIsaacEnv: 128 robots in mujoco, on the CPU, since '
                                       'PyTorch can use no GPU\n')


@pytest.mark.parametrize('chosen, robots', [('isaacgym', 4096), ('mujoco_warp', 4096)])
def test_it_takes_what_auto_takes(monkeypatch, chosen, robots):
    monkeypatch.setattr(module, 'automatic', lambda device: Choice(chosen, 'as auto does', 65536))
    env = HumanoidIsaacEnv()
    assert (env.backend, env.num_envs) == (chosen, robots)


def test_in_isaac_gym_it_is_the_same_task(monkeypatch):
    """On the fake one, which reports what the real one forbids."""
    import fake_gym
    fake_gym.install()
    fake_gym.violations()
    monkeypatch.setattr(HumanoidIsaacEnv, 'wanted', 'isaacgym')
    monkeypatch.setattr(HumanoidIsaacEnv, 'device', 'cpu')
    env = HumanoidIsaacEnv(HumanoidEnvConfig(num_envs=2))
    env.create_envs()
    assert env.backend == 'isaacgym' and env.reset().shape == (2, 93)
    obs, rewards, dones, _ = env.step(torch.zeros(2, 39))
    assert torch.isfinite(obs).all() and torch.isfinite(rewards).all() and not dones.any()
    env.close()
    assert fake_gym.violations() == []


def test_an_episode_by_the_calls_of_the_course(env):
    assert env.create_humanoid_assets().name == 'course'
    env.create_envs(env_spacing=2.0)
    first = env.reset()
    assert first.shape == (N, 93) and env.actions.shape == (N, 39)
    for step in range(1, 8):
        obs, rewards, dones, info = env.step(torch.full((N, 39), 0.1))
        assert obs.shape == (N, 93) and rewards.shape == dones.shape == (N,)
        assert torch.equal(dones, info['terminated'] | info['truncated'])
        assert dones.all() == dones.any() == (step == 6)  # max_episode_length
        assert torch.equal(obs[:, 51:90], torch.zeros(N, 39) if step == 6 else env.actions)
        assert torch.equal(obs, env.obs) and torch.equal(rewards, env.rewards)
    assert obs[:, 2].mean() == pytest.approx(0.9, abs=0.05)  # height of the base [m]


@pytest.mark.parametrize('name, shape', [('obs', (N, 93)), ('actions', (N, 39)),
                                         ('rewards', (N,)), ('dones', (N,))])
def test_the_tensors_need_no_call_before(env, name, shape):
    assert env.env is None and getattr(env, name).shape == shape
    assert getattr(env, name).device.type == env.device


def test_a_name_that_it_does_without_is_told_where_to_look(env):
    with pytest.raises(AttributeError, match=r"has no 'reset_buf'; docs/course.md"):
        env.reset_buf  # noqa: B018
    assert env.env is None


@pytest.mark.parametrize('arguments, message', [
    (({'num_envs': 2},), r"config: found {'num_envs': 2}, expected a HumanoidEnvConfig"),
    ((HumanoidEnvConfig,), 'config: found <class .*expected a HumanoidEnvConfig'),
    ((None, -1), 'seed: found -1, expected a whole number'), ((None, 'a'), "seed: found 'a'")])
def test_arguments_of_another_kind_are_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        FallbackHumanoidEnv(*arguments)


def test_step_needs_no_reset_before(env):
    assert env.step(torch.zeros(N, 39))[0].shape == (N, 93)


def test_some_robots_are_reset_the_others_go_on(env):
    env.reset()
    for _ in range(3):
        env.step(torch.full((N, 39), 0.1))
    obs = env.reset(torch.tensor([1]))
    assert obs[1, 51:90].abs().max() == 0.0 and torch.all(obs[[0, 2], 51:90] == 0.1)
    assert [int(env.env.episode_step[i]) for i in range(N)] == [3, 0, 3]
    dones = [env.step(torch.zeros(N, 39))[2].tolist() for _ in range(6)]
    assert [any(row[i] for row in dones[:3]) for i in range(N)] == [True, False, True]
    assert dones[5][1]


@pytest.mark.parametrize('ids, robots', [
    (torch.tensor([True, False, True]), [0, 2]), ([False, True, False], [1]),
    (torch.tensor([[0], [2]]), [0, 2]), (range(2), [0, 1]), (1, [1]), ([], []),
    (np.array([2]), [2]), (np.array([False] * N), []), (None, [0, 1, 2])])
def test_robots_are_named_by_indices_or_a_mask(env, ids, robots):
    env.reset()
    env.step(torch.zeros(N, 39))
    env.reset(ids)
    assert [i for i in range(N) if env.env.episode_step[i] == 0] == robots


@pytest.mark.parametrize('ids', [[3], [-1], [0, 99], [1.5], [float('nan')], [True, False], True,
                                 'all', {0, 1}, [10 ** 30]])
def test_a_robot_that_is_not_there_cannot_be_reset(env, ids):
    with pytest.raises(ConfigError, match=r'env_ids: found .*expected indices from 0 to 2, or 3'):
        env.reset(ids)


def test_actions_of_another_shape_are_refused(env):
    with pytest.raises(ConfigError, match=r'found the shape \(3, 23\), expected \(39,\) or'):
        env.step(torch.zeros(N, 23))
    with pytest.raises(ConfigError, match=r'found the shape \(2, 39\), expected \(3, 39\)'):
        env.step(torch.zeros(2, 39))


@pytest.mark.parametrize('actions, message', [
    (torch.full((N, 39), float('nan')), r'actions: found tensor.*expected finite numbers'),
    (None, 'actions: found None, expected numbers'), ('walk', "found 'walk', expected numbers"),
    ([[0.0] * 39, [0.0]], 'actions: found .*expected numbers')])
def test_actions_that_are_no_numbers_are_refused_before_a_step(env, actions, message):
    before = env.reset()
    with pytest.raises(ConfigError, match=message):
        env.step(actions)
    assert torch.equal(env.obs, before) and not env.actions.any()


def test_a_step_on_a_gpu_does_not_read_the_actions_on_the_host():
    there = torch.empty(N, 39, device='meta')  # a tensor without values: reading them raises
    (found,) = arrays('step', {'actions': there}, {'actions': 39}, there)
    assert found.shape == (N, 39) and found.device.type == 'meta'


@pytest.mark.parametrize('convert', [torch.Tensor.numpy, torch.Tensor.tolist, lambda it: it[0],
                                     torch.Tensor.double, torch.Tensor.requires_grad_])
def test_actions_may_be_arrays_lists_or_one_for_all_robots(env, convert):
    env.reset()
    obs, *_ = env.step(convert(torch.full((N, 39), 0.25)))
    assert torch.all(env.actions == 0.25) and torch.all(obs[:, 51:90] == 0.25)
    assert not env.actions.requires_grad and not obs.requires_grad


def test_what_is_returned_is_not_changed_later(env):
    kept = env.reset()
    copy = kept.clone()
    env.step(torch.ones(N, 39))
    assert torch.equal(kept, copy)


def earned(walks: bool, steps: int = 100) -> tuple[float, float, int]:
    """Run the humanoid's policy, or hold the default pose, at a command of 0.5 m/s forward.

    Returns:
        Reward per second, forward velocity [m/s], and the number of falls, hands at rest.
    """
    torch.manual_seed(1)  # of the sampled noise, delays and moved arms
    env = FallbackHumanoidEnv(HumanoidEnvConfig(num_envs=2, dt=0.02, sim_substeps=6))
    env.reset()
    task, robot = env.env, env.humanoid_asset
    task._pusher.time_left.fill_(1e9)
    task.commands.time_left.fill_(1e9)
    task.commands.command.copy_(torch.tensor([[0.5, 0.0, 0.0]] * 2))
    controller = hl.open_policy('humanoid').controller(2)
    lower, upper, default = (robot.values(key) for key in ('lower', 'upper', 'default'))
    rewards, speeds, falls = [], [], 0
    for step in range(steps):
        state = task.backend.state()
        targets = np.tile(default, (2, 1))
        if walks:
            targets[:, :23] = controller.step(replace(
                state, joint_positions=state.joint_positions[:, :23],
                joint_velocities=state.joint_velocities[:, :23]), (0.5, 0.0, 0.0)).positions
        _, reward, _, info = env.step(2.0 * (targets - lower) / (upper - lower) - 1.0)
        falls += int(info['terminated'].sum())
        if step >= steps // 2:
            rewards.append(float(reward.mean()) / 0.02)
            speeds.append(float(task.backend.truth().base_linear_velocity[:, 0].mean()))
    env.close()
    return float(np.mean(rewards)), float(np.mean(speeds)), falls


def test_walking_is_possible_in_the_task_and_earns_the_most():
    """The robot is the humanoid, so the humanoid's policy walks it, in the course's actions."""
    pytest.importorskip('onnxruntime')
    walking, speed, falls = earned(walks=True)
    assert 0.35 < speed < 0.6 and falls == 0
    assert walking > 5.5 > 1.5 * earned(walks=False, steps=60)[0]
