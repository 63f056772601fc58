# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The robots from public models are those that were published, and are worth training."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip('mujoco', minversion='3.3')

import mujoco

from humanoid_locomotion.core.feedback.joint_mirror import joint_mirror
from humanoid_locomotion.core.feedback.robot_size import joint_roles, robot_size
from humanoid_locomotion.core.reading.resources import robot_folders
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.robot_check import checks, posture

OTHERS = ('humanoid', 'course', 'unitree_g1', 'unitree_h1')  # test_robot_check.py measures them
# Of the published files: the mass [kg]; links and the distance between their joints at zero [m].
PUBLISHED = {
    'booster_t1': (31.614, {('Shank_Left', 'Ankle_Cross_Left'): 0.28,
                            ('Hip_Yaw_Right', 'Shank_Right'): np.hypot(0.014, 0.134)}),
    'berkeley_lite': (16.331, {('leg_left_hip_pitch', 'leg_left_knee_pitch'): 0.15107,
                               ('leg_right_knee_pitch', 'leg_right_ankle_pitch'): 0.16003}),
    'toddlerbot': (3.3351, {('left_calf_link', 'left_ank_pitch_link'): 0.10378,
                            ('hip_yaw_link_2', 'right_hip_pitch_link'): 0.03808})}
WAISTS = {'booster_t1': {'Waist'}, 'berkeley_lite': set(),
          'toddlerbot': {'waist_yaw', 'waist_roll'}}


@pytest.mark.parametrize('name', sorted(set(robot_folders()) - set(OTHERS)))
def test_it_is_worth_training_at_the_coarsest_time_step(name, monkeypatch):
    """With steps of 10 ms, at which stiff drives of light links would oscillate first."""
    coarse = dataclasses.replace(posture.PHYSICS, timestep=0.01, substeps=2)
    for module in (checks, posture):
        monkeypatch.setattr(module, 'PHYSICS', coarse)
    findings = {it.name: it for it in checks.check_robot(load_robot(name))}
    assert {it.name for it in findings.values() if it.verdict != 'good'} <= {'load on one leg'}
    assert findings['load on one leg'].verdict != 'bad'


@pytest.mark.parametrize('name', PUBLISHED)
def test_it_has_the_published_mass_and_distances(name):
    robot, (mass, distances) = load_robot(name), PUBLISHED[name]
    model = mujoco.MjModel.from_xml_path(str(robot.mjcf_path))
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    assert robot.mass == pytest.approx(mass, abs=1e-3)
    for links, distance in distances.items():
        one, other = (data.xanchor[model.body(link).jntadr[0]] for link in links)
        assert np.linalg.norm(other - one) == pytest.approx(distance, abs=1e-4), links


@pytest.mark.parametrize('name', PUBLISHED)
def test_twins_are_those_that_the_names_say(name):
    """ToddlerBot's hip rolls are anchored 38 mm apart along their axes."""
    names = load_robot(name).joint_names
    sides = {'left': 'right', 'right': 'left', 'Left': 'Right', 'Right': 'Left'}
    twins = [next((it.replace(side, sides[side]) for side in sides if side in it), it)
             for it in names]
    source, _ = joint_mirror(names, load_robot(name))
    assert [names[i] for i in source] == twins


@pytest.mark.parametrize('name', PUBLISHED)
def test_a_waist_between_trunk_and_legs_is_no_part_of_the_legs(name):
    robot = load_robot(name)
    assert robot.trunk_joints == WAISTS[name] == {
        joint for joint, role in joint_roles(robot).items() if role == 'trunk'}


def test_legs_are_measured_from_the_hips():
    """ToddlerBot's hips are 54 mm below its waist, of 0.331 m to the soles."""
    assert robot_size(load_robot('toddlerbot')).leg_length == pytest.approx(0.277, abs=1e-3)
