"""The folder of a run: made once, written by one process at a time, known by an id.

A run folder holds ``run.yaml`` (which run it is), ``config.yaml``, ``metrics.jsonl``, event files
of TensorBoard and ``checkpoints/``. The lock is an advisory lock (``flock``) on ``.lock``; the
system drops it when the process ends, however it ends.
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
        id: 32 hex digits; empty for runs of before there was one.
        parent: The checkpoint of another run that this one began from, and that run's id; empty
            for a run that began with untrained networks.
    """

    id: str = ''
    parent: str = ''

    @classmethod
    def new(cls, parent: str = '') -> Identity:
        """Return the identity of a new run."""
        return cls(uuid.uuid4().hex, parent)

    @classmethod
    def of(cls, folder: Path) -> Identity:
        """Return the identity of a run folder; one without id, if the folder has none.

        Raises:
            ConfigError: Its ``run.yaml`` does not fit.
        """
        path = folder / IDENTITY
        return yaml_config.load(cls, path) if path.is_file() else cls()

    def write(self, folder: Path) -> None:
        """Write it into a run folder."""
        text = yaml.safe_dump(yaml_config.to_mapping(self), sort_keys=False)
        write(folder / IDENTITY, text.encode())


class RunFolder:
    """A run folder for as long as a process writes into it.

    Attributes:
        path: Where it is.
        warning: A warning for the user; empty for none.
    """

    def __init__(self, path: Path):
        self.path, self.warning = path, ''
        self._lock: Optional[IO[str]] = None

    @property
    def is_open(self) -> bool:
        """Whether this process holds it."""
        return self._lock is not None

    def create(self, may_rename: bool = False) -> None:
        """Make the folder and lock it.

        Args:
            may_rename: Whether to take another name, ``path-2`` and so on, if there is one of
                this name already.

        Raises:
            RunFolderError: It holds something, or another process was faster.
        """
        with named_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if may_rename:
                self.path = _make_first_free(self.path)
            else:
                self.path.mkdir(exist_ok=True)
            self._take_lock()
            try:
                check_unused(self.path)  # again: now that it is locked
                self._make_ready()
                sync_folder(self.path.parent)
            except Exception:
                self.close()
                raise

    def enter(self) -> None:
        """Lock a folder that exists, to go on in it.

        Raises:
            RunFolderError: Another process writes it.
        """
        with named_errors(self.path):
            self._take_lock()
            self._make_ready()

    def discard(self) -> None:
        """Remove what :meth:`create` made, as far as nothing else is in it."""
        self.close()
        with contextlib.suppress(OSError):
            (self.path / CHECKPOINTS).rmdir()
            (self.path / LOCK).unlink()
            self.path.rmdir()

    def close(self) -> None:
        """Unlock it."""
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
    """A filesystem without locks, such as some that are mounted over a network."""


def check_unlocked(folder: Path) -> None:
    """Raise :class:`RunFolderError` if a process writes the folder at this moment."""
    with named_errors(folder, 'opened'):
        if (folder / LOCK).is_file():
            with (folder / LOCK).open('r+', encoding='utf-8') as lock, \
                    contextlib.suppress(UnlockableError):
                _flock(lock, folder)


def check_unused(folder: Path) -> None:
    """Raise :class:`RunFolderError` unless a new run may be begun there.

    It may if the folder is absent or holds no more than a start that did not come to its first
    checkpoint leaves behind.
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
    """Return the checkpoints in a run folder, by their number of iterations."""
    found: Dict[int, Path] = {}
    for path in sorted((folder / CHECKPOINTS).glob('*.pt')):
        if path.stem.isdecimal() and path.stem.isascii() and path.is_file():
            found[int(path.stem)] = path
    return [found[iteration] for iteration in sorted(found)]


def run_of(checkpoint: Path) -> Optional[Path]:
    """Return the run folder that a checkpoint lies in; None if it lies elsewhere."""
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
