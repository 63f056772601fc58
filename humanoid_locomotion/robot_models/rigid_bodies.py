# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The links of a URDF as rigid bodies: masses, shapes, and the mass matrix of the robot.

Fixed joints are collapsed, as importers do. Generalized velocities are those of the base link's
origin, linear then angular, in the base frame, followed by the joints'.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Dict, List, NamedTuple, Tuple
from xml.etree import ElementTree

import numpy as np

from humanoid_locomotion.core.reading.files import read_bytes
from humanoid_locomotion.core.reading.parsing import parse_xml
from humanoid_locomotion.core.robot import MAX_MODEL_BYTES, RobotSpec
from humanoid_locomotion.robot_models.urdf import UrdfTree, rotation_of


class Shape(NamedTuple):
    """A collision shape: the convex hull of balls, which all have one radius.

    Attributes:
        link: Index of the link.
        centres: Centres of the balls in the link's frame (num_balls, 3) [m].
        radius: Radius of the balls [m]; 0 for a box, whose balls are its corners.
    """

    link: int
    centres: np.ndarray
    radius: float


class _Joint(NamedTuple):
    parent: int
    offset: np.ndarray
    rotation: np.ndarray
    axis: np.ndarray
    column: int  # in the robot's order


@dataclass(frozen=True)
class RigidBodies:
    """A robot's links, for one or several robots with masses of their own.

    Attributes:
        names: Names of the links, the base first, then depth first.
        masses: (num_robots or 1, num_links) [kg].
        centres: Centres of mass in the links' frames (num_robots or 1, num_links, 3) [m].
        inertias: About the centres of mass, in the links' axes (..., num_links, 3, 3) [kg m^2].
        armature: (num_joints,) [kg m^2].
        damping: (num_joints,) [Nm s/rad], of the joints themselves.
        shapes: The collision shapes; a cylinder is read as a capsule.
    """

    names: Tuple[str, ...]
    masses: np.ndarray
    centres: np.ndarray
    inertias: np.ndarray
    armature: np.ndarray
    damping: np.ndarray
    shapes: Tuple[Shape, ...]
    joints: Tuple[_Joint, ...]  # of the links after the base

    def scaled(self, factors: np.ndarray) -> RigidBodies:
        """Return robots whose masses and inertias are multiplied (num_robots, num_links)."""
        return replace(self, masses=self.masses * factors,
                       inertias=self.inertias * factors[..., None, None])

    def shifted(self, link: int, offset: np.ndarray) -> RigidBodies:
        """Return robots with the centre of mass of one link moved (num_robots, 3) [m]."""
        centres = np.repeat(self.centres, len(offset) // len(self.centres), axis=0)
        centres[:, link] += offset
        return replace(self, centres=centres)

    def poses(self, positions: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Return the links' frames in the base frame.

        Args:
            positions: Joint positions in the robot's order (num_robots, num_joints) [rad].

        Returns:
            Origins (num_robots, num_links, 3) [m], rotations (num_robots, num_links, 3, 3).
        """
        n = len(positions)
        places, turns = [np.zeros((n, 3))], [np.tile(np.eye(3), (n, 1, 1))]
        for joint in self.joints:
            turn, place = turns[joint.parent], places[joint.parent]
            places.append(place + turn @ joint.offset)
            turns.append(turn @ joint.rotation @ _about(joint.axis, positions[:, joint.column]))
        return np.stack(places, 1), np.stack(turns, 1)

    def jacobians(self, positions: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Return the derivatives of the links' motion by the generalized velocities.

        Returns:
            Linear, of the centres of mass, and angular (num_robots, num_links, 3, 6 + num_joints).
        """
        places, turns = self.poses(positions)
        n, links, size = len(positions), len(self.names), 6 + len(self.armature)
        centres = places + np.einsum('nlij,nlj->nli', turns, np.broadcast_to(
            self.centres, (n, links, 3)))
        linear, angular = np.zeros((2, n, links, 3, size))
        linear[..., :3] = angular[..., 3:6] = np.eye(3)
        linear[..., 3:6] = -skew(centres)
        for start in range(1, links):
            link = start
            while link:
                joint = self.joints[link - 1]
                axis = turns[:, link] @ joint.axis
                angular[:, start, :, 6 + joint.column] = axis
                linear[:, start, :, 6 + joint.column] = np.cross(
                    axis, centres[:, start] - places[:, link])
                link = joint.parent
        return linear, angular

    def rotational(self, positions: np.ndarray) -> np.ndarray:
        """Return what each link's inertia adds to the mass matrix (num_robots, num_links, ...)."""
        _, angular = self.jacobians(positions)
        turns = self.poses(positions)[1]
        inertias = turns @ self.inertias @ turns.swapaxes(-1, -2)
        return np.asarray(angular.swapaxes(-1, -2) @ inertias @ angular)

    def mass_matrix(self, positions: np.ndarray) -> np.ndarray:
        """Return the mass matrices (num_robots, 6 + num_joints, 6 + num_joints)."""
        linear, _ = self.jacobians(positions)
        moving = np.einsum('nl,nlik,nlim->nkm', np.broadcast_to(
            self.masses, linear.shape[:2]), linear, linear)
        own = np.diag(np.concatenate((np.zeros(6), self.armature)))
        return np.asarray(moving + self.rotational(positions).sum(1) + own)


def rigid_bodies(robot: RobotSpec) -> RigidBodies:
    """Read the links of a robot's URDF.

    Raises:
        ConfigError: The robot has none, or it cannot be read.
    """
    path = robot.urdf_path
    tree, root = UrdfTree(path), parse_xml(read_bytes(path, MAX_MODEL_BYTES), path)
    below: Dict[str, List[ElementTree.Element]] = {}
    for element in root.findall('joint'):
        if element.get('type') != 'fixed':
            parent = _child(element, 'parent').attrib['link']
            below.setdefault(tree.in_moving_link(parent)[0], []).append(element)
    names, joints = [robot.base_link], []

    def add(link: str) -> None:
        index = names.index(link)
        for element in below.get(link, ()):
            _, place, turn = tree.in_moving_link(_child(element, 'parent').attrib['link'])
            offset, rotation = _pose(element)
            axis = _numbers(_child(element, 'axis').get('xyz'))
            joints.append(_Joint(index, place + turn @ offset, turn @ rotation,
                                 axis / np.linalg.norm(axis),
                                 robot.joint_names.index(element.attrib['name'])))
            names.append(_child(element, 'child').attrib['link'])
            add(names[-1])

    add(robot.base_link)
    masses, moments = np.zeros(len(names)), np.zeros((len(names), 3))
    about_frame, shapes = np.zeros((len(names), 3, 3)), []
    for element in root.findall('link'):
        moving, place, turn = tree.in_moving_link(element.attrib['name'])
        link, inertial = names.index(moving), element.find('inertial')
        if inertial is not None:
            offset, rotation = _pose(inertial)
            mass, centre = float(_child(inertial, 'mass').attrib['value']), place + turn @ offset
            own = turn @ rotation @ _tensor(_child(inertial, 'inertia')) @ (turn @ rotation).T
            masses[link] += mass
            moments[link] += mass * centre
            about_frame[link] += own + mass * skew(centre).T @ skew(centre)
        for collision in element.findall('collision'):
            offset, rotation = _pose(collision)
            centres, radius = _balls(next(iter(_child(collision, 'geometry'))))
            shapes.append(Shape(link, place + (offset + centres @ rotation.T) @ turn.T, radius))
    centres = moments / masses[:, None]
    arms = skew(centres)
    inertias = about_frame - masses[:, None, None] * arms.swapaxes(-1, -2) @ arms
    return RigidBodies(
        tuple(names), masses[None], centres[None], inertias[None],
        np.array([joint.armature for joint in robot.joints]),
        np.array([tree.damping[name] for name in robot.joint_names]), tuple(shapes),
        tuple(joints))


def skew(vectors: np.ndarray) -> np.ndarray:
    """Return the matrices of the cross product with vectors (..., 3)."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    zero = np.zeros_like(x)
    return np.stack([np.stack(row, -1) for row in (
        (zero, -z, y), (z, zero, -x), (-y, x, zero))], -2)


def _about(axis: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Return rotations (n, 3, 3) about an axis by angles (n,) [rad]."""
    matrix = skew(axis)
    sine, cosine = np.sin(angles)[:, None, None], np.cos(angles)[:, None, None]
    return np.asarray(np.eye(3) + sine * matrix + (1.0 - cosine) * matrix @ matrix)


def _child(element: ElementTree.Element, tag: str) -> ElementTree.Element:
    found = element.find(tag)
    return ElementTree.Element(tag, xyz='1 0 0') if found is None else found


def _pose(element: ElementTree.Element) -> Tuple[np.ndarray, np.ndarray]:
    origin = element.find('origin')
    values = {} if origin is None else origin.attrib
    return _numbers(values.get('xyz')), rotation_of(_numbers(values.get('rpy')))


def _numbers(text: object) -> np.ndarray:
    return np.array([float(word) for word in str(text or '0 0 0').split()])


def _tensor(element: ElementTree.Element) -> np.ndarray:
    return np.array([[float(element.attrib['i' + ''.join(sorted(row + column))])
                      for column in 'xyz'] for row in 'xyz'])


def _balls(shape: ElementTree.Element) -> Tuple[np.ndarray, float]:
    """Return centres and radius of the balls of a shape; no balls for a mesh."""
    if shape.tag == 'sphere':
        return np.zeros((1, 3)), float(shape.attrib['radius'])
    if shape.tag in ('cylinder', 'capsule'):
        half = 0.5 * float(shape.attrib['length'])
        return np.array([[0.0, 0.0, half], [0.0, 0.0, -half]]), float(shape.attrib['radius'])
    if shape.tag == 'box':
        return 0.5 * _numbers(shape.get('size')) * np.array(
            [[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]), 0.0
    return np.zeros((0, 3)), 0.0
