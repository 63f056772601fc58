# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads the link tree of a URDF, which a simulator's importer does not fully keep."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple
from xml.etree import ElementTree

import numpy as np

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.reading.files import read_bytes
from humanoid_locomotion.core.reading.parsing import parse_xml
from humanoid_locomotion.core.robot import MAX_MODEL_BYTES


class _Joint(NamedTuple):
    parent: str
    fixed: bool
    offset: np.ndarray
    rotation: np.ndarray


class UrdfTree:
    """The links of a URDF file and the joints between them.

    Attributes:
        damping: Passive damping of each joint [Nm s/rad], without that of a controller.

    Raises:
        ConfigError: The file cannot be read, or is not URDF.
    """

    def __init__(self, path: Path):
        self._path = path
        try:
            self._read(parse_xml(read_bytes(path, MAX_MODEL_BYTES), path))
        except ConfigError:
            raise
        except (LookupError, ValueError) as error:
            raise ConfigError(path, '', f'is not a URDF file ({error})') from error

    def _read(self, root: ElementTree.Element) -> None:
        self._links = [link.attrib['name'] for link in root.findall('link')]
        self._joint_of: Dict[str, _Joint] = {}
        self.damping: Dict[str, float] = {}
        for joint in root.findall('joint'):
            dynamics = joint.find('dynamics')
            self.damping[joint.attrib['name']] = (
                0.0 if dynamics is None else float(dynamics.get('damping', 0.0)))
            origin = joint.find('origin')
            attributes = {} if origin is None else origin.attrib
            self._joint_of[_link(joint, 'child')] = _Joint(
                _link(joint, 'parent'), joint.get('type') == 'fixed',
                _numbers(attributes.get('xyz')), rotation_of(_numbers(attributes.get('rpy'))))

    def ancestors(self, link: str) -> List[str]:
        """Return a link and all links between it and the root, without the root.

        Raises:
            ConfigError: There is no such link.
        """
        if link not in self._links:
            raise ConfigError(self._path, link, f'unknown link; the links are {self._links}')
        found = []
        while link in self._joint_of:
            found.append(link)
            link = self._joint_of[link].parent
        return found

    def in_moving_link(self, link: str) -> Tuple[str, np.ndarray, np.ndarray]:
        """Return the moving link that a link is fixed to, and its pose there.

        Returns:
            The next ancestor that moves (or the root), the position (3,) [m] and the rotation
            matrix (3, 3) in its frame.

        Raises:
            ConfigError: There is no such link.
        """
        offset, rotation = np.zeros(3), np.eye(3)
        for name in self.ancestors(link):
            joint = self._joint_of[name]
            if not joint.fixed:
                return name, offset, rotation
            offset = joint.offset + joint.rotation @ offset
            rotation = joint.rotation @ rotation
            link = joint.parent
        return link, offset, rotation


def _link(joint: ElementTree.Element, role: str) -> str:
    element = joint.find(role)
    return '' if element is None else element.attrib['link']


def _numbers(text: object) -> np.ndarray:
    return np.array([float(word) for word in str(text or '0 0 0').split()])


def rotation_of(rpy: np.ndarray) -> np.ndarray:
    """Return the matrix of roll, pitch and yaw [rad] about fixed axes, as in URDF."""
    (sr, sp, sy), (cr, cp, cy) = np.sin(rpy), np.cos(rpy)
    return np.array([
        [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
        [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
        [-sp, cp * sr, cp * cr]])
