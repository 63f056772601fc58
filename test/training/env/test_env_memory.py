# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The environment's memory from step to step: drift, lasting errors, kicks, velocity feedback."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny import CALM, EXACT, ROBOT, make_env, put
import torch

from humanoid_locomotion.core.feedback.velocity_feedback import GIVE
from humanoid_locomotion.sim.backend import Truth
from humanoid_locomotion.training.env.critic_observation import BLOCKS

N, M = 4, ROBOT.num_joints
LYING = (0.0, 0.0, 0.3)


def test_the_foot_drift_of_standing_robots_builds_up_and_a_fall_forgets_it(monkeypatch):
    env = make_env(*CALM, 'commands.standing_share=1.0', 'commands.straight_share=0.0',
                   'commands.turning_share=0.0')
    env.reset()
    env.episode_step.zero_()
    truth = env.backend.truth

    def sliding() -> Truth:
        true = truth()
        velocities = np.zeros_like(true.sole_velocities)
        velocities[..., 0] = 0.01
        return replace(true, sole_velocities=velocities,
                       sole_forces=np.full_like(true.sole_forces, 200.0))

    monkeypatch.setattr(env.backend, 'truth', sliding)
    drift = env.carried()['foot_drift']
    env.step(torch.zeros(N, M))
    assert torch.count_nonzero(drift) == 0  # they have just started
    env.carried()['transition_steps'].fill_(1000)
    for _ in range(3):
        env.step(torch.zeros(N, M))
    assert torch.allclose(drift[..., 0], torch.tensor(0.01 * (1.0 - 0.98 ** 3)))
    put(env, 1, base_position=LYING)
    assert env.step(torch.zeros(N, M)).terminated.tolist() == [False, True, False, False]
    assert torch.count_nonzero(drift[1]) == 0 and torch.all(drift[[0, 2, 3], :, 0] > 0.0)


def test_a_lasting_error_builds_up_and_a_fall_forgets_it():
    env = make_env(*CALM, 'commands.standing_share=0.0', 'commands.straight_share=0.0',
                   'commands.turning_share=0.0')
    env.reset()
    env.episode_step.zero_()
    sizes = []
    env.step(torch.zeros(N, M))
    env.carried()['transition_steps'].fill_(1000)
    for _ in range(3):
        seen = env.step(torch.zeros(N, M)).critic_observation
        sizes.append(env.carried()['tracking_error'].norm(dim=-1).clone())
    assert torch.all(sizes[0] > 0.0) and torch.all(sizes[2] > sizes[0])
    start = sum(len(block.source) for block in BLOCKS[:5])
    assert torch.allclose(seen[:, start:start + 3], 5.0 * env.carried()['tracking_error'])
    put(env, 1, base_position=LYING)
    assert env.step(torch.zeros(N, M)).terminated.tolist() == [False, True, False, False]
    error = env.carried()['tracking_error']
    assert torch.count_nonzero(error[1]) == 0 and torch.all(error[[0, 2, 3]].norm(dim=-1) > 0.0)


@pytest.mark.parametrize('speed, yaw_rate', [(1.0, 0.0), (0.0, 1.0)])
def test_a_kick_is_no_error_of_the_robot(speed, yaw_rate):
    env = make_env(f'randomization.push_velocity={speed}',
                   f'randomization.push_yaw_rate={yaw_rate}',
                   'randomization.push_period=[5.0, 9.0]')
    env.reset()
    env.episode_step.zero_()
    kept = env.carried()
    kept['tracking_error'].fill_(0.1)
    kept['transition_command'].copy_(kept['command'])
    kept['transition_steps'].fill_(1000)
    kept['command_time_left'].fill_(9.0)
    kept['push_time_left'].copy_(torch.tensor([9.0, 0.0, 9.0, 9.0]))
    seen = env.step(torch.zeros(N, M)).critic_observation
    assert kept['transition_steps'].tolist() == [[1001, 1001], [1001, 0], [1001, 1001],
                                                 [1001, 1001]]
    start = sum(len(block.source) for block in BLOCKS[:7])
    assert seen[:, start:start + 2].tolist() == [[0.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
    env.step(torch.zeros(N, M))
    assert (kept['tracking_error'] != 0.0).any(-1).tolist() == [True, False, True, True]


def test_training_closes_the_loops_over_the_velocity_and_the_critic_sees_them():
    env = make_env(*EXACT, *CALM, 'commands.standing_share=0.0', 'commands.straight_share=0.0',
                   'commands.turning_share=0.0', 'yaw_rate_integral={gain: 1.0, limit: 0.05}',
                   'linear_velocity_loop={gain: 0.5, limit: 0.04, damping: 0.0, stiffness: 0.0}')
    env.reset()
    for _ in range(20):
        result = env.step(torch.zeros(N, M))
    correction = env.carried()['command_correction']
    largest = correction.abs().amax(0)
    assert (largest > 0.0).all() and (largest <= torch.tensor([0.04, 0.04, 0.05])).all()
    start = next(s.start for s in env.controller.builder.slices if s.name == 'velocity_command')
    asked, limits = env.commands.command, env.contract.command_limits
    corrected = limits.clamp(asked + correction)
    assert torch.allclose(result.obs[:, start:start + 3], corrected)
    at = sum(len(block.source) for block in BLOCKS[:8])
    assert torch.allclose(result.critic_observation[:, at:at + 3], 5.0 * correction)


def test_who_stands_in_training_is_held_where_it_is_over_its_feet():
    env = make_env(*EXACT, *CALM, 'commands.standing_share=1.0', 'commands.straight_share=0.0',
                   'commands.turning_share=0.0',
                   'linear_velocity_loop={gain: 0.5, limit: 0.2, damping: 0.0, stiffness: 4.0}')
    env.reset()
    assert env.carried()['standing_place'].isfinite().all()  # it has one from the first look on
    for _ in range(20):
        env.step(0.5 * torch.randn(N, M))
    correction = env.carried()['command_correction']
    assert correction[:, :2].any() and not correction[:, 2].any()
    assert correction.abs().max() <= 4.0 * GIVE
