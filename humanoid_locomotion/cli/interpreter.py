# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs a command line in another Python interpreter, such as Isaac Gym's Python 3.8.

Only the files of this package are shared. All libraries are those of the other interpreter.
"""

from __future__ import annotations

import os
from pathlib import Path
import shutil
import subprocess
import sys
from typing import Dict, List, Sequence

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.reading.resources import PACKAGE, share_folder

PATIENCE = 20.0  # [s] for an interpreter to start, such as one on a network drive

# Finds this package by its folder, since its parent may hold libraries of this interpreter.
_START = """
import sys
if sys.version_info < (3, 8):
    sys.exit('error: %s is Python %d.%d, 3.8 or newer is needed' % (
        (sys.executable,) + sys.version_info[:2]))
import importlib.util, os
folder = sys.argv.pop(1)
spec = importlib.util.spec_from_file_location(
    'humanoid_locomotion', os.path.join(folder, '__init__.py'),
    submodule_search_locations=[folder])
package = importlib.util.module_from_spec(spec)
sys.modules['humanoid_locomotion'] = package
spec.loader.exec_module(package)
try:
    from humanoid_locomotion.cli.main import main
except ImportError as error:
    sys.exit('error: %s: %s; pip install -r requirements/isaacgym.txt' % (sys.executable, error))
sys.argv[0] = 'humanoid-locomotion'
main()
"""


def interpreter(python: str, option: str = '--python') -> str:
    """Return the path of an interpreter.

    Raises:
        LocomotionError: There is no such program, or it is no Python.
    """
    found = shutil.which(os.path.expanduser(python))
    if found is None:
        raise LocomotionError(f'{option}: {python!r} is no program that can be started; name an '
                              'interpreter, such as ~/miniconda3/envs/isaacgym/bin/python')
    try:
        answer = subprocess.run(
            [found, '-c', 'print(6 * 7)'], env=environment(found), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        answer = None
    if answer is None or answer.stdout.strip() != b'42':
        raise LocomotionError(f'{option}: {found} does not answer as a Python within '
                              f'{PATIENCE:g} s; name an interpreter, such as '
                              '~/miniconda3/envs/isaacgym/bin/python')
    return found


def command(python: str, arguments: Sequence[str]) -> List[str]:
    """Return the command that runs ours in another interpreter.

    Raises:
        LocomotionError: There is no such program.
    """
    return [interpreter(python), '-c', _START, str(PACKAGE), *arguments]


def environment(python: str) -> Dict[str, str]:
    """Return this environment without what belongs to this interpreter.

    Isaac Gym's binaries look for ``libpython3.8.so`` on ``LD_LIBRARY_PATH``.
    """
    kept = {key: value for key, value in os.environ.items()
            if key not in ('PYTHONPATH', 'PYTHONHOME')}
    libraries = Path(python).resolve().parents[1] / 'lib'
    for key, first in (('LD_LIBRARY_PATH', libraries),
                       ('AMENT_PREFIX_PATH', share_folder().parents[1])):
        kept[key] = os.pathsep.join(filter(None, (str(first), kept.get(key))))
    return kept


def run(python: str, arguments: Sequence[str]) -> int:
    """Run a command line of ours in another interpreter; return its exit code."""
    whole = command(python, arguments)
    return subprocess.run(whole, env=environment(whole[0]), check=False).returncode


def without(arguments: Sequence[str], *options: str) -> List[str]:
    """Return a command line without options that take a value."""
    kept, skip = [], False
    for argument in arguments:
        if not (skip or argument.partition('=')[0] in options):
            kept.append(argument)
        skip = not skip and argument in options
    return kept


def hand_over(python: str) -> None:
    """If another interpreter is asked for, run this very command line there, and end with it."""
    if python:
        sys.exit(run(python, without(sys.argv[1:], '--python')))
