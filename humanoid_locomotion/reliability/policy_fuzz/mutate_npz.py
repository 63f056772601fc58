# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Mutations of ``golden.npz`` as an archive of NumPy arrays."""

from __future__ import annotations

import io
from pathlib import Path
import struct
from typing import Callable, Dict, Tuple
import warnings
import zipfile

import numpy as np

from humanoid_locomotion.reliability.policy_fuzz.mutation import Mutation, choose

GOLDEN = 'golden.npz'
Arrays = Dict[str, np.ndarray]


def mutate_golden(folder: Path, random: np.random.Generator) -> Mutation:
    """Change ``golden.npz``: an array, the archive or a header."""
    path = folder / GOLDEN
    with np.load(path) as file:
        arrays = dict(file)
    key = choose(random, sorted(arrays))
    kind = random.random()
    if kind < 0.4:
        name, change, never = choose(random, ARRAYS)
        arrays[key] = change(arrays[key])
        np.savez_compressed(path, allow_pickle=True, **arrays)
        return Mutation(f'{key}: {name}', GOLDEN, never)
    members = {f'{name}.npy': _member(array) for name, array in arrays.items()}
    if kind < 0.7:
        name, header = choose(random, HEADERS)
        members[f'{key}.npy'] = header
        path.write_bytes(_archive(members))
        return Mutation(f'{key}: {name}', GOLDEN, True)
    name, tamper, never = choose(random, ARCHIVES)
    path.write_bytes(tamper(members, f'{key}.npy'))
    return Mutation(name, GOLDEN, never)


def _member(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def _archive(members: Dict[str, bytes], method: int = zipfile.ZIP_DEFLATED,
             *more: Tuple[str, bytes], comment: bytes = b'') -> bytes:
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of a name twice
        with zipfile.ZipFile(content, 'w', method) as archive:
            for name, data in (*members.items(), *more):
                archive.writestr(name, data)
            archive.comment = comment
    return content.getvalue()


def _header(shape: str, descr: str = '<f4', version: int = 1, body: bytes = b'') -> bytes:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    length = struct.pack('<H' if version == 1 else '<I', len(text))
    return b'\x93NUMPY' + bytes([version, 0]) + length + text + body


def _with(index: Tuple[int, int], value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        array = array.copy()
        array[index] = value
        return array
    return change


# Name, change of one array, and whether such a file must be refused.
ARRAYS: Tuple[Tuple[str, Callable[[np.ndarray], np.ndarray], bool], ...] = (
    ('text', lambda it: it.astype('U8'), True), ('bytes', lambda it: it.astype('S8'), True),
    ('objects', lambda it: it.astype(object), True), ('complex', lambda it: it + 1j, True),
    ('dates', lambda it: np.zeros(it.shape, 'M8[s]'), True),
    ('records', lambda it: np.zeros(len(it), [('a', 'f4'), ('b', 'i4')]), True),
    ('other endianness', lambda it: it.astype('>f4'), False),
    ('Fortran order', np.asfortranarray, False), ('double precision',
                                                  lambda it: it.astype('f8'), False),
    ('half precision', lambda it: it.astype('f2'), False),
    ('integers', lambda it: it.astype('i4'), False),
    ('booleans', lambda it: it.astype('?'), False), ('turned', lambda it: it.T.copy(), True),
    ('one axis', np.ravel, True), ('three axes', lambda it: it[None], True),
    ('nothing', lambda it: it[:0], True), ('no columns', lambda it: it[:, :0], False),
    ('too few steps', lambda it: it[:10], True), ('a step less', lambda it: it[:-1], True),
    ('a value NaN', _with((5, 0), np.nan), False), ('a value huge', _with((5, 0), 1e30), False),
    ('a value a little larger', lambda it: it + np.float32(1e-5), False),
    ('mirrored columns', lambda it: it[:, ::-1].copy(), False))
HEADERS: Tuple[Tuple[str, bytes], ...] = (
    ('10 GB are claimed', _header('(1000000, 2500)')), ('more than there is', _header('(2, 3)')),
    ('less than there is', _header('(2, 3)', body=bytes(25))),
    ('a shape below nothing', _header('(-1, 3)')), ('a shape of 10^30', _header(f'({10**30}, 1)')),
    ('a shape nested deep', _header('(' * 5000)),
    ('another version', _header('(2, 3)', version=9)),
    ('a long header', _header('(2, 3)' + ' ' * 60_000, body=bytes(24))),
    ('an expression', _header('(2, 3*10**9)')), ('a call', _header("(__import__('os'), 3)")),
    ('an unknown type', _header('(2, 3)', descr='<q9')), ('no header', b''),
    ('a pickle', b'\x80\x04\x95\x06\x00\x00\x00\x00\x00\x00\x00]\x94K\x01a.'))


def _flip(members: Dict[str, bytes], name: str) -> bytes:
    content = bytearray(_archive(members, zipfile.ZIP_STORED))
    at = content.index(members[name]) + len(members[name]) - 1
    content[at] ^= 64
    return bytes(content)


def _encrypted(members: Dict[str, bytes], name: str) -> bytes:
    content = bytearray(_archive(members))
    for signature, offset in ((b'PK\x01\x02', 8), (b'PK\x03\x04', 6)):
        content[content.index(signature) + offset] |= 1
    return bytes(content)


def _long(members: Dict[str, bytes], name: str) -> bytes:
    content = _archive(members)
    return content[:-22] + b'PK\x06\x07' + bytes(16) + content[-22:]


def _without(members: Dict[str, bytes], name: str) -> Dict[str, bytes]:
    return {key: value for key, value in members.items() if key != name}


# Name, change of the archive, and whether it must be refused.
ARCHIVES: Tuple[Tuple[str, Callable[[Dict[str, bytes], str], bytes], bool], ...] = (
    ('a member twice', lambda m, n: _archive(m, 8, (n, m[n])), True),
    ('a member twice, another second', lambda m, n: _archive(m, 8, (n, _header('(9, 9)'))), True),
    ('a member more', lambda m, n: _archive(m, 8, ('more.npy', m[n])), True),
    ('a member outside', lambda m, n: _archive(m, 8, (f'../../{n}', m[n])), True),
    ('a flood', lambda m, n: _archive({**m, n: bytes(100 << 20)}), True),
    ('100,000 members', lambda m, n: _archive({f'{i}': b'' for i in range(100_000)}, 0), True),
    ('a wrong checksum', _flip, True), ('an encrypted member', _encrypted, True),
    ('the mark of a long archive', _long, True),
    ('a comment', lambda m, n: _archive(m, comment=b'PK\x05\x06' + bytes(30)), True),
    ('the end is missing', lambda m, n: _archive(m)[:-400], True),
    ('the beginning is missing', lambda m, n: _archive(m)[400:], True),
    ('something before it', lambda m, n: b'#!/bin/sh\n' + _archive(m), False),
    ('another packing, bzip2', lambda m, n: _archive(m, zipfile.ZIP_BZIP2), True),
    ('another packing, lzma', lambda m, n: _archive(m, zipfile.ZIP_LZMA), True),
    ('no packing', lambda m, n: _archive(m, zipfile.ZIP_STORED), False),
    ('another order', lambda m, n: _archive(dict(reversed(list(m.items())))), False),
    ('a tail cut off', lambda m, n: _archive({**m, n: m[n][:-7]}), True))
