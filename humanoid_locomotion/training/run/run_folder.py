# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The folder of a training run, with an id and a lock.

A run folder holds ``run.yaml`` (the identity of the run), ``config.yaml``, ``metrics.jsonl``,
event files of TensorBoard and ``checkpoints/``. Only one process at a time may write to it. The
lock is an advisory lock (``flock``) on ``.lock``; the system releases it when the process ends.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
import errno
import fcntl
import itertools
import os
from pathlib import Path
import socket
import time
from typing import IO, Dict, List, Optional
import uuid

import yaml

from humanoid_locomotion.core.errors import RunFolderError
from humanoid_locomotion.core.reading import config as yaml_config
from humanoid_locomotion.training.run.durable import UNFINISHED, named_errors, sync_folder, write

LOCK, IDENTITY, CHECKPOINTS = '.lock', 'run.yaml', 'checkpoints'


@dataclass(frozen=True)
class Identity:
    """The identity of a run, stored in its folder and its checkpoints.

    Attributes:
        id: 32 hex digits; empty for runs of earlier versions without an id.
        parent: The checkpoint of another run that this run started from, and the id of that run;
            empty for a run that started with untrained networks.
    """

    id: str = ''
    parent: str = ''

    @classmethod
    def new(cls, parent: str = '') -> Identity:
        """Return the identity of a new run."""
        return cls(uuid.uuid4().hex, parent)

    @classmethod
    def of(cls, folder: Path) -> Identity:
        """Return the identity of a run folder; with an empty id if it has no ``run.yaml``.

        Raises:
            ConfigError: Its ``run.yaml`` is invalid.
        """
        path = folder / IDENTITY
        return yaml_config.load(cls, path) if path.is_file() else cls()

    def write(self, folder: Path) -> None:
        """Write ``run.yaml`` into a run folder."""
        text = yaml.safe_dump(yaml_config.to_mapping(self), sort_keys=False)
        write(folder / IDENTITY, text.encode())


class RunFolder:
    """A run folder that this process writes to.

    Attributes:
        path: Path of the folder.
        warning: A warning for the user; empty for none.
    """

    def __init__(self, path: Path):
        self.path, self.warning = path, ''
        self._lock: Optional[IO[str]] = None

    @property
    def is_open(self) -> bool:
        """Whether this process holds the lock."""
        return self._lock is not None

    def create(self, may_rename: bool = False) -> None:
        """Make the folder and lock it.

        Args:
            may_rename: Whether to use another name, ``path-2`` and so on, if a folder of this
                name exists.

        Raises:
            RunFolderError: The folder is not empty, or another process has locked it.
        """
        with named_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if may_rename:
                self.path = _make_first_free(self.path)
            else:
                self.path.mkdir(exist_ok=True)
            self._take_lock()
            try:
                check_unused(self.path)  # checked again under the lock
                self._make_ready()
                sync_folder(self.path.parent)
            except Exception:
                self.close()
                raise

    def enter(self) -> None:
        """Lock an existing folder, to continue the run in it.

        Raises:
            RunFolderError: Another process writes to it.
        """
        with named_errors(self.path):
            self._take_lock()
            self._make_ready()

    def discard(self) -> None:
        """Remove the folder that :meth:`create` made, unless it contains other files."""
        self.close()
        with contextlib.suppress(OSError):
            (self.path / CHECKPOINTS).rmdir()
            (self.path / LOCK).unlink()
            self.path.rmdir()

    def close(self) -> None:
        """Release the lock."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _make_ready(self) -> None:
        checkpoints = self.path / CHECKPOINTS
        checkpoints.mkdir(exist_ok=True)
        for leftover in [*checkpoints.glob(f'*{UNFINISHED}'), *self.path.glob(f'*{UNFINISHED}')]:
            leftover.unlink()
        sync_folder(self.path)

    def _take_lock(self) -> None:
        lock = (self.path / LOCK).open('a+', encoding='utf-8')
        try:
            _flock(lock, self.path)
        except UnlockableError as error:
            self.warning = (f'{self.path}: this filesystem has no file locks ({error}), so '
                            'nothing keeps a second training from writing here at the same time')
        except Exception:
            lock.close()
            raise
        lock.seek(0)
        lock.truncate()
        lock.write(f'{os.getpid()} {socket.gethostname()}\n')
        lock.flush()
        self._lock = lock


class UnlockableError(Exception):
    """The filesystem has no file locks, such as some network filesystems."""


def check_unlocked(folder: Path) -> None:
    """Raise :class:`RunFolderError` if another process is writing to the folder."""
    with named_errors(folder, 'opened'):
        if (folder / LOCK).is_file():
            with (folder / LOCK).open('r+', encoding='utf-8') as lock, \
                    contextlib.suppress(UnlockableError):
                _flock(lock, folder)


def check_unused(folder: Path) -> None:
    """Raise :class:`RunFolderError` unless a new run can be started in the folder.

    The folder must be absent, empty, or hold only files of a start that was interrupted before
    its first checkpoint.
    """
    with named_errors(folder, 'opened'):
        if not (folder.exists() or folder.is_symlink()):
            _check_makeable(folder)
            return
        if not folder.is_dir():
            raise RunFolderError(folder, 'is not a folder; name another --output')
        found = sorted(path.name for path in folder.iterdir() if not _is_leftover(path))
        has_run = bool(checkpoints_of(folder))
    if has_run:
        raise RunFolderError(
            folder, f'holds a run already; --resume {folder} goes on with it, another --output '
            'begins a new one')
    if found:
        raise RunFolderError(
            folder, f'is not empty (it holds {", ".join(found[:3])}'
            f'{", ..." * (len(found) > 3)}); name another --output')


def _check_makeable(folder: Path) -> None:
    above = next(it for it in folder.absolute().parents if it.exists())
    if not (above.is_dir() and os.access(above, os.W_OK)):
        why = 'may not be written' if above.is_dir() else 'is not a folder'
        raise RunFolderError(folder, f'cannot be made, since {above} {why}')


def checkpoints_of(folder: Path) -> List[Path]:
    """Return the checkpoints in a run folder, sorted by iteration."""
    found: Dict[int, Path] = {}
    for path in sorted((folder / CHECKPOINTS).glob('*.pt')):
        if path.stem.isdecimal() and path.stem.isascii() and path.is_file():
            found[int(path.stem)] = path
    return [found[iteration] for iteration in sorted(found)]


def run_of(checkpoint: Path) -> Optional[Path]:
    """Return the run folder that contains a checkpoint; None if it is not in a run folder."""
    folder = checkpoint.resolve().parent
    return folder.parent if folder.name == CHECKPOINTS else None


def dated_name(robot: str) -> Path:
    """Return the default folder of a new run."""
    return Path('runs') / f'{robot}-{time.strftime("%Y%m%d-%H%M%S")}'


def _make_first_free(path: Path) -> Path:
    for number in itertools.count(1):
        candidate = path if number == 1 else path.with_name(f'{path.name}-{number}')
        with contextlib.suppress(FileExistsError):
            candidate.mkdir()
            return candidate
    raise AssertionError


def _is_leftover(path: Path) -> bool:
    if path.name == CHECKPOINTS and path.is_dir():
        return all(inner.suffix == UNFINISHED for inner in path.iterdir())
    return path.name == LOCK or path.suffix == UNFINISHED


def _flock(lock: IO[str], folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise UnlockableError(error.strerror) from error
        lock.seek(0)
        pid, _, host = lock.read(200).strip().partition(' ')
        holder = f'process {pid} on {host}' if host else 'another process'
        raise RunFolderError(
            folder, f'is being written by {holder}; wait for it or stop it, or name another '
            '--output') from error
