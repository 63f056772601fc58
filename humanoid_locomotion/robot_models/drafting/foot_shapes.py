# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Gives the feet of a robot shapes whose contacts cost little, and sites under their soles."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Optional, Sequence, Tuple

import mujoco
import numpy as np

from humanoid_locomotion.core.errors import SimulationError
from humanoid_locomotion.robot_models.drafting.meshes import MeshShape, mesh_points
from humanoid_locomotion.robot_models.drafting.questions import Questions
from humanoid_locomotion.robot_models.drafting.scene import delete_shape, rigid
from humanoid_locomotion.robot_models.mjcf_reader import matrix

SIDES = ('left', 'right')
# Largest radius of the spheres that replace a foot's box: [m], and as a share of half its width,
# since a foot is as much narrower as they are wide.
SPHERE, SPHERE_SHARE = 0.02, 0.5
SLAB = 0.15  # height of the part of a mesh that its sole is fitted to, of the mesh's height
TILT = 0.8  # [rad] largest angle of a sole in the position of the file
FLAT = 0.003  # [m] unevenness of a sole
SMALLEST, TINY = 0.01, 1e-9  # [m] length and width of a sole that has an area; [m^2]
LEVEL = math.cos(0.01)  # of the angle below which a sole is level but for rounding
LIKELY = 0.7  # share of the resting area from which on a mesh's sole is level
ALIKE = 0.05  # [rad] largest difference of the tilts of two soles
UP = np.array([0.0, 0.0, 1.0])
ROUND = np.array([0.5**0.5, 0.5**0.5, 1.0])  # corners of the square in a cylinder
GEOM = mujoco.mjtGeom
# Extent of a shape along a direction `up`, given in the frame of the shape.
REACH: Dict[Any, Callable[[np.ndarray, np.ndarray], float]] = {
    GEOM.mjGEOM_SPHERE: lambda size, up: size[0],
    GEOM.mjGEOM_CAPSULE: lambda size, up: size[0] + size[1] * abs(up[2]),
    GEOM.mjGEOM_CYLINDER: lambda size, up: (
        size[1] * abs(up[2]) + size[0] * math.sqrt(max(0.0, 1.0 - up[2] ** 2))),
    GEOM.mjGEOM_BOX: lambda size, up: float(size @ np.abs(up)),
    GEOM.mjGEOM_ELLIPSOID: lambda size, up: float(np.linalg.norm(size * up)),
}
SOLID = {'contype': 1, 'conaffinity': 1, 'condim': 3, 'friction': [1.0, 0.005, 0.0001]}
COPIED = ('type', 'size', 'contype', 'conaffinity', 'condim', 'friction', 'solref', 'solimp',
          'margin', 'gap', 'rgba', 'group')


def lift_shapes(spec: Any, data: mujoco.MjData, feet: Sequence[str]) -> None:
    """Move the shapes of links that are welded to a foot, or have no mass, to the link that moves.

    The simulator measures the contacts of one link per foot, and a link with shapes needs a mass.
    """
    for body in list(spec.bodies)[1:]:
        if body.joints or not body.geoms:
            continue
        above = body.parent
        while not above.joints:
            above = above.parent
        if above.name not in feet and body.explicitinertial:
            continue
        place, turn = _relative(data.body(body.name).xpos, data.body(body.name).xmat,
                                data.body(above.name))
        for geom in list(body.geoms):
            values = {key: getattr(geom, key) for key in COPIED}
            values = {key: np.array(value) if isinstance(value, np.ndarray) else value
                      for key, value in values.items()}
            name, position = geom.name, place + turn @ geom.pos
            quaternion = _quaternion(turn @ matrix(geom.quat))
            delete_shape(spec, geom)
            above.add_geom(name=name, pos=position, quat=quaternion, **values)


def fit_to_mesh(spec: Any, geom: Any, model: mujoco.MjModel) -> None:
    """Replace a shape that MuJoCo fits to a mesh by the same shape without the mesh."""
    fitted, body = geom.id, geom.parent
    values = {key: getattr(geom, key) for key in COPIED}
    values.update(name=geom.name, size=model.geom_size[fitted], pos=model.geom_pos[fitted],
                  quat=model.geom_quat[fitted])
    values = {key: np.array(value) if isinstance(value, np.ndarray) else value
              for key, value in values.items()}
    delete_shape(spec, geom)
    body.add_geom(**values)


def _relative(position: Any, rotation: Any, frame: Any) -> Tuple[np.ndarray, np.ndarray]:
    """Return a pose (3,), (3, 3) in the frame of a body."""
    axes = np.asarray(frame.xmat).reshape(3, 3)
    return axes.T @ (position - frame.xpos), axes.T @ np.asarray(rotation).reshape(3, 3)


def _quaternion(turn: np.ndarray) -> np.ndarray:
    quaternion = np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, np.ascontiguousarray(turn).ravel())
    return quaternion


def shape_feet(spec: Any, data: mujoco.MjData, feet: Sequence[str],
               meshes: Mapping[str, MeshShape], is_level: bool, source: Path,
               questions: Questions) -> None:
    """Give every foot shapes whose contacts cost little: spheres in place of a box or a mesh.

    Args:
        spec: The model.
        data: The robot in its default pose.
        feet: Names of the feet.
        meshes: The meshes that were removed, by their sites.
        is_level: Whether the soles are level in this pose.
        source: The file, for messages.
        questions: Where changes are listed.

    Raises:
        SimulationError: A foot has neither a shape nor a readable mesh.
    """
    corners: Dict[str, np.ndarray] = {}
    for name in feet:
        foot = spec.body(name)
        solid = [geom for geom in foot.geoms if geom.type in REACH
                 and (geom.contype or geom.conaffinity)]
        for geom in solid:
            if not (geom.contype | geom.conaffinity) & 1:
                geom.conaffinity |= 1
                questions.ask('robot.xml', 'its shapes do not touch a floor with the bits 1, as '
                              "the simulator's has; conaffinity was changed", name)
            if geom.type == GEOM.mjGEOM_BOX:
                _add_corners(foot, data, geom.pos, matrix(geom.quat), np.asarray(geom.size), geom)
                delete_shape(spec, geom)
        if solid:
            continue
        own = [(site, meshes[site.name]) for body in rigid(foot)
               for site in body.sites if site.name in meshes]
        own = [both for both in own if both[1].collides] or own
        points = [_points(data, site, mesh) for site, mesh in own]
        points = [it for it in points if len(it)]
        if not points:
            lacking = ', '.join(sorted({mesh.written for _, mesh in own})[:2])
            raise SimulationError(
                f'{source}: foot {name!r} has no collision shape'
                + (f', and its mesh {lacking[:200]} is missing or no readable STL, OBJ, MSH or DAE'
                   if lacking else ' and no mesh') + '; give it one, as a box, or give --feet')
        corners[name] = np.concatenate(points)
    normals = [UP if is_level else _mesh_normal(it) for it in corners.values()]
    for name, normal in zip(corners, _mirrored(normals)):
        centre, axes, size = _sole_box(corners[name], normal)
        place, turn = _relative(centre, axes, data.body(name))
        _add_corners(spec.body(name), data, place, turn, size, None)
        questions.ask('robot.xml', f'the foot has no simple collision shape: spheres in the '
                      f'corners of a box of {2 * size[0]:.3f} x {2 * size[1]:.3f} m, fitted to '
                      'the sole of its mesh', name)


def _mirrored(normals: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    """Return the normals of the soles, upward if they are no mirror images of each other."""
    agree = len(normals) == 2 and np.abs(normals[0] * [1.0, -1.0, 1.0] - normals[1]).max() < ALIKE
    return normals if agree else [UP for _ in normals]


def _points(data: mujoco.MjData, site: Any, mesh: MeshShape) -> np.ndarray:
    frame = data.site(site.name)
    return mesh_points(mesh) @ np.asarray(frame.xmat).reshape(3, 3).T + frame.xpos


def _mesh_normal(points: np.ndarray) -> np.ndarray:
    """Return the normal of a mesh's sole, (3,): up unless a tilted sole is clearly larger."""
    normal = sole_normal(points, np.zeros(len(points)))
    return normal if _resting(points, normal) * LIKELY > _resting(points, UP) else UP


def _resting(points: np.ndarray, normal: np.ndarray) -> float:
    """Return length times width of the part of a mesh that a plane touches [m^2]."""
    local = points @ _axes(normal)
    return float(np.prod(np.ptp(local[local[:, 2] < local[:, 2].min() + FLAT, :2], axis=0)))


def _sole_box(points: np.ndarray, normal: np.ndarray
              ) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a box at the lower end of points: its centre, axes (3, 3) and half sizes [m]."""
    axes = _axes(normal)
    local = points @ axes
    low, high = local[:, 2].min(), local[:, 2].max()
    slab = local[local[:, 2] <= low + SLAB * (high - low)]
    near, far = slab.min(0), slab.max(0)
    half = np.maximum(0.5 * (far - near), 0.1 * SPHERE)
    half[2] = min(SPHERE, 0.5 * (high - low))
    centre = 0.5 * (near + far)
    centre[2] = low + half[2]
    return axes @ centre, axes, half


def _axes(normal: np.ndarray) -> np.ndarray:
    """Return the axes (3, 3) of a sole with an upward normal: x forward, y left, z the normal."""
    forward = np.array([1.0, 0.0, 0.0]) - normal[0] * normal
    forward /= np.linalg.norm(forward)
    return np.stack([forward, np.cross(normal, forward), normal], -1)


def _add_corners(foot: Any, data: mujoco.MjData, place: np.ndarray, turn: np.ndarray,
                 size: np.ndarray, like: Optional[Any]) -> None:
    """Add spheres in the four corners of a box that are lowest in the default pose."""
    up = (data.body(foot.name).xmat.reshape(3, 3) @ turn)[2]
    thin = int(np.abs(up).argmax())
    radius = min(SPHERE, size[thin], SPHERE_SHARE * float(np.delete(size, thin).min()))
    values: Dict[str, Any] = SOLID if like is None else {
        key: getattr(like, key) for key in (*SOLID, 'rgba')}
    for signs in itertools.product((-1.0, 1.0), repeat=2):
        corner = np.insert(np.array(signs), thin, -np.sign(up[thin]))
        foot.add_geom(type=GEOM.mjGEOM_SPHERE, size=[radius, 0.0, 0.0],
                      pos=place + turn @ (corner * (size - radius)), **values)


def round_cylinders(spec: Any) -> None:
    """Replace long cylinders by capsules, whose contacts cost less."""
    for geom in spec.geoms:
        if geom.type == GEOM.mjGEOM_CYLINDER and geom.size[1] > geom.size[0]:
            geom.type = GEOM.mjGEOM_CAPSULE
            geom.size = [geom.size[0], geom.size[1] - geom.size[0], 0.0]


def add_soles(spec: Any, model: mujoco.MjModel, data: mujoco.MjData, feet: Sequence[str],
              is_level: bool, questions: Questions) -> None:
    """Add a site under each foot, whose z axis is normal to the plane that the foot rests on.

    ``is_level`` tells whether the soles are level in this pose.
    """
    shapes = [_solid(model, data.body(foot).id) for foot in feet]
    balls = [np.concatenate([_corners(model, data, geom) for geom in own]) for own in shapes]
    normals = [UP if is_level else sole_normal(it[:, :3], it[:, 3]) for it in balls]
    for side, foot, own, normal in zip(SIDES, feet, shapes, _mirrored(normals)):
        body = data.body(foot)
        low = min(_lowest(model, data, geom, normal) for geom in own)
        above = int(model.body_weldid[model.body_parentid[body.id]])
        if any(_lowest(model, data, geom, normal) < low + FLAT for geom in _solid(model, above)):
            toe = model.joint(int(model.body_jntadr[body.id])).name
            questions.ask('feet', f'{model.body(above).name} is as low as {foot}, as a foot is '
                          f'behind its toes: --lock {toe}=0 makes one link of both', foot)
        place, turn = _relative(body.xpos - (normal @ body.xpos - low) * normal,
                                _axes(normal), body)
        there = spec.site(f'{side}_sole')
        if there is not None and there.parent.name != foot:
            spec.delete(there)
            there = None
        if there is None:
            spec.body(foot).add_site(name=f'{side}_sole', pos=place, quat=_quaternion(turn))


def _solid(model: mujoco.MjModel, body: int) -> Sequence[int]:
    """Return the collision shapes of a body."""
    return [geom for geom in range(model.ngeom) if model.geom_bodyid[geom] == body
            and GEOM(model.geom_type[geom]) in REACH
            and (model.geom_contype[geom] or model.geom_conaffinity[geom])]


def sole_normal(points: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Return the upward normal of the plane on which balls rest, (3,).

    The plane touches three balls, the farthest apart of those that have all others above them, or
    else two. It is at most :data:`TILT` from horizontal, which it is for a single ball.

    Args:
        points: Centres of the balls [m], (n, 3).
        radii: Their radii [m], (n,).
    """
    tilts = np.tan(TILT * np.linspace(-1.0, 1.0, 9))
    downward = np.array([(a, b, -1.0) for a in tilts for b in tilts])
    reach = downward @ points.T + np.linalg.norm(downward, axis=1)[:, None] * radii
    lowest = np.unique(np.argmax(reach, axis=1))  # a plane below the others touches these
    points, radii = points[lowest], radii[lowest]
    for count in (3, 2):
        chosen = np.array(list(itertools.combinations(range(len(points)), count)), int)
        if not len(chosen):
            continue
        edges = points[chosen[:, 1:]] - points[chosen[:, :1]]
        across = np.cross(edges[:, 0], edges[:, 1] if count == 3 else np.cross(UP, edges[:, 0]))
        across *= np.where(across[:, 2:] < 0.0, -1.0, 1.0)
        sizes = np.linalg.norm(across, axis=1)
        normals = across / np.maximum(sizes, TINY)[:, None]
        heights = normals @ points.T - radii
        ends = np.take_along_axis(heights, chosen, 1)
        rests = (np.ptp(ends, axis=1) < FLAT) & (heights.min(1) > ends.min(1) - FLAT) & (
            normals[:, 2] > math.cos(TILT)) & (sizes > SMALLEST**2)
        if rests.any():
            normal = np.asarray(normals[np.argmax(sizes * rests)])
            return normal if normal[2] < LEVEL else UP
    return UP


def _corners(model: mujoco.MjModel, data: mujoco.MjData, geom: int) -> np.ndarray:
    """Return balls that have the same lowest points as a shape: centres and radii [m], (n, 4)."""
    size, kind = model.geom_size[geom], GEOM(model.geom_type[geom])
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
    if kind == GEOM.mjGEOM_SPHERE:
        local, radius = np.zeros((1, 3)), size[0]
    elif kind == GEOM.mjGEOM_CAPSULE:
        local, radius = np.array([[0.0, 0.0, size[1]], [0.0, 0.0, -size[1]]]), size[0]
    elif kind == GEOM.mjGEOM_CYLINDER:
        local, radius = signs * [size[0], size[0], size[1]] * ROUND, 0.0
    else:
        local, radius = signs * size * (1.0 if kind == GEOM.mjGEOM_BOX else ROUND[0]), 0.0
    points = data.geom_xpos[geom] + local @ data.geom_xmat[geom].reshape(3, 3).T
    return np.column_stack([points, np.full(len(points), radius)])


def _lowest(model: mujoco.MjModel, data: mujoco.MjData, geom: int, up: np.ndarray) -> float:
    """Return the height of the lowest point of a shape, along a direction [m]."""
    reach = REACH[GEOM(model.geom_type[geom])](
        model.geom_size[geom], up @ data.geom_xmat[geom].reshape(3, 3))
    return float(data.geom_xpos[geom] @ up - reach)
