# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where a robot is by its legs: what adds up, in which frame, and what a gap does."""

from __future__ import annotations

import math

import numpy as np
import pytest
from samples import LEGS

from humanoid_locomotion.core.feedback.dead_reckoning import DeadReckoning
from humanoid_locomotion.core.feedback.leg_odometry import LegOdometry
from humanoid_locomotion.core.state import RobotState


def walking(forward: float, left: float = 0.0, heading: float = 0.0, lean: float = 0.0):
    """Give a robot on straight legs of 1 m that swings over them, leaning ahead or not."""
    turn = np.array([0.0, 0.0, math.sin(heading / 2), math.cos(heading / 2)])
    ahead = np.array([0.0, math.sin(lean / 2), 0.0, math.cos(lean / 2)])
    # The product of a turn about z and one about y, written out.
    orientation = [-turn[2] * ahead[1], turn[3] * ahead[1], turn[2] * ahead[3], turn[3] * ahead[3]]
    return RobotState(**{key: np.array([value], np.float32) for key, value in {
        'joint_positions': [-lean, 0.0] * 2, 'joint_velocities': [forward, -left] * 2,
        'base_orientation': orientation, 'base_angular_velocity': [0.0] * 3}.items()})


@pytest.fixture
def it():
    return DeadReckoning(LegOdometry(LEGS, ['j0', 'j1', 'j2', 'j3']))


def test_the_way_is_velocity_times_time_in_the_heading_of_the_moment(it):
    for i in range(101):
        it.step(walking(0.5), 0.01 * i)
    assert it.position == pytest.approx([0.5, 0.0, 1.0], abs=1e-5)
    for i in range(101, 201):
        it.step(walking(0.2, 0.1, heading=math.pi / 2), 0.01 * i)
    assert it.position == pytest.approx([0.4, 0.2, 1.0], abs=1e-5)
    assert it.walked == pytest.approx(0.5 + math.hypot(0.2, 0.1), abs=1e-5)


def test_a_base_that_leans_moves_along_the_floor(it):
    it.step(walking(0.5, lean=0.3), 0.0)
    assert it.velocity == pytest.approx([0.5 * math.cos(0.3), 0.0, 0.5 * math.sin(0.3)], abs=1e-5)
    assert it.position[2] == pytest.approx(1.0)


def test_the_first_step_goes_nowhere_and_neither_does_one_after_a_gap(it):
    it.step(walking(1.0), 100.0)
    assert it.position[:2].tolist() == [0.0, 0.0] and it.gaps == 0
    it.step(walking(1.0), 100.05)
    it.step(walking(1.0), 101.0)  # silence
    it.step(walking(1.0), 100.9)  # the clock jumped back
    assert it.position[0] == pytest.approx(0.05, abs=1e-6) and it.gaps == 2
    it.step(walking(1.0), 101.0 - 0.05)
    assert it.position[0] == pytest.approx(0.1, abs=1e-6)
