# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Checks of command-line input: numbers, names and paths are refused before any work begins.

Ranges and choices are callbacks of typer's options. Files are checked when a command begins.
"""

from __future__ import annotations

import os
from pathlib import Path
import stat
from typing import Any, Callable, Iterable, Optional, Union

import typer

from humanoid_locomotion.core.errors import ConfigError, UnknownNameError

MAX_SEED = 2**32 - 1
MAX_ENVS = 2**20
MAX_FILE = 256 * 1024 * 1024  # bytes
NOT_FILES = {stat.S_IFDIR: 'a folder', stat.S_IFIFO: 'a FIFO', stat.S_IFSOCK: 'a socket',
             stat.S_IFCHR: 'a device', stat.S_IFBLK: 'a device'}


def number(low: float, high: float, above: bool = False) -> Callable[..., Any]:
    """Return the callback of an option that takes finite numbers in a range.

    Args:
        low: The smallest number.
        high: The largest number.
        above: Whether the smallest number itself is refused.
    """
    def check(param: typer.CallbackParam, value: Any) -> Any:
        for one in value if isinstance(value, (list, tuple)) else (value,):
            if one is not None:
                check_range(one, param.opts[0], low, high, above)
        return value

    return check


def check_range(value: float, option: str, low: float, high: float, above: bool = False) -> None:
    """Refuse a number outside a range, and NaN and infinity.

    Raises:
        ConfigError: The value is refused.
    """
    if not (low < value <= high or (value == low and not above)):
        words = f'above {low:g} and at most {high:g}' if above else f'from {low:g} to {high:g}'
        raise ConfigError('command line', option, f'found {shown(value)}, expected a number '
                          f'{words}')


def numbers(text: str, option: str, low: int, high: int) -> list:
    """Return whole numbers that are separated by commas.

    Raises:
        ConfigError: One is not a whole number, or out of range.
    """
    found = []
    for word in text.split(','):
        try:
            found.append(int(word))
        except ValueError:  # text, or more digits than Python turns into a number
            found.append(low - 1)
        if not low <= found[-1] <= high:
            raise ConfigError('command line', option, f'found {shown(word)}, expected whole '
                              f'numbers from {low} to {high}, with commas between them')
    return found


def shown(value: object) -> str:
    """Return a value as it was typed, shortened to 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else f'{text[:57]}...'


def one_of(kind: str, known: Callable[[], Iterable[str]]) -> Callable[..., Any]:
    """Return the callback of an option that takes one of several names.

    Args:
        kind: The kind of name, for the message.
        known: Returns the names; an empty text, if that is the default, is accepted.
    """
    def check(value: Any) -> Any:
        if value and value not in known():
            raise UnknownNameError(kind, value, known())
        return value

    return check


def _engines() -> Iterable[str]:
    from humanoid_locomotion.core.policy.engines import ENGINES
    return [*ENGINES, 'auto']


def _backends() -> Iterable[str]:
    from humanoid_locomotion.sim.backend import BACKENDS
    return [*BACKENDS, 'auto']


def _simulators() -> Iterable[str]:
    from humanoid_locomotion.sim.backend import BACKENDS
    return BACKENDS


engine = engine_recorded = one_of('engine', _engines)
simulator = one_of('backend', _simulators)
backend = one_of('backend', _backends)
device = one_of('device', lambda: ('auto', 'cuda', 'cpu'))


def file_to_read(path: Path) -> Path:
    """Return the path of a regular file that may be read.

    Raises:
        ConfigError: The file cannot be read, or is not a regular file.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError) as error:
        raise ConfigError(path, '', f'cannot be read ({_why(error)})') from error
    if not stat.S_ISREG(mode):
        raise ConfigError(path, '', f'is {_kind(mode)}, expected a regular file')
    if not os.access(path, os.R_OK):
        raise ConfigError(path, '', 'cannot be read (Permission denied)')
    return path


def file_to_write(path: Path, option: str = '--output') -> Path:
    """Return a path at which a file can be written; its folder may be missing.

    Raises:
        ConfigError: It cannot be written, as far as this can be checked before.
    """
    mode = _mode(path, option)
    if mode is not None and not stat.S_ISREG(mode):
        raise ConfigError('command line', option, f'{path} is {_kind(mode)}, expected a file or '
                          'the name of a new one')
    _check_writable(path, option, mode)
    return path


def folder_to_write(path: Path, option: str = '--output') -> Path:
    """Return the path of a folder that can be written to, or be made.

    Raises:
        ConfigError: It cannot be written, as far as this can be checked before.
    """
    mode = _mode(path, option)
    if mode is not None and not stat.S_ISDIR(mode):
        raise ConfigError('command line', option, f'{path} is {_kind(mode)}, expected a folder or '
                          'the name of a new one')
    _check_writable(path, option, mode)
    return path


def text_of(path: Path, limit: int = MAX_FILE) -> str:
    """Return the text of a regular file.

    Raises:
        ConfigError: It cannot be read, or is not UTF-8.
    """
    from humanoid_locomotion.core.reading.files import read_bytes
    try:
        return read_bytes(path, limit).decode('utf-8')
    except UnicodeDecodeError as error:
        raise ConfigError(path, '', f'is not UTF-8 ({error})') from error


def _mode(path: Path, option: str) -> Optional[int]:
    if not str(path) or not str(path).isprintable():
        raise ConfigError('command line', option, f'found {shown(str(path))}, expected a name of '
                          'characters that print')
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        if os.path.islink(path):
            raise ConfigError('command line', option, f'{path} is a symbolic link to nothing'
                              ) from None
        return None
    except (OSError, ValueError) as error:
        raise ConfigError('command line', option, f'{path} cannot be written ({_why(error)})'
                          ) from error


def _check_writable(path: Path, option: str, mode: Optional[int]) -> None:
    """Refuse a path that exists and may not be changed, or that cannot be made."""
    place = Path(path)
    if mode is None:
        while not os.path.lexists(place) and place != place.parent:
            place = place.parent
        if not os.path.isdir(place):
            raise ConfigError('command line', option, f'{path} cannot be made: {place} is no '
                              'folder')
    needed = os.W_OK | (os.X_OK if os.path.isdir(place) else 0)
    if not os.access(place, needed):
        raise ConfigError('command line', option, f'{path} cannot be written: {place} does not '
                          'permit it')


def _kind(mode: int) -> str:
    return NOT_FILES.get(stat.S_IFMT(mode), 'a file')


def _why(error: Union[OSError, ValueError]) -> str:
    return str(getattr(error, 'strerror', None) or error)
