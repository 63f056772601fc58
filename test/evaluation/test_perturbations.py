# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Noise, delay and externally moved arms: what comes out for what goes in."""

from __future__ import annotations

import numpy as np
import pytest

from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.evaluation.perturbations import FixedDelay, NoisySensors, move_arms
from humanoid_locomotion.sim.disturbances import SensorNoise

NOISE = SensorNoise()
STATE = RobotState(
    joint_positions=np.zeros((2, 5), np.float32), joint_velocities=np.zeros((2, 5), np.float32),
    base_orientation=np.tile(np.array([0, 0, 0, 1], np.float32), (2, 1)),
    base_angular_velocity=np.zeros((2, 3), np.float32),
    base_position=np.ones((2, 3), np.float32), base_linear_velocity=np.ones((2, 3), np.float32))


def test_errors_are_as_large_as_promised_and_no_larger():
    sensors = NoisySensors(NOISE, np.array([1.0, 1.0]), [0])
    seen = [sensors.measure(STATE) for _ in range(200)]
    for field, largest in (('joint_positions', NOISE.joint_position),
                           ('joint_velocities', NOISE.joint_velocity),
                           ('base_angular_velocity', NOISE.angular_velocity)):
        errors = np.abs([getattr(state, field) for state in seen])
        assert 0.9 * largest < errors.max() <= largest + 1e-6, field
    tilts = 2.0 * np.abs([state.base_orientation[:, :3] for state in seen])
    assert 0.9 * NOISE.orientation < tilts.max() <= NOISE.orientation + 1e-6
    assert np.array_equal(seen[0].base_position, STATE.base_position)


def test_a_robot_of_scale_zero_measures_exactly():
    seen = NoisySensors(NOISE, np.array([0.0, 1.0]), [0]).measure(STATE)
    assert np.array_equal(seen.joint_positions[0], STATE.joint_positions[0])
    assert np.any(seen.joint_positions[1] != 0.0)


def test_exact_sensors_pass_the_state_on():
    assert NoisySensors(NOISE, None, [0]).measure(STATE) is STATE


def test_the_same_seed_errs_the_same_way():
    first, again, other = (
        NoisySensors(NOISE, np.ones(2), [seed]).measure(STATE).joint_positions
        for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_targets_arrive_as_late_as_each_robot_has_it():
    line, arrived = FixedDelay(np.array([0, 1, 2])), []
    for step in range(4):
        arrived.append(line.send(np.full((3, 1), float(step)))[:, 0].tolist())
    assert arrived == [[0, 0, 0], [1, 0, 0], [2, 1, 0], [3, 2, 1]]


def test_without_a_delay_targets_pass_through():
    targets = np.ones((1, 2))
    assert FixedDelay(None).send(targets) is targets


def test_externally_moved_joints_replace_the_policys():
    targets = np.array([[1.0, 2.0, 3.0]])
    others = np.array([[np.nan, 9.0, np.nan]])
    assert move_arms(targets, others).positions == pytest.approx(np.array([[1.0, 9.0, 3.0]]))
    assert move_arms(targets, None).positions is targets
