# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The loop over the velocity: what it mends, where it stops, what it leaves alone."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from samples import LEGS, LIMITS, as_torch, contract, state

from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.feedback.leg_odometry import LegOdometry
from humanoid_locomotion.core.feedback.velocity_feedback import (
    GIVE,
    IntegralSpec,
    LinearLoopSpec,
    VelocityLoop,
)

DT = 0.02


def turning(rate: float, roll: float = 0.0):
    """Give one robot that turns about the vertical, rolled to its side by an angle."""
    still = state(np.random.default_rng(0), 1, 4)
    return dataclasses.replace(
        still,
        base_orientation=np.array([[math.sin(roll / 2), 0, 0, math.cos(roll / 2)]], np.float32),
        base_angular_velocity=np.array([[0, rate * math.sin(roll), rate * math.cos(roll)]],
                                       np.float32))


def loop(gain: float = 1.0, limit: float = 0.2, num_envs: int = 1) -> VelocityLoop:
    return VelocityLoop(None, IntegralSpec(gain, limit), None, LIMITS, 0.05, DT,
                        num_envs, np.zeros(0, np.float32))


def walking(forward: float, left: float, turn: float = 0.0, ahead: float = 0.0):
    """Give one robot whose straight legs carry it, pitching and rolling at the hip.

    Its base is ``ahead`` of its feet [m].
    """
    pitch = math.asin(ahead)
    return dataclasses.replace(
        turning(turn), joint_positions=np.array([[pitch, 0.0] * 2], np.float32),
        joint_velocities=np.array([[forward / math.cos(pitch), -left] * 2], np.float32))


def both_loops(num_envs: int = 1, damping: float = 0.0, stiffness: float = 0.0) -> VelocityLoop:
    return VelocityLoop(
        LinearLoopSpec(0.5, 0.3, damping, stiffness), IntegralSpec(1.0, 0.2),
        LegOdometry(LEGS, ['j0', 'j1', 'j2', 'j3']), LIMITS, 0.05, DT, num_envs,
        np.zeros(0, np.float32))


def ask(turn: float, ahead: float = 0.5) -> np.ndarray:
    return np.array([[ahead, -0.1, turn]], np.float32)


@pytest.mark.parametrize('share', [0.8, 1.15])
@pytest.mark.parametrize('roll', [0.0, 0.4])
def test_a_robot_that_turns_by_some_per_cent_too_much_or_too_little_ends_up_right(share, roll):
    it, rate = loop(), 0.0
    for _ in range(500):  # it takes 0.3 s to answer
        corrected = it.step(ask(0.5), turning(rate, roll))
        rate += DT / 0.3 * (share * float(corrected[0, 2]) - rate)
    assert rate == pytest.approx(0.5, abs=1e-3)
    assert corrected[0, :2].tolist() == pytest.approx([0.5, -0.1])


def test_a_robot_that_walks_too_slowly_and_to_the_side_ends_up_right():
    it, reached = both_loops(), np.zeros(2)
    for _ in range(1000):
        corrected = it.step(ask(0.0), walking(*reached))[0]
        reached += DT / 0.3 * (corrected[:2] * [0.8, 0.9] + [0.0, 0.05] - reached)
    assert reached == pytest.approx([0.5, -0.1], abs=2e-3)


def test_without_a_loop_over_the_floor_the_legs_are_not_asked():
    it = loop()
    for _ in range(20):
        corrected = it.step(ask(0.0), walking(0.0, 0.5))
    assert corrected[0, :2].tolist() == pytest.approx([0.5, -0.1])


def test_each_way_of_going_has_its_own_limit():
    it = both_loops()
    for _ in range(500):
        it.step(ask(0.5), walking(2.0, -2.0, 3.0))
    assert it.correction[0].tolist() == pytest.approx([-0.3, 0.3, -0.2])


def test_the_correction_is_the_integral_of_the_error():
    it = loop(gain=2.0)
    for _ in range(10):
        corrected = it.step(ask(0.3), turning(0.25))
    assert corrected[0, 2] - 0.3 == pytest.approx(2.0 * 10 * DT * 0.05, rel=1e-4)


@pytest.mark.parametrize('rate, end', [(3.0, -0.2), (-3.0, 0.2)])
def test_a_robot_that_was_spun_is_turned_back_within_the_limit_and_no_longer_than_it_takes(
        rate, end):
    it = loop()
    for _ in range(200):
        it.step(ask(0.0), turning(rate))
    assert it.correction[0, 2] == pytest.approx(end)
    for _ in range(round(0.2 / 0.1 / DT) + 1):  # turned back by 0.1 rad/s
        it.step(ask(0.0), turning(math.copysign(0.1, end)))
    assert abs(it.correction[0, 2]) < 0.003


def test_a_robot_that_stands_is_left_alone():
    it = both_loops()
    for _ in range(20):
        it.step(ask(0.0), walking(0.2, 0.1, 0.5))
    assert it.correction.all()
    standing = np.array([[0.0, 0.0, 0.04]], np.float32)
    assert it.step(standing, walking(0.2, 0.1, 0.5)).tolist() == standing.tolist()
    assert not it.correction.any()


def test_a_robot_that_sways_while_it_stands_is_asked_to_go_against_it():
    it, standing = both_loops(damping=0.5), np.zeros((1, 3), np.float32)
    for _ in range(50):
        seen = it.step(standing, walking(0.2, -0.1, 0.0))
    assert seen[0].tolist() == pytest.approx([-0.1, 0.05, 0.0], abs=1e-4)
    assert it.step(standing, walking(9.0, 0.0))[0, 0] == pytest.approx(-0.3)  # within the limit
    for _ in range(50):  # what the walk had called for is soon forgotten, in turning too
        it.step(ask(0.5), walking(0.2, -0.1, 0.0))
    for _ in range(50):
        seen = it.step(standing, walking(0.0, 0.0, 0.0))
    assert seen[0].tolist() == pytest.approx([0.0, 0.0, 0.0], abs=1e-4)


def test_a_sway_dies_down_sooner_with_damping():
    # A base on springs, 0.45 Hz, damped by a tenth of what is critical; it leans as it is told.
    def swing(damping: float) -> float:
        it, x, v = both_loops(damping=damping), 0.01, 0.0
        for _ in range(200):
            told = float(it.step(np.zeros((1, 3), np.float32), walking(v, 0.0))[0, 0])
            v += DT * (-8.0 * x - 0.57 * v + 4.0 * told)
            x += DT * v
        return math.hypot(x, v / math.sqrt(8.0))

    assert swing(0.5) < 0.4 * swing(0.0)


STAND = np.zeros((1, 3), np.float32)


def rest(it: VelocityLoop, ahead: float) -> list[float]:
    """Give what is asked of a base that rests ``ahead`` of its feet, once that has settled."""
    for _ in range(50):
        seen = it.step(STAND, walking(0.0, 0.0, ahead=ahead))
    return seen[0].tolist()


def test_a_base_that_was_moved_over_its_feet_is_asked_back():
    it = both_loops(stiffness=4.0)
    assert rest(it, 0.05) == pytest.approx([0.0] * 3, abs=1e-5)  # wherever it stands at first
    assert rest(it, 0.06) == pytest.approx([-0.04, 0.0, 0.0], abs=1e-5)
    assert rest(it, 0.03) == pytest.approx([0.08, 0.0, 0.0], abs=1e-5)
    assert rest(it, 0.05) == pytest.approx([0.0] * 3, abs=1e-5)


def test_a_base_that_was_moved_far_is_held_where_it_is_then():
    it = both_loops(stiffness=4.0)
    rest(it, 0.0)
    assert rest(it, 0.2) == pytest.approx([-4.0 * GIVE, 0.0, 0.0], abs=1e-5)
    assert rest(it, 0.2 - GIVE) == pytest.approx([0.0] * 3, abs=1e-5)


@pytest.mark.parametrize('forget', ['walk', 'reset'])
def test_who_walked_or_starts_afresh_has_a_new_place(forget):
    it = both_loops(stiffness=4.0)
    rest(it, 0.0)
    if forget == 'walk':
        it.step(ask(0.0), walking(0.0, 0.0, ahead=0.02))
    else:
        it.reset(np.array([True]))
    assert rest(it, 0.02) == pytest.approx([0.0] * 3, abs=1e-5)


def test_a_base_that_creeps_to_rest_ends_up_nearer_with_stiffness():
    # Left alone it comes to rest 1 cm ahead, with a time constant of 4 s; it goes as it is told.
    def end(stiffness: float) -> float:
        it, x = both_loops(stiffness=stiffness), 0.0
        told = np.zeros(3)
        for _ in range(1000):
            v = 0.25 * (0.01 - x) + 0.2 * float(told[0])
            told = it.step(STAND, walking(v, 0.0, ahead=x))[0]
            x += DT * v
        return x

    assert end(0.0) == pytest.approx(0.01, rel=0.02)
    assert end(4.0) == pytest.approx(0.01 * 0.25 / (0.25 + 0.2 * 4.0), rel=0.02)


@pytest.mark.parametrize('damping, stiffness', [(0.5, 0.0), (0.0, 4.0)])
def test_noise_of_the_joints_is_not_passed_on_to_who_stands(damping, stiffness):
    it, rng = both_loops(damping=damping, stiffness=stiffness), np.random.default_rng(0)
    seen = [float(it.step(STAND, walking(0.3 * x, 0.0, ahead=0.004 * x))[0, 0])
            for x in rng.normal(0.0, 1.0, 2000).tolist()]
    assert np.std(seen) < 0.4 * (damping * 0.3 + stiffness * 0.004)


def test_a_reset_forgets_these_robots_even_what_is_no_number():
    it = loop(num_envs=2)
    it.correction[:] = [[np.nan], [0.1]]
    it.reset(np.array([True, False]))
    assert it.correction.tolist() == [[0.0] * 3, pytest.approx([0.1] * 3)]


@pytest.mark.parametrize('damping, stiffness, message', [
    (-0.1, 4.0, 'damping must be from 0 to 1, found -0.1'),
    (1.5, 4.0, 'damping must be from 0 to 1'), (float('nan'), 4.0, 'damping must be'),
    (0.5, -1.0, 'stiffness must be from 0 to 10, found -1.0'),
    (0.5, 10.5, 'stiffness must be from 0 to 10')])
def test_figures_that_push_or_overdo_it_are_refused(damping, stiffness, message):
    with pytest.raises(ValueError, match=message):
        LinearLoopSpec(0.5, 0.2, damping, stiffness)


@pytest.mark.parametrize('gain, limit, name', [(0.0, 0.2, 'gain'), (1.0, -0.1, 'limit'),
                                               (float('nan'), 0.2, 'gain')])
def test_a_loop_that_does_nothing_or_the_wrong_thing_is_refused(gain, limit, name):
    with pytest.raises(ValueError, match=f'{name} must be above 0 .*null in place of the section'):
        IntegralSpec(gain, limit)


# In the controller.

LOOPED = contract(layout='proprioceptive_clock', yaw_rate_integral=IntegralSpec(1.0, 0.2),
                  linear_velocity_loop=LinearLoopSpec(1.0, 0.1, 0.5, 4.0), legs=LEGS)


def seen(controller: Controller, command: np.ndarray, now) -> float:
    at = {s.name: s for s in controller.builder.slices}['velocity_command'].start
    return float(controller.observe(now, command)[0, at + 2])


def test_the_policy_sees_the_corrected_command_within_what_it_was_trained_for():
    controller = Controller(LOOPED)
    for _ in range(11):
        found = seen(controller, ask(0.5), turning(0.0))
    assert found == pytest.approx(0.5 + 11 * DT * 0.5)
    assert seen(controller, ask(0.99), turning(0.0)) == 1.0
    assert float(controller.command_correction[0, 2]) == pytest.approx(0.11 + DT * 0.99)


def test_the_stride_keeps_to_what_was_asked_for():
    # A correction that takes a slow turn below the threshold of walking stops no clock.
    controller = Controller(LOOPED)
    for _ in range(30):
        found = seen(controller, ask(0.12, ahead=0.0), turning(0.5))
    assert abs(found) < 0.1 and controller.clock.phase[0] > 0.5


def test_numpy_and_torch_correct_alike_and_a_policy_without_a_loop_is_left_alone():
    torch = pytest.importorskip('torch')
    rng = np.random.default_rng(1)
    ours, theirs = Controller(LOOPED), Controller(LOOPED, like=torch.zeros(0))
    alone = Controller(dataclasses.replace(
        LOOPED, yaw_rate_integral=None, linear_velocity_loop=None, legs=None))
    for step in range(20):
        turn = 0.3 if step < 10 else 0.0  # it walks, then it stands
        now, command = state(rng, 1, 4), ask(turn, ahead=turn) * (turn > 0.0)
        expected = ours.observe(now, command)
        assert np.allclose(theirs.observe(as_torch(now), torch.as_tensor(command)).numpy(),
                           expected, atol=1e-5)
        assert seen(alone, command, now) == pytest.approx(turn)
    assert alone.command_correction.tolist() == [[0.0, 0.0, 0.0]]


def test_a_strength_scales_gain_and_limit_of_each_robot():
    """Half a strength is half the gain and half the limit; none is no feedback."""
    varied, half = loop(num_envs=3), loop(gain=0.5, limit=0.1)
    varied.strength = np.float32([[0.0], [0.5], [1.0]])
    three = dataclasses.replace(turning(0.0), **{
        key: np.repeat(value, 3, 0) for key, value in vars(turning(0.0)).items()
        if value is not None})
    for _ in range(15):
        varied.step(np.repeat(ask(0.5), 3, 0), three)
        half.step(ask(0.5), turning(0.0))
        assert varied.correction[1] == pytest.approx(half.correction[0])
        assert not varied.correction[0].any()
    assert varied.correction[2, 2] == pytest.approx(2.0 * varied.correction[1, 2])
    for _ in range(30):
        varied.step(np.repeat(ask(0.5), 3, 0), three)
    assert varied.correction[:, 2] == pytest.approx([0.0, 0.1, 0.2])
