# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A robot's model in static postures: inverse kinematics, contacts and joint torques."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Tuple

import mujoco
import numpy as np

from humanoid_locomotion.core.robot import GRAVITY, RobotSpec
from humanoid_locomotion.sim.backend import PhysicsSpec, SimBackend, open_backend

# As the scorecard simulates, and room for the contacts of any foot.
PHYSICS = PhysicsSpec(timestep=0.002, substeps=10, solver_iterations=50,
                      line_search_iterations=50, max_constraints=512, max_contacts=128)
NUDGE = 0.1  # [rad]
# Inverse kinematics: largest number of steps, [m^2], [rad] of the longest and the last step.
STEPS, DAMPING, LONGEST, CONVERGED = 60, 1e-4, 0.2, 1e-4


def opened(robot: RobotSpec) -> SimBackend:
    """Return a simulation of one robot on the floor, in its default pose.

    An unstable simulation is not reset, so that its positions become NaN.
    """
    backend = open_backend('mujoco', robot, 1, PHYSICS)
    model: Any = backend.model  # type: ignore[attr-defined]
    model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET
    return backend


@dataclass(frozen=True)
class Contacts:
    """The contacts of a posture whose lowest shape of a foot touches the floor.

    Attributes:
        of_feet: (points, 3) in the world [m], of each foot.
        others: The other pairs of bodies that touch, without their floor.
    """

    of_feet: Tuple[np.ndarray, np.ndarray]
    others: List[Tuple[str, str]]


class Posture:
    """A robot's model in a posture; begins with the default pose, the base upright.

    Attributes:
        robot: The robot.
        model: MuJoCo's model, with floor and controllers.
        data: Its state; kinematics are up to date.
        legs: Of each leg, its driven joints, as indices of the robot's joints.
        leg_length: From the highest joint of the legs down to the soles, in the default pose [m].
    """

    def __init__(self, robot: RobotSpec, backend: Any):
        self.robot, self.model = robot, backend.model
        self._start = backend.qpos[0].copy()
        self.data = mujoco.MjData(self.model)
        ids = [self.model.joint(name).id for name in robot.joint_names]
        self._qpos, self._dof = self.model.jnt_qposadr[ids], self.model.jnt_dofadr[ids]
        self._joints = ids
        self.legs = [[i for i, joint in enumerate(ids) if self._is_above(
            int(self.model.jnt_bodyid[joint]), self.model.body(foot).id)] for foot in robot.feet]
        self.reset()
        top = max(self.data.xanchor[ids[i], 2] for leg in self.legs for i in leg)
        self.leg_length = float(top - self.soles[:, 2].mean())

    def _is_above(self, body: int, below: int) -> bool:
        while below not in (0, body):
            below = int(self.model.body_parentid[below])
        return below == body != 0

    def reset(self) -> None:
        """Return to the default pose."""
        self.data.qpos[:] = self._start
        self.update()

    def update(self) -> None:
        """Compute everything that follows from the positions, at rest."""
        self.data.qvel[:] = 0.0
        mujoco.mj_forward(self.model, self.data)

    @property
    def centre_of_mass(self) -> np.ndarray:
        """(3,) [m]."""
        centre: np.ndarray = self.data.body(self.robot.base_link).subtree_com.copy()
        return centre

    @property
    def soles(self) -> np.ndarray:
        """(2, 3) the positions of the soles [m]."""
        return np.array([self.data.site(name).xpos for name in self.robot.soles])

    @property
    def sole_tilts(self) -> np.ndarray:
        """(2,) the angles between the soles' z axes and the vertical [rad]."""
        up = [self.data.site(name).xmat[8] for name in self.robot.soles]
        return np.arccos(np.clip(up, -1.0, 1.0))

    def ankle_stiffness(self) -> float:
        """Return the sum of kp of the last pitch joint of each leg [Nm/rad]."""
        pitch = [self._pitch_joints(leg) for leg in (0, 1)]
        return sum(self.robot.joints[max(leg, key=self._depth)].kp for leg in pitch if leg)

    def _pitch_joints(self, leg: int) -> List[int]:
        return [i for i in self.legs[leg]
                if abs(self.data.xaxis[self._joints[i], 1]) > 0.5]

    def _depth(self, joint: int) -> int:
        body = int(self.model.jnt_bodyid[self._joints[joint]])
        return sum(self._is_above(other, body) for other in range(1, self.model.nbody))

    def legs_have_loops(self) -> bool:
        """Tell whether an equality constraint holds a link of a leg."""
        model, held = self.model, set()
        for i in range(model.neq):
            of_joints = model.eq_type[i] == mujoco.mjtEq.mjEQ_JOINT
            of_sites = model.eq_objtype[i] == mujoco.mjtObj.mjOBJ_SITE
            bodies = (model.jnt_bodyid if of_joints else model.site_bodyid if of_sites
                      else np.arange(model.nbody))
            held |= {int(bodies[it]) for it in (model.eq_obj1id[i], model.eq_obj2id[i])
                     if 0 <= it < len(bodies)}
        tops = [int(model.jnt_bodyid[self._joints[leg[0]]]) for leg in self.legs]
        return any(self._is_above(top, body) for top in tops for body in held)

    def move_base(self, shift: np.ndarray) -> None:
        """Move the base by (3,) [m], and the robot with it."""
        self.data.qpos[:3] += shift
        self.update()

    def nudge(self, leg: int) -> None:
        """Move the pitch joints of a leg a little towards the middle of their ranges.

        A straight leg cannot be shortened by small changes of its joints.
        """
        for i in self._pitch_joints(leg):
            joint = self.robot.joints[i]
            inward = joint.lower + joint.upper >= 2.0 * joint.default
            self.data.qpos[self._qpos[i]] += NUDGE if inward else -NUDGE
        self.update()

    def reach(self, targets: Dict[int, np.ndarray]) -> float:
        """Bend the legs until their soles are level at the targets, within the joints' limits.

        Args:
            targets: Positions (3,) [m], by the index of the leg.

        Returns:
            The larger of the distance [m] that is left, and a tenth of a meter per radian of tilt.
        """
        for _ in range(STEPS):
            changes = [self._step(leg, target) for leg, target in targets.items()]
            if max(changes) < CONVERGED:
                break
            mujoco.mj_kinematics(self.model, self.data)
            mujoco.mj_comPos(self.model, self.data)
        self.update()
        return max(max(float(np.linalg.norm(target - self.soles[leg])),
                       0.1 * float(self.sole_tilts[leg])) for leg, target in targets.items())

    def _step(self, leg: int, target: np.ndarray) -> float:
        """Make one step of damped least squares; return the largest change of a joint [rad]."""
        site = self.data.site(self.robot.soles[leg])
        error = np.concatenate(
            (target - site.xpos, 0.1 * np.cross(site.xmat.reshape(3, 3)[:, 2], [0.0, 0.0, 1.0])))
        jacobian = np.zeros((6, self.model.nv))
        mujoco.mj_jacSite(self.model, self.data, jacobian[:3], jacobian[3:], site.id)
        jacobian[3:] *= 0.1
        joints = self.legs[leg]
        part = jacobian[:, self._dof[joints]]
        change = part.T @ np.linalg.solve(part @ part.T + DAMPING * np.eye(6), error)
        change *= min(1.0, LONGEST / max(float(np.abs(change).max()), 1e-9))
        lower, upper = (self.robot.values(key)[joints] for key in ('lower', 'upper'))
        before = self.data.qpos[self._qpos[joints]]
        after = np.clip(before + change, lower, upper)
        self.data.qpos[self._qpos[joints]] = after
        return float(np.abs(after - before).max())

    def torques_on(self, leg: int) -> np.ndarray:
        """Return the static torques of a leg that carries the whole robot, as shares of effort.

        The floor pushes up below the centre of mass.
        """
        point = self.centre_of_mass * [1.0, 1.0, 0.0]
        point[2] = self.soles[leg, 2]
        jacobian = np.zeros((3, self.model.nv))
        foot = self.model.body(self.robot.feet[leg]).id
        mujoco.mj_jac(self.model, self.data, jacobian, None, point, foot)
        weight = GRAVITY * float(self.model.body_subtreemass[0])
        torques = self.data.qfrc_bias - weight * jacobian[2]
        joints = self.legs[leg]
        shares: np.ndarray = (np.abs(torques[self._dof[joints]])
                              / self.robot.values('effort')[joints])
        return shares

    def contacts(self) -> Contacts:
        """Return the contacts after the lowest foot was put on the floor."""
        self.move_base(np.array([0.0, 0.0, -self.foot_clearance() - 1e-4]))
        feet = [self._carried_by(name) for name in self.robot.feet]
        points: List[List[np.ndarray]] = [[], []]
        others = set()
        for contact in self.data.contact:
            first, second = sorted(int(self.model.geom_bodyid[geom]) for geom in contact.geom)
            touched = [i for i, bodies in enumerate(feet) if first == 0 and second in bodies]
            for i in touched:
                points[i].append(contact.pos.copy())
            if first != 0 and contact.dist < 0.0:
                others.add((self.model.body(first).name, self.model.body(second).name))
        left, right = (np.reshape(it, (-1, 3)) for it in points)
        return Contacts((left, right), sorted(others))

    def foot_clearance(self) -> float:
        """Return the height of the lowest shape of the feet that can touch the floor [m]."""
        heights = [self._height(geom) for name in self.robot.feet
                   for geom in self._shapes(name)]
        return min(heights)

    def _shapes(self, foot: str) -> List[int]:
        bodies, floor = self._carried_by(foot), self.model.geom('floor').id
        model = self.model
        return [geom for geom in range(model.ngeom) if model.geom_bodyid[geom] in bodies and (
            model.geom_contype[geom] & model.geom_conaffinity[floor]
            or model.geom_conaffinity[geom] & model.geom_contype[floor])]

    def _height(self, geom: int) -> float:
        points = np.zeros(6)
        return float(mujoco.mj_geomDistance(
            self.model, self.data, geom, self.model.geom('floor').id, 10.0, points))

    def _carried_by(self, body: str) -> List[int]:
        """Return a body and those below it."""
        top = self.model.body(body).id
        return [it for it in range(1, self.model.nbody) if self._is_above(top, it)]
