# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Finds robot files by their name in the PyPI package ``robot_descriptions``."""

from __future__ import annotations

import importlib
from pathlib import Path

from humanoid_locomotion.core.errors import (
    ConfigError,
    MissingPackageError,
    SimulationError,
    UnknownNameError,
)

PREFIX = 'robot_descriptions:'


def described_model(name: str) -> Path:
    """Return the URDF or MJCF file of a robot in ``robot_descriptions``.

    The package downloads the robot's repository with git if it is not in its cache.

    Args:
        name: Name of the description, as ``talos_description``.

    Raises:
        MissingPackageError: The package is not installed.
        UnknownNameError: It has no such description.
        SimulationError: The description cannot be downloaded.
        ConfigError: The description is neither URDF nor MJCF.
    """
    try:
        known = importlib.import_module('robot_descriptions').DESCRIPTIONS
    except ImportError as error:
        raise MissingPackageError(f'{PREFIX}{name}', 'robot_descriptions',
                                  'pip install robot_descriptions') from error
    if name not in known:
        raise UnknownNameError('robot description', name, known)
    try:
        module = importlib.import_module(f'robot_descriptions.{name}')
    except Exception as error:  # of git, of the network or of the disk
        reason = ' '.join(str(error).split())[-200:] or type(error).__name__
        raise SimulationError(f'{PREFIX}{name}: its repository is not in the cache of '
                              f'robot_descriptions and cannot be downloaded ({reason}): connect '
                              'to the network once, or give the path of the file') from error
    for key in ('URDF_PATH', 'MJCF_PATH'):
        if hasattr(module, key):
            return Path(getattr(module, key))
    raise ConfigError(f'{PREFIX}{name}', '', 'is neither URDF nor MJCF; expected one of the two')
