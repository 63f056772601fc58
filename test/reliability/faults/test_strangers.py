# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Unauthorised requests to the viewer: every one differs from the page's own by a check."""

from urllib.parse import urlsplit

import pytest

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.reliability.faults import strangers as module
from humanoid_locomotion.reliability.faults.strangers import INSIDE, let_in, strangers

TOKEN = 'aBcDeF123456'
HOST = '127.0.0.1:8080'
ADDRESS = f'http://{HOST}/{TOKEN}/'
ALL = list(strangers(ADDRESS))


def test_every_check_is_tried_on_the_page_and_on_both_sockets():
    for what in ('token', 'origin', 'host', 'token elsewhere', 'token in the query'):
        tried = [one for one in ALL if one.what == what]
        pages = sum('Upgrade' not in one.headers for one in tried)
        assert 0 < pages < len(tried)
    assert len(ALL) >= 100


def own_path(path):
    """Return whether a path is one that the page itself requests."""
    return path in {f'/{TOKEN}{inside}' for inside in INSIDE}


@pytest.mark.parametrize('what', ['token', 'token elsewhere', 'token in the query'])
def test_request_without_the_token_never_has_it_in_its_path(what):
    assert not any(own_path(one.path) for one in ALL if one.what == what)


@pytest.mark.parametrize('what, header, right', [
    ('origin', 'Origin', f'http://{HOST}'), ('host', 'Host', HOST)])
def test_wrong_header_comes_with_the_right_token(what, header, right):
    tried = [one for one in ALL if one.what == what]
    assert all(own_path(one.path) for one in tried)
    assert all(one.headers[header] != right for one in tried)


def test_wrong_origin_comes_from_the_right_host_to_be_refused_by_its_origin():
    assert all(one.headers['Host'] == HOST for one in ALL if one.what in ('origin', 'no origin'))


def test_request_without_an_origin_is_made_to_both_sockets():
    tried = [one for one in ALL if one.what == 'no origin']
    assert {one.path for one in tried} == {f'/{TOKEN}{inside}' for inside in INSIDE[1:]}
    assert all('Origin' not in one.headers and 'Upgrade' in one.headers for one in tried)


def test_no_request_is_made_twice():
    tried = [(one.path, tuple(sorted(one.headers.items()))) for one in ALL]
    assert len(set(tried)) == len(tried)


@pytest.fixture
def door(monkeypatch):
    """Return a function that sets which requests are accepted, besides the page's own."""
    def opened(lets_in, own=True):
        def status(address, one):
            if one.what == 'nothing':
                return (101 if 'Upgrade' in one.headers else 200) if own else 403
            return 200 if lets_in(one) else 403
        monkeypatch.setattr(module, '_status', status)
    return opened


def test_accepted_requests_are_returned(door):
    door(lambda one: one.headers.get('Origin') == 'null')
    tried, found = let_in(ADDRESS)
    assert tried == len(ALL) and [one.headers['Origin'] for one in found] == len(INSIDE) * ['null']
    assert {one.what for one in found} == {'origin'}


def test_closed_door_accepts_none(door):
    door(lambda one: False)
    assert let_in(ADDRESS) == (len(ALL), [])


def test_page_that_does_not_open_is_no_test_of_its_door(door):
    door(lambda one: False, own=False)
    with pytest.raises(LocomotionError, match=r'found \[403, 403, 403\]'):
        let_in(ADDRESS)


class Connection:
    """A connection that records what is sent, and answers."""

    answer = 101

    def __init__(self, host, port, timeout):
        self.where, self.headers, self.is_closed = (host, port), [], False
        Connection.last = self

    def putrequest(self, method, path, **skipped):
        assert method == 'GET' and skipped == {'skip_host': True, 'skip_accept_encoding': True}
        self.path = path

    def putheader(self, name, value):
        self.headers.append((name, value))

    def endheaders(self):
        pass

    def getresponse(self):
        if self.answer is None:
            raise module.http.client.RemoteDisconnected('closed')
        self.status = self.answer
        return self

    def close(self):
        self.is_closed = True


@pytest.mark.parametrize('answer, status', [(101, 101), (200, 200), (403, 403), (None, 0)])
def test_request_is_sent_as_it_is_and_answered_with_its_status(monkeypatch, answer, status):
    monkeypatch.setattr(module.http.client, 'HTTPConnection', Connection)
    monkeypatch.setattr(Connection, 'answer', answer)
    one = ALL[0]
    assert module._status(ADDRESS, one) == status
    sent, url = Connection.last, urlsplit(ADDRESS)
    assert sent.where == (url.hostname, url.port) and sent.path == one.path
    assert dict(sent.headers) == one.headers and sent.is_closed
