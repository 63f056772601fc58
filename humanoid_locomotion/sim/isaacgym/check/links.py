# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Questions about the links: the states of the feet, and what touches what in the air."""

from __future__ import annotations

from typing import Dict, List

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.robot import GRAVITY
from humanoid_locomotion.robot_models.urdf import UrdfTree
from humanoid_locomotion.sim.isaacgym import scene
from humanoid_locomotion.sim.isaacgym.backend import IsaacGymBackend
from humanoid_locomotion.sim.questions.bench import HIGH, Bench, Finding, near

TILTED = rotations.normalize(np.array([0.3, -0.4, 0.2, 0.8]))
SPIN, VELOCITY = np.array([1.0, -2.0, 1.5]), np.array([0.4, -0.6, 0.0])  # [rad/s], [m/s]


def findings(bench: Bench, backend: IsaacGymBackend) -> List[Finding]:
    """Ask all questions about the links."""
    return [*soles(bench), *alone(bench, backend)]


def soles(bench: Bench) -> List[Finding]:
    """Compute the soles of a turning, tilted robot from the state of its base and joints.

    Both those of the begin and those of the end of the step are accepted.
    """
    signs = np.random.default_rng(0).choice([-1.0, 1.0], bench.rest.shape)
    bench.put(base_orientation=TILTED, base_angular_velocity=SPIN, base_linear_velocity=VELOCITY,
              joint_velocities=0.5 * signs)
    before = _computed(bench)
    bench.push(np.zeros_like(bench.rest))
    after, answers = _computed(bench), []
    for name, tolerance, unit in (('sole_positions', 1e-3, 'm'), ('sole_velocities', 0.01, 'm/s'),
                                  ('sole_normals', 1e-3, '')):
        found = bench.truth(name)
        gaps = [np.abs(found - wanted[name]).max((1, 2)) for wanted in (before, after)]
        answers.append(near(f'{name.replace("_", " ")} of a turning robot, from those computed',
                            np.minimum(*gaps), 0.0, tolerance, unit))
    return answers


def _computed(bench: Bench) -> Dict[str, np.ndarray]:
    """Return positions, velocities and normals of the soles (num_robots, 2, 3) in the world."""
    joints, bodies = bench.state('joint_positions'), bench.bodies
    tree = UrdfTree(bench.robot.urdf_path)
    found = [tree.in_moving_link(sole) for sole in bench.robot.soles]
    links = [bodies.names.index(link) for link, _, _ in found]
    offsets, turns = (np.array([it[k] for it in found]) for k in (1, 2))
    places, frames = (values[:, links] for values in bodies.poses(joints))
    linear, angular = (np.einsum('nlij,nj->nli', values[:, links], bench.velocities())
                       for values in bodies.jacobians(joints))
    turn = np.repeat(bench.state('base_orientation')[:, None], len(links), 1)

    def in_base(vectors: np.ndarray) -> np.ndarray:
        return np.einsum('nlij,nlj->nli', frames, np.broadcast_to(vectors, places.shape))

    arms = in_base(offsets - bodies.centres[:, links])
    return {'sole_positions': bench.state('base_position')[:, None] + rotations.rotate(
                turn, places + in_base(offsets)),
            'sole_velocities': rotations.rotate(turn, linear + np.cross(angular, arms)),
            'sole_normals': rotations.rotate(turn, in_base(turns[:, :, 2]))}


def alone(bench: Bench, backend: IsaacGymBackend) -> List[Finding]:
    """Put all robots into one place in the air: neither they nor their own links touch."""
    bench.put(base_position=[0.0, 0.0, HIGH] - scene.places(bench.n))
    bench.push(np.zeros_like(bench.rest))
    gained = bench.momentum()[:, :3] / bench.bodies.masses.sum(-1)[:, None]
    gained[:, 2] += GRAVITY * bench.dt
    forces = np.linalg.norm(backend.link_forces().cpu().numpy(), axis=-1)
    return [near('speed that robots in one place in the air give one another',
                 np.abs(gained).max(-1), 0.0, 0.01, 'm/s'),
            near('force on a link of a robot in the air', forces.ravel(), 0.0, 0.1, 'N',
                 backend.body_names() * bench.n)]
