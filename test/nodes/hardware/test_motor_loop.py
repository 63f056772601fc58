# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The threads of the motors and of the states, with a port in this process."""

import time

import numpy as np
import pytest

pytest.importorskip('rclpy')

from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.hardware import motor_loop
from humanoid_locomotion.nodes.hardware.motor_guard import MotorGuard
from humanoid_locomotion.nodes.hardware.motor_loop import MotorLoop
from humanoid_locomotion.nodes.hardware.port import RobotReading

SPEC = load_robot('humanoid')
N, ZEROS = SPEC.num_joints, np.zeros(SPEC.num_joints)
KP, KD, EFFORT = (SPEC.values(key) for key in ('kp', 'kd', 'effort'))


class Robot:
    """A port whose robot always has a new state, and the watchdog of its driver."""

    def __init__(self):
        self.written, self.beats, self.delay, self.is_broken = [], [], 0.0, False

    def read(self):
        if self.is_broken:
            raise ValueError('broken')
        return RobotReading(time.monotonic(), SPEC.values('default'), ZEROS, ZEROS, ZEROS,
                            np.array([1.0, 0.0, 0.0, 0.0]), np.zeros(3), np.zeros(3))

    def write(self, command):
        self.written.append((time.monotonic(), command))
        time.sleep(self.delay)

    def beat(self):
        self.beats.append(time.monotonic())
        return True

    def dismiss(self):
        """Nothing waits."""


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.fixture
def start(monkeypatch):
    """Start the loop of a robot whose controller is stiff; end it."""
    monkeypatch.setattr(motor_loop, 'LAST_DAMPING', 0.01)
    loops = []

    def make(robot, after_read=lambda _: None):
        guard = MotorGuard(SPEC.joint_names, SPEC)
        guard.take_gains(np.stack([0.0 * KP, KD, EFFORT], 1), time.monotonic())
        guard.take_gains(np.stack([KP, KD, EFFORT], 1), time.monotonic())
        guard.take_command(SPEC.joint_names, SPEC.values('default'), [], time.monotonic() + 100.0)
        loops.append(MotorLoop(robot, guard, robot, after_read))
        loops[-1].start()
        return guard, loops[-1]

    yield make
    for loop in loops:
        loop.stop()


def test_states_are_passed_on_while_a_write_takes_long(start):
    robot, read = Robot(), []
    robot.delay = 0.3
    start(robot, read.append)
    until(lambda: robot.written)
    begin = len(read)
    until(lambda: len(read) > begin + 3)
    assert len(robot.written) == 1


def test_a_new_command_is_written_at_once_and_then_again_and_again(start, monkeypatch):
    robot = Robot()
    _, loop = start(robot)
    until(lambda: len(robot.written) > 50 and robot.written[-1][1].kp.any())
    monkeypatch.setattr(motor_loop, 'PERIOD', 0.5)
    until(lambda: time.monotonic() - robot.written[-1][0] > 0.1)
    count = len(robot.written)
    loop.wake()
    until(lambda: len(robot.written) > count, 0.2)


def test_the_watchdog_gets_a_signal_every_ten_milliseconds(start):
    robot = Robot()
    start(robot)
    until(lambda: len(robot.beats) > 10)
    assert len(robot.beats) - 2 <= (robot.beats[-1] - robot.beats[0]) / 0.01
    assert len(robot.written) > len(robot.beats)


@pytest.mark.parametrize('what', ['read', 'after_read'])
def test_a_failure_to_read_damps(start, what):
    robot, is_failing = Robot(), []

    def after_read(_):
        if is_failing:
            raise ValueError('broken')

    guard, _ = start(robot, after_read)
    until(lambda: robot.written and robot.written[-1][1].kp.any())
    robot.is_broken = what == 'read'
    is_failing += [True] * (what == 'after_read')
    until(lambda: not robot.written[-1][1].kp.any())
    assert guard.reason == 'the states are not read any more: ValueError: broken'
