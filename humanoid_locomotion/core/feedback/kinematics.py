# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Kinematics of a robot from its MJCF: the frames of sensors and soles, and the joint axes."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple
from xml.etree import ElementTree

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.errors import ConfigError, JointsError
from humanoid_locomotion.core.feedback.leg_odometry import LegSpec
from humanoid_locomotion.core.robot import RobotSpec

Z_AXIS = np.array([0.0, 0.0, 1.0])  # MuJoCo's for a joint that says none
UNREAD = ('euler', 'axisangle', 'xyaxes', 'zaxis')  # other rotation formats of MJCF


class LinkFrame:
    """A link or site of a robot, and the rotations between it and the base link.

    Args:
        robot: The robot.
        name: Name of the body or site in its MJCF. An unknown name has the axes of the base.
        joint_names: The measured joints, in the order of the arrays.

    Attributes:
        is_turned: Whether its axes can differ from those of the base.

    Raises:
        ConfigError: A rotation of the chain is not written as ``quat``.
        JointsError: A joint of the chain is not measured.
    """

    def __init__(self, robot: RobotSpec, name: str, joint_names: Sequence[str]):
        # Each step is a fixed rotation xyzw, then the joint after it by index and axis, if any.
        self._steps: List[Tuple[np.ndarray, Optional[int], np.ndarray]] = []
        root = robot.mjcf_root
        for element in _way(robot, root, name):
            self._steps.append((_fixed_rotation(element, robot), None, Z_AXIS))
            axes = {str(joint.get('name')): _axis(joint, root, robot)
                    for joint in element.findall('joint')}
            joints = list(axes)
            missing = [joint for joint in joints if joint not in joint_names]
            if missing:
                raise JointsError(f'between {robot.base_link!r} and {name!r}', missing,
                                  joint_names)
            self._steps += [(rotations.IDENTITY, list(joint_names).index(joint), axes[joint])
                            for joint in joints]
        self.is_turned = any(joint is not None or abs(fixed[3]) < 1.0
                             for fixed, joint, _ in self._steps)

    def base_motion(self, orientation: np.ndarray, angular_velocity: np.ndarray,
                    joint_positions: np.ndarray, joint_velocities: np.ndarray,
                    ) -> Tuple[np.ndarray, np.ndarray]:
        """Return the motion of the base for a given motion of this frame.

        With R the rotation from this frame to the base's: the base's orientation is the
        frame's orientation times the inverse of R; its angular velocity is R times the frame's,
        minus the rates of the joints of the chain, each along its axis in the base frame.

        Args:
            orientation: Orientation of this frame, frame to world, xyzw, (4,).
            angular_velocity: Angular velocity of this frame, in its own axes [rad/s], (3,).
            joint_positions: Positions of the measured joints [rad], (num_joints,).
            joint_velocities: Velocities of the measured joints [rad/s].

        Returns:
            Orientation of the base, xyzw (4,), and its angular velocity in the base frame (3,).
        """
        to_base, added = rotations.IDENTITY, np.zeros(3)
        for fixed, joint, axis in self._steps:
            to_base = rotations.multiply(to_base, fixed)
            if joint is not None:
                added = added + joint_velocities[joint] * rotations.rotate(to_base, axis)
                half = 0.5 * joint_positions[joint]
                to_base = rotations.multiply(
                    to_base, np.append(np.sin(half) * axis, np.cos(half)))
        base = rotations.multiply(orientation, rotations.conjugate(to_base))
        return rotations.normalize(base), rotations.rotate(to_base, angular_velocity) - added


def frame_names(robot: RobotSpec) -> List[str]:
    """Return the base link's name, and the names of every body, site and frame below it."""
    bodies = robot.mjcf_root.iter('body')
    return [str(element.get('name')) for body in bodies if body.get('name') == robot.base_link
            for element in body.iter() if element.tag in ('body', 'site', 'frame')
            and element.get('name')]


def leg_spec(robot: RobotSpec, sole: str) -> LegSpec:
    """Return the kinematic chain from the base to a sole, a site of the MJCF.

    Raises:
        ConfigError: There is no such site below the base, its chain has no joint, or a
            rotation of the chain is not written as ``quat``.
    """
    root = robot.mjcf_root
    way = _way(robot, root, sole)
    joints: List[Tuple[str, np.ndarray, np.ndarray]] = []
    place, turn = np.zeros(3), rotations.IDENTITY
    for element in way:
        place = place + rotations.rotate(turn, _place(element, robot))
        turn = rotations.multiply(turn, _fixed_rotation(element, robot))
        for joint in element.findall('joint'):
            name = str(joint.get('name'))
            if name not in robot.joint_names:
                raise JointsError('robot.yaml', [name], robot.joint_names)
            joints.append((name, rotations.rotate(turn, _axis(joint, root, robot)),
                           place + rotations.rotate(turn, _place(joint, robot))))
    if not joints:
        raise ConfigError(robot.mjcf_path, f'site {sole!r}',
                          f'expected below {robot.base_link!r} at the end of a leg')
    return LegSpec(tuple(name for name, _, _ in joints), tuple(_vector(a) for _, a, _ in joints),
                   tuple(_vector(o) for _, _, o in joints), _vector(place))


class JointLine(NamedTuple):
    """The axis of a joint in a pose, in the base frame.

    Attributes:
        axis: (3,) unit vector; a positive joint velocity turns about it, right-handed.
        anchor: (3,) a point of it [m].
    """

    axis: np.ndarray
    anchor: np.ndarray


class DefaultPose(NamedTuple):
    """Joints and sites below the base in the default pose, in the base frame.

    Attributes:
        lines: The axis of each joint.
        sites: The position of each site, (3,) [m].
    """

    lines: Dict[str, JointLine]
    sites: Dict[str, np.ndarray]


def joint_lines(robot: RobotSpec) -> Dict[str, JointLine]:
    """Return the axis of every joint below the base, see :func:`default_pose`."""
    return default_pose(robot).lines


def default_pose(robot: RobotSpec) -> DefaultPose:
    """Return the joints and sites below the base; a joint without a default is at zero.

    Raises:
        ConfigError: A rotation is written in another form than ``quat``, or an axis only in a
            default class.
    """
    root = robot.mjcf_root
    default = {joint.name: joint.default for joint in robot.joints}
    lines: Dict[str, JointLine] = {}
    sites: Dict[str, np.ndarray] = {}

    def descend(above: ElementTree.Element, place: np.ndarray, turn: np.ndarray) -> None:
        for element in above:
            if element.tag not in ('body', 'frame'):
                continue
            at = place + rotations.rotate(turn, _place(element, robot))
            turned = rotations.multiply(turn, _fixed_rotation(element, robot))
            for joint in element.findall('joint'):
                name = str(joint.get('name'))
                axis = rotations.rotate(turned, _axis(joint, root, robot))
                anchor = at + rotations.rotate(turned, _place(joint, robot))
                lines[name] = JointLine(axis, anchor)
                half = 0.5 * default.get(name, 0.0)
                moved = np.append(np.sin(half) * axis, np.cos(half))
                at = anchor + rotations.rotate(moved, at - anchor)
                turned = rotations.multiply(moved, turned)
            sites.update({str(site.get('name')): at + rotations.rotate(turned, _place(site, robot))
                          for site in element.findall('site')})
            descend(element, at, turned)

    for body in root.iter('body'):
        if body.get('name') == robot.base_link:
            descend(body, np.zeros(3), rotations.IDENTITY)
    return DefaultPose(lines, sites)


def _axis(joint: ElementTree.Element, root: ElementTree.Element, robot: RobotSpec) -> np.ndarray:
    """Return the unit vector about which a joint turns, in its body's frame."""
    if joint.get('axis') is None and any(
            it.get('axis') is not None for part in root.iter('default')
            for it in part.findall('joint')):
        raise ConfigError(robot.mjcf_path, f'joint {joint.get("name")!r}: axis',
                          'expected three numbers at the joint itself, found an axis in a default '
                          'class')
    axis = _numbers(joint, 'axis', '0 0 1', robot)
    length = float(np.linalg.norm(axis))
    if length == 0.0:
        raise ConfigError(robot.mjcf_path, f'joint {joint.get("name")!r}: axis',
                          'expected a vector, found 0 0 0')
    return axis / length


def _place(element: ElementTree.Element, robot: RobotSpec) -> np.ndarray:
    return _numbers(element, 'pos', '0 0 0', robot)


def _numbers(element: ElementTree.Element, key: str, usual: str, robot: RobotSpec) -> np.ndarray:
    """Return the numbers of an attribute; ``usual`` is its default and sets their count."""
    text = element.get(key, usual)
    try:
        numbers = np.array([float(word) for word in text.split()])
    except ValueError:
        numbers = np.zeros(0)
    if len(numbers) != len(usual.split()) or not np.isfinite(numbers).all():
        raise ConfigError(robot.mjcf_path, f'{element.tag} {element.get("name")!r}: {key}',
                          f'expected {len(usual.split())} numbers, found {text[:60]!r}')
    return numbers


def _vector(array: np.ndarray) -> Tuple[float, float, float]:
    x, y, z = (array.round(9) + 0.0).tolist()
    return x, y, z


def _way(robot: RobotSpec, root: ElementTree.Element,
         name: str) -> List[ElementTree.Element]:
    """Return the elements below the base, down to a body or site; none for an unknown name."""
    def descend(element: ElementTree.Element) -> List[ElementTree.Element]:
        for child in element:
            if child.tag in ('body', 'site', 'frame'):
                below = [] if child.get('name') == name else descend(child)
                if below or child.get('name') == name:
                    return [child, *below]
        return []

    return [element for body in root.iter('body') if body.get('name') == robot.base_link
            for element in descend(body)]


def _fixed_rotation(element: ElementTree.Element, robot: RobotSpec) -> np.ndarray:
    """Return the fixed rotation of a body, site or frame in its parent, xyzw."""
    other = [key for key in UNREAD if element.get(key) is not None]
    if other:
        raise ConfigError(robot.mjcf_path, f'{element.tag} {element.get("name")!r}: {other[0]}',
                          "only 'quat' is read")
    w, x, y, z = _numbers(element, 'quat', '1 0 0 0', robot)
    return rotations.normalize(np.array([x, y, z, w]))
