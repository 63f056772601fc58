# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Faults between the driver and a Unitree robot, against the stand-in robot."""

import math

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')
pytest.importorskip('onnxruntime')

from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.reliability.faults import wire_faults
from humanoid_locomotion.reliability.faults.wire_faults import WireOutcome

pytestmark = pytest.mark.ros


def outcome(**changes):
    values = {'fault': 'a fault', 'walking': False, 'damped_after': 0.1, 'said': 'a | b',
              'state': 'fault', 'passed': True}
    return WireOutcome(**{**values, **changes})


def test_the_table_shows_times_and_what_failed():
    table = wire_faults.wire_table([
        outcome(), outcome(walking=True, damped_after=math.nan, passed=False, said='')])
    assert table.splitlines()[2] == (
        '| a fault | damped after 100 ms | **FAILED** not damped | a / b | fault |')


@pytest.mark.slow
@pytest.mark.parametrize('name, do', wire_faults.FAULTS, ids=[it[0] for it in wire_faults.FAULTS])
def test_a_walking_robot_is_damped_in_time(ros, name, do):
    pytest.importorskip('cyclonedds')
    found = wire_faults.inject(
        open_policy('unitree_g1', 'onnxruntime'), load_robot('unitree_g1'), name, do, True)
    assert found.passed, found
