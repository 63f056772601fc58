# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every recipe fits its robot: one that stands still is paid for it, and nothing explodes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip('mujoco', minversion='3.3')

from humanoid_locomotion.core.reading.resources import config_file
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.sim.backend import open_backend
from humanoid_locomotion.training.config_file import load_config, read_config
from humanoid_locomotion.training.derived_recipe import derive
from humanoid_locomotion.training.env.env import LocomotionEnv

NUM_ENVS, STEPS = 4, 15


@pytest.fixture(params=['humanoid', 'course', 'unitree_g1', 'unitree_h1', 'unitree_h1_2', 'talos'])
def standing(request):
    """Give each robot's environment, in CPU MuJoCo, without kicks and told to stand.

    The recipe is the robot's own, or derived for a robot without one.
    """
    torch.manual_seed(0)
    robot, own = load_robot(request.param), config_file('training', request.param)
    settings = load_config(own) if own.is_file() else read_config(
        derive(robot, robot.name).data, own)
    contract = settings.contract(robot)
    backend = open_backend('mujoco', robot, NUM_ENVS, settings.physics, contract.joints, 'cpu')
    env = LocomotionEnv(settings, contract, backend, robot.mass, 0)
    env.reset()
    env._pusher.time_left.fill_(1e9)
    env.commands.command.zero_()
    env.commands.time_left.fill_(1e9)
    backend.reset(np.ones(NUM_ENVS, bool), backend.default_state())
    yield env
    backend.close()


def holding(env: LocomotionEnv) -> torch.Tensor:
    """Give the actions whose targets are the default pose."""
    low, high = env.controller.mapper.action_bounds
    default, lower, upper = (env.contract.values(key) for key in ('default', 'lower', 'upper'))
    share = (default - lower) / (upper - lower)
    return torch.as_tensor(low + share * (high - low)).float().repeat(NUM_ENVS, 1)


def test_a_robot_that_stands_earns_more_than_it_pays(standing):
    env, terms = standing, []
    add_up = env.rewards.terms
    env.rewards.terms = lambda outcome: terms.append(add_up(outcome)) or terms[-1]
    env._last_action.copy_(holding(env))
    for _ in range(STEPS):
        result = env.step(holding(env))
        assert not result.terminated.any()
        assert result.obs.abs().max() < 10.0
    per_second = torch.stack(terms).mean((0, 1)) / env.contract.control_period
    paid = dict(zip(env.rewards.names, per_second.tolist()))
    assert min(paid.values()) > -1.0, paid
    weights = env.config.rewards.weights
    for name in {'feet_follow_clock', 'contact_follows_clock', 'alive'} & set(weights):
        assert paid[name] > 0.9 * weights[name].weight, name
    assert sum(paid.values()) > 5.0, paid


def test_the_soles_stand_on_the_floor_and_carry_the_robot(standing):
    env, forces = standing, []
    for _ in range(STEPS):
        env.step(holding(env))
        forces.append(env.backend.truth().sole_forces.sum(-1))
    assert np.abs(env.backend.truth().sole_positions[..., 2]).max() < 0.01
    load = np.mean(forces[STEPS // 2:], 0) / (9.81 * load_robot(env.config.robot).mass)
    assert np.all((load > 0.6) & (load < 1.4)), load


def test_a_robot_shaken_by_noise_stays_finite(standing):
    env = standing
    for _ in range(2 * STEPS):
        result = env.step(torch.randn(NUM_ENVS, env.contract.num_actions))
        assert torch.isfinite(result.obs).all() and torch.isfinite(result.reward).all()
        assert result.obs.abs().max() < 100.0


def test_standing_earns_the_same_on_every_row_of_the_rough_recipe():
    """So every term counts heights from the ground below."""
    config = load_config(config_file('training', 'unitree_g1_rough'))
    assert config.terrain is not None
    robot, count = load_robot(config.robot), len(config.terrain.kinds)
    contract = config.contract(robot)
    backend = open_backend('mujoco', robot, count, config.physics, contract.joints, 'cpu',
                           terrain=config.terrain)
    env = LocomotionEnv(config, contract, backend, robot.mass, 0)
    start, everyone = backend.default_state(), np.ones(count, bool)
    earned = []
    for row in backend.terrain.starts[[0, -1]]:
        env.reset()
        env.episode_step.zero_()
        env._pusher.time_left.fill_(1e9)
        env.commands.command.zero_()
        env.commands.time_left.fill_(1e9)
        backend.reset(everyone, replace(start, base_position=start.base_position + row))
        pose = torch.zeros(count, contract.num_actions)
        earned.append(torch.stack([env.step(pose).reward for _ in range(STEPS)]).sum(0))
    backend.close()
    assert float(earned[0].min()) > 0.0
    assert earned[1].numpy() == pytest.approx(earned[0].numpy(), rel=0.15)
