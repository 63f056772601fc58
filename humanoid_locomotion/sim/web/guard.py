# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Access control of the web viewer: only clients that have the printed address are served.

A server on 127.0.0.1 is reachable from every page that a browser on this machine shows, and an
attacker can make a domain name resolve to it (DNS rebinding). So each request must have a random
token in its path, a Host header with a name of this server, and no Origin of another page. The
token is in the path and not in a cookie, since browsers send a cookie of 127.0.0.1 to every port
there.
"""

from __future__ import annotations

import errno
import hmac
import secrets
import socket
from typing import FrozenSet, List, Mapping, Optional, Protocol, Sequence
from urllib.parse import urlsplit

from humanoid_locomotion.core.errors import ConfigError

TOKEN_BYTES = 24
# Host names that an attacker's DNS cannot resolve.
LOOPBACK = ('127.0.0.1', 'localhost', '::1')
ANY = {'0.0.0.0': '127.0.0.1', '::': '::1'}  # wildcard addresses, and one address of each
PORTS_TRIED = 100
SOURCE = 'the web page'
# Headers of every response: no caching, no framing, no referrer that contains the address.
HEADERS: Mapping[str, str] = {
    'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer',
    'Content-Security-Policy': "frame-ancestors 'none'", 'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Resource-Policy': 'same-origin', 'Cross-Origin-Opener-Policy': 'same-origin'}


class Headers(Protocol):
    """The part of the request headers that is used."""

    def get_all(self, key: str) -> List[str]:
        """Return every value of a header, case-insensitively."""


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens on a port, or on the next free one.

    Raises:
        ConfigError: The host is not an address of this machine, or no port is free.
    """
    if not 0 <= port < 2 ** 16:
        raise ConfigError(SOURCE, 'port', f'expected 0 to 65535, found {port}')
    try:
        family, _, _, _, where = socket.getaddrinfo(
            host or ' ', port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise ConfigError(SOURCE, 'host', f'expected an address of this machine or its name, '
                          f'found {host!r}: {error}') from error
    last = min(port + PORTS_TRIED, 2 ** 16)
    for candidate in range(port, last):
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((where[0], candidate))
            listening.listen()
            return listening
        except OSError as error:
            listening.close()
            if error.errno != errno.EADDRINUSE:
                raise ConfigError(SOURCE, 'host and port', f'cannot serve on {host!r}, port '
                                  f'{candidate}: {error.strerror}') from error
    raise ConfigError(SOURCE, 'port', f'{port} to {last - 1} are all in use')


class Guard:
    """Accepts or refuses requests by their path and headers.

    Args:
        host: The address to serve, as given; it counts as a name of this server.
        token: The first part of the path; a random one if empty.

    Attributes:
        host: The address to serve.
        token: The first part of the path.
    """

    def __init__(self, host: str, token: str = ''):
        self.host, self.token = host, token or secrets.token_urlsafe(TOKEN_BYTES)
        self._names = {name.lower() for name in (*LOOPBACK, *_machine_names(host))}

    @property
    def reachable(self) -> str:
        """The address at which this machine reaches the server."""
        return ANY.get(self.host, self.host)

    def address(self, port: int) -> str:
        """Return the URL to open in a browser, including the token."""
        name = f'[{self.reachable}]' if ':' in self.reachable else self.reachable
        return f'http://{name}:{port}/{self.token}/'

    def inside(self, path: str) -> str:
        """Return the path after the token, without its query: ``/`` or ``/hand``."""
        return '/' + path.partition('?')[0].lstrip('/').partition('/')[2]

    def refusal(self, path: str, headers: Headers, local: str, upgrades: bool) -> str:
        """Return the reason to refuse a request; empty to accept it.

        Args:
            path: Requested path, with its query.
            headers: Headers of the request.
            local: The local address that the request was sent to.
            upgrades: Whether the request opens a WebSocket.
        """
        hosts, origins = headers.get_all('Host'), headers.get_all('Origin')
        names = self._names | {local.lower().replace('::ffff:', '')}
        if len(hosts) != 1 or _name(hosts[0]) not in names:
            return f'the host {_shown(hosts)} is not a name of this server'
        if len(origins) > 1 or (origins and origins[0].lower() != f'http://{hosts[0].lower()}'):
            return f'the origin {_shown(origins)} is another page'
        if upgrades and not origins:
            return 'a WebSocket without an origin is not from a page of this server'
        given = path.lstrip('/').partition('?')[0].partition('/')[0]
        if not hmac.compare_digest(given.encode('utf-8', 'replace'), self.token.encode()):
            return 'the token is missing or wrong'
        return ''


def _machine_names(host: str) -> FrozenSet[str]:
    """Return the network names of this machine, if the server is reachable from outside."""
    if host in LOOPBACK:
        return frozenset()
    name = socket.gethostname()
    return frozenset({name, f'{name.split(".")[0]}.local'} | ({host} - set(ANY)))


def _name(host: str) -> Optional[str]:
    """Return the name in a Host header, without its port; None if it cannot be read."""
    if set(host) & set('/?#@\\'):
        return None
    try:
        parts = urlsplit(f'//{host}')
        return parts.hostname if parts.port is None or parts.port else None
    except ValueError:  # includes a port that is not a number
        return None


def _shown(values: Sequence[str]) -> str:
    return ', '.join(repr(value[:80]) for value in values[:2]) or 'without a name'
