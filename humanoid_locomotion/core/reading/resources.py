# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Finds the files that are installed with the package.

``robots`` is inside the package; ``config``, ``policies`` and ``launch`` are next to it in a
source tree, and in ``share/humanoid_locomotion`` after an installation by colcon or pip.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Dict, Iterator

from humanoid_locomotion.core.errors import LocomotionError

PACKAGE = Path(__file__).resolve().parents[2]


def share_folder() -> Path:
    """Return the folder that contains ``config`` and ``policies``.

    Raises:
        LocomotionError: It is in none of the places that an installation uses.
    """
    tried = list(_candidates())
    for folder in tried:
        if (folder / 'config').is_dir() and (folder / 'package.xml').is_file():
            return folder
    raise LocomotionError(
        f'the files of humanoid_locomotion are missing; looked in {[str(f) for f in tried]}')


def _candidates() -> Iterator[Path]:
    yield PACKAGE.parent
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        if prefix:
            yield Path(prefix) / 'share' / 'humanoid_locomotion'
    for folder in list(PACKAGE.parents)[:4]:  # of pip, also with --user and --target
        yield folder / 'share' / 'humanoid_locomotion'


def robot_folders() -> Dict[str, Path]:
    """Return the folder of every robot in the package, by name."""
    return {path.parent.name: path.parent
            for path in sorted((PACKAGE / 'robots').glob('*/robot.yaml'))}


def policy_folders() -> Dict[str, Path]:
    """Return the folder of every shipped policy, by name."""
    return {path.parent.name: path.parent
            for path in sorted((share_folder() / 'policies').glob('*/contract.yaml'))}


def config_file(section: str, name: str) -> Path:
    """Return the path of ``config/SECTION/NAME.yaml``, or of a user's own file.

    Args:
        section: ``training`` or ``nodes``.
        name: A name without ending, or the path of a YAML file.
    """
    if name.endswith(('.yaml', '.yml')):
        return Path(name)
    return share_folder() / 'config' / section / f'{name}.yaml'
