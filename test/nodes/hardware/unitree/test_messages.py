# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Layout, checksum and serialization, against the vendor's sizes and another implementation."""

import random

import numpy as np
import pytest

from humanoid_locomotion.nodes.hardware.unitree.checksum import checksum
from humanoid_locomotion.nodes.hardware.unitree.messages import (
    GO_COMMAND,
    GO_STATE,
    HG_BATTERY,
    HG_COMMAND,
    HG_STATE,
    Struct,
    crc_of,
    sign,
)

FIXED = [HG_STATE, HG_COMMAND, HG_BATTERY, GO_STATE, GO_COMMAND]


def filled(struct):
    """Return a message in which every value differs from its neighbours, and is finite."""
    message, rng = struct.new(), np.random.default_rng(1)

    def fill(struct, at):
        for name, kind, number in struct.fields:
            if isinstance(kind, Struct):
                for i in range(number):
                    fill(kind, at[name][i] if number > 1 else at[name])
            elif kind == 'f4':
                at[name] = rng.normal(size=number) if number > 1 else rng.normal()
            else:
                at[name] = rng.integers(1, 120, number if number > 1 else None)

    fill(struct, message)
    return message


def reference(words):
    """CRC-32/MPEG-2, bit by bit, as its definition says."""
    crc = 0xFFFFFFFF
    for word in words:
        crc ^= word
        for _ in range(32):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


def test_the_checksum_is_crc_32_mpeg_2_of_the_words():
    words = [random.Random(0).getrandbits(32) for _ in range(50)]
    assert checksum(np.array(words, '<u4').tobytes()) == reference(words)
    # "12345678" as big-endian words: the value that calculators of this CRC print
    assert checksum(b'43218765') == reference([0x31323334, 0x35363738])


@pytest.mark.parametrize('struct, in_memory, in_cdr', [
    (HG_STATE, 2092, 2088), (HG_COMMAND, 1004, 1000), (GO_STATE, 1180, 1176),
    (GO_COMMAND, 812, 808)])
def test_sizes_are_those_of_the_vendor(struct, in_memory, in_cdr):
    assert struct.dtype.itemsize == in_memory
    assert len(struct.encode(struct.new())) == 4 + in_cdr


@pytest.mark.parametrize('struct', FIXED, ids=lambda it: it.type_name)
def test_decoding_inverts_encoding(struct):
    message = filled(struct)
    assert struct.decode(struct.encode(message)).tobytes() == message.tobytes()


@pytest.mark.parametrize('struct', FIXED, ids=lambda it: it.type_name)
def test_cyclone_serializes_the_same_bytes(struct):
    pytest.importorskip('cyclonedds')
    from cyclonedds.idl import types

    from humanoid_locomotion.nodes.hardware.unitree import dds

    def built(struct, at):
        fields = {}
        for name, kind, number in struct.fields:
            value = at[name]
            if isinstance(kind, Struct):
                value = ([built(kind, it) for it in value] if number > 1 else built(kind, value))
            else:
                value = value.tolist()
            fields[name] = value
        return dds._declare(struct, types.uint8)(**fields)

    message = filled(struct)
    data = built(struct, message).serialize()
    assert struct.encode(message) == data.ljust(-(-len(data) // 4) * 4, b'\0')


def test_a_signed_message_carries_the_checksum_of_the_rest():
    message = filled(HG_COMMAND)
    sign(message)
    assert int(message['crc']) == crc_of(message) != 0
    message['motor_cmd']['q'][3] += 0.1
    assert int(message['crc']) != crc_of(message)


@pytest.mark.parametrize('spoil', [lambda data: data[:-8], lambda data: b'\0\0' + data[2:]])
def test_a_short_or_big_endian_message_is_refused(spoil):
    data = HG_STATE.encode(HG_STATE.new())
    with pytest.raises(ValueError, match=r'LowState_: found .* bytes .* expected'):
        HG_STATE.decode(spoil(data))
