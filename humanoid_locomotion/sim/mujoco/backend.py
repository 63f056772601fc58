# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""MuJoCo backend on the CPU: all cores, one C call per control step of all robots."""

from __future__ import annotations

import copy
import os
from typing import Any, Dict, List, Mapping, Optional, Sequence

import mujoco
from mujoco import rollout
import numpy as np

from humanoid_locomotion.core.arrays import Array
from humanoid_locomotion.core.errors import MissingPackageError, SimulationError
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.state import JointTargets, RobotState
from humanoid_locomotion.sim.backend import (
    PhysicsSpec,
    PhysicsVariation,
    ResetState,
    SimBackend,
    Terrain,
    Truth,
)
from humanoid_locomotion.sim.mujoco.model import ModelVariations, MujocoLayout, build_model

if not hasattr(rollout, 'Rollout'):
    raise MissingPackageError('the backend mujoco', 'mujoco>=3.3', 'it needs Python 3.9 or newer')


class MujocoBackend(SimBackend):
    """Steps robots with MuJoCo's multithreaded rollout, one control step per call.

    Attributes:
        model: The compiled model, before any variation; for viewers and renderers.
    """

    has_terrain = True

    def __init__(self, robot: RobotSpec, num_envs: int, physics: PhysicsSpec,
                 joints: Sequence[Any], device: str = 'cpu', deterministic: bool = True,
                 terrain: Optional[Terrain] = None):
        if device not in ('auto', 'cpu'):
            raise SimulationError(f'the backend mujoco runs on the CPU, found device {device!r}; '
                                  'mujoco_warp runs on a GPU')
        self.robot, self.num_envs, self.physics = robot, num_envs, physics
        self.terrain = terrain
        self.joint_names = [joint.name for joint in joints]
        self.model = build_model(robot, physics, joints, terrain)
        self._layout = MujocoLayout(self.model, robot, joints, terrain)
        self._models: List[mujoco.MjModel] = [self.model] * num_envs
        threads = max(1, min(os.cpu_count() or 1, num_envs))
        self._rollout = rollout.Rollout(nthread=threads if threads > 1 else 0)
        self._workers = [mujoco.MjData(self.model) for _ in range(threads)]
        full = mujoco.mjtState.mjSTATE_FULLPHYSICS
        size = mujoco.mj_stateSize(self.model, full)
        # Full physics state: time, qpos, qvel (and act, which position controllers do not have).
        self._states = np.zeros((num_envs, size))
        self._trajectory = np.zeros((num_envs, physics.substeps, size))
        self._sensors = np.zeros((num_envs, physics.substeps, self.model.nsensordata))
        self._measured = np.zeros((num_envs, self._layout.num_measured))
        self.reset(np.ones(num_envs, bool), self.default_state())

    @property
    def qpos(self) -> np.ndarray:
        """MuJoCo's generalised positions (num_envs, nq), for viewers and renderers."""
        return self._states[:, 1:1 + self.model.nq]

    @property
    def _qvel(self) -> np.ndarray:
        start = 1 + self.model.nq
        return self._states[:, start:start + self.model.nv]

    def reset(self, mask: Array, state: ResetState) -> None:
        """See :class:`SimBackend`."""
        mask = np.asarray(mask)
        as_numpy = ResetState(**{key: np.asarray(value) for key, value in vars(state).items()})
        qpos, qvel = self._layout.qpos_qvel(as_numpy)
        self.qpos[mask], self._qvel[mask] = qpos[mask], qvel[mask]
        self._measured[mask] = 0.0

    def step(self, targets: JointTargets) -> None:
        """See :class:`SimBackend`."""
        control = self._layout.control(np.asarray(targets.positions, np.float64))
        self._rollout.rollout(
            self._models, self._workers, self._states, control[:, None],
            nstep=self.physics.substeps, state=self._trajectory, sensordata=self._sensors,
            control_spec=mujoco.mjtState.mjSTATE_CTRL)
        self._states[...] = self._trajectory[:, -1]
        self._measured[...] = self._layout.measured(self._sensors)

    def state(self) -> RobotState:
        """See :class:`SimBackend`."""
        return self._layout.state(
            self.qpos.astype(np.float32), self._qvel.astype(np.float32))

    def truth(self) -> Truth:
        """See :class:`SimBackend`."""
        return self._layout.truth(
            self.qpos.astype(np.float32), self._qvel.astype(np.float32),
            self._measured.astype(np.float32))

    def add_base_velocity(self, linear: Array, angular: Array) -> None:
        """See :class:`SimBackend`."""
        self._qvel[:, :3] += np.asarray(linear)
        self._qvel[:, 3:6] += np.asarray(angular)

    def randomize(self, variation: PhysicsVariation) -> None:
        """See :class:`SimBackend`."""
        variations = ModelVariations(self.model, self.robot, variation)
        self._models = [copy.copy(self.model) for _ in range(self.num_envs)]
        for i, model in enumerate(self._models):
            variations.apply(model, i)

    def snapshot(self) -> Dict[str, Array]:
        """See :class:`SimBackend`."""
        return {'states': self._states.copy(), 'measured': self._measured.copy()}

    def restore(self, snapshot: Mapping[str, Array]) -> None:
        """See :class:`SimBackend`."""
        self._states[...] = np.asarray(snapshot['states'])
        self._measured[...] = np.asarray(snapshot['measured'])

    def close(self) -> None:
        """Stop the threads."""
        self._rollout.close()
