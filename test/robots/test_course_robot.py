# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The course's robot is the humanoid with a hand in place of the lower end of each forearm."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip('mujoco')

import mujoco

from humanoid_locomotion.core.robot import load_robot

COURSE, HUMANOID = load_robot('course'), load_robot('humanoid')


@pytest.fixture(scope='module')
def models():
    """Give the models of the course's robot and of the humanoid."""
    return [mujoco.MjModel.from_xml_path(str(robot.mjcf_path)) for robot in (COURSE, HUMANOID)]


def is_of_hand(name: str) -> bool:
    """Tell whether a joint or a link belongs to a hand."""
    return 'wrist' in name or 'hand' in name


def test_its_first_joints_are_the_humanoids_and_the_others_are_two_hands_of_eight():
    assert COURSE.joints[:23] == HUMANOID.joints
    names = COURSE.joint_names[23:]
    assert all(is_of_hand(name) for name in names)
    left, right = ([name.partition('_') for name in half] for half in (names[:8], names[8:]))
    assert {it[0] for it in left} == {'left'} and {it[0] for it in right} == {'right'}
    assert [it[2] for it in left] == [it[2] for it in right]


def test_its_links_are_the_humanoids_but_for_the_forearms_which_weigh_as_much(models):
    course, humanoid = models
    names = [humanoid.body(i).name for i in range(1, humanoid.nbody)]
    for name in names:
        here, there = course.body(name), humanoid.body(name)
        np.testing.assert_array_equal(here.pos, there.pos)
        if 'elbow' not in name:
            for key in ('mass', 'inertia', 'ipos'):
                np.testing.assert_array_equal(getattr(here, key), getattr(there, key))
    for side in ('left', 'right'):
        weights = [model.body(f'{side}_elbow_link').subtreemass for model in models]
        assert weights[0] == pytest.approx(weights[1])
    added = {course.body(i).name for i in range(1, course.nbody)} - set(names)
    assert all(is_of_hand(name) for name in added) and len(added) == 16


def test_everything_else_that_describes_it_is_the_humanoids():
    def rest(robot):
        return dataclasses.replace(robot, name='', description='', folder='', joints=())

    assert rest(COURSE) == rest(HUMANOID)
