# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The stand-in robot: what it refuses, how it is damped, and its command line."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip('cyclonedds')

from unitree_robot import DOMAIN, opened, running, until

from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.hardware.port import MotorCommand
from humanoid_locomotion.nodes.hardware.unitree import stand_in
from humanoid_locomotion.nodes.hardware.unitree.dds import Wire
from humanoid_locomotion.nodes.hardware.unitree.messages import HG_COMMAND, sign
from humanoid_locomotion.nodes.hardware.unitree.simulated_motors import (
    SimulatedMotors,
)

ROBOT = load_robot('unitree_g1')
ZEROS = np.zeros(ROBOT.num_joints)
HOLD = MotorCommand(ROBOT.values('default'), ZEROS, ZEROS, ROBOT.values('kp'), ROBOT.values('kd'))


def command(**changes):
    message = HG_COMMAND.new()
    message['mode_machine'] = 5
    message['motor_cmd']['mode'][:29] = 1
    message['motor_cmd']['kd'][:29] = 2.0
    for key, value in changes.items():
        message[key] = value
    return message


@pytest.mark.parametrize('spoil, reason', [
    (lambda message: message.__setitem__('crc', 1), 'wrong crc'),
    (lambda message: (message.__setitem__('mode_machine', 6), sign(message)),
     'wrong mode_machine'),
    (lambda message: (message['motor_cmd']['q'].__setitem__(3, np.inf), sign(message)),
     'values that are not finite')])
def test_a_command_that_the_firmware_refuses_changes_nothing(spoil, reason):
    with running() as robot:
        wire = Wire('lo', DOMAIN)
        writer = wire.writer('rt/lowcmd', HG_COMMAND)
        message = command()
        spoil(message)

        def refused():
            writer.write(HG_COMMAND.encode(message))
            return robot.refused.get(reason)

        until(refused)
        assert robot.mode == 'limp' and robot.accepted == 0
        wire.close()


def test_mode_zero_leaves_a_motor_limp():
    with running() as robot:
        wire = Wire('lo', DOMAIN)
        writer = wire.writer('rt/lowcmd', HG_COMMAND)
        message = command()
        message['motor_cmd']['mode'] = 0
        message['motor_cmd']['kp'] = message['motor_cmd']['tau'] = 5.0
        sign(message)
        until(lambda: writer.write(HG_COMMAND.encode(message)) or robot.accepted)
        assert robot.mode == 'limp'
        wire.close()


@pytest.mark.parametrize('watchdog, mode', [(0.1, 'damped'), (0.0, 'driven')])
def test_silence_damps_after_the_watchdogs_time_or_never(watchdog, mode):
    with running(watchdog=watchdog) as robot, opened() as port:
        until(lambda: port.write(HOLD) or robot.mode == 'driven')
        silence = time.monotonic()
        time.sleep(0.4)
        assert robot.mode == mode
        if watchdog:
            assert robot.report()['since'] - silence > watchdog - 0.05


def test_a_robot_that_is_held_is_let_go_at_the_first_command_with_stiffness():
    with running(hangs=False) as robot, opened() as port:
        until(lambda: robot.ticks > 100)
        assert robot.report()['position'][2] == pytest.approx(ROBOT.base_height, abs=0.02)
        assert robot.report()['on_hoist']
        until(lambda: port.write(HOLD) or not robot.report()['on_hoist'])


def test_the_hoist_carries_a_limp_robot_until_it_lowers_it():
    motors = SimulatedMotors(ROBOT, 0.002, 'pelvis')
    for _ in range(1000):
        motors.step()
    assert motors.base_position[2] == pytest.approx(ROBOT.base_height + 0.05, abs=0.02)
    assert motors.tilt < 0.1
    assert motors.is_on_hoist
    motors.lower()
    for _ in range(1500):
        motors.step()
    assert motors.base_position[2] < 0.5  # limp on the floor


def test_motors_follow_the_law_of_their_command_within_the_effort():
    motors = SimulatedMotors(ROBOT, 0.002, 'pelvis')
    i = ROBOT.joint_names.index('left_elbow_joint')
    effort = ZEROS.copy()
    effort[i] = 3.0
    motors.drive(MotorCommand(ZEROS, ZEROS, effort, ZEROS, ZEROS))
    motors.step()
    assert motors.effort[i] == pytest.approx(3.0)
    position, velocity = motors.position[i], motors.velocity[i]
    kp, kd, target = ZEROS.copy(), ZEROS.copy(), ZEROS.copy()
    kp[i], kd[i], target[i] = 10.0, 0.5, position + 0.2
    motors.drive(MotorCommand(target, ZEROS + 0.1, ZEROS, kp, kd))
    motors.step()
    assert motors.effort[i] == pytest.approx(10.0 * 0.2 + 0.5 * (0.1 - velocity), abs=0.05)
    motors.drive(MotorCommand(target + 3.0, ZEROS, ZEROS, 100 * kp, kd))
    motors.step()
    assert motors.effort[i] == pytest.approx(ROBOT.joints[i].effort)


def test_a_push_is_seen_as_velocity():
    motors = SimulatedMotors(ROBOT, 0.002, 'pelvis')
    motors.push([1.0, -0.5])
    assert motors.base_velocity == pytest.approx((1.0, -0.5))


@pytest.mark.parametrize('line', ['dance', 'press L3', 'rate fast', 'push 1'])
def test_a_line_that_is_not_an_action_is_an_error(line):
    with running() as robot, pytest.raises((ValueError, IndexError)):
        robot.act(line)


def test_the_program_reports_and_ends_when_told(tmp_path):
    with subprocess.Popen(
            [sys.executable, '-m', stand_in.__name__, '--domain', str(DOMAIN), '--owner', 'ai',
             '--seconds', '60'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:
        report = json.loads(it.stdout.readline())
        assert report['owner'] == 'ai' and report['mode'] == 'driven'
        it.stdin.write('owner\njump\n')
        it.stdin.flush()
        lines = [json.loads(it.stdout.readline()) for _ in range(4)]
        assert any('jump' in line.get('error', '') for line in lines)
        assert lines[-1]['owner'] == '' and lines[-1]['mode'] == 'limp'
        it.stdin.close()  # whoever started it has gone
        assert it.wait(timeout=20) == 0


@pytest.mark.parametrize('arguments, message', [
    (['--interface', 'nic9'], "there is no network interface 'nic9'"),
    (['--robot', 'unitree_x'], "unknown robot 'unitree_x'"),
    (['--robot', 'humanoid'], 'no Unitree robot has these')])
def test_a_wrong_argument_is_one_sentence(arguments, message):
    with pytest.raises(SystemExit, match=f'unitree_stand_in: .*{message}') as caught:
        stand_in.main(['--domain', str(DOMAIN), *arguments])
    assert '\n' not in str(caught.value)
