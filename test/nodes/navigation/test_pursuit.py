# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pure pursuit on paths drawn by hand, and its laws on random ones."""

import math

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from humanoid_locomotion.nodes.navigation import pursuit
from humanoid_locomotion.nodes.navigation.pursuit import PursuitSettings

HOW = PursuitSettings()
STRAIGHT = np.array([[0.0, 0.0], [4.0, 0.0]])
CORNER = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0]])
angles = st.floats(-20.0, 20.0)


def pose(x=0.0, y=0.0, heading=0.0):
    return np.array([x, y, heading])


@given(angles)
def test_a_wrapped_angle_points_the_same_way(angle):
    wrapped = pursuit.wrap(angle)
    assert -math.pi <= wrapped < math.pi
    assert math.cos(wrapped) == pytest.approx(math.cos(angle), abs=1e-9)
    assert math.sin(wrapped) == pytest.approx(math.sin(angle), abs=1e-9)


@pytest.mark.parametrize('place, point', [
    (-1.0, [0.0, 0.0]), (1.0, [1.0, 0.0]), (2.5, [2.0, 0.5]), (9.0, [2.0, 2.0])])
def test_a_place_is_a_distance_along_the_path(place, point):
    np.testing.assert_allclose(pursuit.point_at(CORNER, place), point)


@pytest.mark.parametrize('point, place, off', [
    ([1.0, 0.5], 1.0, 0.5), ([3.0, 1.0], 3.0, 1.0), ([-3.0, 4.0], 0.0, 5.0)])
def test_the_nearest_place_of_a_corner(point, place, off):
    assert pursuit.nearest(CORNER, np.array(point)) == (pytest.approx(place), pytest.approx(off))


def test_the_nearest_place_is_sought_within_its_bounds():
    there_and_back = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 0.0]])
    here = np.array([0.5, 0.0])
    assert pursuit.nearest(there_and_back, here, 0.0, 1.5)[0] == pytest.approx(0.5)
    assert pursuit.nearest(there_and_back, here, 2.0)[0] == pytest.approx(3.5)


@pytest.mark.parametrize('path', [[[1.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]]])
def test_a_path_of_one_point_has_one_place(path):
    assert pursuit.nearest(np.array(path), np.zeros(2)) == (0.0, pytest.approx(math.sqrt(2.0)))


@given(st.floats(-5, 5), st.floats(-5, 5), angles)
def test_what_is_seen_keeps_its_distance(x, y, heading):
    seen = pursuit.seen_from(pose(1.0, 2.0, heading), np.array([x, y]))
    assert np.linalg.norm(seen) == pytest.approx(math.hypot(x - 1.0, y - 2.0))


def test_left_is_positive():
    assert pursuit.bearing(pose(), np.array([1.0, 1.0])) == pytest.approx(math.pi / 4)
    np.testing.assert_allclose(
        pursuit.seen_from(pose(heading=math.pi / 2), np.array([-1.0, 0.0])), [0.0, 1.0],
        atol=1e-12)


def test_on_a_straight_path_it_walks_straight_at_full_speed():
    np.testing.assert_allclose(
        pursuit.pursue(pose(), STRAIGHT, 0.0, HOW, 0.8), [HOW.speed, 0.0, 0.0])


@pytest.mark.parametrize('side', [1.0, -1.0])
def test_beside_the_path_it_turns_back_to_it(side):
    command = pursuit.pursue(pose(y=0.3 * side), STRAIGHT, 0.0, HOW, 0.8)
    assert command[0] > 0.0 and command[1] == 0.0 and command[2] * side < 0.0


def test_the_command_drives_the_circle_through_the_lookahead_point():
    here, path = pose(y=-0.05), STRAIGHT
    forward, _, turn = pursuit.pursue(here, path, 0.0, HOW, 10.0)
    radius = forward / turn  # its centre is straight to the left
    target = pursuit.point_at(path, HOW.lookahead)
    assert math.hypot(target[0], target[1] - (here[1] + radius)) == pytest.approx(radius)


def test_it_slows_down_before_the_goal_and_in_bends():
    speeds = [pursuit.pursue(pose(x), STRAIGHT, x, HOW, 0.8)[0] for x in (3.0, 3.4, 3.7, 3.95)]
    assert speeds == sorted(speeds, reverse=True) and speeds[0] == HOW.speed
    assert speeds[-1] == HOW.min_speed
    assert pursuit.pursue(pose(heading=0.7), STRAIGHT, 0.0, HOW, 0.8)[0] < HOW.speed


@given(st.floats(-1, 5), st.floats(-2, 2), angles, st.floats(0.2, 2.0))
def test_pursuit_is_finite_forward_and_within_the_turning_rate(x, y, heading, most):
    here = pose(x, y, heading)
    place, _ = pursuit.nearest(CORNER, here[:2])
    command = pursuit.pursue(here, CORNER, place, HOW, most)
    assert np.isfinite(command).all() and 0.0 < command[0] <= HOW.speed
    assert abs(command[2]) <= most * (1.0 + 1e-9)


def test_turning_is_quick_enough_to_move_and_stops():
    assert pursuit.turn_towards(1.5, HOW)[2] == pytest.approx(1.5)
    assert pursuit.turn_towards(-0.07, HOW)[2] == -HOW.min_turn
    assert not pursuit.turn_towards(HOW.heading_aim, HOW).any()


def test_the_last_stretch_goes_sideways_and_backwards():
    np.testing.assert_allclose(
        pursuit.approach(pose(), pose(0.0, 0.3), HOW), [0.0, 0.3, 0.0], atol=1e-12)
    np.testing.assert_allclose(
        pursuit.approach(pose(), pose(-0.3, 0.0), HOW), [-0.3, 0.0, 0.0], atol=1e-12)
    assert not pursuit.approach(pose(), pose(0.05, 0.0, 0.05), HOW).any()


@given(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4), st.floats(-3.0, 3.0))
def test_an_ideal_robot_arrives_from_anywhere_near(x, y, heading):
    here, goal = pose(x, y, heading), pose(0.0, 0.0, 0.0)
    for _ in range(2000):
        forward, left, turn = pursuit.approach(here, goal, HOW)
        cos, sin = math.cos(here[2]), math.sin(here[2])
        here = here + 0.02 * np.array([cos * forward - sin * left, sin * forward + cos * left,
                                       turn])
    assert np.linalg.norm(here[:2]) <= HOW.position_aim
    assert abs(pursuit.wrap(here[2])) <= HOW.heading_aim


def test_easing_is_bounded_and_gets_there():
    most, command = np.array([0.05, 0.05, 0.1]), np.zeros(3)
    for _ in range(12):
        new = pursuit.ease(command, np.array([0.5, 0.0, -0.3]), most)
        assert (np.abs(new - command) <= most + 1e-12).all()
        command = new
    np.testing.assert_allclose(command, [0.5, 0.0, -0.3])
