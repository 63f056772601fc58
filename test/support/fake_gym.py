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
from typing import Any, Tuple
from unittest import mock

import numpy as np

FAKE = Path(__file__).parent / 'isaacgym_fake'
# Of PyTorch 2.4.1 for CUDA 12.1, as it lists them.
TORCH_ARCHS = ('sm_50', 'sm_60', 'sm_70', 'sm_75', 'sm_80', 'sm_86', 'sm_90')
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


def pretend_gpu(monkeypatch: Any, capability: Tuple[int, int] = (8, 9)) -> None:
    """Let the backend use the GPU pipeline of a card, though the memory is the CPU's."""
    backend = importlib.import_module('humanoid_locomotion.sim.isaacgym.backend')
    card = backend.gpu.Gpu('A card', capability, TORCH_ARCHS, '2.4.1', 24e9)
    monkeypatch.setattr(backend, 'on_gpu', lambda device: True)
    monkeypatch.setattr(backend.gpu, 'gpu', lambda device: card)


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
