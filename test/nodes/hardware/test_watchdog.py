# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The watchdog process damps when the driver ends or hangs, and not before."""

import os
import signal
import subprocess
import sys
import time

import pytest
from udp_robot import NAME, UdpRobot

from humanoid_locomotion.core.errors import ConfigError, LocomotionError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.hardware.connection import Connection, check_free
from humanoid_locomotion.nodes.hardware.watchdog import Watchdog

KD = load_robot('humanoid').values('kd')
# A driver that beats, and says the process id of its watchdog.
DRIVER = """
import sys, time
from humanoid_locomotion.nodes.hardware.connection import Connection
from humanoid_locomotion.nodes.hardware.watchdog import Watchdog
dog = Watchdog(Connection.from_text(sys.argv[1]))
dog.beat()
print(dog.pid, flush=True)
while dog.beat():
    time.sleep(0.002)
print('noticed', flush=True)
"""


@pytest.fixture
def robot():
    """Give a robot behind UDP."""
    made = UdpRobot()
    yield made
    made.close()


def connection(robot):
    return Connection(NAME, 'humanoid', robot.address, 0)


@pytest.fixture
def driver(robot):
    """Give a process that beats, and the process id of its watchdog."""
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(it for it in sys.path if it))
    process = subprocess.Popen([sys.executable, '-c', DRIVER, connection(robot).to_text()],
                               stdout=subprocess.PIPE, text=True, env=environment)
    dog = int(process.stdout.readline())
    yield process, dog
    process.kill()
    process.wait()
    os.kill(dog, signal.SIGKILL)


def damps(robot, dog, since):
    found = robot.wait(lambda it: it.pid == dog)
    assert not found.command.kp.any() and (found.command.kd == KD).all()
    return found.time - since


def test_it_damps_when_the_driver_is_killed(robot, driver):
    process, dog = driver
    time.sleep(0.1)
    assert not robot.received
    begin = time.monotonic()
    process.kill()
    assert damps(robot, dog, begin) < 0.25


def test_it_damps_when_the_driver_hangs_and_the_driver_notices(robot, driver):
    process, dog = driver
    begin = time.monotonic()
    process.send_signal(signal.SIGSTOP)
    assert damps(robot, dog, begin) < 0.25 + 0.1  # a busy machine
    process.send_signal(signal.SIGCONT)
    assert process.stdout.readline() == 'noticed\n'


def test_a_dismissed_watchdog_commands_nothing(robot):
    dog = Watchdog(connection(robot))
    assert dog.beat()
    dog.dismiss()
    assert not robot.received and not dog.beat()


def test_a_watchdog_that_cannot_connect_is_an_error():
    with pytest.raises(LocomotionError, match='watchdog process did not start'):
        Watchdog(Connection(NAME, 'humanoid', '127.0.0.1:9', 0))


@pytest.mark.parametrize('driver', ['unknown', 'json:nothing', 'udp_robot'])
def test_an_unknown_driver_is_named(driver):
    with pytest.raises(ConfigError, match=f'expected unitree, booster or .*{driver}'):
        Connection(driver, 'humanoid', 'lo', 0).make_port()


def test_a_robot_is_free_after_its_own_mode_was_released(robot):
    robot.status.owner = 'walk_mode'
    port = connection(robot).make_port()
    port.open()
    with pytest.raises(ConfigError, match=r"own mode 'walk_mode' .*release:=true"):
        check_free(port, release=False)
    check_free(port, release=True)
    assert robot.status.owner == ''
    robot.status.others = ('pid 7',)
    time.sleep(0.02)
    port.read()
    with pytest.raises(ConfigError, match='pid 7; end it first'):
        check_free(port, release=True)
    port.close()
