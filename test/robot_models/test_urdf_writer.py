# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A URDF written from MJCF is the same robot: it moves the same, on another reader and engine."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip('mujoco', minversion='3.3')
pytest.importorskip('torch')

import fake_gym

fake_gym.install()

from gym_laws import COARSE
from port_suite import state, truth

from humanoid_locomotion.core.errors import SimulationError
from humanoid_locomotion.core.reading.resources import robot_folders
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.state import JointTargets
from humanoid_locomotion.robot_models.urdf import UrdfTree, rotation_of
from humanoid_locomotion.robot_models.urdf_writer import HEADER, matrix_of, rpy_of, urdf_of
from humanoid_locomotion.sim.backend import open_backend

FINE = dataclasses.replace(COARSE, timestep=0.00025, substeps=20)


def rewritten(name: str, folder):
    """Give a robot with the URDF that is written from its MJCF."""
    robot = load_robot(name)
    (folder / robot.mjcf).write_text(robot.mjcf_path.read_text(encoding='utf-8'))
    (folder / 'robot.urdf').write_text(urdf_of(robot), encoding='utf-8')
    return dataclasses.replace(robot, folder=str(folder), urdf='robot.urdf')


@pytest.mark.parametrize('name', robot_folders())
def test_it_moves_as_the_mjcf_does(name, tmp_path):
    robot = rewritten(name, tmp_path)
    ends = []
    for simulator in ('isaacgym', 'mujoco'):
        it = open_backend(simulator, robot, 1, FINE, device='cpu')
        rest = it.default_state()
        targets = JointTargets(rest.joint_positions + np.float32(0.05))
        for _ in range(5):
            it.step(targets)
        standing = truth(it)
        it.reset(np.ones(1, bool), dataclasses.replace(
            rest, base_position=rest.base_position + np.float32([0, 0, 1]),
            base_angular_velocity=np.array([[0.5, 1.0, -0.5]], np.float32)))
        for _ in range(4):
            it.step(targets)
        ends.append((standing, state(it), truth(it)))
        it.close()
    (stood, here, feet), (stood_there, there, feet_there) = ends
    for key, tolerance in (('joint_positions', 2e-3), ('base_position', 2e-4),
                           ('base_orientation', 5e-4), ('base_linear_velocity', 6e-3)):
        assert getattr(here, key) == pytest.approx(getattr(there, key), abs=tolerance), key
    for soles, others in ((stood, stood_there), (feet, feet_there)):
        assert soles.sole_positions == pytest.approx(others.sole_positions, abs=2e-3)
        assert soles.sole_normals == pytest.approx(others.sole_normals, abs=1e-2)
    assert stood.sole_forces.sum() > 0.3 * 9.81 * robot.mass


def test_it_is_the_file_that_was_written_by_hand(tmp_path):
    robot = load_robot('humanoid')
    written = rewritten('humanoid', tmp_path)
    files = [ElementTree.parse(it.urdf_path).getroot() for it in (robot, written)]
    for path in ('link', 'joint'):
        names = [{it.get('name') for it in root.findall(path)} for root in files]
        assert names[0] == names[1]
    shapes = [{it.get('name') for it in root.iter('collision')} for root in files]
    assert shapes[0] == shapes[1]
    assert written.mass == pytest.approx(robot.mass)
    trees = [UrdfTree(it.urdf_path) for it in (robot, written)]
    for sole in robot.soles:
        (link, offset, turn), (link2, offset2, turn2) = (
            tree.in_moving_link(sole) for tree in trees)
        assert link == link2 and np.allclose(offset, offset2) and np.allclose(turn, turn2)


@pytest.mark.parametrize('name', robot_folders())
def test_a_file_that_was_written_is_up_to_date(name):
    robot = load_robot(name)
    text = robot.urdf_path.read_text(encoding='utf-8')
    if HEADER.format(robot.mjcf) in text:
        assert text == urdf_of(robot), f'humanoid-locomotion robot write-urdf {name}'
    else:
        assert name == 'humanoid', 'only the humanoid is held equal to its MJCF by other tests'


@pytest.mark.parametrize('rpy', [(0.3, -0.7, 2.0), (0.4, np.pi / 2, 0.0), (-3.0, -1.5, 1.0)])
def test_angles_are_those_of_the_matrix(rpy):
    turn = rotation_of(np.array(rpy))
    assert rotation_of(rpy_of(turn)) == pytest.approx(turn, abs=1e-7)


def test_a_quaternion_has_w_first():
    assert matrix_of([np.sqrt(0.5), 0, 0, np.sqrt(0.5)]) @ [1, 0, 0] == pytest.approx([0, 1, 0])


@pytest.mark.parametrize('inner, said', [
    ('<geom type="ellipsoid" size="1 1 2"/>', 'is of type ellipsoid; URDF supports spheres'),
    ('<geom size="1"/><body name="b"><geom size="1"/><joint/><joint axis="1 0 0"/></body>',
     'body b must have at most one joint'),
    ('<geom size="1"/><body name="b"><geom size="1"/><joint type="slide"/></body>',
     'a hinge at its origin')])
def test_what_urdf_cannot_say_is_refused(tmp_path, inner, said):
    (tmp_path / 'robot.xml').write_text(
        f'<mujoco><worldbody><body name="a"><freejoint/>{inner}</body></worldbody></mujoco>')
    robot = dataclasses.replace(load_robot('humanoid'), folder=str(tmp_path))
    with pytest.raises(SimulationError, match=said):
        urdf_of(robot)


def test_passive_joints_are_refused():
    robot = dataclasses.replace(load_robot('humanoid'), passive_joints=('toe',))
    with pytest.raises(SimulationError, match=r'passive joints .*, which URDF does not support'):
        urdf_of(robot)
