# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Walks over the wire: velocities of a known path, a row for each segment, a short walk."""

import math

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')
pytest.importorskip('onnxruntime')

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.reliability.soak import wire_walk

pytestmark = pytest.mark.ros


@pytest.mark.parametrize('forward, left, turning', [
    (0.5, 0.0, 0.0), (0.0, -0.3, 0.0), (0.4, 0.1, 0.5), (0.2, 0.0, -2.0)])
def test_the_velocity_of_a_known_path_is_found_in_the_heading_frame(forward, left, turning):
    times = np.arange(0.0, 6.0, 0.01)
    yaws = 3.0 + turning * times  # passes pi
    speed = np.stack([np.cos(yaws) * forward - np.sin(yaws) * left,
                      np.sin(yaws) * forward + np.cos(yaws) * left], axis=1)
    poses = np.column_stack([times, 0.01 * np.cumsum(speed, axis=0),
                             (yaws + math.pi) % (2.0 * math.pi) - math.pi])
    poses[times < 0.9, 1:3] = 0.0  # the first second is not counted
    assert wire_walk.mean_velocity(poses) == pytest.approx([forward, left, turning], abs=0.01)


def test_rows_hold_the_mean_of_all_walks_and_skip_what_was_not_reached():
    walks = [wire_walk.WireWalk(0, achieved={'forward': [np.array([0.4, 0.0, 0.0])]}),
             wire_walk.WireWalk(1, achieved={'forward': [np.array([0.6, 0.1, 0.0])]})]
    (row,) = wire_walk.rows(walks)
    assert (row['achieved'], row['times']) == ('0.500, 0.050, 0.000', 2)


@pytest.mark.parametrize('robot, problem', [
    ('unitree_g1', 'expected a checkout'), ('humanoid', "found 'humanoid'")])
def test_a_folder_without_the_simulator_is_refused(tmp_path, robot, problem):
    with pytest.raises(ConfigError, match=problem):
        wire_walk.UnitreeMujoco(load_robot(robot), tmp_path)


@pytest.mark.slow
def test_a_robot_walks_forward_on_the_wire(ros):
    pytest.importorskip('cyclonedds')
    walk = wire_walk.walk_on_wire(
        open_policy('unitree_g1', 'onnxruntime'), load_robot('unitree_g1'), 6.0, 0)
    assert not walk.ended
    assert walk.achieved['forward'][0][0] == pytest.approx(0.5, abs=0.1)


@pytest.mark.slow
def test_a_robot_walks_on_the_wire_with_waved_arms_and_a_push(ros):
    pytest.importorskip('cyclonedds')
    walk = wire_walk.walk_on_wire(
        open_policy('unitree_g1', 'onnxruntime'), load_robot('unitree_g1'), 8.0, 0, arms=True)
    assert walk.passed
    assert walk.pushes == 1
