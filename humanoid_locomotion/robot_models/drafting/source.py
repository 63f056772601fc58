# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Opens a URDF or MJCF file of unknown origin for the importer, without its meshes."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Set, Tuple
from xml.etree import ElementTree

from humanoid_locomotion.core.errors import SimulationError
from humanoid_locomotion.core.reading.files import read_bytes
from humanoid_locomotion.core.robot import MAX_MODEL_BYTES
from humanoid_locomotion.robot_models import mjcf_reader
from humanoid_locomotion.robot_models.drafting.meshes import SourceModel
from humanoid_locomotion.robot_models.drafting.mjcf_source import read_mjcf
from humanoid_locomotion.robot_models.drafting.questions import Questions
from humanoid_locomotion.robot_models.drafting.urdf_source import read_urdf

INERTIAL = ('inertial', 'mass', 'inertia')
# Elements of URDF all of whose attributes are numbers, but for names.
NUMERIC = ('origin', 'mass', 'inertia', 'axis', 'limit', 'dynamics', 'mimic', 'box', 'sphere',
           'cylinder')
NAMES = ('name', 'joint')
NOT_NEGATIVE = ('armature', 'damping', 'frictionloss', 'stiffness')


def read_source(path: Path, questions: Questions) -> SourceModel:
    """Read a URDF or MJCF.

    Raises:
        SimulationError: It is neither, or a value is not finite.
    """
    root = mjcf_reader.xml_root(path)
    with mjcf_reader.mujoco_errors(path):
        mjcf_reader.check_file(path)
    space, _, kind = root.tag.rpartition('}')
    for element in root.iter() if space else ():  # as of Drake's URDFs
        element.tag = element.tag.replace(f'{space}}}', '')
    if kind not in ('robot', 'mujoco'):
        raise SimulationError(f'{path}: found the root element <{kind}>, expected <robot>, as of '
                              'URDF, or <mujoco>, as of MJCF')
    read = read_urdf if kind == 'robot' else read_mjcf
    if kind == 'robot':
        _check_numbers(root, path)
    else:
        _check_files(root, path, (path.resolve(),), set())
    with mjcf_reader.mujoco_errors(path):
        source = read(root, path, questions)
    source.spec.compiler.fusestatic = False
    missing = [mesh.written for mesh in source.meshes if mesh.path is None]
    if missing:
        names = ', '.join(sorted(set(missing))[:3]) + (' ...' if len(set(missing)) > 3 else '')
        questions.ask('robot.xml', 'meshes that are missing or that MuJoCo cannot read were left '
                      f'out: {names}', f'{len(set(missing))} meshes')
    return source


def _check_files(root: ElementTree.Element, path: Path, chain: Tuple[Path, ...],
                 checked: Set[Path]) -> None:
    """Check an MJCF and the files that it includes or attaches, before MuJoCo opens them.

    Args:
        root: The root element.
        path: The file.
        chain: The files that lead to it, and itself.
        checked: The files that were checked before.

    Raises:
        SimulationError: One is no XML in UTF-8, leads back to itself, or has a value that is not
            finite.
    """
    _check_numbers(root, path)
    try:
        read_bytes(path, MAX_MODEL_BYTES).decode('utf-8')
    except UnicodeDecodeError as error:
        raise SimulationError(f'{path}: is not UTF-8, as MJCF is: save it as UTF-8') from error
    named = [it.get('file') or '' for key in ('include', 'model') for it in root.iter(key)]
    for file in {(above.parent / it).resolve() for it in named if it for above in chain}:
        if file in chain:
            raise SimulationError(f'{path}: includes {file}, which leads back to this file')
        if os.path.lexists(file) and file not in checked:
            checked.add(file)
            _check_files(mjcf_reader.xml_root(file), file, (*chain, file), checked)


def _check_numbers(root: ElementTree.Element, path: Path) -> None:
    """Refuse values that are no numbers, not finite or below 0 where that cannot be."""
    owner = ''
    for element in root.iter():
        if element.tag in ('link', 'joint', 'body') and element.get('name'):
            owner = f'{element.tag} {element.get("name")!r}: '
        for key, text in element.attrib.items():
            if key == 'name' and not text.isprintable():
                raise SimulationError(f'{path}: the name {text[:40]!r} of <{element.tag}> has '
                                      'characters that cannot be printed')
            for word in text.split() if key not in NAMES else ():
                try:
                    found = float(word)
                except ValueError as error:
                    if element.tag not in NUMERIC:
                        break
                    raise SimulationError(f'{path}: {owner}{key} of <{element.tag}> is '
                                          f'{text[:40]!r}, expected numbers') from error
                if math.isnan(found) or (math.isinf(found) and element.tag in INERTIAL):
                    raise SimulationError(f'{path}: {owner}{key} of <{element.tag}> is '
                                          f'{text[:40]!r}, expected a finite number')
                if found < 0.0 and key in NOT_NEGATIVE:
                    raise SimulationError(f'{path}: {owner}{key} of <{element.tag}> is '
                                          f'{text[:40]!r}, expected 0 or more')
