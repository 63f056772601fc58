# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The test bench of the questions: robots of one simulator, driven by torques.

Each joint has a robot that moves it, and further robots have varied physics. Torques are given
through the targets, in physics steps of one: ``target = position + torque / kp``, without damping.
So an answer does not depend on how a simulator integrates its PD law.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.robot import GRAVITY, RobotSpec
from humanoid_locomotion.core.state import JointTargets
from humanoid_locomotion.robot_models.rigid_bodies import RigidBodies, rigid_bodies
from humanoid_locomotion.sim.backend import (
    PhysicsSpec,
    PhysicsVariation,
    ResetState,
    SimBackend,
)

HIGH = 3.0  # [m] height without contact to the floor
FRICTIONS = (0.3, 0.6)  # of the robots without another variation, in turn
NO_DAMPING = 1e-6  # [Nm s/rad]
UNTOUCHED = 'as described'


class Finding(NamedTuple):
    """The answer to one question."""

    question: str
    good: bool
    found: str
    expected: str


def near(question: str, found: Any, expected: float, tolerance: Any, unit: str = '',
         names: Optional[Sequence[str]] = None) -> Finding:
    """Compare values with the expected one, each within its tolerance or within a common one.

    The farthest is shown, with its name if it has one.
    """
    values = np.atleast_1d(np.asarray(found, np.float64))
    allowed = np.broadcast_to(tolerance, values.shape)
    gaps = np.where(np.isfinite(values), np.abs(values - expected) / allowed, np.inf)
    worst = int(np.argmax(gaps))
    name = f' ({names[worst]})' if names else ''
    return Finding(question, bool(gaps[worst] <= 1.0),
                   f'{values[worst]:.3g} {unit}'.strip() + name,
                   f'{expected:.3g} ± {allowed[worst]:.2g} {unit}'.strip())


@dataclass(frozen=True)
class Subjects:
    """The robots on the bench.

    Attributes:
        variation: Their physics.
        bodies: Their links, as the variation makes them.
        groups: The indices of robots with one varied property, by its name.
    """

    variation: PhysicsVariation
    bodies: RigidBodies
    groups: Dict[str, np.ndarray]


def subjects(robot: RobotSpec) -> Subjects:
    """Return one robot per joint as described, and two for each varied property."""
    bodies, joints = rigid_bodies(robot), robot.num_joints
    varied = ('masses', 'payload', 'centre of mass', 'link payload', 'kp', 'kd')
    n, links = joints + 2 * len(varied), len(bodies.names)
    groups = {name: joints + 2 * i + np.arange(2) for i, name in enumerate(varied)}
    groups[UNTOUCHED] = np.arange(joints)
    trunk, hand = bodies.names.index(robot.trunk), links - 1
    mass_scale, payload, loaded = np.ones(n), np.zeros(n), np.zeros(n)
    offset, kp, kd = np.zeros((n, 3)), np.ones((n, joints)), np.ones((n, joints))
    mass_scale[groups['masses']], kp[groups['kp']] = 1.4, 0.5
    payload[groups['payload']], offset[groups['centre of mass']] = 5.0, (0.05, -0.04, 0.06)
    loaded[groups['link payload']] = 1.0
    kd[groups['kd']] = damping_of(bodies, robot) / NO_DAMPING
    factors = np.tile(mass_scale[:, None], (1, links))
    factors[:, trunk] += payload / bodies.masses[0, trunk]
    factors[:, hand] += loaded / bodies.masses[0, hand]
    wide = replace(bodies, centres=np.repeat(bodies.centres, n, axis=0))
    friction = np.where(np.arange(n) % 2 == 0, *FRICTIONS)
    return Subjects(
        PhysicsVariation(friction, mass_scale, payload, offset, kp, kd,
                         {bodies.names[hand]: loaded}),
        wide.scaled(factors).shifted(trunk, offset), groups)


def damping_of(bodies: RigidBodies, robot: RobotSpec, share: float = 20.0) -> np.ndarray:
    """Return dampings (num_joints,) that stop each joint within ``1 / share`` seconds."""
    rest = np.array([[joint.default for joint in robot.joints]])
    return np.asarray(share / np.diag(np.linalg.inv(bodies.mass_matrix(rest)[0]))[6:])


class Bench:
    """Robots of one simulator, driven by torques.

    Args:
        open_simulator: Opens a simulator of ``num_envs`` robots, from ``num_envs``, ``physics``
            and ``joints``.
        robot: The robot.
        physics: Time steps and solver settings; a control step is one physics step here.
    """

    def __init__(self, open_simulator: Callable[..., SimBackend], robot: RobotSpec,
                 physics: PhysicsSpec):
        self.robot, self.dt = robot, physics.timestep
        self.subjects = subjects(robot)
        self.bodies, self.groups = self.subjects.bodies, self.subjects.groups
        self.n = len(self.bodies.masses)
        joints = [replace(joint, kd=NO_DAMPING) for joint in robot.joints]
        self.backend = open_simulator(
            num_envs=self.n, physics=replace(physics, substeps=1), joints=joints)
        self.backend.randomize(self.subjects.variation)
        self.rest = self.backend.default_state().joint_positions.astype(np.float64)
        self.names = robot.joint_names
        self.own = np.arange(robot.num_joints)  # joint i is moved by robot i
        self.kp, self.kd, self.effort, self.speed, self.lower, self.upper = (
            np.array([getattr(joint, key) for joint in robot.joints])
            for key in ('kp', 'kd', 'effort', 'velocity', 'lower', 'upper'))
        self.mass_at_rest = self.bodies.mass_matrix(self.rest)
        self.inverse = np.linalg.inv(self.mass_at_rest)

    def put(self, mask: Any = None, **changes: Any) -> None:
        """Reset robots to the default state, in the air unless ``base_position`` is given."""
        start = vars(self.backend.default_state())
        changes.setdefault('base_position', [0.0, 0.0, HIGH])
        self.backend.reset(np.ones(self.n, bool) if mask is None else mask, ResetState(**{
            key: np.array(np.broadcast_to(changes.get(key, value), value.shape), np.float32)
            for key, value in start.items()}))

    def push(self, torques: np.ndarray) -> None:
        """Advance by one physics step with torques (num_robots, num_joints) [Nm]."""
        goals = self.state('joint_positions') + torques / self.kp
        self.backend.step(JointTargets(goals.astype(np.float32)))

    def hold(self, steps: int, free: Any = None, pose: Any = None) -> None:
        """Hold a pose, by default the default one.

        Args:
            steps: Physics steps.
            free: Joints that get no torque (num_robots, num_joints).
            pose: Joint positions (num_robots, num_joints) [rad].
        """
        for _ in range(steps):
            goal = self.rest if pose is None else pose
            torque = (self.kp * (goal - self.state('joint_positions'))
                      - self.kd * self.state('joint_velocities'))
            torque = np.clip(torque, -self.effort, self.effort)
            self.push(torque if free is None else np.where(free, 0.0, torque))

    def state(self, name: str) -> np.ndarray:
        """Return an array of the state of all robots."""
        return _numpy(getattr(self.backend.state(), name))

    def truth(self, name: str) -> np.ndarray:
        """Return an array of the ground truth of all robots."""
        return _numpy(getattr(self.backend.truth(), name))

    def velocities(self) -> np.ndarray:
        """Return the generalized velocities (num_robots, 6 + num_joints), see `RigidBodies`."""
        return np.concatenate([self.state(name) for name in (
            'base_linear_velocity', 'base_angular_velocity', 'joint_velocities')], -1)

    def relative(self, steps: int) -> np.ndarray:
        """Return the generalized velocities relative to a free fall of some steps from rest."""
        found = self.velocities()
        fall = np.tile([0.0, 0.0, GRAVITY * self.dt * steps], (self.n, 1))
        found[:, :3] += rotations.rotate_inverse(self.state('base_orientation'), fall)
        return found

    def predicted(self, torques: np.ndarray) -> np.ndarray:
        """Return the velocities after one step with torques, from rest in the air."""
        loads = np.concatenate((np.zeros((self.n, 6)), torques), -1)
        return np.asarray(self.dt * np.einsum('nij,nj->ni', self.inverse, loads))

    def unit_torques(self) -> np.ndarray:
        """Return torques (num_joints,) [Nm] of 1 rad/s in a step, at most 0.8 of the effort."""
        torque = 1.0 / (self.dt * np.diagonal(self.inverse[0])[6:])
        return np.asarray(np.minimum(torque, 0.8 * self.effort))

    def one_each(self, values: np.ndarray) -> np.ndarray:
        """Return (num_robots, num_joints): value i for joint i of robot i, else 0."""
        table = np.zeros((self.n, len(values)))
        table[self.own, self.own] = values
        return table

    def momentum(self) -> np.ndarray:
        """Return linear and angular momentum, about the centre of mass, in the world (n, 6)."""
        matrix = self.bodies.mass_matrix(self.state('joint_positions'))
        total = np.einsum('nij,nj->ni', matrix[:, :6], self.velocities())
        mass = matrix[:, 0, 0][:, None]
        lever = np.stack((matrix[:, 5, 1], matrix[:, 3, 2], matrix[:, 4, 0]), -1) / mass
        spin = total[:, 3:] - np.cross(lever, total[:, :3])
        turn = self.state('base_orientation')
        return np.concatenate([rotations.rotate(turn, it) for it in (total[:, :3], spin)], -1)

    def energy(self) -> np.ndarray:
        """Return the kinetic energy relative to the centre of mass (num_robots,) [J]."""
        matrix, v = self.bodies.mass_matrix(self.state('joint_positions')), self.velocities()
        p = np.einsum('nij,nj->ni', matrix, v)
        whole = np.einsum('ni,ni->n', p, v) - (p[:, :3] ** 2).sum(-1) / matrix[:, 0, 0]
        return np.asarray(0.5 * whole)


def _numpy(array: Any) -> np.ndarray:
    """Return a NumPy array of double precision from one of NumPy or PyTorch."""
    return np.array(array.cpu().numpy() if hasattr(array, 'cpu') else array, np.float64)
