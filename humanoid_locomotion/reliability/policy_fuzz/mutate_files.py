# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Mutations of a policy folder's files: special files in their place, and damaged bytes."""

from __future__ import annotations

import os
from pathlib import Path
import socket
from typing import Callable, Tuple

import numpy as np

from humanoid_locomotion.core.policy.content import FILES, SCORECARD, SUMS
from humanoid_locomotion.reliability.policy_fuzz.mutation import Mutation, choose

SPARSE = 10 << 30  # apparent size of a sparse file [bytes]


def _sparse(path: Path) -> None:
    with path.open('wb') as file:
        file.truncate(SPARSE)


def _socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # a socket path must be short
    try:
        with socket.socket(socket.AF_UNIX) as it:
            it.bind(path.name)
    finally:
        os.chdir(here)


# File system objects that replace a regular file.
KINDS: Tuple[Tuple[str, Callable[[Path], None]], ...] = (
    ('is absent', lambda path: None), ('is a FIFO', os.mkfifo), ('is a folder', os.mkdir),
    ('is a socket', _socket),
    ('is a link to /dev/zero', lambda path: path.symlink_to('/dev/zero')),
    ('is a link to /dev/null', lambda path: path.symlink_to('/dev/null')),
    ('is a link to nothing', lambda path: path.symlink_to('nothing')),
    ('is a link to itself', lambda path: path.symlink_to(path.name)),
    ('is a link to a file without size', lambda path: path.symlink_to('/proc/self/maps')),
    ('claims 10 GB', _sparse), ('is empty', Path.touch))


def mutate_kind(folder: Path, random: np.random.Generator) -> Mutation:
    """Replace one of the files by another kind of object."""
    file = choose(random, (*FILES, SUMS, SCORECARD))
    name, make = choose(random, KINDS)
    (folder / file).unlink()
    make(folder / file)
    return Mutation(name, file, True)


def damage(folder: Path, random: np.random.Generator) -> Mutation:
    """Change one file: bits, bytes, a cut, a repetition, or a piece of another file."""
    file = choose(random, FILES)
    path = folder / file
    data = bytearray(path.read_bytes())
    at, length = int(random.integers(len(data))), int(random.integers(1, 64))
    kind = random.integers(6)
    if kind == 0:
        data[at] ^= 1 << int(random.integers(8))
    elif kind == 1:
        data[at:at + length] = random.bytes(length)
    elif kind == 2:
        del data[at:]
        data += b'\0' * (not data)
    elif kind == 3:
        data[at:at] = data[at:at + length] or b'\0'
    elif kind == 4:
        data[at:at + length] = bytes(255 for _ in range(length))
    else:
        other = (folder / FILES[random.integers(len(FILES))]).read_bytes()
        data[at:at + length] = other[:length] + b'\0'
    if bytes(data) == path.read_bytes():
        data.append(0)
    path.write_bytes(data)
    return Mutation('damage', file, False)
