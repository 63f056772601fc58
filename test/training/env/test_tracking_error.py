"""The averaged error of following a command: what it sees and what it leaves out."""

from __future__ import annotations

import math

import pytest
from tiny import outcome
import torch

from humanoid_locomotion.training.env.tracking_error import Following, velocity_in_heading

DT = 0.02
COMMAND = torch.tensor([[0.5, 0.0, 0.2]])
ARRIVED = torch.tensor([True])


def test_a_steady_error_is_seen_whole_after_a_few_seconds():
    it = Following(DT, 1, 'cpu')
    for _ in range(51):
        error = it.step(COMMAND, torch.tensor([[0.4, 0.03, 0.25]]), ARRIVED)
    share = 1.0 - (1.0 - DT) ** 51
    assert error[0].tolist() == pytest.approx([0.1 * share, -0.03 * share, -0.05 * share])


def test_sway_ten_times_as_large_hardly_shows():
    it = Following(DT, 1, 'cpu')
    for step in range(500):
        sway = 0.3 * math.cos(2.0 * math.pi * 2.5 * DT * step)
        error = it.step(COMMAND, COMMAND - torch.tensor([[0.03, sway, 0.0]]), ARRIVED)
    assert error[0].tolist() == pytest.approx([0.03, 0.0, 0.0], abs=0.02)


def test_the_way_to_a_command_is_no_error_and_leaves_none_behind():
    it = Following(DT, 2, 'cpu')
    commands, still = COMMAND.repeat(2, 1), torch.zeros(2, 3)
    for _ in range(100):
        it.step(commands, still, torch.tensor([True, True]))
    error = it.step(commands, still, torch.tensor([False, True]))
    assert error[0].tolist() == [0.0, 0.0, 0.0] and float(error[1, 0]) > 0.1
    assert float(it.step(commands, still, torch.tensor([True, True]))[0, 0]) == (
        pytest.approx(0.5 * DT))


def test_a_reset_forgets_these_robots_even_what_is_no_number():
    it = Following(DT, 2, 'cpu')
    it.error[:] = torch.tensor([float('nan'), 0.02])[:, None]
    it.reset(torch.tensor([True, False]))
    assert it.error[0].tolist() == [0.0] * 3 and it.error[1].tolist() == [pytest.approx(0.02)] * 3


def test_the_velocity_is_in_the_heading_frame_whatever_the_tilt():
    half, tilt = math.sqrt(0.5), 0.1
    turned = outcome(base_orientation=[[0.0, 0.0, half, half]],
                     base_linear_velocity=[[0.7, 0.1, 0.0]],
                     base_angular_velocity=[[0.0, 0.0, 0.3]])
    velocity = velocity_in_heading(turned.state, turned.truth)
    assert velocity[0].tolist() == pytest.approx([0.7, 0.1, 0.3])
    pitched = outcome(
        base_orientation=[[0.0, math.sin(tilt / 2), 0.0, math.cos(tilt / 2)]],
        base_linear_velocity=[[math.cos(tilt), 0.0, math.sin(tilt)]],  # 1 m/s along the ground
        base_angular_velocity=[[-0.3 * math.sin(tilt), 0.0, 0.3 * math.cos(tilt)]])
    velocity = velocity_in_heading(pitched.state, pitched.truth)
    assert velocity[0].tolist() == pytest.approx([1.0, 0.0, 0.3], abs=1e-5)
