# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A user's own MJCF takes the place of ours: named otherwise, furnished, and the same robot."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip('mujoco', minversion='3.3')

import mujoco

from humanoid_locomotion.core.errors import JointsError, SimulationError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.state import JointTargets
from humanoid_locomotion.sim.backend import PhysicsSpec, open_backend
from humanoid_locomotion.sim.mujoco.custom_model import with_model

ROBOT = load_robot('humanoid')
PHYSICS = PhysicsSpec(timestep=0.002, substeps=10, solver_iterations=20,
                      line_search_iterations=20, max_constraints=256, max_contacts=64)
FURNITURE = {
    'asset': '<asset><texture name="floor" type="2d" builtin="checker" width="8" height="8"/>'
             '<material name="floor" texture="floor"/></asset>',
    'actuator': '<actuator><motor name="left_knee" joint="left_knee_joint" gear="7"/></actuator>',
    'sensor': '<sensor><jointpos name="sole_force_0" joint="left_knee_joint"/></sensor>'}


def own(path, change=lambda root: None):
    """Write our MJCF as somebody else would: other names, a floor, actuators; no soles."""
    root = ElementTree.parse(ROBOT.mjcf_path).getroot()
    for parent in root.iter():
        for site in [it for it in parent.findall('site') if it.get('name') in ROBOT.soles]:
            parent.remove(site)
    for body in root.iter('body'):
        body.set('name', f"their_{body.get('name')}")
    contact = root.find('contact')
    if contact is not None:
        root.remove(contact)
    for joint in root.iter('joint'):
        if joint.get('name'):
            joint.set('name', f"{joint.get('name')}_joint")
    for text in FURNITURE.values():
        root.append(ElementTree.fromstring(text))
    root.find('worldbody').append(ElementTree.fromstring(
        '<geom name="floor" type="plane" size="5 5 1" material="floor"/>'))
    change(root)
    path.write_text(ElementTree.tostring(root, encoding='unicode'))
    return path


def stand(robot, steps=25):
    """Give a simulator in which the robot held its default pose for a while."""
    backend = open_backend('mujoco', robot, 1, PHYSICS, device='cpu')
    for _ in range(steps):
        backend.step(JointTargets(ROBOT.values('default')[None]))
    return backend


def test_the_same_robot_moves_the_same(tmp_path):
    theirs = with_model(ROBOT, own(tmp_path / 'own.xml'), tmp_path)
    assert theirs.base_link == f'their_{ROBOT.base_link}' and theirs.joints == ROBOT.joints
    assert theirs.mass == pytest.approx(ROBOT.mass)
    assert theirs.model_hash != ROBOT.model_hash
    a, b = stand(ROBOT), stand(theirs)
    assert np.allclose(a.state().joint_positions, b.state().joint_positions, atol=1e-3)
    assert np.allclose(a.truth().sole_positions, b.truth().sole_positions, atol=1e-3)
    assert a.truth().sole_forces.sum() == pytest.approx(b.truth().sole_forces.sum(), rel=0.05)
    assert b.truth().sole_forces.sum() > 0.5 * 9.81 * ROBOT.mass


def test_what_differs_counts(tmp_path):
    def heavier(root):
        for inertial in root.iter('inertial'):
            inertial.set('mass', str(1.5 * float(inertial.get('mass'))))

    theirs = with_model(ROBOT, own(tmp_path / 'own.xml', heavier), tmp_path)
    assert theirs.mass == pytest.approx(1.5 * ROBOT.mass)


def test_a_mass_that_only_a_shape_says_is_read(tmp_path):
    def by_shape(root):
        base = next(root.iter('body'))
        base.remove(base.find('inertial'))
        base.append(ElementTree.fromstring('<geom type="box" size=".1 .1 .1" mass="7"/>'))

    path = own(tmp_path / 'own.xml', by_shape)
    mass = mujoco.MjModel.from_xml_path(str(path)).body_mass.sum()
    assert with_model(ROBOT, path, tmp_path).mass == pytest.approx(mass)
    assert mass != pytest.approx(ROBOT.mass, abs=0.1)


def test_meshes_are_found_from_where_the_model_lies(tmp_path):
    def with_mesh(root):
        compiler = root.find('compiler')
        compiler = ElementTree.SubElement(root, 'compiler') if compiler is None else compiler
        compiler.set('meshdir', 'shapes')
        root.append(ElementTree.fromstring('<asset><mesh name="hat" file="hat.obj"/></asset>'))
        next(root.iter('body')).append(ElementTree.fromstring(
            '<geom type="mesh" mesh="hat" mass="0" contype="0" conaffinity="0"/>'))

    (tmp_path / 'theirs' / 'shapes').mkdir(parents=True)
    (tmp_path / 'theirs' / 'shapes' / 'hat.obj').write_text(
        'v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n')
    path = own(tmp_path / 'theirs' / 'own.xml', with_mesh)
    assert stand(with_model(ROBOT, path, tmp_path)).model.nmesh == 1


def rename_knee(root):
    """Give a joint a name that no rule maps."""
    for joint in root.iter('joint'):
        if joint.get('name') == 'left_knee_joint':
            joint.set('name', 'joint_7')
    root.remove(root.find('actuator'))
    root.remove(root.find('sensor'))


def add_finger(root):
    """Give the robot a joint that ours does not have."""
    body = next(root.iter('body'))
    body.append(ElementTree.fromstring(
        '<body name="finger"><joint name="thumb" axis="1 0 0"/>'
        '<geom type="sphere" size="0.01" mass="0.01"/></body>'))


def add_table(root):
    """Put something else into the world."""
    root.find('worldbody').append(ElementTree.fromstring(
        '<body name="table"><geom type="sphere" size="0.1"/></body>'))


@pytest.mark.parametrize('change, kind, message', [
    (rename_knee, JointsError, r"own.xml: missing joints \['left_knee'\]; it has .*'joint_7'"),
    (add_finger, SimulationError, r"own.xml: robot 'humanoid' has no joints \['thumb'\]"),
    (add_table, SimulationError, r"expected one body with a free joint .*'table'")])
def test_another_robot_is_refused(tmp_path, change, kind, message):
    with pytest.raises(kind, match=message):
        with_model(ROBOT, own(tmp_path / 'own.xml', change), tmp_path)


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(SimulationError, match=r'none.xml: MuJoCo cannot load it'):
        with_model(ROBOT, tmp_path / 'none.xml', tmp_path)
