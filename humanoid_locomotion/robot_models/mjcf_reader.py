# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads the values that a robot draft needs from a URDF or MJCF."""

from __future__ import annotations

import contextlib
import math
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


def matrix(quaternion: np.ndarray) -> np.ndarray:
    """Return the rotation matrix (3, 3) of MuJoCo's quaternion."""
    flat = np.zeros(9)
    mujoco.mju_quat2Mat(flat, np.asarray(quaternion))
    return flat.reshape(3, 3)


def keyframe(model: mujoco.MjModel) -> Dict[str, float]:
    """Return the joints' positions [rad] in the first keyframe; empty without one."""
    if not model.nkey:
        return {}
    return {model.joint(i).name: float(model.key_qpos[0, model.jnt_qposadr[i]])
            for i in range(model.njnt)}


def efforts(model: mujoco.MjModel) -> Dict[str, float]:
    """Return the largest torque of every joint for which the model has one [Nm]."""
    found = {model.joint(i).name: float(model.jnt_actfrcrange[i, 1])
             for i in range(model.njnt) if model.jnt_actfrclimited[i]}
    for i in range(model.nu):
        if model.actuator_trntype[i] != mujoco.mjtTrn.mjTRN_JOINT:
            continue
        gear = abs(float(model.actuator_gear[i, 0]))
        is_motor = model.actuator_biastype[i] == mujoco.mjtBias.mjBIAS_NONE
        if model.actuator_forcelimited[i]:
            limit = gear * float(model.actuator_forcerange[i, 1])
        elif is_motor and model.actuator_ctrllimited[i]:
            gain = float(model.actuator_gainprm[i, 0])
            limit = gear * gain * float(model.actuator_ctrlrange[i, 1])
        else:
            continue
        name = model.joint(int(model.actuator_trnid[i, 0])).name
        found[name] = min(limit, found.get(name, math.inf))
    return found


def urdf_speeds(source: Path) -> Dict[str, float]:
    """Return the joints' speed limits [rad/s], which MuJoCo does not read; empty for MJCF."""
    found = {}
    for joint in xml_root(source).iter('joint'):
        limit = joint.find('limit')
        text = None if limit is None else limit.get('velocity')
        if text:
            try:
                found[joint.get('name', '')] = float(text)
            except ValueError as error:
                raise SimulationError(f'{source}: joint {joint.get("name")!r}: velocity is '
                                      f'{text[:40]!r}, expected a number') from error
    return {name: speed for name, speed in found.items() if 0.0 < speed < math.inf}


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
    """Raise ValueError for a file that would block MuJoCo or is too large."""
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
