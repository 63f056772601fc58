# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Meshes of a model: their files, which may be missing, and their corners."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import re
from typing import Any, Dict, List, Optional, Tuple

import mujoco
import numpy as np

from humanoid_locomotion.robot_models import mjcf_reader

MESH = mujoco.mjtGeom.mjGEOM_MESH
READABLE = ('.stl', '.obj', '.msh')  # mesh formats that MuJoCo reads
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
    """Return the file of a mesh that MuJoCo can read; None if there is none."""
    is_package = text.startswith('package:')
    rest = re.sub(r'^(package|file|model):/*', '/' if text.startswith('file:/') else '', text)
    here = source.resolve().parent
    wanted = [here / rest, here / folder / rest, here / folder / Path(rest).name,
              here.parent / rest]
    if is_package:
        inside = Path(*Path(rest).parts[1:])
        wanted += [it for above in here.parents for it in (above / rest, above / inside)]
        wanted.append(here / inside)
    for file in wanted:
        for ending in (file.suffix, '.stl', '.STL', '.obj'):
            found = file.with_suffix(ending) if file.name else file
            if ending.lower() in READABLE and found.is_file():
                return found
    return None


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
