# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""viser behind the guard: strangers stay out, and one client does not disturb another."""

import contextlib
import http.client
import socket
import time

import pytest

pytest.importorskip('viser')

import viser
from websockets.asyncio import server as websockets_server
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.sim.web import server as web_server
from humanoid_locomotion.sim.web.guard import Guard, bind
from humanoid_locomotion.sim.web.server import HAND, WebServer

HOST = '127.0.0.1'
PROTOCOL = f'viser-v{viser.__version__}'


class Hands:
    """Writes down what pages say."""

    html = '<p>the hands</p>'

    def __init__(self):
        self.heard, self.left, self.times = [], [], {}

    def join(self, who):
        return f'welcome {who}'

    def ask(self, who):
        return 'there?'

    def hear(self, who, message):
        if message == 'garbage':
            raise ValueError
        self.times[message] = time.monotonic()
        self.heard.append((who, message))

    def leave(self, who):
        self.left.append(who)


class Site:
    """A server with a page, and ways to reach it."""

    def __init__(self, told):
        self.hands, self.told = Hands(), told
        self.guard = Guard(HOST)
        self.server = WebServer('test', bind(HOST, 0), self.guard, told.append, self.hands)
        self.port = int(self.server.address.split(':')[2].split('/')[0])
        self.origin = f'http://{HOST}:{self.port}'

    def get(self, path, **headers):
        connection = http.client.HTTPConnection(HOST, self.port, timeout=10.0)
        with contextlib.closing(connection):
            connection.request('GET', path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()

    def open(self, inside, token=None, origin='', **options):
        path = f'/{self.guard.token if token is None else token}{inside}'
        return connect(f'ws://{HOST}:{self.port}{path}', origin=origin or self.origin,
                       **options)


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def site():
    one = Site([])
    yield one
    one.server.stop()


def test_the_page_has_the_controls_and_tells_nobody_its_address(site):
    status, headers, text = site.get(f'/{site.guard.token}/', **{'Accept-Encoding': 'gzip'})
    assert status == 200 and 'the hands' in text and text.rstrip().endswith('</html>')
    assert headers['Referrer-Policy'] == 'no-referrer' and headers['Cache-Control'] == 'no-store'
    assert "frame-ancestors 'none'" in headers['Content-Security-Policy']
    assert 'Set-Cookie' not in headers and 'Access-Control-Allow-Origin' not in headers


def test_without_the_token_there_is_an_explanation_and_nothing_else(site):
    for path in ('/', '/index.html', HAND, '/../', f'/{site.guard.token[:-1]}/'):
        status, _, text = site.get(path)
        assert status == 403 and text == web_server.REFUSED
    until(lambda: site.told)
    assert 'the token is missing or wrong' in site.told[0]
    assert not any(site.guard.token in line for line in site.told)


def test_a_page_that_does_not_exist_is_not_found(site):
    assert site.get(f'/{site.guard.token}/etc/passwd')[0] == 404
    assert site.get(f'/{site.guard.token}/%2e%2e/%2e%2e/_viser.py')[0] == 404


@pytest.mark.parametrize('inside, subprotocols', [(HAND, None), ('', [PROTOCOL])])
def test_a_websocket_is_opened_by_our_own_page_alone(site, inside, subprotocols):
    options = {'subprotocols': subprotocols}
    with site.open(inside, **options) as own:
        assert own.recv()
    for token, origin in (('', ''), ('wrong', ''), (None, 'https://evil.example'),
                          (None, 'null'), (None, f'http://{HOST}:1')):
        with pytest.raises(InvalidStatus, match='403'):
            site.open(inside, token, origin, **options)


def test_the_hands_hear_their_page_and_when_it_leaves(site):
    with site.open(HAND) as page:
        assert page.recv() == 'welcome browser 1 (127.0.0.1)' and page.recv() == 'there?'
        page.send('hello')
        until(lambda: site.hands.heard)
    until(lambda: site.hands.left)
    assert site.hands.heard == [('browser 1 (127.0.0.1)', 'hello')]
    assert site.hands.left == ['browser 1 (127.0.0.1)']


@pytest.mark.parametrize('inside, garbage', [
    (HAND, 'garbage'), (HAND, b'\x00'), (HAND, 'x' * 10_000), ('', b'\xff\x00'), ('', 'text'),
    ('', b'x' * (1 << 20)), ('', b'\xc1' * 100)],
    ids=['refused', 'binary', 'long', 'no zstd', 'text', 'huge', 'no msgpack'])
def test_garbage_ends_the_client_that_sent_it_and_no_other(site, inside, garbage):
    with site.open(HAND) as other:
        client = site.open(inside, subprotocols=[PROTOCOL])
        with pytest.raises(ConnectionClosed):
            client.send(garbage)
            while True:
                client.recv(timeout=10.0)
        other.send('still here')
        until(lambda: site.hands.heard)


def test_a_flood_ends_the_client_that_sends_it_and_no_other(site):
    with site.open(HAND) as other:
        client = site.open(HAND)
        with pytest.raises(ConnectionClosed):
            for _ in range(100_000):
                client.send('x')
        other.send('still here')
        until(lambda: site.hands.heard and site.hands.heard[-1][1] == 'still here')
    assert len(site.hands.heard) < 2000


@pytest.mark.slow
def test_who_is_inside_is_heard_while_thousands_knock_and_wait(site):
    """As many half requests as can wait are held open, and a thousand more come and go."""
    with site.open(HAND) as page, contextlib.ExitStack() as stack:
        for _ in range(3 * web_server.MAX_PENDING):
            slow = stack.enter_context(socket.create_connection((HOST, site.port)))
            with contextlib.suppress(OSError):
                slow.sendall(b'GET / HTTP/1.1\r\nHost: ')
        for i in range(1000):
            with socket.create_connection((HOST, site.port)) as knock, \
                    contextlib.suppress(OSError):
                knock.sendall(b'\x16\x03\x01 garbage\r\n\r\n')
            if i % 100 == 0:
                sent = time.monotonic()
                page.send(str(i))
                until(lambda i=i: str(i) in site.hands.times)
                assert site.hands.times[str(i)] - sent < 2.0
        with site.open(HAND) as another:  # the slow ones made room
            assert another.recv()


def test_so_many_are_let_in_and_no_more(site):
    with contextlib.ExitStack() as stack:
        for _ in range(web_server.MAX_CLIENTS):
            stack.enter_context(site.open(HAND))
        with pytest.raises(InvalidStatus, match='503'):
            site.open(HAND)
    until(lambda: len(site.hands.left) == web_server.MAX_CLIENTS)
    with site.open(HAND) as page:
        assert page.recv()


def test_refusals_are_told_now_and_then(site):
    for _ in range(20):
        site.get('/')
    assert len(site.told) <= 2


def test_another_host_is_warned_of_in_one_line():
    told = []
    server = WebServer('test', bind('0.0.0.0', 0), Guard('0.0.0.0'), told.append)
    try:
        assert len(told) == 1 and '0.0.0.0' in told[0] and '\n' not in told[0]
    finally:
        server.stop()


# Another version of viser.

@pytest.fixture
def start():
    def attempt(hands=None):
        WebServer('test', bind(HOST, 0), Guard(HOST), lambda _: None, hands or Hands())
    return attempt


def test_a_viser_that_opens_its_server_in_another_way_is_not_served(start, monkeypatch):
    class Other(viser.ViserServer):
        def __init__(self, **options):
            websockets_server.serve = original
            super().__init__(**options)
    original = websockets_server.serve
    monkeypatch.setattr(viser, 'ViserServer', Other)
    with pytest.raises(LocomotionError, match='is not opened by'):
        start()


def test_a_viser_that_asks_for_what_is_not_known_is_not_served(start, monkeypatch):
    monkeypatch.setattr(web_server, 'START_TIMEOUT', 0.5)
    monkeypatch.setattr(websockets_server, 'serve', lambda *_, **__: 1 / 0)
    monkeypatch.setattr('threading.excepthook', lambda _: None)
    with pytest.raises(LocomotionError, match='did not start'):
        start()


def test_a_guard_that_lets_strangers_in_is_not_served(start, monkeypatch):
    monkeypatch.setattr(Guard, 'refusal', lambda *_: '')
    with pytest.raises(LocomotionError, match='expected 403'):
        start()


def test_a_page_that_cannot_take_the_controls_is_not_served(start, monkeypatch):
    pages = WebServer._page

    def without_end(self, connection, path):
        self._hands, hands = None, self._hands
        response = pages(self, connection, path)
        self._hands = hands
        return response
    monkeypatch.setattr(WebServer, '_page', without_end)
    with pytest.raises(LocomotionError, match='no closing tag to insert the controls'):
        start()
