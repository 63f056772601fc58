# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Frames of bases, feet among rods, and soles that are not level in the file."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

pytest.importorskip('mujoco', minversion='3.3')

import mujoco
from small_robots import BOX, draft, joint, link, mjcf, stand, urdf, write_box

from humanoid_locomotion.core.errors import SimulationError
from humanoid_locomotion.robot_models.drafting.foot_shapes import sole_normal
from humanoid_locomotion.robot_models.drafting.meshes import collada_points

HORN = (link('horn', 0.2, ixx=0.012) + joint('horn_fix', 'base', 'horn', '0.3 0.05 0.1', 'fixed'))
BACKWARD = urdf(HORN, sides=('r_leg', 'l_leg'))
HALF_TURN = np.diag([-1.0, -1.0, 1.0])
RODS = ''.join(link(f'{side}_rod', 0.05) + joint(f'{side}_rod', f'{side}_shin', f'{side}_rod',
                                                 '0.03 0 -0.3') for side in ('left', 'right'))
CHAIN = [link(name, 0.0).replace('0.01', '0') for name in ('map', 'x', 'y', 'z', 'yaw', 'pitch')]
KINDS = ('prismatic', 'prismatic', 'prismatic', 'continuous', 'revolute', 'revolute')


def placed(robot):
    """Give the model of a draft with all joints at zero."""
    model = mujoco.MjModel.from_xml_path(str(robot.mjcf_path))
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data


def tensor(model, name):
    """Give the inertia of a link in the axes of the world, which its frame has."""
    turn = np.zeros(9)
    mujoco.mju_quat2Mat(turn, model.body(name).iquat)
    turn = turn.reshape(3, 3)
    return turn @ np.diag(model.body(name).inertia) @ turn.T


@pytest.mark.parametrize('options', [{}, {'feet': ['l_leg_foot', 'r_leg_foot']}])
def test_the_frame_of_a_base_that_looks_backward_is_turned(tmp_path, options):
    robot, asked = draft(tmp_path, BACKWARD, **options)
    assert robot.feet == ('l_leg_foot', 'r_leg_foot')
    assert asked['base_link'].written == '180 deg'
    source = mujoco.MjModel.from_xml_string(BACKWARD.replace(
        '"tiny">', '"tiny"><mujoco><compiler fusestatic="false"/></mujoco>'))
    before = mujoco.MjData(source)
    mujoco.mj_forward(source, before)
    model, after = placed(robot)
    for name in ('horn', 'l_leg_foot', 'r_leg_shin'):
        place = after.body(name).xipos - after.body('base').xpos
        assert place == pytest.approx(
            HALF_TURN @ (before.body(name).xipos - before.body('base').xpos), abs=1e-6)
    assert tensor(model, 'horn') == pytest.approx(tensor(source, 'horn'), abs=1e-9)
    assert after.body('l_leg_foot').xpos[1] > 0.0
    _, stood = stand(robot)
    assert stood.body('base').xmat[8] > 0.95


def test_feet_that_are_named_in_the_wrong_order_are_refused(tmp_path):
    with pytest.raises(SimulationError, match='give --feet left_foot,right_foot'):
        draft(tmp_path, urdf(sides=('left', 'right')), feet=['right_foot', 'left_foot'])


def test_a_tilted_base_frame_is_made_upright(tmp_path):
    tilted = mjcf().replace('<body name="base" pos="0 0 .6">',
                            '<body name="base" pos="0 0 .6" quat="0.8 0 0.6 0">')
    for name in ('left_thigh" pos="0 0.1 0"', 'right_thigh" pos="0 -0.1 0"'):
        tilted = tilted.replace(name, name + ' quat="0.8 0 -0.6 0"')
    robot, asked = draft(tmp_path, tilted, '.xml')
    assert asked['base_link'].written == 'upright'
    (tmp_path / 'upright').mkdir()
    upright, _ = draft(tmp_path / 'upright', mjcf(), '.xml')
    one, other = placed(robot)[1], placed(upright)[1]
    assert one.body('left_foot').xpos - one.body('base').xpos == pytest.approx(
        other.body('left_foot').xpos - other.body('base').xpos, abs=1e-6)
    assert robot.base_height == pytest.approx(upright.base_height, abs=1e-5)


def test_a_base_that_is_turned_in_its_scene_looks_along_its_own_x_axis(tmp_path):
    robot, asked = draft(tmp_path, mjcf().replace('pos="0 0 .6">', 'pos="0 0 .6" '
                                                  'quat="0.6 0 0 0.8">'), '.xml')
    assert robot.feet == ('left_foot', 'right_foot') and 'base_link' not in asked


@pytest.mark.parametrize('kinds', [KINDS, KINDS[:3] + ('fixed',) * 3])
def test_links_without_mass_that_move_a_base_in_six_directions_are_removed(tmp_path, kinds):
    names = ('map', 'x', 'y', 'z', 'yaw', 'pitch', 'base')
    chain = ''.join(CHAIN) + ''.join(
        joint(f'{child}_joint', parent, child, '0 0 0', kind)
        for parent, child, kind in zip(names, names[1:], kinds))
    if 'fixed' in kinds:
        with pytest.raises(SimulationError, match="link 'map': it moves"):
            draft(tmp_path, urdf(chain))
        return
    robot, _ = draft(tmp_path, urdf(chain))
    assert robot.base_link == 'base' and robot.num_joints == 6


def test_a_base_without_inertia_is_refused_or_corrected(tmp_path):
    text = urdf().replace('ixx="0.01" iyy="0.01" izz="0.01"', 'ixx="0" iyy="0" izz="0"', 1)
    with pytest.raises(SimulationError, match="link 'base': it moves, but"):
        draft(tmp_path, text)
    robot, _ = draft(tmp_path, text, fix_inertia=True)
    assert robot.mass == pytest.approx(10.0)
    assert placed(robot)[0].body('base').inertia == pytest.approx(3 * [5e-4])


def test_rods_that_end_beside_a_foot_are_no_feet(tmp_path):
    robot, _ = draft(tmp_path, urdf(RODS))
    assert robot.feet == ('left_foot', 'right_foot')


def test_collision_shapes_of_size_0_are_left_out(tmp_path):
    empty = '<collision><geometry><cylinder radius="0.02" length="0"/></geometry></collision>'
    robot, _ = draft(tmp_path, urdf(
        link('box', 0.1, empty) + joint('box', 'base', 'box', '0 0 0.1', 'fixed')))
    assert 'of size 0' in (tmp_path / 'mine' / 'robot.yaml').read_text()
    assert not any(placed(robot)[0].geom_bodyid == placed(robot)[0].body('box').id)


TILT = np.array([[0.96, 0.0, 0.28], [0.0, 1.0, 0.0], [-0.28, 0.0, 0.96]])
CORNERS = np.array(list(itertools.product((-0.1, 0.1), (-0.04, 0.04), (0.0, 0.03))))


@pytest.mark.parametrize('points, normal', [
    (CORNERS @ TILT.T, TILT[:, 2]),              # a box
    (CORNERS[::4] @ TILT.T, TILT[:, 2]),         # its rear edge and a line: the plane of the four
    (np.array([[-0.1, 0, 0], [0.1, 0, 0.04]]), np.array([-0.2, 0, 1.0]) / 1.04**0.5),  # a capsule
    (np.zeros((1, 3)), [0, 0, 1]),               # a ball
    (CORNERS + [[0, 0, 1e-4 * k] for k in range(8)], [0, 0, 1]),  # rounding
    (np.concatenate([CORNERS @ TILT.T, 0.5 * np.repeat(CORNERS, 100, 0) @ TILT.T]), TILT[:, 2]),
])
def test_a_foot_rests_on_the_largest_plane_below_it(points, normal):
    found = sole_normal(np.asarray(points, float), np.full(len(points), 0.01))
    assert found == pytest.approx(np.asarray(normal, float), abs=1e-3)


@pytest.mark.parametrize('foot', [BOX, '<mesh filename="foot.stl"/>'])
def test_a_foot_that_is_tilted_in_the_file_stands_flat(tmp_path, foot):
    write_box(tmp_path / 'foot.stl', (0.2, 0.08, 0.03))
    tilted = urdf(foot=foot).replace('<collision>', '<collision><origin xyz="0 0 0" '
                                     'rpy="0 0.3 0"/>')
    robot, _ = draft(tmp_path, tilted)
    model, data = stand(robot, 0.0)
    mujoco.mj_forward(model, data)
    spheres = [geom for geom in range(model.ngeom)
               if model.body(model.geom_bodyid[geom]).name in robot.feet]
    assert len(spheres) == 8
    assert data.geom_xpos[spheres, 2] == pytest.approx(model.geom_size[spheres, 0], abs=2e-3)
    assert stand(robot)[1].body('base').xmat[8] > 0.95


def test_soles_that_are_tilted_to_one_side_are_taken_as_level(tmp_path):
    """Left and right would be mirror images: the shapes of these feet say nothing."""
    tilted = urdf().replace('<collision>', '<collision><origin xyz="0 0 0" rpy="0.1 0 0"/>')
    robot, _ = draft(tmp_path, tilted)
    model, data = stand(robot, 0.0)
    mujoco.mj_forward(model, data)
    assert data.site('left_sole').xmat[8] == pytest.approx(1.0, abs=1e-4)


def dae(corners, unit=0.01):
    """Give a COLLADA file: corners in centimeters, in a node that is moved, turned and scaled."""
    numbers = ' '.join(f'{value:.9g}' for value in corners.ravel())
    return (
        '<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema"><asset>'
        f'<unit meter="{unit}"/><up_axis>Y_UP</up_axis></asset><library_geometries><geometry '
        f'id="g"><mesh><source id="p"><float_array id="a">{numbers}</float_array>'
        '</source>'
        '<vertices id="v"><input semantic="POSITION" source="#p"/></vertices></mesh></geometry>'
        '</library_geometries><library_visual_scenes><visual_scene><node>'
        '<translate>1 2 3</translate><rotate>0 0 1 90</rotate><node>'
        '<matrix>2 0 0 0 0 2 0 0 0 0 2 0 0 0 0 1</matrix><scale>'
        '.5 .5 .5</scale><instance_geometry url="#g"/></node></node></visual_scene>'
        '</library_visual_scenes></COLLADA>')


def test_the_corners_of_a_collada_mesh_are_where_its_nodes_put_them(tmp_path):
    corners = np.array([[1.0, 0, 0], [0, 2, 0], [0, 0, 3]])
    (tmp_path / 'a.dae').write_text(dae(corners))
    quarter = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    assert collada_points(tmp_path / 'a.dae') == pytest.approx(
        0.01 * (corners @ quarter.T + [1, 2, 3]))


@pytest.mark.parametrize('text', [
    '<COLLADA>', '<COLLADA/>', dae(np.zeros((1, 2))), dae(np.eye(3), 'cm'),
    dae(np.eye(3)).replace('#g', '#h'), dae(np.eye(3)).replace('90', 'x'),
    dae(np.eye(3)).replace('POSITION', 'NORMAL')])
def test_a_collada_mesh_that_cannot_be_read_has_no_corners(tmp_path, text):
    (tmp_path / 'a.dae').write_text(text)
    assert collada_points(tmp_path / 'a.dae').shape == (0, 3)


def test_a_sole_is_fitted_to_a_collada_mesh(tmp_path):
    (tmp_path / 'foot.dae').write_text(dae(np.array(list(itertools.product(
        (-4.0, 4.0), (-10.0, 10.0), (-1.5, 1.5)))) - [2.0, -1.0, 3.0]))
    robot, _ = draft(tmp_path, urdf(foot='<mesh filename="package://any/foot.dae"/>'))
    (tmp_path / 'box').mkdir()
    boxed, _ = draft(tmp_path / 'box', urdf())
    assert robot.base_height == pytest.approx(boxed.base_height, abs=1e-3)
