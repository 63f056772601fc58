# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The soaks of a node on stubs of node and driver: what is counted, sent and passed."""

import contextlib
import os
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')

from geometry_msgs.msg import Twist
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Imu, JointState

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.reliability.soak import live_node
from humanoid_locomotion.reliability.soak.live_node import StartleSoak, soak_startle, soak_walk

PERIOD = 0.02  # [s]
LOWER, UPPER = np.array([-0.5, -0.2, -1.0]), np.array([1.0, 0.2, 1.0])
FOLDER = SimpleNamespace(contract=SimpleNamespace(
    control_period=PERIOD,
    command_limits=SimpleNamespace(velocity=SimpleNamespace(lower=LOWER, upper=UPPER))))


class Driver:
    """A robot that receives a command each period, and the time that passes meanwhile.

    Attributes:
        late: Times at which a command comes a period late [s].
        falls_at: Time at which the robot falls [s].
    """

    def __init__(self):
        self.now, self.commands, self.walked = 0.0, [], []
        self.trips, self.trips_later = {'tilt': 1, 'late step': 0}, {}
        self.state, self.states, self.walk = 'walking', ['walking'], None
        self.late, self.falls_at, self.at_spin = (), np.inf, lambda: None
        self.robot, self.requests, self.publishers = Mock(), [], []

    @property
    def is_fallen(self):
        return self.now >= self.falls_at

    def spin(self, seconds):
        self.walked.append(self.walk)
        for _ in range(round(seconds / PERIOD)):
            self.now = round(self.now + PERIOD, 6)
            if self.now not in self.late:
                self.commands.append(self.now)
        self.trips = {**self.trips, **self.trips_later}
        self.at_spin()

    def request(self, name):
        self.requests.append(name)

    def until_state(self, state, seconds):
        return self.state == state

    def create_publisher(self, kind, topic, profile):
        self.publishers.append(SimpleNamespace(kind=kind, topic=topic, sent=[]))
        self.publishers[-1].publish = self.publishers[-1].sent.append
        return self.publishers[-1]

    def create_client(self, kind, name):
        client = SimpleNamespace(name=name, asked=[])
        client.call_async = client.asked.append
        self.requests.append(client)
        return client

    def destroy_publisher(self, publisher):
        self.publishers.remove(publisher)


@pytest.fixture
def node():
    """Return a stub of the process of the node."""
    return Mock(is_running=True, cores=lambda: 0.25)


@pytest.fixture
def driver(monkeypatch, node):
    """Return the driver, whose time is that of the soak; memory grows by 1 MB."""
    one = Driver()

    @contextlib.contextmanager
    def running_node(folder, spec):
        yield one, node
    monkeypatch.setattr(live_node, 'running_node', running_node)
    monkeypatch.setattr(live_node, 'time', SimpleNamespace(monotonic=lambda: one.now))
    monkeypatch.setattr(live_node, 'resident', Mock(side_effect=[80.0, 81.0]))
    return one


def test_healthy_walk_is_counted_and_passes(driver):
    result = soak_walk(FOLDER, None, 12.0, pytest.fail)
    assert (result.commands, result.falls, result.missed) == (4, 0, 0.0)
    assert result.steps == pytest.approx(12.0 / PERIOD, abs=1)
    assert result.seconds == pytest.approx(12.0) and result.longest == pytest.approx(PERIOD)
    assert (result.growth, result.cores, result.alarms) == (1.0, 0.25, '') and result.passed


def test_commands_are_new_each_time_and_within_the_trained_range(driver):
    soak_walk(FOLDER, None, 12.0, pytest.fail)
    walked = np.array(driver.walked[1:5])
    assert (walked >= LOWER).all() and (walked <= UPPER).all()
    assert len(np.unique(walked, axis=0)) == 4


def test_missed_periods_are_a_share_of_those_after_the_settling(driver):
    driver.late = (1.0, 5.0, 6.0)  # the first one while the node settles
    result = soak_walk(FOLDER, None, 10.0, pytest.fail)
    assert result.missed == pytest.approx(2 / (result.steps - 1))
    assert result.longest == pytest.approx(2 * PERIOD)


def test_alarms_are_the_trips_since_the_settling_without_late_steps(driver):
    driver.trips_later = {'tilt': 1}
    spins = []

    def trip():
        spins.append(1)
        if len(spins) > 1:
            driver.trips = {'tilt': 1, 'action': 2, 'height': 1, 'late step': 40}
    driver.at_spin = trip
    result = soak_walk(FOLDER, None, 6.0, pytest.fail)
    assert result.alarms == 'action: 2, height: 1' and not result.passed


def test_walk_without_diagnostics_is_no_result(driver):
    driver.trips = {}
    with pytest.raises(LocomotionError, match='no /diagnostics received'):
        soak_walk(FOLDER, None, 6.0, pytest.fail)


def test_walk_without_commands_of_the_node_is_no_result(driver):
    driver.at_spin = driver.commands.clear
    with pytest.raises(LocomotionError, match=r"expected joint_command .* found 0: 'walking'"):
        soak_walk(FOLDER, None, 6.0, pytest.fail)


@pytest.mark.parametrize('how', ['fall', 'fault'])
def test_fall_or_fault_ends_the_walk_and_is_reported(driver, how):
    said = []
    if how == 'fall':
        driver.falls_at = 6.0
    else:
        driver.at_spin = lambda: setattr(driver, 'state', 'fault: the base tilted')
    result = soak_walk(FOLDER, None, 60.0, said.append)
    assert result.falls == 1 and result.seconds < 10.0 and not result.passed
    assert len(said) == 1 and said[0].endswith(driver.state)


@pytest.mark.parametrize('worse, passes', [
    ({}, True), ({'alive': False}, False), ({'answers': False}, False),
    ({'unknown': ('nonsense',)}, False)])
def test_startled_node_passes_if_it_works_as_before(worse, passes):
    values = {'seconds': 1.0, 'sent': 9, 'states': 3, 'unknown': (), 'alive': True,
              'answers': True}
    assert StartleSoak(**{**values, **worse}).passed is passes


def spinning(driver):
    """Let time pass at each spin of 10 ms."""
    driver.at_spin = lambda: setattr(driver, 'now', driver.now + 0.01)


def test_startling_goes_on_for_its_time_and_removes_its_publishers(driver):
    spinning(driver)
    driver.state = 'standing'
    result = soak_startle(FOLDER, None, 1.0)
    assert result.passed and result.sent == pytest.approx(100, abs=60)
    assert driver.publishers == [] and driver.walk is None


def test_unknown_states_are_found_and_those_of_the_table_are_not(driver):
    spinning(driver)
    driver.state = 'standing'
    driver.states = ['walking', 'fault: the base tilted', 'asleep', 'asleep', 'damping']
    result = soak_startle(FOLDER, None, 0.2)
    assert result.unknown == ('asleep',) and result.states == 5 and not result.passed


def test_dead_node_ends_the_startling_and_is_not_asked_to_stand(driver, node):
    spinning(driver)
    node.is_running = False
    result = soak_startle(FOLDER, None, 60.0)
    assert not result.alive and not result.answers and result.sent == 0
    assert 'stand' not in driver.requests


def test_robot_gets_five_tries_to_stand_again(driver):
    assert not live_node._stands_again(driver)
    assert driver.requests == 5 * ['reset', 'stand'] and driver.robot.reset.call_count == 5
    driver.state, driver.requests = 'standing', []
    assert live_node._stands_again(driver) and driver.requests == ['reset', 'stand']


@pytest.fixture
def startled(driver):
    """Return a driver that was sent 1,000 invalid messages, requests and parameters."""
    startler = live_node._Startler(driver, np.random.default_rng(1))
    for _ in range(1000):
        startler.once()
    assert startler.sent == 1000
    return driver


def test_everything_is_tried(startled):
    assert {(one.kind, one.topic) for one in startled.publishers if one.sent} == {
        (Twist, 'cmd_vel'), (Imu, 'imu/data'), (JointState, 'joint_states')}
    assert {client.name for client in startled.requests if client.asked} == {
        *(f'locomotion/{name}' for name in live_node.SERVICES), 'locomotion/set_parameters'}
    sent = sum(len(one.sent) for one in startled.publishers)
    assert 300 < sent < 500 and startled.walk is not None


def test_bytes_that_are_no_message_are_no_longer_than_one(startled):
    """DDS sends no more for a type of fixed size."""
    (twist,) = [one for one in startled.publishers if one.kind is Twist]
    size = len(serialize_message(Twist()))
    lengths = [len(data) for data in twist.sent]
    assert max(lengths) == size and min(lengths) < size
    assert all(data[:4] == serialize_message(Twist())[:4] for data in twist.sent)


def test_parameters_have_every_type_and_some_unknown_names(startled):
    (client,) = [one for one in startled.requests if one.name.endswith('set_parameters')]
    parameters = [request.parameters[0] for request in client.asked]
    assert {one.value.type for one in parameters} == {0, 1, 2, 3, 4}
    known = {'policy', 'engine', 'max_tilt', 'sensor_timeout', 'autostart'}
    assert known < {one.name for one in parameters}
    assert not any('\0' in one.name for one in parameters)


def test_startling_is_the_same_every_time(driver):
    def sent():
        driver.publishers.clear()
        startler = live_node._Startler(driver, np.random.default_rng(3))
        for _ in range(50):
            startler.once()
        return [one.sent for one in driver.publishers]
    assert sent() == sent()


def test_resident_memory_is_that_of_the_process():
    pages = Path('/proc/self/status').read_text().partition('VmRSS:')[2].split()[0]
    assert live_node.resident(SimpleNamespace(pid=os.getpid())) == pytest.approx(
        int(pages) / 1024, rel=0.1)
