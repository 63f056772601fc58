# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The measurements of a robot: those that ship pass, and each spoilt robot fails by name."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('mujoco', minversion='3.3')

from robot_copies import copied, joint

from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.robot_check.checks import check_robot, worth_training
from humanoid_locomotion.robot_check.posture import Posture, opened


def posture(name='humanoid'):
    """Give a robot in its default pose."""
    robot = load_robot(name)
    backend = opened(robot)
    backend.close()
    return Posture(robot, backend)


@pytest.mark.parametrize('name', [
    'humanoid', 'course', 'unitree_g1', 'unitree_h1', 'unitree_h1_2', 'talos'])
def test_a_robot_that_walks_is_good_in_every_line(name):
    findings = check_robot(load_robot(name))
    assert [it.name for it in findings if it.verdict != 'good'] == []
    assert not any(it.advice for it in findings)


def every(key, factor, part=''):
    """Give an edit that multiplies one value of every joint with a part in its name."""
    return lambda data: [it.update({key: factor * it[key]})
                         for it in data['joints'] if part in it['name']]


def stiff_knees(data):
    """Leave the knees a tenth of a radian."""
    for it in data['joints']:
        if 'knee' in it['name']:
            it.update(lower=it['default'] - 0.05, upper=it['default'] + 0.05)


def crossed(data):
    """Name the feet right first."""
    data.update(feet=data['feet'][::-1], soles=data['soles'][::-1])


SAME = str


@pytest.mark.parametrize('edit_yaml, edit_xml, name, verdict, words', [
    (lambda d: d.update(base_height=1.0), SAME, 'feet above the floor', 'bad',
     'base_height 0.8998'),
    (crossed, SAME, 'left sole left of right', 'bad', 'left first'),
    (lambda d: joint(d, 'left_elbow').update(default=-0.9), SAME, 'mirror: default pose', 'look',
     'default'),
    (lambda d: joint(d, 'left_hip_roll').update(default=0.1), SAME, 'mirror', 'bad',
     "'left_hip_roll'"),
    (lambda d: joint(d, 'left_knee').update(upper=2.0), SAME, 'mirror: limits', 'look', 'upper'),
    (lambda d: joint(d, 'left_knee').update(kp=100.0), SAME, 'mirror: drives', 'look', 'kp'),
    (dict, lambda x: x.replace('mass="2.1"', 'mass="2.6"', 1), 'mirror: masses', 'look', 'mass'),
    (dict, lambda x: x.replace('pos="0.04 0 -0.0398" mass', 'pos="0.04 0.02 -0.0398" mass', 1),
     'mirror: centres of mass', 'look', "inertial of left_ankle_roll's link"),
    (lambda d: [it.update(default=0.1) for it in d['joints'] if 'ankle_pitch' in it['name']],
     SAME, 'tilt of the soles', 'bad', 'ankle pitch'),
    (dict, lambda x: x.replace('pos="0 0 -0.07"', 'pos="0 0 -0.02"'), 'soles from foot shapes',
     'bad', 'soles'),
    (dict, lambda x: x.replace('name="left_foot_1"', 'name="left_foot_1" contype="0" '
                               'conaffinity="0"').replace(
        'name="left_foot_2"', 'name="left_foot_2" contype="0" conaffinity="0"'),
     'contact of each foot', 'look', 'four spheres'),
    (dict, lambda x: x.replace('0 0 -0.3" size="0.06"', '0 0 -0.3" size="0.1"'),
     'links that touch', 'look', 'push each other'),
    (every('kp', 0.2, 'ankle_pitch'), SAME, 'stiffness of the ankles', 'look', 'kp'),
    (stiff_knees, SAME, 'squat, feet level', 'bad', 'knee'),
    (every('effort', 0.3), SAME, 'load on one leg', 'bad', 'effort'),
    (every('kp', 0.01), SAME, 'stands under PD control', 'bad', 'kp'),
    # A spring of 1 MHz, which no time step can simulate: MuJoCo's state becomes NaN.
    (dict, lambda x: x.replace('<joint name="left_knee"', '<joint name="left_knee" '
                               'stiffness="1e13"', 1), 'stands under PD control', 'bad', 'kd'),
    (every('kp', 0.05), SAME, 'tilt of the base then', 'look', 'kp')])
def test_a_spoilt_robot_is_found_by_the_line_and_the_key(tmp_path, edit_yaml, edit_xml, name,
                                                         verdict, words):
    findings = check_robot(load_robot(copied(tmp_path / 'it', edit_yaml, edit_xml)))
    found = {it.name: it for it in findings}
    assert name in found, list(found)
    assert found[name].verdict == verdict, found[name]
    assert words in found[name].advice
    assert worth_training(findings) is all(it.verdict != 'bad' for it in findings)


def test_the_load_of_a_knee_is_the_weight_above_it_times_its_distance():
    it = posture()
    names = [it.robot.joint_names[i] for i in it.legs[0]]
    knee, weight = it.model.joint('left_knee').id, 9.81 * it.robot.mass
    below = [it.model.body(f'left_{part}_link').id for part in (
        'knee', 'ankle_pitch', 'ankle_roll')]
    x = it.data.xanchor[knee, 0]
    own = sum(9.81 * it.model.body_mass[body] * (it.data.xipos[body, 0] - x) for body in below)
    torque = abs(own - weight * (it.centre_of_mass[0] - x))
    expected = torque / it.robot.joints[it.legs[0][names.index('left_knee')]].effort
    assert it.torques_on(0)[names.index('left_knee')] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize('shift', [[0.0, 0.0, -0.1], [0.0, 0.05, -0.05], [0.03, -0.04, -0.08]])
def test_legs_reach_soles_that_stay_while_the_base_moves(shift):
    it = posture()
    soles = it.soles
    it.move_base(np.array(shift))
    assert it.reach(dict(enumerate(soles))) < 1e-3
    assert it.soles == pytest.approx(soles, abs=1e-3)
    pose = {joint.name: it.data.joint(joint.name).qpos[0] for joint in it.robot.joints}
    assert all(joint.lower <= pose[joint.name] <= joint.upper for joint in it.robot.joints)


@pytest.mark.parametrize('held, is_leg', [
    ('<joint joint1="left_elbow" joint2="right_elbow"/>', False),
    ('<joint joint1="left_ankle_roll" joint2="left_knee"/>', True),
    ('<connect body1="left_knee_link" body2="left_ankle_roll_link" anchor="0 0 -0.1"/>', True)])
def test_legs_with_closed_loops_are_not_measured(tmp_path, held, is_leg):
    folder = copied(tmp_path / 'it', edit_xml=lambda text: text.replace(
        '</mujoco>', f'<equality>{held}</equality></mujoco>'))
    names = [it.name for it in check_robot(load_robot(folder))]
    assert ('squat, load on one leg' in names) is is_leg
    assert ('squat, feet level' in names) is not is_leg
