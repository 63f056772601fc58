# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Robot description (joints, limits, gains, feet, frames), read from ``robots/NAME``."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
import hashlib
import math
from pathlib import Path
from typing import Any, Dict, FrozenSet, List, Optional, Tuple, Union
from xml.etree import ElementTree

import numpy as np

from humanoid_locomotion.core.errors import ConfigError, UnknownNameError
from humanoid_locomotion.core.reading import config
from humanoid_locomotion.core.reading.files import read_bytes
from humanoid_locomotion.core.reading.parsing import parse_xml
from humanoid_locomotion.core.reading.resources import robot_folders
from humanoid_locomotion.core.reading.robot_files import check_model
from humanoid_locomotion.core.robot_bounds import PolicyBounds

GRAVITY = 9.81  # [m/s^2]
MAX_MODEL_BYTES = 64 * 1024 * 1024  # of an MJCF or URDF file, without its meshes


@dataclass(frozen=True)
class JointSpec:
    """One joint.

    Attributes:
        name: The joint's name in MJCF, URDF, ROS messages and contracts.
        lower: Lowest position [rad].
        upper: Highest position [rad].
        default: Position in the default pose [rad].
        effort: Largest torque [Nm].
        velocity: Largest speed [rad/s].
        armature: Rotor inertia reflected through the gear [kg m^2].
        kp: Proportional gain of the joint's position controller [Nm/rad].
        kd: Derivative gain [Nm s/rad].
        axis: For readers of the file: ``x``, ``y`` or ``z``, or empty. The MJCF's axis counts.
    """

    name: str
    lower: float
    upper: float
    default: float
    effort: float
    velocity: float
    armature: float
    kp: float
    kd: float
    axis: str = ''

    def __post_init__(self) -> None:
        if self.axis not in ('', 'x', 'y', 'z'):
            raise ValueError(f'joint {self.name}: axis must be x, y or z, found {self.axis!r}')
        if not self.lower <= self.default <= self.upper:
            raise ValueError(f'joint {self.name}: default {self.default} is outside the limits '
                             f'[{self.lower}, {self.upper}]')
        for key in ('effort', 'velocity', 'kp', 'kd'):
            if not 0.0 < getattr(self, key) < math.inf:
                raise ValueError(f'joint {self.name}: {key} must be above 0 and finite, found '
                                 f'{getattr(self, key)}')
        if not 0.0 <= self.armature < math.inf:
            raise ValueError(f'joint {self.name}: armature must be 0 or more and finite, found '
                             f'{self.armature}')


@dataclass(frozen=True)
class RobotSpec:
    """A robot, as ``robot.yaml`` describes it.

    Attributes:
        name: The robot's name.
        description: One sentence.
        mjcf: File name of the MuJoCo model.
        base_link: The floating body.
        base_height: Height of the base when standing in the default pose [m].
        feet: Names of the foot links, left first.
        soles: Names of the sites under the feet, left first.
        joints: The joints, in the order that contracts use.
        urdf: File name of the URDF model; None for a robot that has none.
        policy_bounds: Bounds on a policy for this robot.
        mirrored_joints: Of each joint that has one, its twin on the other side, written once for
            a pair; a joint on the sagittal plane is its own twin. Only needed for joints whose
            twin cannot be found from the model; None for no such joint.
        passive_joints: Joints of the model that nothing drives: they follow another joint, a
            spring or a closed loop; None for no such joint.
        folder: Folder of the files; set by :func:`load_robot`.
    """

    name: str
    description: str
    mjcf: str
    base_link: str
    base_height: float
    feet: Tuple[str, str]
    soles: Tuple[str, str]
    joints: Tuple[JointSpec, ...]
    urdf: Optional[str] = None
    policy_bounds: PolicyBounds = field(default_factory=PolicyBounds)
    mirrored_joints: Optional[Dict[str, str]] = None
    passive_joints: Optional[Tuple[str, ...]] = None
    folder: str = ''

    def __post_init__(self) -> None:
        if not 0.0 < self.base_height < math.inf:
            raise ValueError(f'base_height must be above 0 and finite, found {self.base_height}')
        repeated = sorted({n for n in self.joint_names if self.joint_names.count(n) > 1})
        if repeated:
            raise ValueError(f'joints: {repeated} appear more than once')
        both = sorted(set(self.passive_joints or ()) & set(self.joint_names))
        if both:
            raise ValueError(f'passive_joints: {both} are in joints, too')
        pairs = self.mirrored_joints or {}
        unknown = [it for pair in pairs.items() for it in pair if it not in self.joint_names]
        if unknown:
            raise ValueError(f'mirrored_joints: {unknown} are no joints; the joints are '
                             f'{self.joint_names}')
        twins = list(pairs.values())
        wrong = [name for name, twin in pairs.items()
                 if pairs.get(twin, name) != name or twins.count(twin) > 1]
        if wrong:
            raise ValueError(f'mirrored_joints: {wrong} are not the twins of their twins')

    @property
    def joint_names(self) -> List[str]:
        """The joints' names, in order."""
        return [joint.name for joint in self.joints]

    @property
    def num_joints(self) -> int:
        """Number of joints."""
        return len(self.joints)

    @property
    def mjcf_path(self) -> Path:
        """The MuJoCo model."""
        return Path(self.folder) / self.mjcf

    @property
    def urdf_path(self) -> Path:
        """The URDF model.

        Raises:
            ConfigError: The robot has none.
        """
        if self.urdf is None:
            raise ConfigError(Path(self.folder) / 'robot.yaml', 'urdf',
                              f'robot {self.name!r} has no URDF; `robot write-urdf` writes one')
        return Path(self.folder) / self.urdf

    def values(self, key: str) -> np.ndarray:
        """Return one parameter of every joint, as float64. Shape (num_joints,)."""
        return np.array([getattr(joint, key) for joint in self.joints], dtype=np.float64)

    @property
    def mjcf_root(self) -> ElementTree.Element:
        """The MuJoCo model as XML, read again at each access.

        Raises:
            ConfigError: The file cannot be read, or is not XML.
        """
        return parse_xml(read_bytes(self.mjcf_path, MAX_MODEL_BYTES), self.mjcf_path)

    @cached_property
    def mass(self) -> float:
        """Mass of all links [kg]: the sum of the ``inertial`` elements of the MJCF.

        Raises:
            ConfigError: A body with a geom has no ``inertial`` element.
        """
        bodies = list(self.mjcf_root.iter('body'))
        inertials = [body.find('inertial') for body in bodies]
        silent = [body.get('name') for body, found in zip(bodies, inertials)
                  if found is None and body.find('geom') is not None]
        if silent:
            raise ConfigError(self.mjcf_path, 'inertial', f'the bodies {silent} have none')
        try:
            return sum(float(it.get('mass', 'nan')) for it in inertials if it is not None)
        except ValueError as error:
            raise ConfigError(self.mjcf_path, 'inertial', f'mass: {error}') from error

    @cached_property
    def trunk(self) -> str:
        """The link that carries the arms: the last one above every limb that is not a leg.

        A payload is attached to it. The base link, for a robot that has only legs.
        """
        shared = [names[0] for names in zip(*self._arms) if len(set(names)) == 1]
        return shared[-1] if shared else self.base_link

    @cached_property
    def hands(self) -> List[str]:
        """The last link of every limb that is not a leg; its palm, where fingers branch off."""
        limbs: Dict[Tuple[str, ...], List[List[str]]] = {}
        for way in self._arms:
            above = way.index(self.trunk) if self.trunk in way else -1
            limbs.setdefault(tuple(way[:above + 2]), []).append(way)
        return [[names[0] for names in zip(*ways) if len(set(names)) == 1][-1]
                for ways in limbs.values()]

    @cached_property
    def leg_joints(self) -> FrozenSet[str]:
        """The joints above a foot, which only the policy may move."""
        return self._joints_above(self.feet)

    @cached_property
    def trunk_joints(self) -> FrozenSet[str]:
        """The joints between the trunk and the link that carries both legs."""
        left, right = (self._joints_above((foot,)) for foot in self.feet)
        return self._joints_above((self.trunk,)) ^ (left & right)

    def _joints_above(self, links: Tuple[str, ...]) -> FrozenSet[str]:
        paths = self._paths()
        return frozenset(str(joint.get('name')) for link in links for body in paths[link]
                         for joint in body.findall('joint'))

    def _paths(self) -> Dict[str, List[ElementTree.Element]]:
        """Return each body of the MJCF, and those above it from the root on, by its name."""
        paths: Dict[str, List[ElementTree.Element]] = {}

        def descend(element: ElementTree.Element, above: List[ElementTree.Element]) -> None:
            for child in element:
                way = [*above, child] if child.tag == 'body' else above
                if child.tag == 'body':
                    paths[str(child.get('name'))] = way
                descend(child, way)

        descend(self.mjcf_root, [])
        return paths

    @cached_property
    def _arms(self) -> List[List[str]]:
        """The links with a joint of each limb that is not a leg, from the root on."""
        bodies = {name: [str(it.get('name')) for it in way if _is_moved(it)]
                  for name, way in self._paths().items() if _is_moved(way[-1])}
        inner = {name for way in bodies.values() for name in way[:-1]}
        return [way for name, way in bodies.items()
                if name not in inner and not set(self.feet) & set(way)]

    @cached_property
    def model_hash(self) -> str:
        """Sixteen hex digits that change when the robot's description or model changes."""
        digest = hashlib.sha256()
        for path in (Path(self.folder) / 'robot.yaml', self.mjcf_path):
            digest.update(read_bytes(path, MAX_MODEL_BYTES).replace(b'\r\n', b'\n'))
        return digest.hexdigest()[:16]


def _is_moved(body: ElementTree.Element) -> bool:
    return body.find('joint') is not None or body.find('freejoint') is not None


def robot_folder(name: Union[str, Path]) -> Path:
    """Return the folder of a robot, given its name in the package or the folder's path.

    Raises:
        UnknownNameError: No such robot; the message lists those that exist.
    """
    folders, text = robot_folders(), str(name)
    if '/' in text or (Path(text) / 'robot.yaml').is_file():
        return Path(text)
    if text not in folders:
        raise UnknownNameError('robot', text, folders)
    return folders[text]


def load_robot(name: Union[str, Path]) -> RobotSpec:
    """Return a robot by its name in the package, or by the path of its folder.

    Raises:
        UnknownNameError: No such robot; the message lists those that exist.
        ConfigError: Its ``robot.yaml`` is not valid, or its model disagrees with it.
    """
    folder = robot_folder(name)
    path = folder / 'robot.yaml'
    data: Any = config.read_yaml(path)
    if 'folder' in data:
        raise ConfigError(path, 'folder', 'unknown key; the folder is that of this file')
    robot = config.from_mapping(RobotSpec, {**data, 'folder': str(folder.resolve())}, path)
    check_model(robot)
    return robot


def described_robot(name: str, folder: str) -> RobotSpec:
    """Return the robot description that policies are checked against.

    Raises:
        ConfigError: The robot does not ship and no folder is given, or the folder describes
            another robot.
    """
    if not folder and name not in robot_folders():
        raise ConfigError('parameters', 'robot', f'the policy is for {name!r}, which does not '
                          'ship with this package; give the folder of its robot.yaml, which '
                          'has the bounds for a policy')
    robot = load_robot(folder or name)
    if robot.name != name:
        raise ConfigError('parameters', 'robot', f'{folder} describes {robot.name!r}, but the '
                          f'policy is for {name!r}')
    return robot
