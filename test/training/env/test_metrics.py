# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the log says of following: measured as the rewards measure it, fallen robots left out."""

from __future__ import annotations

import math

import pytest
from tiny import outcome
import torch

from humanoid_locomotion.training.env.metrics import Metrics

PITCHED = [0.0, math.sin(0.3), 0.0, math.cos(0.3)]  # nose down by 0.6 rad
KEPT, LOST = torch.tensor([False]), torch.tensor([True])


def means(*steps):
    """Give the means over control steps of one robot, each an outcome and whether it was lost."""
    metrics = Metrics([], 'cpu')
    for it, lost in steps:
        metrics.add_step(it, torch.zeros(1, 0), lost)
    return metrics.means(metrics.take().tolist())


def walking(**changes):
    return outcome(moving=1.0, command=[0.5, 0.0, 0.5], **changes)


def test_a_leaning_robot_that_goes_where_it_is_told_has_no_error():
    along_the_floor = [0.5 * math.cos(0.6), 0.0, 0.5 * math.sin(0.6)]
    about_up = [-0.5 * math.sin(0.6), 0.0, 0.5 * math.cos(0.6)]
    logged = means((walking(base_orientation=PITCHED, base_linear_velocity=along_the_floor,
                            base_angular_velocity=about_up), KEPT))
    assert logged['linear_velocity_error'] == pytest.approx(0.0, abs=1e-6)
    assert logged['yaw_rate_error'] == pytest.approx(0.0, abs=1e-6)


def test_errors_are_means_over_the_steps_that_walk_and_speed_over_those_that_stand():
    logged = means((walking(base_linear_velocity=[0.5, 0.3, 0.0]), KEPT), (walking(), KEPT),
                   (outcome(base_linear_velocity=[0.0, 0.2, 0.0]), KEPT))
    assert logged['linear_velocity_error'] == pytest.approx((0.3 + 0.5) / 2)
    assert logged['yaw_rate_error'] == pytest.approx(0.5)
    assert logged['standing_speed'] == pytest.approx(0.2)


def test_a_lost_robot_spoils_nothing():
    nan = [math.nan] * 3
    logged = means((walking(base_linear_velocity=nan), LOST),
                   (outcome(base_linear_velocity=nan), LOST), (walking(), KEPT))
    assert logged['linear_velocity_error'] == pytest.approx(0.5)
    assert logged['standing_speed'] == 0.0
