# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""When an episode ends, and by which of the two ends."""

from __future__ import annotations

import math

import pytest
from tiny import CONTRACT, config, outcome
import torch

from humanoid_locomotion.training.env.terminations import (
    broken,
    fallen,
    height_share,
    out_of_time,
)

FIGURES = config().terminations


def turned(axis: int, angle: float) -> list:
    """Give the quaternion of a rotation about one axis."""
    quaternion = [0.0, 0.0, 0.0, math.cos(0.5 * angle)]
    quaternion[axis] = math.sin(0.5 * angle)
    return quaternion


@pytest.mark.parametrize('height, ends', [(0.51, False), (0.49, True), (-1.0, True)])
def test_a_base_below_half_a_metre_has_fallen(height, ends):
    o = outcome(base_position=[3.0, -2.0, height])
    assert fallen(o.state, o.truth, FIGURES).tolist() == [ends]


@pytest.mark.parametrize('commanded, height, ends', [
    (0.88, 0.49, True), (0.66, 0.49, False), (0.66, 0.376, False), (0.66, 0.374, True)])
def test_a_base_that_is_to_be_lower_may_be_lower(commanded, height, ends):
    o = outcome(base_position=[0.0, 0.0, height], command=[0.0, 0.0, 0.0])
    o.command[:, 3] = commanded
    share = height_share(o.command, CONTRACT.command_limits)
    assert fallen(o.state, o.truth, FIGURES, share).tolist() == [ends]
    assert height_share(o.command, CONTRACT.command_limits.velocity) == 1.0


@pytest.mark.parametrize('axis', [0, 1])
@pytest.mark.parametrize('angle, ends', [(0.79, False), (-0.79, False), (0.81, True),
                                         (-0.81, True), (math.pi, True)])
def test_a_base_that_leans_too_far_has_fallen_whichever_way(axis, angle, ends):
    o = outcome(base_orientation=turned(axis, angle))
    assert fallen(o.state, o.truth, FIGURES).tolist() == [ends]


def test_turning_on_the_spot_is_no_lean():
    o = outcome(base_orientation=turned(2, 3.0))
    assert not fallen(o.state, o.truth, FIGURES)


def spoilt(field: str, value: float) -> torch.Tensor:
    """Give a healthy robot's figures, one of them replaced."""
    o = outcome()
    figures = vars(o.truth if field in vars(o.truth) else o.state)[field].clone()
    figures[0, -1] = value
    return figures


def test_a_healthy_robot_is_not_broken():
    o = outcome()
    assert not broken(o.state, o.truth)


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize('field', [
    'joint_positions', 'joint_velocities', 'base_orientation', 'base_angular_velocity',
    'base_position', 'base_linear_velocity'])
def test_one_figure_that_is_not_finite_breaks_a_robot(field, value):
    o = outcome(**{field: spoilt(field, value)})
    assert broken(o.state, o.truth)


@pytest.mark.parametrize('field', ['joint_velocities', 'base_angular_velocity',
                                   'base_linear_velocity'])
@pytest.mark.parametrize('value', [-1000.0, 1000.0])
def test_a_speed_that_no_robot_can_have_breaks_it(field, value):
    o = outcome(**{field: spoilt(field, value)})
    assert broken(o.state, o.truth)


def test_time_is_over_after_the_last_step_and_is_no_fall():
    steps = FIGURES.episode_steps
    over = out_of_time(torch.tensor([0, steps - 1, steps, steps + 1]), FIGURES)
    assert over.tolist() == [False, False, True, True]
    o = outcome()
    assert not fallen(o.state, o.truth, FIGURES)
