"""Each rule trips on its own figure, after its debounce, and says which joint and how much."""

import math

import numpy as np
import policy_factory
import pytest

from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.safety import (
    RULES,
    Evidence,
    SafetyGuard,
    SafetyLimits,
    Severity,
    Topic,
)
from humanoid_locomotion.core.state import RobotState

CONTRACT = policy_factory.make_contract()
KNEE = CONTRACT.joint_names.index('left_knee')
PERIOD = CONTRACT.control_period


def limits(**changes):
    """Give limits for the humanoid."""
    figures = {'sensor_timeout': 0.1, 'unchanged_timeout': 0.25, 'max_tilt': 0.8,
               'min_height': 0.5, **changes}
    return SafetyLimits.of(CONTRACT, load_robot('humanoid'), 3.0, **figures)


def evidence(now=0.0, **changes):
    """Give the evidence of a robot that is well."""
    state = RobotState(
        CONTRACT.values('default')[None].astype(np.float32),
        np.zeros((1, CONTRACT.num_actions), np.float32),
        np.array([[0.0, 0.0, 0.0, 1.0]], np.float32), np.zeros((1, 3), np.float32),
        np.array([[0.0, 0.0, 0.9]], np.float32))
    given = {'topics': {'joint_states': Topic(0.01), 'imu/data': Topic(0.01)},
             'action': np.zeros((1, CONTRACT.num_actions), np.float32), 'period': PERIOD,
             'joint_efforts': np.zeros(CONTRACT.num_actions), **changes}
    return Evidence(now, state, **given)


def spoil(what, value):
    """Give a function that makes one figure of the evidence wrong."""
    def change(e):
        if what in ('joint_positions', 'joint_velocities'):
            getattr(e.state, what)[0, KNEE] = value
        elif what == 'base_position':
            e.state.base_position[0, 2] = value
        elif what == 'tilt':
            e.state.base_orientation[0] = [math.sin(value / 2), 0.0, 0.0, math.cos(value / 2)]
        elif what in ('age', 'unchanged', 'publishers'):
            setattr(e.topics['imu/data'], what, value)
        elif what in ('action', 'joint_efforts'):
            np.atleast_2d(getattr(e, what))[0, KNEE] = value
        elif what == 'nan rate':
            e.state.base_angular_velocity[0, 1] = math.nan
        else:
            setattr(e, what, value)
    return change


CASES = [
    ('not finite', spoil('joint_positions', math.nan), "position of joint 'left_knee' is nan"),
    ('not finite', spoil('joint_velocities', math.inf), "velocity of joint 'left_knee' is inf"),
    ('not finite', spoil('nan rate', 0.0), 'angular velocity of the base is not finite'),
    ('sensor silent', spoil('age', 0.2), 'imu/data is 0.20 s old'),
    ('sensor silent', spoil('age', math.inf), 'no imu/data'),
    ('sensor silent', spoil('age', math.nan), 'imu/data is nan s old'),
    ('sensor frozen', spoil('unchanged', 0.3), 'imu/data has shown the same figures for 0.30 s'),
    ('two publishers', spoil('publishers', 2), '2 nodes publish imu/data'),
    ('tilt', spoil('tilt', 1.0), 'the base tilted by 1.00 rad'),
    ('height', spoil('base_position', 0.3), 'the base is at 0.30 m'),
    ('joint position', spoil('joint_positions', -0.2), "position of joint 'left_knee' is -0.20"),
    ('joint position', spoil('joint_positions', 2.6), "position of joint 'left_knee' is 2.60 rad"),
    ('joint velocity', spoil('joint_velocities', -16.0),
     "velocity of joint 'left_knee' is -16.00 rad/s"),
    ('joint torque', spoil('joint_efforts', 200.0), "torque of joint 'left_knee' is 200.00 Nm"),
    ('action', spoil('action', -20.0), "the policy's action of joint 'left_knee' is -20.00"),
    ('action not finite', spoil('action', math.nan),
     "the policy's action of joint 'left_knee' is nan"),
    ('control period', spoil('period', 0.16), 'no control step for 0.160 s'),
    ('time jump', spoil('time_lost', 0.5), 'the clock jumped back by 0.500 s'),
    ('late step', spoil('period', 0.035), 'a control step came after 35 ms'),
    ('two commanders', spoil('command_publishers', 2), '2 nodes publish cmd_vel'),
]


def rule(name):
    """Give a rule by its name."""
    return next(rule for rule in RULES if rule.name == name)


def test_a_robot_that_is_well_trips_nothing():
    """For as long as one likes."""
    guard = SafetyGuard(limits())
    for step in range(500):
        assert guard.judge(evidence(step * PERIOD)) is None
    assert not any(guard.warnings.values()) and not guard.refusals(evidence())


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
    if expected.severity is Severity.WARN:
        assert verdict is None
        assert guard.warnings[name] == 1 and guard.last_warning.startswith(reason)
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


def test_what_tripped_stays_until_reset():
    """Though the robot is well again."""
    guard, e = SafetyGuard(limits()), evidence()
    spoil('age', 1.0)(e)
    guard.judge(e)
    assert guard.judge(evidence(1.0)).rule == 'sensor silent'
    assert guard.refusals(evidence(1.0)) == ['imu/data is 1.00 s old; call ~/reset first']
    guard.reset()
    assert guard.judge(evidence(2.0)) is None


def test_first_of_the_worst_stays():
    """Damping outranks standing; a second reason does not hide the first."""
    guard = SafetyGuard(limits())
    guard.trip('a', Severity.STAND, 'first', 0.0)
    guard.trip('b', Severity.DAMP, 'second', 1.0)
    guard.trip('c', Severity.DAMP, 'third', 2.0)
    assert (guard.latched.rule, guard.latched.time) == ('b', 1.0)


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
