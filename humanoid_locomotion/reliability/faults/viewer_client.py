"""A client of the viewer without a browser: it says what the page's script says.

Run as a process, so that it can be stopped and killed as a browser can. Each line on its standard
input is a command: ``open ADDRESS`` first, and what :class:`Client` has a method for.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import sys
import threading
from typing import Any, Dict
from urllib.parse import urlsplit

FORWARD = 0.4  # [m/s]


class Client:
    """A hand that holds a button from the beginning.

    Args:
        address: That the viewer printed.
    """

    def __init__(self, address: str):
        from websockets.sync.client import connect
        url = urlsplit(address)
        self._socket = connect(f'ws://{url.netloc}{url.path}hand',
                               origin=f'http://{url.netloc}', proxy=None)  # type: ignore[arg-type]
        self._grip, self._is_held, self._stops = 1, True, 0
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        with contextlib.suppress(Exception):  # the connection has ended, as it was told to
            for text in self._socket:
                beat = json.loads(text).get('beat')
                if beat is not None and self._is_held:
                    self._say({'grip': self._grip, 'beat': beat, 'drive': [FORWARD, 0.0, 0.0]})

    def _say(self, message: Dict[str, Any]) -> None:
        self._socket.send(json.dumps(message))

    def silent(self) -> None:
        """Say no more, with the connection open, as a page that is frozen."""
        self._is_held = False

    def release(self) -> None:
        """Let go, as a page does that is hidden or loses the focus."""
        self._is_held = False
        self._say({'release': self._grip})

    def hold(self) -> None:
        """Take hold anew."""
        self._grip, self._is_held = self._grip + 1, True

    def stop(self) -> None:
        """Press the emergency stop."""
        self._stops += 1
        self._say({'stop': self._stops})

    def end(self) -> None:
        """End the connection."""
        self._socket.socket.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """End the connection with a reset."""
        self._socket.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self._socket.socket.close()


def main() -> None:
    """Do what the lines say, until the input ends."""
    client = None
    for line in sys.stdin:
        word, _, rest = line.strip().partition(' ')
        if word == 'open':
            client = Client(rest)
        else:
            getattr(client, word)()


if __name__ == '__main__':
    main()
