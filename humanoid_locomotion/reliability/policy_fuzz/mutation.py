# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A mutation of a policy folder, and functions shared by all mutations."""

from __future__ import annotations

from dataclasses import dataclass
import hashlib
import os
from pathlib import Path
import shutil
import stat
from typing import Any, Callable, List, Sequence, Tuple, TypeVar

import numpy as np

from humanoid_locomotion.core.policy.content import FILES, MEASURED, SUMS

T = TypeVar('T')
SIGNED_BYTES = 64 * 1024 * 1024  # a larger file keeps its old hash


@dataclass(frozen=True)
class Mutation:
    """A change of a policy folder.

    Attributes:
        name: Name of the change.
        file: The changed file.
        never: Whether the file must be refused in any case, because it has content that no
            policy may have. Otherwise the change may be harmless, and an opened policy is checked
            by its behaviour.
    """

    name: str
    file: str
    never: bool


Mutate = Callable[[Path, np.random.Generator], Mutation]


def choose(random: np.random.Generator, items: Sequence[T]) -> T:
    """Return a random item."""
    return items[int(random.integers(len(items)))]


def copy_folder(source: Path, target: Path) -> Path:
    """Copy the files of a policy folder that are read."""
    target.mkdir()
    for file in (*FILES, *MEASURED, SUMS):
        if (source / file).is_file():
            shutil.copyfile(source / file, target / file)
    return target


def remove_folder(folder: Path) -> None:
    """Remove a folder, including special files."""
    shutil.rmtree(folder, ignore_errors=True)


def sign(folder: Path) -> None:
    """Update the hashes of all files that have one, like an attacker."""
    lines = (folder / SUMS).read_text().splitlines()
    old = {file: digest for digest, _, file in (line.partition('  ') for line in lines)}
    for file in (*FILES, *MEASURED):
        path = folder / file
        try:
            status = os.stat(path)
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode) and status.st_size <= SIGNED_BYTES:
            old[file] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / SUMS).write_text(''.join(f'{digest}  {file}\n' for file, digest in old.items()))


Place = Tuple[Any, Any]  # a list or mapping, and an index or a key of it


def places(data: Any) -> List[Place]:
    """Return the place of each value in plain data."""
    found: List[Place] = []
    waiting = [data]
    while waiting:
        one = waiting.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one))
        found += [(one, key) for key in keys]
        waiting += [one[key] for key in keys if isinstance(one[key], (dict, list))]
    return found
