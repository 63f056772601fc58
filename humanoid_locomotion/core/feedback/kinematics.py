"""The way from the base to another frame of the robot: to a sensor, or to a sole."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple
from xml.etree import ElementTree

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.errors import ConfigError, JointsError
from humanoid_locomotion.core.feedback.leg_odometry import LegSpec
from humanoid_locomotion.core.robot import RobotSpec

AXES = dict(zip('xyz', np.eye(3)))
UNREAD = ('euler', 'axisangle', 'xyaxes', 'zaxis')  # MJCF's other ways to write a rotation


class LinkFrame:
    """A link or site of a robot, and the rotations between it and the base link.

    Args:
        robot: The robot.
        name: Name of the body or site in its MJCF. An unknown one has the base's own axes.
        joint_names: The joints that are measured, in the order of their arrays.

    Attributes:
        is_turned: Whether its axes can differ from those of the base.

    Raises:
        ConfigError: A rotation on the way is written in another form than ``quat``.
        JointsError: A joint on the way is not measured.
    """

    def __init__(self, robot: RobotSpec, name: str, joint_names: Sequence[str]):
        axes = {joint.name: AXES[joint.axis] for joint in robot.joints}
        # Each step is a fixed rotation xyzw, then the joint after it by index and axis, if any.
        self._steps: List[Tuple[np.ndarray, Optional[int], np.ndarray]] = []
        for element in _way(robot, name):
            self._steps.append((_fixed_rotation(element, robot), None, AXES['z']))
            joints = [str(joint.get('name')) for joint in element.findall('joint')]
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
        """Return how the base moves, when this frame moves like that.

        With R the rotation from this frame to the base's: the base's orientation is that of the
        frame, after R inverse; its angular velocity is R times the frame's, less what the joints
        on the way add, each along its axis as the base sees it.

        Args:
            orientation: Of this frame in the world, xyzw, (4,).
            angular_velocity: Of this frame, in itself [rad/s], (3,).
            joint_positions: Of the measured joints [rad], (num_joints,).
            joint_velocities: Of the same [rad/s].

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
    """Return the base link's name, and those of every body, site and frame below it."""
    bodies = robot.mjcf_root.iter('body')
    return [str(element.get('name')) for body in bodies if body.get('name') == robot.base_link
            for element in body.iter() if element.tag in ('body', 'site', 'frame')
            and element.get('name')]


def leg_spec(robot: RobotSpec, sole: str) -> LegSpec:
    """Return how a robot's sole, a site of its MJCF, hangs from the base.

    Raises:
        ConfigError: There is no such site below the base, no joint on the way to it, or a
            rotation on the way is written in another form than ``quat``.
    """
    way, axes = _way(robot, sole), {joint.name: AXES[joint.axis] for joint in robot.joints}
    joints: List[Tuple[str, np.ndarray, np.ndarray]] = []
    place, turn = np.zeros(3), rotations.IDENTITY
    for element in way:
        place = place + rotations.rotate(turn, _place(element, robot))
        turn = rotations.multiply(turn, _fixed_rotation(element, robot))
        for joint in element.findall('joint'):
            name = str(joint.get('name'))
            if name not in axes:
                raise JointsError('robot.yaml', [name], axes)
            joints.append((name, rotations.rotate(turn, axes[name]),
                           place + rotations.rotate(turn, _place(joint, robot))))
    if not joints:
        raise ConfigError(robot.mjcf_path, f'site {sole!r}',
                          f'expected below {robot.base_link!r} at the end of a leg')
    return LegSpec(tuple(name for name, _, _ in joints), tuple(_vector(a) for _, a, _ in joints),
                   tuple(_vector(o) for _, _, o in joints), _vector(place))


def _place(element: ElementTree.Element, robot: RobotSpec) -> np.ndarray:
    return _numbers(element, 'pos', '0 0 0', robot)


def _numbers(element: ElementTree.Element, key: str, usual: str, robot: RobotSpec) -> np.ndarray:
    """Return the numbers of an attribute, as many as the usual ones."""
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


def _way(robot: RobotSpec, name: str) -> List[ElementTree.Element]:
    """Return the elements below the base, down to a body or site; none for an unknown name."""
    def descend(element: ElementTree.Element) -> List[ElementTree.Element]:
        for child in element:
            if child.tag in ('body', 'site', 'frame'):
                below = [] if child.get('name') == name else descend(child)
                if below or child.get('name') == name:
                    return [child, *below]
        return []

    bodies = robot.mjcf_root.iter('body')
    return [element for body in bodies if body.get('name') == robot.base_link
            for element in descend(body)]


def _fixed_rotation(element: ElementTree.Element, robot: RobotSpec) -> np.ndarray:
    """Return how a body, site or frame is turned in what is above it, xyzw."""
    other = [key for key in UNREAD if element.get(key) is not None]
    if other:
        raise ConfigError(robot.mjcf_path, f'{element.tag} {element.get("name")!r}: {other[0]}',
                          "only 'quat' is read on the way to a sensor")
    w, x, y, z = _numbers(element, 'quat', '1 0 0 0', robot)
    return rotations.normalize(np.array([x, y, z, w]))
