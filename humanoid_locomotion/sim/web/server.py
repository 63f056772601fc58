# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""viser's web server behind the guard, with a separate channel for the page's controls.

viser has no hook for checking clients, but it opens its server by calling
``websockets.asyncio.server.serve``, which has such hooks. While viser starts, that function is
replaced by one that adds them. If another version of viser opens its server differently, the
check at the start fails, and nothing is served.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
import contextlib
import http
import http.client
import io
import logging
import socket
import threading
import time
from typing import Any, Callable, Dict, Optional, Protocol, Set, Tuple

import viser
from websockets.asyncio import server as websockets_server
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.sim.web.guard import HEADERS, LOOPBACK, Guard

HAND = '/hand'
ASK_PERIOD = 0.05  # [s] between two dead-man requests to a page
MAX_CLIENTS = 16  # open WebSockets; a page has two
MAX_PENDING = 32  # connections before their WebSocket handshake; the oldest is dropped first
BACKLOG = 32  # connections accepted per pass of the event loop
MAX_MESSAGE, MAX_HAND_MESSAGE = 64 * 1024, 512  # [bytes], [characters]
MAX_RATE, MAX_BURST = 200.0, 400.0  # messages of one client per second, and in a burst
REFUSAL_PERIOD = 2.0  # [s] between two log lines about refusals
START_TIMEOUT = 20.0  # [s]
REFUSED = 'Open the whole address that was printed when the page was started: it holds a token.\n'
SILENT = logging.getLogger(__name__)  # silences websockets; refusals are reported here
SILENT.addHandler(logging.NullHandler())
SILENT.propagate = False


class Hands(Protocol):
    """Handler of the page's own channel; its methods run in the server's thread.

    Attributes:
        html: Added at the end of the page: controls, and a script that opens the channel.
    """

    html: str

    def join(self, who: str) -> str:
        """Add a page; return the first message to it."""

    def ask(self, who: str) -> str:
        """Return the next message to a page, sent each :data:`ASK_PERIOD`."""

    def hear(self, who: str, message: str) -> None:
        """Handle a message; ValueError ends the connection."""

    def leave(self, who: str) -> None:
        """Remove a page whose connection has ended."""


class WebServer:
    """A viser page that only clients with its printed address can open.

    Args:
        label: Title of the page.
        listening: A socket from :func:`bind`.
        guard: Access control for the same host.
        tell: Called with a text about refused requests; from any thread.
        hands: Handler of the page's own channel; None for none.

    Attributes:
        viser: viser's server, for scene and controls.
        address: The URL to open. It gives access and therefore must not be logged.

    Raises:
        LocomotionError: viser cannot be guarded.
    """

    def __init__(self, label: str, listening: socket.socket, guard: Guard,
                 tell: Callable[[str], None], hands: Optional[Hands] = None):
        self._guard, self._socket, self._hands = guard, listening, hands
        self._port = int(listening.getsockname()[1])
        self.address = guard.address(self._port)
        self._inside: Set[Any] = set()
        self._pending: OrderedDict[Any, None] = OrderedDict()
        self._clients, self._refusals, self._told = 0, 0, -REFUSAL_PERIOD
        self._tell: Callable[[str], None] = lambda _: None  # test requests are not reported
        self._viser_handler: Optional[Callable[[Any], Any]] = None
        self._viser_pages: Any = None
        self.viser: Any = self._start(label)
        self.viser.gui.configure_theme(show_share_button=False)
        self._tell, self._refusals, self._told = tell, 0, -REFUSAL_PERIOD
        if guard.host not in LOOPBACK:
            tell(f'the page is served to other machines ({guard.host}) and is not encrypted: '
                 'anyone with its address, or with access to the network traffic, can use it')

    def stop(self) -> None:
        """Close the page."""
        self.viser.stop()

    def _start(self, label: str) -> Any:
        """Start viser behind the guard, and check that the guard is effective."""
        made: Dict[str, Any] = {}

        def make() -> None:
            # viser prints an address without the token, which would be refused.
            with contextlib.redirect_stdout(io.StringIO()):
                made['server'] = viser.ViserServer(
                    host=self._guard.host, port=self._port, label=label, verbose=False)
        original = websockets_server.serve
        websockets_server.serve = self._serve(original)  # type: ignore[misc,assignment]
        thread = threading.Thread(target=make, daemon=True)  # it may wait forever for a server
        try:
            thread.start()
            thread.join(START_TIMEOUT)
        finally:
            websockets_server.serve = original  # type: ignore[misc]
        problem = 'it did not start' if 'server' not in made else self._open_door()
        if problem:
            if 'server' in made:
                made['server'].stop()
            self._socket.close()
            raise LocomotionError(
                f'the page of viser {viser.__version__} cannot be protected, so it is not '
                f'served: {problem}; requirements/viewer.txt has a version that can be')
        return made['server']

    def _serve(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of ``serve``."""
        def serve(handler: Any, host: Any, port: Any, *, process_request: Any,
                  **options: Any) -> Any:
            self._viser_handler, self._viser_pages = handler, process_request
            return original(self._handle, sock=self._socket, **{
                **options, 'process_request': self._answer, 'create_connection': self._connect,
                'max_size': MAX_MESSAGE, 'backlog': BACKLOG, 'logger': SILENT,
                'server_header': None})
        return serve

    def _open_door(self) -> str:
        """Check the guard with test requests; return the problem, empty if there is none."""
        if self._viser_handler is None:
            return 'its server is not opened by websockets.asyncio.server.serve'
        upgrade = {'Upgrade': 'websocket', 'Connection': 'Upgrade', 'Sec-WebSocket-Version': '13',
                   'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA=='}
        tries: Tuple[Tuple[str, Dict[str, str], int], ...] = (
            ('/', {}, 403), ('/', upgrade, 403), (f'/{self._guard.token}/', {}, 200))
        for path, headers, expected in tries:
            connection = http.client.HTTPConnection(
                self._guard.reachable, self._port, timeout=START_TIMEOUT)
            try:
                connection.request('GET', path, headers=headers)
                answer = connection.getresponse()
                text = answer.read().decode(errors='replace')
            except (OSError, http.client.HTTPException) as error:
                return f'a test request failed: {error}'
            finally:
                connection.close()
            if answer.status != expected:
                return f'a test request returned status {answer.status}, expected {expected}'
        return '' if self._hands is None or self._hands.html in text else (
            'its page has no closing tag to insert the controls at')

    # The following methods run in viser's thread.

    def _connect(self, *arguments: Any, **options: Any) -> Connection:
        return Connection(self._pending, *arguments, **options)

    def _answer(self, connection: Any, request: Request) -> Optional[Response]:
        """Accept a request, or respond with a page or a refusal."""
        upgrades = 'websocket' in ','.join(request.headers.get_all('Upgrade')).lower()
        problem = self._guard.refusal(
            request.path, request.headers, str(connection.local_address[0]), upgrades)
        if problem:
            self._refuse(connection, problem)
            return _answered(connection.respond(http.HTTPStatus.FORBIDDEN, REFUSED))
        if not upgrades:
            return _answered(self._page(connection, self._guard.inside(request.path)))
        if len(self._inside) >= MAX_CLIENTS:
            self._refuse(connection, f'{MAX_CLIENTS} connections are open')
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, 'Too many clients.\n')
        self._pending.pop(connection, None)
        self._inside.add(connection)
        return None

    def _page(self, connection: Any, path: str) -> Response:
        response: Response = self._viser_pages(connection, Request(path, Headers()))
        if self._hands is not None and b'</body>' in response.body:
            before, end, after = response.body.rpartition(b'</body>')
            response.body = before + self._hands.html.encode() + end + after
            del response.headers['Content-Length']
            response.headers['Content-Length'] = str(len(response.body))
        return response

    async def _handle(self, connection: Any) -> None:
        """Serve an accepted WebSocket; its messages do not reach other clients."""
        assert self._viser_handler is not None
        self._inside.add(connection)
        try:
            if self._hands is not None and self._guard.inside(connection.request.path) == HAND:
                await self._talk(connection, self._hands)
            else:
                await self._viser_handler(connection)
        except ConnectionClosed:
            pass
        except Exception as error:  # any error that a client's data causes
            self._refuse(connection, f'it sent invalid data ({type(error).__name__})')
            await connection.close(1003)
        finally:
            self._inside.discard(connection)

    async def _talk(self, connection: Any, hands: Hands) -> None:
        self._clients += 1
        who = f'browser {self._clients} ({connection.remote_address[0]})'
        await connection.send(hands.join(who))
        asking = asyncio.create_task(self._ask(connection, hands, who))
        try:
            async for message in connection:
                if not isinstance(message, str) or len(message) > MAX_HAND_MESSAGE:
                    raise ValueError('not a short text')
                hands.hear(who, message)
        finally:
            asking.cancel()
            hands.leave(who)

    async def _ask(self, connection: Any, hands: Hands, who: str) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await connection.send(hands.ask(who))
                await asyncio.sleep(ASK_PERIOD)

    def _refuse(self, connection: Any, problem: str) -> None:
        self._refusals += 1
        now = time.monotonic()
        if now - self._told >= REFUSAL_PERIOD:
            remote = (connection.remote_address or ('unknown',))[0]
            self._tell(f'refused {self._refusals} connections, the last from {remote}: {problem}')
            self._refusals, self._told = 0, now


class Connection(websockets_server.ServerConnection):
    """A connection with limits on pending handshakes and on the message rate.

    Args:
        pending: Connections before their WebSocket handshake, oldest first.
    """

    def __init__(self, pending: OrderedDict[Any, None], *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self._pending, self._left, self._at = pending, MAX_BURST, time.monotonic()

    def connection_made(self, transport: Any) -> None:
        """Add the connection; drop the oldest pending one if there are too many."""
        super().connection_made(transport)
        self._pending[self] = None
        if len(self._pending) > MAX_PENDING:
            oldest, _ = self._pending.popitem(last=False)
            oldest.transport.abort()

    def connection_lost(self, exc: Optional[Exception]) -> None:
        """Remove the connection from the pending ones."""
        self._pending.pop(self, None)
        super().connection_lost(exc)

    async def recv(self, decode: Optional[bool] = None) -> Any:
        """Return the next message; the connection is closed if the rate is too high."""
        message = await super().recv(decode)
        now = time.monotonic()
        self._left = min(MAX_BURST, self._left + MAX_RATE * (now - self._at)) - 1.0
        self._at = now
        if self._left < 0.0:
            self.transport.abort()  # a closing handshake would wait for the queued messages
        return message


def _answered(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers[name] = value
    return response
