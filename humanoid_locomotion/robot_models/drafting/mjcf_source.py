# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads an MJCF for the importer: without meshes, files of its scene and the floor's contacts."""

from __future__ import annotations

from pathlib import Path
import re
from typing import Any, List, Optional, Set
from xml.etree import ElementTree

import mujoco

from humanoid_locomotion.core.errors import SimulationError
from humanoid_locomotion.robot_models import mjcf_reader
from humanoid_locomotion.robot_models.drafting.meshes import (
    MARKER,
    MESH,
    MeshShape,
    SourceModel,
    mesh_file,
    remove_unused_meshes,
)
from humanoid_locomotion.robot_models.drafting.questions import Questions

GROUND, OWN = 'floor', 'floor_of_robot'  # name of the simulator's ground; of a shape called so
HFIELD = mujoco.mjtGeom.mjGEOM_HFIELD
# Elements of MJCF whose unknown attributes can be removed: physics options, which the simulator
# sets itself. MuJoCo removes such attributes from its format from time to time.
OPTIONS = ('flag', 'option', 'size')
UNKNOWN = re.compile(r"unrecognized attribute: '(\w+)'.*Element '(\w+)'", re.DOTALL)


def read_mjcf(root: ElementTree.Element, path: Path, questions: Questions) -> SourceModel:
    """Read an MJCF.

    Raises:
        SimulationError: MuJoCo cannot read it, or a link has no mass without a missing mesh.
    """
    spec = _mjcf_spec(root, path, questions)
    folder, unweighed, removed = spec.meshdir, [], set()
    _remove_aids(spec, questions)
    meshes: List[MeshShape] = []
    for thing in (*spec.hfields, *spec.skins, *spec.textures):
        spec.delete(thing)
    if spec.material(GROUND) is not None:
        spec.delete(spec.material(GROUND))
    for geom in spec.geoms:
        if geom.name == GROUND and geom.parent is not spec.worldbody:
            for pair in spec.pairs:
                pair.geomname1, pair.geomname2 = (
                    OWN if it == GROUND else it for it in (pair.geomname1, pair.geomname2))
            geom.name = OWN
    for material in spec.materials:
        material.textures = [''] * len(material.textures)
    for geom in spec.geoms:  # those of the world are removed later, with what names them
        if geom.type == HFIELD or (geom.type == MESH and geom.parent is spec.worldbody):
            geom.type, geom.size = mujoco.mjtGeom.mjGEOM_SPHERE, [0.01, 0.0, 0.0]
            geom.meshname = geom.hfieldname = ''
    classes = [spec.find_default(it.get('class', 'main')) for it in root.iter('default')]
    for shape in (*spec.geoms, *spec.sites, *(it.geom for it in classes if it is not None)):
        if spec.material(shape.material) is None:
            shape.material = ''
    paired = {name for pair in spec.pairs for name in (pair.geomname1, pair.geomname2)}
    for body in list(spec.bodies)[1:]:
        for geom in [it for it in body.geoms if it.type == MESH]:
            asset = spec.mesh(geom.meshname)
            file = '' if asset is None else asset.file
            mesh = MeshShape(MARKER.format(len(meshes)), file or geom.meshname,
                             mesh_file(file, folder, path) if file else None,
                             (1.0, 1.0, 1.0) if asset is None else tuple(asset.scale),
                             bool(geom.contype or geom.conaffinity or geom.name in paired))
            site = body.add_site(name=mesh.site, pos=geom.pos, quat=geom.quat)
            site.alt = geom.alt
            if geom.frame is not None:
                site.set_frame(geom.frame)
            meshes.append(mesh)
            if not body.explicitinertial and mesh.path is not None:
                asset.file = str(mesh.path)
                continue  # the inertia of the link is that of its shapes
            if not body.explicitinertial:
                unweighed.append(body.name)
                if body.joints:
                    raise SimulationError(f'{path}: link {body.name!r} has no inertial, and its '
                                          f'mesh {mesh.written!r} is missing, so that its mass '
                                          'is not known')
            removed.add(geom.name)
            spec.delete(geom)
    if unweighed:
        questions.ask('robot.xml', 'their meshes are missing, so that their mass is taken as 0: '
                      + ', '.join(sorted(set(unweighed))), '0 kg')
    remove_unused_meshes(spec)
    _free_from_floor(spec, removed - {''}, questions)
    return SourceModel(spec, meshes, {}, False)


def _remove_aids(spec: Any, questions: Questions) -> None:
    """Remove aids of a simulator, and inertias that the file tells MuJoCo to ignore."""
    from_shapes = spec.compiler.inertiafromgeom == mujoco.mjtInertiaFromGeom.mjINERTIAFROMGEOM_TRUE
    for body in list(spec.bodies)[1:]:
        if from_shapes and body.geoms:
            body.explicitinertial = False
        if body.gravcomp:
            questions.ask('robot.xml', 'gravity acts on it in full; the compensation of the file '
                          'was left out', f'gravcomp {body.gravcomp:g}', body.name)
            body.gravcomp = 0.0
    for equality in list(spec.equalities):
        names = {equality.name1, equality.name2}
        if equality.objtype == mujoco.mjtObj.mjOBJ_SITE:
            ends = {site.parent.name for site in spec.sites if site.name in names}
        else:
            ends = names if equality.objtype == mujoco.mjtObj.mjOBJ_BODY else set()
        if not equality.active or ends & {'', 'world'}:
            questions.ask('robot.xml', 'an equality constraint that is not active, or holds the '
                          'robot in the world, was left out', ' '.join(sorted(names - {''})))
            spec.delete(equality)


def _free_from_floor(spec: Any, removed: Set[str], questions: Questions) -> None:
    """Let shapes that touch a floor by a contact pair touch it by their own bits.

    The simulator has its own floor; the one of the scene may be in another file.
    """
    own = {geom.name for body in list(spec.bodies)[1:] for geom in body.geoms}
    for pair in list(spec.pairs):
        names = {pair.geomname1, pair.geomname2}
        if names <= own:
            continue
        for name in names & own if not names & removed else ():
            spec.geom(name).conaffinity |= 1
            questions.ask('robot.xml', 'contact pairs with the floor became contacts of the '
                          'shapes, since the simulator has its own floor', 'contact pairs', name)
        spec.delete(pair)
    links = {body.name for body in list(spec.bodies)[1:]}
    for exclude in list(spec.excludes):
        if not {exclude.bodyname1, exclude.bodyname2} <= links:
            spec.delete(exclude)


def _mjcf_spec(root: ElementTree.Element, path: Path, questions: Questions) -> Any:
    """Read an MJCF, again without each option that this version of MuJoCo does not know."""
    text: Optional[str] = None
    while True:
        try:
            if text is None:
                return mujoco.MjSpec.from_file(str(path))
            spec = mujoco.MjSpec.from_string(text)
            spec.modelfiledir = str(path.resolve().parent)
            return spec
        except (ValueError, OSError, mujoco.FatalError) as error:
            said = UNKNOWN.search(str(error))
            found = said and [it for it in root.iter(said[2]) if it.attrib.pop(said[1], None)]
            if not said or said[2] not in OPTIONS or not found:
                with mjcf_reader.mujoco_errors(path):
                    raise
            questions.ask('robot.xml', f'MuJoCo {mujoco.__version__} does not know this option, '
                          'which was left out', f'{said[2]} {said[1]}')
            text = ElementTree.tostring(root, encoding='unicode')
