# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Draws a robot from the front and from the side as SVG: shapes, soles, joint axes and pairs."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any, Iterator, List, Mapping, Sequence, Tuple

import mujoco
import numpy as np

HEIGHT, MARGIN = 560.0, 24.0  # of the picture [px]
DIRECTIONS = 40  # corners of an outline
AXIS, MIDDLE = 0.05, 0.01  # length of an axis, share of the robot's height; |y| of the middle [m]
LEFT, RIGHT, NEITHER = '#0072b2', '#d55e00', '#1b7f4d'
GEOM = mujoco.mjtGeom
# Rows of the image's right and up, in the world frame: a robot that faces the reader, and one
# that faces to the right.
VIEWS = {'front': np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
         'right side': np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])}
LEGEND = ('Blue is left, orange right, green the middle: joints with their axes, and the feet. '
          'Grey shapes collide, light ones do not. Grey lines connect links, dotted ones twins; '
          'black bars are the soles, the cross is the centre of mass.')


@dataclass(frozen=True)
class Scene:
    """The robot to draw, with kinematics that are up to date.

    Attributes:
        model: MuJoCo's model.
        data: Its state.
        feet: Names of the foot bodies.
        soles: Names of the sites below them.
        twins: Name of each joint's mirror image; may be empty.
    """

    model: Any
    data: Any
    feet: Sequence[str]
    soles: Sequence[str]
    twins: Mapping[str, str]


def picture(scene: Scene) -> str:
    """Return both views, as HTML."""
    mujoco.mj_forward(scene.model, scene.data)
    outlines = {title: {geom: _outline(scene, geom, rows) for geom in _drawn(scene)}
                for title, rows in VIEWS.items()}
    points = np.concatenate(
        [scene.data.xpos[1:], *(it for view in outlines.values() for it in view.values())])
    low, high = points.min(axis=0), points.max(axis=0)
    return ''.join(_view(scene, title, outlines[title], low, high) for title in VIEWS)


def _drawn(scene: Scene) -> List[int]:
    model = scene.model
    return [geom for geom in range(model.ngeom) if model.geom_bodyid[geom] != 0
            and model.geom_type[geom] not in (GEOM.mjGEOM_PLANE, GEOM.mjGEOM_HFIELD)]


def _view(scene: Scene, title: str, outlines: Mapping[int, np.ndarray], low: np.ndarray,
          high: np.ndarray) -> str:
    rows = VIEWS[title]
    scale = (HEIGHT - 2.0 * MARGIN) / max(float(high[2] - low[2]), 1e-6)
    corner = rows @ np.stack((low, high), axis=1)
    width = scale * float(corner[0, 1] - corner[0, 0]) + 2.0 * MARGIN

    def at(point: np.ndarray) -> Tuple[float, float]:
        across, up = rows @ point
        return (MARGIN + scale * float(across - corner[0, 0]),
                HEIGHT - MARGIN - scale * float(up - corner[1, 0]))

    def line(begin: np.ndarray, end: np.ndarray, style: str) -> str:
        (x1, y1), (x2, y2) = at(begin), at(end)
        return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>'

    parts = [f'<svg role="img" aria-label="{title}" width="{width:.0f}" height="{HEIGHT:.0f}" '
             f'viewBox="0 0 {width:.0f} {HEIGHT:.0f}"><title>{title}</title>']
    parts += [line(scene.data.xpos[parent], scene.data.xpos[body], 'stroke="#bbb"')
              for body, parent in enumerate(scene.model.body_parentid) if parent != 0]
    parts += _shapes(scene, outlines, at)
    parts += _joints(scene, float(high[2] - low[2]) * AXIS, at, line)
    for sole in scene.soles:
        site = scene.data.site(sole)
        reach = 0.5 * AXIS * (high[2] - low[2]) * site.xmat.reshape(3, 3)
        parts += [line(site.xpos - reach[:, i], site.xpos + reach[:, i],
                       'stroke="#000" stroke-width="3"') for i in (0, 1)]
    x, y = at(scene.data.subtree_com[0])
    parts.append(f'<path d="M{x - 7:.1f} {y:.1f}h14M{x:.1f} {y - 7:.1f}v14" stroke="#000" '
                 'stroke-width="2"><title>centre of mass</title></path></svg>')
    return '\n'.join(parts) + '\n'


def _shapes(scene: Scene, outlines: Mapping[int, np.ndarray], at: Any) -> Iterator[str]:
    """Yield the outlines of the shapes; those that collide are above the others."""
    model, feet = scene.model, list(scene.feet)
    collides = (model.geom_contype | model.geom_conaffinity) != 0
    for geom in sorted(outlines, key=lambda it: bool(collides[it])):
        body = model.body(int(model.geom_bodyid[geom])).name
        colour = (LEFT, RIGHT)[feet.index(body)] if body in feet else '#777'
        opacity = 0.45 if collides[geom] else 0.12
        corners = ' '.join(f'{x:.1f},{y:.1f}' for x, y in map(at, outlines[geom]))
        name = escape(f'{body}: {model.geom(geom).name or "shape"}'
                      f'{"" if collides[geom] else ", does not collide"}')
        yield (f'<polygon points="{corners}" fill="{colour}" fill-opacity="{opacity}" '
               f'stroke="{colour}" stroke-opacity="{2.0 * opacity:g}"><title>{name}</title>'
               '</polygon>')


def _joints(scene: Scene, length: float, at: Any, line: Any) -> Iterator[str]:
    model, data = scene.model, scene.data
    for joint in range(model.njnt):
        if model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_FREE:
            continue
        name, anchor = model.joint(joint).name, data.xanchor[joint]
        colour = NEITHER if abs(anchor[1]) < MIDDLE else LEFT if anchor[1] > 0.0 else RIGHT
        twin = scene.twins.get(name, name)
        if twin > name:
            yield line(anchor, data.xanchor[model.joint(twin).id],
                       'stroke="#999" stroke-dasharray="2 4"')
        x, y = at(anchor)
        yield line(anchor, anchor + length * data.xaxis[joint],
                   f'stroke="{colour}" stroke-width="2"')
        yield (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}">'
               f'<title>{escape(name)}</title></circle>')


def _outline(scene: Scene, geom: int, rows: np.ndarray) -> np.ndarray:
    """Return the points of a convex shape that are outermost in a view, (n, 3) in the world."""
    turn = scene.data.geom_xmat[geom].reshape(3, 3)
    angles = np.linspace(0.0, 2.0 * np.pi, DIRECTIONS, endpoint=False)
    directions = np.stack((np.cos(angles), np.sin(angles)), axis=1) @ rows @ turn
    points = np.array([_outermost(scene.model, geom, it) for it in directions])
    outline: np.ndarray = scene.data.geom_xpos[geom] + points @ turn.T
    return outline


def _outermost(model: Any, geom: int, direction: np.ndarray) -> np.ndarray:
    """Return the point of a shape that is outermost in a direction, both in its own frame."""
    kind, size = model.geom_type[geom], model.geom_size[geom]
    if kind == GEOM.mjGEOM_MESH:
        mesh = model.geom_dataid[geom]
        begin = model.mesh_vertadr[mesh]
        vertices = model.mesh_vert[begin:begin + model.mesh_vertnum[mesh]]
        farthest: np.ndarray = vertices[int(np.argmax(vertices @ direction))]
        return farthest
    end = np.array([0.0, 0.0, np.sign(direction[2])])
    if kind == GEOM.mjGEOM_SPHERE:
        return size[0] * direction
    if kind == GEOM.mjGEOM_CAPSULE:
        return size[0] * direction + size[1] * end
    if kind == GEOM.mjGEOM_CYLINDER:
        flat = direction * [1.0, 1.0, 0.0]
        return size[0] * flat / max(float(np.linalg.norm(flat)), 1e-9) + size[1] * end
    if kind == GEOM.mjGEOM_ELLIPSOID:
        scaled = size * direction
        return size * scaled / max(float(np.linalg.norm(scaled)), 1e-9)
    return size * np.sign(direction)
