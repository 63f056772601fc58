"""Reads what a robot's draft needs from somebody's URDF or MJCF."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Dict, Mapping
from xml.etree import ElementTree

import mujoco
import numpy as np

from humanoid_locomotion.core.errors import ConfigError, SimulationError


def by_joint(model: mujoco.MjModel, parts: Mapping[str, float], option: str
              ) -> Dict[str, float]:
    """Return figures by joint that were given by a part of its name.

    Raises:
        ConfigError: A part is in no joint's name.
    """
    names = [model.joint(i).name for i in range(model.njnt)]
    for part in parts:
        if not any(part in name for name in names):
            raise ConfigError('command line', option, f'{part!r} is in the name of no joint; '
                              f'there are {names}')
    return {name: value for part, value in parts.items() for name in names if part in name}


def matrix(quaternion: np.ndarray) -> np.ndarray:
    """Return the rotation matrix (3, 3) of MuJoCo's quaternion."""
    flat = np.zeros(9)
    mujoco.mju_quat2Mat(flat, np.asarray(quaternion))
    return flat.reshape(3, 3)


def keyframe(model: mujoco.MjModel) -> Dict[str, float]:
    """Return the joints' positions [rad] in the first keyframe; none without one."""
    if not model.nkey:
        return {}
    return {model.joint(i).name: float(model.key_qpos[0, model.jnt_qposadr[i]])
            for i in range(model.njnt)}


def efforts(model: mujoco.MjModel) -> Dict[str, float]:
    """Return the largest torque of every joint whose model tells it [Nm]."""
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
    """Return the joints' speed limits [rad/s], which MuJoCo does not read; none for MJCF."""
    try:
        root = ElementTree.parse(source).getroot()
    except (ElementTree.ParseError, OSError) as error:
        raise SimulationError(f'{source}: cannot be read as XML ({error})') from error
    limits = ((joint.get('name', ''), joint.find('limit')) for joint in root.iter('joint'))
    return {name: float(limit.get('velocity', 'nan')) for name, limit in limits
            if limit is not None and limit.get('velocity')}
