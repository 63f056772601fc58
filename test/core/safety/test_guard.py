# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""What tripped stays until it is reset, the worst of it; a hold is gone with its cause."""

import math

import pytest
from spoilt_evidence import CONTRACT, KNEE, PERIOD, evidence, limits, spoil

from humanoid_locomotion.core.errors import RefusedError
from humanoid_locomotion.core.safety.evidence import SafetyLimits, Topic
from humanoid_locomotion.core.safety.guard import SafetyGuard
from humanoid_locomotion.core.safety.rules import Severity


def test_a_robot_that_is_well_trips_nothing():
    """For as long as one likes."""
    guard = SafetyGuard(limits())
    for step in range(500):
        assert guard.judge(evidence(step * PERIOD)) is None
    assert not any(guard.trips.values()) and not guard.refusals(evidence())


def test_what_tripped_stays_until_reset():
    """Though the robot is well again."""
    guard, e = SafetyGuard(limits()), evidence()
    spoil('age', 1.0)(e)
    guard.judge(e)
    assert guard.judge(evidence(1.0)).rule == 'sensor silent'
    assert guard.refusals(evidence(1.0)) == ['imu/data is 1.00 s old; call ~/reset first']
    guard.reset(evidence(1.0))
    assert guard.judge(evidence(2.0)) is None


def test_first_of_the_worst_stays():
    """Damping outranks standing; a second reason does not hide the first."""
    guard = SafetyGuard(limits())
    guard.trip('a', Severity.STAND, 'first')
    guard.trip('b', Severity.DAMP, 'second')
    guard.trip('c', Severity.DAMP, 'third')
    assert (guard.latched.rule, guard.latched.reason) == ('b', 'second')


def test_refusals_list_everything_that_is_wrong():
    """All reasons at once, without debounce, and without latching."""
    guard, e = SafetyGuard(limits()), evidence()
    spoil('age', math.inf)(e)
    spoil('tilt', 1.0)(e)
    assert guard.refusals(e) == ['no imu/data', 'the base tilted by 1.00 rad']
    assert guard.latched is None


def test_refused_message_is_part_of_the_reason():
    """A silent sensor that sends rubbish is told from one that sends nothing."""
    guard, e = SafetyGuard(limits()), evidence()
    e.topics['imu/data'] = Topic(0.2, problem='imu/data: orientation has length 0, expected 1')
    assert 'refused: imu/data: orientation has length 0' in guard.judge(e).reason


def test_unknown_robot_has_no_speed_limit_and_absent_figures_are_not_judged():
    """What is not known cannot be judged."""
    free = SafetyLimits.of(CONTRACT, None, 0.0, sensor_timeout=0.1, unchanged_timeout=0.25,
                           max_tilt=0.8, min_height=0.0)
    e = evidence(joint_efforts=None, action=None)
    e.state.joint_velocities[0, KNEE] = 1000.0
    e.state.base_position[0, 2] = -5.0
    assert SafetyGuard(free).judge(e) is None and free.max_action == 10.0


def test_a_hold_is_gone_with_its_cause():
    """A robot that is let down may walk, and nothing needs to be reset."""
    guard = SafetyGuard(limits())
    assert guard.judge(evidence(foot_load=0.0)) is None and 'hangs' in guard.hold
    assert guard.refusals(evidence(foot_load=0.0))[0].startswith('the feet carry 0 N')
    guard.judge(evidence(PERIOD, foot_load=400.0))
    assert guard.hold == '' and guard.refusals(evidence(foot_load=400.0)) == []


def test_a_hot_motor_can_only_be_reset_when_it_is_cooler():
    """And a fault can be left all the same: damping heats nothing."""
    guard, hot = SafetyGuard(limits()), evidence(1.0)
    spoil('temperatures', 99.0)(hot)
    for hot.now in (1.0, 2.0):
        guard.judge(hot)
    assert guard.latched.rule == 'hot motor' and guard.latched.severity is Severity.STAND
    with pytest.raises(RefusedError, match=r'99 deg C.*reset when it is cooler'):
        guard.reset(hot)
    assert guard.latched is not None
    spoil('temperatures', 60.0)(hot)
    guard.reset(hot)
    assert guard.latched is None
    spoil('temperatures', 99.0)(hot)
    guard.trip('tilt', Severity.DAMP, 'it fell')
    guard.reset(hot)
    assert guard.latched is None
