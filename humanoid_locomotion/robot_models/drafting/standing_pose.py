# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Derives a pose to stand in: knees bent, soles flat, centre of mass over the feet."""

from __future__ import annotations

import contextlib
import math
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

import mujoco
import numpy as np

from humanoid_locomotion.core.robot import GRAVITY
from humanoid_locomotion.robot_models.drafting.joint_drafts import JointDraft

BENDS = (0.06, 0.04, 0.02, 0.0)  # parts of the leg length by which the base may be lowered
SQUAT = 0.1  # part of the leg length by which it can be lowered further
EVEN = 0.05  # [rad] middle of the range of a knee that bends both ways
START = 0.4  # [rad] knee angle from which the search starts
STEPS, DAMPING, STEP = 100, 1e-3, 0.2  # iterations, of least squares, largest change [rad]
CLOSE = 2e-3  # [m], [rad] largest error of a solution
NEAR = 0.01  # [m], [rad] the same, of legs that have too few joints for a better one
CLOSED = 1e-6  # [m], [rad] error of a closed loop
STIFF = 0.03  # weight of changes of a joint with a spring or a motor, when loops close
GIVES_WAY = 0.05  # [rad] error of a leg joint under the robot's weight
MARGIN = 1.5  # of the stiffness that balances a falling body
WIDE = 0.15  # largest distance of a sole from the sagittal plane of its hip, of the leg length
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
        self._joints = [joint for leg in self._legs for joint in leg if joint in known]
        self._driven = {joint: draft.name for joint, draft in known.items()}
        self._dofs = self._movable()
        self._moving = sorted({int(model.dof_jntid[dof]) for dof in self._dofs})
        self._limits = {joint: (known[joint].lower, known[joint].upper) if joint in known
                        else tuple(model.jnt_range[joint]) for joint in self._moving
                        if joint in known or model.jnt_limited[joint]}
        ids = model.dof_jntid[self._dofs]
        self._at = model.jnt_qposadr[ids]  # of a ball joint, its first number three times
        self._low, self._high = np.array([self._limits.get(int(joint), (-math.inf, math.inf))
                                          for joint in ids]).reshape(-1, 2).T
        self._places = np.array([data.site_xpos[sole] for sole in self._soles])
        self._widest = WIDE * float(data.qpos[2] - self._places[:, 2].min()) + max(
            abs(data.xanchor[leg[0], 1]) for leg in self._legs)
        self._start, springs = data.qpos.copy(), model.jnt_qposadr[model.jnt_stiffness > 0.0]
        self._start[springs] = model.qpos0[springs]
        # Middle of each foot's shapes, forward of its sole along the sole's x axis.
        self._middles = []
        for foot, sole in zip(self._feet, self._soles):
            shapes = [geom for geom in range(model.ngeom) if model.geom_bodyid[geom] == foot
                      and model.geom_contype[geom] | model.geom_conaffinity[geom]]
            offset = data.geom_xpos[shapes].mean(0) - data.site_xpos[sole]
            self._middles.append(float(offset @ data.site_xmat[sole].reshape(3, 3)[:, 0]))

    def _movable(self) -> List[int]:
        """Return the degrees of freedom of the legs, and of rods and cranks in loops with them.

        Springs keep their positions.
        """
        model, tops = self._model, [int(self._model.jnt_bodyid[leg[0]]) for leg in self._legs]
        with _only_loops(model):
            mujoco.mj_forward(model, self._data)
            loops = self._data.efc_J.reshape(-1, model.nv)[:self._data.ne] != 0.0
        mujoco.mj_forward(model, self._data)
        movable = np.array([any(self._is_below(int(body), top) for top in tops)
                            for body in model.dof_bodyid])
        for _ in loops:  # each pass adds what one more loop connects
            movable |= loops[loops[:, movable].any(1)].any(0)
        movable[:6] = False
        return [int(dof) for dof in np.flatnonzero(movable)
                if model.jnt_stiffness[model.dof_jntid[dof]] == 0.0]

    def solve(self) -> Optional[Dict[str, np.ndarray]]:
        """Return the positions of the legs' joints [rad]; None if there is no such pose.

        The deepest of the :data:`BENDS` from which the robot can squat, or the least. A ball
        joint has four numbers, as in MuJoCo.
        """
        with _only_loops(self._model):
            found = [bend for bend in BENDS if self._reach(bend)]
            deep = [bend for bend in found if self._reach(bend + SQUAT)]
            if not found or not self._reach((deep or found[-1:])[0]):
                return None
        names = [self._model.joint(joint).name for joint in self._moving]
        return {name: self._data.joint(name).qpos.round(4) for name in names}

    def _reach(self, bend: float) -> bool:
        """Move the legs until the base is lowered; tell whether it is."""
        positions = self._data.qpos
        positions[:] = self._start
        for knee in self._knees():
            side = np.mean(self._limits.get(knee, (0.0, 0.0)))
            if abs(side) < EVEN:  # it bends both ways; a human's bends about y
                side = self._data.xaxis[knee, 1]
            positions[self._model.jnt_qposadr[knee]] = np.sign(side) * START
        targets = self._places.copy()
        targets[:, 1] = np.clip(targets[:, 1], -self._widest, self._widest)
        targets[:, 2] = positions[2] - (1.0 - bend) * (positions[2] - targets[:, 2].min())
        for _ in range(STEPS):
            positions[self._at] = np.clip(positions[self._at], self._low, self._high)
            error, jacobian = self._errors(targets)
            if np.abs(error).max() < CLOSE:
                return True
            change = np.zeros(self._model.nv)
            change[self._dofs] = _step(error, jacobian, positions[self._at], self._low,
                                       self._high, DAMPING)
            mujoco.mj_integratePos(self._model, positions, change, 1.0)
        return bool(np.abs(error).max() < NEAR)

    def loads(self) -> Dict[str, float]:
        """Return the torques of the driven joints while standing in the pose [Nm]."""
        model, data = self._model, self._data
        with _only_loops(model):
            mujoco.mj_forward(model, data)
            loops = data.efc_J.reshape(-1, model.nv)[:data.ne].copy()
        mujoco.mj_forward(model, data)
        torques, place = data.qfrc_bias.copy(), np.zeros((3, model.nv))
        weight = 0.5 * float(model.body_subtreemass[0]) * GRAVITY
        for sole, foot, middle in zip(self._soles, self._feet, self._middles):
            point = data.site_xpos[sole] + np.array([middle, 0.0, 0.0])
            mujoco.mj_jac(model, data, place, None, point, foot)
            torques -= weight * place[2]
        # The forces of loops relieve passive joints.
        passive = [dof for dof in self._dofs if model.dof_jntid[dof] not in self._driven]
        torques -= loops.T @ np.linalg.lstsq(loops[:, passive].T, torques[passive], rcond=None)[0]
        return {name: abs(float(torques[model.jnt_dofadr[joint]]))
                for joint, name in self._driven.items()}

    def stiffness(self) -> Dict[str, float]:
        """Return the kp with which each driven joint holds the default pose [Nm/rad].

        It holds what the joint carries. That of a leg joint also balances half of the robot above
        it with a :data:`MARGIN`, and gives way by :data:`GIVES_WAY` under the weight.
        """
        data, masses, loads = self._data, self._model.body_subtreemass, self.loads()
        found = {}
        for joint, name in self._driven.items():
            anchor, body = data.xanchor[joint], int(self._model.jnt_bodyid[joint])
            found[name] = float(masses[body] * GRAVITY * np.linalg.norm(
                data.subtree_com[body] - anchor))
            if int(self._model.jnt_dofadr[joint]) in self._dofs:  # also a crank of a passive joint
                led = [joint] if joint in self._joints else [
                    it for leg in self._legs for it in leg if it not in self._driven]
                topple = max((self._topple(it) for it in led), default=0.0)
                found[name] = max(found[name], loads[name] / GIVES_WAY,
                                  0.5 * MARGIN * GRAVITY * topple)
        return found

    def _topple(self, joint: int) -> float:
        """Return the moment of the masses above a leg's joint and its twin, about it [kg m]."""
        masses = self._model.body_subtreemass
        centres = self._data.subtree_com[:, 2] - self._data.xanchor[joint, 2]
        places = [leg.index(joint) for leg in self._legs if joint in leg]
        below = [int(self._model.jnt_bodyid[leg[places[0]]]) for leg in self._legs
                 if places[0] < len(leg)]
        return float(masses[1] * centres[1] - masses[below] @ centres[below])

    def _chain(self, body: int) -> List[int]:
        found: List[int] = []
        while body:
            first, count = int(self._model.body_jntadr[body]), int(self._model.body_jntnum[body])
            found = [*range(first, first + count), *found]
            body = int(self._model.body_parentid[body])
        return [joint for joint in found
                if self._model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_HINGE]

    def _is_below(self, body: int, top: int) -> bool:
        while body not in (0, top):
            body = int(self._model.body_parentid[body])
        return body == top

    def _knees(self) -> List[int]:
        """Return the knee of each leg with three pitch joints: the middle one."""
        pitches = [[joint for joint in leg if abs(self._data.xaxis[joint, 1]) > 0.9]
                   for leg in self._legs]
        return [leg[1] for leg in pitches if len(leg) == PITCHES]

    def _errors(self, targets: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Return how far the soles are from their poses and loops from closed, (n,).

        Also the change of that error with the legs' joints, (n, dofs).
        """
        model, data = self._model, self._data
        mujoco.mj_fwdPosition(model, data)
        errors, rows = [], []
        mass, place, turn = (np.zeros((3, model.nv)) for _ in range(3))
        mujoco.mj_jacSubtreeCom(model, data, mass, 1)
        for sole, target, middle in zip(self._soles, targets, self._middles):
            mujoco.mj_jacSite(model, data, place, turn, sole)
            wanted = np.array([data.subtree_com[1, 0] - middle, *target[1:]])
            axes = data.site_xmat[sole].reshape(3, 3)
            turned = 0.5 * sum(np.cross(axes[:, k], np.eye(3)[k]) for k in range(3))
            errors += [wanted - data.site_xpos[sole], turned]
            rows += [place - np.outer([1.0, 0.0, 0.0], mass[0]), turn.copy()]
        loops = data.efc_J.reshape(-1, model.nv)[:data.ne]
        of_legs = np.abs(loops[:, self._dofs]).max(axis=1, initial=0.0) > 0.0
        errors.append(-data.efc_pos[:data.ne][of_legs])
        rows.append(loops[of_legs])
        return np.concatenate(errors), np.concatenate(rows)[:, self._dofs]


@contextlib.contextmanager
def _only_loops(model: mujoco.MjModel) -> Iterator[None]:
    """Compute a model's constraints as full matrices and without contacts, for a while."""
    flags, jacobian = model.opt.disableflags, model.opt.jacobian
    model.opt.disableflags = flags | mujoco.mjtDisableBit.mjDSBL_CONTACT
    model.opt.jacobian = mujoco.mjtJacobian.mjJAC_DENSE
    try:
        yield
    finally:
        model.opt.disableflags, model.opt.jacobian = flags, jacobian


def _step(error: np.ndarray, jacobian: np.ndarray, at: np.ndarray, low: np.ndarray,
          high: np.ndarray, damping: float) -> np.ndarray:
    """Return the step of damped least squares of the joints that their limits let move, (n,).

    Args:
        error: To reduce, (m,).
        jacobian: Its change with the joints, (m, n).
        at: Positions, (n,).
        low: Their lower limits, (n,).
        high: Their upper limits, (n,).
        damping: Of the least squares.
    """
    free = np.ones(len(at), bool)
    while True:
        part = jacobian * free
        change = part.T @ np.linalg.solve(part @ part.T + damping * np.eye(len(error)), error)
        stopped = free & (((change > 0.0) & (at >= high)) | ((change < 0.0) & (at <= low)))
        if not stopped.any():
            return np.clip(change, -STEP, STEP)
        free &= ~stopped


def close_loops(model: mujoco.MjModel, data: mujoco.MjData, driven: Sequence[str],
                is_posed: bool = True) -> float:
    """Move the passive joints to where the model's constraints hold them.

    Returns:
        The largest error of a constraint that remains [m] or [rad].

    Args:
        model: The robot with a free base.
        data: The robot in its pose; the base does not move.
        driven: Names of the driven joints.
        is_posed: Whether the driven joints are in their default pose, so that they do not move.
    """
    moves = np.where(model.jnt_stiffness[model.dof_jntid] > 0.0, STIFF, 1.0)
    moves[[int(model.joint(name).dofadr[0]) for name in driven]] = 0.0 if is_posed else STIFF
    moves[:6] = 0.0
    dofs = np.flatnonzero(moves)
    ids = model.dof_jntid[dofs]
    at, limited = model.jnt_qposadr[ids], (model.jnt_limited[ids] == 1) & (
        model.jnt_type[ids] != mujoco.mjtJoint.mjJNT_BALL)
    low, high = np.where(limited, model.jnt_range[ids].T, np.array([[-np.inf], [np.inf]]))
    with _only_loops(model):
        for _ in range(STEPS):
            data.qpos[at] = np.clip(data.qpos[at], low, high)
            mujoco.mj_fwdPosition(model, data)
            error = -data.efc_pos[:data.ne]
            if np.abs(error).max(initial=0.0) < CLOSED:
                break
            jacobian = data.efc_J.reshape(-1, model.nv)[:data.ne, dofs] * moves[dofs]
            change = np.zeros(model.nv)
            change[dofs] = moves[dofs] * _step(error, jacobian, data.qpos[at], low, high, CLOSED)
            mujoco.mj_integratePos(model, data.qpos, change, 1.0)
    mujoco.mj_forward(model, data)
    return float(np.abs(error).max(initial=0.0))
