# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""What motors and battery say is kept for a while, and rubbish of theirs is refused."""

import math

import numpy as np
import pytest

pytest.importorskip('rclpy')

from sensor_msgs.msg import BatteryState, Temperature
from std_msgs.msg import Header

from humanoid_locomotion.nodes.locomotion.condition import KNOWN_FOR, Condition

pytestmark = pytest.mark.ros


def temperature(joint, degrees):
    """Give a Temperature."""
    return Temperature(header=Header(frame_id=joint), temperature=degrees)


def test_nothing_is_known_before_anything_was_said():
    condition = Condition(['hip', 'knee'], pytest.fail)
    assert condition.degrees(1.0) is None
    assert math.isnan(condition.charge(1.0)) and condition.problem(1.0) == ''


def test_each_motor_is_known_by_its_joint_and_for_a_while():
    condition = Condition(['hip', 'knee'], pytest.fail)
    condition.take_temperature(temperature('knee', 70.0), 1.0)
    np.testing.assert_array_equal(condition.degrees(2.0), [math.nan, 70.0])
    condition.take_temperature(temperature('hip', 50.0), 5.0)
    condition.take_temperature(temperature('knee', 71.0), 6.0)
    np.testing.assert_array_equal(condition.degrees(6.0), [50.0, 71.0])
    np.testing.assert_array_equal(condition.degrees(5.5 + KNOWN_FOR), [math.nan, 71.0])


def test_battery_is_known_for_a_while_and_nan_is_not_measured():
    condition = Condition(['hip'], pytest.fail)
    condition.take_battery(BatteryState(percentage=0.5, power_supply_health=2), 1.0)
    assert condition.charge(2.0) == 0.5 and condition.problem(2.0) == 'overheated'
    assert math.isnan(condition.charge(2.0 + KNOWN_FOR)) and not condition.problem(2.0 + KNOWN_FOR)
    condition.take_battery(BatteryState(percentage=math.nan), 3.0)
    assert math.isnan(condition.charge(3.0)) and condition.problem(3.0) == ''


@pytest.mark.parametrize('degrees', [math.inf, -math.inf, 1e6, -300.0])
def test_impossible_temperatures_are_refused_and_the_last_stays(degrees):
    errors = []
    condition = Condition(['hip'], errors.append)
    condition.take_temperature(temperature('hip', 60.0), 1.0)
    condition.take_temperature(temperature('hip', degrees), 2.0)
    assert condition.degrees(2.0).tolist() == [60.0]
    assert len(errors) == condition.temperatures.refused == 1
    assert 'expected -60 to 300' in str(errors[0])


def test_an_unknown_motor_is_refused_with_those_that_exist():
    errors = []
    condition = Condition(['hip', 'knee'], errors.append)
    condition.take_temperature(temperature('kne', 60.0), 1.0)
    assert condition.degrees(1.0) is None
    assert "did you mean 'knee'?" in str(errors[0])


@pytest.mark.parametrize('charge', [87.0, -0.1, math.inf])
def test_a_charge_in_per_cent_is_refused(charge):
    errors = []
    condition = Condition(['hip'], errors.append)
    condition.take_battery(BatteryState(percentage=charge), 1.0)
    assert math.isnan(condition.charge(1.0)) and 'expected 0 to 1' in str(errors[0])


def test_time_that_jumps_back_forgets_nothing():
    condition = Condition(['hip'], pytest.fail)
    condition.take_temperature(temperature('hip', 60.0), 100.0)
    condition.take_battery(BatteryState(percentage=0.5), 100.0)
    condition.rewind(1.0)
    assert condition.degrees(2.0).tolist() == [60.0] and condition.charge(2.0) == 0.5
