# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Faults over DDS without processes: actions, expected reactions, end of the processes."""

import contextlib
import math
import os
import signal
from types import SimpleNamespace
from unittest.mock import Mock, call

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.reliability.faults import dds_faults
from humanoid_locomotion.reliability.faults.dds_faults import DdsOutcome, dds_table, run_dds_faults

SPEC = SimpleNamespace(folder='robots/one')
FOLDER = SimpleNamespace(path=Mock(resolve=lambda: '/policies/one'))


class Driver:
    """A robot whose node walks as it is told; it is damped as the test says.

    Args:
        damped_at: When it is damped [s] by the clock of the stub; None for never.
        pulls: Whether the joints pull at the end.
    """

    def __init__(self, clock, damped_at=None, pulls=True, is_fallen=False):
        self.clock, self._damped_at, self.is_fallen = clock, damped_at, is_fallen
        self.robot, self.walk = SimpleNamespace(pulls=pulls), None
        self.damped_at = -1.0  # of an earlier fault: it must not count
        self.state, self.log = '', []

    def spin(self, seconds):
        self.log.append(seconds)
        self.clock.now += seconds
        self.state = 'walking' if self.walk else 'standing'
        if self.damped_at is None and self._damped_at is not None:
            self.damped_at = self._damped_at


@pytest.fixture
def clock(monkeypatch):
    """Return a clock that passes only while the driver spins."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(dds_faults, 'time', SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def run(monkeypatch, driver, damps, do=lambda driver, node: None):
    """Inject one fault, standing and walking."""
    @contextlib.contextmanager
    def running_node(folder, spec):
        yield driver, None
    monkeypatch.setattr(dds_faults, 'running_node', running_node)
    monkeypatch.setattr(dds_faults, 'FAULTS', (('fault', do, damps),))
    return list(run_dds_faults(FOLDER, SPEC))


@pytest.mark.parametrize('damps, is_damped, is_fallen, passed', [
    (True, True, False, True), (True, False, False, False), (False, False, False, True),
    (False, True, False, False), (None, True, True, True), (None, False, False, True),
    (None, False, True, False)])
def test_reaction_must_be_the_expected_one(
        monkeypatch, clock, damps, is_damped, is_fallen, passed):
    driver = Driver(clock, 102.25 if is_damped else None, not is_damped, is_fallen)
    assert [one.passed for one in run(monkeypatch, driver, damps)] == 2 * [passed]


def test_robot_that_pulls_again_is_not_damped(monkeypatch, clock):
    assert not any(one.passed for one in run(monkeypatch, Driver(clock, 102.1, True), True))


def test_time_is_counted_from_the_fault(monkeypatch, clock):
    still, _ = run(monkeypatch, Driver(clock, 100.0 + dds_faults.SETTLE + 0.25, False), True)
    assert still.damped_after == pytest.approx(0.25)


def test_robot_that_is_not_damped_has_no_time(monkeypatch, clock):
    assert all(math.isnan(one.damped_after) for one in run(monkeypatch, Driver(clock), False))


def test_fault_is_injected_standing_then_walking(monkeypatch, clock):
    states = []
    outcomes = run(monkeypatch, Driver(clock), False,
                   lambda driver, node: states.append(driver.state))
    assert states == ['standing', 'walking']
    assert [(one.walking, one.state) for one in outcomes] == [
        (False, 'standing'), (True, 'walking')]


def test_node_in_another_state_is_no_test_of_a_fault(monkeypatch, clock):
    driver = Driver(clock)
    monkeypatch.setattr(Driver, 'spin', lambda self, _: setattr(self, 'state', 'fault: tilt'))
    with pytest.raises(LocomotionError, match="fault: expected the state standing before the "
                                              "fault, found 'fault: tilt'"):
        run(monkeypatch, driver, True)


def action(name):
    """Return the action of a fault of the table."""
    return next(do for other, do, _ in dds_faults.FAULTS if other == name)


@pytest.mark.parametrize('name, number', [
    ('SIGKILL', signal.SIGKILL), ('SIGTERM', signal.SIGTERM), ('SIGINT', signal.SIGINT)])
def test_signal_of_the_name_is_sent(name, number):
    node = Mock()
    action(name)(Mock(), node)
    assert node.mock_calls == [call.signal(number)]


def test_stopped_process_goes_on_after_half_a_second():
    both = Mock()
    action('SIGSTOP for 0.5 s')(both.driver, both.node)
    assert both.mock_calls == [call.node.signal(signal.SIGSTOP), call.driver.spin(0.5),
                               call.node.signal(signal.SIGCONT)]


@pytest.mark.parametrize('name, attribute', [
    ('sensors silent', 'is_silent'), ('sensors frozen', 'is_frozen')])
def test_sensor_fault_sets_the_driver(name, attribute):
    driver = SimpleNamespace(is_silent=False, is_frozen=False)
    action(name)(driver, None)
    assert getattr(driver, attribute) and driver.is_silent != driver.is_frozen


@pytest.mark.parametrize('name, topic', [
    ('a second IMU in the graph', 'imu/data'),
    ('a second node that publishes joint_command', 'joint_command')])
def test_second_publisher_is_one_of_the_topic(name, topic):
    driver = Mock()
    action(name)(driver, None)
    ((_, made, _), _) = driver.create_publisher.call_args
    assert made == topic


def test_emergency_stop_is_requested():
    driver = Mock()
    action('emergency stop')(driver, None)
    driver.request.assert_called_once_with('emergency_stop')


class Processes:
    """A stub of multiprocessing, of which every process lives for some questions."""

    def __init__(self):
        self.log, self.alive = [], 0

    def get_context(self, method):
        self.log.append(method)
        return self

    def cpu_count(self):
        return 3

    def Process(self, target, args, daemon):
        assert daemon  # it must not survive the fault matrix
        self.log.append(target)
        return self

    def start(self):
        self.log.append('start')
        self.alive = 2

    def is_alive(self):
        self.alive -= 1
        return self.alive >= 0

    def join(self):
        self.log.append('join')


def test_busy_processes_outnumber_the_cores_and_are_joined(monkeypatch):
    processes, driver = Processes(), Mock()
    monkeypatch.setattr(dds_faults, 'multiprocessing', processes)
    action('four busy processes')(driver, None)
    assert processes.log.count('start') == processes.log.count('join') == 6
    assert driver.mock_calls == [call.spin(dds_faults.WATCH)]


def test_listeners_join_one_after_the_other_while_the_driver_publishes(monkeypatch):
    processes, driver = Processes(), Mock()
    monkeypatch.setattr(dds_faults, 'multiprocessing', processes)
    action('five processes join the graph and leave it')(driver, None)
    assert processes.log.count('start') == 5
    assert len(driver.mock_calls) == 10  # two for each: none is started before the last one ended


def test_busy_process_has_normal_priority_and_ends(monkeypatch):
    set_to = Mock()
    monkeypatch.setattr(os, 'sched_setscheduler', set_to)
    dds_faults._burn(0.02)
    ((process, policy, parameters), _) = set_to.call_args
    assert (process, policy, parameters.sched_priority) == (0, os.SCHED_OTHER, 0)


class Stand:
    """Stubs of the two processes, which record in which order they are ended."""

    def __init__(self, monkeypatch, stands):
        self.log, self.parameters = [], {}

        def node(name, parameters, log):
            self.parameters, self.name = parameters, name
            return SimpleNamespace(tail=lambda: 'last words', stop=lambda: self.log.append('node'))
        monkeypatch.setattr(dds_faults, 'NodeProcess', node)
        monkeypatch.setattr(dds_faults, 'DdsRobot', lambda spec: SimpleNamespace(
            state='idle', until_state=lambda state, seconds: stands and state == 'standing',
            close=lambda: self.log.append('driver')))


def test_running_node_opens_the_policy_for_its_robot_and_ends(monkeypatch):
    stand = Stand(monkeypatch, True)
    with dds_faults.running_node(FOLDER, SPEC):
        assert stand.log == []
    assert stand.log == ['node', 'driver'] and stand.name == 'locomotion'
    assert stand.parameters['policy'] == '/policies/one'
    assert stand.parameters['robot'] == 'robots/one' and stand.parameters['autostart'] is True


def test_node_is_ended_after_an_error_of_the_test(monkeypatch):
    stand = Stand(monkeypatch, True)
    with pytest.raises(ZeroDivisionError), dds_faults.running_node(FOLDER, SPEC):
        raise ZeroDivisionError
    assert stand.log == ['node', 'driver']


def test_robot_that_does_not_stand_is_told_with_the_log_of_the_node(monkeypatch):
    stand = Stand(monkeypatch, False)
    with pytest.raises(LocomotionError, match="the node is 'idle':\nlast words"), \
            dds_faults.running_node(FOLDER, SPEC):
        pass
    assert stand.log == ['node', 'driver']


def test_table_has_a_row_for_each_fault_and_shows_what_failed():
    table = dds_table((
        DdsOutcome('SIGKILL', False, 0.205, 'standing', True),
        DdsOutcome('SIGKILL', True, 0.198, 'walking', False),
        DdsOutcome('busy', False, math.nan, 'standing', True),
        DdsOutcome('busy', True, math.nan, 'fault', False)))
    assert table.splitlines()[2:] == [
        '| SIGKILL | damped after 205 ms | **FAILED** damped after 198 ms | walking |',
        '| busy | goes on | **FAILED** goes on | fault |']
