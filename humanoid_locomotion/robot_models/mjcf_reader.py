# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads the values that a robot draft needs from a URDF or MJCF."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Dict, Iterator, Mapping
from xml.etree import ElementTree

import mujoco
import numpy as np

from humanoid_locomotion.core.errors import ConfigError, SimulationError
from humanoid_locomotion.core.reading.files import read_bytes
from humanoid_locomotion.core.reading.parsing import parse_xml
from humanoid_locomotion.core.robot import MAX_MODEL_BYTES

ROUNDING = 1e-3  # [rad], [m] of a position on the command line


def by_joint(model: mujoco.MjModel, parts: Mapping[str, float], option: str
              ) -> Dict[str, float]:
    """Return values by joint name, given values by a part of the name.

    Raises:
        ConfigError: A part is not in the name of any joint.
    """
    names = [model.joint(i).name for i in range(model.njnt)]
    for part in parts:
        if not any(part in name for name in names):
            raise ConfigError('command line', option, f'no joint name contains {part!r}; the '
                              f'joints are {names}')
    return {name: value for part, value in parts.items() for name in names if part in name}


def check_positions(model: mujoco.MjModel, positions: Mapping[str, float], option: str) -> None:
    """Raise ConfigError for a position of a joint outside its range."""
    for name, value in positions.items():
        joint = model.joint(name)
        lower, upper = joint.range
        if model.jnt_limited[joint.id] and not lower - ROUNDING <= value <= upper + ROUNDING:
            raise ConfigError('command line', option, f'joint {name!r}: found {value:g}, expected '
                              f'a position in its range, {lower:.4g} to {upper:.4g}')


def matrix(quaternion: np.ndarray) -> np.ndarray:
    """Return the rotation matrix (3, 3) of MuJoCo's quaternion."""
    flat = np.zeros(9)
    mujoco.mju_quat2Mat(flat, np.asarray(quaternion))
    return flat.reshape(3, 3)


def keyframe(model: mujoco.MjModel) -> Dict[str, float]:
    """Return the positions of hinges and slides in the first keyframe; empty without one."""
    single = (int(mujoco.mjtJoint.mjJNT_HINGE), int(mujoco.mjtJoint.mjJNT_SLIDE))
    return {model.joint(i).name: float(model.key_qpos[0, model.jnt_qposadr[i]])
            for i in range(model.njnt if model.nkey else 0) if int(model.jnt_type[i]) in single}


def urdf_speeds(root: ElementTree.Element) -> Dict[str, float]:
    """Return the joints' speed limits of a URDF [rad/s], which MuJoCo does not read."""
    return {joint.get('name', ''): float(limit.attrib['velocity']) for joint in root.iter('joint')
            for limit in joint.findall('limit') if limit.get('velocity')}


def xml_root(path: Path) -> ElementTree.Element:
    """Return the root of an XML file.

    Raises:
        SimulationError: It is not a readable regular file, or not XML.
    """
    try:
        return parse_xml(read_bytes(path, MAX_MODEL_BYTES), path)
    except ConfigError as error:
        raise SimulationError(f'{path}: cannot be read as XML: {error.problem}') from error


def check_file(path: Path) -> None:
    """Raise ValueError for a file that MuJoCo cannot open, that would block it or is too large."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise ValueError('its path is not UTF-8: expected a path that is') from error
    if os.path.lexists(path) and not os.path.isfile(path):
        raise ValueError('it is not a regular file')
    if os.path.isfile(path) and os.path.getsize(path) > MAX_MODEL_BYTES:
        raise ValueError(f'it is larger than {MAX_MODEL_BYTES} bytes')


@contextlib.contextmanager
def mujoco_errors(source: Path, what: str = 'load') -> Iterator[None]:
    """Convert exceptions of MuJoCo about a model to :class:`SimulationError`.

    Raises:
        SimulationError: MuJoCo raised an exception.
    """
    try:
        yield
    except (ValueError, OSError, mujoco.FatalError) as error:
        raise SimulationError(f'{source}: MuJoCo cannot {what} it '
                              f'({" ".join(str(error).split())})') from error
