# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A TCP relay on this machine that simulates a lost or slow network connection."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from typing import Optional, Tuple

CHUNK = 65_536  # [bytes]


class Relay:
    """Forwards connections to a port of this machine.

    Args:
        port: The port to forward to.

    Attributes:
        port: The port it listens on.
    """

    def __init__(self, port: int):
        self._to, self._delay, self._is_dropping = port, 0.0, False
        self._listening = socket.create_server(('127.0.0.1', 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def drop(self) -> None:
        """Forward nothing from now on; both ends stay connected."""
        self._is_dropping = True

    def delay(self, seconds: float) -> None:
        """Delay all data from now on [s]."""
        self._delay = seconds

    def close(self) -> None:
        """Accept no further connections."""
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                one, _ = self._listening.accept()
                other = socket.create_connection(('127.0.0.1', self._to))
                for source, sink in ((one, other), (other, one)):
                    waiting: queue.SimpleQueue[Tuple[float, Optional[bytes]]] = (
                        queue.SimpleQueue())
                    threading.Thread(
                        target=self._read, args=(source, waiting), daemon=True).start()
                    threading.Thread(
                        target=self._write, args=(sink, waiting), daemon=True).start()

    def _read(self, source: socket.socket,
              waiting: queue.SimpleQueue[Tuple[float, Optional[bytes]]]) -> None:
        data: Optional[bytes] = b'-'
        while data:
            try:
                data = source.recv(CHUNK) or None
            except OSError:
                data = None
            if not self._is_dropping:
                waiting.put((time.monotonic() + self._delay, data))

    def _write(self, sink: socket.socket,
               waiting: queue.SimpleQueue[Tuple[float, Optional[bytes]]]) -> None:
        with contextlib.suppress(OSError):
            while True:
                due, data = waiting.get()
                time.sleep(max(0.0, due - time.monotonic()))
                if self._is_dropping:
                    continue
                if data is None:
                    sink.shutdown(socket.SHUT_RDWR)
                    return
                sink.sendall(data)
