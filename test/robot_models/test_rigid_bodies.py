# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The mass matrix from a URDF is MuJoCo's of the MJCF."""

from __future__ import annotations

import numpy as np
import pytest

from humanoid_locomotion.core.reading.resources import robot_folders
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.robot_models.rigid_bodies import rigid_bodies


@pytest.mark.parametrize('name', robot_folders())
def test_the_mass_matrix_is_mujocos(name):
    mujoco = pytest.importorskip('mujoco', minversion='3.3')
    robot = load_robot(name)
    bodies = rigid_bodies(robot)
    model = mujoco.MjModel.from_xml_path(str(robot.mjcf_path))
    data = mujoco.MjData(model)
    positions = np.random.default_rng(0).uniform(-0.5, 0.5, robot.num_joints)
    data.qpos[[model.joint(it).qposadr[0] for it in robot.joint_names]] = positions
    mujoco.mj_forward(model, data)
    expected = np.zeros((model.nv, model.nv))
    mujoco.mj_fullM(model, data, expected)
    order = [*range(6), *(model.joint(it).dofadr[0] for it in robot.joint_names)]
    assert bodies.mass_matrix(positions[None])[0] == pytest.approx(
        expected[np.ix_(order, order)], abs=1e-6)


def test_changed_masses_and_centres_are_those_of_each_robot():
    robot = load_robot('humanoid')
    bodies = rigid_bodies(robot)
    links = len(bodies.names)
    factors = np.ones((2, links))
    factors[1] = 2.0
    heavier = bodies.scaled(factors)
    still = np.zeros((2, robot.num_joints))
    one, two = (heavier.mass_matrix(still) - np.diag([0.0] * 6 + [*bodies.armature]))
    assert two == pytest.approx(2.0 * one)
    moved = heavier.shifted(0, np.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.0]]))
    assert moved.centres[1, 0] - bodies.centres[0, 0] == pytest.approx([0.1, 0.0, 0.0])
    assert moved.centres[0] == pytest.approx(bodies.centres[0])
