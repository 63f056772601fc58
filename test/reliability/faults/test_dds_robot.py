# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The simulated robot behind ROS topics: its callbacks, called without DDS."""

import time
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from sensor_msgs.msg import Imu, JointState
from std_msgs.msg import String

from humanoid_locomotion.reliability.faults.dds_robot import DdsRobot


class Measurements:
    """Messages whose velocity counts the measurements."""

    def __init__(self):
        self.joint_states, self.imu, self.taken = JointState(), Imu(), 0

    def take(self, stamp):
        self.taken += 1
        self.joint_states.velocity = [float(self.taken)]
        for msg in (self.joint_states, self.imu):
            msg.header.stamp = stamp


@pytest.fixture
def robot(monkeypatch):
    """Return a robot whose publishers and simulator are stubs, without a node."""
    one = DdsRobot.__new__(DdsRobot)
    one.robot = SimpleNamespace(pulls=True, step=Mock(), command=Mock(), state=lambda: None)
    one._measurements, one.published = Measurements(), []
    one._topics = {name: SimpleNamespace(publish=lambda msg, name=name: one.published.append(
        (name, msg.header.stamp.sec, int(one._measurements.joint_states.velocity[0]))))
        for name in ('joint_states', 'imu')}
    one._cmd_vel, one._spinner = Mock(), Mock()
    one.is_silent = one.is_frozen = False
    one.walk = one.damped_at = None
    one.commands, one.states, one.trips, one.state, one.now = [], [], {}, '', 0

    def clock():
        one.now += 1
        return SimpleNamespace(now=lambda: SimpleNamespace(to_msg=lambda: Time(sec=one.now)))
    monkeypatch.setattr(one, 'get_clock', clock, raising=False)
    return one


def test_imu_is_published_before_the_joint_states_with_one_stamp(robot):
    robot._on_tick()
    robot._on_tick()
    assert robot.published == [('imu', 1, 1), ('joint_states', 1, 1),
                               ('imu', 2, 2), ('joint_states', 2, 2)]


def test_frozen_sensors_repeat_their_values_with_new_stamps(robot):
    robot._on_tick()
    robot.is_frozen = True
    robot._on_tick()
    assert robot.published[2:] == [('imu', 2, 1), ('joint_states', 2, 1)]


def test_silent_robot_publishes_nothing_and_goes_on_falling(robot):
    robot.is_silent = True
    robot._on_tick()
    assert robot.published == [] and robot.robot.step.call_count == 1


def test_first_damped_tick_is_kept_until_it_is_cleared(robot):
    robot._on_tick()
    assert robot.damped_at is None
    robot.robot.pulls, begin = False, time.monotonic()
    robot._on_tick()
    first = robot.damped_at
    robot._on_tick()
    assert begin <= first == robot.damped_at
    robot.damped_at = None
    robot._on_tick()
    assert robot.damped_at > first


def test_silence_does_not_hide_that_the_joints_are_damped(robot):
    robot.is_silent, robot.robot.pulls = True, False
    robot._on_tick()
    assert robot.damped_at is not None


def test_velocity_is_commanded_only_if_there_is_one(robot):
    robot._on_walk()
    assert not robot._cmd_vel.publish.called
    robot.walk = [0.5, -0.1, 0.2]
    robot._on_walk()
    ((msg,), _) = robot._cmd_vel.publish.call_args
    assert (msg.linear.x, msg.linear.y, msg.angular.z) == (0.5, -0.1, 0.2)


def test_command_reaches_the_joints_by_name_and_its_arrival_is_kept(robot):
    begin = time.monotonic()
    robot._on_command(JointState(name=['a', 'b'], position=[0.1, 0.2]))
    ((names, positions), _) = robot.robot.command.call_args
    assert names == ['a', 'b'] and positions.tolist() == [0.1, 0.2]
    assert len(robot.commands) == 1 and begin <= robot.commands[0] <= time.monotonic()


def test_trips_are_read_from_the_status_of_the_safety_rules_alone(robot):
    def status(name, **values):
        return DiagnosticStatus(name=name, values=[
            KeyValue(key=key, value=str(value)) for key, value in values.items()])
    robot._on_diagnostics(DiagnosticArray(status=[
        status('locomotion: safety', **{'trips: tilt': 3, 'trips: late step': 0, 'latched': 'no'}),
        status('locomotion: control', **{'trips: action': 9})]))
    assert robot.trips == {'tilt': 3, 'late step': 0}
    robot._on_diagnostics(DiagnosticArray(status=[status('battery', level=3)]))
    assert robot.trips == {'tilt': 3, 'late step': 0}


def test_state_is_the_last_one_and_all_are_kept(robot):
    for state in ('idle', 'ramping', 'standing'):
        robot._on_state(String(data=state))
    assert robot.state == 'standing' and robot.states == ['idle', 'ramping', 'standing']


def test_waiting_ends_with_the_state_or_with_the_time(robot):
    robot._spinner.spin_once.side_effect = lambda timeout_sec: robot._on_state(
        String(data='fault: the base tilted'))
    assert robot.until_state('fault', 30.0) and robot._spinner.spin_once.call_count == 1
    assert not robot.until_state('standing', 0.01)


def test_request_is_a_call_of_the_service_of_its_name(robot):
    robot._requests = {'stand': Mock(), 'damp': Mock()}
    robot.request('damp')
    assert robot._requests['damp'].call_async.call_count == 1
    assert not robot._requests['stand'].call_async.called


@pytest.mark.parametrize('tilt, fallen', [(0.0, False), (0.9, False), (1.1, True), (3.1, True)])
def test_robot_has_fallen_beyond_a_tilt_of_1_rad(robot, tilt, fallen):
    orientation = np.array([[np.sin(tilt / 2), 0.0, 0.0, np.cos(tilt / 2)]])
    robot.robot.state = lambda: SimpleNamespace(base_orientation=orientation)
    assert robot.is_fallen is fallen
