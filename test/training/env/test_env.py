# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The environment on the fake backend: the promise, the two ends of an episode, isolation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny import CALM, EXACT, ROBOT, config, make_env, put
import torch

from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.state import JointTargets, RobotState
from humanoid_locomotion.training.env.env import LocomotionEnv

N, M = 4, ROBOT.num_joints
LYING = (0.0, 0.0, 0.3)


def actions(steps: int, num_envs: int = N) -> torch.Tensor:
    """Give (steps, num_envs, m): what some policy did."""
    generator = torch.Generator().manual_seed(5)
    return 0.5 * torch.randn(steps, num_envs, M, generator=generator)


def trajectory(env: LocomotionEnv, steps: int = 8, disturb=None, at: int = 3) -> dict:
    """Reset and step an environment; stack what it gave back, and what was commanded."""
    torch.manual_seed(11)
    env.reset()
    env.episode_step.zero_()
    collected = []
    for t, action in enumerate(actions(steps, env.num_envs)):
        if disturb is not None and t == at:
            disturb(env)
        result = env.step(action)
        collected.append({**vars(result), 'command': env.commands.command,
                          'joints': torch.as_tensor(env.backend.state().joint_positions),
                          'episode_step': env.episode_step})
        collected[-1] = {key: value.clone() for key, value in collected[-1].items()}
    return {key: torch.stack([step[key] for step in collected]) for key in collected[0]}


# Shapes.

def figures_of(env) -> dict:
    """Give the means since they were last taken."""
    return env.metrics.means(env.metrics.take().tolist())


def test_a_step_gives_one_row_for_each_robot():
    env = make_env('observation.history=2')
    assert (env.obs_size, env.critic_size) == (160, 30)
    for result in (env.reset(), env.step(torch.zeros(N, M))):
        assert result.obs.shape == (N, 160) and result.critic_observation.shape == (N, 30)
        assert result.reward.shape == (N,) and result.reward.dtype == torch.float32
        assert result.terminated.shape == result.truncated.shape == (N,)
        assert result.terminated.dtype == result.truncated.dtype == torch.bool


def test_the_same_seed_gives_the_same_trajectory():
    first, again = (trajectory(make_env(seed=1)) for _ in range(2))
    for key, value in first.items():
        assert torch.equal(value, again[key]), key
    assert not torch.equal(first['joints'], trajectory(make_env(seed=2))['joints'])


def test_some_robots_begin_new_episodes_and_nothing_advances_for_the_others():
    env = make_env(*EXACT, 'observation.history=2', 'gait={period: 0.8, moving_threshold: 0.0}')
    env.reset()
    for action in actions(3):
        before = env.step(action)
    kept = {name: tensor.clone() for name, tensor in env.carried().items()}
    positions = env.backend.state().joint_positions.copy()
    chosen = torch.tensor([True, False, False, True])
    result = env.reset(chosen)
    assert env.episode_step.tolist() == [0, *kept['episode_step'][1:3].tolist(), 0]
    assert not env.controller.previous_action[chosen].any()
    for name in ('command', 'command_time_left', 'phase', 'frames', 'previous_action'):
        assert torch.equal(env.carried()[name][1:3], kept[name][1:3]), name
    np.testing.assert_array_equal(env.backend.state().joint_positions[1:3], positions[1:3])
    assert not (result.terminated | result.truncated).any() and not result.reward.any()
    assert result.obs.shape == before.obs.shape


# The promise of the package: training sees what the robot will see.

def test_the_robots_own_controller_observes_what_training_observes(monkeypatch):
    env = make_env(*EXACT, 'observation.history=3', 'terminations.episode_steps=7',
                   'commands.resample_period=[0.1, 0.2]')
    on_robot = Controller(env.contract, num_envs=N)
    reset = env.controller.reset

    def reset_both(mask, phase):
        reset(mask, phase)
        on_robot.reset(mask.numpy(), phase.numpy())

    monkeypatch.setattr(env.controller, 'reset', reset_both)
    result, resets = env.reset(), 0
    for action in actions(30):
        expected = on_robot.observe(env.backend.state(), env.commands.command.numpy())
        assert np.allclose(result.obs.numpy(), expected, atol=1e-5)
        on_robot.act(action.numpy())
        result = env.step(action)
        resets += int(result.truncated.sum())
    assert resets > N  # the histories, clocks and actions of resets were compared as well


def test_sensors_err_for_the_actor_and_not_for_the_critic():
    exact, noisy = make_env(*EXACT, 'yaw_rate_integral=null'), make_env('yaw_rate_integral=null')
    for env in (exact, noisy):
        torch.manual_seed(3)
        env.reset()
    on_exact, on_noisy = (env.step(torch.zeros(N, M)) for env in (exact, noisy))
    assert torch.equal(on_exact.critic_observation, on_noisy.critic_observation)
    assert not torch.equal(on_exact.obs, on_noisy.obs)


# The two ends of an episode.

def test_an_episode_is_cut_off_after_its_steps_and_is_no_fall():
    ends = trajectory(make_env('terminations.episode_steps=5', *CALM), steps=11)
    assert not ends['terminated'].any()
    assert ends['truncated'].any(1).nonzero().flatten().tolist() == [4, 9]
    assert ends['truncated'][[4, 9]].all()


def test_first_episodes_start_at_random_moments():
    env = make_env('run.num_envs=200', 'terminations.episode_steps=100')
    env.reset()
    assert 0 <= env.episode_step.min() < 10 and 90 < env.episode_step.max() < 100


def lay_down(env: LocomotionEnv) -> None:
    """Let robot 1 lie on the floor."""
    put(env, 1, base_position=LYING)


def test_a_robot_that_fell_is_terminated_and_not_truncated():
    fell = trajectory(make_env(*CALM), disturb=lay_down)
    assert fell['terminated'].nonzero().tolist() == [[3, 1]]
    assert not fell['truncated'].any()


def test_a_fall_in_the_last_step_is_a_fall():
    fell = trajectory(make_env('terminations.episode_steps=4', *CALM), 4, lay_down)
    assert fell['terminated'][3].tolist() == [False, True, False, False]
    assert fell['truncated'][3].tolist() == [True, False, True, True]


def test_a_fall_is_paid_for_once():
    paid, free = (trajectory(make_env(f'rewards.termination={figure}'), disturb=lay_down)
                  for figure in (-7.0, 0.0))
    difference = paid['reward'] - free['reward']
    assert torch.allclose(difference, -7.0 * paid['terminated'], atol=1e-5)


def test_a_finished_robot_starts_afresh():
    env = make_env(*EXACT, *CALM, 'observation.history=3', 'commands.standing_share=0')
    fell = trajectory(env, steps=4, disturb=lay_down)
    frames = fell['obs'][3, 1].reshape(3, -1)
    assert torch.equal(frames[0], frames[1]) and torch.equal(frames[1], frames[2])
    (last,) = [s for s in env.controller.builder.slices if s.name == 'previous_action']
    assert torch.all(frames[:, last.start:last.stop] == 0.0)
    start = torch.as_tensor(ROBOT.values('default'), dtype=torch.float32)
    assert (fell['joints'][3, 1] - start).abs().max() <= 0.1 + 1e-6
    assert fell['episode_step'][3].tolist() == [4, 0, 4, 4]
    new = (fell['command'][3] != fell['command'][2]).any(-1)
    assert new.tolist() == [False, True, False, False]
    height = torch.as_tensor(env.backend.state().base_position[1, 2])
    assert float(height) == pytest.approx(ROBOT.base_height)


def test_constant_sensor_errors_last_an_episode():
    env = make_env(*(a for a in EXACT if 'encoder_bias' not in a), *CALM)
    fell = trajectory(env, disturb=lay_down)
    (angles,) = [s for s in env.controller.builder.slices
                 if s.name == 'joint_positions_from_default']
    start = torch.as_tensor(ROBOT.values('default'), dtype=torch.float32)
    bias = fell['obs'][..., angles.start:angles.stop] - (fell['joints'] - start)
    changed = ((bias[1:] - bias[:-1]).abs().amax(-1) > 1e-5).nonzero().tolist()
    assert changed == [[2, 1]]  # between the steps 2 and 3, where robot 1 fell


# Isolation: whatever befalls one robot is nothing to the others.

def lose(field: str):
    """Give what makes the simulator lose robot 1."""
    return lambda env: put(env, 1, **{field: np.nan})


@pytest.mark.parametrize('disturb', [
    pytest.param(lay_down, id='fallen'),
    pytest.param(lose('joint_positions'), id='joints lost'),
    pytest.param(lose('base_position'), id='position lost'),
    pytest.param(lose('base_linear_velocity'), id='velocity lost')])
def test_the_others_never_notice(disturb):
    quiet = trajectory(make_env('observation.history=3'))
    disturbed = trajectory(make_env('observation.history=3'), disturb=disturb)
    assert disturbed['terminated'][3, 1] and not quiet['terminated'].any()
    others = [0, 2, 3]
    for key, value in quiet.items():
        assert torch.equal(disturbed[key][:, others], value[:, others]), key


@pytest.mark.parametrize('field', ['joint_positions', 'joint_velocities', 'base_orientation',
                                   'base_angular_velocity', 'base_position',
                                   'base_linear_velocity'])
def test_a_lost_robot_is_quarantined(field):
    env = make_env('observation.history=3')
    lost = trajectory(env, disturb=lose(field))
    for key, value in lost.items():
        assert torch.all(torch.isfinite(value.float())), key
    assert lost['terminated'].nonzero().tolist() == [[3, 1]]
    assert float(lost['reward'][3, 1]) == pytest.approx(env.config.rewards.termination)
    metrics = figures_of(env)
    assert metrics['lost_robots'] == 1.0
    assert all(np.isfinite(value) for value in metrics.values())


# Delay.

def followed(env: LocomotionEnv, monkeypatch, steps: int = 6) -> tuple:
    """Give the targets asked for, with the starting pose first, and those that were followed."""
    env.reset()
    env.episode_step.zero_()
    asked = [torch.as_tensor(env.backend.state().joint_positions)]
    arrived, step = [], env.backend.step

    def record(targets: JointTargets) -> None:
        arrived.append(targets.positions.clone())
        step(targets)

    monkeypatch.setattr(env.backend, 'step', record)
    for action in actions(steps, env.num_envs):
        asked.append(env.controller.mapper.targets(action).positions)
        env.step(action)
    return torch.stack(asked), torch.stack(arrived)


def same(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Tell for which robots two (steps, num_envs, m) agree throughout."""
    return (first == second).all(-1).all(0)


def test_delayed_robots_follow_the_targets_of_the_step_before(monkeypatch):
    asked, arrived = followed(make_env('run.num_envs=40'), monkeypatch)
    prompt, late = same(arrived, asked[1:]), same(arrived, asked[:-1])
    assert torch.all(prompt ^ late)
    assert 10 < int(late.sum()) < 30  # half of them


def test_without_a_delay_every_robot_is_prompt(monkeypatch):
    asked, arrived = followed(make_env('action.max_delay=0'), monkeypatch)
    assert torch.all(same(arrived, asked[1:]))


# What a step is worth.

def test_a_robot_that_does_as_told_earns_more_than_one_that_does_not():
    env = make_env(*CALM, 'randomization.reset_velocity=0', 'randomization.joint_offset=0')
    env.reset()
    env.commands.command.copy_(torch.tensor([[0.0, 0, 0], [1.0, 0, 0], [0, 0, 0.8], [0, 0.4, 0]]))
    env.commands.time_left.fill_(10.0)
    reward = env.step(torch.zeros(N, M)).reward
    assert torch.all(reward[0] > reward[1:])  # the fake robot hangs still


def test_actions_are_compared_with_the_one_before_and_a_reset_forgets_it():
    env = make_env(*EXACT, *CALM, 'rewards.weights={action_rate: -1.0}', 'action.max_delay=0')
    dt = env.contract.control_period
    env.reset()
    env.episode_step.zero_()
    first, second = actions(2)
    rewards = [env.step(action).reward for action in (first, second)]
    assert torch.allclose(rewards[0], -dt * first.square().sum(-1))
    assert torch.allclose(rewards[1], -dt * (second - first).square().sum(-1))
    lay_down(env)
    env.step(second)
    again = env.step(second).reward
    assert torch.allclose(again[[0, 2, 3]], torch.zeros(3))
    assert torch.allclose(again[1], -dt * second[1].square().sum())


def test_metrics_say_what_happened():
    env = make_env(*CALM)
    trajectory(env, steps=8, disturb=lay_down)
    metrics = figures_of(env)
    assert metrics['falls_per_1000_steps'] == pytest.approx(1000.0 / (8 * N))
    assert metrics['episode_length'] == 4.0
    assert metrics['reward/total'] == pytest.approx(sum(
        value for name, value in metrics.items()
        if name.startswith('reward/') and name != 'reward/total'))
    assert {f'reward/{name}' for name in config().rewards.weights} <= set(metrics)
    assert set(figures_of(env).values()) == {0.0}  # read once, counted once


def test_robots_without_a_clock_learn_as_well():
    env = make_env('observation.layout=proprioceptive')
    assert trajectory(env)['obs'].shape == (8, N, 78)
    gaitless = replace(env.config, gait=None)
    assert LocomotionEnv(gaitless, gaitless.contract(ROBOT), env.backend, ROBOT.mass, 0
                         ).reset().obs.shape == (N, 78)


def test_the_actor_needs_no_odometry():
    measured = RobotState(*(np.zeros((1, k), np.float32) for k in (M, M)),
                          np.array([[0, 0, 0, 1]], np.float32), np.zeros((1, 3), np.float32))
    controller = Controller(config().contract(ROBOT))
    assert controller.observe(measured, np.zeros((1, 3))).shape == (1, 80)
