# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes a robot's URDF from its MJCF, for Isaac Gym, whose MJCF importer drops too much.

URDF cannot state which shapes of the robot may collide with each other, nor armature, which is in
``robot.yaml``. Shapes that never touch the floor are not written; a capsule is written as the
cylinder between its round ends, which Isaac Gym's option ``replace_cylinder_with_capsule``
converts to a capsule again.
"""

from __future__ import annotations

from typing import Any, Dict, List, Tuple
from xml.etree import ElementTree

import mujoco
import numpy as np

from humanoid_locomotion.core.errors import JointsError, SimulationError
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.robot_models import mjcf_reader

HEADER = (' Written from {} by humanoid-locomotion robot write-urdf; '
          'change that file, then write again. ')


def urdf_of(robot: RobotSpec) -> str:
    """Return the URDF of a robot's MJCF.

    Raises:
        SimulationError: The MJCF does not load, or URDF does not support a joint or shape.
    """
    with mjcf_reader.mujoco_errors(robot.mjcf_path):
        mjcf_reader.check_file(robot.mjcf_path)
        model = mujoco.MjModel.from_xml_path(str(robot.mjcf_path))
    if robot.passive_joints:
        raise SimulationError(f'{robot.mjcf_path}: has the passive joints '
                              f'{list(robot.passive_joints)}, which URDF does not support')
    root = ElementTree.Element('robot', name=robot.name)
    root.append(ElementTree.Comment(HEADER.format(robot.mjcf)))
    joints = {joint.name: joint for joint in robot.joints}
    for body in range(1, model.nbody):
        name = model.body(body).name
        link = _add(root, 'link', name=name)
        _add_inertial(link, model, body)
        for geom in range(model.ngeom):
            if model.geom_bodyid[geom] == body:
                _add_shapes(link, robot, model, geom)
        if model.body_parentid[body]:
            _add_joint(root, robot, model, body, joints)
    for site in (*robot.soles, 'imu'):
        is_there = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_SITE, site) >= 0
        if site in robot.soles and not is_there:
            raise SimulationError(f'{robot.mjcf_path}: has no site {site!r}, a sole of robot.yaml')
        if is_there:
            frame = model.site(site)
            _add(root, 'link', name=site)
            joint = _add(root, 'joint', name=f'{site}_fixed', type='fixed')
            _add(joint, 'parent', link=model.body(frame.bodyid[0]).name)
            _add(joint, 'child', link=site)
            _add_origin(joint, frame.pos, matrix_of(frame.quat))
    _indent(root)
    return ElementTree.tostring(root, encoding='unicode') + '\n'


def _add_inertial(link: ElementTree.Element, model: Any, body: int) -> None:
    turn = matrix_of(model.body_iquat[body])
    tensor = turn @ np.diag(model.body_inertia[body]) @ turn.T
    inertial = _add(link, 'inertial')
    _add_origin(inertial, model.body_ipos[body], np.eye(3))
    _add(inertial, 'mass', value=_words([model.body_mass[body]]))
    _add(inertial, 'inertia', **{
        f'i{a}{b}': _words([tensor['xyz'.index(a), 'xyz'.index(b)]])
        for a, b in ('xx', 'yy', 'zz', 'xy', 'xz', 'yz')})


def _add_shapes(link: ElementTree.Element, robot: RobotSpec, model: Any, geom: int) -> None:
    bits = int(model.geom_contype[geom]), int(model.geom_conaffinity[geom])
    kind = 'collision' if (bits[0] | bits[1]) & 1 else 'visual' if bits == (0, 0) else ''
    if not kind:
        return
    turn, centre = matrix_of(model.geom_quat[geom]), model.geom_pos[geom]
    for tag, size, along in _primitives(robot, model, geom, kind == 'visual'):
        shape = _add(link, kind)
        if kind == 'collision' and model.geom(geom).name:
            shape.set('name', model.geom(geom).name)
        _add_origin(shape, centre + along * turn[:, 2], turn)
        _add(_add(shape, 'geometry'), tag, **size)


def _primitives(robot: RobotSpec, model: Any, geom: int,
                round_ends: bool) -> List[Tuple[str, Dict[str, str], float]]:
    """Return URDF shapes, each with its offset along its z axis [m]."""
    size, shapes = model.geom_size[geom], mujoco.mjtGeom
    kind = model.geom_type[geom]
    radius, length = _words(size[:1]), _words([2.0 * size[1]])
    ball, bar = ('sphere', {'radius': radius}), ('cylinder', {'radius': radius, 'length': length})
    if kind == shapes.mjGEOM_SPHERE:
        return [(*ball, 0.0)]
    if kind == shapes.mjGEOM_BOX:
        return [('box', {'size': _words(2.0 * size)}, 0.0)]
    if kind == shapes.mjGEOM_CYLINDER:
        return [(*bar, 0.0)]
    if kind == shapes.mjGEOM_CAPSULE:
        ends = [(*ball, -size[1]), (*ball, size[1])] if round_ends else []
        return [(*bar, 0.0), *ends]
    raise SimulationError(
        f'{robot.mjcf_path}: geom {model.geom(geom).name or geom} is of type '
        f'{shapes(kind).name[7:].lower()}; URDF supports spheres, boxes, cylinders and capsules')


def _add_joint(root: ElementTree.Element, robot: RobotSpec, model: Any, body: int,
               joints: Dict[str, Any]) -> None:
    count, first = int(model.body_jntnum[body]), int(model.body_jntadr[body])
    name = model.body(body).name
    if count > 1 or (count and (model.jnt_type[first] != mujoco.mjtJoint.mjJNT_HINGE
                                or np.abs(model.jnt_pos[first]).max() > 1e-9)):
        raise SimulationError(f'{robot.mjcf_path}: body {name} must have at most one joint, a '
                              'hinge at its origin, to be written as URDF')
    hinge = model.joint(first) if count else None
    joint = _add(root, 'joint', name=hinge.name if hinge else f'{name}_fixed',
                 type='revolute' if hinge else 'fixed')
    _add(joint, 'parent', link=model.body(model.body_parentid[body]).name)
    _add(joint, 'child', link=name)
    _add_origin(joint, model.body_pos[body], matrix_of(model.body_quat[body]))
    if hinge is None:
        return
    if hinge.name not in joints:
        raise JointsError('robot.yaml', [hinge.name], joints)
    known, dof = joints[hinge.name], hinge.dofadr[0]
    _add(joint, 'axis', xyz=_words(hinge.axis))
    _add(joint, 'limit', lower=_words([known.lower]), upper=_words([known.upper]),
         effort=_words([known.effort]), velocity=_words([known.velocity]))
    _add(joint, 'dynamics', damping=_words([model.dof_damping[dof]]),
         friction=_words([model.dof_frictionloss[dof]]))


def _add(parent: ElementTree.Element, tag: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, tag, attributes)


def _add_origin(element: ElementTree.Element, position: Any, turn: np.ndarray) -> None:
    _add(element, 'origin', xyz=_words(position), rpy=_words(rpy_of(turn)))


def _words(values: Any) -> str:
    return ' '.join(f'{0.0 + np.round(value, 12):.9g}' for value in values)


def matrix_of(quaternion: Any) -> np.ndarray:
    """Return the matrix of MuJoCo's quaternion, w first."""
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, np.asarray(quaternion, np.float64))
    return matrix.reshape(3, 3)


def rpy_of(turn: np.ndarray) -> np.ndarray:
    """Return roll, pitch and yaw [rad] about fixed axes of a rotation matrix."""
    pitch = np.arctan2(-turn[2, 0], np.hypot(turn[2, 1], turn[2, 2]))
    if np.hypot(turn[2, 1], turn[2, 2]) < 1e-9:  # pitch of 90 deg: roll is arbitrary
        return np.array([np.arctan2(-turn[1, 2], turn[1, 1]), pitch, 0.0])
    return np.array([np.arctan2(turn[2, 1], turn[2, 2]), pitch,
                     np.arctan2(turn[1, 0], turn[0, 0])])


def _indent(element: ElementTree.Element, depth: int = 0) -> None:
    """Put every element on its own line; ElementTree.indent needs Python 3.9."""
    space = '\n' + '  ' * (depth + 1)
    if len(element):
        element.text = space
        for child in element:
            _indent(child, depth + 1)
            child.tail = space
        element[-1].tail = space[:-2]
