# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The port against a robot of ours on the same wire, in one process."""

from pathlib import Path
import re
import time
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml

pytest.importorskip('cyclonedds')

from unitree_robot import DOMAIN, opened, running, until

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.reading.config import read_yaml
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.hardware.port import MotorCommand
from humanoid_locomotion.nodes.hardware.unitree import dds, messages
from humanoid_locomotion.nodes.hardware.unitree import port as port_module
from humanoid_locomotion.nodes.hardware.unitree.port import COMMANDS, UnitreePort
from humanoid_locomotion.nodes.hardware.unitree.robots import G1, G1_23


def default_pose(name, kp_scale=1.0):
    robot = load_robot(name)
    zeros = np.zeros(robot.num_joints)
    return MotorCommand(robot.values('default'), zeros, zeros, kp_scale * robot.values('kp'),
                        robot.values('kd'))


def fault_of(port):
    reading = port.read()
    return reading and reading.fault


@pytest.fixture
def refused(monkeypatch):
    """Try to open a port and return the refusal; it does not wait two seconds for a robot."""
    monkeypatch.setattr(port_module, 'FIRST_STATE', 0.3)
    return refusal


def refusal(name='unitree_g1', interface='lo', **options):
    with pytest.raises(ConfigError) as caught:
        UnitreePort(load_robot(name), interface, DOMAIN, **options).open()
    assert str(caught.value).count('\n') == 0
    return str(caught.value)


@pytest.mark.parametrize('name', ['unitree_g1', 'unitree_h1'])
def test_states_arrive_in_the_order_and_units_of_the_description(name):
    with running(name, owner='ai'), opened(name) as port:  # its mode holds the pose
        reading = until(port.read)
        assert port.joints == tuple(load_robot(name).joint_names)
        np.testing.assert_allclose(reading.position, load_robot(name).values('default'), atol=0.2)
        until(lambda: abs(until(port.read).effort).max() > 1.0)  # it settles into the pose
        assert np.linalg.norm(reading.quaternion_wxyz) == pytest.approx(1.0, abs=1e-4)
        until(lambda: np.allclose(until(port.read).acceleration_in_imu, [0, 0, 9.81], atol=1.0))
        assert reading.temperature.shape == reading.position.shape
        assert reading.remote is None and reading.fault == ''
        assert until(lambda: until(port.read).battery) == pytest.approx(0.8)
        start = time.monotonic()
        assert start <= until(port.read).time <= time.monotonic()


def reached(port, command, joint):
    """Write the command; give whether the joint is near its target."""
    port.write(command)
    reading = port.read()
    return reading and abs(reading.position[joint] - command.position[joint]) < 0.15


@pytest.mark.parametrize('name', ['unitree_g1', 'unitree_h1'])
def test_commands_move_the_motors_they_name(name):
    command = default_pose(name)
    with running(name) as robot, opened(name) as port:
        joint = port.joints.index('left_elbow_joint')
        command.position[joint] += 0.4

        until(lambda: reached(port, command, joint))
        assert robot.refused == {} and robot.mode == 'driven'


@pytest.fixture
def g1_with_23_joints(tmp_path):
    """Give a folder of the package's G1 without the joints that the smaller G1 lacks."""
    robot, missing = load_robot('unitree_g1'), {*G1.joints} - {*G1_23.joints}
    data = read_yaml(Path(robot.folder) / 'robot.yaml')
    data['joints'] = [it for it in data['joints'] if it['name'] not in missing]
    tree = robot.mjcf_root
    for parent in tree.iter():
        for child in [it for it in parent if {it.get('name'), it.get('joint')} & missing]:
            parent.remove(child)
    (tmp_path / 'robot.yaml').write_text(yaml.safe_dump({**data, 'urdf': None}))
    (tmp_path / 'robot.xml').write_bytes(ElementTree.tostring(tree))
    return str(tmp_path)


def test_the_g1_with_23_joints_keeps_the_indices_of_the_29(refused, g1_with_23_joints):
    with running(g1_with_23_joints) as robot:
        assert 'mode_machine 4, expected a G1 with 29 joints' in refused()
        with opened(g1_with_23_joints) as port:
            command = default_pose(g1_with_23_joints)
            joint = port.joints.index('right_wrist_roll_joint')
            command.position[joint] += 0.4

            until(lambda: reached(port, command, joint))
            used = np.flatnonzero(port._message['motor_cmd']['mode'])
            assert used.tolist() == [i for i, name in enumerate(G1_23.motors) if name]
            assert robot.refused == {}


def test_a_command_that_is_not_finite_is_not_sent():
    command = default_pose('unitree_g1')
    command.position[3] = np.nan
    with running() as robot, opened() as port:
        with pytest.raises(ValueError, match='expected finite values, found q = '):
            port.write(command)
        assert robot.accepted == 0 and not robot.refused


@pytest.mark.parametrize('line, cure, fault', [
    ('crc wrong', 'crc right', 'the robot sends only states with a wrong crc'),
    ('freeze on', 'freeze off', 'the robot sends only states with a tick that stands still')])
def test_bad_states_are_a_fault_until_good_ones_arrive(line, cure, fault):
    with running() as robot, opened() as port:
        until(port.read)
        robot.act(line)
        assert until(lambda: fault_of(port)) == fault
        robot.act(cure)
        until(lambda: fault_of(port) == '')


def test_a_state_that_is_not_finite_is_refused():
    with running() as robot, opened() as port:
        robot.act('rate 0')
        state = robot._state.copy()
        state['motor_state']['q'][7] = np.nan
        messages.sign(state)

        def refused():
            robot._states.write(messages.HG_STATE.encode(state))
            port.read()
            return port.refused.get('values that are not finite')

        until(refused)


def test_a_refused_state_does_not_look_new():
    with running() as robot, opened() as port:
        robot.act('crc wrong')
        until(lambda: fault_of(port))
        first = port.read().time
        time.sleep(0.02)
        assert port.read().time == first and port.refused['a wrong crc'] > 0


def test_a_changed_mode_machine_is_a_lasting_fault_and_is_repeated():
    with running() as robot, opened() as port:
        until(port.read)
        robot.act('mode_machine 6')
        expected = 'mode_machine changed from 5 to 6 while the driver was running'
        assert until(lambda: fault_of(port)).startswith(expected)
        port.write(default_pose('unitree_g1', kp_scale=0.0))
        until(lambda: robot.mode == 'damped')  # the robot accepts a command with the new value
        robot.act('mode_machine 5')
        until(lambda: port._mode_machine == 5 or (port.read() is None and False))
        assert until(port.read).fault.startswith(expected)


def test_no_states_are_no_readings():
    with running() as robot, opened() as port:
        robot.act('rate 0')
        time.sleep(0.1)
        port.read()
        assert [port.read() for _ in range(5)] == [None] * 5


def test_buttons_of_the_remote_arrive():
    with running() as robot, opened() as port:
        robot.act('press L2 B')
        assert until(lambda: until(port.read).remote).buttons == {'L2', 'B'}
        robot.act('remote lost')
        until(lambda: until(port.read).remote is None)


def test_another_publisher_of_commands_is_named_and_seen_to_leave():
    with running(), opened() as port:
        assert port.other_commanders() == ()
        other = dds.Wire('lo', DOMAIN)
        other.writer(COMMANDS, messages.HG_COMMAND)
        (found,) = until(port.other_commanders)
        assert found.startswith('process ')
        port.companions.add(other.participant)
        assert port.other_commanders() == ()
        port.companions.clear()
        other.close()
        until(lambda: port.other_commanders() == ())


def test_a_mode_that_owns_the_motors_is_named_and_released_when_asked():
    with running(owner='ai') as robot, opened() as port:
        assert port.owner() == 'ai'
        port.write(default_pose('unitree_g1'))
        until(lambda: robot.refused.get('motors owned by a mode'))
        port.release()
        assert port.owner() == '' and robot.mode == 'limp'


def test_an_interface_that_is_not_there_is_refused_with_those_that_are(refused):
    assert "'nic9', there is: lo" in refused(interface='nic9')


def test_no_robot_is_refused(refused):
    assert "no robot sent a state within 0.3 s on 'lo'" in refused()


@pytest.mark.parametrize('line, message', [
    ('crc wrong', r'every state .* refused \(\d+ with a wrong crc\)'),
    ('mode_machine 4', r'mode_machine 4, expected a G1 with 29 joints, which has one of \[2, ')])
def test_a_wrong_robot_is_refused_before_anything_is_written(refused, line, message):
    with running() as robot:
        robot.act(line)
        assert re.search(message, refused())
        assert robot.accepted == 0 and not robot.refused


def test_a_robot_with_other_messages_is_refused(refused):
    with running('unitree_h1'):
        assert 'publishes unitree_go::msg::dds_::LowState_, but a G1' in refused()


def test_a_simulator_needs_no_checksum():
    with running() as robot:
        robot.act('crc wrong')
        with opened(simulator=True) as port:
            reading = until(port.read)
            assert reading.fault == '' and reading.battery is None and port.owner() == ''
