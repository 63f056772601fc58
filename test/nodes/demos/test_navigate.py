# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""`navigate` judges rightly, and walks to rooms through nodes in processes of their own."""

import dataclasses
import json
import math

import numpy as np
import pytest
from rich.console import Console

pytest.importorskip('rclpy')

from humanoid_locomotion.core.errors import UnknownNameError
from humanoid_locomotion.core.reading.resources import config_file
from humanoid_locomotion.nodes.demos.navigate_course import (
    CourseResult,
    Leg,
    LegResult,
    measure,
    pose_of,
)
from humanoid_locomotion.nodes.demos.walk_profile import Sample
from humanoid_locomotion.nodes.navigation.named_places import load_rooms

pytestmark = pytest.mark.ros
GOOD = LegResult('a', 5.0, 2.1, 2.0, 0.1, 0.1, 1, 1, 'arrived: a')


def sample(time, segment, x, y, heading=0.0):
    return Sample(time, segment, np.array([x, y, 0.9]),
                  np.array([0.0, 0.0, math.sin(heading / 2), math.cos(heading / 2)]), np.zeros(3))


@pytest.mark.parametrize('change, reached', [
    ({}, True), ({'status': 'failed: a'}, False), ({'position_error': 0.16}, False),
    ({'heading_error': 0.16}, False), ({'position_error': math.nan}, False)])
def test_a_goal_counts_when_the_planner_says_so_and_odometry_agrees(change, reached):
    assert dataclasses.replace(GOOD, **change).reached is reached


@pytest.mark.parametrize('legs, goals, trouble, code', [
    ([GOOD, GOOD], 2, '', 0), ([GOOD], 2, '', 1), ([GOOD, GOOD], 2, 'fell', 1),
    ([GOOD, dataclasses.replace(GOOD, status='failed')], 2, '', 1)])
def test_exit_code_is_zero_only_when_every_goal_was_reached_on_its_feet(
        legs, goals, trouble, code):
    result = CourseResult(legs, goals, trouble, 1.0)
    assert result.exit_code == code
    assert json.loads(json.dumps(result.to_mapping()))['reached'] == result.reached


def test_a_leg_that_a_fall_ended_keeps_its_columns_beside_one_whose_drift_is_known():
    from humanoid_locomotion.nodes.demos.navigate import _print_result
    console = Console(width=200, record=True)
    legs = [dataclasses.replace(GOOD, drift=0.04),
            dataclasses.replace(GOOD, pushes=7, status='to b')]
    _print_result(console, CourseResult(legs, 2, '', 1.0))
    rows = [[cell.strip() for cell in line.split('│')[1:-1]]
            for line in console.export_text().splitlines() if line.startswith('│')]
    assert [row[6:8] for row in rows] == [['0.04', '1'], ['-', '7']]


def test_a_leg_is_measured_on_its_own_samples():
    leg = Leg('there', np.array([1.0, 1.0, 0.0]), 2.0, 7.0, 'arrived: there',
              plans=[np.zeros((2, 2))] * 2)
    samples = [sample(1.0, 0, 9.0, 9.0), sample(2.0, 1, 0.0, 0.0), sample(4.0, 1, 1.0, 0.0),
               sample(7.0, 1, 1.0, 0.9, -0.1)]
    got = measure(leg, samples, 1)
    assert got.seconds == 5.0 and got.plans == 2
    assert got.walked == pytest.approx(1.9) and got.straight == pytest.approx(math.sqrt(2.0))
    assert got.position_error == pytest.approx(0.1) and got.heading_error == pytest.approx(0.1)


def test_a_leg_without_samples_was_not_reached():
    leg = Leg('there', np.zeros(3), 2.0, 7.0, 'arrived: there')
    assert not measure(leg, [], 0).reached


def test_a_pose_is_seen_from_above():
    np.testing.assert_allclose(pose_of(sample(0.0, 0, 1.0, 2.0, 3.0)), [1.0, 2.0, 3.0])


def test_the_rooms_that_ship_are_five():
    assert len(load_rooms(config_file('nodes', 'rooms')).rooms) == 5


def test_an_unknown_room_is_refused_before_anything_starts():
    from humanoid_locomotion.nodes.demos.navigate import navigate
    with pytest.raises(UnknownNameError, match="unknown room 'cellar'"):
        navigate('humanoid', engine='onnxruntime', goals=['kitchen', 'cellar'])


def run(tmp_path, policy, *goals, options=()):
    """Run the command in a process of its own."""
    import subprocess
    import sys
    pytest.importorskip('mujoco')
    rooms = tmp_path / 'rooms.yaml'
    rooms.write_text('frame: odom\nrooms:\n  near: {x: 0.8, y: 0.3, heading: 0.5}\n'
                     '  back: {x: 0.0, y: 0.0}\n')
    return subprocess.run(
        [sys.executable, '-m', 'humanoid_locomotion', 'navigate', *goals, '--policy', str(policy),
         '--engine', 'onnxruntime', '--rooms', str(rooms), '--output', str(tmp_path), '--json',
         *options],
        capture_output=True, text=True, timeout=240.0, check=False)


@pytest.mark.slow
def test_the_policy_that_ships_walks_to_rooms_and_back(tmp_path):
    done = run(tmp_path, 'humanoid', 'near', 'back')
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout)
    assert figures['reached'] == figures['goals'] == 2
    assert [leg['pushes'] for leg in figures['legs']] == [1, 1]
    assert (tmp_path / 'navigate.png').stat().st_size > 10_000


@pytest.mark.slow
def test_the_policy_that_ships_finds_its_way_by_its_legs(tmp_path):
    done = run(tmp_path, 'humanoid', 'near', 'back', options=['--by-legs', '--push', '0'])
    assert done.returncode == 0, done.stdout + done.stderr
    drifts = [leg['drift'] for leg in json.loads(done.stdout)['legs']]
    assert len(drifts) == 2 and all(0.0 < drift < 0.15 for drift in drifts)


@pytest.mark.slow
def test_who_does_not_walk_is_told_so(balancing, tmp_path):
    done = run(tmp_path, balancing, 'near')
    assert done.returncode == 1, done.stdout + done.stderr
    figures = json.loads(done.stdout)
    assert figures['reached'] == 0 and figures['goals'] == 1
