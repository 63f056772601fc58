# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Unitree's remote control: the 40 bytes that every state message carries."""

from __future__ import annotations

import struct
from typing import Optional

from humanoid_locomotion.nodes.hardware.port import Remote

SIZE = 40
# Bit by bit from the lowest, of bytes 2 and 3.
BUTTONS = ('R1', 'L1', 'start', 'select', 'R2', 'L2', 'F1', 'F2',
           'A', 'B', 'X', 'Y', 'up', 'right', 'down', 'left')
_STICKS = struct.Struct('<fff4xf')  # from byte 4: left x, right x, right y, (L2), left y


def decode(data: bytes) -> Optional[Remote]:
    """Return the remote's state, or None for zeros alone: no remote is connected, or it rests."""
    if not any(data):
        return None
    bits = int.from_bytes(data[2:4], 'little')
    left_x, right_x, right_y, left_y = _STICKS.unpack_from(data, 4)
    return Remote(frozenset(name for i, name in enumerate(BUTTONS) if bits >> i & 1),
                  (left_x, left_y), (right_x, right_y))


def encode(remote: Optional[Remote]) -> bytes:
    """Return the bytes of a remote's state; zeros for None.

    Raises:
        ValueError: A button is not in :data:`BUTTONS`.
    """
    data = bytearray(SIZE)
    if remote is not None:
        data[2:4] = sum(1 << BUTTONS.index(name) for name in remote.buttons).to_bytes(2, 'little')
        _STICKS.pack_into(data, 4, remote.left[0], *remote.right, remote.left[1])
    return bytes(data)
