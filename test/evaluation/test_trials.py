# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The protocol, written out: commands, starts, floors and pushes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from policy_factory import make_contract
import pytest

from humanoid_locomotion.core.command import CommandSpec
from humanoid_locomotion.evaluation import trials
from humanoid_locomotion.evaluation.gates import PUSHES
from humanoid_locomotion.evaluation.protocol import FULL, QUICK, PushGroup, Situation

CONTRACT = make_contract()
LIMITS = CommandSpec.of(
    lin_vel_x=(-0.2, 0.8), lin_vel_y=(0.0, 0.0), ang_vel_z=(-1.0, 1.0))


def test_the_protocol_is_what_it_promises():
    assert FULL.version == 4 and len(FULL.commands) == 12
    assert len(FULL.situations) * FULL.situation_runs == 18
    kicks = len(FULL.push_groups) * len(FULL.push_speeds) * FULL.push_runs
    assert kicks == 270 and FULL.push_runs == 10
    assert set(PUSHES.speeds) <= set(FULL.push_speeds)  # the rungs that are judged are climbed
    assert FULL.economy_speeds == (0.5, 1.0)
    assert QUICK.quick and replace(
        QUICK, quick=False, command_runs=8, economy_runs=8, slow_runs=4, standing_runs=32,
        push_runs=10, tour_runs=16) == FULL


@pytest.mark.parametrize('period, substeps', [(0.02, 10), (1 / 60, 9), (0.01, 5), (0.005, 3)])
def test_physics_is_fine_and_fits_the_control_period(period, substeps):
    physics = FULL.physics(period)
    assert physics.substeps == substeps and physics.timestep <= FULL.longest_timestep + 1e-12
    assert physics.control_period == pytest.approx(period)


def test_commands_are_held_for_all_their_runs():
    run = trials.steady(FULL, CONTRACT, [(0.5, 0, 0), (0, 0.3, 0)], 3, [0, 0])
    assert run.commands.shape == (600, 6, 3) and run.num_steps == 600 and run.num_envs == 6
    assert np.all(run.commands == run.commands[0])
    assert run.commands[0, :, 0] == pytest.approx([0.5] * 3 + [0.0] * 3)
    assert np.abs(run.joint_offsets).max() <= 0.05 and run.kicks is None


def test_a_rung_is_kicked_both_ways_at_every_moment_of_the_stride():
    group = PushGroup('walking, sideways', 0.5, 0.5 * np.pi)
    run, step = trials.ladder(FULL, CONTRACT, group, [0, 3])
    assert run.num_envs == 90 and run.num_steps == 350
    assert np.all(run.commands[..., 0] == 0.5)
    kicks = run.kicks.sum(0)  # one kick each
    assert np.count_nonzero(np.abs(run.kicks).sum(-1)) == 90
    assert np.array_equal(np.abs(run.kicks).sum(-1).argmax(0), step)
    assert np.linalg.norm(kicks, axis=1) == pytest.approx(np.repeat(FULL.push_speeds, 10))
    assert kicks[:2] == pytest.approx(np.array([[0.0, 0.5], [0.0, -0.5]]), abs=1e-6)
    assert step[:10].tolist() == [102, 107, 112, 117, 122, 127, 132, 137, 142, 147]
    assert step.max() + 4.0 / 0.02 <= run.num_steps


def test_a_tour_changes_its_mind_and_is_shoved():
    run = trials.tours(FULL, CONTRACT, [0, 4])
    assert run.commands.shape == (3000, 16, 3)
    limits = CONTRACT.command_limits
    assert np.array_equal(limits.clamp(run.commands), run.commands)
    changes = np.any(np.diff(run.commands, axis=0) != 0.0, axis=(1, 2))
    assert np.flatnonzero(changes).tolist() == list(range(199, 2999, 200))
    assert 0.1 < np.all(run.commands == 0.0, axis=2).mean() < 0.3
    speeds = np.linalg.norm(run.kicks, axis=-1)
    assert np.flatnonzero(speeds[:, 0]).tolist() == list(range(250, 3000, 250))
    assert speeds[250] == pytest.approx(0.75)


def test_a_tour_keeps_to_what_the_policy_was_trained_for():
    narrow = replace(CONTRACT, command_limits=LIMITS)
    commands = trials.tours(FULL, narrow, [0, 4]).commands
    assert commands[..., 0].min() == pytest.approx(-0.2) and not np.any(commands[..., 1])


def test_others_move_the_arms_and_nothing_else():
    led = trials.moved_arms(FULL, CONTRACT, 3000, 4, [0, 5])
    is_arm = np.array(['shoulder' in n or 'elbow' in n for n in CONTRACT.joint_names])
    assert np.array_equal(~np.isnan(led[0, 0]), is_arm) and is_arm.sum() == 8
    arms, default = led[..., is_arm], CONTRACT.values('default')[is_arm]
    lower, upper = CONTRACT.values('lower')[is_arm], CONTRACT.values('upper')[is_arm]
    assert arms[0] == pytest.approx(np.tile(default, (4, 1)))
    assert np.all(arms >= default + 0.5 * (lower - default) - 1e-9)
    assert np.all(arms <= default + 0.5 * (upper - default) + 1e-9)
    reach = 0.5 * (upper - lower)
    assert np.all(np.ptp(arms, axis=(0, 1)) > 0.8 * reach)  # they go far
    assert np.abs(np.diff(arms, axis=0)).max() <= reach.max() / 50 + 1e-9  # in a second


def test_situations_are_run_one_after_the_other():
    situations = [Situation('late', (0.5, 0.0, 0.0), payload=4.0, delay=0.02),
                  Situation('noisy', (0.0, 0.3, 0.0), noise=1.0)]
    run = trials.disturbed(FULL, CONTRACT, situations, [0, 7])
    assert run.num_envs == 6 and run.friction is None
    assert run.payload.tolist() == [4.0] * 3 + [0.0] * 3
    assert run.delay.tolist() == [1] * 3 + [0] * 3
    assert run.noise.tolist() == [0.0] * 3 + [1.0] * 3
    assert run.commands[0, 3].tolist() == pytest.approx([0.0, 0.3, 0.0])


def test_floors_of_their_own_are_not_mixed_with_the_models():
    floors = [Situation('ice', (0.3, 0.0, 0.0), friction=0.2)]
    assert trials.disturbed(FULL, CONTRACT, floors, [0]).friction.tolist() == [0.2] * 3
    with pytest.raises(ValueError, match='cannot be run together'):
        trials.disturbed(FULL, CONTRACT, [*floors, Situation('x', (0.0, 0.0, 0.0))], [0])


def test_the_seed_decides_everything():
    for make in (lambda seed: trials.tours(FULL, CONTRACT, seed),
                 lambda seed: trials.ladder(FULL, CONTRACT, FULL.push_groups[0], seed)[0]):
        first, again, other = make([0, 1]), make([0, 1]), make([1, 1])
        assert np.array_equal(first.joint_offsets, again.joint_offsets)
        assert np.array_equal(first.kicks, again.kicks)
        assert not np.array_equal(first.joint_offsets, other.joint_offsets)
