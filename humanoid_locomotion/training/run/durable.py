# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes files that are complete or absent, even after a crash or a power failure."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import BinaryIO, Iterator, Union

from humanoid_locomotion.core.errors import RunFolderError

UNFINISHED = '.unfinished'  # the suffix of a file that is being written

Data = Union[bytes, memoryview]


def write(path: Path, data: Data) -> None:
    """Write a file under another name, then rename it into place.

    File and folder are synchronised with the disk, so the file exists after a power failure.

    Raises:
        RunFolderError: It cannot be written; an earlier file stays unchanged.
    """
    unfinished = path.with_suffix(UNFINISHED)
    with named_errors(path):
        try:
            with unfinished.open('wb') as file:
                pour(file, data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)
        except OSError:
            with contextlib.suppress(OSError):
                unfinished.unlink()  # the disk may be full
            raise
        sync_folder(path.parent)


def pour(file: BinaryIO, data: Data) -> None:
    """Write the data to an open file."""
    file.write(data)


def sync_folder(folder: Path) -> None:
    """Synchronise the entries of a folder with the disk."""
    descriptor = os.open(str(folder), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # not supported by the filesystem
            raise
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def named_errors(path: object, done: str = 'written') -> Iterator[None]:
    """Convert an ``OSError`` about a file to one sentence with its name.

    Args:
        path: The file or folder.
        done: Participle of the operation, such as ``written``.

    Raises:
        RunFolderError: The operation failed.
    """
    try:
        yield
    except OSError as error:
        raise RunFolderError(
            path, f'cannot be {done} ({error.strerror or type(error).__name__})') from error
