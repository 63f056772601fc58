# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Unauthorised requests to the viewer: without its token, or from another origin or host."""

from __future__ import annotations

import http.client
import itertools
from typing import Dict, Iterator, List, NamedTuple, Tuple
from urllib.parse import urlsplit

from humanoid_locomotion.core.errors import LocomotionError

TIMEOUT = 10.0  # [s]
INSIDE = ('/', '', '/hand')  # the page, viser's WebSocket and that of the controls
UPGRADE = {'Upgrade': 'websocket', 'Connection': 'Upgrade', 'Sec-WebSocket-Version': '13',
           'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA=='}


class Stranger(NamedTuple):
    """One unauthorised request.

    Attributes:
        what: Description of what makes it unauthorised.
        path: The requested path.
        headers: The headers, including Host.
    """

    what: str
    path: str
    headers: Dict[str, str]


def strangers(address: str) -> Iterator[Stranger]:
    """Yield every request, for the page and for both WebSockets.

    Args:
        address: The correct address, of which some requests use a part.
    """
    url = urlsplit(address)
    token, host, port = url.path.strip('/'), url.netloc, url.port
    own = f'http://{host}'
    tokens = ('', 'x', token[:-1], f'{token}x', token.swapcase(), token[::-1], f'%{token}',
              f'../{token}')
    origins = ('https://evil.example', 'null', 'http://evil.example:8080', own + '.evil.example',
               f'http://127.0.0.1:{port - 1 if port else 1}', f'https://{host}', 'file://', '')
    hosts = ('evil.example', f'evil.example:{port}', f'{host}.evil.example', f'evil@{host}',
             '169.254.169.254', '', f'0.0.0.0:{port}', f'[::ffff:7f00:1]:{port}')
    for inside in INSIDE:
        for wrong, origin in itertools.product(tokens, (own, origins[0])):
            yield _try('token', f'/{wrong}{inside}', host, origin, inside)
        for origin in origins:
            yield _try('origin', f'/{token}{inside}', host, origin, inside)
        for name in hosts:
            yield _try('host', f'/{token}{inside}', name, f'http://{name}', inside)
        for elsewhere in ({'Cookie': f'token={token}'}, {'Authorization': f'Bearer {token}'},
                          {'Referer': address}):
            yield _try('token elsewhere', inside or '/', host, own, inside, elsewhere)
        yield _try('token in the query', f'{inside or "/"}?token={token}', host, own, inside)
    for inside in INSIDE[1:]:
        path = f'/{token}{inside}'
        yield Stranger('no origin', path, {'Host': host, **UPGRADE})


def _try(what: str, path: str, host: str, origin: str, inside: str,
         more: Dict[str, str] = {}) -> Stranger:  # noqa: B006
    upgrade = {} if inside == '/' else UPGRADE
    return Stranger(what, path, {'Host': host, 'Origin': origin, **upgrade, **more})


def let_in(address: str) -> Tuple[int, List[Stranger]]:
    """Send every request; return their number, and those that were accepted.

    Raises:
        LocomotionError: The page's own requests are refused, too, so that the test is meaningless.
    """
    url = urlsplit(address)
    own = {'Host': url.netloc, 'Origin': f'http://{url.netloc}'}
    found = [_status(address, Stranger('nothing', f'{url.path.rstrip("/")}{inside}', headers))
             for inside, headers in zip(INSIDE, (own, *2 * [{**own, **UPGRADE}]))]
    if found != [200, 101, 101]:
        raise LocomotionError(f'{url.netloc}: expected the page and two WebSockets to open with '
                              f'the right address (200, 101, 101), found {found}')
    everyone = list(strangers(address))
    return len(everyone), [one for one in everyone if _status(address, one) in (101, 200)]


def _status(address: str, one: Stranger) -> int:
    url = urlsplit(address)
    connection = http.client.HTTPConnection(url.hostname or '', url.port, timeout=TIMEOUT)
    try:
        connection.putrequest('GET', one.path, skip_host=True, skip_accept_encoding=True)
        for name, value in one.headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection.getresponse().status
    except http.client.HTTPException:  # the connection was closed without a response
        return 0
    finally:
        connection.close()
