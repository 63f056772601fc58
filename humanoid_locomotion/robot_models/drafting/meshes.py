# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Meshes of a model: their files, which may be missing, and their corners."""

from __future__ import annotations

from dataclasses import dataclass
import math
import os
from pathlib import Path
import re
from typing import Any, Dict, List, Optional, Tuple
from xml.etree import ElementTree

import mujoco
import numpy as np

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.reading.files import read_bytes
from humanoid_locomotion.core.reading.parsing import parse_xml
from humanoid_locomotion.core.robot import MAX_MODEL_BYTES
from humanoid_locomotion.robot_models import mjcf_reader

MESH = mujoco.mjtGeom.mjGEOM_MESH
READABLE = ('.stl', '.obj', '.msh')  # mesh formats that MuJoCo reads
COLLADA = '.dae'  # read here, for its corners only
MARKER = 'mesh_of_shape_{}'  # name of the site that marks the pose of a removed mesh


@dataclass(frozen=True)
class MeshShape:
    """A mesh that was removed from the model; a site has its pose.

    Attributes:
        site: Name of the site, in the link of the mesh.
        written: The file's name in the model.
        path: The file; None if there is none that MuJoCo reads.
        scale: Factors along x, y and z.
        collides: Whether it is a collision shape.
    """

    site: str
    written: str
    path: Optional[Path]
    scale: Tuple[float, ...]
    collides: bool


@dataclass(frozen=True)
class SourceModel:
    """A model as read from its file.

    Attributes:
        spec: The model, in which only the meshes are left that its inertia needs.
        meshes: The meshes that were removed.
        speeds: The joints' speed limits in a URDF [rad/s], as written; MuJoCo does not read them.
        is_urdf: Whether the file is a URDF.
    """

    spec: Any
    meshes: List[MeshShape]
    speeds: Dict[str, float]
    is_urdf: bool


def mesh_file(text: str, folder: str, source: Path) -> Optional[Path]:
    """Return the file of a mesh that can be read; None if there is none."""
    is_package = text.startswith(('package:', 'model:'))
    text = text.replace('\\', '/')  # as of Windows
    rest = re.sub(r'^((package|file|model):/*|\$\(find [^)]*\)/*)',
                  '/' if text.startswith('file:/') else '', text)
    here = source.resolve().parent
    wanted = [here / rest, here / folder / rest, here / folder / Path(rest).name,
              here.parent / rest]
    if is_package:
        inside = Path(*Path(rest).parts[1:])
        wanted += [it for above in here.parents for it in (above / rest, above / inside)]
        wanted.append(here / inside)
    for file in wanted:
        for ending in (file.suffix, '.stl', '.obj') if file.name else ():
            found = _in_any_case(file.with_suffix(ending))
            if ending.lower() in READABLE and found:
                return found
        if file.suffix.lower() == COLLADA:
            found = _in_any_case(file)
            if found:
                return found
    return None


def _in_any_case(file: Path) -> Optional[Path]:
    """Return a file, or one beside it whose path differs in upper and lower case; or None."""
    if os.path.isfile(file):
        return file
    folder = file.parent
    if not os.path.isdir(folder):
        folder = next((it for it in _entries(folder.parent)
                       if it.name.lower() == folder.name.lower()), folder)
    return next((it for it in _entries(folder) if it.name.lower() == file.name.lower()
                 and os.path.isfile(it)), None)


def _entries(folder: Path) -> List[Path]:
    return sorted(folder.iterdir()) if os.path.isdir(folder) else []


def remove_unused_meshes(spec: Any) -> None:
    """Remove the meshes that no shape uses any more."""
    used = {geom.meshname for body in spec.bodies for geom in body.geoms}
    for mesh in list(spec.meshes):
        if mesh.name not in used:
            spec.delete(mesh)


def mesh_points(mesh: MeshShape) -> np.ndarray:
    """Return the corners of a mesh in the frame of its site [m], (n, 3); empty if unreadable."""
    if mesh.path is None:
        return np.zeros((0, 3))
    if mesh.path.suffix.lower() == COLLADA:
        return collada_points(mesh.path) * np.array(mesh.scale)
    spec = mujoco.MjSpec()
    spec.add_mesh(name='m', file=str(mesh.path), scale=mesh.scale,
                  inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL)
    spec.worldbody.add_geom(type=MESH, meshname='m')
    try:
        model = spec.compile()
    except (ValueError, OSError, mujoco.FatalError):
        return np.zeros((0, 3))
    turn = mjcf_reader.matrix(model.geom_quat[0])
    return np.asarray(model.mesh_vert, np.float64) @ turn.T + model.geom_pos[0]


def collada_points(path: Path) -> np.ndarray:
    """Return the corners of a COLLADA mesh [m], (n, 3); empty if it cannot be read.

    ``up_axis`` is ignored, as RViz does: the axes of the file are those of the link.
    """
    found: List[np.ndarray] = []

    def walk(node: ElementTree.Element, place: np.ndarray) -> None:
        for child in node:
            kind, words = child.tag.rpartition('}')[2], (child.text or '').split()
            if kind in ('matrix', 'translate', 'rotate', 'scale'):
                place = place @ _transform(kind, np.array([float(word) for word in words]))
            elif kind == 'node':
                walk(child, place)
            elif kind == 'instance_geometry':
                corners = geometries[child.get('url', '')[1:]]
                found.append(corners @ place[:3, :3].T + place[:3, 3])

    try:
        root = parse_xml(read_bytes(path, MAX_MODEL_BYTES), path)
        geometries = {it.get('id', ''): _positions(it) for it in root.iter()
                      if _is(it, 'geometry')}
        unit = next((it.get('meter', '1') for it in root.iter() if _is(it, 'unit')), '1')
        for scene in root.iter():
            if _is(scene, 'visual_scene'):
                walk(scene, np.eye(4))
        return float(unit) * np.concatenate(found)
    except (ConfigError, LookupError, ValueError, StopIteration):
        return np.zeros((0, 3))


def _is(element: ElementTree.Element, kind: str) -> bool:
    return element.tag.rpartition('}')[2] == kind


def _positions(geometry: ElementTree.Element) -> np.ndarray:
    """Return the corners of a geometry of COLLADA, (n, 3)."""
    source = next(it.get('source', '')[1:] for it in geometry.iter()
                  if _is(it, 'input') and it.get('semantic') == 'POSITION')
    of_source = next(it for it in geometry.iter() if it.get('id') == source)
    numbers = next(it for it in of_source.iter() if _is(it, 'float_array'))
    return np.array([float(word) for word in (numbers.text or '').split()]).reshape(-1, 3)


def _transform(kind: str, numbers: np.ndarray) -> np.ndarray:
    """Return the matrix (4, 4) of a transformation of COLLADA."""
    if kind == 'matrix':
        return numbers.reshape(4, 4)
    matrix = np.eye(4)
    if kind == 'translate':
        matrix[:3, 3] = numbers
    elif kind == 'scale':
        matrix[:3, :3] = np.diag(numbers)
    else:
        half = math.radians(numbers[3]) / 2.0
        matrix[:3, :3] = mjcf_reader.matrix(
            np.array([math.cos(half), *(math.sin(half) * numbers[:3])]))
    return matrix
