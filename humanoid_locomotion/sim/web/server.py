"""viser's server behind the guard, with a channel of our own for the page's hand.

viser has no hook for checking who connects, but it opens its server by calling
``websockets.asyncio.server.serve``, which has them all. While viser starts, a function of ours
stands in that place and adds them. Should another version of viser open its server in another way,
what is proved at the start fails, and nothing is served.
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
ASK_PERIOD = 0.05  # [s] between two questions whether the hand is still there
MAX_CLIENTS = 16  # open WebSockets; a page has two
MAX_PENDING = 32  # connections that are no WebSocket yet; the oldest makes room
BACKLOG = 32  # so many are taken in at once before those inside are heard again
MAX_MESSAGE, MAX_HAND_MESSAGE = 64 * 1024, 512  # [bytes], [characters]
MAX_RATE, MAX_BURST = 200.0, 400.0  # messages per second and at once, of one client
REFUSAL_PERIOD = 2.0  # [s] between two lines about refusals
START_TIMEOUT = 20.0  # [s]
REFUSED = 'Open the whole address that was printed when the page was started: it holds a token.\n'
SILENT = logging.getLogger(__name__)  # what websockets says of clients; refusals are told by us
SILENT.addHandler(logging.NullHandler())
SILENT.propagate = False


class Hands(Protocol):
    """What the pages' own channel talks to; its methods run in the server's thread.

    Attributes:
        html: Put at the end of the page: controls, and a script that opens the channel.
    """

    html: str

    def join(self, who: str) -> str:
        """Return the first message to a page."""

    def ask(self, who: str) -> str:
        """Return the next message to a page, sent each :data:`ASK_PERIOD`."""

    def hear(self, who: str, message: str) -> None:
        """Take a message; ValueError ends the connection."""

    def leave(self, who: str) -> None:
        """The page's connection has ended."""


class WebServer:
    """A page of viser's that only those can open who were given its address.

    Args:
        label: The page's title.
        listening: A socket that :func:`web_guard.bind` gave.
        guard: Who is let in; made for the same host.
        tell: Called with a line about what was refused; from any thread.
        hands: The page's own channel; none if None.

    Attributes:
        viser: viser's server, to put a scene and controls into.
        address: What a person opens. Who knows it is let in, so it belongs into no log.

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
        self._tell: Callable[[str], None] = lambda _: None  # what is tried at the start is no news
        self._viser_handler: Optional[Callable[[Any], Any]] = None
        self._viser_pages: Any = None
        self.viser: Any = self._start(label)
        self.viser.gui.configure_theme(show_share_button=False)
        self._tell, self._refusals, self._told = tell, 0, -REFUSAL_PERIOD
        if guard.host not in LOOPBACK:
            tell(f'the page is served to other machines ({guard.host}) and is not encrypted: '
                 'whoever learns its address, or listens on the network, can use it')

    def stop(self) -> None:
        """Close the page."""
        self.viser.stop()

    def _start(self, label: str) -> Any:
        """Start viser behind the guard, and prove that it is behind it."""
        made: Dict[str, Any] = {}

        def make() -> None:
            # It prints an address without the token, which would not open.
            with contextlib.redirect_stdout(io.StringIO()):
                made['server'] = viser.ViserServer(
                    host=self._guard.host, port=self._port, label=label, verbose=False)
        original = websockets_server.serve
        websockets_server.serve = self._serve(original)  # type: ignore[misc,assignment]
        thread = threading.Thread(target=make, daemon=True)  # it waits for ever for a server
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
                f'the page of viser {viser.__version__} cannot be kept from strangers, so it is '
                f'not served: {problem}; requirements/viewer.txt names the version that can')
        return made['server']

    def _serve(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Return what viser calls in place of ``serve``."""
        def serve(handler: Any, host: Any, port: Any, *, process_request: Any,
                  **options: Any) -> Any:
            self._viser_handler, self._viser_pages = handler, process_request
            return original(self._handle, sock=self._socket, **{
                **options, 'process_request': self._answer, 'create_connection': self._connect,
                'max_size': MAX_MESSAGE, 'backlog': BACKLOG, 'logger': SILENT,
                'server_header': None})
        return serve

    def _open_door(self) -> str:
        """Return which door is open that should not be, or shut; empty if all is well."""
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
                return f'a request of our own failed: {error}'
            finally:
                connection.close()
            if answer.status != expected:
                return f'a request that should be answered with {expected} gets {answer.status}'
        return '' if self._hands is None or self._hands.html in text else (
            'its page has no end that the controls could be put at')

    # What follows runs in viser's thread.

    def _connect(self, *arguments: Any, **options: Any) -> Connection:
        return Connection(self._pending, *arguments, **options)

    def _answer(self, connection: Any, request: Request) -> Optional[Response]:
        """Let a request in, or answer it: with a page or with a refusal."""
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
        """Serve a WebSocket that was let in; nothing that it sends reaches another."""
        assert self._viser_handler is not None
        self._inside.add(connection)
        try:
            if self._hands is not None and self._guard.inside(connection.request.path) == HAND:
                await self._talk(connection, self._hands)
            else:
                await self._viser_handler(connection)
        except ConnectionClosed:
            pass
        except Exception as error:  # whatever a client makes of viser's reader or of ours
            self._refuse(connection, f'it sent what cannot be read ({type(error).__name__})')
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
    """A client that can neither wait for ever at the door nor flood those who are inside.

    Args:
        pending: Those that are no WebSocket yet, oldest first.
    """

    def __init__(self, pending: OrderedDict[Any, None], *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self._pending, self._left, self._at = pending, MAX_BURST, time.monotonic()

    def connection_made(self, transport: Any) -> None:
        """Take the place of the oldest that waits, if there are too many."""
        super().connection_made(transport)
        self._pending[self] = None
        if len(self._pending) > MAX_PENDING:
            oldest, _ = self._pending.popitem(last=False)
            oldest.transport.abort()

    def connection_lost(self, exc: Optional[Exception]) -> None:
        """Forget it."""
        self._pending.pop(self, None)
        super().connection_lost(exc)

    async def recv(self, decode: Optional[bool] = None) -> Any:
        """Return the next message; the connection ends when they come too fast."""
        message = await super().recv(decode)
        now = time.monotonic()
        self._left = min(MAX_BURST, self._left + MAX_RATE * (now - self._at)) - 1.0
        self._at = now
        if self._left < 0.0:
            self.transport.abort()  # a closing handshake would wait behind the flood
        return message


def _answered(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers[name] = value
    return response
