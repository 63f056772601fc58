# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads from a model which joints are driven, how strongly, and which only follow."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Dict, FrozenSet, Optional, Set, Tuple

import mujoco
import numpy as np

FREQUENCY, DAMPING_RATIO = 8.0, 1.5  # [Hz], of a joint's armature with its PD gains
RATE = 2.0 * math.pi * FREQUENCY  # [rad/s]


@dataclass(frozen=True)
class Drives:
    """The drives of a model.

    Attributes:
        efforts: Largest torque of each joint that has one [Nm].
        gains: kp [Nm/rad] and kd [Nm s/rad] of each joint with a position actuator; kd is 0 if
            the joint's own damping acts instead.
        passive: Joints that no actuator drives or that follow another joint.
        through_tendons: Joints that an actuator drives by a tendon over several joints.
        shared: Joints that several actuators drive; the effort is that of the weakest.
    """

    efforts: Dict[str, float]
    gains: Dict[str, Tuple[float, float]]
    passive: FrozenSet[str]
    through_tendons: FrozenSet[str]
    shared: FrozenSet[str]


def read_drives(model: mujoco.MjModel) -> Drives:
    """Return the drives of a compiled model, before its actuators are removed."""
    efforts = {model.joint(i).name: _least(model.jnt_actfrcrange[i])
               for i in range(model.njnt) if model.jnt_actfrclimited[i]}
    gains: Dict[str, Tuple[float, float]] = {}
    driven: Set[str] = set()
    shared: Set[str] = set()
    through: Set[str] = set()
    for i in range(model.nu):
        names, gear = _transmission(model, i)
        if len(names) != 1:
            through.update(names)
            continue
        (name,) = names
        shared.update({name} & driven)
        driven.add(name)
        limit = _limit(model, i)
        if limit is not None:
            efforts[name] = min(gear * limit, efforts.get(name, math.inf))
        kp, kd = (-gear**2 * float(model.actuator_biasprm[i, k]) for k in (1, 2))
        if kp > 0.0 or kd > 0.0:
            before = gains.get(name, (0.0, 0.0))
            gains[name] = before[0] + kp, before[1] + kd
    gains = {name: both for name, both in gains.items() if both[0] > 0.0}
    joints = {model.joint(i).name for i in range(model.njnt)
              if model.jnt_type[i] != mujoco.mjtJoint.mjJNT_FREE}
    passive = joints - driven if driven else through | _followers(model) | _balls_of_loops(model)
    return Drives(efforts, gains, frozenset(passive), frozenset(through), frozenset(shared))


def _followers(model: mujoco.MjModel) -> Set[str]:
    return {model.joint(int(model.eq_obj1id[i])).name for i in range(model.neq)
            if model.eq_type[i] == mujoco.mjtEq.mjEQ_JOINT}


def _balls_of_loops(model: mujoco.MjModel) -> Set[str]:
    """Return the ball joints at the ends of rods that close a loop."""
    loops = [i for i in range(model.neq) if model.eq_objtype[i] == mujoco.mjtObj.mjOBJ_BODY]
    ends = {int(body[i]) for body in (model.eq_obj1id, model.eq_obj2id) for i in loops}
    return {model.joint(i).name for i in range(model.njnt) if int(model.jnt_bodyid[i]) in ends
            and model.jnt_type[i] == mujoco.mjtJoint.mjJNT_BALL}


def _transmission(model: mujoco.MjModel, i: int) -> Tuple[Tuple[str, ...], float]:
    """Return the joints that an actuator acts on, and its gear."""
    kind = mujoco.mjtTrn(model.actuator_trntype[i])
    target = int(model.actuator_trnid[i, 0])
    gear = abs(float(model.actuator_gear[i, 0]))
    if kind in (mujoco.mjtTrn.mjTRN_JOINT, mujoco.mjtTrn.mjTRN_JOINTINPARENT):
        return (model.joint(target).name,), gear
    if kind != mujoco.mjtTrn.mjTRN_TENDON:
        return (), gear
    first, count = int(model.tendon_adr[target]), int(model.tendon_num[target])
    wraps = [k for k in range(first, first + count)
             if model.wrap_type[k] == mujoco.mjtWrap.mjWRAP_JOINT]
    if len(wraps) == 1:
        gear *= abs(float(model.wrap_prm[wraps[0]]))
    return tuple(model.joint(int(model.wrap_objid[k])).name for k in wraps), gear


def _limit(model: mujoco.MjModel, i: int) -> Optional[float]:
    """Return the largest force of an actuator before its gear; None if it is not limited."""
    if model.actuator_forcelimited[i]:
        return _least(model.actuator_forcerange[i])
    is_motor = model.actuator_biastype[i] == mujoco.mjtBias.mjBIAS_NONE
    if is_motor and model.actuator_ctrllimited[i]:
        return float(model.actuator_gainprm[i, 0]) * _least(model.actuator_ctrlrange[i])
    return None


def _least(limits: np.ndarray) -> float:
    """Return the force that an actuator has in both directions."""
    return float(min(-limits[0], limits[1]))
