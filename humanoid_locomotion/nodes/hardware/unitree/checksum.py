# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""CRC-32/MPEG-2 over 32-bit words, as Unitree's firmware computes it."""

from __future__ import annotations

import zlib

import numpy as np

_REVERSED = bytes(int(f'{byte:08b}'[::-1], 2) for byte in range(256))


def checksum(data: bytes) -> int:
    """Return the CRC of the little-endian 32-bit words of a C struct, without its crc field.

    zlib's CRC-32 has the same polynomial, but takes the least significant bit first and inverts
    the result. So the bits of the input and of the result are reversed.

    Args:
        data: The struct's bytes; their number is a multiple of four.
    """
    words = np.frombuffer(data, '<u4').byteswap().tobytes().translate(_REVERSED)
    inverted = (zlib.crc32(words) ^ 0xFFFFFFFF).to_bytes(4, 'little')
    return int.from_bytes(inverted.translate(_REVERSED), 'big')
