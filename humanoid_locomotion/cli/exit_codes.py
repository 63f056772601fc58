# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Exit codes of the command line, and one sentence on standard error for a failure.

``docs/troubleshooting.md`` lists the codes.
"""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback
from typing import Any, Callable, NoReturn

from rich.console import Console

from humanoid_locomotion.core.errors import LocomotionError, MissingPackageError

FINE, NOT_PASSED, REFUSED, BUG, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 70, 130, 141
TRACEBACK = 'HUMANOID_LOCOMOTION_TRACEBACK'  # environment variable
# Parts of the messages of MuJoCo, PyTorch and Warp, whose error types differ.
OUT_OF_MEMORY = re.compile('out of memory|allocate memory|not enough memory', re.IGNORECASE)
# The extra of this package that installs a package; those of ROS 2 are installed by it.
EXTRAS = {'mujoco': 'sim', 'matplotlib': 'sim', 'onnx': 'sim', 'onnxruntime': 'sim', 'PIL': 'sim',
          'torch': 'train', 'warp': 'train', 'mujoco_warp': 'train'}
OF_ROS = re.compile('rclpy|tf2_ros|ament_.*|builtin_interfaces|.*_(msgs|srvs|interfaces)')
MAX_WORD = 4095  # bytes, the longest path of Linux


def run(command_line: Callable[..., Any]) -> NoReturn:
    """Run a typer application with the words of ``sys.argv``, and end the process."""
    _open_standard_streams()
    code = _code_of(command_line)
    try:
        sys.stdout.flush()
    except OSError as error:
        code = _code_of_system_error(error, code)
    _drop_what_cannot_be_written()
    forget_interrupt()
    sys.exit(code)


def forget_interrupt() -> None:
    """Let Python end with the exit code that it is given, after a KeyboardInterrupt was caught.

    CPython remembers one that was raised inside ``exec`` of a string, as dataclasses and named
    tuples use it, and ends by SIGINT instead; the next ``exec`` of a string makes it forget.
    """
    exec('')


def _code_of(command_line: Callable[..., Any]) -> int:
    try:
        _check_words()
        code = command_line(standalone_mode=False)
        if code == INTERRUPTED:  # typer catches KeyboardInterrupt, and older ones raise Abort
            say('interrupted')
        return code if isinstance(code, int) else FINE
    except SystemExit as ended:
        # So rich and typer end where nobody reads standard output any more.
        if isinstance(ended.__context__, BrokenPipeError):
            return BROKEN_PIPE
        if isinstance(ended.code, str):
            say(ended.code)
            return NOT_PASSED
        return ended.code or FINE
    except LocomotionError as error:
        say(f'error: {error}')
        return REFUSED
    except KeyboardInterrupt:
        say('interrupted')
        return INTERRUPTED
    except OSError as error:
        return _code_of_system_error(error, REFUSED)
    except ModuleNotFoundError as error:
        return _code_of_missing_module(error)
    except Exception as error:
        if type(error).__name__ == 'Abort':
            say('interrupted')
            return INTERRUPTED
        if hasattr(error, 'format_message'):  # of typer, or of click in older ones
            return _code_of_usage_error(error)
        if isinstance(error, MemoryError) or OUT_OF_MEMORY.search(str(error)):
            say('error: this needs more memory than there is; take fewer or smaller things')
            return REFUSED
        return _code_of_bug(error)


def _code_of_usage_error(error: Any) -> int:
    """Show how a command is used and, in a sentence, what does not fit."""
    if type(error).__name__ == 'NoArgsIsHelpError':
        say(f'error: expected a command, found none; {error.ctx.command_path} --help lists them')
        return REFUSED
    context, more = getattr(error, 'ctx', None), ''
    if context is not None:
        say(context.get_usage())
        more = f'; {context.command_path} --help lists what there is'
    say(f"error: {' '.join(error.format_message().split()).rstrip('.')}{more}")
    return REFUSED


def _code_of_system_error(error: OSError, code: int) -> int:
    """Say which file, or that an output, could not be read or written."""
    if error.errno == errno.EPIPE:
        return BROKEN_PIPE
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    what = ' and '.join(names) or 'standard output or a file cannot be written'
    say(f'error: {what}: {error.strerror or error}')
    return code if code not in (FINE, NOT_PASSED) else REFUSED


def _code_of_missing_module(error: ModuleNotFoundError) -> int:
    """Say which package is not installed, and how to install it."""
    package = (error.name or '').partition('.')[0]
    if package in EXTRAS:
        install = f"pip install 'humanoid_locomotion[{EXTRAS[package]}]'"
    elif OF_ROS.fullmatch(package):
        install = 'it is a part of ROS 2: source /opt/ros/DISTRO/setup.bash'
    else:
        return _code_of_bug(error)
    say(f'error: {MissingPackageError("this command", package, install)}')
    return REFUSED


def _code_of_bug(error: Exception) -> int:
    if os.environ.get(TRACEBACK):
        traceback.print_exc()
    else:
        text = ' '.join(str(error).split())[:300]
        say(f'error: {type(error).__name__}: {text} (a fault of humanoid_locomotion, please '
             f'report it; with {TRACEBACK}=1 it shows where)')
    return BUG


def _check_words() -> None:
    for word in sys.argv[1:]:
        if re.fullmatch('(--[a-z-]+=)?', word):
            raise LocomotionError('command line: found an empty value; leave an option out to '
                                  f'have its default{f", here {word[:-1]}" if word else ""}')
        size = len(os.fsencode(word))
        if size > MAX_WORD or '\0' in word:
            raise LocomotionError(
                f'command line: {_printable(word[:40])}...: expected at most {MAX_WORD} bytes and '
                f'no byte of zero, found {size} bytes')


def say(text: str) -> None:
    """Print a line on standard error, if that can be written."""
    try:
        Console(stderr=True).print(_printable(text), soft_wrap=True, markup=False, highlight=False)
    except (OSError, ValueError):
        _drop_what_cannot_be_written()


def _printable(text: str) -> str:
    """Return a text without what a terminal would obey, and bytes that are no characters."""
    return ''.join(it if it.isprintable() or it == '\n'
                   else it.encode('unicode_escape').decode('ascii') for it in text)


def _open_standard_streams() -> None:
    """Open the null device in the place of closed streams, so that no file takes their numbers.

    What is no character, such as a name of a file that is not UTF-8, is printed as an escape.
    """
    for number, name, mode in ((0, 'stdin', 'r'), (1, 'stdout', 'w'), (2, 'stderr', 'w')):
        if getattr(sys, name) is None:
            try:
                os.fstat(number)
            except OSError:
                os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, open(os.devnull, mode, encoding='utf-8'))  # noqa: SIM115
        elif mode == 'w' and hasattr(getattr(sys, name), 'reconfigure'):
            getattr(sys, name).reconfigure(errors='backslashreplace')


def _drop_what_cannot_be_written() -> None:
    """Let what still waits to be written go, or the interpreter would complain at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            try:
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            except (OSError, ValueError):
                continue
