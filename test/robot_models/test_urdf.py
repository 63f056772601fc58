# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Links and where they are fixed, read from URDF."""

from __future__ import annotations

import numpy as np
import pytest

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.reading.resources import robot_folders
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.robot_models.urdf import UrdfTree, rotation_of

TEXT = """<robot name="r">
  <link name="base"/><link name="leg"/><link name="plate"/><link name="tip"/>
  <joint name="knee" type="revolute"><parent link="base"/><child link="leg"/>
    <origin xyz="0 0 -1"/></joint>
  <joint name="a" type="fixed"><parent link="leg"/><child link="plate"/>
    <origin xyz="0 0 -0.5" rpy="0 0 1.5707963267948966"/></joint>
  <joint name="b" type="fixed"><parent link="plate"/><child link="tip"/>
    <origin xyz="0.1 0 0"/></joint>
</robot>"""


@pytest.fixture
def tree(tmp_path):
    path = tmp_path / 'r.urdf'
    path.write_text(TEXT)
    return UrdfTree(path)


def test_a_fixed_link_is_found_in_the_link_that_moves(tree):
    link, offset, rotation = tree.in_moving_link('tip')
    assert link == 'leg'
    # A quarter turn to the left takes the plate's x to the leg's y.
    assert offset == pytest.approx([0.0, 0.1, -0.5])
    assert rotation @ [1, 0, 0] == pytest.approx([0.0, 1.0, 0.0])


def test_a_link_that_moves_is_where_it_is(tree):
    for name in ('leg', 'base'):
        link, offset, rotation = tree.in_moving_link(name)
        assert link == name and not offset.any() and np.array_equal(rotation, np.eye(3))


def test_ancestors_end_below_the_root(tree):
    assert tree.ancestors('tip') == ['tip', 'plate', 'leg']
    assert tree.ancestors('base') == []


def test_an_unknown_link_is_named_with_those_there_are(tree):
    with pytest.raises(ConfigError, match=r"r\.urdf: tail: unknown link; .*'plate'"):
        tree.in_moving_link('tail')


def test_roll_pitch_and_yaw_turn_about_fixed_axes():
    turn = rotation_of(np.array([np.pi / 2, 0.0, np.pi / 2]))
    assert turn @ [0, 1, 0] == pytest.approx([0.0, 0.0, 1.0])  # rolled up; yaw leaves it
    assert turn @ [1, 0, 0] == pytest.approx([0.0, 1.0, 0.0])
    pitched = rotation_of(np.array([0.0, np.pi / 2, 0.0]))
    assert pitched @ [1, 0, 0] == pytest.approx([0.0, 0.0, -1.0])


@pytest.mark.parametrize('name', robot_folders())
def test_soles_are_under_the_feet(name):
    robot = load_robot(name)
    tree = UrdfTree(robot.urdf_path)
    for foot, sole in zip(robot.feet, robot.soles):
        link, offset, _ = tree.in_moving_link(sole)
        assert link == foot and offset[2] < 0.0
