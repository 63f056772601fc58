# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Isaac Gym Preview 4: PhysX for thousands of robots, with tensors on GPU or CPU.

Isaac Gym's joint order and its velocities (of centres of mass, in the world frame) are converted
in this file. Three properties of its API determine the code: a buffer must be refreshed to be
current; a written state takes effect at the next simulate; and only the last of several calls of
one setter before it counts. Therefore the methods write into buffers, and :meth:`step` passes them
to Isaac Gym once.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.action import pd_torque
from humanoid_locomotion.core.arrays import Array
from humanoid_locomotion.core.errors import SimulationError
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.state import JointTargets, RobotState
from humanoid_locomotion.robot_models.urdf import UrdfTree
from humanoid_locomotion.sim.backend import (
    CONTACT_FORCE,
    PhysicsSpec,
    PhysicsVariation,
    ResetState,
    SimBackend,
    Terrain,
    Truth,
    all_joints,
    link_index,
)
from humanoid_locomotion.sim.isaacgym import gpu, scene
from humanoid_locomotion.sim.isaacgym.gpu import on_gpu
from humanoid_locomotion.sim.isaacgym.importing import gymapi, gymtorch, torch
from humanoid_locomotion.sim.isaacgym.spec import IsaacGymSpec
from humanoid_locomotion.sim.isaacgym.window import Window


class IsaacGymBackend(SimBackend):
    """One actor in each of ``num_envs`` environments.

    The PD law is computed here at every physics step, on torque-driven joints: it is then exactly
    that of the interface, with gains per robot and known torques. A position drive of PhysX would
    be implicit and need no code per physics step, but hide the torques.

    The robots are created at first access: friction and masses cannot be changed later.

    Args:
        viewer: Whether to open a window.
        terrain: The rough ground; None for a flat floor.
        settings: Solver and buffers of PhysX.

    Attributes:
        max_simulations: Simulations that a process may open; PhysX fails at a second one.
        bytes_per_robot: GPU memory that the simulation took, by robot [bytes]; 0 on a CPU, and
            before the start.
    """

    capturable = False  # simulate is called from the host
    has_viewer = has_terrain = True
    max_simulations = 1
    _opened = 0

    def __init__(self, robot: RobotSpec, num_envs: int, physics: PhysicsSpec,
                 joints: Sequence[Any], device: str = 'auto', deterministic: bool = False,
                 viewer: bool = False, terrain: Optional[Terrain] = None,
                 settings: Optional[IsaacGymSpec] = None):
        if deterministic:
            raise SimulationError('the backend isaacgym is not deterministic; use mujoco')
        if type(self)._opened >= self.max_simulations:
            raise SimulationError('Isaac Gym holds one simulation in a process, and this process '
                                  'has opened one before; start another process')
        settings = settings or IsaacGymSpec()
        self.terrain, self._ground = terrain, settings.ground
        self.robot, self.num_envs, self.physics = robot, num_envs, physics
        self.joint_names = [joint.name for joint in joints]
        self._joints = all_joints(robot, joints)
        self.device = gpu.torch_device(device)
        self._on_gpu = on_gpu(self.device)
        if self._on_gpu:
            gpu.check(gpu.gpu(self.device), num_envs, settings.max_contact_pairs)
        self._free_before, self.bytes_per_robot = self._free_bytes(), 0.0
        index = torch.device(self.device).index or 0
        self._gym = gymapi.acquire_gym()
        self._sim: gymapi.Sim = self._gym.create_sim(
            index, index if viewer else -1, gymapi.SIM_PHYSX,
            scene.sim_params(physics, settings, self._on_gpu))
        if self._sim is None:
            raise SimulationError('Isaac Gym could not create a simulation on '
                                  f'{self.device}; see its own output')
        type(self)._opened += 1
        self._asset = scene.load_robot_asset(self._gym, self._sim, robot)
        self._with_viewer = viewer
        self._window: Optional[Window] = None
        names = [joint.name for joint in self._joints]
        self._dof_of_joint = self._tensor(
            [self._asset.dof_names.index(name) for name in self.joint_names])
        self._joint_of_dof = self._tensor([names.index(name) for name in self._asset.dof_names])
        self._held = self._tensor(
            [joint.default for joint in self._joints[len(joints):]], torch.float32)
        damping = UrdfTree(robot.urdf_path).damping
        self._damping = self._tensor([damping[name] for name in self._asset.dof_names])
        self._variation = PhysicsVariation()
        self._gains: List[torch.Tensor] = []
        self._vary_gains(self._variation)
        self._started, self._is_open = False, True

    def randomize(self, variation: PhysicsVariation) -> None:
        """See :class:`SimBackend`. After the first access to the robots only gains can change.

        Raises:
            SimulationError: Friction or masses were changed too late.
            UnknownNameError: A payload is on a link that the robot does not have.
        """
        fixed = (variation.friction, variation.mass_scale, variation.payload,
                 variation.com_offset)
        if self._started and (variation.link_payload
                              or any(values is not None for values in fixed)):
            raise SimulationError('Isaac Gym takes friction and masses only before it starts: '
                                  'call randomize before reset, step and state')
        for name in variation.link_payload:
            link_index(name, self._asset.body_names)
        if not self._started:
            self._variation = variation
        self._vary_gains(variation)

    def _vary_gains(self, variation: PhysicsVariation) -> None:
        """Write the gains and efforts of every robot (num_envs, dofs), in Isaac Gym's order."""
        gains = []
        for key, scale in (('kp', variation.kp_scale), ('kd', variation.kd_scale),
                           ('effort', None)):
            values = np.tile([getattr(joint, key) for joint in self._joints], (self.num_envs, 1))
            if scale is not None:
                values[:, :scale.shape[1]] *= scale
            gains.append(self._tensor(values, torch.float32)[:, self._joint_of_dof])
        self._gains = gains

    def _start(self) -> None:
        """Create the robots in the default pose."""
        if self._started:
            return
        gym, sim, n, robot = self._gym, self._sim, self.num_envs, self.robot
        self._envs = envs = scene.populate(
            gym, sim, self._asset, robot, n, self._variation, self.terrain, self._ground)
        if not gym.prepare_sim(sim):
            raise SimulationError('Isaac Gym could not prepare the simulation; see its own '
                                  'output')
        handles = (gym.acquire_actor_root_state_tensor(sim), gym.acquire_dof_state_tensor(sim),
                   gym.acquire_rigid_body_state_tensor(sim),
                   gym.acquire_net_contact_force_tensor(sim))
        self._refresh()
        root, dof, bodies, contacts = (gymtorch.wrap_tensor(handle) for handle in handles)
        self._root, self._dof = root, dof.view(n, -1, 2)
        self._bodies, self._contacts = bodies.view(n, -1, 13), contacts.view(n, -1, 3)
        self._torque = torch.zeros(dof.shape[0], device=self.device)
        # The setters take int32 actor indices, which equal the rows of the buffers.
        self._actors = self._tensor(
            [gym.get_actor_index(env, 0, gymapi.DOMAIN_SIM) for env in envs], torch.int32)
        self._moved_base, self._moved_joints = (
            torch.zeros(n, dtype=torch.bool, device=self.device) for _ in range(2))
        self._handed_over: List[Any] = []
        self._origins = self._tensor(scene.origins(n, self.terrain is not None))
        self._locate_soles(scene.centres_of_mass(gym, envs))
        if self._with_viewer:
            self._window = Window(gym, sim, robot.base_height)
        self.bytes_per_robot = (self._free_before - self._free_bytes()) / n
        self._started = True
        self.reset(torch.ones(n, dtype=torch.bool, device=self.device), self.default_state())

    def _locate_soles(self, centres: Mapping[str, np.ndarray]) -> None:
        """Locate base and soles relative to the frames and centres of mass of their links."""
        tree, names, n = UrdfTree(self.robot.urdf_path), self._asset.body_names, self.num_envs
        found = [tree.in_moving_link(sole) for sole in self.robot.soles]
        feet = [names.index(link) for link, _, _ in found]
        offsets = np.array([offset for _, offset, _ in found])
        self._feet = self._tensor(feet)
        self._base_com = self._tensor(centres['base'])
        self._sole_offset = self._tensor(offsets, torch.float32)
        self._sole_from_com = self._tensor(offsets - centres['links'][feet], torch.float32)
        self._sole_normal = self._tensor(
            np.array([turn[:, 2] for _, _, turn in found]), torch.float32)
        joints = len(self.joint_names)
        self._measured = {
            name: torch.zeros(n, *shape, device=self.device) for name, shape in (
                ('sole_positions', (2, 3)), ('sole_velocities', (2, 3)),
                ('sole_normals', (2, 3)), ('sole_forces', (2,)), ('peak_sole_forces', (2,)),
                ('sole_slips', (2,)), ('joint_torques', (joints,)))}

    def reset(self, mask: Array, state: ResetState) -> None:
        """See :class:`SimBackend`."""
        self._start()
        mask, new = self._tensor(mask), {
            key: self._tensor(value, torch.float32) for key, value in vars(state).items()}
        turn = new['base_orientation']
        angular = rotations.rotate(turn, new['base_angular_velocity'])
        linear = new['base_linear_velocity'] + self._com_velocity(turn, angular)
        root = torch.cat((new['base_position'] + self._origins, turn, linear, angular), -1)
        joints = torch.stack((self._in_dof_order(new['joint_positions'], self._held),
                              self._in_dof_order(new['joint_velocities'], 0.0 * self._held)), -1)
        self._root.copy_(torch.where(mask[:, None], root, self._root))
        self._dof.copy_(torch.where(mask[:, None, None], joints, self._dof))
        self._moved_base |= mask
        self._moved_joints |= mask
        for value in self._measured.values():
            value[mask] = 0.0

    def step(self, targets: JointTargets) -> None:
        """See :class:`SimBackend`."""
        self._start()
        gym, sim = self._gym, self._sim
        wanted = JointTargets(self._in_dof_order(
            self._tensor(targets.positions, torch.float32), self._held))
        self._hand_over_state()
        torque, position, velocity = (
            self._torque.view(self.num_envs, -1), self._dof[..., 0], self._dof[..., 1])
        for tally in (self._measured['peak_sole_forces'], self._measured['sole_slips']):
            tally.fill_(0.0)
        for _ in range(self.physics.substeps):
            self._drive = pd_torque(wanted, position, velocity, *self._gains)
            torque.copy_(self._drive - self._damping * velocity)
            gym.set_dof_actuation_force_tensor(sim, gymtorch.unwrap_tensor(self._torque))
            gym.simulate(sim)
            if not self._on_gpu:
                gym.fetch_results(sim, True)
            gym.refresh_dof_state_tensor(sim)
            gym.refresh_rigid_body_state_tensor(sim)
            gym.refresh_net_contact_force_tensor(sim)
            self._watch_feet()
        gym.refresh_actor_root_state_tensor(sim)
        self._measure()
        if self._window is not None:
            self._window.draw(self._on_gpu)

    def _hand_over_state(self) -> None:
        """Pass the states written by reset, pushes and restore to Isaac Gym, one call per buffer.

        The indices must stay allocated until the next simulate, which reads them. The host needs
        their number, so the step waits for the device here.
        """
        self._handed_over.clear()
        gym = self._gym
        for write, buffer, moved in (
                (gym.set_actor_root_state_tensor_indexed, self._root, self._moved_base),
                (gym.set_dof_state_tensor_indexed, self._dof.view(-1, 2), self._moved_joints)):
            actors = self._actors[moved]
            if len(actors):
                self._handed_over += [buffer, actors]
                if not write(self._sim, gymtorch.unwrap_tensor(buffer),
                             gymtorch.unwrap_tensor(actors), len(actors)):
                    raise SimulationError('Isaac Gym refused a state; see its own output')
            moved.fill_(False)

    def _watch_feet(self) -> None:
        """Accumulate the foot quantities of one physics step."""
        feet = self._bodies[:, self._feet]
        turn, linear, angular = feet[..., 3:7], feet[..., 7:10], feet[..., 10:13]
        velocities = linear + rotations.cross(
            angular, rotations.rotate(turn, self._sole_from_com))
        # On a flat floor the contact normals are the vertical; on rough ground nearly.
        forces = self._contacts[:, self._feet, 2].clamp(min=0.0)
        kept, peak = self._measured, self._measured['peak_sole_forces']
        kept['sole_velocities'].copy_(velocities)
        kept['sole_forces'].copy_(forces)
        peak.copy_(torch.maximum(peak, forces))
        speeds = velocities[..., :2].norm(dim=-1)
        kept['sole_slips'] += speeds * (forces > CONTACT_FORCE) / self.physics.substeps

    def _measure(self) -> None:
        """Store positions of the feet and torques of the joints after the last physics step."""
        feet = self._bodies[:, self._feet]
        position, turn = feet[..., :3], feet[..., 3:7]
        for name, value in (
                ('sole_positions', position + rotations.rotate(turn, self._sole_offset)
                 - self._origins[:, None]),
                ('sole_normals', rotations.rotate(turn, self._sole_normal)),
                ('joint_torques', self._drive[:, self._dof_of_joint])):
            self._measured[name].copy_(value)

    def state(self) -> RobotState:
        """See :class:`SimBackend`."""
        self._start()
        joints, turn = self._dof[:, self._dof_of_joint], self._root[:, 3:7]
        return RobotState(
            joint_positions=joints[..., 0], joint_velocities=joints[..., 1],
            base_orientation=turn.clone(),
            base_angular_velocity=rotations.rotate_inverse(turn, self._root[:, 10:13]),
            base_position=self._root[:, :3] - self._origins,
            base_linear_velocity=self._base_velocity())

    def truth(self) -> Truth:
        """See :class:`SimBackend`; foot data are from the end of the last physics step."""
        self._start()
        base, measured = self._root[:, :3] - self._origins, {
            name: value.clone() for name, value in self._measured.items()}
        if self.terrain is not None:
            for points in (base, measured['sole_positions']):
                points[..., 2] -= self.terrain.ground(points)
        return Truth(base_position=base, base_linear_velocity=self._base_velocity(), **measured)

    def link_forces(self) -> torch.Tensor:
        """Return the contact forces on the links (num_envs, num_links, 3) [N], in the world."""
        return self._contacts

    def dof_names(self) -> List[str]:
        """Return the joints in Isaac Gym's order."""
        return self._asset.dof_names

    def body_names(self) -> List[str]:
        """Return the links in Isaac Gym's order."""
        return self._asset.body_names

    def properties(self) -> List[scene.Properties]:
        """Return what Isaac Gym says that each robot is like."""
        self._start()
        return [scene.read_properties(self._gym, env) for env in self._envs]

    def _base_velocity(self) -> torch.Tensor:
        """Return the velocity of the base link's origin, in its frame (num_envs, 3) [m/s]."""
        turn, linear, angular = self._root[:, 3:7], self._root[:, 7:10], self._root[:, 10:13]
        return rotations.rotate_inverse(turn, linear - self._com_velocity(turn, angular))

    def _com_velocity(self, turn: torch.Tensor, angular: torch.Tensor) -> torch.Tensor:
        """Return the velocity of the base's centre of mass minus that of its origin, in world."""
        return rotations.cross(angular, rotations.rotate(turn, self._base_com))

    def add_base_velocity(self, linear: Array, angular: Array) -> None:
        """See :class:`SimBackend`."""
        self._start()
        linear, angular = self._tensor(linear, torch.float32), self._tensor(angular, torch.float32)
        turn = self._root[:, 3:7]
        spin = rotations.rotate(turn, angular)
        self._root[:, 7:10] += linear + self._com_velocity(turn, spin)
        self._root[:, 10:13] += spin
        self._moved_base |= ((linear != 0.0) | (angular != 0.0)).any(-1)

    def snapshot(self) -> Dict[str, Array]:
        """See :class:`SimBackend`. The solver state of PhysX is not accessible."""
        self._start()
        return {name: value.clone() for name, value in self._carried().items()}

    def restore(self, snapshot: Mapping[str, Array]) -> None:
        """See :class:`SimBackend`."""
        self._start()
        for name, value in self._carried().items():
            value.copy_(self._tensor(snapshot[name]))
        self._moved_base.fill_(True)
        self._moved_joints.fill_(True)

    def _carried(self) -> Dict[str, torch.Tensor]:
        return {'root': self._root, 'dof': self._dof, **self._measured}

    def close(self) -> None:
        """End the simulation; the process cannot open another one."""
        if self._window is not None:
            self._window.close()
        if self._is_open:
            self._gym.destroy_sim(self._sim)
        self._window, self._is_open = None, False

    def _free_bytes(self) -> float:
        if torch.device(self.device).type != 'cuda':
            return 0.0
        return float(torch.cuda.mem_get_info(self.device)[0])

    def _refresh(self) -> None:
        gym = self._gym
        for refresh in (gym.refresh_actor_root_state_tensor, gym.refresh_dof_state_tensor,
                        gym.refresh_rigid_body_state_tensor,
                        gym.refresh_net_contact_force_tensor):
            refresh(self._sim)

    def _in_dof_order(self, commanded: torch.Tensor, held: torch.Tensor) -> torch.Tensor:
        """Return (num_envs, dofs) from values of the commanded joints and of the others."""
        everything = torch.cat((commanded, held.expand(commanded.shape[0], -1)), -1)
        return everything[:, self._joint_of_dof]

    def _tensor(self, value: Any, dtype: Any = None) -> torch.Tensor:
        return torch.as_tensor(value, dtype=dtype, device=self.device)

