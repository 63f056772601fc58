# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Finds the feet of a robot in its kinematic tree."""

from __future__ import annotations

import itertools
from pathlib import Path
import re
from typing import Any, Sequence, Set, Tuple

import mujoco
import numpy as np

from humanoid_locomotion.core.errors import ConfigError, SimulationError
from humanoid_locomotion.robot_models.drafting.questions import Questions
from humanoid_locomotion.robot_models.drafting.scene import below

SYMMETRY = 0.05  # largest difference between two sides that mirror each other, of the leg length
LEVEL = 0.1  # height above the lowest end links, of the robot's, below which others are feet too
NEAR_GROUND = 0.5  # distance of a base below the hips, of the hips' height, above which it is low
SIDE = re.compile('left|right|(?<![a-z])[lr](?![a-z])')  # in the name of a link
NO_FOOT = re.compile('hand|wrist|finger|thumb|palm|gripper|elbow|forearm|wheel|caster')


def find_feet(base: Any, data: mujoco.MjData, source: Path,
              questions: Questions) -> Tuple[str, str]:
    """Return the two lowest end links that mirror each other, left first.

    An end link moves and carries no other link that moves. The sides are those of the base, whose
    x axis is forward and whose y axis is left.

    Raises:
        SimulationError: There are no such links, or more than two.
    """
    place = data.body(base.name).xpos
    ends = {body.name: np.asarray(data.body(body.name).xpos) - place for body in below(base)
            if body is not base and body.joints
            and not any(it.joints for child in body.bodies for it in below(child))}
    pairs = sorted((0.5 * (one[2] + other[2]), left, right)
                   for (left, one), (right, other) in itertools.permutations(ends.items(), 2)
                   if one[1] > 0.0 and _are_mirrored(one, other))
    if not pairs:
        raise SimulationError(
            f'{source}: found no two end links that mirror each other as left and right feet do, '
            f'with x forward and y left; the end links are {sorted(ends)[:12]}: give --feet '
            'LEFT,RIGHT')
    low, left, right = pairs[0]
    if NO_FOOT.search(left.lower()):
        raise SimulationError(f'{source}: the lowest end links that mirror each other are '
                              f'{left!r} and {right!r}, whose names are those of hands or '
                              'wheels, expected feet; give --feet LEFT,RIGHT')
    near = low + LEVEL * (max(data.body(body.name).xpos[2] for body in below(base))
                          - place[2] - low)
    again = [names for height, *names in pairs[1:]
             if height < near and not {left, right} & set(names)]
    if again:
        raise SimulationError(f'{source}: expected two feet, found {left!r}, {right!r}, '
                              f'{again[0][0]!r} and {again[0][1]!r} at one height')
    questions.ask('feet', 'the two lowest end links that mirror each other', f'{left}, {right}')
    return left, right


def check_sides(feet: Sequence[str], data: mujoco.MjData, source: Path) -> None:
    """Refuse a robot that does not look along the x axis of its base.

    Raises:
        SimulationError: The left foot is on the right side, or is called so.
    """
    left, right = feet
    sides = [next(iter(SIDE.findall(name.lower())), '')[:1] for name in feet]
    if data.body(left).xpos[1] < data.body(right).xpos[1] or sides == ['r', 'l']:
        raise SimulationError(f'{source}: the foot on the side of positive y is '
                              f'{(left if sides == ["r", "l"] else right)!r}, expected the left '
                              'one: the base must have x forward and y left (REP-103); turn the '
                              'frame of its link in the file')


def _chain(base: Any, name: str) -> Set[str]:
    """Return the names of the links with a joint from below the base to a link."""
    return {body.name for body in below(base) if body is not base and body.joints
            and any(it.name == name for it in below(body))}


def _are_mirrored(one: np.ndarray, other: np.ndarray) -> bool:
    gap = np.abs(one - other * np.array([1.0, -1.0, 1.0])).max()
    return bool(gap < SYMMETRY * max(0.1, -one[2]) and one[1] - other[1] > gap)


def asked_feet(spec: Any, names: Sequence[str]) -> Tuple[str, str]:
    """Return the links that move of two links, left first.

    Raises:
        ConfigError: They are not two links of the model that move separately.
    """
    links = [body.name for body in list(spec.bodies)[1:]]
    found = []
    for name in names:
        if name not in links:
            raise ConfigError('command line', '--feet', f'no link is called {name!r}; the links '
                              f'are {links}')
        body = spec.body(name)
        while not body.joints and body.parent is not spec.worldbody:
            body = body.parent
        found.append(body.name)
    if len(set(found)) != 2:
        raise ConfigError('command line', '--feet', f'expected two links that move separately, '
                          f'LEFT,RIGHT, found {list(names)}')
    return found[0], found[1]


def raise_base(spec: Any, data: mujoco.MjData, base: str, feet: Sequence[str],
               questions: Questions) -> bool:
    """Move the frame of a base that lies near the ground to the height of the hips.

    Returns:
        Whether it was moved, so that the model has to be compiled again.
    """
    link = spec.body(base)
    hips = [next(body for body in below(link) if body.name in _chain(link, foot))
            for foot in feet]
    soles = min(data.body(foot).xpos[2] for foot in feet)
    rise = float(np.mean([data.body(hip.name).xpos[2] for hip in hips])) - data.body(base).xpos[2]
    if rise < NEAR_GROUND * (rise + data.body(base).xpos[2] - soles):
        return False
    for thing in (*link.bodies, *link.geoms, *link.sites, *link.frames):
        if thing.frame is None:
            thing.pos = thing.pos - np.array([0.0, 0.0, rise])
    link.ipos = link.ipos - np.array([0.0, 0.0, rise])
    questions.ask('base_link', 'its frame lies near the ground in the file, and was moved up to '
                  'the height of the hips', f'{rise:.3f} m', base)
    return True
