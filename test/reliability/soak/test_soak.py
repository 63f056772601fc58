# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The soaks and the latency benchmark run over real DDS; here for seconds, to see that they do."""

import pytest

pytest.importorskip('rclpy')

from humanoid_locomotion.benchmarks import latency
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.reliability.faults import dds_faults
from humanoid_locomotion.reliability.soak import live_node

pytestmark = [pytest.mark.ros, pytest.mark.slow]
HUMANOID = load_robot('humanoid')


@pytest.fixture(scope='module')
def folder():
    """Give the shipped policy."""
    return open_policy('humanoid', 'onnxruntime')


def test_walk_soak_counts_what_it_should(ros, folder):
    result = live_node.soak_walk(folder, HUMANOID, 6.0, pytest.fail)
    assert result.falls == 0 and result.commands == 2
    assert result.steps == pytest.approx(300, rel=0.1)
    assert result.alarms == ''


def test_startled_node_keeps_its_states_and_answers(ros, folder):
    result = live_node.soak_startle(folder, HUMANOID, 5.0)
    assert result.alive and result.answers and result.unknown == () and result.sent > 50


def test_latency_is_measured_for_both(ros, folder):
    floor, ours = latency.measure(folder, HUMANOID, 'onnxruntime', 6.0)
    assert floor['node'] == 'copy' and floor['p50_of_floor'] == 1.0
    assert ours['answers'] > 200 and 0.0 < ours['p50_ms'] < 20.0


@pytest.mark.parametrize('worse, passes', [
    ({}, True), ({'falls': 1}, False), ({'missed': 0.011}, False), ({'growth': 5.1}, False),
    ({'alarms': 'tilt: 1'}, False)])
def test_a_walk_passes_upright_in_time_and_without_growing(worse, passes):
    values = {'seconds': 1.0, 'commands': 1, 'falls': 0, 'steps': 50, 'missed': 0.01,
               'longest': 0.03, 'growth': 4.9, 'cores': 0.2, 'alarms': ''}
    assert live_node.WalkSoak(**{**values, **worse}).passed == passes


def test_killed_node_leaves_a_damped_robot(ros, folder, monkeypatch):
    monkeypatch.setattr(dds_faults, 'FAULTS', dds_faults.FAULTS[:1])
    outcomes = tuple(dds_faults.run_dds_faults(folder, HUMANOID))
    assert len(outcomes) == 2 and all(one.passed for one in outcomes)

