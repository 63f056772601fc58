# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Robots are read from their folder, and refused with the key that is wrong."""

from __future__ import annotations

import math
import shutil
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml

from humanoid_locomotion.core.errors import ConfigError, UnknownNameError
from humanoid_locomotion.core.robot import load_robot


@pytest.fixture
def folder(tmp_path):
    """Give a copy of a robot's folder, to break."""
    source = load_robot('humanoid').mjcf_path.parent
    return shutil.copytree(source, tmp_path / 'mine')


def change(folder, edit):
    """Edit the robot.yaml of a folder."""
    path = folder / 'robot.yaml'
    data = yaml.safe_load(path.read_text())
    edit(data)
    path.write_text(yaml.safe_dump(data, sort_keys=False))


def test_a_robot_opens_by_name_and_by_folder(folder):
    by_name, by_folder = load_robot('humanoid'), load_robot(folder)
    assert by_name.joints == by_folder.joints
    assert by_name.model_hash == by_folder.model_hash
    assert by_name.mjcf_path.is_file() and by_name.urdf_path.is_file()


def test_figures_come_in_the_order_of_the_joints():
    robot = load_robot('humanoid')
    assert robot.values('kp').shape == (robot.num_joints,)
    knee = robot.joint_names.index('left_knee')
    assert robot.values('upper')[knee] == robot.joints[knee].upper


def test_the_model_hash_follows_the_description_and_the_model(folder):
    before = load_robot(folder).model_hash
    change(folder, lambda data: data['joints'][0].update(kp=1.0))
    after_yaml = load_robot(folder).model_hash
    model = folder / 'robot.xml'
    model.write_text(model.read_text() + '<!-- touched -->')
    after_model = load_robot(folder).model_hash
    assert len({before, after_yaml, after_model}) == 3


def test_the_model_hash_does_not_care_for_line_ends(folder):
    before = load_robot(folder).model_hash
    path = folder / 'robot.yaml'
    path.write_bytes(path.read_bytes().replace(b'\n', b'\r\n'))
    assert load_robot(folder).model_hash == before


def test_an_unknown_robot_lists_the_known_and_the_nearest():
    with pytest.raises(UnknownNameError, match=r"'humanoit' \(did you mean 'humanoid'\?\)"):
        load_robot('humanoit')


def test_a_folder_without_a_robot_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r'robot\.yaml: cannot be read'):
        load_robot(tmp_path)


@pytest.mark.parametrize('edit, message', [
    (lambda d: d['joints'][0].update(kp=0.0), r'joints\[0\]: joint .*kp must be above 0'),
    (lambda d: d['joints'][0].update(kp=math.nan), 'kp must be above 0 and finite'),
    (lambda d: d['joints'][0].update(armature=-0.1), r'joints\[0\]: .*armature must be 0 or more'),
    (lambda d: d.update(base_height=math.inf), 'base_height must be above 0 and'),
    (lambda d: d['joints'][0].update(axis='w'), r'joints\[0\]: .*axis must be x, y or z'),
    (lambda d: d['joints'][3].update(default=9.0), r'joints\[3\]: .*default 9.0 is outside'),
    (lambda d: d['joints'][1].pop('kd'), r"joints\[1\]: missing keys \['kd'\]"),
    (lambda d: d['joints'].append(dict(d['joints'][2])), r'appear more than once'),
    (lambda d: d.update(folder='x'), r'folder: unknown key'),
    (lambda d: d.update(feet=['one']), r'feet: expected 2 values, found 1')])
def test_a_robot_that_does_not_fit_is_refused(folder, edit, message):
    change(folder, edit)
    with pytest.raises(ConfigError, match=message):
        load_robot(folder)


def test_figures_are_float64():
    assert load_robot('humanoid').values('lower').dtype == np.float64


def test_mass_is_that_of_every_body():
    assert load_robot('unitree_g1').mass == pytest.approx(33.3411, abs=1e-4)


def test_a_body_that_does_not_say_its_mass_is_named(folder):
    model = folder / 'robot.xml'
    text = model.read_text()
    start = text.index('<inertial', text.index('name="left_knee_link"'))
    model.write_text(text[:start] + text[text.index('/>', start) + 2:])
    with pytest.raises(ConfigError, match=r"inertial: the bodies \['left_knee_link'\] have none"):
        _ = load_robot(folder).mass


def test_a_robot_may_have_no_urdf(folder):
    change(folder, lambda data: data.pop('urdf'))
    robot = load_robot(folder)
    with pytest.raises(ConfigError, match="urdf: robot 'humanoid' has no URDF"):
        _ = robot.urdf_path


@pytest.mark.parametrize('name, trunk', [
    ('humanoid', 'torso_roll_link'), ('course', 'torso_roll_link'), ('unitree_g1', 'torso_link'),
    ('unitree_h1', 'torso_link'), ('unitree_h1_2', 'torso_link'), ('talos', 'torso_2_link')])
def test_the_trunk_is_the_link_that_carries_the_arms(name, trunk):
    assert load_robot(name).trunk == trunk


@pytest.mark.parametrize('name', ['humanoid', 'course', 'unitree_g1', 'unitree_h1'])
def test_legs_and_hands_are_told_by_the_model(name):
    """Every joint above a foot, and the last link with a joint of each arm."""
    robot = load_robot(name)
    assert robot.leg_joints == {it for it in robot.joint_names if any(
        part in it for part in ('hip', 'knee', 'ankle'))}
    assert len(robot.hands) == 2 and not any('ankle' in hand for hand in robot.hands)
    assert {hand.partition('_')[0] for hand in robot.hands} == {'left', 'right'}


def test_a_hand_with_fingers_is_its_palm():
    assert load_robot('course').hands == ['left_wrist_pitch_link', 'right_wrist_pitch_link']


def without(folder, *names):
    """Cut limbs off a robot, with their joints."""
    path = folder / 'robot.xml'
    tree = ElementTree.parse(path)
    for parent in list(tree.getroot().iter('body')):
        for body in [it for it in parent.findall('body') if it.get('name') in names]:
            parent.remove(body)
    tree.write(path)
    left = {it.get('name') for it in tree.getroot().iter('joint')}
    change(folder, lambda data: data.update(
        joints=[it for it in data['joints'] if it['name'] in left]))
    return load_robot(folder)


def test_a_robot_of_nothing_but_legs_carries_on_its_base(folder):
    assert without(folder, 'torso_yaw_link').trunk == 'base_link'


def test_a_robot_without_arms_carries_on_what_its_waist_moves(folder):
    arms = ('left_shoulder_pitch_link', 'right_shoulder_pitch_link')
    assert without(folder, *arms).trunk == 'torso_roll_link'


def test_what_is_fixed_to_the_base_is_no_limb(folder):
    path = folder / 'robot.xml'
    path.write_text(path.read_text().replace(
        '<body name="left_hip_yaw_link"', '<body name="lamp"/><body name="left_hip_yaw_link"'))
    assert load_robot(folder).trunk == 'torso_roll_link'
