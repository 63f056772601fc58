# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""MotionSwitcher: the robot's service that says which of its modes drives the motors.

A request has an id, a number of the API and parameters as JSON. Both messages hold only a few
numbers and a string, so they are packed by hand.
"""

from __future__ import annotations

import json
import struct
import time
from typing import Any, Dict, Tuple

from humanoid_locomotion.core.errors import ConfigError, RefusedError
from humanoid_locomotion.nodes.hardware.unitree.dds import Wire
from humanoid_locomotion.nodes.hardware.unitree.messages import (
    API_REQUEST,
    API_RESPONSE,
    CDR_HEADER,
)

REQUEST, RESPONSE = 'rt/api/motion_switcher/request', 'rt/api/motion_switcher/response'
CHECK_MODE, SELECT_MODE, RELEASE_MODE = 1001, 1002, 1003
TIMEOUT = 1.0  # [s] for one request
RELEASES = 5  # requests after which a mode that is still there has refused
_REQUEST = struct.Struct('<qqqi?3x')  # id, API, lease, priority, no reply
_RESPONSE = struct.Struct('<qqi')  # id, API, status


def _string(text: str) -> bytes:
    data = text.encode() + b'\0'
    return struct.pack('<I', len(data)) + data + bytes(-len(data) % 4)


def _text(data: bytes, offset: int) -> str:
    (size,) = struct.unpack_from('<I', data, offset)
    return data[offset + 4:offset + 3 + size].decode()


def encode_request(number: int, api: int, parameters: Dict[str, str]) -> bytes:
    """Return the CDR of a request."""
    return (CDR_HEADER + _REQUEST.pack(number, api, 0, 0, False)
            + _string(json.dumps(parameters)) + bytes(4))


def decode_request(data: bytes) -> Tuple[int, int, Dict[str, Any]]:
    """Return id, API and parameters of a request."""
    number, api, *_ = _REQUEST.unpack_from(data, 4)
    return number, api, json.loads(_text(data, 4 + _REQUEST.size) or '{}')


def encode_response(number: int, api: int, status: int, content: Dict[str, str]) -> bytes:
    """Return the CDR of a response."""
    return (CDR_HEADER + _RESPONSE.pack(number, api, status) + _string(json.dumps(content))
            + bytes(4))


def decode_response(data: bytes) -> Tuple[int, int, Dict[str, Any]]:
    """Return id, status and content of a response; the content is JSON or empty."""
    number, _, status = _RESPONSE.unpack_from(data, 4)
    return number, status, json.loads(_text(data, 4 + _RESPONSE.size) or '{}')


class MotionSwitcher:
    """A client of the service."""

    def __init__(self, wire: Wire):
        self._requests = wire.writer(REQUEST, API_REQUEST)
        self._responses = wire.reader(RESPONSE, API_RESPONSE, depth=16, reliable=True)

    def _call(self, api: int) -> Dict[str, Any]:
        number, end = time.monotonic_ns(), time.monotonic() + TIMEOUT
        sent = 0.0
        while time.monotonic() < end:
            if time.monotonic() - sent > TIMEOUT / 4:  # the service may not be discovered yet
                self._requests.write(encode_request(number, api, {}))
                sent = time.monotonic()
            for data in self._responses.take():
                found, status, content = decode_response(data)
                if found == number and status == 0:
                    return content
                if found == number:
                    raise RefusedError('MotionSwitcher', f'request {api} returned status {status}')
            time.sleep(0.005)
        raise ConfigError('unitree', 'motion_switcher', f'no answer within {TIMEOUT:g} s, so one '
                          "of the robot's own modes may drive the motors; switch the robot to "
                          'debug mode (L2+R2) and try again')

    def owner(self) -> str:
        """Return the name of the mode that drives the motors, empty for none.

        Raises:
            ConfigError: The service does not answer.
            RefusedError: It answers with an error.
        """
        return str(self._call(CHECK_MODE).get('name', ''))

    def release(self) -> None:
        """Ask the mode that drives the motors to stop; the robot then goes limp.

        Raises:
            ConfigError: The service does not answer.
            RefusedError: The mode drives the motors still.
        """
        for _ in range(RELEASES):
            if not self.owner():
                return
            self._call(RELEASE_MODE)
            time.sleep(0.1)
        if name := self.owner():
            raise RefusedError('release', f'the mode {name!r} still drives the motors')
