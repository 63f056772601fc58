# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A robot's files, opened, and the figures and kinematics that its laws need."""

import dataclasses
import pathlib
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml

pytest.importorskip('mujoco')

import mujoco

ROBOTS_FOLDER = pathlib.Path(__file__).parents[2] / 'humanoid_locomotion' / 'robots'
MIRROR = np.diag([1.0, -1.0, 1.0])
AXES = {'x': [1.0, 0.0, 0.0], 'y': [0.0, 1.0, 0.0], 'z': [0.0, 0.0, 1.0]}


@dataclasses.dataclass(frozen=True)
class Expectation:
    """What a robot's folder cannot say about itself."""

    name: str
    num_joints: int
    mass: tuple[float, float]  # [kg] lowest, highest
    height: tuple[float, float]  # [m] lowest, highest, in the default pose
    may_touch: tuple[tuple[str, str], ...]  # some pairs of shapes that stop each other
    # [Hz], first part of a joint's name; none for a robot with the makers' gains and axes
    gain_frequency: tuple[tuple[str, float], ...] = ()
    gain_damping: float = 0.0  # [1] damping ratio of armature, kp and kd
    lightest: tuple[float, float] = (0.2, 1e-4)  # [kg], [kg m^2] of any link
    lopsided: float = 1e-9  # [m] by which the two sides differ, as published

    def frequency(self, joint: str) -> float:
        """Give the frequency of one joint's drive [Hz]."""
        return next(f for part, f in self.gain_frequency if part in joint)


ROBOTS = [
    Expectation(
        name='humanoid',
        num_joints=23,
        mass=(43.0, 47.0),
        height=(1.4, 1.6),
        gain_frequency=(('', 8.0),),
        gain_damping=1.5,
        may_touch=(
            ('left_foot_side', 'right_foot_side'),
            ('left_shin', 'right_foot_side'),
            ('left_shin', 'right_shin'),
            ('left_thigh', 'right_thigh'),
            ('left_forearm', 'left_thigh'),
            ('left_forearm', 'right_thigh'),
        ),
    ),
    Expectation(
        name='course',
        num_joints=39,
        mass=(43.0, 47.0),
        height=(1.4, 1.6),
        gain_frequency=(('', 8.0),),
        gain_damping=1.5,
        may_touch=(
            ('left_shin', 'right_shin'),
            ('left_forearm', 'right_thigh'),
            ('left_hand', 'left_thigh'),
            ('left_hand', 'right_thigh'),
        ),
        lightest=(0.01, 6e-7),
    ),
    Expectation(
        name='unitree_g1',
        num_joints=29,
        mass=(33.34, 33.35),
        height=(1.2, 1.35),
        gain_frequency=(('', 10.0),),
        gain_damping=2.0,
        may_touch=(
            ('left_foot_side', 'right_foot_side'),
            ('left_shin', 'right_shin'),
            ('left_thigh', 'right_thigh'),
            ('left_forearm', 'right_thigh'),
            ('left_hand', 'left_thigh'),
            ('left_hand', 'chest'),
            ('left_forearm', 'pelvis'),
        ),
        lightest=(0.07, 6e-6),
        lopsided=1e-3,
    ),
    Expectation(
        name='unitree_h1',
        num_joints=19,
        mass=(51.6, 51.7),
        height=(1.7, 1.85),
        gain_frequency=(('ankle', 4.0), ('shoulder', 4.0), ('elbow', 4.0), ('', 8.0)),
        gain_damping=1.0,
        may_touch=(
            ('left_foot_side', 'right_foot_side'),
            ('left_shin', 'right_shin'),
            ('left_thigh', 'right_thigh'),
            ('left_forearm', 'right_thigh'),
            ('left_forearm', 'chest'),
        ),
        lopsided=6e-3,
    ),
    Expectation(
        name='unitree_h1_2',
        num_joints=27,
        mass=(66.98, 66.99),
        height=(1.7, 1.85),
        gain_frequency=(('hip', 8.0), ('knee', 8.0), ('torso', 8.0), ('ankle', 5.0), ('', 4.0)),
        gain_damping=1.0,
        may_touch=(
            ('left_foot_side', 'right_foot_side'),
            ('left_shin', 'right_shin'),
            ('left_thigh', 'right_thigh'),
            ('left_hand', 'right_thigh'),
            ('left_forearm', 'chest'),
        ),
        lightest=(0.1, 1e-5),
        lopsided=6e-3,
    ),
    Expectation(
        name='talos',
        num_joints=22,
        mass=(93.09, 93.1),
        height=(1.65, 1.8),
        gain_frequency=(('arm', 6.0), ('', 12.0)),
        gain_damping=1.5,
        may_touch=(
            ('left_foot_side', 'right_foot_side'),
            ('left_shin', 'right_shin'),
            ('left_thigh', 'right_thigh'),
            ('left_hand', 'right_thigh'),
            ('left_forearm', 'chest'),
        ),
        lopsided=4e-3,
    ),
    Expectation(
        name='booster_t1',
        num_joints=23,
        mass=(31.61, 31.62),
        height=(1.1, 1.2),
        may_touch=(
            ('left_foot_side', 'right_foot_side'),
            ('left_thigh', 'right_thigh'),
            ('left_forearm', 'left_thigh'),
        ),
        lightest=(0.07, 1.1e-5),
        lopsided=2e-3,
    ),
    Expectation(
        name='berkeley_lite',
        num_joints=22,
        mass=(16.33, 16.34),
        height=(0.7, 0.8),
        may_touch=(
            ('left_foot_side', 'right_foot_side'),
            ('left_thigh', 'right_thigh'),
            ('left_forearm', 'left_thigh'),
        ),
        lightest=(0.1, 5e-5),
        lopsided=6e-3,
    ),
    Expectation(
        name='toddlerbot',
        num_joints=22,
        mass=(3.33, 3.34),
        height=(0.5, 0.6),
        may_touch=(
            ('left_foot_side', 'right_foot_side'),
            ('left_thigh', 'right_thigh'),
            ('left_forearm', 'left_thigh'),
        ),
        lightest=(0.008, 1e-6),
        lopsided=5e-3,
    ),
]
WITH_URDF = [it for it in ROBOTS if (ROBOTS_FOLDER / it.name / 'robot.urdf').is_file()]


class Robot:
    """The files of one robot folder, opened, and the few numbers every test asks for."""

    def __init__(self, expected: Expectation):
        self.expected = expected
        folder = ROBOTS_FOLDER / expected.name
        self.spec = yaml.safe_load((folder / 'robot.yaml').read_text(encoding='utf-8'))
        self.mjcf_path = folder / self.spec['mjcf']
        self.model = mujoco.MjModel.from_xml_path(str(self.mjcf_path))
        if expected in WITH_URDF:
            self.urdf_path = folder / self.spec['urdf']
            self.urdf = ElementTree.parse(self.urdf_path).getroot()
        self.joints = self.spec['joints']
        self.names = [joint['name'] for joint in self.joints]
        self.default = self.column('default')
        self.places = np.array([self.model.joint(it).qposadr[0] for it in self.names])  # in qpos

    def column(self, key: str) -> np.ndarray:
        """Give one number of every joint, in the contract's order."""
        return np.array([joint[key] for joint in self.joints])

    def moving_urdf_joints(self) -> list[ElementTree.Element]:
        """Give the URDF's joints that move, in the file's order."""
        return [joint for joint in self.urdf.iter('joint') if joint.get('type') != 'fixed']

    def data_in_pose(self, positions: np.ndarray, height: float) -> mujoco.MjData:
        """Give the state with the base upright at `height` [m] and the joints at `positions`."""
        data = mujoco.MjData(self.model)
        data.qpos[:7] = [0.0, 0.0, height, 1.0, 0.0, 0.0, 0.0]
        data.qpos[self.places] = positions
        mujoco.mj_forward(self.model, data)
        return data

    def standing(self) -> mujoco.MjData:
        """Give the state in the default pose at the base height of the YAML."""
        return self.data_in_pose(self.default, self.spec['base_height'])

    def random_positions(self, rng: np.random.Generator) -> np.ndarray:
        """Draw joint positions evenly from their ranges."""
        return rng.uniform(self.column('lower'), self.column('upper'))


def numbers(text: str | None) -> np.ndarray:
    """Read three numbers of a URDF attribute; a missing one means zeros."""
    return np.array([float(word) for word in (text or '0 0 0').split()])


def rotation(axis: np.ndarray, angle: float) -> np.ndarray:
    """Give the matrix that turns by `angle` [rad] about the unit vector `axis` (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross


def urdf_link_poses(urdf: ElementTree.Element, positions: dict[str, float]) -> dict:
    """Give position and rotation matrix of every URDF link, in the frame of the root link."""
    children = {joint.find('child').get('link') for joint in urdf.iter('joint')}
    (root,) = {link.get('name') for link in urdf.iter('link')} - children
    poses = {root: (np.zeros(3), np.eye(3))}
    waiting = list(urdf.iter('joint'))
    while waiting:
        joint = waiting.pop(0)
        parent = joint.find('parent').get('link')
        if parent not in poses:
            waiting.append(joint)
            continue
        parent_position, parent_rotation = poses[parent]
        origin = joint.find('origin')
        roll, pitch, yaw = numbers(origin.get('rpy'))
        turn = rotation(AXES['z'], yaw) @ rotation(AXES['y'], pitch) @ rotation(AXES['x'], roll)
        if joint.get('type') != 'fixed':
            axis = numbers(joint.find('axis').get('xyz'))
            turn = turn @ rotation(axis, positions[joint.get('name')])
        poses[joint.find('child').get('link')] = (
            parent_position + parent_rotation @ numbers(origin.get('xyz')),
            parent_rotation @ turn,
        )
    return poses


def body_inertia(model: mujoco.MjModel, body: int) -> np.ndarray:
    """Give a body's inertia matrix about its centre of mass, in the axes of the body's frame."""
    turn = np.zeros(9)
    mujoco.mju_quat2Mat(turn, model.body_iquat[body])
    turn = turn.reshape(3, 3)
    return turn @ np.diag(model.body_inertia[body]) @ turn.T


def mirror_name(name: str) -> str:
    """Give the name of the part on the other side; a middle part is its own mirror image."""
    sides = {'left': 'right', 'right': 'left'}
    return '_'.join(sides.get(word, word) for word in name.split('_'))


def mirrored_positions(robot: Robot, positions: np.ndarray) -> np.ndarray:
    """Give the joint positions of the pose seen in the x-z plane's mirror."""
    by_name = dict(zip(robot.names, positions))
    signs = [1.0 if joint['axis'] == 'y' else -1.0 for joint in robot.joints]
    return np.array([s * by_name[mirror_name(n)] for s, n in zip(signs, robot.names)])


def support_margin(points: np.ndarray, point: np.ndarray) -> float:
    """Give how far `point` lies inside the hull of `points` (n, 2) [m]; negative outside."""
    directions = np.linspace(0.0, 2.0 * np.pi, 720, endpoint=False)
    outward = np.stack([np.cos(directions), np.sin(directions)])
    return float(np.min(np.max(points @ outward, axis=0) - point @ outward))


def foot_spheres(robot: Robot) -> list[int]:
    """Give the geoms that touch the floor when the robot stands: the spheres of the feet."""
    model = robot.model
    feet = {model.body(name).id for name in robot.spec['feet']}
    sphere = mujoco.mjtGeom.mjGEOM_SPHERE
    return [
        geom
        for geom in range(model.ngeom)
        if model.geom_bodyid[geom] in feet
        and model.geom_type[geom] == sphere
        and model.geom_conaffinity[geom] & 1
    ]
