# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The size of a robot, and the scale that the scorecard has for it."""

from __future__ import annotations

from dataclasses import replace
import re

import pytest
from robot_copies import copied

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.feedback.robot_size import (
    REFERENCE_LEG,
    USUAL,
    RobotSize,
    Scale,
    robot_size,
)
from humanoid_locomotion.core.robot import load_robot

SIZE = RobotSize(mass=30.0, base_height=0.7, leg_length=REFERENCE_LEG, feet_distance=0.2,
                 torque_angle=1.0, weight_angle=1.0)


@pytest.mark.parametrize('name', [
    'humanoid', 'course', 'unitree_g1', 'unitree_h1', 'unitree_h1_2', 'talos', 'booster_t1'])
def test_robots_of_the_usual_size_are_not_scaled(name):
    assert robot_size(load_robot(name)).scale == USUAL


@pytest.mark.parametrize('name, leg, mass, scale', [
    ('toddlerbot', 0.277, 3.335, Scale(speed=0.71, mass=0.11)),
    ('berkeley_lite', 0.495, 16.33, Scale(speed=0.95, mass=0.54))])
def test_smaller_robots_are_scaled_by_their_legs_and_mass(name, leg, mass, scale):
    size = robot_size(load_robot(name))
    assert (size.leg_length, size.mass) == pytest.approx((leg, mass), rel=1e-2)
    assert size.scale == scale


@pytest.mark.parametrize('share', [0.04, 0.25, 0.5, 0.9, 1.0, 1.5])
def test_froude_numbers_stay_and_nothing_is_scaled_up(share):
    scale = replace(SIZE, leg_length=share * REFERENCE_LEG, mass=share * SIZE.mass).scale
    legs = min(1.0, share)
    assert scale.of(1.5, 'm/s')**2 / legs == pytest.approx(1.5**2, rel=0.05)
    assert scale.of(0.5, 'rad/s')**2 * legs == pytest.approx(0.5**2, rel=0.05)
    assert scale.of(0.02, 'm') / legs == pytest.approx(0.02, rel=0.05)
    assert scale.of(4.0, 'kg') / legs == pytest.approx(4.0, rel=0.05)
    assert [scale.of(1.25, unit) for unit in ('', 's', 'body weights')] == [1.25] * 3


def test_values_that_are_asked_have_three_digits_and_those_of_the_usual_size_all():
    assert Scale(0.71).command((0.5, -0.3, 0.3)) == (0.355, -0.213, 0.423)
    assert USUAL.command((0.12345, 0.0, -1 / 3)) == (0.12345, 0.0, -1 / 3)


@pytest.mark.parametrize('factors', [(0.0, 1.0), (1.0, 1.5), (float('nan'), 1.0), (1.0, -1.0)])
def test_an_impossible_scale_is_refused(factors):
    with pytest.raises(ValueError, match='expected above 0 and at most 1'):
        Scale(*factors)


@pytest.mark.parametrize('pattern, text, found', [
    ('_sole" pos="0 0 -0.07"', '_sole" pos="0 0 2"', r'legs of -\d.* m and 45.3 kg'),
    (r'mass="[\d.]+"', 'mass="0"', 'and 0 kg')])
def test_a_robot_without_legs_or_mass_is_refused(tmp_path, pattern, text, found):
    robot = load_robot(copied(tmp_path / 'it', edit_xml=lambda xml: re.sub(pattern, text, xml)))
    with pytest.raises(ConfigError, match=f'expected soles below .*{found}'):
        robot_size(robot)
