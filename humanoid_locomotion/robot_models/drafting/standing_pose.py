# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Derives a pose to stand in: knees bent, soles flat, centre of mass over the feet."""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence, Tuple

import mujoco
import numpy as np

from humanoid_locomotion.core.robot import GRAVITY
from humanoid_locomotion.robot_models.drafting.joint_drafts import JointDraft

BEND = 0.06  # part of the leg length by which the base is lower than with straight legs
EVEN = 0.05  # [rad] middle of the range of a knee that bends both ways
START = 0.4  # [rad] knee angle from which the search starts
STEPS, DAMPING, STEP = 100, 1e-3, 0.2  # iterations, of least squares, largest change [rad]
CLOSE = 2e-3  # [m], [rad] largest error of a solution
CLOSING_STEP, CLOSING_STEPS = 0.002, 600  # [s], and steps in which closed loops close
GIVES_WAY = 0.05  # [rad] error of a leg joint under the robot's weight
MARGIN = 1.5  # of the stiffness that balances a falling body
CLOSING_MEMORY = 0.8  # part of the velocity that a step keeps
PITCHES = 3  # hip, knee and ankle of a leg


class StandingPose:
    """Inverse kinematics of both legs under an upright base.

    Args:
        model: The robot with a free base and a site under each foot.
        data: The robot in the pose of its file, upright, with its soles flat.
        joints: The driven joints.
        soles: Names of the sites.
        feet: Names of the feet.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, joints: Sequence[JointDraft],
                 soles: Sequence[str], feet: Sequence[str]):
        self._model, self._data = model, data
        self._soles = [model.site(name).id for name in soles]
        self._feet = [model.body(name).id for name in feet]
        known = {model.joint(joint.name).id: joint for joint in joints}
        left, right = (self._chain(model.body(name).id) for name in feet)
        self._legs = [[it for it in one if it not in other]
                      for one, other in ((left, right), (right, left))]
        self._is_driven = all(joint in known for leg in self._legs for joint in leg)
        self._joints = [joint for leg in self._legs for joint in leg if joint in known]
        self._driven = {joint: draft.name for joint, draft in known.items()}
        self._limits = np.array([(known[it].lower, known[it].upper) for it in self._joints])
        self._names = [known[it].name for it in self._joints]
        self._qpos = model.jnt_qposadr[self._joints]
        self._dofs = model.jnt_dofadr[self._joints]
        places = np.array([data.site_xpos[sole] for sole in self._soles])
        top = data.qpos[2]
        self._targets = places.copy()
        self._targets[:, 2] = top - (1.0 - BEND) * (top - places[:, 2].min())
        # Middle of each foot's shapes, forward of its sole.
        self._middles = [np.mean([data.geom_xpos[geom, 0] for geom in range(model.ngeom)
                                  if model.geom_bodyid[geom] == model.body(foot).id
                                  and model.geom_contype[geom] | model.geom_conaffinity[geom]])
                         - place[0] for foot, place in zip(feet, places)]

    def solve(self) -> Optional[Dict[str, float]]:
        """Return the positions of the legs' joints [rad]; None if there is no such pose."""
        knees = self._knees()
        if knees is None or not self._is_driven:
            return None
        positions = self._data.qpos[self._qpos].copy()
        for knee in knees:
            side = self._limits[knee].mean()
            if abs(side) < EVEN:  # it bends both ways; a human's bends about y
                side = self._data.xaxis[self._joints[knee], 1]
            positions[knee] = np.clip(np.sign(side) * START, *self._limits[knee])
        for _ in range(STEPS):
            error, jacobian = self._errors(positions)
            if np.abs(error).max() < CLOSE:
                return {name: round(float(value), 4)
                        for name, value in zip(self._names, positions)}
            square = jacobian @ jacobian.T + DAMPING * np.eye(len(error))
            change = jacobian.T @ np.linalg.solve(square, error)
            positions = np.clip(positions + np.clip(change, -STEP, STEP), *self._limits.T)
        return None

    def stiffness(self) -> Dict[str, float]:
        """Return the kp with which each driven joint holds the default pose [Nm/rad].

        That of a leg joint balances half of the robot above it with a :data:`MARGIN`, and gives
        way by :data:`GIVES_WAY` under the weight; that of another joint holds what it carries.
        """
        model, data = self._model, self._data
        mujoco.mj_forward(model, data)
        torques, place = data.qfrc_bias.copy(), np.zeros((3, model.nv))
        weight = 0.5 * float(model.body_subtreemass[0]) * GRAVITY
        for sole, foot, middle in zip(self._soles, self._feet, self._middles):
            point = data.site_xpos[sole] + np.array([middle, 0.0, 0.0])
            mujoco.mj_jac(model, data, place, None, point, foot)
            torques -= weight * place[2]
        found = {}
        for joint, name in self._driven.items():
            anchor, body = data.xanchor[joint], int(model.jnt_bodyid[joint])
            if joint in self._joints:
                carried = abs(torques[model.jnt_dofadr[joint]]) / GIVES_WAY
                height = abs(data.subtree_com[1, 2] - anchor[2])
                found[name] = max(carried, MARGIN * weight * height)
            else:
                found[name] = float(model.body_subtreemass[body] * GRAVITY * np.linalg.norm(
                    data.subtree_com[body] - anchor))
        return found

    def _chain(self, body: int) -> List[int]:
        found: List[int] = []
        while body:
            first, count = int(self._model.body_jntadr[body]), int(self._model.body_jntnum[body])
            found = [*range(first, first + count), *found]
            body = int(self._model.body_parentid[body])
        return [joint for joint in found
                if self._model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_HINGE]

    def _knees(self) -> Optional[List[int]]:
        """Return the index of each leg's knee: the middle one of its three pitch joints."""
        found = []
        for leg in self._legs:
            pitches = [joint for joint in leg if abs(self._data.xaxis[joint, 1]) > 0.9]
            if len(pitches) != PITCHES:
                return None
            found.append(self._joints.index(pitches[1]))
        return found

    def _errors(self, positions: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Return how far the soles are from their poses (12,), and what joints do about it."""
        model, data = self._model, self._data
        data.qpos[self._qpos] = positions
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        errors, rows = [], []
        mass, place, turn = (np.zeros((3, model.nv)) for _ in range(3))
        mujoco.mj_jacSubtreeCom(model, data, mass, 1)
        for sole, target, middle in zip(self._soles, self._targets, self._middles):
            mujoco.mj_jacSite(model, data, place, turn, sole)
            wanted = np.array([data.subtree_com[1, 0] - middle, *target[1:]])
            axes = data.site_xmat[sole].reshape(3, 3)
            turned = 0.5 * sum(np.cross(axes[:, k], np.eye(3)[k]) for k in range(3))
            errors += [wanted - data.site_xpos[sole], turned]
            rows += [place - np.outer([1.0, 0.0, 0.0], mass[0]), turn.copy()]
        return np.concatenate(errors), np.concatenate(rows)[:, self._dofs]


def close_loops(model: mujoco.MjModel, data: mujoco.MjData, driven: Sequence[str]) -> float:
    """Move the passive joints to where the model's constraints hold them.

    Returns:
        The largest error of a constraint that remains [m] or [rad].

    Args:
        model: The robot with a free base.
        data: The robot in its pose; base and driven joints do not move.
        driven: Names of the driven joints.
    """
    joints = [model.joint(name) for name in driven]
    fixed = np.array([*range(7), *(int(joint.qposadr[0]) for joint in joints)])
    fixed_dofs = np.array([*range(6), *(int(joint.dofadr[0]) for joint in joints)])
    positions, time, gravity = data.qpos.copy(), model.opt.timestep, model.opt.gravity.copy()
    flags = model.opt.disableflags
    model.opt.timestep, model.opt.gravity[:] = CLOSING_STEP, 0.0
    model.opt.disableflags = flags | mujoco.mjtDisableBit.mjDSBL_CONTACT
    for _ in range(CLOSING_STEPS):
        mujoco.mj_step(model, data)
        data.qvel[:] *= CLOSING_MEMORY
        data.qpos[fixed], data.qvel[fixed_dofs] = positions[fixed], 0.0
    if not np.isfinite(data.qpos).all():
        data.qpos[:] = positions
    data.qvel[:] = 0.0
    model.opt.timestep, model.opt.gravity[:], model.opt.disableflags = time, gravity, flags
    mujoco.mj_forward(model, data)
    return float(np.abs(data.efc_pos[:data.ne]).max(initial=0.0))
