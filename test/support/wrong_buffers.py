# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""More wrong Isaac Gyms: other speeds, and other states shown or taken than there should be.

It continues the table of ``wrong_gyms``.
"""

from __future__ import annotations

from collections.abc import Callable

from isaacgym import structs
from isaacgym.world import World
import numpy as np
from wrong_gyms import WRONG, Patch, after, matrix, read, turned, wrong

# The base and speeds.
after('linear damping of the base', lambda data, it: data.qvel.__setitem__(
    slice(0, 3), 0.998 * data.qvel[:3]))
after('angular damping of the base', lambda data, it: data.qvel.__setitem__(
    slice(3, 6), 0.995 * data.qvel[3:6]))
after('linear damping of 0.05', lambda data, it: data.qvel.__setitem__(
    slice(0, 3), (1.0 - 0.05 * it.opt.timestep) * data.qvel[:3]))
after("angular damping of 0.05, PhysX's default", lambda data, it: data.qvel.__setitem__(
    slice(3, 6), (1.0 - 0.05 * it.opt.timestep) * data.qvel[3:6]))
after('rolling speed of at most 5 rad/s', lambda data, it: data.qvel.__setitem__(
    3, np.clip(data.qvel[3], -5.0, 5.0)))
after('falling speed of at most 2 m/s', lambda data, it: data.qvel.__setitem__(
    2, max(data.qvel[2], -2.0)))
after('a base that is pulled upright', lambda data, it: data.qpos.__setitem__(
    slice(4, 6), 0.99 * data.qpos[4:6]))
after('angular speed of at most 5 rad/s', lambda data, it: data.qvel.__setitem__(
    slice(3, 6), np.clip(data.qvel[3:6], -5.0, 5.0)))
after('joint speed of at most 5 rad/s', lambda data, it: data.qvel.__setitem__(
    slice(6, None), np.clip(data.qvel[6:], -5.0, 5.0)))
after('speed of at most 1 m/s', lambda data, it: data.qvel.__setitem__(
    slice(0, 3), np.clip(data.qvel[:3], -1.0, 1.0)))

# What is shown.
read('angular velocity shown in the base frame', 'root',
     lambda rows, env: turned(rows, slice(10, 13)))
read('linear velocity shown in the base frame', 'root',
     lambda rows, env: turned(rows, slice(7, 10)))
read('quaternions shown w first', 'root',
     lambda rows, env: rows[:, [0, 1, 2, 6, 3, 4, 5, *range(7, 13)]])
read('contact forces halved', 'contacts', lambda rows, env: 0.5 * rows)
read('contact forces of neighbours', 'contacts', lambda rows, env: np.roll(rows, 1, 0))
read('joints in the order of the file', 'dof', lambda rows, env: np.roll(rows, 12, 0))
read('joint velocities halved', 'dof', lambda rows, env: rows * np.array([1.0, 0.5]))

read('links turned in their own frames', 'bodies', lambda rows, env: turned(rows, slice(10, 13)))
read('links moving in their own frames', 'bodies', lambda rows, env: turned(rows, slice(7, 10)))
read("velocities of links' origins", 'bodies', lambda rows, env: np.concatenate((
    rows[:, :7], rows[:, 7:10] - np.cross(rows[:, 10:13], env.data.xipos[1:] - env.data.xpos[1:]),
    rows[:, 10:]), 1))
read('links at their centres of mass', 'bodies', lambda rows, env: np.concatenate((
    env.data.xipos[1:], rows[:, 3:]), 1))
read("links' quaternions w first", 'bodies',
     lambda rows, env: rows[:, [0, 1, 2, 6, 3, 4, 5, *range(7, 13)]])
read('left and right links exchanged', 'bodies',
     lambda rows, env: rows[[0, *range(7, 13), *range(1, 7), *range(13, len(rows))]])
read("contact forces in the link's frame", 'contacts', lambda rows, env: np.array(
    [matrix(turn[[1, 2, 3, 0]]).T @ row for turn, row in zip(env.data.xquat[1:], rows)]))


def old(buffer: str) -> None:
    """Add one that shows a buffer as it was before the last step."""
    @wrong(f'{buffer} one step old')
    def make(patch: Patch) -> None:
        method, simulate = getattr(World, f'_read_{buffer}'), World.simulate
        kept: dict = {}

        def simulated(self) -> None:
            for env in self.envs:
                kept[id(env)] = np.array(method(self, env))
            simulate(self)

        patch.setattr(World, 'simulate', simulated)
        patch.setattr(World, f'_read_{buffer}', lambda self, env: kept.get(
            id(env), method(self, env)))


for name in ('root', 'dof', 'bodies', 'contacts'):
    old(name)

# What is written.


def placed(name: str, change: Callable) -> None:
    """Add one that takes root states otherwise: ``change(row)``."""
    @wrong(name)
    def make(patch: Patch) -> None:
        place = World._place_base
        patch.setattr(World, '_place_base', lambda self, env, row: place(
            self, env, change(row.copy(), env)))


def in_base(row: np.ndarray, env) -> np.ndarray:
    """Take the angular velocity for one in the base frame."""
    row[10:13] = matrix(row[3:7]) @ row[10:13]
    return row


def of_link(row: np.ndarray, env) -> np.ndarray:
    """Take the linear velocity for that of the link's origin."""
    arm = matrix(row[3:7]) @ structs.array(env.actors[0].bodies[0].com)
    row[7:10] += np.cross(row[10:13], arm)
    return row


placed('angular velocity taken in the base frame', in_base)
placed("linear velocity taken for the link's", of_link)
placed('velocities of a reset forgotten', lambda row, env: np.concatenate(
    (row[:7], np.zeros(6))))


@wrong('angular velocity shown and taken in the base frame')
def _both(patch: Patch) -> None:
    for name in ('angular velocity shown in the base frame',
                 'angular velocity taken in the base frame'):
        WRONG[name](patch)


@wrong('a reset of the first robots, whichever are named')
def _first(patch: Patch) -> None:
    take = World._take
    patch.setattr(World, '_take', lambda self, name: (
        lambda values, rows: (values, list(range(len(rows)))))(*take(self, name)))


@wrong('a reset of the next robot')
def _next(patch: Patch) -> None:
    take = World._take
    patch.setattr(World, '_take', lambda self, name: (
        lambda values, rows: (values, [(row + 1) % len(self.envs) for row in rows]))(
            *take(self, name)))


@wrong('a reset without the joints')
def _stiff(patch: Patch) -> None:
    take = World._take
    patch.setattr(World, '_take', lambda self, name: (
        (None, []) if name == 'dof' and take(self, name) else take(self, name)))


@wrong('a reset that stops all other robots')
def _brake(patch: Patch) -> None:
    take = World._take

    def taken(self, name):
        values, rows = take(self, name)
        if name == 'root' and 0 < len(rows) < len(self.envs):
            for env in self.envs:
                if env.number not in rows:
                    env.data.qvel[:] = 0.0
        return values, rows

    patch.setattr(World, '_take', taken)
