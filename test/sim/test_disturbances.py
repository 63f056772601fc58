# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Noise and delay: the same on NumPy and on PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.disturbances import DelayLine, SensorNoise, add_noise
from humanoid_locomotion.training.env.randomization import sample_delay

EVERYONE = torch.ones(3, dtype=torch.bool)
KINDS = pytest.mark.parametrize('kind', [np.asarray, torch.as_tensor], ids=['numpy', 'torch'])


def column(kind, *values: float):
    """Give one joint of each robot, (num_envs, 1)."""
    return kind(np.array(values, np.float32)[:, None])


# Noise.

@KINDS
def test_each_measurement_has_its_own_error_and_odometry_none(kind):
    state = RobotState(*(kind(np.zeros((2, n), np.float32)) for n in (5, 5)),
                       kind(np.tile(np.array([0, 0, 0, 1], np.float32), (2, 1))),
                       kind(np.zeros((2, 3), np.float32)), kind(np.ones((2, 3), np.float32)),
                       kind(np.ones((2, 3), np.float32)))
    noise = SensorNoise(0.1, 0.2, 0.3, 0.04)
    asked = []

    def largest(shape, bound):
        asked.append(bound)
        return kind(np.full(shape, bound, np.float32))

    seen = add_noise(state, noise, largest)
    assert sorted(asked) == [0.04, 0.1, 0.2, 0.3]
    for name, bound in (('joint_positions', 0.1), ('joint_velocities', 0.2),
                        ('base_angular_velocity', 0.3)):
        assert np.asarray(getattr(seen, name)) == pytest.approx(bound)
    # turned by 0.04 rad about each axis
    assert 2.0 * np.asarray(seen.base_orientation)[:, :3] == pytest.approx(0.04, rel=1e-3)
    assert seen.base_position is state.base_position
    assert seen.base_linear_velocity is state.base_linear_velocity


# Delay.

@KINDS
def test_targets_arrive_as_late_as_the_robot_is(kind):
    it = DelayLine(2, column(kind, 0, 0, 0))
    it.steps[...] = kind(np.array([0, 1, 2]))
    arrived = [np.asarray(it.send(column(kind, t, t, t))).ravel().tolist() for t in (1, 2, 3, 4)]
    assert arrived == [[1, 0, 0], [2, 1, 0], [3, 2, 1], [4, 3, 2]]


@KINDS
def test_a_reset_robot_rests_until_its_first_targets_arrive(kind):
    it = DelayLine(2, column(kind, 0, 0, 0))
    it.steps[...] = 2
    for t in (1, 2, 3):
        it.send(column(kind, t, t, t))
    it.reset(kind(np.array([False, True, False])), column(kind, 9, 9, 9), it.steps)
    for t, expected in ((4, [2, 9, 2]), (5, [3, 9, 3]), (6, [4, 4, 4])):
        assert np.asarray(it.send(column(kind, t, t, t))).ravel().tolist() == expected


def test_every_delay_is_as_likely_and_only_reset_robots_get_a_new_one():
    torch.manual_seed(0)
    it = DelayLine(2, torch.zeros(30_000, 1))
    it.reset(torch.arange(30_000) >= 15_000, torch.zeros(30_000, 1),
             sample_delay(2, 30_000, 'cpu'))
    assert torch.all(it.steps[:15_000] == 0)
    shares = it.steps[15_000:].bincount() / 15_000
    assert torch.allclose(shares, torch.full((3,), 1 / 3), atol=0.02)


def test_without_a_delay_targets_pass_through():
    it = DelayLine(0, torch.zeros(3, 2))
    it.reset(EVERYONE, torch.zeros(3, 2), sample_delay(0, 3, 'cpu'))
    targets = torch.randn(3, 2)
    assert torch.equal(it.send(targets), targets)
