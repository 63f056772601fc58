# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Outcomes of the fault matrix on a stub of the bench: what is noticed, accepted and told."""

import math
from types import SimpleNamespace
from typing import ClassVar

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')

from humanoid_locomotion.core.safety.guard import Verdict
from humanoid_locomotion.core.safety.rules import Severity
from humanoid_locomotion.nodes.locomotion.state_machine import Mode
from humanoid_locomotion.reliability.faults import fault_matrix
from humanoid_locomotion.reliability.faults.fault_bench import TICK
from humanoid_locomotion.reliability.faults.fault_cases import (
    DAMP,
    DRIVER,
    NONE,
    STAND,
    WALK,
    Fault,
)
from humanoid_locomotion.reliability.faults.fault_matrix import Outcome, inject, inject_both, table

SPEC = SimpleNamespace(base_height=1.0)
DAMPING = Verdict('tilt', Severity.DAMP, 'it tilts')
STANDING = Verdict('hot motor', Severity.STAND, 'it is hot')


class Bench:
    """A bench that changes at given ticks after the fault.

    Attributes:
        script: By tick after the fault, the attributes that change.
        made: All benches.
        walks: Whether the robot walks when it is told to.
    """

    script: ClassVar[dict] = {}
    made: ClassVar[list] = []
    walks = True

    def __init__(self, folder, spec, parameters):
        self.parameters, self.elapsed, self.command = parameters, 0.0, (0.0, 0.0, 0.0)
        self.is_fallen = self.is_damped = self.is_closed = False
        self.lost, self.refused, self.ticks = 0, [], 0
        self.loop = SimpleNamespace(
            machine=SimpleNamespace(mode=Mode.IDLE, label='idle'),
            guard=SimpleNamespace(latched=None, last_warning='', trips={'tilt': 0, 'action': 0}))
        self.made.append(self)

    def stand(self):
        self.loop.machine.mode = Mode.STANDING

    def run(self, seconds):
        if self.command[0] and self.walks:
            self.loop.machine.mode = Mode.WALKING

    def tick(self):
        self.ticks += 1
        self.elapsed = self.ticks * TICK
        for name, value in self.script.get(self.ticks, {}).items():
            owner = {'mode': self.loop.machine, 'latched': self.loop.guard,
                     'last_warning': self.loop.guard, 'trips': self.loop.guard}.get(name, self)
            setattr(owner, name, value)

    def close(self):
        self.is_closed = True


@pytest.fixture
def scripted(monkeypatch):
    """Return a function that sets what happens after the fault."""
    monkeypatch.setattr(fault_matrix, 'FaultBench', Bench)
    monkeypatch.setattr(Bench, 'made', [])

    def script(events=None, **changes):
        monkeypatch.setattr(Bench, 'script', events or {1: changes})
    script()
    return script


def fault(*accepted, rule=''):
    """Return a fault that does nothing."""
    return Fault('nothing', lambda bench: None, accepted, accepted, rule)


@pytest.mark.parametrize('walking, seen, reaction', [
    (False, {}, NONE), (True, {}, NONE),
    (False, {'mode': Mode.FAULT}, DAMP), (True, {'mode': Mode.DAMPING}, DAMP),
    (True, {'mode': Mode.IDLE, 'is_damped': True}, DAMP),
    (True, {'mode': Mode.IDLE}, NONE),
    (True, {'is_damped': True}, DRIVER), (False, {'is_damped': True}, DRIVER),
    (True, {'mode': Mode.FAULT, 'is_damped': True}, DAMP),
    (True, {'mode': Mode.STANDING}, STAND), (False, {'mode': Mode.STANDING}, NONE),
    (False, {'mode': Mode.WALKING}, WALK), (True, {'mode': Mode.WALKING}, NONE),
    (False, {'latched': STANDING}, STAND), (True, {'latched': STANDING}, STAND),
    (False, {'latched': DAMPING}, NONE)])
def test_reaction_is_read_from_mode_verdict_and_driver(scripted, walking, seen, reaction):
    scripted(**seen)
    assert inject(fault(NONE), None, SPEC, walking).action == reaction


def test_time_of_the_reaction_is_that_from_the_fault(scripted):
    scripted({30: {'mode': Mode.FAULT, 'is_damped': True}})
    outcome = inject(fault(DAMP), None, SPEC, True)
    assert outcome.seconds == pytest.approx(30 * TICK) and outcome.passed


def test_robot_that_stands_and_then_damps_has_damped(scripted):
    scripted({10: {'mode': Mode.STANDING}, 40: {'mode': Mode.FAULT, 'is_damped': True}})
    outcome = inject(fault(DAMP), None, SPEC, True)
    assert outcome.action == DAMP and outcome.seconds == pytest.approx(40 * TICK)


def test_no_reaction_has_no_time(scripted):
    outcome = inject(fault(NONE), None, SPEC, True)
    assert outcome.passed and math.isnan(outcome.seconds) and outcome.walking


def test_each_case_has_its_own_accepted_reactions(scripted):
    scripted(mode=Mode.STANDING)
    one = Fault('stop', lambda bench: None, standing=(NONE,), walking=(STAND,))
    assert inject(one, None, SPEC, False).passed and inject(one, None, SPEC, True).passed
    other = Fault('stop', lambda bench: None, standing=(STAND,), walking=(NONE,))
    assert not inject(other, None, SPEC, False).passed
    assert not inject(other, None, SPEC, True).passed


@pytest.mark.parametrize('seen, passed', [
    ({}, True), ({'lost': 1}, False), ({'is_fallen': True}, False)])
def test_accepted_reaction_fails_with_a_lost_command_or_a_stiff_fallen_robot(
        scripted, seen, passed):
    scripted(**seen)
    assert inject(fault(NONE), None, SPEC, True).passed is passed


def test_fallen_robot_passes_if_it_is_damped(scripted):
    scripted(mode=Mode.FAULT, is_fallen=True, is_damped=True)
    outcome = inject(fault(DAMP), None, SPEC, True)
    assert outcome.passed and outcome.fallen and outcome.stiff_while_fallen == 0.0


def test_time_in_which_a_fallen_robot_is_stiff_is_counted(scripted):
    scripted({50: {'is_fallen': True}, 110: {'is_damped': True, 'mode': Mode.FAULT}})
    outcome = inject(fault(DAMP), None, SPEC, True)
    assert outcome.stiff_while_fallen == pytest.approx(60 * TICK)


@pytest.mark.parametrize('seen, reason', [
    ({}, ''), ({'refused': ['first', 'last']}, 'last'),
    ({'refused': ['last'], 'last_warning': 'it is late'}, 'it is late'),
    ({'last_warning': 'it is late', 'latched': DAMPING}, 'it tilts')])
def test_reason_is_that_of_the_gravest_message(scripted, seen, reason):
    scripted(**seen)
    assert inject(fault(NONE), None, SPEC, True).reason == reason


@pytest.mark.parametrize('rule, trips, passed', [
    ('', {'tilt': 0}, True), ('tilt', {'tilt': 2}, True),
    ('tilt', {'tilt': 0, 'action': 1}, False)])
def test_named_rule_must_have_tripped(scripted, rule, trips, passed):
    scripted(trips=trips)
    assert [one.passed for one in inject_both(fault(NONE, rule=rule), None, SPEC)] == 2 * [passed]


def test_rule_that_trips_only_while_walking_is_enough(scripted):
    def trip(bench):
        if bench.loop.machine.mode is Mode.WALKING:
            bench.loop.guard.trips['tilt'] = 1
    still, moving = inject_both(Fault('tilts', trip, (NONE,), (NONE,), 'tilt'), None, SPEC)
    assert (still.rules, moving.rules) == ((), ('tilt',)) and still.passed and moving.passed
    assert (still.walking, moving.walking) == (False, True)


def test_bench_that_does_not_walk_is_no_test_of_a_fault(scripted, monkeypatch):
    monkeypatch.setattr(Bench, 'walks', False)
    with pytest.raises(RuntimeError, match='nothing: the bench is idle'):
        inject(fault(NONE), None, SPEC, True)
    assert Bench.made[0].is_closed


def test_every_bench_is_new_and_closed(scripted):
    def crash(bench):
        raise ValueError('a broken injection')
    inject_both(fault(NONE), None, SPEC)
    with pytest.raises(ValueError, match='broken injection'):
        inject(Fault('crash', crash), None, SPEC, False)
    assert len(Bench.made) == 3 and all(bench.is_closed for bench in Bench.made)


def test_height_of_the_base_is_watched_at_a_share_of_the_robots_own(scripted):
    inject(fault(NONE), None, SimpleNamespace(base_height=0.6), False)
    assert 0.0 < Bench.made[0].parameters.min_height < 0.6


def test_all_faults_are_injected_standing_then_walking(scripted, monkeypatch):
    two = (fault(NONE), Fault('other', lambda bench: None, (NONE,), (NONE,)))
    monkeypatch.setattr(fault_matrix, 'FAULTS', two)
    assert [(one.fault, one.walking) for one in fault_matrix.run_all(None, SPEC)] == [
        ('nothing', False), ('nothing', True), ('other', False), ('other', True)]


def outcome(walking, **changes):
    """Return the outcome of a robot that was damped after 85 ms."""
    values = {'fault': 'IMU lost', 'walking': walking, 'seconds': 0.085, 'action': DAMP,
              'reason': 'no imu/data', 'damped': True, 'fallen': False, 'stiff_while_fallen': 0.0,
              'lost': 0, 'rules': (), 'passed': True}
    return Outcome(**{**values, **changes})


def cells(*outcomes):
    """Return the cells of the rows of the table."""
    _, _, *rows = table(list(outcomes)).splitlines()
    return [[cell.strip() for cell in row.split('|')[1:-1]] for row in rows]


def test_table_has_a_row_for_each_fault_as_wide_as_its_header():
    both = (outcome(False, lost=1), outcome(True, lost=2))
    header = table([*both, *both]).splitlines()[0]
    rows = cells(*both, *both)
    assert len(rows) == 2 and len(rows[0]) == header.count('|') - 1
    assert rows[0] == ['IMU lost', 'damp after 85 ms', 'damp after 85 ms', 'no imu/data',
                       'damped / damped', '3']


def test_table_shows_what_failed_and_what_did_not_react():
    (row,) = cells(outcome(False, seconds=math.nan, action=NONE, damped=False),
                   outcome(True, passed=False, action=STAND, damped=False, fallen=True))
    assert row[1:3] == ['go on', '**FAILED** stand after 85 ms']
    assert row[4] == 'upright / lying, stiff'


def test_reason_cannot_break_the_table():
    (row,) = cells(outcome(False), outcome(True, reason='a|b ' + 60 * 'word '))
    assert len(row) == 6 and row[3].startswith('a/b word') and row[3].endswith('[...]')
    assert len(row[3]) <= fault_matrix.MAX_SAID


def test_reason_of_the_walking_robot_is_preferred():
    first, second, third = cells(
        outcome(False, reason='still'), outcome(True, reason='moving'),
        outcome(False, reason='still'), outcome(True, reason=''),
        outcome(False, reason=''), outcome(True, reason=''))
    assert [first[3], second[3], third[3]] == ['moving', 'still', '']
