# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sections of the report: the number of failures, and the plain data of each result."""

from dataclasses import dataclass, field
import json
import math
from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('typer')
pytest.importorskip('torch')
pytest.importorskip('mujoco')
pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')
pytest.importorskip('mcap')

from humanoid_locomotion.reliability import report
from humanoid_locomotion.reliability.faults.dds_faults import DdsOutcome
from humanoid_locomotion.reliability.faults.fault_matrix import Outcome
from humanoid_locomotion.reliability.faults.viewer_faults import ViewerOutcome
from humanoid_locomotion.reliability.faults.wire_faults import WireOutcome
from humanoid_locomotion.reliability.kill_training import Killed

FOLDER = SimpleNamespace(path='a policy')


def loop(passed, **changes):
    """Return an outcome of the fault matrix."""
    values = {'fault': 'IMU lost', 'walking': True, 'seconds': math.nan, 'action': 'go on',
              'reason': '', 'damped': False, 'fallen': False, 'stiff_while_fallen': 0.0,
              'lost': 0, 'rules': ()}
    return Outcome(**{**values, **changes}, passed=passed)


def test_loop_section_sums_failures_and_lost_commands_and_gives_the_longest_time(monkeypatch):
    outcomes = [loop(True, lost=1), loop(False, lost=2, stiff_while_fallen=0.25),
                loop(True, stiff_while_fallen=0.1), loop(True)]
    monkeypatch.setattr(report.fault_matrix, 'run_all', lambda *given: iter(outcomes))
    section = report.loop_section(FOLDER, None)
    assert section.failed == 1
    assert section.text.startswith(
        '2 faults, standing and walking: 1 failed. Steps without a finite command: 3. '
        'The longest that a robot lay before it was damped: 250 ms.')
    assert section.text.count('IMU lost') == 2
    assert [row['passed'] for row in section.rows] == [True, False, True, True]


def test_dds_section_counts_a_fault_of_the_walking_robot_alone(monkeypatch):
    monkeypatch.setattr(report.dds_faults, 'run_dds_faults', lambda *given: iter((
        DdsOutcome('SIGKILL', False, 0.2, 'standing', True),
        DdsOutcome('SIGKILL', True, 0.3, 'walking', False))))
    section = report.dds_section(FOLDER, None)
    assert section.failed == 1 and section.text.startswith('1 faults, standing and walking: 1 f')
    assert '**FAILED** damped after 300 ms' in section.text
    assert [row['walking'] for row in section.rows] == [False, True]


def test_wire_section_counts_what_was_damped_too_late(monkeypatch):
    monkeypatch.setattr(report.wire_faults, 'run_wire_faults', lambda *given: iter((
        WireOutcome('rate', False, 0.2, 'slow', 'fault', True),
        WireOutcome('rate', True, 0.3, 'slow', 'fault', False))))
    section = report.wire_section(FOLDER, None)
    assert section.failed == 1 and '1 not damped within 0.25 s' in section.text
    assert [row['damped_after'] for row in section.rows] == [0.2, 0.3]


def test_viewer_section_counts_each_fault(monkeypatch):
    monkeypatch.setattr(report.viewer_faults, 'run_viewer_faults', lambda *given: iter((
        ViewerOutcome('lets go', 0.1, True), ViewerOutcome('killed', 3.0, False, 'still moves'))))
    section = report.viewer_section(FOLDER, None)
    assert section.failed == 1 and section.rows[1]['note'] == 'still moves'
    assert section.text.startswith('2 faults of a client that drives: 1 failed.')


@dataclass
class Tried:
    """One mutation."""

    seed: int
    wrong: bool


@dataclass
class Fuzzed:
    """Result of mutations."""

    tried: list = field(default_factory=list)
    crashed: list = field(default_factory=list)
    failed: int = 0


@pytest.mark.parametrize('text, wrong', [
    ('PolicyError: the file is cut', 0), ('opened', 1), ('ran code', 1),
    ('unexpected KeyError', 1)])
def test_broken_policy_must_be_refused_with_an_error_of_the_package(monkeypatch, text, wrong):
    monkeypatch.setattr(report.breakages, 'break_by_name', lambda path: [
        ('cut', text), ('renamed', 'PolicyError: unknown | key')])
    result = Fuzzed([Tried(1, False), Tried(2, True)], [3], failed=2)
    monkeypatch.setattr(report.policy_fuzz, 'fuzz', lambda path, count: result)
    monkeypatch.setattr(report.policy_fuzz, 'summary', lambda result: 'by chance: 2 failed')
    section = report.policy_section(FOLDER, 40)
    assert section.failed == wrong + 2
    assert section.text.startswith(f'2 ways by name: {wrong} opened')
    assert '| renamed | PolicyError: unknown / key |' in section.text
    assert section.rows[2:] == [{'fault': 'by chance', 'tried': 40}, {'seed': 2, 'wrong': True},
                                {'fault': 'crashed', 'seed': 3}]


def test_swap_section_fails_as_a_whole(monkeypatch):
    @dataclass
    class Swapped:
        passed: bool
    monkeypatch.setattr(report.swap_beat, 'summary', lambda result: 'swapped')
    for passed, failed in ((True, 0), (False, 1)):
        monkeypatch.setattr(report.swap_beat, 'swap_many', lambda *given, p=passed: Swapped(p))
        section = report.swap_section(FOLDER, None, 10)
        assert (section.failed, section.text) == (failed, 'swapped')


def test_train_section_sums_the_runs_and_lists_their_faults(monkeypatch):
    monkeypatch.setattr(report.kill_training, 'kill_and_resume', lambda kills: [
        Killed(5, 2, lost=1), Killed(4, 1, faults=['it ended with 1'])])
    section = report.train_section(9)
    assert section.failed == 2
    assert section.text.startswith('9 kills, 3 of them inside the write of a checkpoint, each '
                                   'resumed: 1 checkpoints lost, 1 broken.')
    assert section.text.endswith('|\n\n- it ended with 1')


def test_train_section_without_faults_ends_with_its_table(monkeypatch):
    monkeypatch.setattr(report.kill_training, 'kill_and_resume', lambda kills: [Killed(1)])
    section = report.train_section(1)
    assert section.failed == 0 and section.text.endswith(' 0 |')


def test_cli_section_keeps_what_went_wrong(monkeypatch):
    @dataclass
    class Ended:
        problem: str
    monkeypatch.setattr(report.fuzz, 'fuzz', lambda tries: [Ended(''), Ended('hang'), Ended('')])
    monkeypatch.setattr(report.fuzz, 'summary', lambda outcomes: f'{len(outcomes)} lines')
    section = report.cli_section(3)
    assert (section.text, section.failed, section.rows) == ('3 lines', 1, [{'problem': 'hang'}])


def test_rows_are_written_as_json(monkeypatch):
    monkeypatch.setattr(report.fault_matrix, 'run_all', lambda *given: [loop(True), loop(True)])
    rows = report.loop_section(FOLDER, None).rows
    assert json.loads(json.dumps(rows))[0]['fault'] == 'IMU lost'
