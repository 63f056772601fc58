# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Robots of other makers are what is published: every figure, and what follows from them.

`figures/` holds the published numbers. Kinematics and gravity torques are computed here from those
numbers alone, and held against the model that is simulated.
"""

import pathlib

import numpy as np
import pytest
import yaml

pytest.importorskip('mujoco')

from robot_files import ROBOTS, Robot, body_inertia, rotation

FIGURES = pathlib.Path(__file__).parent / 'figures'
GRAVITY = 9.81
POSES = 30


def matrix(quaternion) -> np.ndarray:
    """Give the rotation matrix of a quaternion w, x, y, z of any length."""
    w, x, y, z = np.array(quaternion) / np.linalg.norm(quaternion)
    return np.array([
        [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
        [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
        [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
    ])


class Published:
    """The published figures of one robot, and its kinematics."""

    def __init__(self, name: str):
        self.figures = yaml.safe_load((FIGURES / f'{name}.yaml').read_text(encoding='utf-8'))
        self.bodies = self.figures['bodies']
        self.moving = [body for body in self.bodies if 'joint' in body]

    def poses(self, positions: np.ndarray) -> dict:
        """Give position (n, 3) and rotation (n, 3, 3) of every body, base at the origin.

        `positions` (n, joints) come in the order of the bodies.
        """
        number, found = len(positions), {}
        base = (np.zeros((number, 3)), np.tile(np.eye(3), (number, 1, 1)))
        angles = dict(zip((body['name'] for body in self.moving), positions.T))
        for body in self.bodies:
            place, turn = found.get(body['parent'], base)
            place, turn = place + turn @ np.array(body['pos']), turn @ matrix(body['quat'])
            if body['name'] in angles:
                turn = turn @ np.stack([rotation(np.array(body['axis']), angle)
                                        for angle in angles[body['name']]])
            found[body['name']] = (place, turn)
        return found

    def potential_energy(self, positions: np.ndarray) -> np.ndarray:
        """Give the sum of m g z over all bodies [J], (n,), base upright at the origin."""
        poses = self.poses(positions)
        return GRAVITY * sum(
            body['mass'] * (poses[body['name']][0] + poses[body['name']][1] @ body['com'])[:, 2]
            for body in self.bodies)


@pytest.fixture(params=['unitree_g1', 'unitree_h1', 'unitree_h1_2', 'talos'], scope='module')
def both(request) -> tuple[Robot, Published]:
    """Give the robot that ships and the figures that were published."""
    (expected,) = (it for it in ROBOTS if it.name == request.param)
    return Robot(expected), Published(request.param)


def test_every_link_weighs_what_was_published(both):
    robot, published = both
    model = robot.model
    assert [body['name'] for body in published.bodies] == [
        model.body(i).name for i in range(1, model.nbody)]
    for body in published.bodies:
        i, turn = model.body(body['name']).id, matrix(body['inertia_quat'])
        assert model.body_mass[i] == body['mass']
        np.testing.assert_array_equal(model.body_ipos[i], body['com'])
        tensor = turn @ np.diag(body['inertia_diag']) @ turn.T
        np.testing.assert_allclose(body_inertia(model, i), tensor, atol=1e-12)


def test_the_whole_robot_weighs_what_was_published(both):
    robot, published = both
    total = published.figures['total_mass']
    assert robot.model.body_subtreemass[0] == pytest.approx(total, abs=1e-4)


def test_joints_move_as_published(both):
    robot, published = both
    assert [body['joint'] for body in published.moving] == robot.names
    for body, joint in zip(published.moving, robot.joints):
        hinge = robot.model.joint(joint['name'])
        assert robot.model.body(hinge.bodyid[0]).name == body['name']
        np.testing.assert_array_equal(hinge.axis, body['axis'])
        np.testing.assert_array_equal(hinge.range, body['range'])
        assert hinge.damping[0] == body.get('damping', 0.0)
        assert hinge.frictionloss[0] == 0.0
        for key in ('armature', 'effort'):  # published for H1; for G1 see its robot.yaml
            assert joint[key] == body.get(key, joint[key])


def test_bodies_are_where_the_figures_put_them(both):
    robot, published = both
    rng = np.random.default_rng(1)
    positions = np.stack([robot.random_positions(rng) for _ in range(POSES)])
    poses = published.poses(positions)
    for i, angles in enumerate(positions):
        data = robot.data_in_pose(angles, 0.0)
        for name, (places, turns) in poses.items():
            np.testing.assert_allclose(data.body(name).xpos, places[i], atol=1e-9)
            np.testing.assert_allclose(data.body(name).xmat.reshape(3, 3), turns[i], atol=1e-9)


def test_gravity_pulls_as_the_figures_say(both):
    # At rest, a joint's torque is the slope of the potential energy along its angle.
    robot, published = both
    rng = np.random.default_rng(2)
    positions = np.stack([robot.random_positions(rng) for _ in range(POSES)])
    step, slopes = 1e-4, []
    for joint in range(len(robot.names)):
        shift = step * np.eye(len(robot.names))[joint]
        rise = (published.potential_energy(positions + shift)
                - published.potential_energy(positions - shift))
        slopes.append(rise / (2.0 * step))
    for angles, wanted in zip(positions, np.stack(slopes, 1)):
        data = robot.data_in_pose(angles, 0.0)
        np.testing.assert_allclose(data.qfrc_bias[6:], wanted, atol=1e-5)
    assert np.abs(slopes).max() > 10.0  # [Nm]: there was something to compare


def test_the_imu_is_where_it_was_published(both):
    robot, published = both
    site, imu = robot.model.site('imu'), published.figures['imu']
    assert robot.model.body(site.bodyid[0]).name == imu['body']
    np.testing.assert_array_equal(site.pos, imu['pos'])


@pytest.mark.parametrize('joint, parts, gears, motors', [
    ('left_hip_pitch_joint', (0.489e-4, 0.098e-4, 0.533e-4), (4.5, 70 / 22), 1),
    ('left_knee_joint', (0.489e-4, 0.109e-4, 0.738e-4), (4.5, 5.0), 1),
    ('left_elbow_joint', (0.139e-4, 0.017e-4, 0.169e-4), (64 / 18, 72 / 16), 1),
    ('left_ankle_roll_joint', (0.139e-4, 0.017e-4, 0.169e-4), (64 / 18, 72 / 16), 2),
    ('left_wrist_yaw_joint', (0.068e-4, 0.0, 0.0), (5.0, 5.0), 1),
])
def test_armature_of_g1_follows_from_its_motors(joint, parts, gears, motors):
    (expected,) = (it for it in ROBOTS if it.name == 'unitree_g1')
    robot = Robot(expected)
    reflected = parts[0] * (gears[0] * gears[1]) ** 2 + parts[1] * gears[1] ** 2 + parts[2]
    armature = robot.column('armature')[robot.names.index(joint)]
    assert armature == pytest.approx(motors * reflected, abs=1e-6)
