# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The one observation builder: layouts index by index, history, and NumPy against PyTorch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from samples import as_torch, command, contract, row, state

from humanoid_locomotion.core.command import GaitSpec
from humanoid_locomotion.core.contract import ObservationSpec, TermSpec
from humanoid_locomotion.core.errors import ConfigError, LocomotionError, UnknownNameError
from humanoid_locomotion.core.observation import ObservationBuilder
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.core.terms import (
    LAYOUTS,
    TERMS,
    Moment,
    needs_odometry,
    register_observation,
)


def moment(rng, num_envs, num_joints, gait=None):
    """Give a random moment."""
    action = rng.normal(size=(num_envs, num_joints)).astype(np.float32)
    return Moment(state(rng, num_envs, num_joints), command(rng, num_envs), action, gait)


def only(term: TermSpec, **changes):
    """Give a contract that observes one term."""
    return contract(observation=ObservationSpec('one', (term,)), **changes)


def test_the_full_state_layout_is_that_of_the_course_index_by_index():
    n, m = 19, 39
    builder = ObservationBuilder(contract(num_joints=m, layout='full_state', observed=n))
    now = moment(np.random.default_rng(0), 1, m)
    obs = builder.build(now)
    assert obs.shape == (1, 93) and builder.size == 93 and obs.dtype == np.float32
    observed = slice(m - n, m)
    expected = np.full(93, np.nan)
    expected[0:3] = now.state.base_position[0]
    expected[3:6] = now.state.base_linear_velocity[0] / 5
    expected[6:10] = now.state.base_orientation[0]
    expected[10:13] = now.state.base_angular_velocity[0] / 5
    expected[13:32] = now.state.joint_positions[0, observed]
    expected[32:51] = now.state.joint_velocities[0, observed] / 10
    expected[51:90] = now.previous_action[0]
    expected[90:93] = now.command[0]
    for i in range(93):
        assert obs[0, i] == pytest.approx(expected[i], abs=1e-6), i


def test_slices_say_where_each_term_lies():
    builder = ObservationBuilder(contract(num_joints=39, layout='full_state', observed=19))
    assert [(s.name, s.start, s.stop) for s in builder.slices] == [
        ('base_position', 0, 3), ('base_linear_velocity', 3, 6), ('base_orientation', 6, 10),
        ('base_angular_velocity', 10, 13), ('joint_positions', 13, 32),
        ('joint_velocities', 32, 51), ('previous_action', 51, 90), ('velocity_command', 90, 93)]


@pytest.mark.parametrize('n', [1, 19, 23])
@pytest.mark.parametrize('history', [1, 5])
def test_widths_of_the_proprioceptive_layouts_follow_from_the_joints(n, history):
    plain = ObservationBuilder(contract(num_joints=n, history=history))
    clocked = ObservationBuilder(
        contract(num_joints=n, layout='proprioceptive_clock', history=history))
    assert plain.size == history * (3 + 3 + 3 + 3 * n)
    assert clocked.size == plain.size + 2 * history


def test_the_proprioceptive_layout_in_worked_numbers():
    n = 4
    now = moment(np.random.default_rng(1), 1, n)
    obs = ObservationBuilder(contract(num_joints=n)).build(now)[0]
    x, y, z, w = now.state.base_orientation[0].astype(float)
    assert obs[0:3] == pytest.approx(now.state.base_angular_velocity[0])
    assert obs[3:6] == pytest.approx(
        [2 * (w * y - x * z), -2 * (y * z + w * x), 2 * (x * x + y * y) - 1], abs=1e-5)
    assert obs[6:9] == pytest.approx(now.command[0])
    assert obs[9:13] == pytest.approx(now.state.joint_positions[0] - [0.0, 0.1, 0.2, 0.3],
                                      abs=1e-6)
    assert obs[13:17] == pytest.approx(now.state.joint_velocities[0])
    assert obs[17:21] == pytest.approx(now.previous_action[0])


@pytest.mark.parametrize('layout', sorted(LAYOUTS))
def test_numpy_and_torch_build_the_same_over_twenty_steps(layout):
    torch = pytest.importorskip('torch')
    rng, num_envs, n = np.random.default_rng(2), 6, 7
    it = contract(num_joints=n, layout=layout, history=5)
    on_numpy = ObservationBuilder(it, num_envs)
    on_torch = ObservationBuilder(it, num_envs, torch.zeros(0))
    for step in range(20):
        gait = rng.normal(size=(num_envs, 2)).astype(np.float32)
        now = moment(rng, num_envs, n, gait)
        expected = on_numpy.build(now)
        got = on_torch.build(Moment(
            as_torch(now.state), torch.as_tensor(now.command),
            torch.as_tensor(now.previous_action), torch.as_tensor(gait)))
        assert np.allclose(got.numpy(), expected, atol=1e-6), step
        mask = rng.random(num_envs) < 0.2
        on_numpy.reset(mask)
        on_torch.reset(torch.as_tensor(mask))


def test_a_batch_of_one_equals_a_row_of_many():
    rng, num_envs, n = np.random.default_rng(3), 5, 4
    it = contract(num_joints=n, history=3)
    many = ObservationBuilder(it, num_envs)
    ones = [ObservationBuilder(it) for _ in range(num_envs)]
    for _ in range(6):
        now = moment(rng, num_envs, n)
        together = many.build(now)
        for i, one in enumerate(ones):
            alone = one.build(Moment(row(now.state, i), now.command[i:i + 1],
                                     now.previous_action[i:i + 1]))
            assert np.allclose(alone[0], together[i], atol=1e-6)


def test_history_is_oldest_first_and_starts_filled_with_the_first_frame():
    builder = ObservationBuilder(contract(
        observation=ObservationSpec('one', (TermSpec('velocity_command'),), history=3)))
    rng = np.random.default_rng(4)
    frames = []
    for _ in range(4):
        now = moment(rng, 1, 4)
        frames.append(now.command[0])
        obs = builder.build(now).reshape(3, 3).copy()
        last = ([frames[0]] * 2 + frames)[-3:]
        assert obs == pytest.approx(np.array(last))


def test_a_history_by_term_is_that_by_frame_in_another_order():
    frames, terms = (contract(history=3, observation=ObservationSpec(
        'one', (TermSpec('projected_gravity'), TermSpec('joint_velocities', 0.5)), 3,
        history_order=order)) for order in (None, 'term'))
    rng, by_frame, by_term = np.random.default_rng(4), *(
        ObservationBuilder(it, 2) for it in (frames, terms))
    for _ in range(5):
        now = moment(rng, 2, 4)
        joined = by_frame.build(now).reshape(2, 3, 3 + 4)
        expected = np.concatenate((joined[:, :, :3].reshape(2, -1),
                                   joined[:, :, 3:].reshape(2, -1)), axis=1)
        assert np.array_equal(by_term.build(now), expected)


def test_each_number_of_a_term_may_have_a_scale_of_its_own():
    now = moment(np.random.default_rng(3), 2, 4)
    obs = ObservationBuilder(only(TermSpec('velocity_command', (2.0, 2.0, 0.25)))).build(now)
    assert obs == pytest.approx(now.command * [2.0, 2.0, 0.25])
    with pytest.raises(ConfigError, match='command: scale: found 2 numbers, expected one, or 3'):
        ObservationBuilder(only(TermSpec('velocity_command', (1.0, 2.0))))


def test_clocks_and_commands_of_other_stacks_in_worked_numbers():
    now = replace(moment(np.random.default_rng(3), 1, 4),
                  gait=np.array([[0.6, 0.8, -0.6, -0.8]], np.float32))
    expected = {'gait_clock': [0.6, 0.8], 'leg_phase_sines': [0.6, -0.6],
                'leg_phase_cosines': [0.8, -0.8], 'linear_velocity_command': now.command[0, :2],
                'yaw_rate_command': now.command[0, 2:]}
    for name, numbers in expected.items():
        obs = ObservationBuilder(only(TermSpec(name), gait=GaitSpec(0.8, 0.1))).build(now)
        assert obs[0] == pytest.approx(numbers), name


def test_a_reset_refills_its_own_history_and_no_other():
    it = contract(observation=ObservationSpec('one', (TermSpec('velocity_command'),), history=3))
    rng = np.random.default_rng(5)
    disturbed, untouched = ObservationBuilder(it, 3), ObservationBuilder(it, 3)
    for _ in range(4):
        now = moment(rng, 3, 4)
        disturbed.build(now), untouched.build(now)
    disturbed.reset(np.array([False, True, False]))
    now = moment(rng, 3, 4)
    got, expected = disturbed.build(now).copy(), untouched.build(now).copy()
    assert np.array_equal(got[[0, 2]], expected[[0, 2]])
    assert got[1].reshape(3, 3) == pytest.approx(np.tile(now.command[1], (3, 1)))
    now = moment(rng, 3, 4)  # the step after, history moves on as everywhere
    assert disturbed.build(now)[1, 6:] == pytest.approx(now.command[1])


def test_a_term_is_clipped_before_it_is_scaled():
    builder = ObservationBuilder(only(TermSpec('joint_velocities', scale=0.1, clip=2.0)))
    now = moment(np.random.default_rng(6), 1, 4)
    velocities = np.array([[-50.0, -1.0, 1.5, 3.0]], np.float32)
    now = Moment(RobotState(**{**vars(now.state), 'joint_velocities': velocities}),
                 now.command, now.previous_action)
    assert builder.build(now)[0] == pytest.approx([-0.2, -0.1, 0.15, 0.2])


def test_an_unknown_term_lists_those_that_exist():
    with pytest.raises(UnknownNameError, match=r"'joint_position' \(did you mean 'joint_positio"):
        ObservationBuilder(only(TermSpec('joint_position')))


def test_terms_say_what_they_lack():
    now = moment(np.random.default_rng(7), 1, 4)
    bare = RobotState(*(getattr(now.state, key) for key in (
        'joint_positions', 'joint_velocities', 'base_orientation', 'base_angular_velocity')))
    builder = ObservationBuilder(contract(layout='full_state'))
    with pytest.raises(LocomotionError, match='base_position needs odometry'):
        builder.build(Moment(bare, now.command, now.previous_action))
    with pytest.raises(LocomotionError, match='gait_clock needs a contract with a gait'):
        ObservationBuilder(only(TermSpec('gait_clock')))


def test_only_the_full_state_asks_for_odometry():
    assert {layout: needs_odometry(contract(layout=layout)) for layout in LAYOUTS} == {
        'proprioceptive': False, 'proprioceptive_clock': False, 'full_state': True}


@pytest.fixture
def terms():
    """Forget what a test registers."""
    known = dict(TERMS)
    yield
    TERMS.clear()
    TERMS.update(known)


def test_a_term_of_ones_own_is_observed_and_says_whether_it_needs_odometry(terms):
    @register_observation((1.0, -1.0), needs_odometry=True)
    def horizontal_velocity(moment, _):
        return moment.state.base_linear_velocity[:, :2]

    it = only(TermSpec('horizontal_velocity', scale=2.0))
    now = moment(np.random.default_rng(8), 1, 4)
    assert ObservationBuilder(it).build(now)[0] == pytest.approx(
        2.0 * now.state.base_linear_velocity[0, :2])
    assert needs_odometry(it)


def test_a_name_is_registered_once():
    with pytest.raises(LocomotionError, match="observation term 'gait_clock' is registered alr"):
        register_observation((1.0,), name='gait_clock')(lambda moment, _: moment.gait)
