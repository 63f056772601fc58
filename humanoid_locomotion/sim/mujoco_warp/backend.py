# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""MuJoCo Warp: MuJoCo's physics for thousands of robots on one NVIDIA GPU (or slowly, a CPU).

Warp and PyTorch share memory, so the arrays of the interface are views of the simulator's arrays,
and a step never waits for the host: it can be captured in a CUDA graph.
"""

from __future__ import annotations

import contextlib
import copy
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

import mujoco_warp as mjw
import numpy as np
import torch
import warp as wp

from humanoid_locomotion.core.arrays import Array
from humanoid_locomotion.core.errors import SimulationError
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
from humanoid_locomotion.sim.mujoco.model import (
    VARIED_FIELDS,
    ModelVariations,
    MujocoLayout,
    build_model,
)
from humanoid_locomotion.sim.mujoco_warp import memory
from humanoid_locomotion.sim.mujoco_warp.deterministic import CanonicalOrder
from humanoid_locomotion.sim.mujoco_warp.kernels import KernelBuild, build_kernels

# Warnings about contacts or constraints that were dropped because the arrays are full.
OUT_OF_ROOM = int(mjw.OverflowType.ALL
                  & ~(mjw.OverflowType.ITERATIONS | mjw.OverflowType.LS_ITERATIONS))
# Up to this number the solver runs all its iterations: with thousands of robots some need the last
# one anyway, and checking for convergence before each costs more than it saves. The deterministic
# mode was validated with the loop that checks, and keeps it.
PLAIN_ITERATIONS = 10


class MujocoWarpBackend(SimBackend):
    """Steps one model in ``num_envs`` worlds."""

    has_terrain = True

    def __init__(self, robot: RobotSpec, num_envs: int, physics: PhysicsSpec,
                 joints: Sequence[Any], device: str = 'auto', deterministic: bool = False,
                 terrain: Optional[Terrain] = None):
        wp.config.log_level = wp.LOG_WARNING
        wp.init()
        self.robot, self.num_envs, self.physics = robot, num_envs, physics
        self.terrain = terrain
        self.joint_names = [joint.name for joint in joints]
        if device == 'auto':
            device = 'cuda' if torch.cuda.is_available() else 'cpu'
        chosen = torch.device(device)
        if chosen.type == 'cuda' and not torch.cuda.is_available():
            raise SimulationError(f'device {device!r}: PyTorch {torch.__version__} can use no '
                                  'GPU; see nvidia-smi, or take auto or cpu')
        if chosen.type == 'cuda' and chosen.index is None:
            chosen = torch.device('cuda', torch.cuda.current_device())
        self.device = str(chosen)
        self._wp_device = wp.device_from_torch(chosen)
        self._host_model = build_model(robot, physics, joints, terrain)
        self._layout = MujocoLayout(self._host_model, robot, joints, terrain)
        self._model, self._data = memory.put(
            self._host_model, physics, num_envs, self._wp_device)
        self._model.opt.graph_conditional = False
        self._qpos = wp.to_torch(self._data.qpos)
        self._qvel = wp.to_torch(self._data.qvel)
        self._ctrl = wp.to_torch(self._data.ctrl)
        self._sensordata = wp.to_torch(self._data.sensordata)
        self._sensors = self._sensordata.new_zeros(
            num_envs, physics.substeps, self._host_model.nsensordata)
        self._measured = self._sensordata.new_zeros(num_envs, self._layout.num_measured)
        # The solver is warm-started with the last accelerations.
        self._carried = {'qpos': self._qpos, 'qvel': self._qvel, 'measured': self._measured,
                         'warm_start': wp.to_torch(self._data.qacc_warmstart)}
        self._overflow = wp.to_torch(self._data.overflow)
        self._overflow.zero_()
        # Required before a capture: buffers of the deterministic mode, loaded modules.
        self._captured: List[wp.Graph] = []
        # Reaching the iteration limit of the solver is intended, not a fault.
        self._model.opt.warn_overflow = OUT_OF_ROOM
        if deterministic:
            self._model.opt.deterministic = True
            order = CanonicalOrder(self._model, self._data)
            self._model.callback.contactfilter = order.sort_contacts
            self._model.callback.control = order.sort_rows
        self._kernels: Optional[KernelBuild] = None
        if self._wp_device.is_cuda:
            self._kernels = build_kernels(self._physics_step, self._wp_device)
        # Only now, since a loop until convergence would not end while no kernel runs.
        self._model.opt.graph_conditional = (
            deterministic or physics.solver_iterations > PLAIN_ITERATIONS)
        everyone = torch.ones(num_envs, dtype=torch.bool, device=self.device)
        self.reset(everyone, self.default_state())
        if deterministic:
            self._check_deterministic()
            self.reset(everyone, self.default_state())

    @classmethod
    def memory_per_robot(cls, robot: RobotSpec, physics: PhysicsSpec, joints: Sequence[Any],
                         terrain: Optional[Terrain] = None) -> int:
        """Return the size of the arrays of one robot [bytes]; nothing is made on a GPU."""
        wp.config.log_level = wp.LOG_WARNING
        return memory.bytes_per_robot(build_model(robot, physics, joints, terrain), physics)

    @staticmethod
    def has_gpu() -> bool:
        """Return whether there is a GPU; compiling for a CPU would take minutes."""
        return torch.cuda.is_available()

    def reset(self, mask: Array, state: ResetState) -> None:
        """See :class:`SimBackend`."""
        mask = self._tensor(mask)[:, None]
        qpos, qvel = self._layout.qpos_qvel(ResetState(
            **{key: self._tensor(value) for key, value in vars(state).items()}))
        new = {'qpos': qpos, 'qvel': qvel}
        for name, held in self._carried.items():
            held.copy_(torch.where(mask, new.get(name, torch.zeros_like(held)), held))

    def step(self, targets: JointTargets) -> None:
        """See :class:`SimBackend`."""
        if self._kernels is not None:
            self._kernels.wait()
        self._ctrl.copy_(self._layout.control(self._tensor(targets.positions)))
        with self._stream_of_torch():
            for sensors in self._sensors.unbind(1):
                mjw.step(self._model, self._data)
                sensors.copy_(self._sensordata)
        self._measured.copy_(self._layout.measured(self._sensors))

    def state(self) -> RobotState:
        """See :class:`SimBackend`."""
        return self._layout.state(self._qpos, self._qvel)

    def truth(self) -> Truth:
        """See :class:`SimBackend`."""
        return self._layout.truth(self._qpos, self._qvel, self._measured)

    def add_base_velocity(self, linear: Array, angular: Array) -> None:
        """See :class:`SimBackend`."""
        self._qvel[:, :3] += self._tensor(linear)
        self._qvel[:, 3:6] += self._tensor(angular)

    def randomize(self, variation: PhysicsVariation) -> None:
        """See :class:`SimBackend`; MuJoCo computes the values on the host, per robot."""
        model = copy.copy(self._host_model)
        variations = ModelVariations(self._host_model, self.robot, variation)
        rows: Dict[str, List[np.ndarray]] = {name: [] for name in VARIED_FIELDS}
        for i in range(self.num_envs):
            variations.apply(model, i)
            for name in VARIED_FIELDS:
                rows[name].append(getattr(model, name).copy())
        for name, values in rows.items():
            field = wp.to_torch(getattr(self._model, name))
            stacked = torch.as_tensor(np.stack(values), dtype=torch.float32)
            field.copy_(stacked.reshape(field.shape))

    def snapshot(self) -> Dict[str, Array]:
        """See :class:`SimBackend`."""
        return {name: tensor.clone() for name, tensor in self._carried.items()}

    def restore(self, snapshot: Mapping[str, Array]) -> None:
        """See :class:`SimBackend`."""
        for name, tensor in self._carried.items():
            tensor.copy_(self._tensor(snapshot[name]))

    def overflow(self) -> Array:
        """See :class:`SimBackend`."""
        return (self._overflow & OUT_OF_ROOM) != 0

    def room_used(self) -> Dict[str, Array]:
        """See :class:`SimBackend`."""
        return {'constraints': wp.to_torch(self._data.nefc).max(),
                'contacts': wp.to_torch(self._data.nacon)[0] / self.num_envs}

    def _physics_step(self) -> None:
        with wp.ScopedDevice(self._wp_device):
            mjw.step(self._model, self._data)

    @contextlib.contextmanager
    def _stream_of_torch(self) -> Iterator[None]:
        """Launch Warp's kernels on PyTorch's current stream, and into its CUDA graph.

        Warp must be informed of a capture that PyTorch began: only then is a loop that ends
        early, such as the solver's, recorded as a conditional node of the graph.
        """
        if not self._wp_device.is_cuda:
            with wp.ScopedDevice(self._wp_device):
                yield
            return
        stream = wp.stream_from_torch(torch.cuda.current_stream(self.device))
        with wp.ScopedStream(stream, sync_enter=False):
            if not torch.cuda.is_current_stream_capturing():
                yield
                return
            wp.capture_begin(stream=stream, external=True)
            try:
                yield
            finally:
                self._captured.append(wp.capture_end(stream=stream))

    def _check_deterministic(self) -> None:
        """Run one step, since too little memory for the ordered sums is only reported then."""
        try:
            self.step(JointTargets(self.state().joint_positions.clone()))
        except RuntimeError as error:
            raise SimulationError(
                f'MuJoCo Warp has no deterministic mode for {self.num_envs} robots with '
                f'{self.physics.max_constraints} constraints: {error}; use fewer robots '
                '(run.num_envs) or a smaller physics.max_constraints') from error

    def _tensor(self, value: Array) -> torch.Tensor:
        return torch.as_tensor(value, device=self.device)
