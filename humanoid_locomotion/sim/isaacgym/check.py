# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Checks that an installed Isaac Gym behaves as the backend expects, with moving robots.

The unit tests of the package run on a fake of Isaac Gym. This module measures the properties of
the real one: velocity conventions, orders, contacts, friction, and the imported masses.
"""

from __future__ import annotations

import platform
import sys
from typing import Any, Dict, List, NamedTuple, Sequence

import numpy as np

from humanoid_locomotion.core.robot import GRAVITY, RobotSpec
from humanoid_locomotion.core.state import JointTargets
from humanoid_locomotion.sim.backend import PhysicsSpec, PhysicsVariation, ResetState
from humanoid_locomotion.sim.isaacgym.backend import IsaacGymBackend
from humanoid_locomotion.sim.isaacgym.importing import torch

SLIPPERY = 0.3
HIGH = 3.0  # [m] height without contact to the floor
SETTLE = 15  # control steps


class Finding(NamedTuple):
    """Result of one check."""

    question: str
    good: bool
    found: str
    expected: str


def versions() -> Dict[str, str]:
    """Return the versions of Isaac Gym, PyTorch and GPU."""
    isaacgym = sys.modules['isaacgym']
    stand_in = ' (a stand-in for tests)' if getattr(isaacgym, 'IS_FAKE', False) else ''
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else 'none'
    return {'Isaac Gym': f'{next(iter(isaacgym.__path__))}{stand_in}',
            'Python': platform.python_version(), 'NumPy': np.__version__,
            'PyTorch': f'{torch.__version__}, CUDA {torch.version.cuda}', 'GPU': gpu}


class Examination:
    """The checks, in one simulation with one robot per joint."""

    def __init__(self, robot: RobotSpec, physics: PhysicsSpec, joints: Sequence[Any],
                 device: str, viewer: bool = False):
        self.robot, self.physics, self._n = robot, physics, len(joints)
        self.backend = IsaacGymBackend(robot, self._n, physics, joints, device, viewer=viewer)
        self.backend.randomize(PhysicsVariation(friction=np.full(self._n, SLIPPERY)))
        self._everyone = np.ones(self._n, bool)

    def findings(self) -> List[Finding]:
        """Run all checks."""
        return [self.masses(), self.free_fall(), self.heading(), self.link_velocity(),
                self.joint_order(), self.one_reset(), self.kick(), self.weight(),
                self.friction()]

    def masses(self) -> Finding:
        """Check the imported masses."""
        total = sum(self.backend.link_masses().values())
        return Finding('mass of all links', abs(total / self.robot.mass - 1.0) < 1e-3,
                       f'{total:.3f} kg', f'{self.robot.mass:.3f} kg')

    def free_fall(self) -> Finding:
        """Check gravity, its direction, and that the base is not damped."""
        self._put(base_position=[0.0, 0.0, HIGH])
        self._hold(5)
        expected = -GRAVITY * 5 * self.physics.control_period
        speed = self._state('base_linear_velocity')[:, 2]
        return _near('speed after a free fall', speed, expected, 0.03 * abs(expected), 'm/s')

    def heading(self) -> Finding:
        """Check that quaternions are x, y, z, w and velocities are in the world frame."""
        self._put(base_position=[0.0, 0.0, HIGH],
                  base_orientation=[0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)],
                  base_linear_velocity=[0.0, 1.0, 0.0])
        self._hold(1)
        return _near('speed ahead of a robot that faces and moves along y',
                     self._state('base_linear_velocity')[:, 0], 1.0, 0.05, 'm/s')

    def link_velocity(self) -> Finding:
        """Check that root velocities are those of the centre of mass: the origin must stay."""
        self._put(base_position=[0.0, 0.0, HIGH], base_angular_velocity=[0.0, 2.0, 0.0])
        self._hold(1)
        moved = 1e3 * self._state('base_position')[:, 0]
        below = abs(float(self.backend.base_centre_of_mass()[2]))
        wrong = 1e3 * 2.0 * below * self.physics.control_period
        return _near('drift of a base that turns about its origin', moved, 0.0, 0.4 * wrong, 'mm')

    def joint_order(self) -> Finding:
        """Check the joint order by moving each joint, in one robot each."""
        self._put(base_position=[0.0, 0.0, HIGH])
        rest = self.backend.default_state().joint_positions
        room = 0.5 * np.array([joint.lower + joint.upper for joint in self._joints()]) - rest[0]
        goals = rest + np.diag(np.where(room < 0.0, -0.2, 0.2)).astype(np.float32)
        self._hold(5, goals)
        moved = np.abs(self._state('joint_positions') - rest)
        wrong = [name for i, name in enumerate(self.backend.joint_names)
                 if moved[i].argmax() != i]
        return Finding('the joint that moves is the commanded one', not wrong,
                       f'all {self._n}' if not wrong else f'others: {wrong}', f'all {self._n}')

    def one_reset(self) -> Finding:
        """Check that a reset changes exactly the selected robots."""
        self._put(base_position=[0.0, 0.0, HIGH])
        self._hold(2)
        chosen = np.arange(self._n) % 2 == 0
        start = self._start(base_position=[0.5, 0.0, HIGH])
        self.backend.reset(chosen, start)
        self._hold(1)
        x = self._state('base_position')[:, 0]
        right = (np.abs(x - 0.5) < 0.02) == chosen
        return Finding('robots moved by a reset of every second one', bool(right.all()),
                       f'{int((np.abs(x - 0.5) < 0.02).sum())}', f'{int(chosen.sum())}')

    def kick(self) -> Finding:
        """Check that a push changes the velocity."""
        self._put(base_position=[0.0, 0.0, HIGH])
        self._hold(1)
        push = np.tile(np.array([[0.0, 0.7, 0.0]], np.float32), (self._n, 1))
        before = self._state('base_position')[:, 1]
        self.backend.add_base_velocity(push, 0.0 * push)
        self._hold(1)
        speed = (self._state('base_position')[:, 1] - before) / self.physics.control_period
        return _near('speed after a kick of 0.7 m/s', speed, 0.7, 0.25, 'm/s')

    def weight(self) -> Finding:
        """Check the contact forces: the soles carry the weight of the robot."""
        self._put()
        self._hold(SETTLE)
        force = self._truth('sole_forces').sum(axis=1)
        expected = GRAVITY * self.robot.mass
        return _near('force on the soles of a standing robot', force, expected,
                     0.1 * expected, 'N')

    def friction(self) -> Finding:
        """Check how PhysX combines two friction coefficients, with sliding feet."""
        self._put(base_linear_velocity=[0.0, 1.5, 0.0])
        ratios = []
        for _ in range(6):
            self._hold(1)
            force = self.backend.foot_forces().cpu().numpy()
            speed = np.linalg.norm(self._truth('sole_velocities')[..., :2], axis=-1)
            sliding = (force[..., 2] > 50.0) & (speed > 0.3)
            ratios += list((np.linalg.norm(force[..., :2], axis=-1)
                            / np.maximum(force[..., 2], 1.0))[sliding])
        found = np.array(ratios or [np.nan])
        return _near(f'friction of sliding feet ({len(ratios)} samples)', found, SLIPPERY,
                     0.06, '')

    def _joints(self) -> List[Any]:
        by_name = {joint.name: joint for joint in self.robot.joints}
        return [by_name[name] for name in self.backend.joint_names]

    def _start(self, **changes: Any) -> ResetState:
        start = vars(self.backend.default_state())
        return ResetState(**{
            key: np.array(np.broadcast_to(changes.get(key, value), value.shape), np.float32)
            for key, value in start.items()})

    def _put(self, **changes: Any) -> None:
        self.backend.reset(self._everyone, self._start(**changes))

    def _hold(self, steps: int, goals: Any = None) -> None:
        rest = self.backend.default_state().joint_positions
        for _ in range(steps):
            self.backend.step(JointTargets(rest if goals is None else goals))

    def _state(self, name: str) -> np.ndarray:
        return np.array(getattr(self.backend.state(), name).cpu().numpy())

    def _truth(self, name: str) -> np.ndarray:
        return np.array(getattr(self.backend.truth(), name).cpu().numpy())


def _near(question: str, found: np.ndarray, expected: float, tolerance: float,
          unit: str) -> Finding:
    """Compare the median over the robots with the expected value."""
    middle = float(np.median(found))
    return Finding(question, bool(abs(middle - expected) <= tolerance),
                   f'{middle:.3g} {unit}'.strip(),
                   f'{expected:.3g} ± {tolerance:.2g} {unit}'.strip())
