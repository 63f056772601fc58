# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The driver node between ROS topics and a robot."""

import gc
import os
import time
from unittest import mock

import numpy as np
import pytest

pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticArray
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from sensor_msgs.msg import BatteryState, Imu, JointState, Temperature
from std_msgs.msg import Float64MultiArray, String
from std_srvs.srv import Trigger
from udp_robot import NAME, UdpRobot

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.hardware import driver_node
from humanoid_locomotion.nodes.hardware.driver_node import DriverNode
from humanoid_locomotion.nodes.hardware.port import Remote
from humanoid_locomotion.nodes.ros import conversions, qos

pytestmark = pytest.mark.ros
SPEC = load_robot('humanoid')
KP, KD, EFFORT = (SPEC.values(key) for key in ('kp', 'kd', 'effort'))
TOPICS = {'joint_states': JointState, 'imu/data': Imu, 'joint_temperatures': Temperature,
          'battery_state': BatteryState, '/diagnostics': DiagnosticArray}
PRESSED = Remote(frozenset({'L2', 'B'}))


class Controller:
    """What the locomotion node is to the driver, and the driver itself."""

    def __init__(self, robot, parameters):
        self.robot, self.calls, self.is_silent = robot, [], False
        given = {'driver': NAME, 'robot': 'humanoid', 'interface': robot.address, **parameters}
        self.driver = DriverNode(parameter_overrides=[
            Parameter(name, value=value) for name, value in given.items()])
        self.node = rclpy.create_node('locomotion')
        self.heard = {topic: [] for topic in TOPICS}
        for topic, kind in TOPICS.items():
            self.node.create_subscription(kind, topic, self.heard[topic].append, qos.PARTS_OUTPUT)
        self.commands = self.node.create_publisher(JointState, 'joint_command', qos.COMMAND)
        self.gains = self.node.create_publisher(Float64MultiArray, 'joint_gains', qos.LATCHED)
        self.state = self.node.create_publisher(String, '~/state', qos.LATCHED)
        for name in ('emergency_stop', 'stand'):
            self.node.create_service(Trigger, f'~/{name}', self.answer(name))
        self.reset = self.node.create_client(Trigger, 'driver/reset')
        self.executor = SingleThreadedExecutor()
        for node in (self.driver, self.node):
            self.executor.add_node(node)

    def answer(self, name):
        def answer(_, response):
            self.calls.append(name)
            response.success = True
            return response
        return answer

    def spin(self, until, seconds=5.0):
        end, sent = time.monotonic() + seconds, 0.0
        while not until():
            assert time.monotonic() < end, self.motors()
            if time.monotonic() - sent > 0.02 and not self.is_silent:
                sent = time.monotonic()
                self.commands.publish(JointState(
                    name=SPEC.joint_names, position=SPEC.values('default').tolist()))
            self.executor.spin_once(timeout_sec=0.005)

    def motors(self):
        reports = [status.message for it in self.heard['/diagnostics'] for status in it.status
                   if status.name == 'driver: motors']
        return reports[-1] if reports else ''

    @property
    def is_stiff(self):
        return bool(self.robot.received) and self.robot.received[-1].command.kp.any()

    def stiffen(self):
        asked = 0.0

        def is_armed():
            # Asked for again, since a state or command that is late disarms the guard.
            nonlocal asked
            if time.monotonic() - asked > 0.5:
                asked = time.monotonic()
                self.gains.publish(conversions.joint_gains(0.0 * KP, KD, EFFORT))
            return self.robot.received and self.driver._guard._is_armed and (
                reading := self.driver._loop.reading) and time.monotonic() - reading.time < 0.05

        self.spin(is_armed)
        self.gains.publish(conversions.joint_gains(KP, KD, EFFORT))
        self.spin(lambda: self.is_stiff)
        self.state.publish(String(data='walking'))
        return self

    def close(self):
        self.driver.stop()
        self.executor.shutdown()
        self.driver.destroy_node()
        self.node.destroy_node()


@pytest.fixture
def robot():
    """Give a robot behind UDP."""
    made = UdpRobot()
    yield made
    made.close()


@pytest.fixture
def controller(ros, robot):
    """Make driver and controller, and free them; the driver asks for real-time priority."""
    made, scheduler = [], os.sched_getscheduler(0)

    def make(connect=True, **parameters):
        made.append(Controller(robot, parameters))
        if connect:
            made[-1].driver.connect()
        return made[-1]

    yield make
    for one in made:
        one.close()
    if os.sched_getscheduler(0) != scheduler:  # it was permitted
        os.sched_setscheduler(0, scheduler, os.sched_param(0))


def test_states_are_published_when_a_controller_is_heard(robot, controller, monkeypatch):
    """One that ramps unheard would ramp from where the damped robot no longer is."""
    monkeypatch.setattr(driver_node, 'CONTROLLER_PATIENCE', 1e6)
    it = controller()
    it.spin(lambda: it.driver._loop.reading and it.heard['/diagnostics'])
    assert not it.heard['joint_states'] and not it.heard['imu/data']
    it.gains.publish(conversions.joint_gains(0.0 * KP, KD, EFFORT))
    it.spin(lambda: it.heard['joint_states'] and it.heard['imu/data'])


def test_the_state_of_the_robot_is_on_the_topics(robot, controller):
    robot.status.position[2] = 0.25
    it = controller()
    it.spin(lambda: all(it.heard.values()) and len(it.heard['joint_temperatures']) >= len(KP))
    joints, imu = it.heard['joint_states'][-1], it.heard['imu/data'][-1]
    assert list(joints.name) == SPEC.joint_names and joints.position[2] == 0.25
    assert len(joints.velocity) == len(joints.effort) == len(KP)
    assert imu.header.frame_id == 'torso' and imu.orientation.w == 1.0
    assert abs(conversions.seconds(imu.header.stamp) - time.time()) < 1.0
    hot = it.heard['joint_temperatures'][-1]
    assert hot.temperature == 40.0 and hot.header.frame_id in SPEC.joint_names
    assert it.heard['battery_state'][-1].percentage == pytest.approx(0.7)
    assert it.motors() == 'no joint_gains yet'


def test_the_motors_follow_500_times_a_second_and_are_damped_at_the_end(robot, controller):
    it = controller().stiffen()
    count, begin = len(robot.received), time.monotonic()
    it.spin(lambda: time.monotonic() - begin > 0.5)
    assert (len(robot.received) - count) / (time.monotonic() - begin) > 250.0  # a busy machine
    sent = robot.received[-1].command
    np.testing.assert_array_equal(sent.kp, KP)
    np.testing.assert_allclose(sent.position, SPEC.values('default'))
    it.driver.stop()
    last = robot.received[-1].command
    assert not last.kp.any() and np.array_equal(last.kd, KD)
    assert len({one.pid for one in robot.received}) == 1


@pytest.mark.parametrize('field, value', [
    ('remote', PRESSED), ('fault', 'mode_machine changed'), ('others', ('pid 7',))])
def test_a_stop_damps_at_once_and_the_locomotion_node_is_told(robot, controller, field, value):
    it = controller().stiffen()
    begin = time.monotonic()
    setattr(robot.status, field, value)
    it.spin(lambda: not it.is_stiff)
    assert time.monotonic() - begin < 0.25
    it.spin(lambda: 'emergency_stop' in it.calls)


def test_silence_of_the_robot_or_of_the_controller_damps(robot, controller):
    it = controller().stiffen()
    for name, where in (('is_silent', it), ('is_silent', robot)):
        setattr(where, name, True)
        begin = time.monotonic()
        it.spin(lambda: not it.is_stiff)
        assert time.monotonic() - begin < 1.0  # 0.2 s on a machine that does nothing else
        setattr(where, name, False)
        it.stiffen()


def test_the_watchdog_is_missed_when_it_ends(robot, controller):
    it = controller().stiffen()
    it.driver._loop._watchdog._process.kill()
    it.spin(lambda: not it.is_stiff)
    it.spin(lambda: 'watchdog process' in it.motors())


def test_invalid_gains_damp(robot, controller):
    it = controller().stiffen()
    it.gains.publish(conversions.joint_gains(np.nan * KP, KD, EFFORT))
    it.spin(lambda: not it.is_stiff)


def test_reset_is_a_service(robot, controller):
    it = controller().stiffen()
    robot.status.remote = PRESSED
    it.spin(lambda: not it.is_stiff)
    answers = [it.reset.call_async(Trigger.Request())]
    it.spin(lambda: answers[-1].done())
    assert not answers[-1].result().success
    robot.status.remote = Remote(frozenset())
    it.spin(lambda: not it.driver._loop.reading.remote.buttons)
    answers.append(it.reset.call_async(Trigger.Request()))
    it.spin(lambda: answers[-1].done() and it.is_stiff)
    assert answers[-1].result().success


def test_it_walks_only_while_the_button_is_held_if_asked(robot, controller):
    robot.status.remote = Remote(frozenset({'R1'}))
    it = controller(hold_button='R1').stiffen()
    begin = time.monotonic()
    it.spin(lambda: time.monotonic() - begin > 0.3)
    assert not it.calls
    robot.status.remote = Remote(frozenset())
    it.spin(lambda: 'stand' in it.calls)
    assert it.is_stiff


@pytest.mark.parametrize('parameters, status, message', [
    ({'interface': ''}, {}, 'expected the network interface'),
    ({'interface': '127.0.0.1:9'}, {}, 'no robot answers'),
    ({'robot': 'unitree_g1', 'driver': 'udp_robot:open_humanoid'}, {}, 'it is another robot'),
    ({'driver': 'unknown'}, {}, 'expected unitree, booster'),
    ({}, {'owner': 'walk_mode'}, 'release:=true'),
    ({}, {'others': ('pid 7',)}, 'pid 7')])
def test_what_must_not_be_driven_is_refused_before_any_command(
        robot, controller, parameters, status, message):
    for name, value in status.items():
        setattr(robot.status, name, value)
    it = controller(connect=False, **parameters)
    with pytest.raises(ConfigError, match=message):
        it.driver.connect()
    assert not robot.received


def test_no_real_time_priority_is_one_sentence(robot, controller, monkeypatch):
    from humanoid_locomotion.nodes.hardware import driver_node, motor_loop

    def refuse(*_):
        raise PermissionError('not permitted')
    monkeypatch.setattr(motor_loop.os, 'sched_setscheduler', refuse)
    monkeypatch.setattr(motor_loop.os, 'sched_getscheduler', lambda _: motor_loop.os.SCHED_OTHER)
    assert 'rtprio 20' in driver_node.request_real_time()


def test_the_process_asks_for_priority_before_its_middleware_starts_threads(monkeypatch):
    from humanoid_locomotion.nodes.hardware import driver_node
    called = []
    monkeypatch.setattr(driver_node, 'request_real_time', lambda: called.append('priority'))
    monkeypatch.setattr(driver_node, 'run', lambda *_: called.append('run') or 0)
    assert driver_node.main() == 0 and called == ['priority', 'run']


def test_what_exists_when_the_robot_is_connected_is_not_collected_again(monkeypatch):
    from humanoid_locomotion.nodes.hardware import driver_node
    monkeypatch.setattr(driver_node, 'DriverNode', mock.Mock)
    before = gc.get_freeze_count()
    try:
        node = driver_node.connected()
        node.connect.assert_called_once_with()
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
