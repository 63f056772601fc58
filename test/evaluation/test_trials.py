"""The protocol, written out: commands, starts, floors and pushes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from policy_factory import make_contract
import pytest

from humanoid_locomotion.core.command import CommandLimits
from humanoid_locomotion.evaluation import trials
from humanoid_locomotion.evaluation.protocol import FULL, QUICK

CONTRACT = make_contract()
LIMITS = CommandLimits((-0.2, 0.8), (0.0, 0.0), (-1.0, 1.0))


def test_the_protocol_is_what_it_promises():
    assert len(FULL.response_commands) == 12
    assert set(FULL.gated_commands) <= set(FULL.response_commands)
    assert FULL.walk_runs == 100 and FULL.walk_time == 20.0
    assert 2 * FULL.push_runs * FULL.push_directions == 160
    assert QUICK.quick and replace(
        QUICK, quick=False, response_runs=8, economy_runs=8, standing_runs=32, walk_runs=100,
        push_runs=10) == FULL


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
    assert np.abs(run.joint_offsets).max() <= 0.05 and run.kick is None


def test_random_walks_stay_in_the_trained_range_and_change_every_five_seconds():
    run = trials.random_walks(FULL, CONTRACT, [0, 1])
    assert run.commands.shape == (1000, 100, 3)
    limits = CONTRACT.command_limits
    assert np.array_equal(limits.clamp(run.commands), run.commands)
    changes = np.any(np.diff(run.commands, axis=0) != 0.0, axis=(1, 2))
    assert np.flatnonzero(changes).tolist() == [249, 499, 749]
    standing = np.all(run.commands == 0.0, axis=2).mean()
    assert 0.1 < standing < 0.3
    assert 0.4 <= run.friction.min() < 0.5 and 1.1 < run.friction.max() <= 1.2
    assert 0.9 <= run.mass_scale.min() < 0.92 and 1.08 < run.mass_scale.max() <= 1.1


def test_pushes_come_from_everywhere_at_every_moment_of_the_stride():
    run = trials.pushes(FULL, CONTRACT, 0.5, [0, 3])
    assert run.num_envs == 80 and run.num_steps == 350
    assert np.linalg.norm(run.kick, axis=1) == pytest.approx(0.6)
    assert run.kick[:10] == pytest.approx(np.tile([0.6, 0.0, 0.0], (10, 1)))
    assert run.kick[20] == pytest.approx([0.0, 0.6, 0.0], abs=1e-6)  # towards the left
    assert run.kick_step[:10].tolist() == [102, 107, 112, 117, 122, 127, 132, 137, 142, 147]
    assert run.kick_step.max() + 4.0 / 0.02 <= run.num_steps


def test_the_seed_decides_everything():
    for make in (lambda seed: trials.random_walks(FULL, CONTRACT, seed),
                 lambda seed: trials.pushes(FULL, CONTRACT, 0.0, seed)):
        first, again, other = make([0, 1]), make([0, 1]), make([1, 1])
        assert np.array_equal(first.joint_offsets, again.joint_offsets)
        assert np.array_equal(first.commands, again.commands)
        assert not np.array_equal(first.joint_offsets, other.joint_offsets)


def test_commands_outside_the_limits_are_told():
    assert trials.within((0.8, 0.0, -1.0), LIMITS)
    assert not trials.within((1.0, 0.0, 0.0), LIMITS)
    assert not trials.within((0.0, 0.3, 0.0), LIMITS)


def test_speeds_move_into_the_range():
    assert trials.nearest_forward((0.5, 1.0), LIMITS) == [0.5, 0.8]
    assert trials.nearest_forward((0.9, 1.0), LIMITS) == [0.8]
    assert trials.nearest_forward((0.5,), CommandLimits((0, 0), (0, 0), (-1, 1))) == []
