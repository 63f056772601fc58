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



def slippery(it, env) -> None:
    """Halve the friction of the feet."""
    for foot in ('left_ankle_roll_link', 'right_ankle_roll_link'):
        it.geom_friction[it.geom_bodyid == it.body(foot).id, 0] *= 0.5


@wrong('no friction along x')
def _sledge(patch: Patch) -> None:
    step = World._step

    def stepped(self, env, force) -> None:
        before = env.data.qvel[0]
        step(self, env, force)
        if env.data.ncon:
            env.data.qvel[0] = before

    patch.setattr(World, '_step', stepped)


@wrong('restitution 0.5')
def _bouncing(patch: Patch) -> None:
    step = World._step

    def stepped(self, env, force) -> None:
        before = env.data.qvel[2]
        step(self, env, force)
        if env.data.ncon and before < -0.5:
            env.data.qvel[2] = -0.5 * before

    patch.setattr(World, '_step', stepped)


model('friction of the feet halved', slippery)
model('a floor that leans by 1 degree', lambda it, env: it.geom_quat.__setitem__(
    0, [np.cos(0.0087), np.sin(0.0087), 0.0, 0.0]))

# Shapes.


@wrong('robots that touch those of other environments')
def _crowd(patch: Patch) -> None:
    simulate = World.simulate

    def simulated(self) -> None:
        simulate(self)
        places = np.array([env.data.qpos[:2] for env in self.envs])
        for env, place in zip(self.envs, places):
            if np.sum(np.linalg.norm(places - place, axis=1) < 0.4) > 1:
                env.data.qvel[0] += 0.5

    patch.setattr(World, 'simulate', simulated)


def apart(it, env) -> None:
    """Let links touch the floor and nothing else."""
    it.geom_contype[1:], it.geom_conaffinity[1:] = 1, 0
    it.geom_contype[0], it.geom_conaffinity[0] = 0, 1


@wrong('links that touch their neighbours')
def _unfiltered(patch: Patch) -> None:
    mjcf = assets.Model.mjcf

    def written(self, dofs, bodies, shapes, params, plane, mesh=None):
        shapes = copy.deepcopy(shapes)
        for shape in shapes:
            shape.filter = 0
        return mjcf(self, dofs, bodies, shapes, params, plane, mesh)

    patch.setattr(assets.Model, 'mjcf', written)


def capsules(it, env) -> None:
    """Make capsules as long as their cylinders, caps included."""
    rows = it.geom_type == CAPSULE
    it.geom_size[rows, 1] -= it.geom_size[rows, 0]


def no_shape(it, env) -> None:
    """Let the last shape touch nothing."""
    it.geom_contype[-1] = it.geom_conaffinity[-1] = 0


model('legs that pass through each other', apart)
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
model('limits that bounce', lambda it, env: it.jnt_solref.__setitem__(
    slice(None), (-20000.0, -5.0)))
field('joint springs of 5 Nm/rad', 'jnt_stiffness', lambda old: np.where(
    np.arange(len(old)) > 0, 5.0, 0.0))
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


torque('torque at most nine tenths of the effort', lambda force, env: np.clip(
    force, -0.9 * env.actors[0].dofs['effort'], 0.9 * env.actors[0].dofs['effort']))
torque('negative torques of one joint ignored', lambda force, env: np.where(
    (force < 0.0) & (np.arange(len(force)) == 9), 0.0, force))
torque('torques below 0.5 Nm ignored', lambda force, env: np.where(
    np.abs(force) < 0.5, 0.0, force))
torque('torques of the left leg a twentieth larger', lambda force, env: one(
    slice(0, 6), 1.05)(force.copy()))
torque('torque that falls with speed', lambda force, env: force * (
    1.0 - np.minimum(np.abs(env.data.qvel[6:]) / env.actors[0].dofs['velocity'], 1.0)))


@wrong('torque one step late')
def _late(patch: Patch) -> None:
    step, last = World._step, {}

    def stepped(self, env, force) -> None:
        step(self, env, last.get(id(env), 0.0 * force))
        last[id(env)] = force

    patch.setattr(World, '_step', stepped)
