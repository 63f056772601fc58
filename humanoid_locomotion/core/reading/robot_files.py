# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Checks that ``robot.yaml`` and its MJCF describe the same robot."""

from __future__ import annotations

from dataclasses import dataclass
import math
from pathlib import Path
from typing import TYPE_CHECKING, Dict, Iterator, List, Mapping, Optional, Tuple
from xml.etree.ElementTree import Element

from humanoid_locomotion.core.errors import ConfigError

if TYPE_CHECKING:
    from humanoid_locomotion.core.robot import JointSpec, RobotSpec

ROUNDING = 1e-3  # [rad], and relative: both files are written with few digits
FLOOR_BIT = 1  # contype and conaffinity of the floor that simulators add
ELSEWHERE = ('include', 'attach', 'replicate')  # elements whose links are not in the file
NOT_FINITE = {'nan', '-nan', 'inf', '-inf', '+inf', 'infinity', '-infinity'}
Attributes = Mapping[str, str]


@dataclass(frozen=True)
class _Body:
    """A body of the MJCF, with the values of its default classes.

    Attributes:
        way: The names of the bodies from the root down to this one.
        joints: The attributes of its joints; a free joint has the type ``free``.
        geoms: The attributes of its shapes.
        sites: The names of its sites.
    """

    way: Tuple[str, ...]
    joints: List[Attributes]
    geoms: List[Attributes]
    sites: List[str]


def check_model(robot: RobotSpec) -> None:
    """Refuse a robot whose MJCF has other links, joints or limits than its ``robot.yaml``.

    Also refused: parts in other files, numbers that are not finite, and actuators.

    Raises:
        ConfigError: The first mistake, with the file and the key.
    """
    root = robot.mjcf_root
    others = [f'<{tag}>' for tag in ELSEWHERE if root.find(f'.//{tag}') is not None]
    if root.tag != 'mujoco' or others:
        raise ConfigError(robot.mjcf_path, '', 'expected an MJCF <mujoco> in one file without '
                          f'{", ".join(ELSEWHERE)}, as `robot import` writes it, found '
                          f'<{root.tag}>' + f' with {", ".join(others)}' * bool(others))
    for element in root.iter():
        for key, text in element.attrib.items() if element.tag != 'joint' else ():
            if key != 'name' and NOT_FINITE & set(text.lower().split()):
                raise ConfigError(robot.mjcf_path, f'<{element.tag}>: {key}',
                                  f'expected finite numbers, found {text[:60]!r}')
    if root.find('actuator/*') is not None:
        raise ConfigError(robot.mjcf_path, 'actuator', 'expected none, since simulators add one '
                          'for each joint of robot.yaml: remove <actuator>')
    bodies = _bodies(root)
    _check_base(robot, bodies)
    _check_feet(robot, bodies)
    joints = {it.get('name', ''): it for body in bodies.values() for it in body.joints
              if it.get('type', 'hinge') != 'free'}
    _check_joints(robot, bodies, joints)
    for i, foot in enumerate(robot.feet):
        moved = {it.get('name') for name in bodies[foot].way for it in bodies[name].joints}
        if not moved & set(robot.joint_names):
            raise _wrong(robot, f'feet[{i}]', f'no joint of {list(robot.joint_names)} moves '
                         f'{foot!r} in {robot.mjcf}, expected a leg')
    per_radian = _units(root)
    for i, joint in enumerate(robot.joints):
        _check_values(robot, f'joints[{i}]', joint, joints[joint.name], per_radian)


def _check_base(robot: RobotSpec, bodies: Dict[str, _Body]) -> None:
    floating = [name for name, body in bodies.items()
                if any(it.get('type') == 'free' for it in body.joints)]
    if robot.base_link not in bodies:
        raise _wrong(robot, 'base_link', f'{robot.mjcf} has no body {robot.base_link!r}; its '
                     f'bodies are {list(bodies)}')
    if floating != [robot.base_link]:
        raise _wrong(robot, 'base_link', f'expected one free joint in {robot.mjcf}, at '
                     f'{robot.base_link!r}, found {len(floating)}'
                     + f', at {floating}' * bool(floating))


def _check_feet(robot: RobotSpec, bodies: Dict[str, _Body]) -> None:
    places = {site: name for name, body in bodies.items() for site in body.sites}
    for key, names in (('feet', robot.feet), ('soles', robot.soles)):
        if names[0] == names[1]:
            raise _wrong(robot, key, f'expected a left and a right one, found {names[0]!r} twice')
    for i, (foot, sole) in enumerate(zip(robot.feet, robot.soles)):
        if foot not in bodies or robot.base_link not in bodies[foot].way[:-1]:
            raise _wrong(robot, f'feet[{i}]', f'{robot.mjcf} has no body {foot!r} below '
                         f'{robot.base_link!r}; its bodies are {list(bodies)}')
        if sole not in places:
            raise _wrong(robot, f'soles[{i}]', f'{robot.mjcf} has no site {sole!r}; its sites are '
                         f'{list(places)}')
        fixed = [name for name, body in bodies.items()
                 if foot in body.way and not any(
                     bodies[it].joints for it in body.way[body.way.index(foot) + 1:])]
        if places[sole] not in fixed:
            raise _wrong(robot, f'soles[{i}]', f'the site {sole!r} is at {places[sole]!r}, '
                         f'expected at the foot {foot!r}')
        if not any(_may_touch_floor(geom) for name in fixed for geom in bodies[name].geoms):
            raise _wrong(robot, f'feet[{i}]', f'the body {foot!r} has no shape that can touch the '
                         'floor: expected a geom with contype="1" or conaffinity="1"')


def _check_joints(robot: RobotSpec, bodies: Dict[str, _Body],
                  joints: Dict[str, Attributes]) -> None:
    passive = robot.passive_joints or ()
    for key, names in (('joints', robot.joint_names), ('passive_joints', passive)):
        missing = [name for name in names if name not in joints]
        if missing:
            raise _wrong(robot, key, f'{robot.mjcf} has no joints {missing}; its joints are '
                         f'{list(joints)}')
    limp = [name for name in joints if name not in {*robot.joint_names, *passive}]
    if limp:
        raise _wrong(robot, 'joints', f'{robot.mjcf} has the joints {limp}, which are not here '
                     'and would hang limp: expected an entry for each, or its name in '
                     'passive_joints if no motor drives it, or a model without it')
    for name in robot.joint_names:
        kind = joints[name].get('type', 'hinge')
        if kind != 'hinge':
            raise _wrong(robot, 'joints', f'{name!r} is a {kind} joint in {robot.mjcf}, expected '
                         'a hinge')
        way = next(body.way for body in bodies.values() if joints[name] in body.joints)
        if robot.base_link not in way[:-1]:
            raise _wrong(robot, 'joints', f'{name!r} is not below {robot.base_link!r} in the '
                         'model')


def _check_values(robot: RobotSpec, at: str, joint: JointSpec, modelled: Attributes,
                  per_radian: float) -> None:
    def differs(key: str, found: str, expected: str) -> ConfigError:
        return _wrong(robot, f'{at}.{key}', f'{joint.name!r} has {found}, expected {expected} of '
                      + robot.mjcf)

    stops = _pair(robot, modelled, 'range', 'limited')
    if stops is not None:
        low, high = (it / per_radian for it in stops)
        if joint.lower < low - ROUNDING or joint.upper > high + ROUNDING:
            raise differs('lower, upper', f'[{joint.lower:g}, {joint.upper:g}]',
                          f'a range within [{low:g}, {high:g}]')
    forces = _pair(robot, modelled, 'actuatorfrcrange', 'actuatorfrclimited')
    if forces is not None and joint.effort > forces[1] * (1.0 + ROUNDING):
        raise differs('effort', f'{joint.effort:g} Nm', f'at most the {forces[1]:g} Nm')
    (armature,) = _numbers(robot, modelled, 'armature', 1) or (0.0,)
    if armature and not math.isclose(armature, joint.armature, rel_tol=1e-2):
        raise differs('armature', f'{joint.armature:g} kg m^2', f'the {armature:g} kg m^2')


def _pair(robot: RobotSpec, values: Attributes, key: str, switch: str
          ) -> Optional[Tuple[float, ...]]:
    """Return the two limits of a joint in the model's units; None if it has none."""
    limited = values.get(switch, 'auto') != 'false'
    return _numbers(robot, values, key, 2) if limited else None


def _numbers(robot: RobotSpec, values: Attributes, key: str, count: int
             ) -> Optional[Tuple[float, ...]]:
    text = values.get(key)
    if text is None:
        return None
    try:
        found = tuple(float(word) for word in text.split())
    except ValueError:
        found = ()
    if len(found) != count or not all(map(math.isfinite, found)):
        raise ConfigError(robot.mjcf_path, f'joint {values.get("name")!r}: {key}',
                          f'expected {count} finite numbers, found {text[:60]!r}')
    return found


def _may_touch_floor(geom: Attributes) -> bool:
    bits = [geom.get(key, '1') for key in ('contype', 'conaffinity')]
    return any(bit.lstrip('-').isdigit() and int(bit) & FLOOR_BIT for bit in bits)


def _wrong(robot: RobotSpec, key: str, problem: str) -> ConfigError:
    return ConfigError(Path(robot.folder) / 'robot.yaml', key, problem)


def _units(root: Element) -> float:
    """Return the MJCF's unit of angle, per radian."""
    words = [it.get('angle') for it in root.iter('compiler') if it.get('angle')]
    return 1.0 if words and words[-1] == 'radian' else 180.0 / math.pi


def _bodies(root: Element) -> Dict[str, _Body]:
    """Return every body by its name, parents first."""
    defaults: Dict[Tuple[str, str], Attributes] = {}

    def read(element: Element, above: Mapping[str, Attributes], name: str) -> None:
        here = {tag: {**above.get(tag, {}), **_of(element, tag)} for tag in ('joint', 'geom')}
        defaults.update({(name, tag): values for tag, values in here.items()})
        for inner in element.findall('default'):
            read(inner, here, inner.get('class', ''))

    for top in root.findall('default'):
        read(top, {}, top.get('class', 'main'))

    def resolved(element: Element, inherited: str) -> Attributes:
        chosen = element.get('class', inherited)
        return {**defaults.get((chosen, element.tag), {}), **element.attrib}

    found: Dict[str, _Body] = {}

    def descend(above: Element, way: Tuple[str, ...], inherited: str) -> None:
        for element in above:
            chosen = element.get('childclass', inherited)
            if element.tag == 'frame':
                descend(element, way, chosen)
            elif element.tag == 'body':
                here = (*way, element.get('name', f'body {len(found)}'))
                parts = list(_parts(element))
                joints = [resolved(it, chosen) for it in parts if it.tag == 'joint']
                joints += [{'type': 'free'} for it in parts if it.tag == 'freejoint']
                geoms = [resolved(it, chosen) for it in parts if it.tag == 'geom']
                sites = [it.get('name', '') for it in parts if it.tag == 'site']
                found[here[-1]] = _Body(here, joints, geoms, sites)
                descend(element, here, chosen)

    for world in root.findall('worldbody'):
        descend(world, (), 'main')
    return found


def _of(element: Element, tag: str) -> Attributes:
    child = element.find(tag)
    return {} if child is None else child.attrib


def _parts(body: Element) -> Iterator[Element]:
    """Yield what belongs to a body itself; a frame is no body of its own."""
    for element in body:
        if element.tag == 'frame':
            yield from _parts(element)
        else:
            yield element
