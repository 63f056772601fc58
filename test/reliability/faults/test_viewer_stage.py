# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Faults of the driving client, on stubs of the processes: what is measured, and what passes."""

import contextlib
import itertools
import signal
import socket
import subprocess
import threading
from types import SimpleNamespace
from unittest.mock import Mock, call

import pytest

pytest.importorskip('rclpy')

from geometry_msgs.msg import Twist

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.reliability.faults import viewer_faults
from humanoid_locomotion.reliability.faults.viewer_client import Client
from humanoid_locomotion.reliability.faults.viewer_faults import Listener, Stage

ADDRESS = 'http://127.0.0.1:8080/secret/'
STEP = 0.05  # [s] of one spin


class World:
    """A clock, and a viewer that commands motion as the test says.

    Attributes:
        now: The time [s].
        says: Maps the time to what is commanded: True for a motion, False for zero, or None.
    """

    def __init__(self):
        self.now, self.listener = 50.0, Listener.__new__(Listener)
        self.listener.heard, self.listener.state = [], 'walking'
        self.says = lambda now: True

    def monotonic(self):
        return self.now

    def spin(self):
        self.now += STEP
        said = self.says(self.now)
        if said is not None:
            self.listener.heard.append((self.now, said))

    def fault(self, delay, then):
        """Return a fault after which motion goes on for a time [s], then what is given."""
        def do():
            begin = self.now
            self.says = lambda now: True if now - begin < delay else then(now - begin - delay)
        return do


@pytest.fixture
def world(monkeypatch):
    """Return the world, whose clock is that of the module."""
    one = World()
    monkeypatch.setattr(viewer_faults, 'time', one)
    return one


@pytest.fixture
def stage(world):
    """Return a stage without processes."""
    one = Stage.__new__(Stage)
    one.listener, one.address, one.viewer = world.listener, ADDRESS, Mock()
    one._session = SimpleNamespace(spin=world.spin, close=Mock())
    return one


@pytest.mark.parametrize('axis, moves', [
    (None, False), ('x', True), ('y', True), ('yaw', True), ('z', False)])
def test_motion_is_what_moves_one_of_the_three_axes(world, axis, moves):
    msg = Twist()
    if axis == 'yaw':
        msg.angular.z = -0.1
    elif axis:
        setattr(msg.linear, axis, -0.1)
    world.listener._on_command(msg)
    assert world.listener.heard == [(50.0, moves)]


def test_last_motion_is_that_before_the_zeros(world):
    world.listener.heard = [(1.0, True), (2.0, True), (3.0, False)]
    assert world.listener.last_motion() == 2.0
    world.listener.heard = [(3.0, False)]
    assert world.listener.last_motion() == -float('inf')


@pytest.mark.parametrize('delay, then, passed', [
    (0.2, lambda t: False if t < 0.3 else None, True),
    (0.0, lambda t: False if t < 0.3 else None, True),
    (0.6, lambda t: False if t < 0.3 else None, False),  # too late
    (0.2, lambda t: None, False),  # no zero
    (0.2, lambda t: False, False),  # zeros that do not end
    (0.2, lambda t: True if 0.5 < t < 0.6 else False if t < 0.7 else None, False)])  # again
def test_robot_must_stop_soon_with_a_zero_and_then_silence(stage, world, delay, then, passed):
    assert stage.outcome('fault', world.fault(delay, then)).passed is passed


def test_time_of_the_outcome_is_that_of_the_last_motion(stage, world):
    outcome = stage.outcome('fault', world.fault(0.3, lambda t: None if t > 0.3 else False))
    assert outcome.stopped_after == pytest.approx(0.3, abs=STEP) and outcome.fault == 'fault'


def test_dead_viewer_need_not_say_zero_but_must_not_move_the_robot(stage, world):
    def passes(delay):
        world.says = lambda now: True
        return stage.outcome('killed', world.fault(delay, lambda t: None), False).passed
    assert passes(0.1) and not passes(0.7)


def test_note_is_taken_after_the_fault(stage, world):
    def fault():
        world.listener.state = 'damping'
        world.fault(0.0, lambda t: None)()
    assert stage.outcome('stop', fault, note=lambda: world.listener.state).note == 'damping'


def test_walk_is_a_motion_that_lasts(stage, world):
    begin = world.now
    world.says = lambda now: now > begin + 2.0
    stage.walk()
    assert world.now >= begin + max(2.0, viewer_faults.WALK)


def test_robot_that_does_not_walk_is_no_test_of_a_fault(stage, world):
    world.says, do = (lambda now: False), Mock()
    with pytest.raises(LocomotionError, match='timeout while waiting for a motion'):
        stage.outcome('fault', do)
    assert not do.called


def test_spinning_is_news_so_that_pauses_between_faults_are_allowed(stage, world):
    stage.spin(1.0)
    assert world.listener.last_news == pytest.approx(51.0, abs=2 * STEP)


def test_stage_that_does_not_stand_ends_its_processes(monkeypatch):
    session = Mock(wait_until_standing=Mock(side_effect=LocomotionError('lies')))
    monkeypatch.setattr(viewer_faults, 'Session', lambda *given: session)
    monkeypatch.setattr(viewer_faults, 'Listener', Mock())
    with pytest.raises(LocomotionError, match='lies'):
        Stage(Mock(), Mock(), None)
    session.close.assert_called_once_with()


def test_stage_starts_three_nodes_for_one_robot_and_policy(monkeypatch):
    made = []
    viewer = SimpleNamespace(name='viewer')
    session = Mock(processes=[SimpleNamespace(name='sim'), viewer], viewer_address=lambda: ADDRESS)
    monkeypatch.setattr(viewer_faults, 'Session', lambda *given: made.append(given) or session)
    monkeypatch.setattr(viewer_faults, 'Listener', Mock())
    one = Stage(SimpleNamespace(path=Mock(resolve=lambda: 'policy')),
                SimpleNamespace(folder='robot'), None)
    ((_, nodes, _),) = made
    assert set(nodes) == {'sim', 'viewer', 'locomotion'}
    assert {parameters['robot'] for parameters in nodes.values()} == {'robot'}
    assert nodes['viewer']['policy'] == nodes['locomotion']['policy'] == 'policy'
    assert one.viewer is viewer and one.address == ADDRESS


def test_hand_is_a_process_that_is_told_a_line_for_each_command(monkeypatch):
    process = Mock()
    monkeypatch.setattr(subprocess, 'Popen', Mock(return_value=process))
    with viewer_faults.hand(ADDRESS) as one:
        one.say('release')
    written = [line for ((line,), _) in process.stdin.write.call_args_list]
    assert written == [f'open {ADDRESS}\n', 'release\n']
    assert process.stdin.flush.call_count == 2  # a line that waits would not be a fault now
    assert process.mock_calls[-2:] == [call.kill(), call.wait()]


@pytest.fixture
def hands(monkeypatch, stage, world):
    """Return the clients that are opened; a stub of the stage injects faults at once."""
    opened, relays = [], []

    @contextlib.contextmanager
    def hand(address):
        one = Mock(address=address, spec=['say', 'process', 'address'])
        one.say.side_effect = lambda word: getattr(Client, word)  # only what the client has
        opened.append(one)
        yield one

    def relay(port):
        relays.append(Mock(port=9000 + len(relays), to=port))
        return relays[-1]

    def outcome(fault, event, must_say_zero=True, note=str):
        event()
        return viewer_faults.ViewerOutcome(fault, 0.1, True, note())
    monkeypatch.setattr(viewer_faults, 'hand', hand)
    monkeypatch.setattr(viewer_faults, 'Relay', relay)
    monkeypatch.setattr(stage, 'outcome', outcome)
    monkeypatch.setattr(stage, 'until', Mock())
    return SimpleNamespace(opened=opened, relays=relays)


def test_every_way_to_go_is_that_of_its_name(stage, hands):
    names = [one.fault for one in viewer_faults._clients_that_go(stage)]
    done = {name: [*one.mock_calls, *(it for it in relay.mock_calls if it != call.close())]
            for name, one, relay in zip(names, hands.opened, hands.relays)}
    events = {
        'lets go': call.say('release'), 'falls silent': call.say('silent'),
        'process stopped': call.process.send_signal(signal.SIGSTOP),
        'process killed': call.process.kill(), 'connection ended': call.say('end'),
        'connection reset': call.say('reset'), 'network gone': call.drop(),
        'network 1 s late': call.delay(1.0)}
    assert len(done) == len(names) == len(events)
    for start, event in events.items():
        (calls,) = [calls for name, calls in done.items() if name.startswith(start)]
        assert calls == [event]


def test_client_that_goes_is_connected_through_its_own_relay(stage, hands):
    list(viewer_faults._clients_that_go(stage))
    for one, relay in zip(hands.opened, hands.relays):
        assert one.address == f'http://127.0.0.1:{relay.port}/secret/' and relay.to == 8080
        relay.close.assert_called_once_with()


def test_client_without_control_does_not_take_over_but_may_stop(stage, hands):
    stage.listener.state = 'fault: emergency stop'
    ended, stopped = viewer_faults._two_clients(stage)
    first, second, third = hands.opened
    assert first.mock_calls == [call.say('end')]
    assert second.mock_calls == 2 * [call.say('hold')]
    assert third.mock_calls == [call.say('release'), call.say('stop')]
    assert 'no control' in ended.fault and stopped.note == 'fault: emergency stop'


@pytest.mark.parametrize('pause, passed', [(0.1, True), (0.9, False)])
def test_pause_while_others_knock_counts_as_a_failure(
        monkeypatch, stage, world, hands, pause, passed):
    process = Mock(is_alive=Mock(side_effect=[True] * 30 + [False]))
    monkeypatch.setattr(viewer_faults.multiprocessing, 'get_context',
                        lambda method: Mock(Process=Mock(return_value=process)))
    begin = world.now
    world.says = lambda now: True if not 1.0 < now - begin < 1.0 + pause else None
    outcome = viewer_faults._knocking(stage)
    assert outcome.passed is passed and 'longest pause' in outcome.note
    assert process.start.called and hands.opened[0].mock_calls == [call.say('release')]


def test_knocking_sends_half_requests_and_garbage_in_turn_until_its_time_is_over(monkeypatch):
    """On a clock that moves on by a second with each look at it."""
    seconds = itertools.count()
    monkeypatch.setattr(viewer_faults, 'time', SimpleNamespace(monotonic=lambda: next(seconds)))
    seen = []
    with socket.create_server(('127.0.0.1', 0)) as server:
        knocking = threading.Thread(
            target=viewer_faults._knock, args=(server.getsockname()[1],), daemon=True)
        knocking.start()
        server.settimeout(10.0)
        for _ in range(round(viewer_faults.KNOCKING)):
            connection, _ = server.accept()
            with connection:
                connection.settimeout(10.0)
                seen.append(connection.recv(100))
        knocking.join(10.0)
        assert not knocking.is_alive()
    half, garbage = viewer_faults.HALF, viewer_faults.GARBAGE
    assert seen == [half, garbage, half, garbage, half]


@pytest.mark.parametrize('found', [[], [SimpleNamespace(what='origin')]])
def test_stranger_that_is_let_in_fails_and_is_named(monkeypatch, stage, found):
    monkeypatch.setattr(viewer_faults, 'let_in', lambda address: (110, found))
    outcome = viewer_faults._strangers(stage)
    assert outcome.passed is (not found)
    assert f'{len(found)} let in of 110' in outcome.note
    assert ('origin' in outcome.note.partition('tries')[2]) is bool(found)


def test_viewer_itself_is_stopped_then_killed_and_last(monkeypatch, stage, hands):
    @contextlib.contextmanager
    def opened(folder, spec):
        yield stage
    monkeypatch.setattr(viewer_faults, 'stage', opened)
    monkeypatch.setattr(viewer_faults, '_knocking', lambda on: 'knocking')
    monkeypatch.setattr(viewer_faults, '_strangers', lambda on: 'strangers')
    outcomes = list(viewer_faults.run_viewer_faults(None, None))
    assert [one.fault for one in outcomes[-2:]] == [
        'the viewer itself stopped', 'the viewer itself killed']
    assert outcomes[-4:-2] == ['knocking', 'strangers'] and len(outcomes) == 14
    sent = [number for ((number,), _) in stage.viewer.signal.call_args_list]
    assert sent == [signal.SIGSTOP, signal.SIGCONT, signal.SIGKILL, signal.SIGCONT]
