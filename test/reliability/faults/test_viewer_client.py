# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The viewer's client without a browser: its messages, on a stub of the WebSocket."""

import io
import json
import queue
import socket
import struct
import sys
import threading

import pytest

pytest.importorskip('websockets')

from humanoid_locomotion.reliability.faults import viewer_client
from humanoid_locomotion.reliability.faults.viewer_client import FORWARD, Client

ADDRESS = 'http://127.0.0.1:8080/secret/'
PATIENCE = 5.0  # [s]


class WebSocket:
    """A connection whose messages the test sends and reads."""

    def __init__(self, url, origin, proxy):
        self.url, self.origin, self.proxy = url, origin, proxy
        self.received, self.sent = queue.Queue(), queue.Queue()

    def __iter__(self):
        while (text := self.received.get()) is not None:
            yield text
            self.received.task_done()  # the client has asked for the next one

    def send(self, text):
        self.sent.put(json.loads(text))

    def ask(self, beat):
        """Ask the client for a sign of life."""
        self.received.put(json.dumps({'beat': beat}))

    def next(self):
        """Return the client's next message."""
        return self.sent.get(timeout=PATIENCE)


@pytest.fixture
def client(monkeypatch):
    """Return a client that is connected to the stub; end its thread afterwards."""
    monkeypatch.setattr('websockets.sync.client.connect', WebSocket)
    one = Client(ADDRESS)
    yield one
    one._socket.received.put(None)


def test_client_connects_like_the_page_that_the_viewer_printed(client):
    assert client._socket.url == 'ws://127.0.0.1:8080/secret/hand'
    assert client._socket.origin == 'http://127.0.0.1:8080' and client._socket.proxy is None


def test_held_button_answers_each_beat_with_the_motion(client):
    for beat in (7, 8):
        client._socket.ask(beat)
        assert client._socket.next() == {'grip': 1, 'beat': beat, 'drive': [FORWARD, 0.0, 0.0]}


def test_message_without_a_beat_is_not_answered(client):
    client._socket.received.put(json.dumps({'state': 'walking'}))
    client._socket.ask(3)
    assert client._socket.next()['beat'] == 3


def test_silent_client_sends_nothing(client):
    client.silent()
    client._socket.ask(1)
    client._socket.ask(2)
    client._socket.received.join()
    assert client._socket.sent.empty()


def test_released_button_names_its_grip_and_a_new_one_has_another(client):
    client.release()
    assert client._socket.next() == {'release': 1}
    client.hold()
    client._socket.ask(5)
    answer = client._socket.next()
    assert (answer['grip'], answer['beat']) == (2, 5)
    client.release()
    assert client._socket.next() == {'release': 2}


def test_stops_are_counted_so_that_each_is_a_new_one(client):
    client.stop()
    client.stop()
    assert [client._socket.next(), client._socket.next()] == [{'stop': 1}, {'stop': 2}]


def test_broken_connection_ends_the_thread_without_an_error(client, monkeypatch):
    errors = []
    monkeypatch.setattr(threading, 'excepthook', errors.append)
    client._socket.received.put('no JSON')
    for thread in threading.enumerate():
        if thread.name.endswith('(_answer)'):
            thread.join(PATIENCE)
            assert not thread.is_alive()
    assert errors == []


@pytest.mark.parametrize('how', ['end', 'reset'])
def test_connection_ends_as_named(client, how):
    with socket.create_server(('127.0.0.1', 0)) as server:
        client._socket.socket = socket.create_connection(server.getsockname())
        far, _ = server.accept()
        far.settimeout(PATIENCE)
        with far:
            getattr(client, how)()
            if how == 'end':
                assert far.recv(1) == b''
            else:
                with pytest.raises(ConnectionResetError):
                    far.recv(1)
        client._socket.socket.close()


def test_reset_is_the_linger_of_no_time(client):
    """An on switch and zero seconds: the kernel sends RST instead of FIN."""
    class Socket:
        def setsockopt(self, *given):
            self.option = given

        def close(self):
            self.closed_with = self.option
    client._socket.socket = Socket()
    client.reset()
    level, option, value = client._socket.socket.closed_with
    assert (level, option) == (socket.SOL_SOCKET, socket.SO_LINGER)
    assert struct.unpack('ii', value) == (1, 0)


def test_lines_of_standard_input_are_the_methods(monkeypatch):
    log = []

    class Recorder:
        def __init__(self, address):
            log.append(address)

        def __getattr__(self, name):
            assert callable(getattr(Client, name))
            return lambda: log.append(name)
    monkeypatch.setattr(viewer_client, 'Client', Recorder)
    monkeypatch.setattr(sys, 'stdin', io.StringIO(f'open {ADDRESS}\nrelease\nhold\nend\n'))
    viewer_client.main()
    assert log == [ADDRESS, 'release', 'hold', 'end']
