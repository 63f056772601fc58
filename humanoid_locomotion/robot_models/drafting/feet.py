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
from humanoid_locomotion.robot_models.mjcf_reader import matrix

SYMMETRY = 0.05  # largest difference between two sides that mirror each other, of the leg length
LEVEL = 0.1  # height above the lowest end links, of the robot's, below which others are feet too
NEAR_GROUND = 0.5  # distance of a base below the hips, of the hips' height, above which it is low
STEEP = 0.3  # least height of a hip over its foot, of their distance
SHORTEST, LONGEST = 0.02, 5.0  # [m] of a leg
UPRIGHT = 0.999  # cosine between the z axes of an upright base and the world
UNTURNED, BACKWARD = np.array([1.0, 0.0, 0.0, 0.0]), np.array([0.0, 0.0, 0.0, 1.0])
SIDE = re.compile('left|right|(?<![a-z])[lr](?![a-z])')  # in the name of a link
AXES_SWAPPED = [1, 0, 2]
SIDEWAYS = ('the feet are beside each other along x, expected along y, with x forward and z up: '
            'turn all that is in the frame of the base by 90 degrees about z')
NO_FOOT = re.compile('hand|wrist|finger|thumb|palm|gripper|elbow|forearm|wheel|caster|spur|gear')


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
    if not pairs and any(_are_mirrored(one[AXES_SWAPPED], other[AXES_SWAPPED])
                         for one, other in itertools.permutations(ends.values(), 2)):
        raise SimulationError(f'{source}: {SIDEWAYS}')
    if not pairs:
        raise SimulationError(
            f'{source}: found no two end links that mirror each other as left and right feet do, '
            f'with x forward and y left; the end links are {sorted(ends)[:12]}: give --feet '
            'LEFT,RIGHT')
    near = pairs[0][0] + LEVEL * (max(data.body(body.name).xpos[2] for body in below(base))
                                  - place[2] - pairs[0][0])
    legs = _chain(base, pairs[0][1]), _chain(base, pairs[0][2])
    low = [names for height, *names in pairs if height <= near]
    branches = [names for names in low if all(
        _chain(base, name) & leg for name, leg in zip(names, legs))]  # foot and rods of one leg
    left, right = max(branches, key=lambda names: sum(
        body.mass for body in below(base) if body.name in names))
    if NO_FOOT.search(left.lower()):
        raise SimulationError(f'{source}: the lowest end links that mirror each other are '
                              f'{left!r} and {right!r}, whose names are those of hands, '
                              'gears or wheels, expected feet; give --feet LEFT,RIGHT')
    again = sorted(name for name, place in ends.items() if place[2] <= near and not any(
        _chain(base, name) & leg for leg in legs))
    if again:
        raise SimulationError(f'{source}: expected two feet, found '
                              f'{", ".join(map(repr, (left, right, *again)))} at one height')
    questions.ask('feet', 'the two lowest end links that mirror each other', f'{left}, {right}')
    return left, right


def turn_base(spec: Any, data: mujoco.MjData, base: str, feet: Sequence[str], source: Path,
              questions: Questions) -> Tuple[str, str]:
    """Turn the frame of a base that looks backward, so that x is forward and y left.

    Returns:
        The feet, left first.

    Raises:
        SimulationError: The names of the feet contradict their order.
    """
    left, right = feet
    sides = [next(iter(SIDE.findall(name.lower())), '')[:1] for name in feet]
    apart = np.abs(data.body(left).xpos - data.body(right).xpos)
    if apart[1] < apart[0]:
        raise SimulationError(f'{source}: {SIDEWAYS}')
    is_left = data.body(left).xpos[1] > data.body(right).xpos[1]
    if is_left and sides != ['r', 'l']:
        return left, right
    if not is_left and sides == ['r', 'l']:
        raise SimulationError(f'{source}: found {left!r} as the left foot and {right!r} as the '
                              'right one, expected the left foot first: give --feet '
                              f'{right},{left}')
    move_frame(spec.body(base), np.zeros(3), BACKWARD)
    questions.ask('base_link', 'its x axis points backward in the file, so that its frame was '
                  'turned about z: state its orientation in this frame', '180 deg', base)
    return (right, left) if is_left else (left, right)


def level_base(link: Any, questions: Questions) -> None:
    """Make the frame of a base upright, and let the robot look along the x axis of the world."""
    if matrix(link.quat)[2, 2] < UPRIGHT:
        move_frame(link, np.zeros(3), link.quat)
        questions.ask('base_link', 'its frame is tilted in the file, and was made parallel to the '
                      "world's: state its orientation in this frame", 'upright', link.name)
    link.quat = UNTURNED


def move_frame(link: Any, shift: np.ndarray, turn: np.ndarray) -> None:
    """Move all that is in the frame of a link, by a turn (4,) and then a shift (3,) [m]."""
    rotation = matrix(turn)
    for thing in (*link.bodies, *link.geoms, *link.sites):
        thing.pos, thing.quat = rotation @ thing.pos + shift, _product(turn, thing.quat)
    link.ipos, link.iquat = rotation @ link.ipos + shift, _product(turn, link.iquat)


def _product(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    product = np.zeros(4)
    mujoco.mju_mulQuat(product, one, np.asarray(other))
    return product


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
    if len(set(found)) != 2 or any(len({it.name for it in below(spec.body(foot))} & set(found)) > 1
                                   for foot in found):
        raise ConfigError('command line', '--feet', f'expected two links that move separately, '
                          f'LEFT,RIGHT, found {list(names)}')
    return found[0], found[1]


def raise_base(spec: Any, data: mujoco.MjData, base: str, feet: Sequence[str],
               questions: Questions) -> None:
    """Move the frame of a base that lies near the ground to the height of the hips."""
    link = spec.body(base)
    hips = [_hip(link, foot) for foot in feet]
    soles = min(data.body(foot).xpos[2] for foot in feet)
    rise = float(np.mean([data.body(hip).xpos[2] for hip in hips])) - data.body(base).xpos[2]
    if rise >= NEAR_GROUND * (rise + data.body(base).xpos[2] - soles):
        move_frame(link, np.array([0.0, 0.0, -rise]), UNTURNED)
        questions.ask('base_link', 'its frame lies near the ground in the file, and was moved up '
                      'to the height of the hips', f'{rise:.3f} m', base)


def check_legs(base: Any, data: mujoco.MjData, feet: Sequence[str], soles: Sequence[str],
               source: Path) -> None:
    """Check that a robot stands on legs of a robot's size.

    Raises:
        SimulationError: It does not.
    """
    for foot, sole in zip(feet, soles):
        leg = data.body(_hip(base, foot)).xpos - data.site(sole).xpos
        found = f'{source}: found the sole of {foot!r} {leg[2]:.3g} m below the hip'
        if leg[2] < STEEP * np.linalg.norm(leg):
            raise SimulationError(f'{found} and {np.linalg.norm(leg):.3g} m from it, expected a '
                                  'robot that stands upright, with z up')
        if not SHORTEST < leg[2] < LONGEST:
            raise SimulationError(f'{found}, expected {SHORTEST} to {LONGEST} m, the unit of '
                                  'length')


def _hip(base: Any, foot: str) -> str:
    """Return the name of the first link of a leg."""
    return next(str(body.name) for body in below(base) if body.name in _chain(base, foot))
