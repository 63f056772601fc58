# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Faults between the driver and a Unitree robot, against the stand-in robot."""

import itertools
import math
import socket
import subprocess
import sys
import time

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')
pytest.importorskip('onnxruntime')

from humanoid_locomotion.core.errors import ConfigError, RefusedError
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.ros import middleware
from humanoid_locomotion.reliability.faults import wire_faults
from humanoid_locomotion.reliability.faults.cable import Cable
from humanoid_locomotion.reliability.faults.wire_faults import WireOutcome
from humanoid_locomotion.reliability.faults.wire_robot import StandInRobot

pytestmark = pytest.mark.ros
FAR = """import sys, time
from humanoid_locomotion.nodes.hardware.unitree.dds import Wire
from humanoid_locomotion.nodes.hardware.unitree.messages import HG_COMMAND
wire = Wire(sys.argv[1], int(sys.argv[2]))
there, back = wire.reader('there', HG_COMMAND), wire.writer('back', HG_COMMAND)
data = HG_COMMAND.encode(HG_COMMAND.new())
while True:
    data = [data, *there.take()][-1]
    back.write(data)
    time.sleep(0.005)
"""


def until(condition, seconds=10.0):
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end


def outcome(**changes):
    values = {'fault': 'a fault', 'walking': False, 'damped_after': 0.1, 'said': 'a | b',
              'state': 'fault', 'passed': True}
    return WireOutcome(**{**values, **changes})


def test_a_robot_of_another_maker_is_refused_before_anything_starts():
    with pytest.raises(ConfigError, match='no Unitree robot has these 23 joints'):
        next(wire_faults.run_wire_faults(open_policy('humanoid'), load_robot('humanoid')))


def test_the_table_shows_times_and_what_failed():
    table = wire_faults.wire_table([
        outcome(), outcome(walking=True, damped_after=math.nan, passed=False, said='')])
    assert table.splitlines()[2] == (
        '| a fault | damped after 100 ms | **FAILED** not damped | a / b | fault |')


@pytest.mark.slow
@pytest.mark.parametrize('fault', wire_faults.FAULTS, ids=lambda it: it.name)
def test_a_walking_robot_is_damped_in_time(ros, fault):
    pytest.importorskip('cyclonedds')
    if fault.make_robot is not StandInRobot:
        cable_or_skip().close()
    found = wire_faults.inject(
        open_policy('unitree_g1', 'onnxruntime'), load_robot('unitree_g1'), fault, True)
    assert found.passed, found


def cable_or_skip():
    """Return a cable."""
    try:
        return Cable()
    except RefusedError as error:
        pytest.skip(str(error))


def test_nothing_passes_through_a_cut_cable_and_who_writes_is_not_disturbed():
    pytest.importorskip('cyclonedds')
    from humanoid_locomotion.nodes.hardware.unitree.dds import Wire
    from humanoid_locomotion.nodes.hardware.unitree.messages import HG_COMMAND
    cable, domain = cable_or_skip(), middleware.free_domain()
    far = subprocess.Popen(
        [*cable.prefix, sys.executable, '-c', FAR, cable.interface, str(domain)],
        stderr=subprocess.PIPE)
    wire = Wire(cable.interface, domain)
    there, back = wire.writer('there', HG_COMMAND), wire.reader('back', HG_COMMAND)
    message, numbers = HG_COMMAND.new(), itertools.count(1)

    def passes():
        """Whether the far end, which repeats the newest, answers within 0.1 s."""
        message['crc'] = next(numbers)
        there.write(HG_COMMAND.encode(message))
        end = time.monotonic() + 0.1
        while time.monotonic() < end:
            if any(HG_COMMAND.decode(it)['crc'] == message['crc'] for it in back.take()):
                return True
            time.sleep(0.001)
        return False

    try:
        until(passes)
        cable.pull()
        assert not any(passes() for _ in range(3))
        cable.plug()
        until(passes)
        cable.switch_off()
        assert not any(passes() for _ in range(3))
    finally:
        far.kill()
        logged = far.communicate()[1]
        wire.close()
        cable.close()
    assert logged == b''
    assert cable.interface not in [name for _, name in socket.if_nameindex()]


def test_no_right_to_make_networks_is_one_sentence(monkeypatch):
    monkeypatch.setenv('PATH', '/nonexistent')
    with pytest.raises(RefusedError, match=r'may not make networks .*start it as root') as caught:
        Cable()
    assert '\n' not in str(caught.value)
