# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Opens a URDF or MJCF file of unknown origin for the importer, without its meshes."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

from humanoid_locomotion.core.errors import SimulationError
from humanoid_locomotion.robot_models import mjcf_reader
from humanoid_locomotion.robot_models.drafting.meshes import SourceModel
from humanoid_locomotion.robot_models.drafting.mjcf_source import read_mjcf
from humanoid_locomotion.robot_models.drafting.questions import Questions
from humanoid_locomotion.robot_models.drafting.urdf_source import read_urdf

INERTIAL = ('inertial', 'mass', 'inertia')


def read_source(path: Path, questions: Questions) -> SourceModel:
    """Read a URDF or MJCF.

    Raises:
        SimulationError: It is neither, or a value is not finite.
    """
    root = mjcf_reader.xml_root(path)
    with mjcf_reader.mujoco_errors(path):
        mjcf_reader.check_file(path)
    _check_numbers(root, path)
    read = read_urdf if root.tag == 'robot' else read_mjcf
    source = read(root, path, questions)
    source.spec.compiler.fusestatic = False
    missing = [mesh.written for mesh in source.meshes if mesh.path is None]
    if missing:
        names = ', '.join(sorted(set(missing))[:3]) + (' ...' if len(set(missing)) > 3 else '')
        questions.ask('robot.xml', 'meshes that are missing or that MuJoCo cannot read were left '
                      f'out: {names}', f'{len(set(missing))} meshes')
    return source


def _check_numbers(root: ElementTree.Element, path: Path) -> None:
    """Refuse NaN in any attribute, and an infinite mass or inertia."""
    owner = ''
    for element in root.iter():
        if element.tag in ('link', 'joint', 'body') and element.get('name'):
            owner = f'{element.tag} {element.get("name")!r}: '
        for key, text in element.attrib.items():
            for word in text.split() if key != 'name' else ():
                try:
                    found = float(word)
                except ValueError:
                    break
                if math.isnan(found) or (math.isinf(found) and element.tag in INERTIAL):
                    raise SimulationError(f'{path}: {owner}{key} of <{element.tag}> is '
                                          f'{text[:40]!r}, expected a finite number')
