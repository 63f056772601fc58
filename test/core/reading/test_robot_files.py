# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A robot.yaml that disagrees with its model is refused at load, by file and key."""

from __future__ import annotations

import pytest
from robot_copies import copied

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.robot import load_robot

FOOT, SOLE = 'left_ankle_roll_link', '<site name="left_sole"'


@pytest.fixture
def refused(tmp_path):
    """Give a function that edits both files of a robot and returns the refusal."""
    def call(*edits, **edit):
        folder = copied(tmp_path / 'mine', *edits, **edit)
        with pytest.raises(ConfigError) as error:
            load_robot(folder)
        return str(error.value)

    return call


@pytest.mark.parametrize('edit, key, problem', [
    (lambda d: d.update(base_link='hull'), 'base_link', "robot.xml has no body 'hull'"),
    (lambda d: d.update(base_link=FOOT), 'base_link',
     f"one free joint in robot.xml, at '{FOOT}', found 1, at ['base_link']"),
    (lambda d: d.update(feet=['paw', d['feet'][1]]), 'feet[0]', "no body 'paw' below 'base_link'"),
    (lambda d: d.update(feet=['base_link', d['feet'][1]]), 'feet[0]', "no body 'base_link' below"),
    (lambda d: d.update(feet=[FOOT, FOOT]), 'feet', f'found {FOOT!r} twice'),
    (lambda d: d.update(soles=['left_sole', 'heel']), 'soles[1]', "no site 'heel'"),
    (lambda d: d.update(soles=d['soles'][::-1]), 'soles[0]', f"expected at the foot '{FOOT}'"),
    (lambda d: d['joints'][3].update(name='left_kneee'), 'joints', "no joints ['left_kneee']"),
    (lambda d: d['joints'].pop(3), 'joints', "the joints ['left_knee'], which are not here"),
    (lambda d: d.update(passive_joints=['tail']), 'passive_joints', "no joints ['tail']"),
    (lambda d: d.update(passive_joints=['left_knee']), '', "['left_knee'] are in joints, too"),
    (lambda d: d['joints'][3].update(upper=2.5), 'joints[3].lower, upper',
     "'left_knee' has [0, 2.5], expected a range within [0, 2.4] of robot.xml"),
    (lambda d: d['joints'][3].update(armature=0.02), 'joints[3].armature',
     'has 0.02 kg m^2, expected the 0.08 kg m^2 of robot.xml')])
def test_a_description_of_another_robot(refused, edit, key, problem):
    message = refused(edit)
    assert f'robot.yaml: {key}' in message and problem in message
    assert '\n' not in message


@pytest.mark.parametrize('old, new, key, problem', [
    ('<freejoint name="root"/>', '', 'base_link', 'found 0'),
    ('name="left_knee" axis="0 1 0"', 'name="left_knee" type="slide" axis="0 1 0"', 'joints',
     "'left_knee' is a slide joint in robot.xml, expected a hinge"),
    ('range="0 2.4"', 'range="0 1"', 'joints[3].lower, upper', 'within [0, 1]'),
    ('range="0 2.4"', 'range="0 nan"', "robot.xml: joint 'left_knee': range", '2 finite numbers'),
    ('range="0 2.4"', 'range="0 2.4" actuatorfrcrange="-9 9"', 'joints[3].effort', 'the 9 Nm'),
    ('angle="radian"', 'angle="degree"', 'joints[0].lower, upper', 'within [-0.013'),
    ('<mujoco model="humanoid">', '<mujoco model="humanoid"><include file="a.xml"/>', 'robot.xml',
     'found <mujoco> with <include>'),
    ('</worldbody>', '<replicate count="2"><body/></replicate></worldbody>', 'robot.xml',
     'found <mujoco> with <replicate>'),
    ('</mujoco>', '<actuator><motor joint="left_knee"/></actuator></mujoco>', 'actuator',
     'expected none, since simulators add one'),
    ('<inertial ', '<inertial user="1 NaN" ', '<inertial>: user', "found '1 NaN'")])
def test_a_model_of_another_robot(refused, old, new, key, problem):
    message = refused(edit_xml=lambda text: text.replace(old, new, 1))
    assert key in message and problem in message


def test_a_foot_that_cannot_touch_the_floor(refused):
    """Its spheres of class foot are there, but collide with nothing."""
    message = refused(edit_xml=lambda text: text.replace(
        '<default class="foot">\n        <geom', '<default class="foot">\n        <geom '
        'contype="0" conaffinity="0"'))
    assert f"feet[0]: the body '{FOOT}' has no shape that can touch the floor" in message


def test_a_mask_of_all_bits_but_one_is_negative(tmp_path):
    folder = copied(tmp_path / 'mine', edit_xml=lambda text: text.replace(
        '<default class="foot">\n        <geom', '<default class="foot">\n        <geom '
        'contype="4" conaffinity="-5"'))
    assert load_robot(folder).feet[0] == FOOT


def test_joints_may_be_left_to_a_spring(tmp_path):
    rolls = ['left_ankle_roll', 'right_ankle_roll']
    folder = copied(tmp_path / 'mine', lambda d: d.update(
        joints=[it for it in d['joints'] if it['name'] not in rolls], passive_joints=rolls))
    assert load_robot(folder).num_joints == 21


def test_feet_that_no_joint_moves(refused):
    """A pair of skids below the base is no pair of legs."""
    skid = ('<body name="{0}_skid"><site name="{0}_skid_sole"/><geom type="sphere" size="0.1"/>'
            '</body>')
    skids = skid.format('left') + skid.format('right')
    message = refused(
        lambda d: d.update(feet=['left_skid', 'right_skid'],
                           soles=['left_skid_sole', 'right_skid_sole']),
        lambda text: text.replace('<site name="imu"/>', f'<site name="imu"/>{skids}'))
    assert "feet[0]: no joint of ['left_hip_yaw'" in message
    assert "moves 'left_skid' in robot.xml, expected a leg" in message
