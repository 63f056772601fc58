# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The study of false alarms counts what trips for a robot that walks on, and nothing else."""

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')
pytest.importorskip('onnxruntime')

from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters
from humanoid_locomotion.reliability.faults.fault_bench import FaultBench
from humanoid_locomotion.reliability.soak import false_alarms
from humanoid_locomotion.reliability.soak.false_alarms import (
    SETTINGS,
    Setting,
    Witness,
    soak_rules,
)

pytestmark = pytest.mark.ros
HUMANOID = load_robot('humanoid')


@pytest.fixture(scope='module')
def folder():
    """Give the shipped policy."""
    return open_policy('humanoid', 'onnxruntime')


def test_settings_have_rough_ground_kicks_and_noise():
    assert {(one.rough, one.kicked) for one in SETTINGS} == {
        (False, False), (False, True), (True, False), (True, True)}
    assert any(one.noisy for one in SETTINGS) and not all(one.torques for one in SETTINGS)
    assert max(false_alarms.KICK) == 2.0


@pytest.mark.parametrize('setting', [
    pytest.param(one, id=one.name, marks=() if one.name == 'rough, kicked, noisy' else
                 pytest.mark.slow) for one in SETTINGS])
def test_a_robot_that_is_well_trips_nothing(folder, setting):
    (row,) = soak_rules(folder, HUMANOID, 6.0, (setting,))
    assert row['alarms'] == 0, row
    assert row['minutes'] == pytest.approx(0.1, abs=0.05) and row['commands'] > 0


def test_a_rule_that_is_too_strict_is_counted(folder, monkeypatch):
    """By its name, and the robot walks on meanwhile."""
    monkeypatch.setattr(false_alarms, 'MIN_HEIGHT', 0.99)
    (row,) = soak_rules(folder, HUMANOID, 6.0, (Setting('flat'),))
    assert row['alarms'] > 0 and 'height: ' in row['by'] and row['falls'] == 0


def test_what_trips_just_before_a_fall_is_no_false_alarm(folder):
    fault_bench = FaultBench(folder, HUMANOID, LocomotionParameters())
    witness = fault_bench.loop.guard = Witness(fault_bench.loop.guard)
    fault_bench.stand()
    fault_bench.robot.push([6.0, 1.8, 0.0])
    while not fault_bench.is_fallen:
        fault_bench.tick()
    fault_bench.run(0.5)
    fault_bench.close()
    assert witness.seen and witness.latched is None
    assert witness.alarms(float('inf')) and not witness.alarms(fault_bench.now - 2.5)


def test_trips_in_a_row_are_one_alarm(folder):
    fault_bench = FaultBench(folder, HUMANOID, LocomotionParameters())
    witness = Witness(fault_bench.loop.guard)
    fault_bench.close()
    witness.seen = [(t, 'tilt') for t in (1.0, 1.02, 1.5, 2.4, 5.0)] + [(1.0, 'action')]
    assert witness.alarms(10.0) == {'tilt': 2, 'action': 1}
    assert witness.alarms(3.0) == {'tilt': 1, 'action': 1}
