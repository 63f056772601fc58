# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Laws of the steps of a draft: inertias, locking, drives, feet, poses and meshes."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('mujoco', minversion='3.3')

import mujoco
from small_robots import FINGER, draft, joint, link, mjcf, stand, urdf

from humanoid_locomotion.core.errors import ConfigError, SimulationError
from humanoid_locomotion.core.feedback.joint_mirror import joint_mirror
from humanoid_locomotion.core.robot import GRAVITY
from humanoid_locomotion.robot_models.drafting.drives import read_drives
from humanoid_locomotion.robot_models.drafting.inertia import check_inertias
from humanoid_locomotion.robot_models.drafting.meshes import mesh_file
from humanoid_locomotion.robot_models.drafting.questions import Questions
from humanoid_locomotion.robot_models.drafting.scene import canonical, lock
from humanoid_locomotion.robot_models.drafting.standing_pose import close_loops


def one_link(moments, moving=True):
    """Give a model of one link with principal moments about turned axes."""
    spec = mujoco.MjSpec()
    body = spec.worldbody.add_body(name='it', mass=1.0, explicitinertial=True, inertia=moments,
                                   iquat=[0.8, 0.6, 0.0, 0.0])
    if moving:
        body.add_joint(name='j')
    return spec, body


@pytest.mark.parametrize('moments', [(0.1, 0.2, 0.5), (0.3, 0.1, 0.1), (-0.1, 0.2, 0.2),
                                     (0.0, 0.0, 1.0), (0.0, 0.0, 0.0)])
def test_a_corrected_inertia_can_exist_and_keeps_its_largest_moment_and_its_axes(moments):
    spec, body = one_link(moments)
    with pytest.raises(SimulationError, match="link 'it': it"):
        check_inertias(spec, 'file', False, Questions())
    questions = Questions()
    check_inertias(spec, 'file', True, questions)
    spec.compile()  # MuJoCo refuses what cannot exist
    small, middle, large = sorted(body.inertia)
    assert small > 0.0 and large <= small + middle + 1e-12 and len(questions.asked) == 1
    if max(moments) > 0.0:
        assert large == pytest.approx(max(moments))
    axis = np.zeros(3)
    mujoco.mju_rotVecQuat(axis, np.eye(3)[np.argmax(body.inertia)], body.iquat)
    before = np.zeros(3)
    mujoco.mju_rotVecQuat(before, np.eye(3)[int(np.argmax(moments))], np.array([0.8, 0.6, 0, 0]))
    if sorted(moments)[1] < sorted(moments)[2]:
        assert abs(axis @ before) == pytest.approx(1.0)


def test_an_inertia_that_can_exist_is_left_alone():
    spec, body = one_link((0.1, 0.2, 0.25))
    check_inertias(spec, 'file', True, Questions())
    assert body.inertia.tolist() == [0.1, 0.2, 0.25]
    assert body.iquat.tolist() == [0.8, 0.6, 0, 0]


def test_a_frame_without_mass_is_no_fault(tmp_path):
    frame = link('frame', 0.0).replace('0.01', '0')
    robot, _ = draft(tmp_path, urdf(frame + joint('f', 'base', 'frame', '0 0 0', 'fixed')))
    assert robot.mass == pytest.approx(10.0)


def test_a_locked_joint_holds_the_links_where_it_would():
    text = ('<mujoco><worldbody><body name="a" pos="0 0 1"><freejoint/><geom size=".1"/><body '
            'name="b" pos=".1 .2 .3" quat=".8 0 .6 0"><joint name="j" axis="1 2 2" '
            'pos=".1 0 .2"/><geom size=".1"/><body name="c" pos="0 .3 0"><joint name="s" '
            'type="slide" axis="0 1 0"/><geom size=".1"/></body></body></body></worldbody>'
            '</mujoco>')
    free = mujoco.MjModel.from_xml_string(text)
    data = mujoco.MjData(free)
    data.joint('j').qpos, data.joint('s').qpos = 0.7, 0.2
    mujoco.mj_kinematics(free, data)
    spec = mujoco.MjSpec.from_string(text)
    lock(spec, {'j': 0.7, 's': 0.2}, Questions())
    fixed = spec.compile()
    held = mujoco.MjData(fixed)
    mujoco.mj_kinematics(fixed, held)
    assert fixed.njnt == 1
    for name in 'abc':
        assert held.body(name).xpos == pytest.approx(data.body(name).xpos, abs=1e-9)
        assert held.body(name).xmat == pytest.approx(data.body(name).xmat, abs=1e-9)


def test_a_joint_that_follows_a_locked_one_is_locked_too(tmp_path):
    tip = joint('tip', 'finger', 'tip', '0 0 0.05',
                inside='<mimic joint="finger" multiplier="1.2" offset="0.1"/>')
    robot, _ = draft(tmp_path, urdf(FINGER + tip), lock={'finger': 0.5})
    assert not {'finger', 'tip'} & set(robot.joint_names) and robot.passive_joints is None
    data = stand(robot, 0.0)[1]
    mujoco.mj_kinematics(data.model, data)
    turn = data.body('base').xmat.reshape(3, 3).T @ data.body('tip').xmat.reshape(3, 3)
    assert np.arctan2(turn[0, 2], turn[0, 0]) == pytest.approx(0.5 + 1.2 * 0.5 + 0.1)


def test_gears_multiply_torques_and_gains_and_tendons_pass_them_on():
    model = mujoco.MjModel.from_xml_string(
        '<mujoco><worldbody><body><geom size=".1"/><joint name="a"/><body><geom size=".1"/>'
        '<joint name="b"/><body><geom size=".1"/><joint name="c"/><body><geom size=".1"/>'
        '<joint name="d"/></body></body></body></body></worldbody><tendon><fixed name="one">'
        '<joint joint="b" coef="3"/></fixed><fixed name="two"><joint joint="c" coef="1"/>'
        '<joint joint="d" coef="1"/></fixed></tendon><actuator>'
        '<position joint="a" kp="10" kv="2" gear="2" forcerange="-5 5"/>'
        '<motor tendon="one" gear="2" ctrlrange="-4 4" ctrllimited="true"/>'
        '<motor tendon="two"/></actuator></mujoco>')
    drives = read_drives(model)
    assert drives.gains == {'a': (40.0, 8.0)} and drives.efforts == {'a': 10.0, 'b': 24.0}
    assert drives.passive == drives.through_tendons == {'c', 'd'}


def test_the_damping_of_a_joint_is_the_kd_of_its_position_actuator(tmp_path):
    actuators = ''.join(f'<position joint="{side}_{name}" kp="80" forcerange="-30 30"/>'
                        for side in ('left', 'right') for name in ('hip', 'ankle'))
    robot, asked = draft(tmp_path, mjcf(f'<actuator>{actuators}</actuator>').replace(
        'armature="0.005"', 'armature="0.005" damping="3"'), '.xml')
    assert robot.values('kp').tolist() == 4 * [80.0] and robot.values('kd').tolist() == 4 * [3.0]
    model = mujoco.MjModel.from_xml_path(str(robot.mjcf_path))
    assert not model.dof_damping.any()
    assert asked['kp, kd'].written == '80, 3' and '12.6, 0.754' in asked['kp, kd'].why


def test_gains_of_an_armature_that_is_too_small_are_asked_for(tmp_path):
    motors = ''.join(f'<motor joint="{side}_{name}" ctrlrange="-40 40"/>'
                     for side in ('left', 'right') for name in ('hip', 'ankle'))
    text = mjcf(f'<actuator>{motors}</actuator>').replace('"0.005"', '"0.00005"')
    with pytest.raises(ConfigError, match='velocity: expected float'):
        draft(tmp_path, text, '.xml', guess=False)
    drafted = (tmp_path / 'mine' / 'robot.yaml').read_text()
    assert 'armature: 5.0e-05, kp: TODO, kd: TODO' in drafted
    assert 'kp is 0.126 with its armature, which does not hold the default pose' in drafted
    (tmp_path / 'guessed').mkdir()
    robot, _ = draft(tmp_path / 'guessed', text, '.xml')
    assert robot.values('kp').min() >= 40.0 and set(robot.values('armature')) == {5e-5}


def test_kp_can_be_given_instead_of_the_files(tmp_path):
    actuators = ''.join(f'<position joint="{side}_{name}" kp="2" forcerange="-30 30"/>'
                        for side in ('left', 'right') for name in ('hip', 'ankle'))
    text = mjcf(f'<actuator>{actuators}</actuator>')
    _, asked = draft(tmp_path, text, '.xml')
    assert 'holds the default pose, and can be given with --kp' in asked['kp, kd'].why
    (tmp_path / 'given').mkdir()
    robot, asked = draft(tmp_path / 'given', text, '.xml', kp={'ankle': 40.0},
                         armature={'hip': .02})
    kp = dict(zip(robot.joint_names, robot.values('kp')))
    assert kp['left_ankle'] == kp['right_ankle'] == 40.0 and 'kp, kd' not in asked
    assert kp['left_hip'] == pytest.approx(0.02 * (16 * np.pi)**2, rel=1e-3)
    model = mujoco.MjModel.from_xml_path(str(robot.mjcf_path))
    assert model.dof_armature[6:] == pytest.approx([0.02, 0.005, 0.02, 0.005])


def test_a_torque_below_that_of_standing_is_asked_for(tmp_path):
    text = urdf().replace('effort="30"', 'effort="0.5"')
    robot, asked = draft(tmp_path, text)
    weak = asked['effort']
    assert {'left_knee', 'right_knee'} <= set(weak.joints) and weak.written == 'guessed'
    assert 'of standing; the file has 0.5' in weak.why
    assert stand(robot)[1].body('base').xmat[8] > 0.95
    (tmp_path / 'open').mkdir()
    with pytest.raises(ConfigError, match='expected float'):
        draft(tmp_path / 'open', text, guess=False, armature={'': 0.02})


FOUR_BARS = (
    '<mujoco><option gravity="0 0 0"/><worldbody><body name="base"><freejoint/><geom size=".1"/>'
    '<body name="a"><joint name="a" axis="0 1 0"/><geom size=".02"/><body name="b" pos="0 0 -.3">'
    '<joint name="b" axis="0 1 0"/><geom size=".02"/></body></body><body name="c" pos=".2 0 0">'
    '<joint name="c" axis="0 1 0"{}/><geom size=".02"/></body></body></worldbody><equality>'
    '<connect body1="b" body2="c" anchor=".2 0 0"/></equality></mujoco>')


def test_passive_joints_follow_a_driven_one_through_a_loop():
    model = mujoco.MjModel.from_xml_string(FOUR_BARS.format(''))
    data = mujoco.MjData(model)
    data.qpos[model.joint('a').qposadr] = 0.7
    assert close_loops(model, data, ['a']) < 1e-5
    a, b, c = (float(data.joint(name).qpos[0]) for name in 'abc')  # a parallelogram
    assert a == 0.7 and (b, c) == (pytest.approx(-0.7, abs=1e-4), pytest.approx(0.7, abs=1e-4))
    assert data.qpos[:7] == pytest.approx([0, 0, 0, 1, 0, 0, 0])


def test_a_loop_that_cannot_close_is_measured():
    model = mujoco.MjModel.from_xml_string(FOUR_BARS.format(' range="-.1 .1"').replace(
        '<mujoco>', '<mujoco><compiler angle="radian" autolimits="true"/>'))
    data = mujoco.MjData(model)
    data.qpos[model.joint('a').qposadr] = 0.7
    assert close_loops(model, data, ['a']) > 0.05


def test_the_knee_of_a_leg_with_a_rod_is_bent_and_its_loop_stays_closed(tmp_path):
    """The crank at the hip drives the knee by a rod: a parallelogram."""
    legs = ''
    for side, y in (('left', .1), ('right', -.1)):
        limb = '<inertial pos="0 0 0" mass="{}" diaginertia=".01 .01 .01"/>'
        hinge = f'<joint name="{side}_{{}}" axis="0 1 0"{{}}/>'
        rod = (f'<body name="{side}_crank" pos="0 {y} 0">{limb.format(.1)}'
               + hinge.format('crank', ' range="-3 3"') + f'<body name="{side}_rod" pos=".05 0 0">'
               f'{limb.format(.1)}<joint name="{side}_rod" type="ball"/></body></body>')
        legs += (f'<body name="{side}_thigh" pos="0 {y} 0">{limb.format(1)}'
                 + hinge.format('hip', ' range="-1.5 1.5"') + f'<body name="{side}_shin" '
                 f'pos="0 0 -.3">{limb.format(1)}' + hinge.format('knee', ' range="-1.4 1.4"')
                 + f'<body name="{side}_foot" pos="0 0 -.3">{limb.format(.5)}'
                 + hinge.format('ankle', ' range="-1.5 1.5"') + '<geom type="box" size=".1 .04 '
                 '.015"/></body></body></body>' + rod)
    loops = ''.join(f'<connect body1="{side}_rod" body2="{side}_shin" anchor="0 0 -.3"/>'
                    for side in ('left', 'right'))
    motors = ''.join(f'<motor joint="{side}_{name}" ctrlrange="-40 40"/>'
                     for side in ('left', 'right') for name in ('hip', 'crank', 'ankle'))
    robot, asked = draft(tmp_path, (
        '<mujoco><compiler angle="radian" autolimits="true"/><worldbody><body name="base" '
        'pos="0 0 .7"><inertial pos="0 0 0" mass="5" diaginertia=".1 .1 .1"/><freejoint/>'
        f'{legs}</body></worldbody><equality>{loops}</equality><actuator>{motors}</actuator>'
        '</mujoco>'), '.xml')
    assert asked['default'].written == 'derived' and robot.feet == ('left_foot', 'right_foot')
    assert set(robot.passive_joints) == {f'{side}_{name}' for side in ('left', 'right')
                                         for name in ('knee', 'rod')}
    model, data = stand(robot, 0.0)
    mujoco.mj_forward(model, data)
    assert np.abs(data.efc_pos[:data.ne]).max() < 1e-3
    assert abs(float(data.joint('left_knee').qpos[0])) > 0.3
    _, data = stand(robot)
    assert data.body('base').xpos[2] > 0.9 * robot.base_height


def test_a_joint_whose_range_is_empty_but_for_rounding_is_fixed(tmp_path):
    text = mjcf(in_base='<body name="head"><inertial pos="0 0 0" mass=".1" diaginertia=".01 .01 '
                '.01"/><joint name="head" range=".5 .500001"/></body>')
    robot, _ = draft(tmp_path, text, '.xml')
    assert 'head' not in robot.joint_names
    head = mujoco.MjModel.from_xml_path(str(robot.mjcf_path)).body('head')
    assert head.quat[0] == pytest.approx(np.cos(0.25), abs=1e-5)


def test_a_pitch_joint_beside_the_middle_is_its_own_twin(tmp_path):
    head = link('head', 0.2) + joint('head', 'base', 'head', '0 0.03 0.4')
    robot, asked = draft(tmp_path, urdf(head))
    assert robot.mirrored_joints == {'head': 'head'}
    assert asked['mirrored_joints'].joints == ('head',)
    source, sign = joint_mirror(robot.joint_names, robot)
    at = robot.joint_names.index('head')
    assert source[at] == at and sign[at] == 1.0
    (tmp_path / 'arms').mkdir()
    arms = ''.join(link(name, 0.2) + joint(name, 'base', name, f'0 {y} 0.4')
                   for name, y in (('arm_1', 0.03), ('arm_2', -0.03)))
    assert draft(tmp_path / 'arms', urdf(arms))[0].mirrored_joints is None


CLASSES = (
    '<mujoco><compiler angle="radian" autolimits="true"/><default><geom size=".05"/><equality '
    'solref=".01 1"/><tendon width=".01" stiffness="3"/><default class="leg"><joint axis="0 1 0" '
    'damping="2"/><geom friction=".7"/><default class="knee"><joint range="-1 0"/></default>'
    '</default></default><worldbody><body name="b" childclass="leg"><geom mass="1"/><joint '
    'name="x"/><body name="c"><joint name="y" class="knee"/><geom class="main" name="g"/><site '
    'name="s"/></body><frame pos=".1 .2 .3" euler=".4 .5 .6" childclass="knee"><geom mass="1" '
    'pos="0 .1 0"/><frame pos="0 0 .1" euler="1 0 0"><body name="d" pos="0 .3 0" euler="0 1 0">'
    '<geom mass="2"/><frame pos="0 .1 0" euler="0 0 1"><joint name="z" pos=".1 0 0"/></frame>'
    '</body><site name="t" pos="1 0 0"/></frame></frame></body></worldbody><tendon><fixed '
    'name="f"><joint joint="x" coef="1"/></fixed></tendon><equality><joint '
    'joint1="x" joint2="y"/></equality></mujoco>')


def test_a_model_without_default_classes_is_the_same_model():
    spec = mujoco.MjSpec.from_string(CLASSES)
    before = spec.compile()
    text = canonical(spec.to_xml())
    after = mujoco.MjModel.from_xml_string(text)
    assert '<default' not in text and 'class=' not in text and '<frame' not in text
    for name in ('body_pos', 'body_quat', 'geom_pos', 'geom_quat', 'site_pos', 'jnt_pos',
                 'jnt_axis', 'jnt_range', 'jnt_limited', 'dof_damping', 'geom_size',
                 'geom_friction', 'body_mass', 'tendon_stiffness', 'eq_solref'):
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), atol=1e-5,
                                   err_msg=name)


def test_the_derived_pose_bends_the_knees_under_the_centre_of_mass(tmp_path):
    robot, asked = draft(tmp_path, urdf())
    assert asked['default'].written == 'derived'
    model, data = stand(robot, 0.0)
    mujoco.mj_forward(model, data)
    assert robot.base_height == pytest.approx(0.615 - 0.06 * 0.615, abs=2e-3)
    for sole in robot.soles:
        place = data.site(sole)
        assert place.xpos[2] == pytest.approx(0.0, abs=2e-3)
        assert place.xmat[8] == pytest.approx(1.0, abs=1e-4)
        assert place.xpos[0] == pytest.approx(data.subtree_com[1, 0], abs=3e-3)
    defaults = dict(zip(robot.joint_names, robot.values('default')))
    assert abs(defaults['left_knee']) > 0.3
    assert defaults['left_knee'] == pytest.approx(defaults['right_knee'], abs=1e-3)


def test_a_range_without_width_is_no_range(tmp_path):
    text = urdf().replace('lower="-1.5" upper="1.5"', 'lower="1" upper="1"', 1)
    robot, asked = draft(tmp_path, text)
    assert asked['lower, upper'].joints == ('left_hip',)
    assert asked['lower, upper'].why == 'the file has the range [1, 1]'
    assert robot.joints[0].upper == pytest.approx(np.pi)
    model = mujoco.MjModel.from_xml_path(str(robot.mjcf_path))
    assert model.joint('left_hip').range.tolist() == [0.0, 0.0]


def test_guessed_gains_hold_the_weight(tmp_path):
    robot, _ = draft(tmp_path, urdf())
    kp = dict(zip(robot.joint_names, robot.values('kp')))
    model, data = stand(robot, 0.0)
    mujoco.mj_forward(model, data)
    height = data.subtree_com[1, 2] - data.joint('left_ankle').xanchor[2]
    assert kp['left_ankle'] == pytest.approx(1.5 * 0.5 * robot.mass * GRAVITY * height, rel=0.01)
    (tmp_path / 'known').mkdir()
    known, _ = draft(tmp_path / 'known', urdf(), armature={'': 0.01})
    assert known.values('kp') == pytest.approx(0.01 * (16 * np.pi)**2, rel=1e-3)


def test_a_base_at_the_ground_is_raised_to_the_hips(tmp_path):
    low = urdf().replace('xyz="0 0.1 0"', 'xyz="0 0.1 0.6"').replace('xyz="0 -0.1 0"',
                                                                    'xyz="0 -0.1 0.6"')
    robot, asked = draft(tmp_path, low)
    assert asked['base_link'].written == '0.600 m'
    assert robot.base_height == pytest.approx(0.578, abs=2e-3)
    inertial = mujoco.MjModel.from_xml_path(str(robot.mjcf_path)).body('base').ipos
    assert inertial == pytest.approx([0, 0, -0.6])


def test_four_feet_are_refused_and_feet_can_be_named(tmp_path):
    legs = urdf().replace('left_', 'hind_left_').replace('right_', 'hind_right_')
    four = urdf(legs[legs.index('<link name="hind_left_thigh"'):-8].replace(' 0.1 0"', ' 0.15 0"')
                .replace('-0.1 0"', '-0.15 0"'))
    with pytest.raises(SimulationError, match='expected two feet, found'):
        draft(tmp_path, four)
    robot, _ = draft(tmp_path, four, feet=['left_foot', 'right_foot'])
    assert robot.feet == ('left_foot', 'right_foot')
    (tmp_path / 'new').mkdir()
    for names, said in ((['left_foot', 'nose'], "no link is called 'nose'"),
                        (['left_foot'], 'expected two links')):
        with pytest.raises(ConfigError, match=said):
            draft(tmp_path / 'new', four, feet=names)


def test_a_mesh_is_found_by_package_beside_the_file_and_in_another_format(tmp_path):
    (tmp_path / 'robot' / 'urdf').mkdir(parents=True)
    (tmp_path / 'robot' / 'meshes').mkdir()
    stl = tmp_path / 'robot' / 'meshes' / 'foot.STL'
    stl.touch()
    source = tmp_path / 'robot' / 'urdf' / 'it.urdf'
    for text in ('package://robot/meshes/foot.STL', 'package://other/meshes/foot.dae',
                 '../meshes/foot.STL', f'file://{stl}'):
        assert mesh_file(text, '', source).samefile(stl), text
    assert mesh_file('foot.STL', '../meshes', source).samefile(stl)
    assert mesh_file('meshes/foot.STL', '', source).samefile(stl)  # beside the file's folder
    assert mesh_file('package://robot/meshes/hand.STL', '', source) is None
