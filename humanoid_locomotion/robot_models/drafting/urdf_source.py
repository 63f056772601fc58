# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads a URDF for the importer: without visual shapes, meshes and links above the base."""

from __future__ import annotations

from pathlib import Path
from typing import List, Tuple
from xml.etree import ElementTree

import mujoco
import numpy as np

from humanoid_locomotion.core.errors import SimulationError
from humanoid_locomotion.robot_models import mjcf_reader
from humanoid_locomotion.robot_models.drafting.meshes import (
    MARKER,
    MeshShape,
    SourceModel,
    mesh_file,
)
from humanoid_locomotion.robot_models.drafting.questions import Questions
from humanoid_locomotion.robot_models.urdf import rotation_of

SIX_DIRECTIONS = ['prismatic'] * 3 + ['revolute'] * 3


def read_urdf(root: ElementTree.Element, path: Path, questions: Questions) -> SourceModel:
    """Read a URDF.

    Raises:
        SimulationError: It is xacro, names links or joints that it lacks, or MuJoCo refuses it.
    """
    if any('xacro' in element.tag for element in root.iter()):
        raise SimulationError(f'{path}: is a xacro file, expected URDF: convert it with xacro '
                              'FILE > robot.urdf')
    speeds = mjcf_reader.urdf_speeds(root)
    _check_links(root, path)
    _remove_empty_roots(root)
    _remove_empty_shapes(root, questions)
    compiler = root.find('mujoco/compiler')
    folder = '' if compiler is None else compiler.get('meshdir', '')
    found: List[Tuple[str, MeshShape, np.ndarray, np.ndarray]] = []
    for link in root.findall('link'):
        for shape in [*link.findall('collision'), *link.findall('visual')]:
            mesh = shape.find('geometry/mesh')
            if mesh is not None:
                text = mesh.get('filename', '')
                site = MARKER.format(len(found))
                scale = tuple(_numbers(mesh.get('scale', '1 1 1'), path))
                origin = shape.find('origin')
                attributes = {} if origin is None else origin.attrib
                found.append((link.get('name', ''), MeshShape(
                    site, text, mesh_file(text, folder, path), scale, shape.tag == 'collision'),
                    _numbers(attributes.get('xyz', '0 0 0'), path),
                    rotation_of(_numbers(attributes.get('rpy', '0 0 0'), path))))
            if mesh is not None or shape.tag == 'visual':
                link.remove(shape)
    for joint in root.iter('joint'):
        follows = joint.find('mimic')
        if follows is not None and joint.get('type') == 'fixed':
            joint.remove(follows)
        for limit in joint.findall('limit') if joint.get('type') == 'spherical' else ():
            joint.remove(limit)  # a ball joint has no range
    for child in list(root):
        if child.tag not in ('link', 'joint'):  # materials, transmissions, settings of simulators
            root.remove(child)
    with mjcf_reader.mujoco_errors(path):
        spec = mujoco.MjSpec.from_string(ElementTree.tostring(root, encoding='unicode'))
    for name, removed, position, rotation in found:
        quaternion = np.zeros(4)
        mujoco.mju_mat2Quat(quaternion, rotation.ravel())
        spec.body(name).add_site(name=removed.site, pos=position, quat=quaternion)
    for body in spec.bodies:  # in URDF, a link without inertial has no mass
        for geom in body.geoms if not body.explicitinertial else ():
            geom.mass = 0.0
    return SourceModel(spec, [it for _, it, _, _ in found], speeds, True)


def _check_links(root: ElementTree.Element, path: Path) -> None:
    links = {link.get('name') for link in root.findall('link')}
    joints = {joint.get('name') for joint in root.findall('joint')}
    for joint in root.findall('joint'):
        follows = joint.find('mimic')
        if follows is not None and follows.get('joint') not in joints:
            raise SimulationError(f'{path}: joint {joint.get("name")!r}: it mimics '
                                  f'{follows.get("joint")!r}, which is no joint of the file')
        for role in ('parent', 'child'):
            element = joint.find(role)
            name = None if element is None else element.get('link')
            if name not in links:
                raise SimulationError(f'{path}: joint {joint.get("name")!r}: its {role} link is '
                                      f'{name!r}, which is no link of the file')


def _remove_empty_roots(root: ElementTree.Element) -> None:
    """Remove links without mass above the base, such as world and base_footprint.

    The joints between them are fixed, or move the base in six directions.
    """
    links = {link.get('name'): link for link in root.findall('link')}
    removed: List[ElementTree.Element] = []
    joints = list(root.findall('joint'))
    moving: List[str] = []
    while True:
        children = {child.get('link') for joint in joints for child in joint.findall('child')}
        tops = [name for name in links if name not in children]
        below = [joint for joint in joints for parent in joint.findall('parent')
                 if tops and parent.get('link') == tops[0]]
        if len(tops) != 1 or len(below) != 1 or _mass(links[tops[0]]) > 0.0:
            break
        removed += [links.pop(tops[0]), *below]
        joints.remove(below[0])
        kind = below[0].get('type', '')
        moving += [] if kind in ('fixed', 'floating') else [kind.replace('continuous', 'revolute')]
        if sorted(moving) in ([], SIX_DIRECTIONS):
            for element in removed:
                root.remove(element)
            removed.clear()


def _mass(link: ElementTree.Element) -> float:
    mass = link.find('inertial/mass')
    try:
        return 0.0 if mass is None else float(mass.get('value', '1'))
    except ValueError:
        return 1.0


def _remove_empty_shapes(root: ElementTree.Element, questions: Questions) -> None:
    """Remove collision shapes of size 0, which touch nothing."""
    for link in root.findall('link'):
        for shape in link.findall('collision'):
            geometry = [it for key in ('box', 'sphere', 'cylinder', 'capsule')
                        for it in shape.findall(f'geometry/{key}')]
            sizes = [word for it in geometry for text in it.attrib.values()
                     for word in text.split()]
            if any(word.strip('0.') == '' for word in sizes):
                link.remove(shape)
                questions.ask('robot.xml', 'collision shapes of size 0, left out', 'no shape',
                              link.get('name', ''))


def _numbers(text: str, path: Path) -> np.ndarray:
    try:
        numbers = np.array([float(word) for word in text.split()])
    except ValueError:
        numbers = np.zeros(0)
    if numbers.shape != (3,):
        raise SimulationError(f'{path}: found {text[:40]!r}, expected three numbers')
    return numbers
