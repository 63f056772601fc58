# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Drafting a robot: what a model says is kept, what it does not say is asked for by name."""

from __future__ import annotations

from dataclasses import replace
import math
import os

import numpy as np
import pytest

pytest.importorskip('mujoco', minversion='3.3')

import mujoco

from humanoid_locomotion.core.errors import ConfigError, SimulationError
from humanoid_locomotion.core.feedback.kinematics import joint_lines
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.robot_models.drafting.questions import TODO
from humanoid_locomotion.robot_models.importer import ImportOptions, import_robot
from humanoid_locomotion.sim.backend import PhysicsSpec
from humanoid_locomotion.sim.mujoco.model import build_model

PHYSICS = PhysicsSpec(0.005, 4, 10, 10, 64, 16)
INERTIAL = ('<inertial><mass value="{}"/><inertia ixx=".1" iyy=".1" izz=".1" ixy="0" ixz="0" '
            'iyz="0"/></inertial>')
LEG = """
  <link name="{side}_shin">""" + INERTIAL.format(2) + """
    <collision><origin xyz="0 0 -0.4"/><geometry><sphere radius="0.05"/></geometry></collision>
  </link>
  <link name="{side}_toe"/>
  <joint name="{side}_hip" type="revolute">
    <parent link="trunk"/><child link="{side}_shin"/><origin xyz="0 {y} -0.1"/>
    <axis xyz="0 {sign} 0"/><limit lower="-1" upper="{upper}" effort="20" velocity="10"/>
  </joint>
  <joint name="{side}_fixed" type="fixed">
    <parent link="{side}_shin"/><child link="{side}_toe"/><origin xyz="0.1 0 -0.4"/>
  </joint>"""
URDF = ('<robot name="tiny"><link name="trunk">' + INERTIAL.format(5)
        + '<collision><geometry><mesh filename="package://nowhere/trunk.stl"/></geometry>'
        '</collision></link>'
        + LEG.format(side='left', y=0.1, sign=1, upper=1.5)
        + LEG.format(side='right', y=-0.1, sign=-1, upper=1.5) + '</robot>')
MJCF = """<mujoco model="tiny">
  <default><geom density="500"/></default>
  <worldbody>
    <light pos="0 0 3"/>
    <geom name="ground" type="plane" size="0 0 1"/>
    <body name="trunk" pos="0 0 1">
      <freejoint/>
      <geom type="box" size="0.1 0.1 0.1"/>
      <body name="left_foot" pos="0 0.1 -0.1">
        <joint name="left_hip" axis="1 0 0" range="-60 60" armature="0.02"/>
        <geom type="capsule" fromto="0 0 0 0 0 -0.5" size="0.04"/>
      </body>
      <body name="right_foot" pos="0 -0.1 -0.1">
        <joint name="right_hip" axis="1 0 0" range="-60 60" armature="0.02"/>
        <geom type="capsule" fromto="0 0 0 0 0 -0.5" size="0.04"/>
      </body>
    </body>
  </worldbody>
  <actuator>
    <motor name="l" joint="left_hip" gear="10" ctrlrange="-2 2" ctrllimited="true"/>
    <position name="r" joint="right_hip" kp="50" forcerange="-30 30"/>
  </actuator>
  <sensor><jointpos joint="left_hip"/></sensor>
  <keyframe><key name="home" qpos="0 0 1 1 0 0 0 0.2 -0.2"/></keyframe>
</mujoco>"""


@pytest.fixture
def draft(tmp_path):
    """Give a function that imports a text and gives the folder and the questions by key."""
    def call(text: str, ending: str):
        source = tmp_path / f'model{ending}'
        source.write_text(text)
        questions = import_robot(source, tmp_path / 'mine', 'mine')
        return tmp_path / 'mine', {question.key: question for question in questions}

    return call


def answer(folder, **answers):
    """Replace every ``key: TODO`` in a draft."""
    path = folder / 'robot.yaml'
    text = path.read_text()
    for key, value in answers.items():
        text = text.replace(f'{key}: {TODO}', f'{key}: {value}')
    path.write_text(text)
    return load_robot(folder)


def test_a_urdf_gives_limits_efforts_and_speeds_and_lacks_the_rotor(draft):
    folder, questions = draft(URDF, '.urdf')
    assert questions['armature, kp, kd'].joints == ('left_hip', 'right_hip')
    assert questions['armature, kp, kd'].written == TODO
    assert 'effort' not in questions and 'velocity' not in questions
    robot = answer(folder, armature=0.01, kp=30.0, kd=1.0)
    assert robot.joint_names == ['left_hip', 'right_hip'] and robot.base_link == 'trunk'
    assert robot.values('effort').tolist() == [20.0, 20.0]
    assert robot.values('velocity').tolist() == [10.0, 10.0]
    assert robot.values('upper').tolist() == [1.5, 1.5]
    assert robot.mass == pytest.approx(9.0)
    assert robot.base_height == pytest.approx(0.1 + 0.4 + 0.05)


def test_an_mjcf_gives_masses_gains_and_pose(draft):
    folder, questions = draft(MJCF, '.xml')
    assert questions['velocity'].joints == ('left_hip', 'right_hip')
    assert questions['default'].written == 'the keyframe'
    robot = answer(folder, velocity=12.0)
    assert robot.values('effort').tolist() == [20.0, 30.0]  # gear * ctrlrange; forcerange
    assert robot.values('default') == pytest.approx([0.2, -0.2])
    assert robot.values('upper') == pytest.approx(math.radians(60.0), rel=1e-5)
    rate = 2.0 * math.pi * 8.0  # of the motor; the other joint has a position actuator
    assert robot.values('kp') == pytest.approx([0.02 * rate**2, 50.0], abs=1e-3)
    assert robot.values('kd') == pytest.approx([3.0 * 0.02 * rate, 3.0 * 50.0 / rate], abs=1e-3)
    assert questions['kp, kd'].joints == ('right_hip',)
    assert '50.5, 3.02' in questions['kp, kd'].why and questions['kp, kd'].written == '50, 2.984'
    source = mujoco.MjModel.from_xml_string(MJCF)
    assert robot.mass == pytest.approx(source.body_subtreemass[0])


@pytest.mark.parametrize('text, ending', [(URDF, '.urdf'), (MJCF, '.xml')])
def test_an_answered_draft_is_a_robot_that_backends_build(draft, text, ending):
    folder, _ = draft(text, ending)
    robot = answer(folder, armature=0.01, kp=30.0, kd=1.0, velocity=12.0)
    model = build_model(robot, PHYSICS, robot.joints)
    assert model.nu == 2 and model.nq == 9  # the draft's own motors are gone
    data = mujoco.MjData(model)
    data.qpos[2], data.qpos[7:] = robot.base_height, robot.values('default')
    mujoco.mj_forward(model, data)
    heights = [data.site(sole).xpos[2] for sole in robot.soles]
    assert heights == pytest.approx([0.0, 0.0], abs=1e-4)
    up = [data.site(sole).xmat.reshape(3, 3)[2, 2] for sole in robot.soles]
    assert up == pytest.approx([1.0, 1.0])


def test_a_draft_with_a_question_open_is_refused_by_its_key(draft):
    folder, _ = draft(URDF, '.urdf')
    with pytest.raises(ConfigError, match=r"joints\[0\]\.armature: expected float, found str 'TO"):
        load_robot(folder)
    text = (folder / 'robot.yaml').read_text()
    assert '#   armature, kp, kd: ' in text and '(left_hip, right_hip)' in text


def test_feet_are_found_by_their_place_whatever_they_are_called(draft):
    folder, questions = draft(URDF.replace('right_', 'starboard_').replace('left_', 'x'), '.urdf')
    assert questions['feet'].written == 'xshin, starboard_shin'
    assert 'feet: [xshin, starboard_shin]' in (folder / 'robot.yaml').read_text()


def test_pose_and_rotors_can_be_told_by_parts_of_names_and_the_last_counts(tmp_path):
    (tmp_path / 'tiny.urdf').write_text(URDF)
    questions = import_robot(tmp_path / 'tiny.urdf', tmp_path / 'mine', 'mine', ImportOptions(
        pose={'hip': 0.2}, armature={'hip': 0.01, 'left_hip': 0.02}))
    assert not {'default', 'armature, kp, kd'} & {question.key for question in questions}
    robot = load_robot(tmp_path / 'mine')
    assert robot.values('default').tolist() == [0.2, 0.2]
    assert robot.values('armature').tolist() == [0.02, 0.01]
    assert robot.values('kp') == pytest.approx(robot.values('armature') * (16 * math.pi)**2, 1e-3)
    model = build_model(robot, PHYSICS, robot.joints)  # a URDF has no armature: the robot's counts
    hips = [int(model.joint(name).dofadr[0]) for name in robot.joint_names]
    assert model.dof_armature[hips].tolist() == [0.02, 0.01]


def test_a_part_that_is_in_no_name_is_refused(tmp_path):
    (tmp_path / 'tiny.urdf').write_text(URDF)
    with pytest.raises(ConfigError, match=r"--pose: no joint name contains 'knee'; .*left_hip"):
        import_robot(tmp_path / 'tiny.urdf', tmp_path / 'mine', 'mine',
                     ImportOptions(pose={'knee': 0.2}))


@pytest.mark.parametrize('turn, size', [('0 0 0', '.2 .1 .04'), ('1.5707963 0 0', '.2 .04 .1')])
def test_a_foots_box_becomes_spheres_in_its_lowest_corners(draft, turn, size):
    box = f'<origin xyz="0 0 -0.4" rpy="{turn}"/><geometry><box size="{size}"/></geometry>'
    sphere = '<origin xyz="0 0 -0.4"/><geometry><sphere radius="0.05"/></geometry>'
    folder, _ = draft(URDF.replace(sphere, box), '.urdf')
    model = mujoco.MjModel.from_xml_path(str(folder / 'robot.xml'))
    assert (model.geom_type == mujoco.mjtGeom.mjGEOM_SPHERE).all() and model.ngeom == 8
    assert model.geom_size[:, 0] == pytest.approx(0.02)
    corners = [(x, y, -0.4) for x in (-0.08, 0.08) for y in (-0.03, 0.03)]
    np.testing.assert_allclose(sorted(model.geom_pos[:4].tolist()), corners, atol=1e-6)


def test_a_narrow_foot_does_not_stand_on_a_line(draft):
    """The foot of a ToddlerBot, 42 mm wide: spheres of a quarter of that, 21 mm apart."""
    sphere, box = '<sphere radius="0.05"/>', '<box size="0.12 0.042 0.049"/>'
    folder, _ = draft(URDF.replace(sphere, box), '.urdf')
    model = mujoco.MjModel.from_xml_path(str(folder / 'robot.xml'))
    assert model.geom_size[:, 0] == pytest.approx(0.0105)
    assert np.ptp(model.geom_pos[:4], axis=0) == pytest.approx([0.099, 0.021, 0.0])


def test_a_cylinder_becomes_a_capsule_as_long(draft):
    sphere, rod = '<sphere radius="0.05"/>', '<cylinder radius="0.05" length="0.4"/>'
    folder, _ = draft(URDF.replace(sphere, rod), '.urdf')
    model = mujoco.MjModel.from_xml_path(str(folder / 'robot.xml'))
    assert (model.geom_type == mujoco.mjtGeom.mjGEOM_CAPSULE).all()
    assert model.geom_size[0, :2] == pytest.approx([0.05, 0.15])


def test_shapes_that_push_each_other_away_are_named(draft):
    _, questions = draft(URDF.replace('xyz="0 0 -0.4"/><geometry>', 'xyz="0 0 0"/><geometry>')
                         .replace('0 0.1 -0.1', '0 0.04 0').replace('0 -0.1 -0.1', '0 -0.04 0'),
                         '.urdf')
    assert questions['robot.xml'].written == 'left_shin and right_shin'


def test_a_shipped_robot_comes_back_as_it_was(tmp_path):
    robot = load_robot('unitree_h1')
    questions = import_robot(robot.mjcf_path, tmp_path / 'again', 'again')
    assert {q.key for q in questions if q.written == TODO} == {'effort', 'velocity'}
    again = answer(tmp_path / 'again', effort=1.0, velocity=1.0)
    assert again.joint_names == robot.joint_names
    assert (again.feet, again.soles, again.base_link) == (robot.feet, robot.soles, 'pelvis')
    assert again.mass == pytest.approx(robot.mass)
    for key in ('lower', 'upper', 'armature'):
        np.testing.assert_allclose(again.values(key), robot.values(key), atol=1e-6)
    lines = joint_lines(replace(again, joints=robot.joints))  # in the same default pose
    for name, line in joint_lines(robot).items():
        np.testing.assert_allclose(lines[name].axis, line.axis, atol=1e-6)


@pytest.mark.parametrize('text, message', [
    ('<robot', 'cannot be read as XML'),
    ('<mujoco><worldbody><body name="a"/></worldbody></mujoco>', 'expected one robot whose base'),
    (MJCF.replace('name="right_hip" axis="1 0 0" range="-60 60"',
                  'name="right_hip" type="slide" range="-1 1"'), "joint 'right_hip': expected a"),
    (MJCF.replace('<geom type="box" size="0.1 0.1 0.1"/>',
                  '<geom type="mesh" mesh="gone"/>'), "link 'trunk' has no inertial, and its")])
def test_what_is_no_robot_is_refused_and_nothing_is_written(draft, tmp_path, text, message):
    with pytest.raises(SimulationError, match=message):
        draft(text, '.xml')
    assert not (tmp_path / 'mine').exists()


def test_a_robot_that_is_there_is_not_overwritten(draft):
    draft(MJCF, '.xml')
    with pytest.raises(ConfigError, match='exists already'):
        draft(MJCF, '.xml')


def test_names_that_yaml_would_read_otherwise_are_quoted(draft):
    """A joint may be called almost anything in MJCF."""
    folder, _ = draft(MJCF.replace('left_hip', 'left: hip, {no}').replace('right_hip', '12'),
                      '.xml')
    assert answer(folder, velocity=12.0).joint_names == ['left: hip, {no}', '12']


@pytest.mark.parametrize('name', ['two words', 'a: b', 'true', '12', '../away', 'x' * 65, '-a'])
def test_a_name_that_is_no_plain_word_is_refused(tmp_path, name):
    model = load_robot('unitree_h1').mjcf_path
    with pytest.raises(ConfigError, match='--name: found'):
        import_robot(model, tmp_path / 'mine', name)
    assert list(tmp_path.iterdir()) == []


def test_what_would_be_waited_for_is_refused(tmp_path):
    """A FIFO without a writer; MuJoCo would open it."""
    os.mkfifo(tmp_path / 'robot.xml')
    with pytest.raises(SimulationError, match='is a FIFO, expected a regular file'):
        import_robot(tmp_path / 'robot.xml', tmp_path / 'mine', 'mine')


def test_deep_xml_and_figures_that_are_text_are_refused(draft):
    deep = '<robot>' + 500 * '<link>' + 500 * '</link>' + '</robot>'
    with pytest.raises(SimulationError, match='nested deeper than 200'):
        draft(deep, '.urdf')
    with pytest.raises(SimulationError, match="velocity of <limit> is 'fast', expected numbers"):
        draft('<robot name="r"><joint name="j"><limit velocity="fast"/></joint></robot>', '.urdf')
