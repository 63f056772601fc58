# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A driver's client that goes, on real processes when asked; and strangers, always."""

import contextlib
import socket
import time

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('viser')

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.reliability.faults.relay import Relay
from humanoid_locomotion.reliability.faults.strangers import let_in
from humanoid_locomotion.reliability.faults.viewer_faults import (
    ViewerOutcome,
    run_viewer_faults,
    viewer_table,
)
from humanoid_locomotion.sim.web.guard import Guard, bind
from humanoid_locomotion.sim.web.server import WebServer


class Hands:
    """Pages that say nothing."""

    html = '<p>hands</p>'

    def join(self, who):
        return 'welcome'

    def ask(self, who):
        return 'there?'

    def hear(self, who, message):
        raise AssertionError(message)

    def leave(self, who):
        pass


@pytest.fixture
def address():
    server = WebServer('test', bind('127.0.0.1', 0), Guard('127.0.0.1'), lambda _: None, Hands())
    yield server.address
    server.stop()


def test_no_stranger_is_let_in(address):
    tried, found = let_in(address)
    assert tried >= 100 and found == []


@pytest.mark.parametrize('opened', ['token', 'origin', 'host'])
def test_a_door_that_is_left_open_would_be_seen(address, monkeypatch, opened):
    """Each of the three checks, left out, lets somebody in."""
    refusal = Guard.refusal

    def careless(self, *given):
        problem = refusal(self, *given)
        return '' if opened in problem else problem
    monkeypatch.setattr(Guard, 'refusal', careless)
    assert let_in(address)[1]


def test_where_nobody_is_let_in_nothing_is_shown(address):
    with pytest.raises(LocomotionError, match='expected the page'):
        let_in(address.rstrip('/') + 'x/')


def echo_through_relay():
    with socket.create_server(('127.0.0.1', 0)) as end:
        relay = Relay(end.getsockname()[1])
        near = socket.create_connection(('127.0.0.1', relay.port), 5.0)
        far, _ = end.accept()
        return relay, near, far


def test_a_relay_passes_on_late_or_not_at_all_and_ends_with_either_end():
    relay, near, far = echo_through_relay()
    with contextlib.closing(relay), near, far:
        far.settimeout(5.0)
        near.sendall(b'a')
        assert far.recv(1) == b'a'
        relay.delay(0.3)
        begin = time.monotonic()
        near.sendall(b'b')
        assert far.recv(1) == b'b' and time.monotonic() - begin >= 0.3
        relay.delay(0.0)
        far.close()
        assert near.recv(1) == b''
    relay, near, far = echo_through_relay()
    with contextlib.closing(relay), near, far:
        relay.drop()
        near.sendall(b'c')
        far.settimeout(0.3)
        with pytest.raises(TimeoutError):
            far.recv(1)


def test_what_failed_is_seen_in_the_table():
    table = viewer_table((ViewerOutcome('went', 0.25, True), ViewerOutcome('stayed', 60.0, False)))
    assert '| went | 250 ms |' in table and '| stayed | **FAILED** 60000 ms |' in table


@pytest.mark.slow
def test_robot_stands_soon_after_its_driver_goes_in_any_way(ros):
    """The table of docs/reliability.md."""
    outcomes = list(run_viewer_faults(
        open_policy('humanoid', 'onnxruntime'), load_robot('humanoid')))
    assert len(outcomes) >= 14 and all(one.passed for one in outcomes), outcomes
