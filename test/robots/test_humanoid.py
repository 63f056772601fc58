# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The laws of a robot folder: its files describe one robot, and it can stand.

Another robot joins by one more row in `robot_files.ROBOTS`.
"""

import itertools

import numpy as np
import pytest

pytest.importorskip('mujoco')

import mujoco
from robot_files import (
    AXES,
    MIRROR,
    ROBOTS,
    ROBOTS_FOLDER,
    WITH_URDF,
    Robot,
    body_inertia,
    foot_spheres,
    mirror_name,
    mirrored_positions,
    numbers,
    support_margin,
    urdf_link_poses,
)

from humanoid_locomotion.core.reading.resources import robot_folders


@pytest.fixture(params=ROBOTS, ids=lambda expected: expected.name, scope='module')
def robot(request) -> Robot:
    """Give each robot in turn."""
    return Robot(request.param)


@pytest.fixture(params=[it for it in ROBOTS if it.gain_frequency], ids=lambda it: it.name,
                scope='module')
def regular(request) -> Robot:
    """Give each robot whose gains follow a rule, with sides in the names and positive axes."""
    return Robot(request.param)


@pytest.fixture(params=WITH_URDF, ids=lambda expected: expected.name, scope='module')
def robot_with_urdf(request) -> Robot:
    """Give each robot that has a URDF."""
    return Robot(request.param)


# --------------------------------------------------------------------- one robot in all its files


def test_every_robot_is_tested_here():
    assert {it.name for it in ROBOTS} == set(robot_folders())


def test_joints_are_the_same_in_mjcf_and_yaml(robot):
    model, count = robot.model, robot.expected.num_joints
    assert len(robot.names) == len(set(robot.names)) == count
    assert sorted(model.joint(i).name for i in range(1, model.njnt)) == sorted(robot.names)
    for joint in robot.joints:
        hinge = model.joint(joint['name'])
        if 'axis' in joint:
            np.testing.assert_array_equal(hinge.axis, AXES[joint['axis']])
        np.testing.assert_array_equal(hinge.range, [joint['lower'], joint['upper']])
        assert model.dof_armature[hinge.dofadr[0]] == joint['armature']


def test_joints_are_the_same_in_the_urdf(robot_with_urdf):
    robot = robot_with_urdf
    elements = {joint.get('name'): joint for joint in robot.moving_urdf_joints()}
    assert elements.keys() == set(robot.names)
    for joint in robot.joints:
        element = elements[joint['name']]
        hinge, limit = robot.model.joint(joint['name']), element.find('limit')
        assert robot.model.body(hinge.bodyid[0]).name == element.find('child').get('link')
        parent = robot.model.body(robot.model.body_parentid[hinge.bodyid[0]]).name
        assert parent == element.find('parent').get('link')
        assert element.get('type') == 'revolute'
        np.testing.assert_allclose(
            numbers(element.find('axis').get('xyz')), hinge.axis, atol=1e-6)
        for here, there in (('lower', 'lower'), ('upper', 'upper'), ('effort', 'effort')):
            assert float(limit.get(there)) == joint[here], joint['name']
        assert float(limit.get('velocity')) == joint['velocity']


def test_links_weigh_the_same_in_mjcf_and_urdf(robot_with_urdf):
    robot = robot_with_urdf
    model = robot.model
    links = {link.get('name'): link for link in robot.urdf.iter('link')}
    heavy = {name for name, link in links.items() if link.find('inertial') is not None}
    assert heavy == {model.body(i).name for i in range(1, model.nbody)}
    for name in heavy:
        body, inertial = model.body(name).id, links[name].find('inertial')
        tensor = {key: float(value) for key, value in inertial.find('inertia').attrib.items()}
        matrix = [[tensor['i' + ''.join(sorted(a + b))] for b in 'xyz'] for a in 'xyz']
        assert numbers(inertial.find('origin').get('rpy')).tolist() == [0.0, 0.0, 0.0]
        assert float(inertial.find('mass').get('value')) == pytest.approx(model.body_mass[body])
        centre = numbers(inertial.find('origin').get('xyz'))
        np.testing.assert_allclose(centre, model.body_ipos[body], atol=1e-9)
        np.testing.assert_allclose(matrix, body_inertia(model, body), rtol=1e-6, atol=1e-12)


def test_forward_kinematics_are_the_same_in_mjcf_and_urdf(robot_with_urdf):
    robot = robot_with_urdf
    rng = np.random.default_rng(1)
    model, sites = robot.model, [*robot.spec['soles'], 'imu']
    for _ in range(20):
        positions = robot.random_positions(rng)
        data = robot.data_in_pose(positions, 0.0)
        poses = urdf_link_poses(robot.urdf, dict(zip(robot.names, positions)))
        assert len(poses) == model.nbody - 1 + len(sites)
        for body in range(1, model.nbody):
            position, turn = poses[model.body(body).name]
            np.testing.assert_allclose(data.xpos[body], position, atol=1e-6)
            np.testing.assert_allclose(data.xmat[body].reshape(3, 3), turn, atol=1e-6)
        for site in sites:
            np.testing.assert_allclose(data.site(site).xpos, poses[site][0], atol=1e-6)


def test_foot_spheres_are_the_same_in_mjcf_and_urdf(robot_with_urdf):
    robot = robot_with_urdf
    in_mjcf, in_urdf = {}, {}
    for geom in foot_spheres(robot):
        size = robot.model.geom_size[geom][0]
        in_mjcf[robot.model.geom(geom).name] = [*robot.model.geom_pos[geom], size]
    for foot in robot.spec['feet']:
        for collision in robot.urdf.find(f"link[@name='{foot}']").iter('collision'):
            radius = float(collision.find('geometry/sphere').get('radius'))
            centre = numbers(collision.find('origin').get('xyz'))
            in_urdf[collision.get('name')] = [*centre, radius]
    assert in_mjcf.keys() == in_urdf.keys()
    assert len(in_mjcf) == 8
    for name, sphere in in_mjcf.items():
        np.testing.assert_allclose(sphere, in_urdf[name], atol=1e-9)


def test_urdf_asks_for_no_other_file(robot_with_urdf):
    robot = robot_with_urdf
    text = robot.urdf_path.read_text(encoding='utf-8')
    assert '<mesh' not in text
    assert 'package://' not in text
    colours = {material.get('name') for material in robot.urdf.findall('material')}
    assert {material.get('name') for material in robot.urdf.iter('material')} == colours


# --------------------------------------------------------------------- a body as bodies are


def test_mass_and_height(robot):
    data = robot.standing()
    shapes = range(robot.model.ngeom)
    top = max(highest_point(robot.model, data, geom) for geom in shapes)
    assert robot.expected.mass[0] < robot.model.body_subtreemass[0] < robot.expected.mass[1]
    assert robot.expected.height[0] < top < robot.expected.height[1]


def test_the_page_of_robots_says_its_size(robot):
    data, model = robot.standing(), robot.model
    top = max(highest_point(model, data, geom) for geom in range(model.ngeom))
    page = (ROBOTS_FOLDER.parents[1] / 'docs' / 'own_robot.md').read_text(encoding='utf-8')
    assert (f'| `{robot.expected.name}` | {len(robot.names)} | {top:.2f} m | '
            f'{model.body_subtreemass[0]:.1f} kg |') in page


def highest_point(model: mujoco.MjModel, data: mujoco.MjData, geom: int) -> float:
    """Give the height of a shape's highest point [m]."""
    size, up = model.geom_size[geom], np.abs(data.geom_xmat[geom].reshape(3, 3)[2])
    reach = {
        mujoco.mjtGeom.mjGEOM_SPHERE: size[0],
        mujoco.mjtGeom.mjGEOM_CAPSULE: size[0] + size[1] * up[2],
        mujoco.mjtGeom.mjGEOM_BOX: size @ up,
    }
    return float(data.geom_xpos[geom, 2] + reach[mujoco.mjtGeom(model.geom_type[geom])])


def test_inertias_are_possible(robot):
    for body in range(1, robot.model.nbody):
        moments = np.linalg.eigvalsh(body_inertia(robot.model, body))
        name = robot.model.body(body).name
        assert robot.model.body_mass[body] >= robot.expected.lightest[0], name
        assert moments[0] >= robot.expected.lightest[1], name
        assert moments[2] <= moments[0] + moments[1], f'{name}: {moments} break the triangle law'


def test_links_are_mirror_images(regular):
    model, length = regular.model, regular.expected.lopsided
    for body in range(1, model.nbody):
        other = model.body(mirror_name(model.body(body).name)).id
        assert model.body_mass[body] == model.body_mass[other]
        here, there = model.body_ipos[body], MIRROR @ model.body_ipos[other]
        np.testing.assert_allclose(here, there, atol=length)
        here, there = model.body_pos[body], MIRROR @ model.body_pos[other]
        np.testing.assert_allclose(here, there, atol=length)
        here, there = (body_inertia(model, i) for i in (body, other))
        atol = 20.0 * length * np.trace(here)
        np.testing.assert_allclose(here, MIRROR @ there @ MIRROR, atol=atol)


def test_shapes_are_mirror_images(robot):
    model, data = robot.model, robot.data_in_pose(robot.default, 0.0)

    def shape(geom: int, mirror: np.ndarray) -> np.ndarray:
        turn = data.geom_xmat[geom].reshape(3, 3)
        # A capsule's line and a box's outer product do not change when the shape is turned over.
        spread = turn @ np.diag(model.geom_size[geom] ** 2 * [1.0, 1.0, 2.0]) @ turn.T
        if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_CAPSULE:
            spread = model.geom_size[geom][1] ** 2 * np.outer(turn[:, 2], turn[:, 2])
        if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_SPHERE:
            spread = np.zeros((3, 3))
        return np.array([
            *(mirror @ data.geom_xpos[geom]),
            *(mirror @ spread @ mirror).ravel(),
            model.geom_size[geom][0],
            model.geom_type[geom],
            model.geom_group[geom],
        ])

    here = np.array([shape(geom, np.eye(3)) for geom in range(model.ngeom)])
    there = np.array([shape(geom, MIRROR) for geom in range(model.ngeom)])
    distance = np.abs(here[:, None] - there).max(-1)
    assert sorted(distance.argmin(0)) == list(range(model.ngeom)), 'two shapes share an image'
    assert distance.min(0).max() < robot.expected.lopsided


def test_joints_are_mirror_images(regular):
    joints = {joint['name']: joint for joint in regular.joints}
    for name, joint in joints.items():
        other = joints[mirror_name(name)]
        for key in ('axis', 'effort', 'velocity', 'armature', 'kp', 'kd'):
            assert joint[key] == other[key], name
        if joint['axis'] == 'y':
            opposite = (other['default'], other['lower'], other['upper'])
        else:
            opposite = (-other['default'], -other['upper'], -other['lower'])
        assert (joint['default'], joint['lower'], joint['upper']) == opposite, name


def test_mirrored_pose_gives_mirrored_robot(regular):
    rng = np.random.default_rng(2)
    model = regular.model
    for _ in range(10):
        positions = regular.random_positions(rng)
        data = regular.data_in_pose(positions, 1.0)
        mirrored = regular.data_in_pose(mirrored_positions(regular, positions), 1.0)
        for body in range(1, model.nbody):
            other = model.body(mirror_name(model.body(body).name)).id
            here, there = MIRROR @ data.xpos[body], mirrored.xpos[other]
            np.testing.assert_allclose(here, there, atol=regular.expected.lopsided)
        here, there = MIRROR @ data.subtree_com[0], mirrored.subtree_com[0]
        np.testing.assert_allclose(here, there, atol=regular.expected.lopsided)


# --------------------------------------------------------------------- drives


def test_gains_follow_from_the_armature(regular):
    rate = 2.0 * np.pi * np.array([regular.expected.frequency(name) for name in regular.names])
    armature = regular.column('armature')
    damping = 2.0 * regular.expected.gain_damping * armature * rate
    np.testing.assert_allclose(regular.column('kp'), armature * rate**2, atol=5.1e-4)
    np.testing.assert_allclose(regular.column('kd'), damping, atol=5.1e-4)


def test_default_pose_is_inside_the_ranges(robot):
    assert np.all(robot.column('lower') < robot.default)
    assert np.all(robot.default < robot.column('upper'))


# --------------------------------------------------------------------- standing and touching


def test_soles_touch_the_floor_in_the_default_pose(robot):
    data = robot.standing()
    for sole in robot.spec['soles']:
        assert abs(data.site(sole).xpos[2]) < 1e-3
    for geom in foot_spheres(robot):
        assert abs(data.geom_xpos[geom, 2] - robot.model.geom_size[geom, 0]) < 1e-3


def test_centre_of_mass_is_over_the_feet(robot):
    data = robot.standing()
    corners = data.geom_xpos[foot_spheres(robot)][:, :2]
    assert support_margin(corners, data.subtree_com[0][:2]) >= 0.02


def test_robot_does_not_touch_itself_in_the_default_pose(robot):
    data = robot.standing()
    names = [[robot.model.geom(geom).name for geom in contact.geom] for contact in data.contact]
    assert names == []


def test_contact_bits(robot):
    model = robot.model
    bits = {
        model.geom(geom).name: (model.geom_contype[geom], model.geom_conaffinity[geom])
        for geom in range(model.ngeom)
        if model.geom_contype[geom] or model.geom_conaffinity[geom]
    }
    bits['floor'] = (1, 1)
    assert '' not in bits, 'a shape that can touch needs a name'

    def touch(one: str, other: str) -> bool:
        return bool(bits[one][0] & bits[other][1] or bits[one][1] & bits[other][0])

    for name in bits.keys() - {'floor'}:
        assert touch(name, 'floor') != name.endswith('_foot_side'), name
    for one, other in robot.expected.may_touch:
        assert touch(one, other)
        assert touch(mirror_name(one), mirror_name(other))
    for one, other in itertools.combinations(bits.keys() - {'floor'}, 2):
        opposite_sides = {one.split('_')[0], other.split('_')[0]} == {'left', 'right'}
        is_arm = any(part in one + other for part in ('forearm', 'hand'))
        if not opposite_sides and not is_arm:
            assert not touch(one, other), f'{one} and {other} are not on opposite legs'


def standing_model(robot: Robot) -> mujoco.MjModel:
    """Give the robot on a floor with the drives of its YAML as position actuators."""
    spec = mujoco.MjSpec.from_file(str(robot.mjcf_path))
    spec.option.timestep = 0.005
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.worldbody.add_geom(
        name='floor',
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[0.0, 0.0, 1.0],
        contype=1,
        conaffinity=1,
    )
    for joint in robot.joints:
        drive = spec.add_actuator(name=joint['name'], target=joint['name'])
        drive.trntype = mujoco.mjtTrn.mjTRN_JOINT
        drive.set_to_position(kp=joint['kp'], kv=joint['kd'])
        drive.forcelimited = True
        drive.forcerange = [-joint['effort'], joint['effort']]
    return spec.compile()


def tilt(robot: Robot, data: mujoco.MjData) -> float:
    """Give the angle between the base's z axis and the vertical [rad]."""
    upright = data.body(robot.spec['base_link']).xmat[8]
    return float(np.arccos(np.clip(upright, -1.0, 1.0)))


def test_robot_stands_for_a_second_under_its_gains_alone(robot):
    model = standing_model(robot)
    data = mujoco.MjData(model)
    data.qpos[2] = robot.spec['base_height']
    data.qpos[robot.places] = data.ctrl[:] = robot.default
    for _ in range(200):
        mujoco.mj_step(model, data)
        assert data.qpos[2] > robot.spec['base_height'] - 0.1
        assert tilt(robot, data) < 0.2


@pytest.mark.parametrize('fallen', ['on its face', 'on its back', 'on its side'])
def test_fallen_robot_lies_on_the_floor(robot, fallen):
    turns = {
        'on its face': [0.707, 0.0, 0.707, 0.0],
        'on its back': [0.707, 0.0, -0.707, 0.0],
        'on its side': [0.707, 0.707, 0.0, 0.0],
    }
    model = standing_model(robot)
    data = mujoco.MjData(model)
    data.qpos[:7] = [0.0, 0.0, 0.4, *turns[fallen]]
    data.qpos[robot.places] = data.ctrl[:] = robot.default
    for _ in range(400):
        mujoco.mj_step(model, data)
    trunk = data.body(robot.spec['base_link']).xpos[2]
    assert 0.02 < trunk < 0.3
    assert np.abs(data.qvel).max() < 5.0
