# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Each rule trips on its own figure, after its debounce, and says which joint and how much."""

import math

import numpy as np
import pytest
from spoilt_evidence import CASES, CONTRACT, KNEE, PERIOD, evidence, limits, rule, spoil

from humanoid_locomotion.core.safety.evidence import SafetyLimits
from humanoid_locomotion.core.safety.guard import SafetyGuard
from humanoid_locomotion.core.safety.rules import RULES, Severity, rules_table


def test_every_rule_has_a_case():
    """A rule that nobody tries is none."""
    assert {name for name, _, _ in CASES} == {rule.name for rule in RULES}


@pytest.mark.parametrize('name, change, reason', CASES)
def test_rule_trips_after_its_debounce_and_says_why(name, change, reason):
    """Not a step earlier."""
    guard, expected = SafetyGuard(limits()), rule(name)
    steps = math.ceil(expected.debounce / PERIOD)
    for step in range(steps + 1):
        assert guard.latched is None and guard.last_warning == ''
        e = evidence(step * PERIOD)
        change(e)
        verdict = guard.judge(e)
    if expected.severity < Severity.STAND:
        assert verdict is None
        assert guard.trips[name] == 1 and guard.last_warning.startswith(reason)
    else:
        assert (verdict.rule, verdict.severity) == (name, expected.severity)
        assert verdict.reason.startswith(reason)


@pytest.mark.parametrize('name, change, reason', [
    case for case in CASES if rule(case[0]).debounce > 0.0])
def test_what_is_over_within_the_debounce_trips_nothing(name, change, reason):
    """One bad sample in three is noise."""
    guard = SafetyGuard(limits())
    for step in range(60):
        e = evidence(step * PERIOD)
        if step % 3 == 0:
            change(e)
        assert guard.judge(e) is None



def test_what_no_robot_measures_is_not_judged():
    """Optional inputs that nobody gives trip nothing."""
    guard = SafetyGuard(limits())
    unknown = evidence(joint_efforts=None, tracking=None, encoder_slip=None, foot_load=None,
                       temperatures=None, battery=math.nan)
    unknown_motors = evidence(temperatures=np.full(CONTRACT.num_actions, math.nan))
    for step, e in enumerate([unknown, unknown_motors] * 50):
        e.now = step * PERIOD
        assert guard.judge(e) is None
    assert not any(guard.trips.values())


def test_a_loaded_joint_may_be_further_off_in_torque():
    """A sensor's scale is off by a share of what it measures."""
    guard = SafetyGuard(limits())
    for step in range(10):
        e = evidence(step * PERIOD)
        spoil('torque_error', 40.0)(e)
        e.tracking.asked_torque[KNEE] = 100.0
        assert guard.judge(e) is None


def test_weight_is_that_of_the_description_and_unknown_without_one():
    free = SafetyLimits.of(CONTRACT, None, 0.0, sensor_timeout=0.1, unchanged_timeout=0.25,
                           max_tilt=0.8, min_height=0.0)
    assert limits().weight == pytest.approx(9.81 * 45.3) and math.isnan(free.weight)
    e = evidence(foot_load=-100.0)
    guard = SafetyGuard(free)
    guard.judge(e)
    assert guard.hold == ''


def test_table_lists_every_rule_once():
    lines = rules_table().splitlines()[2:]
    assert [line.split('|')[1].strip() for line in lines] == [rule.name for rule in RULES]
