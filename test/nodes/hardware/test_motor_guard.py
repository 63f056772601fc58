# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The motors follow only a controller that is beyond doubt, within its torque limits."""

import dataclasses
import re

import numpy as np
import pytest

from humanoid_locomotion.core.errors import ConfigError, JointsError, MessageError, RefusedError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.hardware.motor_guard import (
    COMMAND_TIMEOUT,
    RATE_WINDOW,
    MotorGuard,
    limited,
)
from humanoid_locomotion.nodes.hardware.port import Remote, RobotReading

SPEC = load_robot('humanoid')
NAMES, DEFAULT, N = SPEC.joint_names, SPEC.values('default'), SPEC.num_joints
GAINS = np.stack([SPEC.values(key) for key in ('kp', 'kd', 'effort')], axis=1)
DAMPED = GAINS * [0.0, 0.5, 1.0]
PRESSED = Remote(frozenset({'L2', 'B'}))


class Bench:
    """A guard with a robot that is read, and a controller that commands, every 2 ms."""

    def __init__(self, **options):
        self.guard, self.now = MotorGuard(NAMES, SPEC, **options), 100.0
        self.state = {'position': DEFAULT.copy(), 'velocity': np.zeros(N)}
        self.is_read = self.commands = True

    def run(self, seconds=0.002):
        for _ in range(round(seconds / 0.002)):
            self.now += 0.002
            if self.commands:
                self.guard.take_command(NAMES, DEFAULT, [], self.now)
            if self.is_read:
                self.reading = reading(time=self.now, **self.state)
            self.sent = self.guard.command(self.now, self.reading)
        return self

    def stiffen(self):
        self.guard.take_gains(DAMPED, self.now)
        self.run()
        self.guard.take_gains(GAINS, self.now)
        return self.run(0.2)

    @property
    def is_damped(self):
        return not self.sent.kp.any() and np.array_equal(self.sent.kd, SPEC.values('kd'))


def reading(time=100.0, position=DEFAULT, velocity=None, **more):
    """Give a state."""
    zeros = np.zeros(3)
    return RobotReading(time, position, np.zeros(N) if velocity is None else velocity,
                        np.zeros(N), np.full(N, 30.0), np.array([1.0, 0.0, 0.0, 0.0]), zeros,
                        zeros, **more)


@pytest.fixture
def bench():
    """Give a guard whose motors follow."""
    made = Bench().stiffen()
    assert made.guard.reason == '' and np.array_equal(made.sent.kp, GAINS[:, 0])
    return made


def set_state(name, value):
    return lambda bench: bench.state.update({name: value})


def spoil(name):
    def do(bench):
        values = bench.state[name].copy()
        values[3] = np.nan
        bench.state[name] = values
    return do


def refused(names, position):
    def do(bench):
        bench.commands = False
        with pytest.raises((JointsError, MessageError)):
            bench.guard.take_command(names, position, [], bench.now)
    return do


DOUBTS = {
    'silence': (lambda bench: setattr(bench, 'commands', False), 'no joint_command for 0.2 s'),
    'no state': (lambda bench: setattr(bench, 'is_read', False), 'no state of the robot'),
    'fault': (set_state('fault', 'mode_machine changed'), 'mode_machine changed'),
    'stop': (set_state('remote', PRESSED), 'L2 and B'),
    'others': (lambda bench: setattr(bench.guard, 'others', ('pid 7',)), 'pid 7'),
    'watchdog': (lambda bench: setattr(bench.guard, 'failure', 'no watchdog'), 'no watchdog'),
    'nan position': (spoil('position'), f'state of {NAMES[3]} is not finite'),
    'nan velocity': (spoil('velocity'), f'state of {NAMES[3]} is not finite'),
    'unknown joint': (refused(['tail', *NAMES[1:]], DEFAULT), r"no joints \['tail'\]"),
    'missing joint': (refused(NAMES[1:], DEFAULT[1:]), 'missing joints'),
    'too few': (refused(NAMES, DEFAULT[1:]), 'finite positions'),
    'nan target': (refused(NAMES, DEFAULT * np.nan), 'finite positions'),
    'gains': (lambda bench: bench.guard.refuse_gains('joint_gains: bad'), 'joint_gains: bad'),
    'called': (lambda bench: bench.guard.stop('~/emergency_stop'), 'emergency_stop')}


@pytest.mark.parametrize('do, reason', DOUBTS.values(), ids=DOUBTS)
def test_any_doubt_damps_with_the_robots_own_gains_in_time(bench, do, reason):
    do(bench)
    bench.run(0.21)
    assert bench.is_damped and re.search(reason, bench.guard.reason) and bench.guard.trips == 1


@pytest.mark.parametrize('needed', [True, False])
def test_a_lost_remote_damps_where_one_is_required(needed):
    bench = Bench(needs_remote=needed)
    bench.state['remote'] = Remote(frozenset())
    bench.stiffen()
    bench.state['remote'] = None
    bench.run()
    assert bench.is_damped is needed
    assert bench.guard.reason == ('the remote is not connected' if needed else '')


def test_fifty_states_a_second_are_too_few_and_two_hundred_are_not(bench):
    for period, follows in ((0.006, True), (0.020, False)):
        for _ in range(round(0.25 / period)):
            bench.run()
            bench.is_read = False
            bench.run(period - 0.002)
            bench.is_read = True
        assert (bench.guard.reason == '') is follows
    assert len(bench.guard._news) == RATE_WINDOW


@pytest.mark.parametrize('cause', [
    'silence', 'no state', 'fault', 'nan position', 'unknown joint'])
def test_torque_returns_only_after_the_controller_itself_damped(bench, cause):
    DOUBTS[cause][0](bench)
    bench.run(0.3)
    bench.commands = bench.is_read = True
    bench.state = {'position': DEFAULT, 'velocity': np.zeros(N)}
    bench.run(0.5)
    assert bench.is_damped and 'expected joint_gains with kp 0 next' in bench.guard.reason
    bench.guard.take_gains(DAMPED, bench.now)
    bench.run()
    assert np.array_equal(bench.sent.kd, DAMPED[:, 1])  # the controller's own damping
    bench.guard.take_gains(GAINS, bench.now)
    bench.run()
    assert np.array_equal(bench.sent.kp, GAINS[:, 0])


def test_an_emergency_stop_lasts_until_reset_which_waits_for_the_buttons(bench):
    bench.state['remote'] = PRESSED
    bench.run()
    with pytest.raises(RefusedError, match='L2 and B'):
        bench.guard.reset(bench.reading)
    bench.state['remote'] = Remote(frozenset())
    bench.run()
    bench.guard.take_gains(DAMPED, bench.now)
    bench.run(0.5)
    assert bench.is_damped
    bench.guard.reset(bench.reading)
    assert bench.run().guard.reason == ''


def test_reset_is_refused_while_something_else_commands(bench):
    bench.guard.others = ('pid 7',)
    with pytest.raises(RefusedError, match='pid 7'):
        bench.guard.reset(bench.run().reading)


@pytest.mark.parametrize('limp, kd', [(False, SPEC.values('kd')), (True, np.zeros(N))])
def test_motors_are_damped_or_limp_until_they_first_follow(limp, kd):
    bench = Bench(limp=limp)
    bench.run()
    assert np.array_equal(bench.sent.kd, kd) and not bench.sent.kp.any()
    bench.stiffen()
    bench.commands = False
    bench.run(0.3)
    assert bench.is_damped


def test_a_stop_damps_limp_motors():
    bench = Bench(limp=True).run()
    bench.guard.stop('asked')
    assert bench.run().is_damped


@pytest.mark.parametrize('distance, follows', [(0.2, False), (0.05, True)])
def test_the_first_controller_may_be_stiff_only_at_the_measured_pose(distance, follows):
    bench = Bench()
    bench.state['position'] = DEFAULT + distance
    bench.guard.take_gains(GAINS, bench.now)
    assert bench.run(0.5).is_damped is not follows


def test_gains_are_in_the_order_of_the_command():
    guard, order = MotorGuard(NAMES, SPEC), list(reversed(range(N)))
    guard.take_gains(DAMPED, 100.0)
    guard.command(100.0, reading())
    guard.take_gains(GAINS[order], 100.0)
    guard.take_command([NAMES[i] for i in order], DEFAULT[order], [], 100.0)
    sent = guard.command(100.0, reading())
    np.testing.assert_array_equal(sent.kp, GAINS[:, 0])
    np.testing.assert_array_equal(sent.position, DEFAULT)


@pytest.mark.parametrize('seed', range(20))
def test_the_torque_is_never_beyond_the_limit(seed):
    draw = np.random.default_rng(seed)
    state = reading(position=draw.uniform(-3, 3, N), velocity=draw.uniform(-30, 30, N))
    gains = GAINS * draw.uniform(0.0, 2.0, (N, 1)) * [draw.integers(2), 1.0, 1.0]
    it = limited(draw.uniform(-9, 9, N), draw.uniform(-500, 500, N), gains, state)
    torque = it.kp * (it.position - state.position) - it.kd * state.velocity + it.effort
    assert (np.abs(torque) <= gains[:, 2] * (1.0 + 1e-9)).all()
    assert all(np.isfinite(values).all() for values in dataclasses.astuple(it))


def test_a_target_within_the_limit_is_not_changed():
    it = limited(DEFAULT + 0.01, np.zeros(N), GAINS, reading())
    np.testing.assert_array_equal(it.position, DEFAULT + 0.01)
    np.testing.assert_array_equal(it.kd, GAINS[:, 1])


def test_gains_for_other_joints_are_refused():
    with pytest.raises(MessageError, match=f'2 rows for {N} joints'):
        MotorGuard(NAMES, SPEC).take_gains(GAINS[:2], 0.0)


def test_a_robot_that_the_description_does_not_describe_is_refused():
    with pytest.raises(ConfigError, match=r"joints \['tail'\].*another robot"):
        MotorGuard([*NAMES, 'tail'], SPEC)


def test_silence_is_measured_from_the_last_command(bench):
    bench.commands = False
    bench.run(COMMAND_TIMEOUT - 0.004)
    assert bench.guard.reason == ''
    bench.run(0.006)
    assert bench.is_damped
