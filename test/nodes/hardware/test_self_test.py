# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The self-test moves one joint at a time, and says which does not do what it should."""

import itertools
import re
import subprocess
import sys

import numpy as np
import pytest
from udp_robot import NAME, UdpRobot

from humanoid_locomotion.core.errors import ConfigError, RefusedError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.hardware import self_test as module
from humanoid_locomotion.nodes.hardware.connection import Connection
from humanoid_locomotion.nodes.hardware.port import Remote
from humanoid_locomotion.nodes.hardware.self_test import AMPLITUDE, HELD, self_test

SPEC = load_robot('humanoid')


@pytest.fixture
def robot(monkeypatch):
    """Give a robot that follows, but for four motors; the test has no pauses."""
    monkeypatch.setattr(module, 'REST', 0.1)
    monkeypatch.setattr(module, 'PAUSE', 0.02)
    made = UdpRobot(wiring={1: (1, -1.0), 2: (2, 0.0), 3: (4, 1.0), 4: (4, 3.0)})
    yield made
    made.close()


def test_each_joint_is_moved_alone_and_judged(robot):
    tests = self_test(Connection(NAME, 'humanoid', robot.address, 0), False, 0.3)
    found = list(itertools.islice(tests, 6))
    tests.close()
    assert [one.joint for one in found] == SPEC.joint_names[:6]
    assert [one.result for one in found] == [
        'follows', 'moves in the opposite direction', 'does not follow',
        f'moves {SPEC.joint_names[4]} instead', 'moves too far', 'follows']
    assert found[0].moved == pytest.approx(1.0, abs=0.4)
    for it in robot.received:
        assert (it.command.kp > 0.0).sum() <= 1
        stiff = it.command.kp > 0.0
        assert (abs(it.command.position - robot.default)[stiff] < 2 * AMPLITUDE).all()
    assert not robot.received[-1].command.kp.any()


def test_it_ends_when_the_motors_are_damped(robot):
    tests = self_test(Connection(NAME, 'humanoid', robot.address, 0), False, 0.3)
    next(tests)
    robot.status.remote = Remote(frozenset({'L2', 'B'}))
    with pytest.raises(RefusedError, match='L2 and B were pressed'):
        list(tests)
    assert not robot.received[-1].command.kp.any()


@pytest.mark.parametrize('moved, obeyed, result', [
    (0.9, 0.1, 'follows'), (0.1, 0.9, HELD), (-0.5, 1.0, HELD), (0.1, 0.0, 'does not follow'),
    (-0.9, 0.0, 'moves in the opposite direction'), (2.0, 0.0, 'moves too far')])
def test_a_motor_with_the_commanded_torque_is_held_by_its_load(moved, obeyed, result):
    shares = np.array([moved, 0.0])
    assert module._result(0, shares, obeyed, ['a', 'b']) == result


def test_a_robot_that_falls_silent_ends_it(robot, monkeypatch):
    monkeypatch.setattr(module.MotorLoop, '_run_states', lambda _: None)
    with pytest.raises(RefusedError, match='sends no states any more'):
        next(self_test(Connection(NAME, 'humanoid', robot.address, 0), False, 0.3))


def test_a_robot_whose_own_mode_drives_it_is_not_touched():
    pytest.importorskip('cyclonedds')
    pytest.importorskip('mujoco')
    from unitree_robot import DOMAIN, running
    with running(owner='ai') as robot:
        with pytest.raises(ConfigError, match=r"own mode 'ai' drives the motors; .*--release"):
            next(self_test(Connection('unitree', 'unitree_g1', 'lo', DOMAIN), False, 0.5))
        assert robot.accepted == 0 and not robot.refused and robot.mode == 'driven'


@pytest.fixture
def stand_in():
    """Give a hanging G1 on the wire, as a process."""
    pytest.importorskip('cyclonedds')
    pytest.importorskip('mujoco')
    pytest.importorskip('rclpy')
    from unitree_robot import until

    from humanoid_locomotion.reliability.faults.wire_robot import StandInRobot
    made = StandInRobot(load_robot('unitree_g1'))
    until(lambda: made.report, 30.0)
    yield made
    made.close()


def run_self_test(robot, *options):
    """Run the command; return what it printed, the last line of its errors and its exit code."""
    done = subprocess.run(
        [sys.executable, '-m', 'humanoid_locomotion', 'robot', 'self-test', '--interface', 'lo',
         '--domain', str(robot.domain), '--seconds', '0.5', *options],
        capture_output=True, text=True)
    return done.stdout.splitlines(), done.stderr.strip().rpartition('\n')[2], done.returncode


@pytest.mark.slow
def test_a_robot_on_the_wire_is_tested_joint_by_joint(stand_in):
    printed, problem, code = run_self_test(stand_in, '--hanging', '--release')
    assert problem == '' and len(printed) == 29
    for name, line in zip(load_robot('unitree_g1').joint_names, printed):
        assert re.fullmatch(rf'{name}: (follows|{HELD}), -?\d\.\d\d of the commanded motion about '
                            r'[xyz], at most \d+\.\d Nm', line), line
    assert code == (1 if any(HELD in line for line in printed) else 0)
    assert stand_in.report['mode'] == 'damped' and stand_in.report['on_hoist']


@pytest.mark.slow
def test_the_remote_ends_it(stand_in):
    stand_in.act('press L2 B')
    printed, problem, code = run_self_test(stand_in, '--hanging')
    assert (printed, code) == ([], 2) and 'L2 and B were pressed on the remote' in problem
    assert stand_in.report['mode'] == 'damped'
