# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""One simulation: MuJoCo in every environment, behind buffers that age and setters that wait."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

import isaacgym
from isaacgym import assets
from isaacgym.structs import (
    ContactCollection,
    DofDriveMode,
    Env,
    PlaneParams,
    RigidBodyProperties,
    RigidShapeProperties,
    Sim,
    SimParams,
    SimType,
    Tensor,
    Transform,
    UpAxis,
    Vec3,
    array,
)
import mujoco
import numpy as np


def blame(text: str) -> None:
    """Write down what the real one forbids."""
    isaacgym.violations.append(text)


class Actor:
    """A robot in its environment."""

    def __init__(self, model: assets.Model, place: Transform, group: int, mask: int):
        self.model, self.place, self.group = model, place, group
        self.dofs = model.dof_properties()
        self.bodies: List[RigidBodyProperties] = [link.weight() for link in model.links]
        self.shapes: List[RigidShapeProperties] = []
        for _ in range(model.num_shapes):
            shape = RigidShapeProperties()
            shape.filter = max(mask, 0)
            self.shapes.append(shape)


class Place(Env):
    """An environment, once created."""

    def __init__(self, world: 'World', lower: Vec3, upper: Vec3, per_row: int):
        self.world, self.number = world, len(world.envs)
        row, column = divmod(self.number, per_row)
        extent = array(upper) - array(lower)
        self.origin = np.array([column * extent[0], row * extent[1], 0.0])
        self.actors: List[Actor] = []
        self.model: Any = None
        self.data: Any = None


class World(Sim):
    """A simulation, once created."""

    def __init__(self, kind: SimType, params: SimParams, graphics: int):
        self.kind, self.params, self.graphics = kind, params, graphics
        self.envs: List[Place] = []
        self.plane: Optional[PlaneParams] = None  # or a mesh's parameters
        self.mesh: Optional[assets.Mesh] = None
        self.prepared = self.destroyed = False
        self.unfetched = False
        self.buffers: Dict[str, np.ndarray] = {}
        self.pending: Dict[str, Tuple[Any, Any]] = {}
        self.targets: Any = None
        gravity = array(params.gravity)
        up = {UpAxis.UP_AXIS_Y: 1, UpAxis.UP_AXIS_Z: 2}[params.up_axis]
        if np.argmax(np.abs(gravity)) != up:
            blame(f'gravity {gravity} does not point along {params.up_axis.name}')
        if params.physx.contact_collection == ContactCollection.CC_ALL_SUBSTEPS:
            blame('CC_ALL_SUBSTEPS can give wrong contact forces')

    def need(self, prepared: bool, call: str) -> None:
        """Refuse a call in the wrong phase."""
        if self.destroyed:
            raise RuntimeError(f'{call}: the simulation was destroyed')
        if self.prepared is not prepared:
            raise RuntimeError('{}: {} prepare_sim'.format(
                call, 'only after' if prepared else 'too late after'))

    def prepare(self) -> bool:
        """Build every environment's model."""
        self.need(False, 'prepare_sim')
        seen: set[int] = set()
        for env in self.envs:
            (actor,) = env.actors
            at = array(actor.place.p) + env.origin
            if actor.group in seen or (actor.group < 0 and len(self.envs) > 1):
                blame('robots of several environments collide: one group')
            if any(np.linalg.norm(at[:2] - array(other.actors[0].place.p)[:2]
                                  - other.origin[:2]) < 0.5 for other in self.envs[:env.number]):
                blame('robots lie on one another: their pairs fill the broad phase')
            seen.add(actor.group)
            env.model = mujoco.MjModel.from_xml_string(actor.model.mjcf(
                actor.dofs, actor.bodies, actor.shapes, self.params, self.plane, self.mesh))
            env.data = mujoco.MjData(env.model)
            turn = actor.place.r
            env.data.qpos[:3] = array(actor.place.p)
            env.data.qpos[3:7] = turn.w, turn.x, turn.y, turn.z
            env.contacts = np.zeros((env.model.nbody - 1, 3))
        self.dofs, self.links = self.envs[0].model.nv - 6, self.envs[0].model.nbody - 1
        self.targets = np.zeros((len(self.envs), self.dofs))
        self.prepared = True
        return True

    def acquire(self, name: str) -> Optional[Tensor]:
        """Give a buffer; nothing is in it before it is refreshed. PhysX only."""
        self.need(True, 'acquire_' + name)
        if self.kind is not SimType.SIM_PHYSX:
            return None
        n = len(self.envs)
        shape = {'root': (n, 13), 'dof': (n * self.dofs, 2), 'bodies': (n * self.links, 13),
                 'contacts': (n * self.links, 3)}[name]
        buffer = self.buffers.setdefault(name, np.full(shape, np.nan, np.float32))
        return Tensor(buffer, shape)

    def refresh(self, name: str) -> bool:
        """Bring a buffer up to date."""
        self.need(True, 'refresh_' + name)
        if name in self.pending:
            blame(f'refresh of {name} between its setter and simulate gives old figures')
        if self.unfetched:
            blame('refresh on the CPU pipeline without fetch_results')
            return True
        if name in self.buffers:
            self.buffers[name][...] = np.concatenate(
                [getattr(self, '_read_' + name)(env) for env in self.envs])
        return True

    def _read_root(self, env: Place) -> np.ndarray:
        return self._moving(env)[:1]

    def _read_bodies(self, env: Place) -> np.ndarray:
        return self._moving(env)

    def _moving(self, env: Place) -> np.ndarray:
        """Give every link's pose and its centre of mass's velocity, in the environment's frame."""
        model, data = env.model, env.data
        for compute in (mujoco.mj_kinematics, mujoco.mj_comPos, mujoco.mj_comVel):
            compute(model, data)
        rows, spin = np.zeros((self.links, 13)), data.cvel[1:, :3]
        rows[:, :3], rows[:, 3:7] = data.xpos[1:], data.xquat[1:, [1, 2, 3, 0]]
        arms = data.xipos[1:] - data.subtree_com[model.body_rootid[1:]]
        rows[:, 7:10], rows[:, 10:13] = data.cvel[1:, 3:] + np.cross(spin, arms), spin
        return rows

    def _read_dof(self, env: Place) -> np.ndarray:
        return np.stack((env.data.qpos[7:], env.data.qvel[6:]), -1)

    def _read_contacts(self, env: Any) -> np.ndarray:
        return np.asarray(env.contacts)

    def set(self, name: str, tensor: Tensor, indices: Optional[Tensor] = None,
            count: int = 0) -> bool:
        """Keep a setter's arguments until simulate; of two calls the last one counts."""
        self.need(True, 'set_' + name)
        values = tensor.owner()
        if values is None or (indices is not None and indices.owner() is None):
            blame(f'set_{name}: a tensor was freed before the call')
            return True
        wanted = {'root': len(self.envs) * 13, 'dof': len(self.envs) * self.dofs * 2}.get(
            name, len(self.envs) * self.dofs)
        if str(values.dtype) != 'torch.float32' or values.numel() != wanted:
            raise TypeError(f'set_{name}: wants the whole buffer, {wanted} float32, '
                            f'was given {values.numel()} {values.dtype}')
        if indices is not None:
            rows = indices.owner()
            if str(rows.dtype) != 'torch.int32' or rows.numel() != count:
                raise TypeError(f'set_{name}: wants {count} int32 actor indices, '
                                f'was given {rows.numel()} {rows.dtype}')
            if rows.unique().numel() != count or not (0 <= rows.min() <= rows.max()
                                                      < len(self.envs)):
                raise ValueError(f'set_{name}: no actors: {rows.tolist()}')
        if name in self.pending:
            blame(f'set_{name} twice before simulate: the first call is lost')
        self.pending[name] = (tensor, indices)
        return True

    def _take(self, name: str) -> Any:
        """Give a pending setter's values and rows."""
        tensor, indices = self.pending.pop(name, (None, None))
        if tensor is None:
            return None, []
        values = tensor.owner()
        rows = None if indices is None else indices.owner()
        if values is None or (indices is not None and rows is None):
            blame(f'set_{name}: a tensor was freed before simulate read it')
            return None, []
        everyone = list(range(len(self.envs)))
        whole = values.detach().numpy().reshape(len(self.envs), -1).astype(np.float64)
        return whole, everyone if rows is None else rows.tolist()

    def simulate(self) -> None:
        """Advance by dt, substep by substep."""
        self.need(True, 'simulate')
        if self.unfetched:
            blame('simulate on the CPU pipeline without fetch_results')
        root, rows = self._take('root')
        for i in rows:
            self._place_base(self.envs[i], root[i])
        dof, rows = self._take('dof')
        for i in rows:
            data = self.envs[i].data
            data.qpos[7:], data.qvel[6:] = dof[i].reshape(-1, 2).T
            data.qacc_warmstart[:] = 0.0
        goals, rows = self._take('goals')
        if rows:
            self.targets[...] = goals
        force, rows = self._take('force')
        for env in self.envs:
            self._step(env, force[env.number] if rows else np.zeros(self.dofs))
        for buffer in self.buffers.values():
            buffer[...] = np.nan  # so that nobody takes an old figure for a new one
        self.unfetched = not self.params.use_gpu_pipeline

    def _place_base(self, env: Place, row: np.ndarray) -> None:
        """Write a root state: the velocity is the centre of mass's."""
        if not np.isfinite(row).all() or abs(np.linalg.norm(row[3:7]) - 1.0) > 1e-3:
            raise RuntimeError(f'a root state that is none: {row}')
        quaternion, turn = row[[6, 3, 4, 5]], np.zeros(9)
        mujoco.mju_quat2Mat(turn, quaternion)
        matrix = turn.reshape(3, 3)
        arm = matrix @ array(env.actors[0].bodies[0].com)
        data = env.data
        data.qpos[:3], data.qpos[3:7] = row[:3], quaternion
        data.qvel[:3] = row[7:10] - np.cross(row[10:13], arm)
        data.qvel[3:6] = matrix.T @ row[10:13]
        data.qacc_warmstart[:] = 0.0

    def _step(self, env: Any, force: np.ndarray) -> None:
        model, data, (actor,) = env.model, env.data, env.actors
        modes, dofs = actor.dofs['driveMode'], actor.dofs
        pull = (dofs['stiffness'] * (self.targets[env.number] - data.qpos[7:])
                - dofs['damping'] * data.qvel[6:])
        torque = np.where(modes == int(DofDriveMode.DOF_MODE_EFFORT), force, 0.0)
        torque = np.where(modes == int(DofDriveMode.DOF_MODE_POS), pull, torque)
        options = actor.model.options
        for _ in range(self.params.substeps):
            data.qfrc_applied[6:] = torque
            mujoco.mj_step(model, data)
            spin = data.qvel[3:6] * (1.0 - options.angular_damping * model.opt.timestep)
            speed = np.linalg.norm(spin)
            data.qvel[3:6] = spin * min(1.0, options.max_angular_velocity / max(speed, 1e-9))
            data.qvel[:3] *= 1.0 - options.linear_damping * model.opt.timestep
        env.contacts[...] = 0.0
        if self.params.physx.contact_collection == ContactCollection.CC_NEVER:
            return
        six = np.zeros(6)
        for k in range(data.ncon):
            contact = data.contact[k]
            mujoco.mj_contactForce(model, data, k, six)
            push = contact.frame.reshape(3, 3).T @ six[:3]
            for geom, sign in ((contact.geom1, -1.0), (contact.geom2, 1.0)):
                body = model.geom_bodyid[geom]
                if body:
                    env.contacts[body - 1] += sign * push
