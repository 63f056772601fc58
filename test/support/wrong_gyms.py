# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Isaac Gyms that are wrong in one way each, made from the fake: the check must notice each.

Most write into MuJoCo's model of every environment after it is built, so that what is read back
is as wanted and only the motion differs. Import it after ``fake_gym.install()``.
"""

from __future__ import annotations

from collections.abc import Callable
import copy

from isaacgym import assets, structs
from isaacgym.world import World
import mujoco
import numpy as np
import pytest

Patch = pytest.MonkeyPatch
WRONG: dict[str, Callable[[Patch], None]] = {}
CAPSULE = mujoco.mjtGeom.mjGEOM_CAPSULE


def wrong(name: str) -> Callable:
    """Add a wrong simulator to the table."""
    def add(make: Callable[[Patch], None]) -> Callable[[Patch], None]:
        assert name not in WRONG
        WRONG[name] = make
        return make

    return add


def model(name: str, change: Callable) -> None:
    """Add one whose models are changed after they are built: ``change(model, env)``."""
    @wrong(name)
    def make(patch: Patch) -> None:
        prepare = World.prepare

        def prepared(self) -> bool:
            done = prepare(self)
            for env in self.envs:
                for frames in (env.model.geom_sameframe, env.model.body_sameframe):
                    frames[:] = 0  # else MuJoCo takes some positions for zero
                change(env.model, env)
            return done

        patch.setattr(World, 'prepare', prepared)


def actors(name: str, change: Callable) -> None:
    """Add one that builds its models from other properties: ``change(actor, first actor)``."""
    @wrong(name)
    def make(patch: Patch) -> None:
        prepare = World.prepare

        def prepared(self) -> bool:
            kept = [copy.deepcopy((env.actors[0].bodies, env.actors[0].shapes,
                                   env.actors[0].dofs)) for env in self.envs]
            for env in self.envs:
                change(env.actors[0], self.envs[0].actors[0])
            done = prepare(self)
            for env, (bodies, shapes, dofs) in zip(self.envs, kept):
                env.actors[0].bodies, env.actors[0].shapes, env.actors[0].dofs = (
                    bodies, shapes, dofs)
            return done

        patch.setattr(World, 'prepare', prepared)


def read(name: str, buffer: str, change: Callable) -> None:
    """Add one that shows other values: ``change(rows, env)`` gives those of a buffer."""
    @wrong(name)
    def make(patch: Patch) -> None:
        method = getattr(World, f'_read_{buffer}')
        patch.setattr(World, f'_read_{buffer}', lambda self, env: change(method(self, env), env))


def torque(name: str, change: Callable) -> None:
    """Add one that applies other torques: ``change(force, env)``."""
    @wrong(name)
    def make(patch: Patch) -> None:
        step = World._step
        patch.setattr(World, '_step', lambda self, env, force: step(self, env, change(force, env)))


def after(name: str, change: Callable) -> None:
    """Add one that changes the state after every step: ``change(data, model)``."""
    @wrong(name)
    def make(patch: Patch) -> None:
        step = World._step

        def stepped(self, env, force) -> None:
            step(self, env, force)
            change(env.data, env.model)

        patch.setattr(World, '_step', stepped)


def field(name: str, key: str, value: Callable) -> None:
    """Add one with another field of the model: ``value(old)``, of joints without the base."""
    def change(it, env) -> None:
        array = getattr(it, key)
        rows = slice(6, None) if key.startswith('dof_') else slice(None)
        array[rows] = value(array[rows].copy())

    model(name, change)


def one(position: int, factor: float) -> Callable:
    """Give a function that multiplies one row."""
    def change(values):
        values[position] = values[position] * factor
        return values

    return change


def added(position: int, value: float) -> Callable:
    """Give a function that adds to one row."""
    def change(values):
        values[position] += value
        return values

    return change


def matrix(quaternion: np.ndarray) -> np.ndarray:
    """Give the rotation of a quaternion x, y, z, w."""
    turn = np.zeros(9)
    mujoco.mju_quat2Mat(turn, quaternion[[3, 0, 1, 2]].astype(np.float64))
    return turn.reshape(3, 3)


def turned(rows: np.ndarray, columns: slice) -> np.ndarray:
    """Give rows with a velocity in the frame of its link."""
    for row in rows:
        row[columns] = matrix(row[3:7]).T @ row[columns]
    return rows


# Gravity, floor, friction.
model('gravity of the Moon', lambda it, env: it.opt.gravity.__setitem__(2, -1.62))
model('gravity that leans', lambda it, env: it.opt.gravity.__setitem__(0, 1.0))
model('a floor 2 cm lower', lambda it, env: it.geom_pos.__setitem__((0, 2), -0.02))
field('friction three times as large', 'geom_friction', lambda old: 3.0 * old)


def joined(name: str, join: Callable) -> None:
    """Add one that joins the friction of floor and shape in another way."""
    @wrong(name)
    def make(patch: Patch) -> None:
        mjcf = assets.Model.mjcf

        def written(self, dofs, bodies, shapes, params, plane, mesh=None):
            shapes = copy.deepcopy(shapes)
            for shape in shapes:  # so that the mean of the fake is the wrong one's result
                shape.friction = (2.0 * join(shape.friction, plane.static_friction)
                                  - plane.static_friction)
            return mjcf(self, dofs, bodies, shapes, params, plane, mesh)

        patch.setattr(assets.Model, 'mjcf', written)


joined('friction joined by the larger', max)
joined('friction joined by the smaller', min)
joined('friction joined by the product', lambda a, b: a * b)

# Shapes.


def capsules(it, env) -> None:
    """Make capsules as long as their cylinders, caps included."""
    rows = it.geom_type == CAPSULE
    it.geom_size[rows, 1] -= it.geom_size[rows, 0]


def no_shape(it, env) -> None:
    """Let the last shape touch nothing."""
    it.geom_contype[-1] = it.geom_conaffinity[-1] = 0


model('short capsules', capsules)
model('thin capsules', lambda it, env: it.geom_size.__setitem__(
    (it.geom_type == CAPSULE, 0), it.geom_size[it.geom_type == CAPSULE, 0] - 0.015))
model('balls one centimetre larger', lambda it, env: it.geom_size.__setitem__(
    (it.geom_type == mujoco.mjtGeom.mjGEOM_SPHERE, 0), 0.03))
model('a shape that is lost', no_shape)
field('shapes moved by 2 cm', 'geom_pos', lambda old: old + np.array([0.02, 0.0, 0.0]) * (
    np.arange(len(old)) > 0)[:, None])

# Masses and inertias.
field('a heavier base', 'body_mass', one(1, 1.5))
field('a heavier hand', 'body_mass', one(-1, 2.0))
field('inertia three times as large', 'body_inertia', lambda old: 3.0 * old)
field("one shin's inertia three times as large", 'body_inertia', one(5, 3.0))
field("one foot's inertia three times as large", 'body_inertia', one(7, 3.0))
field("the base's inertia three times as large", 'body_inertia', one(1, 3.0))
field('axes of inertia exchanged', 'body_inertia', lambda old: old[:, [2, 0, 1]])
field('no inertia', 'body_inertia', lambda old: 0.01 * old)
field('centres of mass at the joints', 'body_ipos', lambda old: 0.0 * old)
actors('writes of masses felt by nobody', lambda actor, first: setattr(
    actor, 'bodies', [link.weight() for link in actor.model.links]))
actors('masses of the first robot for all', lambda actor, first: setattr(
    actor, 'bodies', copy.deepcopy(first.bodies)))
actors('friction of the first robot for all', lambda actor, first: setattr(
    actor, 'shapes', copy.deepcopy(first.shapes)))


def without(keys: tuple) -> Callable:
    """Give a change of an actor that takes some properties of its links from the file."""
    def change(actor, first) -> None:
        for body, link in zip(actor.bodies, actor.model.links):
            for key in keys:
                setattr(body, key, getattr(link.weight(), key))

    return change


actors('writes of centres of mass felt by nobody', without(('com',)))
actors('writes of inertias felt by nobody', without(('inertia',)))


@wrong('writes of masses ignored, as reading shows')
def _ignored(patch: Patch) -> None:
    from isaacgym import gymapi
    patch.setattr(gymapi.Gym, 'set_actor_rigid_body_properties', lambda *arguments: True)


@wrong('writes of friction ignored, as reading shows')
def _slippery(patch: Patch) -> None:
    from isaacgym import gymapi
    patch.setattr(gymapi.Gym, 'set_actor_rigid_shape_properties', lambda *arguments: True)


@wrong('inertia made from shapes when masses are written')
def _recomputed(patch: Patch) -> None:
    from isaacgym import gymapi
    write = gymapi.Gym.set_actor_rigid_body_properties
    patch.setattr(gymapi.Gym, 'set_actor_rigid_body_properties',
                  lambda self, env, actor, bodies, _: write(self, env, actor, bodies, True))


@wrong('rotations of inertial frames dropped')
def _unturned(patch: Patch) -> None:
    weight = assets.Link.weight

    def diagonal(self) -> structs.RigidBodyProperties:
        found = weight(self)
        rows = np.array([structs.array(row) for row in (
            found.inertia.x, found.inertia.y, found.inertia.z)])
        found.inertia = assets.matrix33(np.diag(np.linalg.eigvalsh(rows)))
        return found

    patch.setattr(assets.Link, 'weight', diagonal)


# Joints.
field('joint damping 2', 'dof_damping', lambda old: old + 2.0)
field('damping of one joint', 'dof_damping', added(3, 1.0))
field('joint friction 3', 'dof_frictionloss', lambda old: old + 3.0)
field('friction of one joint', 'dof_frictionloss', added(-1, 0.3))
field('no joint limits', 'jnt_limited', lambda old: 0 * old)
field('limits a tenth narrower', 'jnt_range', lambda old: 0.9 * old)
field('limits 0.1 rad wider', 'jnt_range', lambda old: old + np.array([-0.1, 0.1]))
model('no upper limits', lambda it, env: it.jnt_range.__setitem__((slice(1, None), 1), 9.0))
field('no armature', 'dof_armature', lambda old: 0.0 * old)
field('armature twice as large', 'dof_armature', lambda old: 2.0 * old)
field('armature of one joint twice as large', 'dof_armature', one(4, 2.0))


@wrong('limits that are not set, as reading shows')
def _unlimited(patch: Patch) -> None:
    from isaacgym import gymapi
    write = gymapi.Gym.set_actor_dof_properties

    def other(self, env, actor, rows) -> bool:
        rows = rows.copy()
        rows['lower'], rows['upper'] = -3.2, 3.2
        return write(self, env, actor, rows)

    patch.setattr(gymapi.Gym, 'set_actor_dof_properties', other)


# Torques.
torque('torque halved', lambda force, env: 0.5 * force)
torque('torque a tenth too large', lambda force, env: 1.1 * force)
torque('torque of one joint reversed', lambda force, env: one(2, -1.0)(force.copy()))
torque('torque at most 20 Nm', lambda force, env: np.clip(force, -20.0, 20.0))
torque('torques of left and right exchanged', lambda force, env: np.roll(force, 6))


@wrong('torque one step late')
def _late(patch: Patch) -> None:
    step, last = World._step, {}

    def stepped(self, env, force) -> None:
        step(self, env, last.get(id(env), 0.0 * force))
        last[id(env)] = force

    patch.setattr(World, '_step', stepped)


# The base and speeds.
after('linear damping of the base', lambda data, it: data.qvel.__setitem__(
    slice(0, 3), 0.998 * data.qvel[:3]))
after('angular damping of the base', lambda data, it: data.qvel.__setitem__(
    slice(3, 6), 0.995 * data.qvel[3:6]))
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


# Those that an earlier check passed.
PASSED_EARLIER = {
    'friction joined by the larger', 'friction joined by the smaller', 'torque halved',
    'joint damping 2', 'joint friction 3', 'linear damping of the base',
    'angular damping of the base', 'no joint limits', 'inertia three times as large',
    'short capsules', 'angular speed of at most 5 rad/s', 'joint speed of at most 5 rad/s',
    'angular velocity shown in the base frame',
    'angular velocity shown and taken in the base frame', 'writes of masses felt by nobody'}
