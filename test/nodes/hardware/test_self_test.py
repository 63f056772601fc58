# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The self-test moves one joint at a time, and says which does not do what it should."""

import itertools

import pytest
from udp_robot import NAME, UdpRobot

from humanoid_locomotion.core.errors import RefusedError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.hardware.connection import Connection
from humanoid_locomotion.nodes.hardware.port import Remote
from humanoid_locomotion.nodes.hardware.self_test import AMPLITUDE, self_test

SPEC = load_robot('humanoid')


@pytest.fixture
def robot(monkeypatch):
    """Give a robot that follows, but for four motors; the test has no pauses."""
    from humanoid_locomotion.nodes.hardware import self_test as module
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
