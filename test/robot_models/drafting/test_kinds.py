# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Robot files of every kind are drafted and stand, or are refused in one sentence."""

from __future__ import annotations

import os

import numpy as np
import pytest

pytest.importorskip('mujoco', minversion='3.3')

import mujoco
from small_robots import FINGER, PHYSICS, draft, joint, link, mjcf, stand, urdf, write_box

from humanoid_locomotion.core.errors import ConfigError, SimulationError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.robot_models.drafting.questions import TODO
from humanoid_locomotion.sim.backend import open_backend
from humanoid_locomotion.sim.mujoco.model import MujocoLayout, build_model

BADGE = ('<link name="badge"><visual><geometry><mesh filename="package://tiny/badge.stl"/>'
         '</geometry></visual></link>' + joint('badge_fix', 'base', 'badge', '0 0 0', 'fixed'))
MIMIC = FINGER + joint('tip', 'finger', 'tip', '0 0 0.05',
                       inside='<mimic joint="finger" multiplier="1.2" offset="0"/>')
JAW = link('jaw', 0.05) + joint('jaw', 'base', 'jaw', '0 0.2 0.3', 'prismatic')
PAIRS = ('<contact><pair name="lf" geom1="left_foot" geom2="floor"/><exclude body1="world" '
         'body2="left_foot"/></contact>')
MOTORS = ('<actuator><motor joint="left_hip" ctrlrange="-40 40"/><motor joint="right_hip" '
          'ctrlrange="-40 40"/></actuator>')
LOOP = '<equality><connect body1="left_foot" body2="base" anchor="0 0 .5"/></equality>'
SIX = ''.join(f'<joint name="{name}" type="slide" axis="{axis}"/>' for name, axis in (
    ('x', '1 0 0'), ('y', '0 1 0'), ('z', '0 0 1'))) + '<joint name="turn" type="ball"/>'


@pytest.mark.parametrize('text, ending', [
    (urdf(), '.urdf'), (mjcf(), '.xml'), (mjcf(LOOP), '.xml'), (mjcf(MOTORS), '.xml'),
    (mjcf(PAIRS), '.xml'), (mjcf(PAIRS, floor=False), '.xml'), (mjcf(base=SIX), '.xml'),
    (urdf(MIMIC), '.urdf'), (urdf(BADGE), '.urdf'), (urdf(sides=('leg_l', 'leg_r')), '.urdf'),
], ids=['urdf', 'mjcf', 'loop', 'springs', 'pairs', 'split scene', 'slides', 'mimic', 'badge',
        'names'])
def test_a_draft_stands_for_a_second(tmp_path, text, ending):
    robot, _ = draft(tmp_path, text, ending)
    _, data = stand(robot)
    base = data.body(robot.base_link)
    assert base.xpos[2] > 0.9 * robot.base_height and base.xmat[8] > 0.95
    assert robot.mass == pytest.approx(9.0 if ending == '.xml' else 10.0, abs=0.2)


def test_feet_are_found_whatever_they_are_called(tmp_path):
    robot, asked = draft(tmp_path, urdf(sides=('leg_a', 'leg_b')))
    assert robot.feet == ('leg_a_foot', 'leg_b_foot')
    assert asked['feet'].written == 'leg_a_foot, leg_b_foot'


def test_a_link_without_a_mesh_file_is_kept_without_its_mesh(tmp_path):
    robot, asked = draft(tmp_path, urdf(BADGE))
    assert asked['robot.xml'].written == '8 shapes'
    assert 'package://tiny/badge.stl' in (tmp_path / 'mine' / 'robot.yaml').read_text()
    model = mujoco.MjModel.from_xml_path(str(robot.mjcf_path))
    assert model.body('badge').mass == 0.0 and model.nmesh == 0


def test_a_joint_that_follows_another_stays_passive(tmp_path):
    robot, asked = draft(tmp_path, urdf(MIMIC))
    assert 'finger' in robot.joint_names and robot.passive_joints == ('tip',)
    assert asked['passive_joints'].joints == ('tip',)
    model, data = stand(robot, 0.0)
    data.ctrl[model.actuator('finger').id] = 0.5
    for _ in range(1000):
        mujoco.mj_step(model, data)
    finger, tip = (data.joint(name).qpos[0] for name in ('finger', 'tip'))
    assert finger > 0.2 and tip == pytest.approx(1.2 * finger, abs=0.02)


def test_a_reset_puts_passive_joints_where_they_rest(tmp_path):
    robot, _ = draft(tmp_path, urdf(MIMIC), pose={'finger': 0.5})
    backend = open_backend('mujoco', robot, 1, PHYSICS, device='cpu')
    rest = backend.default_state()
    backend.close()
    model = build_model(robot, PHYSICS, robot.joints)
    qpos, _ = MujocoLayout(model, robot, robot.joints).qpos_qvel(rest)
    assert qpos[0, model.joint('tip').qposadr[0]] == pytest.approx(0.6, abs=1e-4)


def test_joints_without_an_actuator_are_passive_if_others_have_one(tmp_path):
    robot, _ = draft(tmp_path, mjcf(MOTORS), '.xml')
    assert robot.joint_names == ['left_hip', 'right_hip']
    assert robot.passive_joints == ('left_ankle', 'right_ankle')
    assert robot.values('effort').tolist() == [40.0, 40.0]
    assert mujoco.MjModel.from_xml_path(str(robot.mjcf_path)).nkey == 1


def test_a_closed_loop_is_kept(tmp_path):
    robot, _ = draft(tmp_path, mjcf(LOOP), '.xml')
    assert mujoco.MjModel.from_xml_path(str(robot.mjcf_path)).neq == 1


def test_a_loop_that_the_default_pose_opens_is_named(tmp_path):
    _, asked = draft(tmp_path, mjcf(LOOP), '.xml', pose={'left_ankle': 0.5})
    assert asked['default'].written == 'open' and 'closed loop is open by' in asked['default'].why


def test_shapes_that_touched_a_floor_by_a_pair_touch_the_simulators(tmp_path):
    text = mjcf(PAIRS, floor=False).replace('size=".1', 'contype="0" conaffinity="0" size=".1')
    robot, asked = draft(tmp_path, text.replace('<exclude', '<pair geom1="right_foot" '
                                                'geom2="floor"/><exclude'), '.xml')
    assert asked['robot.xml']
    assert stand(robot)[1].qpos[2] == pytest.approx(robot.base_height, abs=0.03)


def test_a_base_on_slides_and_a_ball_gets_one_free_joint(tmp_path):
    robot, _ = draft(tmp_path, mjcf(base=SIX), '.xml')
    model = mujoco.MjModel.from_xml_path(str(robot.mjcf_path))
    assert model.jnt_type[0] == mujoco.mjtJoint.mjJNT_FREE and model.njnt == 5


def test_a_speed_of_zero_is_asked_for(tmp_path):
    with pytest.raises(ConfigError, match='velocity: expected float'):
        draft(tmp_path, urdf(speed=0.0), guess=False, armature={'': 0.01})
    text = (tmp_path / 'mine' / 'robot.yaml').read_text()
    assert f'velocity: {TODO}' in text and 'largest speed of the motor; the file has 0' in text


def test_a_sole_is_fitted_to_the_mesh_of_a_foot(tmp_path):
    write_box(tmp_path / 'foot.stl', (0.2, 0.08, 0.03))
    robot, _ = draft(tmp_path, urdf(foot='<mesh filename="package://any/foot.stl"/>'))
    (tmp_path / 'box').mkdir()
    boxed, _ = draft(tmp_path / 'box', urdf())
    fitted, exact = (mujoco.MjModel.from_xml_path(str(it.mjcf_path)) for it in (robot, boxed))
    order = [np.lexsort(it.geom_pos.T) for it in (fitted, exact)]
    np.testing.assert_allclose(fitted.geom_pos[order[0]], exact.geom_pos[order[1]], atol=1e-5)
    np.testing.assert_allclose(fitted.geom_size[:, 0], exact.geom_size[:, 0], atol=1e-6)
    assert robot.base_height == pytest.approx(boxed.base_height, abs=1e-5)


@pytest.mark.parametrize('text, ending, said', [
    (urdf(foot='<mesh filename="foot.stl"/>'), '.urdf',
     "foot 'left_foot' has no collision shape, and its mesh foot.stl is missing"),
    (urdf(foot=''), '.urdf', "foot 'left_foot' has no collision shape and no mesh"),
    (urdf(JAW), '.urdf', "joint 'jaw': expected a hinge, found a slide joint: fix it with --lock "
     'jaw=0, or leave its link out with --drop jaw'),
    (urdf(base_ixx=0.05), '.urdf', "link 'base': its principal moments of inertia are 0.01, 0.01, "
     '0.05 kg m.2, but none can be larger than the sum of the others'),
    (urdf(sides=('left_hand', 'right_hand')), '.urdf', 'whose names are those of hands'),
    (mjcf(base='<joint name="x" type="slide"/>'), '.xml', r'moves by 1 joints \(x: slide\)'),
    (mjcf(MOTORS.replace('</actuator>', '<motor joint="turn" ctrlrange="-1 1"/></actuator>'),
          in_base='<body name="c"><inertial pos="0 0 0" mass="1" diaginertia="1 1 1"/><joint '
          'name="turn" type="ball"/></body>'), '.xml', 'found a ball joint: leave its link out'),
    (urdf().replace('<mass value="5.0"/>', '<mass value="nan"/>'), '.urdf',
     "link 'base': value of <mass> is 'nan', expected a finite number"),
    (urdf().replace('parent link="base"', 'parent link="bass"'), '.urdf',
     "joint 'left_hip': its parent link is 'bass', which is no link of the file"),
    (urdf(MIMIC.replace('mimic joint="finger"', 'mimic joint="fingre"')), '.urdf',
     "joint 'tip': it mimics 'fingre', which is no joint of the file"),
    (urdf().replace('<robot name="tiny">', '<robot xmlns:xacro="http://ros.org/wiki/xacro">'
                    '<xacro:include filename="x"/>'), '.urdf', 'is a xacro file, expected URDF'),
    (urdf().replace('<mass value="0.5"/>', '<mass value="0"/>'), '.urdf',
     "link 'left_foot': it moves, but its mass or inertia is 0"),
])
def test_what_cannot_be_drafted_is_refused_in_one_sentence(tmp_path, text, ending, said):
    with pytest.raises(SimulationError, match=said) as refusal:
        draft(tmp_path, text, ending)
    assert '\n' not in str(refusal.value) and not (tmp_path / 'mine').exists()


def test_physics_options_of_the_file_are_left_to_the_simulator(tmp_path):
    robot, _ = draft(tmp_path, mjcf('<option gravity="0 0 0"/>'), '.xml')
    model = mujoco.MjModel.from_xml_path(str(robot.mjcf_path))
    assert model.opt.gravity.tolist() == [0.0, 0.0, -9.81]


def test_a_joint_is_locked_or_its_link_dropped(tmp_path):
    for name, options in (('locked', {'lock': {'jaw': 0.02}}), ('dropped', {'drop': ['jaw']})):
        (tmp_path / name).mkdir()
        robot, _ = draft(tmp_path / name, urdf(JAW), **options)
        assert 'jaw' not in robot.joint_names
        assert robot.mass == pytest.approx(10.05 if name == 'locked' else 10.0)


def test_an_inertia_that_cannot_exist_is_corrected_if_asked(tmp_path):
    robot, _ = draft(tmp_path, urdf(base_ixx=0.05), fix_inertia=True)
    model = mujoco.MjModel.from_xml_path(str(robot.mjcf_path))
    assert sorted(model.body('base').inertia) == pytest.approx(
        [0.025, 0.025, 0.05], rel=1e-4)


@pytest.mark.parametrize('place', ['r/wren: b', 'a #1', "it's, {here}"])
def test_a_folder_may_have_any_name(tmp_path, place):
    folder = tmp_path / place
    folder.mkdir(parents=True)
    robot, _ = draft(folder, urdf())
    assert load_robot(folder / 'mine').joint_names == robot.joint_names


@pytest.mark.parametrize('text, ending', [(urdf(), '.urdf'), (mjcf(), '.xml')])
def test_a_path_that_is_not_utf_8_is_refused(tmp_path, text, ending):
    folder = tmp_path / os.fsdecode(b'caf\xe9')
    folder.mkdir()
    with pytest.raises(SimulationError, match='its path is not UTF-8'):
        draft(folder, text, ending)
