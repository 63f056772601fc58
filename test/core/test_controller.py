# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The control step: its two halves, its memory, and what a reset forgets."""

from __future__ import annotations

import numpy as np
import pytest
from samples import LEGS, as_torch, command, contract, row, state

from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.feedback.velocity_feedback import IntegralSpec, LinearLoopSpec

N, M = 4, 5  # robots, joints
MIX = np.random.default_rng(9).normal(size=(300, M)).astype(np.float32)


def linear_policy(obs):
    """Stand in for a network."""
    weights = MIX[:obs.shape[1]]
    return 0.1 * (obs @ (weights if isinstance(obs, np.ndarray) else obs.new_tensor(weights)))


@pytest.fixture
def it():
    """Give a contract with everything that a controller remembers."""
    return contract(num_joints=M, layout='proprioceptive_clock', history=3,
                    yaw_rate_integral=IntegralSpec(1.0, 0.2),
                    linear_velocity_loop=LinearLoopSpec(0.5, 0.2, 0.5, 4.0), legs=LEGS)


def test_step_is_observe_then_act(it):
    rng = np.random.default_rng(0)
    whole, halves = Controller(it, linear_policy, N), Controller(it, num_envs=N)
    for _ in range(10):
        now, asked = state(rng, N, M), command(rng, N)
        targets = whole.step(now, asked)
        again = halves.act(linear_policy(halves.observe(now, asked)))
        assert np.array_equal(targets.positions, again.positions)


def test_numpy_and_torch_control_alike(it):
    torch = pytest.importorskip('torch')
    rng = np.random.default_rng(1)
    on_numpy = Controller(it, linear_policy, N)
    on_torch = Controller(it, linear_policy, N, torch.zeros(0))
    for _ in range(20):
        now, asked = state(rng, N, M), command(rng, N)
        expected = on_numpy.step(now, asked).positions
        got = on_torch.step(as_torch(now), torch.as_tensor(asked)).positions
        assert np.allclose(got.numpy(), expected, atol=1e-5)


def test_a_robot_alone_is_controlled_as_in_a_crowd(it):
    rng = np.random.default_rng(2)
    crowd, alone = Controller(it, linear_policy, N), Controller(it, linear_policy)
    for _ in range(10):
        now, asked = state(rng, N, M), command(rng, N)
        together = crowd.step(now, asked).positions
        assert np.allclose(alone.step(row(now, 2), asked[2:3]).positions[0], together[2],
                           atol=1e-6)


def test_the_action_is_seen_at_the_next_step():
    controller = Controller(contract(num_joints=M))
    rng = np.random.default_rng(3)
    last = {s.name: slice(s.start, s.stop) for s in controller.builder.slices}['previous_action']
    assert np.all(controller.observe(state(rng, 1, M), command(rng, 1))[0, last] == 0.0)
    action = rng.normal(size=(1, M)).astype(np.float32)
    controller.act(action)
    assert np.array_equal(
        controller.observe(state(rng, 1, M), command(rng, 1))[0, last], action[0])


def test_commands_are_clamped_to_what_was_trained():
    rng = np.random.default_rng(4)
    now = state(rng, 1, M)
    wild, tame = (Controller(contract(num_joints=M)).observe(now, np.array([asked]))
                  for asked in ([9.0, -9.0, 9.0], [1.0, -0.4, 1.0]))
    assert np.array_equal(wild, tame)


def test_a_reset_robot_acts_as_new_and_the_others_as_before(it):
    rng = np.random.default_rng(5)
    disturbed, untouched, new = (Controller(it, linear_policy, N) for _ in range(3))
    for _ in range(7):
        now, asked = state(rng, N, M), command(rng, N)
        disturbed.step(now, asked), untouched.step(now, asked)
    disturbed.reset(np.array([True, False, False, True]))
    for _ in range(4):
        now, asked = state(rng, N, M), command(rng, N)
        got = disturbed.step(now, asked).positions
        assert np.array_equal(got[1:3], untouched.step(now, asked).positions[1:3])
        assert np.array_equal(got[[0, 3]], new.step(now, asked).positions[[0, 3]])


def test_resetting_all_is_resetting_each(it):
    rng = np.random.default_rng(6)
    used, new = Controller(it, linear_policy, N), Controller(it, linear_policy, N)
    for _ in range(3):
        used.step(state(rng, N, M), command(rng, N))
    used.reset_all()
    now, asked = state(rng, N, M), command(rng, N)
    assert np.array_equal(used.step(now, asked).positions, new.step(now, asked).positions)


def test_the_clock_may_start_anywhere_in_the_stride(it):
    controller = Controller(it, linear_policy, 2)
    controller.reset(np.array([True, True]), np.array([0.0, 0.25], np.float32))
    rng = np.random.default_rng(7)
    clock = {s.name: slice(s.start, s.stop) for s in controller.builder.slices}['gait_clock']
    obs = controller.observe(state(rng, 2, M), np.array([[0.5, 0, 0]] * 2, np.float32))
    assert obs[:, clock] == pytest.approx(np.array([[0.0, 1.0], [1.0, 0.0]]), abs=1e-6)


def test_a_controller_without_a_policy_does_not_step(it):
    rng = np.random.default_rng(8)
    with pytest.raises(TypeError, match='has no policy'):
        Controller(it).step(state(rng, 1, M), command(rng, 1))


def test_a_rehearsal_changes_nothing(it):
    rng = np.random.default_rng(4)
    one, other = Controller(it, linear_policy), Controller(it, linear_policy)
    for _ in range(5):
        now, asked = state(rng, 1, M), command(rng, 1)
        other.rehearse(state(rng, 1, M), command(rng, 1))
        assert np.array_equal(one.step(now, asked).positions, other.step(now, asked).positions)
        assert np.array_equal(one.observation, other.observation)


class Recurrent:
    """A policy whose action is the sum of the observations since the reset."""

    memory_size = M

    def __call__(self, obs, memory):
        memory = memory + linear_policy(obs)
        return memory, memory


def test_the_memory_of_a_recurrent_policy_is_carried_for_each_robot_until_its_reset(it):
    rng = np.random.default_rng(5)
    controller, expected = Controller(it, Recurrent(), N), np.zeros((N, M), np.float32)
    assert controller.memory.tolist() == expected.tolist()
    for i in range(8):
        controller.step(state(rng, N, M), command(rng, N))
        expected = expected + linear_policy(controller.observation)
        assert np.array_equal(controller.memory, expected)
        if i == 3:
            mask = np.arange(N) == 2
            controller.reset(mask)
            expected[mask] = 0.0
    now, asked = state(rng, N, M), command(rng, N)
    controller.rehearse(now, asked)
    assert np.array_equal(controller.memory, expected)
    controller.reset_all()
    assert not controller.memory.any()


def test_the_previous_action_has_the_commanded_joints_only():
    it = contract(num_joints=M, commanded=('j3', 'j1'))
    controller = Controller(it, lambda obs: np.array([[0.25, -0.5]]))
    rng = np.random.default_rng(6)
    targets = controller.step(state(rng, 1, M), command(rng, 1)).positions
    assert controller.previous_action.tolist() == [[0.25, -0.5]]
    assert targets[0] == pytest.approx([0.0, 0.1 - 0.125, 0.2, 0.3 + 0.0625, 0.4])
    (term,) = [it for it in controller.builder.slices if it.name == 'previous_action']
    seen = controller.observe(state(rng, 1, M), command(rng, 1))[0, term.start:term.stop]
    assert seen.tolist() == [0.25, -0.5]
