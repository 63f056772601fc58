# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A fake simulator for tests: joints are masses on springs, the base floats and only drifts."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Dict, Mapping, Sequence

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.action import pd_torque
from humanoid_locomotion.core.arrays import Array
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.state import JointTargets, RobotState
from humanoid_locomotion.sim.backend import (
    PhysicsSpec,
    PhysicsVariation,
    ResetState,
    SimBackend,
    Truth,
    all_joints,
)

INERTIA = 1.0  # of every joint [kg m^2]; large enough for the step to be stable


class FakeBackend(SimBackend):
    """A backend whose joints follow the PD law exactly; the robots never fall."""

    def __init__(self, robot: RobotSpec, num_envs: int, physics: PhysicsSpec,
                 joints: Sequence[Any], device: str = 'cpu', deterministic: bool = True):
        all_joints(robot, joints)
        names = [joint.name for joint in joints]
        self.robot, self.num_envs, self.physics = robot, num_envs, physics
        self.joint_names = names
        self._nominal = [np.tile(np.array([getattr(j, key) for j in joints], np.float32),
                                 (num_envs, 1)) for key in ('kp', 'kd', 'effort')]
        self._gains = list(self._nominal)
        self._torque = np.zeros((num_envs, len(names)), np.float32)
        self._now = self.default_state()

    def reset(self, mask: Array, state: ResetState) -> None:
        """See :class:`SimBackend`."""
        mask = np.asarray(mask)
        for field in fields(ResetState):
            getattr(self._now, field.name)[mask] = np.asarray(getattr(state, field.name))[mask]
        self._torque[mask] = 0.0

    def step(self, targets: JointTargets) -> None:
        """See :class:`SimBackend`."""
        now, dt = self._now, self.physics.timestep
        targets = JointTargets(np.asarray(targets.positions))
        for _ in range(self.physics.substeps):
            self._torque = pd_torque(
                targets, now.joint_positions, now.joint_velocities, *self._gains)
            now.joint_velocities[...] += self._torque * (dt / INERTIA)
            now.joint_positions[...] += now.joint_velocities * dt
            now.base_position[...] += now.base_linear_velocity * dt
            turn = rotations.small_rotation(now.base_angular_velocity * dt)
            now.base_orientation[...] = rotations.normalize(
                rotations.multiply(now.base_orientation, turn))

    def state(self) -> RobotState:
        """See :class:`SimBackend`."""
        now = self._now
        return RobotState(
            now.joint_positions.copy(), now.joint_velocities.copy(),
            now.base_orientation.copy(), now.base_angular_velocity.copy(),
            now.base_position.copy(), self._velocity_in_base())

    def truth(self) -> Truth:
        """See :class:`SimBackend`; the soles are straight below the base, half the weight each."""
        now, n = self._now, self.num_envs
        soles = np.repeat(now.base_position[:, None], 2, axis=1).astype(np.float32)
        soles[:, :, 2] -= self.robot.base_height
        velocities = np.repeat(now.base_linear_velocity[:, None], 2, axis=1)
        normals = np.tile(np.array([0, 0, 1], np.float32), (n, 2, 1))
        load = np.full((n, 2), 220.0, np.float32)
        slips = np.linalg.norm(velocities[..., :2], axis=-1)
        return Truth(now.base_position.copy(), self._velocity_in_base(), soles, velocities,
                     normals, load, load.copy(), slips, self._torque.copy())

    def _velocity_in_base(self) -> np.ndarray:
        now = self._now
        velocity: np.ndarray = rotations.rotate_inverse(
            now.base_orientation, now.base_linear_velocity)
        return velocity

    def add_base_velocity(self, linear: Array, angular: Array) -> None:
        """See :class:`SimBackend`."""
        self._now.base_linear_velocity[...] += np.asarray(linear)
        self._now.base_angular_velocity[...] += np.asarray(angular)

    def snapshot(self) -> Dict[str, Array]:
        """See :class:`SimBackend`."""
        return {'torque': self._torque.copy(),
                **{name: value.copy() for name, value in vars(self._now).items()}}

    def restore(self, snapshot: Mapping[str, Array]) -> None:
        """See :class:`SimBackend`."""
        for name, value in {**vars(self._now), 'torque': self._torque}.items():
            value[...] = np.asarray(snapshot[name])

    def randomize(self, variation: PhysicsVariation) -> None:
        """See :class:`SimBackend`. Only gains have an effect."""
        for i, scale in enumerate((variation.kp_scale, variation.kd_scale)):
            factor = 1.0 if scale is None else np.asarray(scale, np.float32)
            self._gains[i] = self._nominal[i] * factor
