# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reduces a model to one robot: without its scene, dropped links and locked joints."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, Sequence
from xml.etree import ElementTree

import mujoco
import numpy as np

from humanoid_locomotion.core.errors import ConfigError, SimulationError
from humanoid_locomotion.robot_models.drafting.questions import Questions
from humanoid_locomotion.robot_models.mjcf_reader import matrix

JOINT = mujoco.mjtJoint
EQUALITY = mujoco.mjtEq
NARROW = 1e-4  # [rad], [m] width of a range of a joint that cannot move
DRAWN = ('width', 'material', 'rgba')  # attributes that a tendon without a path lacks
Attributes = Dict[str, Dict[str, str]]  # by the tag of the element


def below(body: Any) -> Iterator[Any]:
    """Yield a body and all bodies below it."""
    yield body
    for child in body.bodies:
        yield from below(child)


def rigid(body: Any) -> Iterator[Any]:
    """Yield a body and those welded to it."""
    yield body
    for child in body.bodies:
        if not child.joints:
            yield from rigid(child)


def name_all(spec: Any) -> None:
    """Give names to the bodies and joints that have none."""
    for i, body in enumerate(list(spec.bodies)[1:]):
        body.name = body.name or f'link_{i}'
        for k, joint in enumerate(body.joints):
            joint.name = joint.name or f'{body.name}_joint' + (f'_{k}' if k else '')


def keep_the_robot(spec: Any, source: Path, questions: Questions) -> Any:
    """Remove all but the robot, and what a simulator adds; return the base, with a free joint.

    Raises:
        SimulationError: There is not one robot, or its base cannot float.
    """
    for things in (spec.keys, spec.sensors, spec.actuators, spec.worldbody.geoms,
                   spec.worldbody.sites, spec.lights, spec.cameras):
        for thing in list(things):
            spec.delete(thing)
    bodies = list(spec.worldbody.bodies)
    robots = [body for body in bodies if sum(
        bool(link.joints) for link in below(body) if link is not body) > 1]
    if len(robots) != 1:
        raise SimulationError(f'{source}: expected one robot whose base carries all its limbs, '
                              f'found {[body.name for body in robots or bodies]} in the world')
    (base,) = robots
    others = [body for body in bodies if body is not base]
    if others:
        questions.ask('robot.xml', 'not part of the robot, left out: '
                      + ', '.join(body.name for body in others[:9]), f'{len(others)} bodies')
    for body in others:
        spec.delete(body)
    _float(spec, base, source, questions)
    return base


def _float(spec: Any, base: Any, source: Path, questions: Questions) -> None:
    kinds = sorted(joint.type.name[6:].lower() for joint in base.joints)
    if kinds in (['ball', 'slide', 'slide', 'slide'], ['hinge'] * 3 + ['slide'] * 3):
        questions.ask('robot.xml', 'they move the base in six directions, and became one free '
                      'joint', ', '.join(joint.name for joint in base.joints))
        for joint in list(base.joints):
            spec.delete(joint)
    elif kinds not in ([], ['free']):
        raise SimulationError(
            f'{source}: the base {base.name!r} moves by {len(kinds)} joints '
            f'({", ".join(f"{it.name}: {it.type.name[6:].lower()}" for it in base.joints)}), '
            'expected a free joint or none')
    if not base.joints:
        base.add_freejoint(name='root')


def canonical(mjcf: str) -> str:
    """Return MJCF as MuJoCo writes it, without physics options, default classes and frames.

    The simulator sets its own options, and the actuators that it adds would take the defaults.
    """
    root = ElementTree.fromstring(mjcf)
    classes: Dict[str, Attributes] = {'main': {}}
    for element in root.findall('default'):
        _read_classes(element, {}, classes)
    for element in root.findall('default') + root.findall('option') + root.findall('statistic'):
        root.remove(element)
    for element in root:
        _write_defaults(element, 'main', classes)
    for element in root.findall('worldbody'):
        _remove_frames(element)
    return ElementTree.tostring(root, encoding='unicode')


def _read_classes(element: ElementTree.Element, inherited: Attributes,
                  classes: Dict[str, Attributes]) -> None:
    """Read a default class and those in it: the attributes of each kind of element."""
    own = {**inherited, **{it.tag: {**inherited.get(it.tag, {}), **it.attrib}
                           for it in element if it.tag != 'default'}}
    classes[element.get('class', 'main')] = own
    for child in element.findall('default'):
        _read_classes(child, own, classes)


def _write_defaults(element: ElementTree.Element, inherited: str,
                    classes: Dict[str, Attributes]) -> None:
    """Write the attributes of default classes at the elements below one."""
    for child in element:
        name = child.attrib.pop('class', inherited)
        kind = element.tag if element.tag in ('equality', 'tendon') else child.tag
        for key, value in classes[name].get(kind, {}).items():
            if child.tag != 'fixed' or key not in DRAWN:
                child.attrib.setdefault(key, value)
        if element.tag != 'tendon':  # the children of a tendon refer to other elements
            _write_defaults(child, child.attrib.pop('childclass', inherited), classes)


def _remove_frames(element: ElementTree.Element) -> None:
    """Replace each frame below an element by its content, in the frame around it."""
    for child in list(element):
        _remove_frames(child)
        if child.tag != 'frame':
            continue
        place, turn = _numbers(child, 'pos', '0 0 0'), _numbers(child, 'quat', '1 0 0 0')
        for inner in child:
            if inner.tag == 'freejoint' or inner.get('type') == 'free':
                continue  # it moves the link, which is in the frame, too
            _write(inner, 'pos', place + matrix(turn) @ _numbers(inner, 'pos', '0 0 0'))
            if inner.tag == 'joint':
                _write(inner, 'axis', matrix(turn) @ _numbers(inner, 'axis', '0 0 1'))
            else:
                both = np.zeros(4)
                mujoco.mju_mulQuat(both, turn, _numbers(inner, 'quat', '1 0 0 0'))
                _write(inner, 'quat', both)
        at = list(element).index(child)
        element[at:at + 1] = list(child)


def _numbers(element: ElementTree.Element, key: str, default: str) -> np.ndarray:
    return np.array([float(word) for word in element.get(key, default).split()])


def _write(element: ElementTree.Element, key: str, numbers: np.ndarray) -> None:
    element.set(key, ' '.join(f'{number:.12g}' for number in numbers))


def delete_shape(spec: Any, geom: Any) -> None:
    """Delete a shape and the contact pairs that name it."""
    for pair in list(spec.pairs) if geom.name else ():
        if geom.name in (pair.geomname1, pair.geomname2):
            spec.delete(pair)
    spec.delete(geom)


def drop(spec: Any, base: Any, parts: Sequence[str], questions: Questions) -> None:
    """Remove links, by a part of their names or of those of their joints, with all below them.

    Raises:
        ConfigError: A part matches no link or joint.
    """
    for part in parts:
        found = [body for body in below(base) if body is not base and (
            part in body.name or any(part in joint.name for joint in body.joints))]
        if not found:
            raise ConfigError('command line', '--drop', 'no link or joint name contains '
                              f'{part!r}; the links are {[body.name for body in below(base)]}')
        gone = {body.name for top in found for body in below(top)}
        mass = sum(body.mass for body in below(base) if body.name in gone)
        questions.ask('robot.xml', f'dropped with {mass:.3g} kg: ' + ', '.join(sorted(gone)),
                      f'--drop {part}')
        for name in gone:
            body = spec.body(name)
            if body is not None:
                spec.delete(body)


def narrow_joints(spec: Any, model: mujoco.MjModel) -> Dict[str, float]:
    """Return the positions of joints whose range is empty but for rounding, and free them."""
    found = {}
    for i in range(model.njnt):
        lower, upper = model.jnt_range[i]
        if model.jnt_limited[i] and upper - lower < NARROW:
            name = model.joint(i).name
            found[name] = float(lower + upper) / 2.0
            spec.joint(name).range, spec.joint(name).limited = [0.0, 0.0], 0
    return found


def lock(spec: Any, values: Mapping[str, float], questions: Questions) -> None:
    """Fix joints at positions [rad], with the joints that follow them.

    Args:
        spec: The model, with every orientation written as quaternion.
        values: Position of each joint to fix.
        questions: Where they are listed.
    """
    fixed = dict(values)
    for equality in list(spec.equalities):
        if equality.type == EQUALITY.mjEQ_JOINT and {equality.name1, equality.name2} & set(fixed):
            if equality.name2 in fixed and equality.name1 not in fixed:
                fixed[equality.name1] = follow(equality.data, fixed[equality.name2])
            spec.delete(equality)
    for name, value in fixed.items():
        joint = spec.joint(name)
        body, anchor = joint.parent, np.asarray(joint.pos)
        axis, turn = np.asarray(joint.axis) / np.linalg.norm(joint.axis), np.zeros(4)
        old = matrix(body.quat)
        if joint.type == JOINT.mjJNT_SLIDE:
            body.pos = body.pos + old @ (axis * (value - joint.ref))
        elif joint.type == JOINT.mjJNT_HINGE:
            mujoco.mju_axisAngle2Quat(turn, axis, value - joint.ref)
            body.pos = body.pos + old @ (anchor - matrix(turn) @ anchor)
            both = np.zeros(4)
            mujoco.mju_mulQuat(both, body.quat, turn)
            body.quat = both
        questions.ask('robot.xml', 'fixed there, by --lock or by its range', f'{value:g}', name)
        for tendon in list(spec.tendons):
            if any(getattr(wrap.target, 'name', '') == name for wrap in tendon.path):
                spec.delete(tendon)
        spec.delete(joint)


def follow(data: Sequence[float], position: float) -> float:
    """Return the position of a joint that follows another, whose position is given."""
    return float(sum(data[i] * position**i for i in range(5)))


def exclude_overlaps(spec: Any, model: mujoco.MjModel, data: mujoco.MjData,
                     questions: Questions) -> None:
    """Exclude the contacts of links that overlap in the default pose."""
    pairs = {tuple(model.geom_bodyid[contact.geom]) for contact in data.contact}
    for pair in sorted(pairs):
        one, other = (model.body(int(body)).name for body in pair)
        spec.add_exclude(bodyname1=one, bodyname2=other)
        questions.ask('robot.xml', 'these overlap in the default pose, so that their contact was '
                      'excluded; they no longer stop each other', f'{one} and {other}')
