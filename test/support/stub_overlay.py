# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Mends ``isaacgym-stubs`` so that mypy can read them, into a folder for MYPYPATH.

The published stubs (MIT) have two syntax errors, a runtime file where a stub is wanted, and leave
out ``gymtorch``. They are mended when a test runs; nothing of them is in this repository.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
import re

GYMTORCH = """from isaacgym.gymapi import Tensor
import torch
def wrap_tensor(gym_tensor: Tensor) -> torch.Tensor: ...
def unwrap_tensor(torch_tensor: torch.Tensor) -> Tensor: ...
"""
# The bindings export every enumeration's members, and `acquire_gym` gives the only Gym.
MENDED = (
    (r'def lambda\(self\)', 'def lambda_(self)'),
    (r'numpy\.ndarray\[(float32|uint32|int16)\]', 'numpy.ndarray'),  # a shape, to mypy
    (r'options: AssetOptions = \.\.\.', 'options: Optional[AssetOptions] = ...'),
    (r'arg1: Env, arg2: Vec3, arg3: Vec3\) -> None', 'arg1: Optional[Env], arg2: Vec3, '
     'arg3: Vec3) -> None'))


def published() -> str:
    """Give the text of the published ``gymapi.pyi``.

    Raises:
        PackageNotFoundError: ``isaacgym-stubs`` is not installed.
    """
    files = metadata.files('isaacgym-stubs') or []
    (path,) = (it for it in files if it.name == 'gymapi.pyi')
    return Path(str(path.locate())).read_text(encoding='utf-8')


def write(folder: Path) -> Path:
    """Write the overlay; return the folder for MYPYPATH."""
    text = published()
    for old, new in MENDED:
        text, count = re.subn(old, new, text)
        assert count, f'the stubs changed: no {old!r}'
    before, after = text.split('class Gym:', 1)
    after = after.replace('self, *args, **kwargs', 'self, nobody: NoGym', 1)
    text = f'from typing import Optional\n{before}class NoGym: ...\n\n\nclass Gym:{after}'
    package = folder / 'isaacgym'
    package.mkdir(parents=True)
    (package / '__init__.pyi').write_text('from isaacgym import gymapi as gymapi\n')
    (package / 'gymtorch.pyi').write_text(GYMTORCH)
    (package / 'gymapi.pyi').write_text(text, encoding='utf-8')
    return folder
