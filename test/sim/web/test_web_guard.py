# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Who is let in: by token, host and origin, each of which alone keeps a stranger out."""

import socket

from hypothesis import given
from hypothesis import strategies as st
import pytest

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.sim.web import guard
from humanoid_locomotion.sim.web.guard import Guard, bind

TOKEN = 'right-token'
HERE = '127.0.0.1:8080'


class Headers(dict):
    """Headers of a request: lists of values by name."""

    def get_all(self, key):
        return self.get(key, [])


def refusal(path=f'/{TOKEN}/', host=HERE, origin=None, upgrades=False, local='127.0.0.1',
            served='127.0.0.1'):
    headers = Headers(Host=[host] if isinstance(host, str) else host,
                      Origin=[] if origin is None else [origin])
    return Guard(served, TOKEN).refusal(path, headers, local, upgrades)


@pytest.mark.parametrize('path', ['/right-token', '/right-token/', '/right-token/hand',
                                  '/right-token/?websocket=ws://127.0.0.1:8080/right-token'])
def test_who_has_the_address_is_let_in(path):
    assert refusal(path) == ''
    assert refusal(path, origin=f'http://{HERE}', upgrades=True) == ''


@pytest.mark.parametrize('path', [
    '/', '', '/hand', '/right-toke', '/right-tokenn', '/Right-Token', '/?token=right-token',
    '/x/right-token', '/right%2dtoken', '/right-token\x00', '/é', '/\udcff', '?/right-token'])
def test_without_the_token_nobody_is(path):
    assert 'token' in refusal(path, origin=f'http://{HERE}', upgrades=True)


@pytest.mark.parametrize('origin', [
    'https://evil.example', 'null', '', 'http://127.0.0.1', 'http://127.0.0.1:9999',
    'https://127.0.0.1:8080', 'http://localhost:8080', 'http://127.0.0.1:8080.evil.example',
    'http://127.0.0.1:80800', 'file://'])
def test_another_page_is_not_even_with_the_token(origin):
    assert 'origin' in refusal(origin=origin, upgrades=True)
    assert 'origin' in refusal(origin=origin)


@pytest.mark.parametrize('host', [
    'evil.example:8080', 'evil.example', '', ':8080', '127.0.0.1.evil.example:8080',
    '127.0.0.1:8080.evil.example', '127.0.0.1:99999', 'evil@127.0.0.1:8080', '127.0.0.1:8080/',
    '[::1', '169.254.169.254', [], [HERE, HERE], ['evil.example', HERE]])
def test_a_name_that_is_not_this_machines_is_refused(host):
    """So a page whose name was made to point here (DNS rebinding) reaches nothing."""
    origin = f'http://{host}' if isinstance(host, str) else f'http://{HERE}'
    assert 'host' in refusal(host=host, origin=origin, upgrades=True)


def test_a_program_that_names_no_page_opens_no_websocket():
    assert 'origin' in refusal(upgrades=True)


def test_a_tunnel_may_have_another_port():
    assert refusal(host='localhost:9000', origin='http://localhost:9000', upgrades=True) == ''


def test_whoever_is_served_by_an_address_may_call_it_by_that_address():
    there = {'host': '10.0.0.7:8080', 'origin': 'http://10.0.0.7:8080', 'upgrades': True}
    assert 'host' in refusal(**there)
    assert refusal(**there, local='10.0.0.7', served='0.0.0.0') == ''
    assert refusal(**there, local='::ffff:10.0.0.7', served='::') == ''
    name = socket.gethostname().lower()
    assert refusal(host=f'{name}:80', local='10.0.0.7', served='0.0.0.0') == ''
    assert 'host' in refusal(host='0.0.0.0:8080', local='10.0.0.7', served='0.0.0.0')


@given(st.text(), st.text(), st.text())
def test_no_text_is_let_in_or_breaks_it(path, host, origin):
    assert refusal(path, host, origin, upgrades=True)


def test_every_page_has_a_token_of_its_own():
    tokens = {Guard('127.0.0.1').token for _ in range(100)}
    assert len(tokens) == 100 and min(map(len, tokens)) >= 32


def test_the_address_holds_the_token_and_can_be_opened_from_here():
    assert Guard('0.0.0.0', TOKEN).address(80) == 'http://127.0.0.1:80/right-token/'
    assert Guard('::1', TOKEN).address(80) == 'http://[::1]:80/right-token/'


def test_a_port_that_is_taken_is_passed_over():
    with bind('127.0.0.1', 0) as one:
        port = one.getsockname()[1]
        with bind('127.0.0.1', port) as other:
            assert other.getsockname()[1] > port


@pytest.mark.parametrize('host, port, key', [
    ('127.0.0.1', -1, 'port'), ('127.0.0.1', 70_000, 'port'), ('', 8080, 'host'),
    ('no.such.name.invalid', 8080, 'host'), ('x' * 300, 8080, 'host'),
    ('192.0.2.1', 8080, 'host and port')])
def test_what_cannot_be_served_is_refused_by_name(host, port, key):
    with pytest.raises(ConfigError) as caught:
        bind(host, port)
    assert caught.value.key == key


def test_when_all_ports_are_taken_that_is_said(monkeypatch):
    monkeypatch.setattr(guard, 'PORTS_TRIED', 1)
    with bind('127.0.0.1', 0) as one, pytest.raises(ConfigError, match='are all in use'):
        bind('127.0.0.1', one.getsockname()[1])
