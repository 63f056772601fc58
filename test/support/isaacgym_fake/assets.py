# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads a URDF as Isaac Gym does, and writes it as MJCF for one environment."""

from __future__ import annotations

import os
from typing import Any, Dict, List
from xml.etree import ElementTree

from isaacgym.structs import (
    DOF_DTYPE,
    AssetOptions,
    Mat33,
    RigidBodyProperties,
    RigidShapeProperties,
    Vec3,
    array,
)
import mujoco
import numpy as np


def numbers(text: Any) -> np.ndarray:
    """Read three numbers; a missing attribute means zeros."""
    return np.array([float(word) for word in (text or '0 0 0').split()])


def pose(element: Any) -> np.ndarray:
    """Give the 4 x 4 matrix of an ``origin``."""
    matrix = np.eye(4)
    origin = element.find('origin')
    if origin is not None:
        roll, pitch, yaw = numbers(origin.get('rpy'))
        for axis, angle in (((0, 0, 1), yaw), ((0, 1, 0), pitch), ((1, 0, 0), roll)):
            quaternion, turn = np.zeros(4), np.zeros(9)
            mujoco.mju_axisAngle2Quat(quaternion, np.array(axis, float), angle)
            mujoco.mju_quat2Mat(turn, quaternion)
            matrix[:3, :3] = matrix[:3, :3] @ turn.reshape(3, 3)
        matrix[:3, 3] = numbers(origin.get('xyz'))
    return matrix


def quaternion_of(matrix: np.ndarray) -> str:
    """Give a rotation as MJCF wants it, w first."""
    quaternion = np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, np.ascontiguousarray(matrix[:3, :3]).ravel())
    return words(quaternion)


def words(values: Any) -> str:
    """Write numbers."""
    return ' '.join(repr(float(value)) for value in values)


class Link:
    """A rigid body: where it hangs, what it weighs, its shapes."""

    def __init__(self, name: str, parent: int, joint: Any, place: np.ndarray):
        self.name, self.parent, self.joint, self.place = name, parent, joint, place
        self.parts: List[Any] = []  # (mass, centre, inertia) in this link's frame
        self.shapes: List[Any] = []  # (kind, size, pose) in this link's frame

    def weight(self) -> RigidBodyProperties:
        """Join the parts that collapsed into one."""
        properties = RigidBodyProperties()
        # The real one makes a mass up for a link that has none.
        parts = self.parts or [(1.0, np.zeros(3), 1e-3 * np.eye(3))]
        mass = sum(part[0] for part in parts)
        centre = sum(part[0] * part[1] for part in parts) / mass
        inertia = np.zeros((3, 3))
        for own, place, tensor in parts:
            arm = place - centre
            inertia += tensor + own * (arm @ arm * np.eye(3) - np.outer(arm, arm))
        properties.mass, properties.com = float(mass), Vec3(*map(float, centre))
        properties.inertia = matrix33(inertia)
        return properties


def matrix33(values: np.ndarray) -> Mat33:
    """Write a matrix."""
    matrix = Mat33()
    matrix.x, matrix.y, matrix.z = (Vec3(*map(float, row)) for row in values)
    return matrix


class Model:
    """Links and joints in Isaac Gym's order: depth first, siblings by their joints' names."""

    def __init__(self, path: str, options: AssetOptions):
        if options.fix_base_link:
            raise NotImplementedError('fake: fix_base_link')
        self.options = options
        root = ElementTree.parse(path).getroot()
        self._links = {link.get('name'): link for link in root.findall('link')}
        self._children: Dict[str, List[Any]] = {name: [] for name in self._links}
        for joint in root.findall('joint'):
            self._children[joint.find('parent').get('link')].append(joint)
        below = {joint.find('child').get('link') for joint in root.findall('joint')}
        (base,) = set(self._links) - below
        self.links: List[Link] = [Link(base, -1, None, np.eye(4))]
        self._read(base, 0, np.eye(4))
        joints = [link.joint for link in self.links[1:]]
        self.dof_names = [joint.get('name') for joint in joints if joint.get('type') != 'fixed']
        self.num_shapes = sum(len(link.shapes) for link in self.links)

    def _read(self, name: str, index: int, place: np.ndarray) -> None:
        """Add a link's weight and shapes to a body, then what hangs on it."""
        link, element = self.links[index], self._links[name]
        inertial = element.find('inertial')
        if inertial is not None:
            frame = place @ pose(inertial)
            figures = inertial.find('inertia').attrib
            tensor = np.array([[float(figures['i' + ''.join(sorted(a + b))]) for b in 'xyz']
                               for a in 'xyz'])
            turn = frame[:3, :3]
            link.parts.append((float(inertial.find('mass').get('value')), frame[:3, 3],
                               turn @ tensor @ turn.T))
        for collision in element.findall('collision'):
            (shape,) = list(collision.find('geometry'))
            link.shapes.append((self._kind(shape), shape, place @ pose(collision)))
        for joint in sorted(self._children[name], key=lambda joint: joint.get('name')):
            child, origin = joint.find('child').get('link'), place @ pose(joint)
            if joint.get('type') == 'fixed' and self.options.collapse_fixed_joints:
                self._read(child, index, origin)
            else:
                self.links.append(Link(child, index, joint, origin))
                self._read(child, len(self.links) - 1, np.eye(4))

    def _kind(self, shape: Any) -> str:
        if shape.tag == 'cylinder' and self.options.replace_cylinder_with_capsule:
            return 'capsule'
        return shape.tag

    def dof_properties(self) -> np.ndarray:
        """Give what the file says of the joints."""
        moving = [link.joint for link in self.links[1:] if link.joint.get('type') != 'fixed']
        table = np.zeros(len(moving), DOF_DTYPE)
        for row, joint in zip(table, moving):
            limit = joint.find('limit').attrib
            row['hasLimits'], row['driveMode'] = True, self.options.default_dof_drive_mode
            for key in ('lower', 'upper', 'velocity', 'effort'):
                row[key] = float(limit[key])
            row['armature'] = self.options.armature
        return table

    def mjcf(self, dofs: np.ndarray, bodies: List[RigidBodyProperties],
             shapes: List[RigidShapeProperties], params: Any, plane: Any,
             mesh: Any = None) -> str:
        """Give the model of one environment; geoms come in the order of the shapes."""
        root = element('mujoco', None)
        element('compiler', root, angle='radian', boundmass='1e-9', boundinertia='1e-12')
        element('option', root, timestep=params.dt / params.substeps,
                gravity=words(array(params.gravity)), integrator='implicitfast')
        world = element('worldbody', root)
        if mesh is not None:
            mesh.write(root, world)
        elif plane is not None:
            element('geom', world, name='floor', type='plane', size='0 0 1', condim='3',
                    friction='0 0.005 0.0001', zaxis=words(array(plane.normal)))
        starts = np.cumsum([0] + [len(link.shapes) for link in self.links])
        rows, made = iter(dofs), [world]  # made[i + 1] is link i, and link -1 is the world
        for i, link in enumerate(self.links):
            body = element('body', made[link.parent + 1], name=link.name,
                           pos=words(link.place[:3, 3]), quat=quaternion_of(link.place),
                           gravcomp=int(self.options.disable_gravity))
            made.append(body)
            if link.joint is None:
                element('freejoint', body)
            elif link.joint.get('type') != 'fixed':
                row = next(rows)
                element('joint', body, name=link.joint.get('name'),
                        axis=link.joint.find('axis').get('xyz'),
                        range='{} {}'.format(row['lower'], row['upper']),
                        limited=str(bool(row['hasLimits'])).lower(), armature=row['armature'],
                        damping=row['damping'], frictionloss=row['friction'])
            own = bodies[i]
            (xx, xy, xz), (_, yy, yz), (_, _, zz) = (
                array(row) for row in (own.inertia.x, own.inertia.y, own.inertia.z))
            element('inertial', body, mass=own.mass, pos=words(array(own.com)),
                    fullinertia=words((xx, yy, zz, xy, xz, yz)))
            for k, (kind, shape, place) in enumerate(link.shapes, starts[i]):
                friction = shapes[k].friction
                if plane is not None:  # PhysX's mean; MuJoCo takes the larger, the floor has none
                    friction = 0.5 * (friction + plane.static_friction)
                element('geom', body, type=kind, size=size(shape), pos=words(place[:3, 3]),
                        quat=quaternion_of(place), condim='3',
                        friction=f'{max(friction, 0.0)} 0.005 0.0001')
        contact = element('contact', root)
        for i, one in enumerate(self.links):
            for j, other in enumerate(self.links[:i]):
                filters = [shapes[a].filter & shapes[b].filter
                           for a in range(starts[i], starts[i + 1])
                           for b in range(starts[j], starts[j + 1])]
                if filters and all(filters):
                    element('exclude', contact, body1=other.name, body2=one.name)
        return ElementTree.tostring(root, encoding='unicode')


class Mesh:
    """A ground over a square grid of points, which MuJoCo holds as a height field."""

    def __init__(self, vertices: np.ndarray, place: np.ndarray):
        x, y = (np.unique(vertices[:, k]) for k in (0, 1))
        if len(x) * len(y) != len(vertices):
            raise NotImplementedError('fake: a mesh that is no grid')
        order = np.lexsort((vertices[:, 0], vertices[:, 1]))
        self.heights = vertices[order, 2].reshape(len(y), len(x)) + place[2]
        self.half = 0.5 * (x[-1] - x[0]), 0.5 * (y[-1] - y[0])
        self.centre = x[0] + self.half[0] + place[0], y[0] + self.half[1] + place[1]

    def write(self, root: Any, world: Any) -> None:
        """Add the height field and its geom; MJCF lists the rows from the farthest y."""
        low = float(self.heights.min())
        rise = max(float(self.heights.max()) - low, 1e-3)
        rows, columns = self.heights.shape
        element('hfield', element('asset', root), name='ground', nrow=rows, ncol=columns,
                size=words((*self.half, rise, 0.5)),
                elevation=words(((self.heights[::-1] - low) / rise).ravel()))
        element('geom', world, name='floor', type='hfield', hfield='ground', condim='3',
                friction='0 0.005 0.0001', pos=words((*self.centre, low)))


def element(tag: str, parent: Any, **attributes: Any) -> Any:
    """Add an element to an XML tree."""
    texts = {name: str(value) for name, value in attributes.items()}
    if parent is None:
        return ElementTree.Element(tag, texts)
    return ElementTree.SubElement(parent, tag, texts)


def size(shape: Any) -> str:
    """Give a shape's sizes as MJCF wants them: halves."""
    if shape.tag == 'sphere':
        return shape.get('radius')
    if shape.tag == 'cylinder':
        return '{} {}'.format(shape.get('radius'), 0.5 * float(shape.get('length')))
    return words(0.5 * numbers(shape.get('size')))


def read(rootpath: str, filename: str, options: AssetOptions) -> Any:
    """Read a file; None where there is none, as the real one does."""
    path = os.path.join(rootpath, filename)
    return Model(path, options) if os.path.isfile(path) else None
