"""From a velocity command to what the policy is asked."""

import math

import numpy as np
import pytest

from humanoid_locomotion.core.command import CommandSpec
from humanoid_locomotion.core.command_filter import CommandFilter

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
