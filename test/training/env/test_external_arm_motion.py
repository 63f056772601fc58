# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Arms that something else than the policy moves: whose, where to and how fast."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import ROBOT, config, make_env, random_outcome
import torch

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.training.env.external_arm_motion import ExternalArmMotion

N = 2000
CONTRACT = config().contract(ROBOT)
ARM = torch.tensor(['shoulder' in name or 'elbow' in name for name in CONTRACT.joint_names])
DEFAULT, LOWER, UPPER = (torch.as_tensor(CONTRACT.values(key), dtype=torch.float32)
                         for key in ('default', 'lower', 'upper'))


def arms(share: float = 1.0, period: str = '[0.1, 0.3]') -> ExternalArmMotion:
    """Give robots of which the arms of this share are moved."""
    torch.manual_seed(0)
    settings = config(f'randomization.external_arm_motion.share={share}',
                      f'randomization.external_arm_motion.period={period}',
                      'randomization.external_arm_motion.reach=0.5')
    it = ExternalArmMotion(settings.randomization.external_arm_motion, CONTRACT, N, 'cpu')
    it.reset(torch.ones(N, dtype=torch.bool))
    return it


def test_only_the_arms_of_chosen_robots_are_moved():
    it, targets = arms(share=0.25), torch.full((N, CONTRACT.num_actions), 9.0)
    assert float(it.is_moved.float().mean()) == pytest.approx(0.25, abs=0.03)
    changed = it.move(targets) != targets
    assert torch.equal(changed, it.is_moved[:, None] & ARM)


def test_arms_stay_within_their_reach_and_come_near_its_ends():
    it, targets = arms(), torch.zeros(N, CONTRACT.num_actions)
    seen = torch.stack([it.move(targets) for _ in range(60)])[..., ARM]
    half_way_down, half_way_up = (0.5 * (DEFAULT + side)[ARM] for side in (LOWER, UPPER))
    assert torch.all(seen >= half_way_down - 1e-5) and torch.all(seen <= half_way_up + 1e-5)
    width = half_way_up - half_way_down
    assert torch.all(seen.amin((0, 1)) < half_way_down + 0.1 * width)
    assert torch.all(seen.amax((0, 1)) > half_way_up - 0.1 * width)


def test_arms_start_at_the_default_pose_and_move_in_even_steps():
    it, targets = arms(period='[0.2, 0.2]'), torch.zeros(N, CONTRACT.num_actions)
    seen = torch.stack([DEFAULT.expand(N, -1), *(it.move(targets) for _ in range(20))])[..., ARM]
    steps = seen.diff(dim=0)
    assert torch.allclose(steps[:10], steps[:1].expand(10, -1, -1), atol=1e-5)
    assert torch.allclose(steps[10:], steps[10:11].expand(10, -1, -1), atol=1e-5)
    assert not torch.allclose(steps[0], steps[10], atol=1e-3)


def test_a_reset_brings_back_the_default_pose_of_those_reset_alone():
    it, targets = arms(), torch.zeros(N, CONTRACT.num_actions)
    before = [it.move(targets) for _ in range(5)][-1]
    it.reset(torch.arange(N) < N // 2)
    at = it.carried()['arms_at']
    assert torch.equal(at[:N // 2], DEFAULT.expand(N // 2, -1))
    assert torch.equal(at[N // 2:, ARM], before[N // 2:, ARM])


def test_rewards_see_moved_arms_at_rest():
    it, rng = arms(share=0.5), np.random.default_rng(0)
    o = random_outcome(rng, N)
    state, truth = it.at_rest(o.state, o.truth)
    led = it.is_moved[:, None] & ARM
    for seen, was, rest in (
            (state.joint_positions, o.state.joint_positions, DEFAULT.expand(N, -1)),
            (state.joint_velocities, o.state.joint_velocities, torch.zeros(led.shape)),
            (truth.joint_torques, o.truth.joint_torques, torch.zeros(led.shape))):
        assert torch.equal(seen[led], rest[led]) and torch.equal(seen[~led], was[~led])


def test_the_environment_moves_arms():
    env = make_env('randomization.external_arm_motion.share=1.0', 'action.max_delay=0')
    env.reset()
    action = torch.zeros(4, CONTRACT.num_actions)
    moved = env.targets(action).positions != env.targets(action).positions
    assert torch.equal(moved, ARM.expand(4, -1))


def test_a_joint_that_is_not_there_is_refused():
    settings = config('randomization.external_arm_motion.joints=[shoulder, wing]',
                      'randomization.external_arm_motion.share=0.1')
    with pytest.raises(ConfigError, match=r"arm_motion\.joints.*'wing' is part of none of"):
        ExternalArmMotion(settings.randomization.external_arm_motion, CONTRACT, 1, 'cpu')
