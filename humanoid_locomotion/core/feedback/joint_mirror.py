# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pairs of joints that mirror each other through the sagittal plane (y = 0 of the base)."""

from __future__ import annotations

from typing import Dict, List, Sequence, Tuple

import numpy as np

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.feedback.kinematics import JointLine, joint_lines
from humanoid_locomotion.core.robot import RobotSpec

POSITION_TOLERANCE = 0.01  # [m] between a joint's mirrored axis and its twin's
AXIS_TOLERANCE = 0.02      # 1 - |cosine| between a joint's mirrored axis and its twin's
REFLECTION = np.array([1.0, -1.0, 1.0])


def joint_mirror(names: Sequence[str], robot: RobotSpec) -> Tuple[List[int], List[float]]:
    """Return, for each joint of the mirror image, the index of its source and the sign.

    The source of a joint is its twin. Two joints are twins if their axes are mirror images of each
    other in the default pose, or if ``mirrored_joints`` of the robot names them. Where a joint is
    anchored along its axis does not change its motion; of several joints on one axis, those are
    twins whose anchors are nearest. A joint on the sagittal plane is its own twin. The sign
    follows from the two axes.

    Args:
        names: The joints, in the order of the vector to mirror.
        robot: The robot.

    Raises:
        ConfigError: A joint has no twin in the model, or more than one, or its twin is not among
            ``names``.
    """
    lines = joint_lines(robot)
    twins = _twins(names, robot, lines)
    source = [list(names).index(twins[name]) for name in names]
    # A mirrored rotation has the opposite direction about the mirrored axis.
    sign = [1.0 if -(lines[name].axis * REFLECTION) @ lines[twins[name]].axis > 0.0 else -1.0
            for name in names]
    return source, sign


def _twins(names: Sequence[str], robot: RobotSpec,
           lines: Dict[str, JointLine]) -> Dict[str, str]:
    given = dict(robot.mirrored_joints or {})
    given.update({twin: name for name, twin in given.items()})
    twins = {}
    for name in names:
        if name not in lines:
            raise ConfigError(robot.mjcf_path, f'joint {name!r}',
                              f'there is none below {robot.base_link!r}')
        found = [given[name]] if name in given else [
            other for other in _nearest_images(name, names, lines)
            if name in _nearest_images(other, names, lines)]
        if len(found) != 1 or found[0] not in names:
            what = f'fit {found}' if found else 'fits none'
            raise ConfigError(
                f'{robot.folder}/robot.yaml', 'mirrored_joints', f'of the joints {list(names)}, '
                f'{what} the mirror image of {name!r} in the default pose; expected '
                f'{name}: TWIN here, or a default pose that is symmetric')
        twins[name] = found[0]
    return twins


def distance_from_image(line: JointLine, other: JointLine) -> float:
    """Return the distance between the mirror image of a joint's axis and a parallel axis [m]."""
    apart = line.anchor * REFLECTION - other.anchor
    return float(np.linalg.norm(apart - (apart @ other.axis) * other.axis))


def _nearest_images(name: str, names: Sequence[str], lines: Dict[str, JointLine]) -> List[str]:
    line = lines[name]
    apart = {other: np.linalg.norm(line.anchor * REFLECTION - lines[other].anchor)
             for other in names if other in lines
             and abs((line.axis * REFLECTION) @ lines[other].axis) > 1.0 - AXIS_TOLERANCE
             and distance_from_image(line, lines[other]) < POSITION_TOLERANCE
             and (other != name or abs(line.anchor[1]) < POSITION_TOLERANCE)}
    return [other for other in apart if apart[other] < min(apart.values()) + POSITION_TOLERANCE]
