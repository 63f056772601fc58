# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A question about the collision shapes: does a link touch the floor where its shapes end?

A shape is the hull of balls. For each ball a random pose is chosen in which it is the robot's
lowest point, and no leg touches the other. It is then put just into the floor and just above it.
"""

from __future__ import annotations

from typing import List, NamedTuple

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.robot_models.urdf import UrdfTree
from humanoid_locomotion.sim.isaacgym.backend import IsaacGymBackend
from humanoid_locomotion.sim.questions.bench import Bench, Finding

DEEP, CLEAR = -0.006, 0.012  # [m] of the lowest point above the floor: touches, does not
FORCE = 1e-3   # [N]
SAMPLES = 800
MARGIN = 0.02  # [m] by which other links are higher, and legs apart


class _Poses(NamedTuple):
    """One pose for each question.

    Attributes:
        links: Index of the link that is lowest (num_poses,).
        joints: Joint positions (num_poses, num_joints) [rad].
        turns: Orientation of the base, xyzw (num_poses, 4).
        low: Height of the lowest point over the base's origin (num_poses,) [m].
    """

    links: np.ndarray
    joints: np.ndarray
    turns: np.ndarray
    low: np.ndarray


def findings(bench: Bench, backend: IsaacGymBackend) -> List[Finding]:
    """Put the balls of all shapes into the floor and above it, one in each robot."""
    poses, names, wrong = _poses(bench), bench.bodies.names, []
    for first in range(0, len(poses.links), bench.n):
        part = _Poses(*(values[first:first + bench.n] for values in poses))
        count = len(part.links)
        columns = [backend.body_names().index(names[link]) for link in part.links]
        for gap, touches in ((DEEP, True), (CLEAR, False)):
            place, turn = np.tile([0.0, 0.0, 3.0], (bench.n, 1)), np.tile(
                rotations.IDENTITY, (bench.n, 1))
            joints = bench.rest.copy()
            place[:count, 2], turn[:count], joints[:count] = (
                gap - part.low, part.turns, part.joints)
            bench.put(base_position=place, base_orientation=turn, joint_positions=joints)
            bench.push(np.zeros_like(bench.rest))
            force = np.linalg.norm(backend.link_forces().cpu().numpy(), axis=-1)
            answers = force[np.arange(count), columns] > FORCE
            wrong += [f'{names[link]} {"does not touch" if touches else "touches"}'
                      for link, it in zip(part.links, answers) if it != touches]
    asked = 2 * len(poses.links)
    links = len(set(poses.links.tolist()))
    return [Finding(f'ends of shapes that touch the floor, of {links} links',
                    not wrong and links > 0,
                    f'{asked - len(wrong)} of {asked}' + (f': {wrong[0]}' if wrong else ''),
                    f'{asked} of {asked}')]


def _poses(bench: Bench) -> _Poses:
    """Find for each ball a pose in which it is the robot's lowest point."""
    bodies, rng = bench.bodies, np.random.default_rng(0)
    joints = rng.uniform(0.9 * bench.lower + 0.1 * bench.upper,
                         0.1 * bench.lower + 0.9 * bench.upper, (SAMPLES, len(bench.names)))
    turns = rotations.normalize(rng.normal(size=(SAMPLES, 4)))
    links = np.concatenate([[shape.link] * len(shape.centres) for shape in bodies.shapes])
    radii = np.concatenate([[shape.radius] * len(shape.centres) for shape in bodies.shapes])
    centres = np.concatenate([shape.centres for shape in bodies.shapes])
    places, frames = bodies.poses(joints)
    points = places[:, links] + np.einsum('sbij,bj->sbi', frames[:, links], centres)
    heights = rotations.rotate(np.repeat(turns[:, None], len(links), 1), points)[..., 2] - radii
    others = np.where(links[:, None] == links, np.inf, heights[:, None]).min(-1)
    is_own_lowest = heights <= np.where(
        links[:, None] == links, heights[:, None], np.inf).min(-1) + 1e-9
    margins = np.where(is_own_lowest & _apart(bench, points, links, radii)[:, None],
                       others - heights, -np.inf)
    best = margins.argmax(0)
    balls = np.flatnonzero(margins[best, np.arange(len(links))] > MARGIN)
    best = best[balls]
    return _Poses(links[balls], joints[best], turns[best], heights[best, balls])


def _apart(bench: Bench, points: np.ndarray, links: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Return in which samples the legs are apart (num_samples,), by balls and their midpoints."""
    tree = UrdfTree(bench.robot.urdf_path)
    legs, both = [], [set(tree.ancestors(foot)) for foot in bench.robot.feet]
    for links_above in both:
        own = [bench.bodies.names.index(it) for it in links_above - (both[0] & both[1])
               if it in bench.bodies.names]
        balls = np.flatnonzero(np.isin(links, own))
        pairs = [(i, j) for i in balls for j in balls if i <= j and links[i] == links[j]]
        first, second = np.array(pairs).T
        legs.append((0.5 * (points[:, first] + points[:, second]), radii[first]))
    (left, left_radii), (right, right_radii) = legs
    gaps = np.linalg.norm(left[:, :, None] - right[:, None], axis=-1) - (
        left_radii[:, None] + right_radii)
    return np.asarray(gaps.min((1, 2)) > 3.0 * MARGIN)
