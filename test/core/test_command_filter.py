# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The filter from commands to what the policy sees."""

import math

import numpy as np
import pytest

from humanoid_locomotion.core.command import CommandSpec
from humanoid_locomotion.core.command_filter import CommandFilter
from humanoid_locomotion.core.errors import UnknownNameError

PERIOD = 0.02


@pytest.fixture
def velocity():
    """Give a filter: 2 m/s^2, 4 rad/s^2, silence after half a second."""
    limits = CommandSpec.of(
        lin_vel_x=(-0.5, 1.0), lin_vel_y=(-0.4, 0.4), ang_vel_z=(-0.8, 0.8))
    return CommandFilter(limits, PERIOD, (2.0, 4.0), 0.5)


def run(velocity, start, seconds, may_walk=True):
    """Give the commands of some time, one row a step."""
    steps = round(seconds / PERIOD)
    return np.array([velocity.step(start + i * PERIOD, may_walk)[0].copy() for i in range(steps)])


def test_command_is_reached_at_the_acceleration_and_then_held(velocity):
    """0.5 m/s at 2 m/s^2 takes a quarter of a second."""
    velocity.take(np.array([0.5, 0.0, 0.0]), 0.0)
    rows = run(velocity, 0.0, 0.4)
    assert np.diff(rows[:, 0]).max() <= 2.0 * PERIOD + 1e-6
    assert rows[11, 0] < 0.5 and rows[12, 0] == np.float32(0.5) == rows[-1, 0]


def test_command_is_clamped_to_the_trained_range(velocity):
    """A command of ten is the fastest walk."""
    velocity.take(np.array([10.0, -10.0, 10.0]), 0.0)
    np.testing.assert_allclose(run(velocity, 0.0, 0.5)[-1], [1.0, -0.4, 0.8], atol=1e-6)


def test_curve_stays_that_curve_while_it_speeds_up(velocity):
    """Components keep their ratio, so the robot does not first turn and then walk."""
    velocity.take(np.array([0.8, 0.2, 0.4]), 0.0)
    rows = run(velocity, 0.0, 0.3)
    np.testing.assert_allclose(rows[:, 1] / rows[:, 0], 0.25, rtol=1e-4)
    np.testing.assert_allclose(rows[:, 2] / rows[:, 0], 0.5, rtol=1e-4)


def test_silence_stops_as_smoothly_as_it_began(velocity):
    """No step down when a planner dies."""
    velocity.take(np.array([1.0, 0.0, 0.0]), 0.0)
    rows = run(velocity, 0.0, 1.2)
    assert rows[25, 0] == 1.0
    assert -np.diff(rows[:, 0]).min() <= 2.0 * PERIOD + 1e-6
    np.testing.assert_array_equal(rows[-1], 0.0)


def test_robot_that_may_not_walk_slows_down(velocity):
    """Whatever is commanded."""
    velocity.take(np.array([0.4, 0.0, 0.0]), 0.0)
    run(velocity, 0.0, 0.3)
    rows = run(velocity, 0.3, 0.3, may_walk=False)
    assert 0.0 < rows[0, 0] < 0.4 and rows[-1, 0] == 0.0


def test_nothing_was_heard_before_the_first_command(velocity):
    """And stop forgets at once what was asked."""
    assert velocity.age(5.0) == math.inf
    velocity.take(np.array([0.4, 0.0, 0.0]), 0.0)
    run(velocity, 0.0, 0.1)
    velocity.stop()
    np.testing.assert_array_equal(velocity.command, 0.0)


def test_clock_that_jumps_back_does_not_prolong_a_command(velocity):
    """Silence is measured from the jump."""
    velocity.take(np.array([0.4, 0.0, 0.0]), 100.0)
    velocity.rewind(1.0)
    assert velocity.age(1.2) == pytest.approx(0.2)


@pytest.fixture
def with_height():
    """Give a filter with a base height of 0.6 to 0.9 m at 0.1 m/s, at rest 0.85 m."""
    commands = CommandSpec.of(
        lin_vel_x=(-0.5, 1.0), lin_vel_y=(-0.4, 0.4), ang_vel_z=(-0.8, 0.8),
        base_height=(0.6, 0.9, 0.85))
    return CommandFilter(commands, PERIOD, (2.0, 4.0), 0.5)


def test_further_axis_moves_at_its_own_rate_and_stays_in_silence(with_height):
    """A height is a set-point: nothing has to repeat it."""
    with_height.take_axis('base_height', 0.7, 0.0)
    rows = run(with_height, 0.0, 3.0)
    assert rows[0, 3] == pytest.approx(0.85 - 0.1 * PERIOD)
    assert rows[-1, 3] == np.float32(0.7) == run(with_height, 100.0, 0.1)[-1, 3]
    np.testing.assert_array_equal(rows[:, :3], 0.0)


def test_a_slow_further_axis_does_not_delay_a_stop(with_height, velocity):
    """The velocity takes the same course with and without it."""
    rows = []
    for one in (with_height, velocity):
        one.take(np.array([1.0, 0.0, 0.3]), 0.0)
        run(one, 0.0, 0.4)
        if one is with_height:
            one.take_axis('base_height', 0.6, 0.4)
        rows.append(run(one, 0.4, 1.2))
    np.testing.assert_array_equal(rows[0][:, :3], rows[1])
    assert not rows[1][-1].any() and 0.6 < rows[0][-1, 3] < 0.8


def test_further_axis_is_clamped_and_asks_for_no_walking(with_height):
    """So that a person may set the height of a robot that stands."""
    with_height.take_axis('base_height', 5.0, 0.0)
    assert run(with_height, 0.0, 1.0)[-1, 3] == np.float32(0.9)
    assert not with_height.is_asked(0.0)
    with_height.take(np.array([0.1, 0.0, 0.0]), 0.0)
    assert with_height.is_asked(0.0) and not with_height.is_asked(0.6)


def test_every_axis_returns_to_rest_where_no_commands_are_taken(with_height):
    """Smoothly while the robot stands, at once while it is damped."""
    with_height.take_axis('base_height', 0.7, 0.0)
    run(with_height, 0.0, 2.0)
    rows = run(with_height, 2.0, 2.0, may_walk=False)
    assert rows[0, 3] == pytest.approx(0.7 + 0.1 * PERIOD) and rows[-1, 3] == np.float32(0.85)
    run(with_height, 4.0, 2.0)
    with_height.stop()
    np.testing.assert_array_equal(with_height.command, np.float32([[0.0, 0.0, 0.0, 0.85]]))


def test_an_axis_that_the_policy_lacks_is_refused(velocity):
    """With the names of those that it has."""
    with pytest.raises(UnknownNameError, match=r"unknown command axis 'base_height'.*lin_vel_x"):
        velocity.take_axis('base_height', 0.7, 0.0)
