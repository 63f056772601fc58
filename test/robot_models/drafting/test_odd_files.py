# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Values that a file hides from a reader: aids of simulators, units, included files, ranges."""

from __future__ import annotations

import os

import pytest

pytest.importorskip('mujoco', minversion='3.3')

import mujoco
from small_robots import draft, joint, link, mjcf, stand, urdf, write_box

from humanoid_locomotion.core.errors import ConfigError, SimulationError
from humanoid_locomotion.robot_models.importer import import_robot

LATIN = ('<?xml version="1.0" encoding="ISO-8859-1"?>'
         + mjcf().replace('base', 'bäse')).encode('latin-1')
SITE = '<site name="chest"/>'
WELD_SITES = '<equality><weld site1="chest" site2="hook"/></equality>'
FOUR = ''.join(link(f'{side}_rear', 1.0) + joint(f'{side}_rear', 'base', f'{side}_rear', place)
               for side, place in (('left', '-0.3 0.1 -0.6'), ('right', '-0.3 -0.1 -0.6')))
THIRD = link('tail') + joint('tail', 'base', 'tail', '-0.3 0 -0.6')
TOES = ''.join(
    link(f'{side}_toe', 0.1, '<collision><geometry><box size="0.06 0.08 0.02"/></geometry>'
         '</collision>') + joint(f'{side}_toe', f'{side}_foot', f'{side}_toe', '0.13 0 -0.005')
    for side in ('left', 'right'))


def model_of(robot) -> mujoco.MjModel:
    """Compile the model of a draft."""
    return mujoco.MjModel.from_xml_path(str(robot.mjcf_path))


def motors(*texts: str) -> str:
    """Give actuators of every joint of the MJCF."""
    return '<actuator>' + ''.join(
        text.format(f'{side}_{name}') for text in texts for side in ('left', 'right')
        for name in ('hip', 'ankle')) + '</actuator>'


def test_inertias_are_those_of_the_shapes_if_the_file_says_so(tmp_path):
    text = mjcf().replace('<compiler ', '<compiler inertiafromgeom="true" ')
    robot, _ = draft(tmp_path, text, '.xml')
    assert model_of(robot).body('left_foot').mass == pytest.approx(1000 * 0.2 * 0.08 * 0.03)
    assert model_of(robot).body('left_thigh').mass == pytest.approx(1.0)  # it has no shape


def test_gravity_acts_on_a_body_whose_file_compensates_it(tmp_path):
    text = mjcf().replace('name="base"', 'name="base" gravcomp="1"')
    robot, _ = draft(tmp_path, text, '.xml')
    assert model_of(robot).body_gravcomp.max() == 0.0
    assert 'gravity acts on it in full' in (tmp_path / 'mine' / 'robot.yaml').read_text()


@pytest.mark.parametrize('more, in_base', [
    ('<equality><weld body1="base"/></equality>', ''),
    ('<equality><connect body1="left_foot" body2="base" anchor="0 0 0" active="false"/>'
     '</equality>', ''),
    ('<worldbody>' + SITE.replace('chest', 'hook') + '</worldbody>' + WELD_SITES, SITE),
], ids=['weld', 'inactive', 'sites'])
def test_constraints_that_hold_the_base_or_are_not_active_are_left_out(tmp_path, more, in_base):
    robot, _ = draft(tmp_path, mjcf(more, in_base=in_base), '.xml')
    assert model_of(robot).neq == 0 and not robot.passive_joints


def test_the_torque_of_a_joint_is_that_of_both_directions_and_of_its_weakest_motor(tmp_path):
    robot, _ = draft(tmp_path, mjcf(motors('<motor joint="{}" ctrlrange="-40 80"/>')), '.xml')
    assert {it.effort for it in robot.joints} == {40.0}
    (tmp_path / 'two').mkdir()
    robot, asked = draft(tmp_path / 'two', mjcf(motors(
        '<motor joint="{}" forcerange="-50 50"/>', '<motor joint="{}" ctrlrange="-45 45"/>')),
        '.xml')
    assert {it.effort for it in robot.joints} == {45.0}
    assert asked['effort'].written == '45' and len(asked['effort'].joints) == 4


@pytest.mark.parametrize('old, new, key, said', [
    ('lower="-1.5" upper="1.5"', 'lower="-90" upper="90"', 'lower, upper', '[-90, 90]'),
    ('velocity="10.0"', 'velocity="1000"', 'velocity', 'the file has 1000'),
    ('effort="30"', 'effort="1e10"', 'effort', 'the file has 1e+10'),
    ('effort="30"', 'effort="inf"', 'effort', 'the file has inf'),
])
def test_placeholders_and_degrees_are_asked_for(tmp_path, old, new, key, said):
    robot, asked = draft(tmp_path, urdf().replace(old, new))
    assert said in asked[key].why and len(asked[key].joints) == 6
    assert all(-3.2 < it.lower < it.upper < 3.2 and it.velocity < 100.0 and it.effort < 100.0
               for it in robot.joints)


def test_a_keyframe_outside_the_limits_is_listed(tmp_path):
    key = '<keyframe><key qpos="0 0 1 1 0 0 0 0 2 0 2"/></keyframe>'
    _, asked = draft(tmp_path, mjcf(key), '.xml')
    assert asked['default']
    text = (tmp_path / 'mine' / 'robot.yaml').read_text()
    assert 'the keyframe has 2, outside the range (left_ankle, right_ankle)' in text


@pytest.mark.parametrize('options, said', [
    ({'pose': {'knee': 3.0}}, "--pose: joint 'left_knee': found 3, expected a position in its"),
    ({'lock': {'knee': -2.0}}, "--lock: joint 'left_knee': found -2, expected a position in"),
    ({'feet': ('base', 'right_foot')}, '--feet: expected two links that move separately'),
    ({'feet': ('left_foot', 'left_shin')}, '--feet: expected two links that move separately'),
])
def test_an_option_that_does_not_fit_the_robot_is_refused(tmp_path, options, said):
    with pytest.raises(ConfigError, match=said):
        draft(tmp_path, urdf(), **options)


@pytest.mark.parametrize('text, ending, said', [
    ('<html/>', '.urdf', r'root element <html>, expected <robot>, as of URDF, or <mujoco>'),
    (urdf(link('b') + joint('left_hip', 'base', 'b', '0 0 1')), '.urdf', "repeated name 'left_h"),
    (urdf().replace('value="5.0"', 'value="${m}"'), '.urdf',
     "link 'base': value of <mass> is '\\${m}', expected numbers"),
    (urdf().replace('"base"', '"ba&#10;se"'), '.urdf', r"name 'ba\\nse' of <link> has char"),
    (urdf().replace('ixy="0"', 'ixy="5"'), '.urdf', 'expected none below 0; correct the file'),
    (mjcf().replace('armature="0.005"', 'armature="-1"'), '.xml',
     "joint 'left_hip': armature of <joint> is '-1', expected 0 or more"),
    (urdf().replace('-0.3', '-300'), '.urdf', 'm below the hip, expected 0.02 to 5.0 m'),
    (urdf().replace('-0.3', '0.3'), '.urdf', 'expected a robot that stands upright'),
    (urdf().replace('0 0.1 0', '0.1 0 0').replace('0 -0.1 0', '-0.1 0 0'), '.urdf',
     'the feet are beside each other along x, expected along y'),
    (urdf(FOUR), '.urdf', "expected two feet, found 'left_foot', 'right_foot', 'left_rear', 'r"),
    (urdf(THIRD), '.urdf', "expected two feet, found 'left_foot', 'right_foot', 'tail' at one"),
], ids=['html', 'twice', 'xacro', 'name', 'inertia', 'armature', 'mm', 'upside',
        'sideways', 'four', 'three'])
def test_what_is_no_biped_in_metres_is_refused(tmp_path, text, ending, said):
    with pytest.raises(SimulationError, match=said):
        draft(tmp_path, text, ending)


def test_a_base_in_a_turned_frame_looks_along_its_own_x_axis(tmp_path):
    text = mjcf().replace('<body name="base"', '<frame pos="1 2 0" euler="0 0 2"><body name="base"'
                          ).replace('</body></worldbody>', '</body></frame></worldbody>')
    assert draft(tmp_path, text, '.xml')[0].feet == ('left_foot', 'right_foot')


@pytest.mark.parametrize('old, new', [
    ('"floor"', '"ground"'),  # the floor itself, so that the shape below can have its name
    ('<worldbody>', '<asset><material name="floor"/></asset><worldbody>')])
def test_names_of_the_simulators_ground_can_be_in_a_file(tmp_path, old, new):
    text = mjcf().replace(old, new).replace('geom name="left_foot"', 'geom name="floor"', 1
                                            if 'ground' in new else 0)
    stand(draft(tmp_path, text, '.xml')[0], 0.0)


def test_a_site_elsewhere_with_the_name_of_a_sole_is_replaced(tmp_path):
    robot, _ = draft(tmp_path, mjcf(in_base='<site name="left_sole"/>'), '.xml')
    assert robot.base_height == pytest.approx(0.515)


def test_a_name_space_does_not_change_how_a_urdf_is_read(tmp_path):
    badge = ('<link name="badge"><visual><geometry><mesh filename="no.stl"/></geometry></visual>'
             '</link>' + joint('badge', 'base', 'badge', '0 0 0', 'fixed'))
    text = urdf(badge).replace('<robot ', '<robot xmlns="http://drake.mit.edu" ')
    assert draft(tmp_path, text)[0].feet == ('left_foot', 'right_foot')


@pytest.mark.parametrize('content, said', [
    (LATIN, 'inner.xml: is not UTF-8, as MJCF is: save it as UTF-8'),
    (mjcf().replace('mass="5"', 'mass="nan"').encode(), "inner.xml: body 'base': mass of"),
    (b'<mujoco><include file="model.xml"/></mujoco>', 'which leads back to this file'),
    (None, 'inner.xml: cannot be read as XML: is a FIFO'),
], ids=['latin', 'nan', 'cycle', 'fifo'])
@pytest.mark.parametrize('outer', [
    '<include file="inner.xml"/>', '<asset><model name="a" file="inner.xml"/></asset>'],
    ids=['include', 'attach'])
def test_files_that_a_file_includes_are_checked(tmp_path, content, said, outer):
    if content is None:
        os.mkfifo(tmp_path / 'inner.xml')
    else:
        (tmp_path / 'inner.xml').write_bytes(content)
    with pytest.raises(SimulationError, match=said):
        draft(tmp_path, f'<mujoco>{outer}</mujoco>', '.xml')


def test_a_foot_behind_its_toes_is_named(tmp_path):
    _, asked = draft(tmp_path, urdf(TOES))
    assert '--lock right_toe=0 makes one link of both' in asked['feet'].why
    (tmp_path / 'locked').mkdir()
    robot, asked = draft(tmp_path / 'locked', urdf(TOES), lock={'toe': 0.0})
    assert robot.feet == ('left_foot', 'right_foot') and 'toes' not in asked['feet'].why


@pytest.mark.parametrize('written', [
    'Meshes/FOOT.STL', 'meshes\\foot.stl', 'model://tiny/meshes/foot.stl',
    '$(find tiny)/meshes/foot.stl'])
def test_a_mesh_is_found_as_it_may_be_written(tmp_path, written):
    (tmp_path / 'meshes').mkdir()
    write_box(tmp_path / 'meshes' / 'foot.stl', (0.2, 0.08, 0.03))
    assert draft(tmp_path, urdf(foot=f'<mesh filename="{written}"/>'))[0].mass == pytest.approx(10)


def test_a_name_of_a_mesh_that_is_no_file_name_is_refused(tmp_path):
    with pytest.raises(SimulationError, match='is missing or no readable'):
        draft(tmp_path, urdf(foot=f'<mesh filename="{"a" * 5000}.stl"/>'))


def test_a_shape_that_is_fitted_to_a_mesh_needs_no_mesh(tmp_path):
    (tmp_path / 'assets').mkdir()
    write_box(tmp_path / 'assets' / 'foot.stl', (0.2, 0.08, 0.03))
    text = mjcf('<asset><mesh name="foot" file="foot.stl"/></asset>').replace(
        '<compiler ', '<compiler meshdir="assets" ').replace('size=".1 .04 .015"', 'mesh="foot"')
    robot, _ = draft(tmp_path, text, '.xml')
    model = model_of(robot)
    assert model.nmesh == 0 and model.ngeom == 8
    assert robot.base_height == pytest.approx(0.515, abs=1e-3)


def test_nothing_is_written_for_a_file_that_is_refused(tmp_path):
    (tmp_path / 'model.xml').write_bytes(LATIN)
    with pytest.raises(SimulationError, match='is not UTF-8'):
        import_robot(tmp_path / 'model.xml', tmp_path / 'mine', 'mine')
    assert not (tmp_path / 'mine').exists()
