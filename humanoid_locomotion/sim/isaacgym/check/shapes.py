# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Questions about the collision shapes: does a link touch the floor where its shapes end?

A shape is the hull of balls. For each ball a random pose is chosen in which it is the robot's
lowest point, and no leg touches the other. It is then put just into the floor and just above it.
The floor must push it up. In other poses the legs overlap, and must touch each other.
"""

from __future__ import annotations

from typing import List, NamedTuple

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.robot_models.urdf import UrdfTree
from humanoid_locomotion.sim.isaacgym.backend import IsaacGymBackend
from humanoid_locomotion.sim.questions.bench import HIGH, Bench, Finding, near

DEEP, CLEAR = -0.006, 0.012  # [m] of the lowest point above the floor: touches, does not
FORCE = 1e-3   # [N]
SAMPLES = 800
MARGIN = 0.02  # [m] by which other links are higher, and legs apart or in each other


class _Samples(NamedTuple):
    """Random poses.

    Attributes:
        joints: Joint positions (num_samples, num_joints) [rad].
        turns: Orientation of the base, xyzw (num_samples, 4).
        links: Index of the link of each ball (num_balls,).
        heights: Of the balls' lowest points over the base's origin (num_samples, num_balls) [m].
        gaps: Smallest distance between the legs, below 0 if they overlap (num_samples,) [m].
    """

    joints: np.ndarray
    turns: np.ndarray
    links: np.ndarray
    heights: np.ndarray
    gaps: np.ndarray


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
    """Put the balls of all shapes into the floor and above it, and legs into each other."""
    samples = _samples(bench)
    return [*_floor(bench, backend, _poses(samples)), *_crossed(bench, backend, samples)]


def _floor(bench: Bench, backend: IsaacGymBackend, poses: _Poses) -> List[Finding]:
    """Put one ball of a shape into the floor, and above it, in each robot."""
    names, wrong, lean = bench.bodies.names, [], [0.0]
    for first in range(0, len(poses.links), bench.n):
        part = _Poses(*(values[first:first + bench.n] for values in poses))
        count = len(part.links)
        columns = [backend.body_names().index(names[link]) for link in part.links]
        for gap, touches in ((DEEP, True), (CLEAR, False)):
            place, turn = np.tile([0.0, 0.0, HIGH], (bench.n, 1)), np.tile(
                rotations.IDENTITY, (bench.n, 1))
            joints = bench.rest.copy()
            place[:count, 2], turn[:count], joints[:count] = (
                gap - part.low, part.turns, part.joints)
            bench.put(base_position=place, base_orientation=turn, joint_positions=joints)
            bench.push(np.zeros_like(bench.rest))
            force = backend.link_forces().cpu().numpy()[np.arange(count), columns]
            size = np.linalg.norm(force, axis=-1)
            wrong += [f'{names[link]} {"does not touch" if touches else "touches"}'
                      for link, it in zip(part.links, size > FORCE) if it != touches]
            if touches:
                lean += [1.0 - up / it for up, it in zip(force[:, 2], size) if it > FORCE]
    asked, links = 2 * len(poses.links), len(set(poses.links.tolist()))
    return [Finding(f'ends of shapes that touch the floor, of {links} links',
                    not wrong and links > 0,
                    f'{asked - len(wrong)} of {asked}' + (f': {wrong[0]}' if wrong else ''),
                    f'{asked} of {asked}'),
            near('1 - cosine of the angle of the force on them to the vertical', lean, 0.0, 0.2)]


def _crossed(bench: Bench, backend: IsaacGymBackend, samples: _Samples) -> List[Finding]:
    """Put legs into each other, in the air; return no finding if the legs cannot meet."""
    chosen = np.flatnonzero(samples.gaps < -MARGIN)[:bench.n]
    if not len(chosen):
        return []
    joints = bench.rest.copy()
    joints[:len(chosen)] = samples.joints[chosen]
    bench.put(joint_positions=joints)
    bench.push(np.zeros_like(bench.rest))
    force = np.abs(backend.link_forces().cpu().numpy()[:len(chosen)]).max((1, 2)) > FORCE
    return [Finding('robots whose legs touch when they overlap', bool(force.all()),
                    f'{force.sum()} of {len(chosen)}', f'{len(chosen)} of {len(chosen)}')]


def _samples(bench: Bench) -> _Samples:
    """Draw joint positions and orientations of the base."""
    bodies, rng = bench.bodies, np.random.default_rng(0)
    joints = rng.uniform(0.9 * bench.lower + 0.1 * bench.upper,
                         0.1 * bench.lower + 0.9 * bench.upper, (SAMPLES, len(bench.names)))
    turns = rotations.normalize(rng.normal(size=(SAMPLES, 4)))
    counts = [len(shape.centres) for shape in bodies.shapes]
    links, radii = (np.repeat([getattr(shape, key) for shape in bodies.shapes], counts)
                    for key in ('link', 'radius'))
    centres = np.concatenate([shape.centres for shape in bodies.shapes])
    places, frames = bodies.poses(joints)
    points = places[:, links] + np.einsum('sbij,bj->sbi', frames[:, links], centres)
    heights = rotations.rotate(np.repeat(turns[:, None], len(links), 1), points)[..., 2] - radii
    shapes = np.repeat(np.arange(len(counts)), counts)
    return _Samples(joints, turns, links, heights, _gaps(bench, points, links, shapes, radii))


def _poses(samples: _Samples) -> _Poses:
    """Find for each ball a pose in which it is the robot's lowest point."""
    links, heights = samples.links, samples.heights
    others = np.where(links[:, None] == links, np.inf, heights[:, None]).min(-1)
    is_own_lowest = heights <= np.where(
        links[:, None] == links, heights[:, None], np.inf).min(-1) + 1e-9
    margins = np.where(is_own_lowest & (samples.gaps > 3.0 * MARGIN)[:, None],
                       others - heights, -np.inf)
    best = margins.argmax(0)
    balls = np.flatnonzero(margins[best, np.arange(len(links))] > MARGIN)
    best = best[balls]
    return _Poses(links[balls], samples.joints[best], samples.turns[best], heights[best, balls])


def _gaps(bench: Bench, points: np.ndarray, links: np.ndarray, shapes: np.ndarray,
          radii: np.ndarray) -> np.ndarray:
    """Return the distance between the legs (num_samples,) [m], by balls and their midpoints."""
    tree = UrdfTree(bench.robot.urdf_path)
    legs, both = [], [set(tree.ancestors(foot)) for foot in bench.robot.feet]
    for links_above in both:
        own = [bench.bodies.names.index(it) for it in links_above - (both[0] & both[1])
               if it in bench.bodies.names]
        balls = np.flatnonzero(np.isin(links, own))
        pairs = [(i, j) for i in balls for j in balls if i <= j and shapes[i] == shapes[j]]
        first, second = np.array(pairs).T
        legs.append((0.5 * (points[:, first] + points[:, second]), radii[first]))
    (left, left_radii), (right, right_radii) = legs
    gaps = np.linalg.norm(left[:, :, None] - right[:, None], axis=-1) - (
        left_radii[:, None] + right_radii)
    return np.asarray(gaps.min((1, 2)))
