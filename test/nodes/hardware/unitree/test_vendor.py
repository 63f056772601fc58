# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The port beside Unitree's own software, where it is found.

unitree_mujoco's folder is named by UNITREE_MUJOCO, and unitree_sdk2py must be importable; the C++
SDK is the package far-unitree-sdk. VENDOR_SECONDS says for how long both run.
"""

import contextlib
import importlib.util
import json
import os
from pathlib import Path
import re
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip('cyclonedds')

from unitree_robot import until

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.hardware.port import MotorCommand
from humanoid_locomotion.nodes.hardware.unitree import stand_in
from humanoid_locomotion.nodes.hardware.unitree.port import UnitreePort
from humanoid_locomotion.reliability.soak import unitree_mujoco

SUPPORT = Path(__file__).parents[3] / 'support'
FOLDER, SECONDS = os.environ.get('UNITREE_MUJOCO', ''), os.environ.get('VENDOR_SECONDS', '5')
DOMAIN = 0  # that of the C++ SDK
SCENES = {'g1': 'scene_29dof.xml', 'h1': 'scene.xml'}
DOMAINS = {'g1': 21, 'h1': 22}  # a killed simulator is listed in its own for ten seconds more
pytestmark = pytest.mark.slow
needs_simulator = pytest.mark.skipif(
    not FOLDER or importlib.util.find_spec('unitree_sdk2py') is None,
    reason='needs UNITREE_MUJOCO and unitree_sdk2py')
needs_cpp = pytest.mark.skipif(importlib.util.find_spec('unitree_interface') is None,
                               reason='needs far-unitree-sdk')


@contextlib.contextmanager
def process(*arguments, **environment):
    """Run a program that prints JSON lines; wait for its first one and end it at the end."""
    with subprocess.Popen([sys.executable, *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True,
                          env={**os.environ, **environment}) as it:
        try:
            json.loads(it.stdout.readline())
            yield it
            assert it.poll() is None  # still running
        finally:
            it.kill()


def simulator(robot, domain=DOMAIN, **environment):
    return process(unitree_mujoco.__file__, FOLDER, robot, SCENES[robot], str(domain),
                   MUJOCO_GL='disable', **environment)


def opened(robot, simulator, domain=DOMAIN):
    port = UnitreePort(load_robot(f'unitree_{robot}'), 'lo', domain, simulator)
    end = time.monotonic() + 20.0
    while True:
        try:
            port.open()
            return contextlib.closing(port)
        except ConfigError:  # it has printed, but not yet opened its connection
            if time.monotonic() > end:
                raise


def hold(port, robot, seconds):
    """Command the default pose for some time; return the last reading and the number of them."""
    spec = load_robot(f'unitree_{robot}')
    zeros = np.zeros(spec.num_joints)
    command = MotorCommand(spec.values('default'), zeros, zeros, spec.values('kp'),
                           spec.values('kd'))
    end, count, last = time.monotonic() + seconds, 0, None
    while time.monotonic() < end:
        reading = port.read()
        if reading is not None:
            count, last = count + 1, reading
        port.write(command)
        time.sleep(0.002)
    return last, count


@needs_simulator
@pytest.mark.parametrize('robot', SCENES)
def test_unitree_mujoco_is_read_and_commanded(robot):
    domain = DOMAINS[robot]
    with simulator(robot, domain):
        with opened(robot, True, domain) as port:
            reading, count = hold(port, robot, 4.0)
            default = load_robot(f'unitree_{robot}').values('default')
            assert np.abs(reading.position - default).max() < 0.15
            assert count > 100 and reading.fault == '' and port.other_commanders() == ()
        with pytest.raises(ConfigError, match=r'wrong crc.*simulator:=unitree_mujoco'):
            UnitreePort(load_robot(f'unitree_{robot}'), 'lo', domain).open()


def run_client(robot, port):
    """Run the C++ client while the port commands; return the number of states that it read."""
    with subprocess.Popen(
            [sys.executable, str(SUPPORT / 'unitree_cpp_client.py'), robot, SECONDS],
            stdout=subprocess.PIPE, text=True) as client:
        until(port.other_commanders, 20.0)
        _, count = hold(port, robot, float(SECONDS))
        output, _ = client.communicate(timeout=30.0)
    assert client.returncode == 0, output
    assert count > 20 * float(SECONDS)
    return int(re.search(r'(\d+) states', output)[1])  # between the SDK's lines


@needs_cpp
@pytest.mark.parametrize('robot', SCENES)
def test_the_cpp_sdk_reads_and_writes_beside_the_port(robot):
    with (process('-m', stand_in.__name__, '--robot', f'unitree_{robot}', '--domain', '0'),
          opened(robot, simulator=False) as port):
        assert run_client(robot, port) > 20 * float(SECONDS)


@needs_cpp
@needs_simulator
@pytest.mark.parametrize('robot', SCENES)
def test_the_cpp_sdk_survives_unitree_mujoco_and_the_port(robot):
    with simulator(robot, OCTETS='1'), opened(robot, simulator=True) as port:
        run_client(robot, port)  # it refuses states without a checksum, as on a robot
