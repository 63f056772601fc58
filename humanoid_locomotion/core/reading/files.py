# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads files of unknown origin: only regular files, of limited size, without blocking."""

from __future__ import annotations

import os
from pathlib import Path
import stat
from typing import Union

from humanoid_locomotion.core.errors import ConfigError

CHUNK = 1 << 20
_KINDS = {stat.S_IFDIR: 'a folder', stat.S_IFIFO: 'a FIFO', stat.S_IFSOCK: 'a socket',
          stat.S_IFCHR: 'a device', stat.S_IFBLK: 'a device'}


def read_bytes(path: Union[str, Path], limit: int) -> bytes:
    """Return the content of a regular file.

    Opening a FIFO without a writer blocks, and opening a device may have side effects or give
    endless data; therefore neither is opened.

    Args:
        path: The file, or a symbolic link to it.
        limit: Largest size [bytes]; a larger file is not read.

    Raises:
        ConfigError: The file is missing, not a regular file, too large, or cannot be read.
    """
    try:
        _check(path, os.stat(path), limit)
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, 'rb', buffering=0) as file:
            _check(path, os.fstat(descriptor), limit)  # the file may have been replaced
            content = bytearray()
            while True:
                chunk = file.read(min(CHUNK, limit + 1 - len(content)))
                if not chunk:
                    return bytes(content)
                content += chunk
                if len(content) > limit:  # it grew, or its size is not reported
                    raise _too_large(path, limit)
    except OSError as error:
        raise ConfigError(path, '', f'cannot be read ({error.strerror})') from error
    except ConfigError:
        raise
    except ValueError as error:  # an invalid path, such as one with a NUL
        raise ConfigError(path, '', f'cannot be read ({error})') from error


def _check(path: Union[str, Path], status: os.stat_result, limit: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), 'something else')
        raise ConfigError(path, '', f'is {kind}, expected a regular file')
    if status.st_size > limit:
        raise _too_large(path, limit)


def _too_large(path: Union[str, Path], limit: int) -> ConfigError:
    return ConfigError(path, '', f'is larger than {limit} bytes')
