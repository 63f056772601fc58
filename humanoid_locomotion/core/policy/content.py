# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads the files of a policy folder once, checks each against its hash, and signs them.

``SHA256SUMS`` has one line per file that is read. A policy does not open if a required file has no
hash; files that ``evaluate`` adds later are ignored if they have none.
"""

from __future__ import annotations

from dataclasses import dataclass
import hashlib
import os
from pathlib import Path
import re
import tempfile
from typing import Dict, Iterable

from humanoid_locomotion.core.errors import ConfigError, PolicyError
from humanoid_locomotion.core.policy.onnx_structure import MAX_NETWORK_BYTES
from humanoid_locomotion.core.reading.files import read_bytes

SUMS = 'SHA256SUMS'  # as `sha256sum` writes and checks it
MAX_SUMS_BYTES = 4096
# The files of a policy that are read, and the largest size of each [bytes]. There is no NETWORK if
# 'policy.onnx' is the network, as in all folders of version 0.2 and before.
NETWORK = 'network.onnx'
LIMITS = {'contract.yaml': 256 * 1024, 'policy.onnx': MAX_NETWORK_BYTES,
          'golden.npz': 16 * 1024 * 1024, NETWORK: MAX_NETWORK_BYTES}
FILES = tuple(LIMITS)
REQUIRED = FILES[:3]
SCORECARD, SIM_TO_SIM = 'scorecard.json', 'sim_to_sim.json'
MEASURED = (SCORECARD, SIM_TO_SIM)
MAX_MEASURED_BYTES = 1024 * 1024
DEPLOY = 'deploy.yaml'  # for other stacks
TRAINING = 'training.pt'  # a checkpoint that a training can begin from
# The files that are hashed, but not read to open a policy, and the largest size of each [bytes].
BESIDE = {DEPLOY: 256 * 1024, **dict.fromkeys(MEASURED, MAX_MEASURED_BYTES),
          TRAINING: 256 * 1024 * 1024}

_LINE = re.compile(r'([0-9a-f]{64})  (\S+)')


@dataclass(frozen=True)
class FolderContent:
    """The files of a policy folder, read and checked against their hashes.

    Attributes:
        path: The folder.
        files: Content of each of :data:`FILES` that has a hash, and of the scorecard if signed.
        problem: Why the scorecard is missing here; empty if it is not.
    """

    path: Path
    files: Dict[str, bytes]
    problem: str

    @property
    def network_file(self) -> str:
        """Name of the file with the network that the controller runs."""
        return NETWORK if NETWORK in self.files else 'policy.onnx'

    @property
    def digest(self) -> str:
        """SHA-256 of the content of all files that were read."""
        digest = hashlib.sha256()
        for name in sorted(self.files):
            digest.update(f'{name} {_digest(self.files[name])}\n'.encode())
        return digest.hexdigest()


def read_folder(folder: Path) -> FolderContent:
    """Read the files of a policy, and its scorecard.

    Raises:
        PolicyError: A file is missing, not a regular file, too large, or differs from its hash.
    """
    listed = _read(folder / SUMS, MAX_SUMS_BYTES)
    files = {name: _read(folder / name, LIMITS[name]) for name in REQUIRED}
    sums = _parse_sums(listed, folder / SUMS)
    if NETWORK in sums:
        files[NETWORK] = _read(folder / NETWORK, LIMITS[NETWORK])
    for name in files:
        _check_hash(folder / name, files[name], sums)
    problem = ''
    try:
        files[SCORECARD] = _measured(folder, SCORECARD, sums)
    except ConfigError as error:
        problem = f'{SCORECARD} {error.problem}'
    return FolderContent(folder, files, problem)


def check_hashes(folder: Path) -> Dict[str, str]:
    """Check each file that has a hash, also those that opening does not read; return the hashes.

    Raises:
        PolicyError: A file is missing, not a regular file, too large, or differs from its hash.
    """
    sums = _parse_sums(_read(folder / SUMS, MAX_SUMS_BYTES), folder / SUMS)
    for name in sums:
        _check_hash(folder / name, _read(folder / name, {**LIMITS, **BESIDE}[name]), sums)
    return sums


def training_state(folder: Path) -> Path:
    """Return the checkpoint in a policy folder that a training can begin from.

    Raises:
        PolicyError: There is none, or a file of the folder differs from its hash.
    """
    if TRAINING not in check_hashes(folder):
        raise PolicyError(folder, f'has no {TRAINING} for a training to begin from; `policy '
                          'export RUN --training-state` writes one, and `policy fetch` gets one '
                          'from a hub where its author pushed it')
    return folder / TRAINING


def _check_hash(path: Path, content: bytes, sums: Dict[str, str]) -> None:
    if _digest(content) != sums.get(path.name):
        raise PolicyError(path, f'does not match its hash in {SUMS}: it was damaged or changed '
                          'after export; `humanoid-locomotion policy sign` accepts it')


def read_measured(folder: Path, name: str) -> bytes:
    """Return one of the files :data:`MEASURED`.

    Raises:
        ConfigError: It is missing, cannot be read, or differs from its hash.
        PolicyError: The folder's hashes cannot be read.
    """
    sums = _parse_sums(_read(folder / SUMS, MAX_SUMS_BYTES), folder / SUMS)
    return _measured(folder, name, sums)


def _measured(folder: Path, name: str, sums: Dict[str, str]) -> bytes:
    content = read_bytes(folder / name, MAX_MEASURED_BYTES)
    if _digest(content) != sums.get(name):
        found = 'does not match its hash' if name in sums else 'has no hash'
        raise ConfigError(folder / name, '', f'{found} in {SUMS}, so it is not used; '
                          '`humanoid-locomotion policy sign` accepts it')
    return content


def _read(path: Path, limit: int) -> bytes:
    try:
        return read_bytes(path, limit)
    except ConfigError as error:
        if os.path.lexists(path):
            raise PolicyError(path, error.problem) from error
        raise PolicyError(path, f'is missing; a policy folder needs {", ".join(REQUIRED)}, '
                          f'the files listed in {SUMS}, and {SUMS}, which '
                          '`humanoid-locomotion policy sign` writes') from error


def _parse_sums(content: bytes, path: Path) -> Dict[str, str]:
    lines = content.decode('ascii', 'replace').splitlines()
    matches = [_LINE.fullmatch(line) for line in lines]
    sums = {match[2]: match[1] for match in matches if match is not None}
    others = (NETWORK, *BESIDE)
    if len(sums) != len(lines) or not set(REQUIRED) <= set(sums) <= {*REQUIRED, *others}:
        raise PolicyError(path, f'must have one line as sha256sum writes it for each of '
                          f'{", ".join(REQUIRED)} and, if present, {", ".join(others)}')
    return sums


def write_sums(folder: Path) -> None:
    """Write the hashes of a folder's files, which opening it checks.

    Raises:
        PolicyError: A required file is missing, too large, or cannot be read.
    """
    sums = {name: _digest(_read(folder / name, limit))
            for name, limit in {**LIMITS, **BESIDE}.items()
            if name in REQUIRED or os.path.lexists(folder / name)}
    _write(folder, sums)


def sign_measured(folder: Path, names: Iterable[str]) -> None:
    """Write the hashes of newly measured files; the other hashes are kept.

    Raises:
        PolicyError: The folder's hashes, or one of the files, cannot be read.
    """
    sums = _parse_sums(_read(folder / SUMS, MAX_SUMS_BYTES), folder / SUMS)
    for name in names:
        sums[name] = _digest(_read(folder / name, MAX_MEASURED_BYTES))
    _write(folder, sums)


def _write(folder: Path, sums: Dict[str, str]) -> None:
    """Replace the file atomically, since a partly written one would be a damaged folder."""
    with tempfile.TemporaryDirectory(prefix='.sums-', dir=folder) as scratch:
        text = ''.join(f'{sums[name]}  {name}\n' for name in (*FILES, *BESIDE)
                       if name in sums)
        (Path(scratch) / SUMS).write_text(text, encoding='ascii')
        os.replace(Path(scratch) / SUMS, folder / SUMS)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
