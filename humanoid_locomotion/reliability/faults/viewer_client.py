# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A client of the viewer without a browser, which sends the messages of the page's script.

It runs as a process, so that it can be stopped and killed like a browser. Each line of its
standard input is a command: ``open ADDRESS`` first, then the name of a method of :class:`Client`.
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
    """A client that holds a button from the start.

    Args:
        address: The address that the viewer printed.
    """

    def __init__(self, address: str):
        from websockets.sync.client import connect
        url = urlsplit(address)
        self._socket = connect(f'ws://{url.netloc}{url.path}hand',
                               origin=f'http://{url.netloc}', proxy=None)  # type: ignore[arg-type]
        self._grip, self._is_held, self._stops = 1, True, 0
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        with contextlib.suppress(Exception):  # the connection has ended as requested
            for text in self._socket:
                beat = json.loads(text).get('beat')
                if beat is not None and self._is_held:
                    self._say({'grip': self._grip, 'beat': beat, 'drive': [FORWARD, 0.0, 0.0]})

    def _say(self, message: Dict[str, Any]) -> None:
        self._socket.send(json.dumps(message))

    def silent(self) -> None:
        """Send nothing more, with the connection open, like a frozen page."""
        self._is_held = False

    def release(self) -> None:
        """Release the button, like a page that is hidden or loses the focus."""
        self._is_held = False
        self._say({'release': self._grip})

    def hold(self) -> None:
        """Hold the button again."""
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
    """Execute the commands of standard input until it ends."""
    client = None
    for line in sys.stdin:
        word, _, rest = line.strip().partition(' ')
        if word == 'open':
            client = Client(rest)
        else:
            getattr(client, word)()


if __name__ == '__main__':
    main()
