# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The port of the Booster robots, with a fake of their messages and with the real ones."""

import sys
import time

import numpy as np
import pytest

pytest.importorskip('rclpy')

import fake_booster

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.errors import ConfigError, MissingPackageError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.hardware.booster.port import BoosterPort, quaternion_wxyz
from humanoid_locomotion.nodes.hardware.booster.robots import ROBOTS, machine_with
from humanoid_locomotion.nodes.hardware.port import MotorCommand

pytestmark = pytest.mark.ros
T1 = ROBOTS['T1 with 23 joints']
DOMAIN = 71  # of no other test


class Description:
    """What the port reads of a robot description: joints, in an order of its own, and torques."""

    name, joint_names = 'booster_t1', T1[::-1]

    def values(self, key):
        return np.full(len(T1), 50.0)


def until(condition):
    """Wait for what another thread does."""
    end = time.monotonic() + 5.0
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture(params=['fake', 'booster_interface'])
def robot(request, monkeypatch):
    """Make a robot with some motors."""
    made = []

    def make(motors=len(T1)):
        if request.param == 'fake':
            made.append(fake_booster.FakeRobot(motors, monkeypatch))
        else:
            pytest.importorskip('booster_interface')
            made.append(fake_booster.RealRobot(motors, DOMAIN))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def opened(robot):
    """Give a robot and its open port."""
    one, port = robot(), BoosterPort(Description(), '', DOMAIN)
    port.open()
    yield one, port
    port.close()


def newest(port):
    """Return the next state."""
    found = []
    until(lambda: found.append(port.read()) or found[-1])
    return found[-1]


def test_states_come_in_the_order_of_the_description(opened):
    _, port = opened
    reading = newest(port)
    motors = np.arange(len(T1))[::-1]
    np.testing.assert_allclose(reading.position, 0.1 * motors, atol=1e-6)
    np.testing.assert_allclose(reading.velocity, 0.01 * motors, atol=1e-6)
    np.testing.assert_allclose(reading.effort, motors)
    np.testing.assert_allclose(reading.temperature, 30 + motors)
    np.testing.assert_allclose(reading.angular_velocity_in_imu, [1.0, 2.0, 3.0])
    assert reading.fault == '' and 0.0 <= time.monotonic() - reading.time < 1.0


def test_commands_go_to_the_motor_of_each_joint_and_the_ankle_gets_torque(opened):
    one, port = opened
    position = newest(port).position
    n = len(T1)
    target = position + 0.1
    port.write(MotorCommand(target, np.full(n, 0.5), np.full(n, 2.0), np.full(n, 100.0),
                            np.arange(n, dtype=float)))
    until(lambda: one.commands)
    sent = one.commands[-1]
    assert sent.cmd_type == 1 and len(sent.motor_cmd) == n
    for motor, name in enumerate(T1):
        it, i = sent.motor_cmd[motor], port.joints.index(name)
        torque, kp = (12.0, 0.0) if 'Ankle' in name else (2.0, 100.0)  # 100 x 0.1 + 2
        np.testing.assert_allclose(
            [it.q, it.dq, it.tau, it.kp, it.kd], [target[i], 0.5, torque, kp, i], rtol=1e-4)
    port.write(MotorCommand(position + 9.0, *np.zeros((2, n)), np.full(n, 100.0), np.zeros(n)))
    until(lambda: len(one.commands) > 1)
    assert {it.tau for it in one.commands[-1].motor_cmd} == {0.0, 50.0}  # the torque limit


def test_damping_reaches_every_motor(opened):
    one, port = opened
    newest(port)
    n = len(T1)
    port.write(MotorCommand(*np.zeros((4, n)), np.full(n, 3.0)))
    until(lambda: one.commands)
    assert all((it.kp, it.kd, it.tau) == (0.0, 3.0, 0.0) for it in one.commands[-1].motor_cmd)


def test_the_mode_of_the_robot_owns_the_motors_until_it_is_released(opened):
    one, port = opened
    assert port.owner() == 'walking'
    port.release()
    assert one.mode == 3 and port.owner() == ''


def test_another_node_that_commands_is_reported(opened):
    one, port = opened
    assert port.other_commanders() == ()
    one.command_with('stranger')
    until(port.other_commanders)
    assert port.other_commanders() == ("node 'stranger' publishes /joint_ctrl",)


def test_an_error_flag_of_a_motor_is_a_fault(opened):
    one, port = opened

    def break_knee(state):
        state.motor_state_serial[T1.index('Left_Knee_Pitch')].reserve = [7, 0]

    one.publish(break_knee)
    until(lambda: newest(port).fault == 'motors report an error: Left_Knee_Pitch (7)')


def test_another_robot_is_refused(robot):
    robot(motors=22)
    with pytest.raises(ConfigError, match='22 motors, expected the 23 of a T1 with 23 joints'):
        BoosterPort(Description(), '', DOMAIN).open()


def test_a_robot_that_does_not_answer_is_taken_as_owned(monkeypatch):
    one, port = fake_booster.FakeRobot(len(T1), monkeypatch), BoosterPort(Description(), '', 0)
    port.open()
    one.answers = False
    assert port.owner() == 'unknown (booster_rpc_service does not answer)'


def test_without_the_messages_one_sentence_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, 'booster_interface', None)
    with pytest.raises(MissingPackageError, match='booster_interface'):
        BoosterPort(Description(), '', DOMAIN).open()


def test_each_robot_is_known_by_its_joints():
    assert [len(motors) for motors in ROBOTS.values()] == [23, 29, 22]
    for name, motors in ROBOTS.items():
        assert len(set(motors)) == len(motors) and machine_with(motors[::-1]).name == name
    assert machine_with(load_robot('booster_t1').joint_names).motors == T1
    with pytest.raises(ConfigError, match='found a robot with 22 joints'):
        machine_with(T1[1:])


def test_roll_pitch_and_yaw_are_turned_in_this_order():
    def turned(vector, *angles):
        return rotations.rotate(quaternion_wxyz(*angles)[None, [1, 2, 3, 0]], vector)

    np.testing.assert_allclose(
        turned(np.array([[0.0, 1.0, 0.0]]), np.pi / 2, 0.0, 0.0), [[0.0, 0.0, 1.0]], atol=1e-9)
    vector = np.array([[1.0, 2.0, 3.0]])
    one_by_one = turned(turned(turned(vector, 0.1, 0, 0), 0, 0.2, 0), 0, 0, 0.3)
    np.testing.assert_allclose(turned(vector, 0.1, 0.2, 0.3), one_by_one, atol=1e-9)
