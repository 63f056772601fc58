# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Puts the fake Isaac Gym where the real one would be, in this process or another."""

from __future__ import annotations

import atexit
import functools
import importlib
import os
from pathlib import Path
import shutil
import sys
import tempfile
from unittest import mock

import numpy as np

FAKE = Path(__file__).parent / 'isaacgym_fake'
_PYTHON = (3, 8, 18, 'final', 0)


def temporary(prefix: str) -> Path:
    """Give a new folder that goes with this process."""
    path = Path(tempfile.mkdtemp(prefix=prefix))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@functools.lru_cache
def folder() -> str:
    """Give a folder that holds the fake under the name ``isaacgym``, for PYTHONPATH."""
    path = temporary('isaacgym_fake_')
    (path / 'isaacgym').symlink_to(FAKE)
    return str(path)


def install() -> None:
    """Import the fake and the backend's modules, though PyTorch and Python 3.11 are here."""
    if 'isaacgym' not in sys.modules:
        sys.path.insert(0, folder())
        torch = sys.modules.pop('torch', None)
        importlib.import_module('isaacgym')
        if torch is not None:
            sys.modules['torch'] = torch
    with mock.patch.object(sys, 'version_info', _PYTHON), \
            mock.patch.object(np, '__version__', '1.23.5'):
        backend = importlib.import_module('humanoid_locomotion.sim.isaacgym.backend')
    backend.IsaacGymBackend.max_simulations = sys.maxsize  # the fake holds many


def violations() -> list[str]:
    """Give what was done since the last call that the real one forbids, and forget it."""
    found = sys.modules['isaacgym'].violations
    seen = sorted(set(found))
    found.clear()
    return seen


def environment(**more: str) -> dict[str, str]:
    """Give the environment of a process that has the fake and this package."""
    root = str(Path(__file__).parents[2])
    return {**os.environ, 'PYTHONPATH': os.pathsep.join((root, folder())), 'OMP_NUM_THREADS': '1',
            **more}
