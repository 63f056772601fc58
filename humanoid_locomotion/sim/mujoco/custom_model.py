# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Replaces a robot's MJCF with a user's own model of the same robot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List
from xml.etree import ElementTree

import mujoco

from humanoid_locomotion.core.errors import JointsError, SimulationError
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.robot_models import mjcf_reader

FREE = mujoco.mjtJoint.mjJNT_FREE


def with_model(robot: RobotSpec, source: Path, folder: Path) -> RobotSpec:
    """Return the robot with another model; gains and efforts remain those of the contract.

    Joints are matched by name, with or without the suffix ``_joint``; base and feet are the bodies
    moved by the same joints, and the soles have the same position in the feet as in the package's
    model. Masses, shapes, damping, friction and limits are taken from the new model. Its floor,
    actuators, sensors and keyframes are removed, since the simulator adds its own.

    Args:
        robot: The robot.
        source: The MJCF file.
        folder: Folder to write the converted model to.

    Raises:
        SimulationError: MuJoCo cannot load the file, or it is not one robot with a floating base.
        JointsError: The model lacks joints of the robot, or has others.
    """
    spec = _load(source)
    ours = _load(robot.mjcf_path)
    _strip(spec)
    _name_joints_alike(spec, robot, source)
    _write_inertias(spec, source)
    base = next((body for body in spec.worldbody.bodies
                 if any(joint.type == FREE for joint in body.joints)), None)
    if base is None or len(spec.worldbody.bodies) != 1:
        raise SimulationError(f'{source}: expected one body with a free joint in the world, found '
                              f'{[body.name for body in spec.worldbody.bodies]}')
    feet = []
    for foot, sole in zip(robot.feet, robot.soles):
        theirs = spec.joint(ours.body(foot).joints[0].name).parent
        feet.append(theirs.name)
        if spec.site(sole) is None:
            site = ours.site(sole)
            theirs.add_site(name=sole, pos=site.pos, quat=site.quat)
    path = folder.resolve() / 'model.xml'
    _compile(spec, source)
    path.write_text(_without_colours(spec.to_xml()), encoding='utf-8')
    return replace(robot, mjcf=str(path), base_link=base.name, feet=(feet[0], feet[1]))


def _load(path: Path) -> Any:
    with mjcf_reader.mujoco_errors(path):
        mjcf_reader.check_file(path)
        spec = mujoco.MjSpec.from_file(str(path))
    # Absolute paths, so that a copy in another folder still finds its meshes.
    spec.meshdir = str((path.resolve().parent / spec.meshdir).resolve())
    return spec


def _compile(spec: Any, source: Path) -> mujoco.MjModel:
    with mjcf_reader.mujoco_errors(source, 'compile'):
        return spec.compile()


def _strip(spec: Any) -> None:
    """Remove the parts that the simulator adds itself."""
    for things in (spec.keys, spec.sensors, spec.actuators, spec.worldbody.geoms, spec.lights,
                   spec.cameras):
        for thing in list(things):
            spec.delete(thing)


def _without_colours(mjcf: str) -> str:
    """Remove materials and references to them; their names may clash with the simulator's own."""
    root = ElementTree.fromstring(mjcf)
    for element in root.iter():
        element.attrib.pop('material', None)
        for child in [it for it in element if it.tag in ('material', 'texture')]:
            element.remove(child)
    return ElementTree.tostring(root, encoding='unicode')


def _name_joints_alike(spec: Any, robot: RobotSpec, source: Path) -> None:
    theirs: Dict[str, Any] = {_bare(joint.name): joint for joint in spec.joints
                              if joint.type != FREE}
    ours = {_bare(name): name for name in robot.joint_names}
    missing = [name for bare, name in ours.items() if bare not in theirs]
    if missing:
        raise JointsError(str(source), missing, [joint.name for joint in theirs.values()])
    others: List[str] = [joint.name for bare, joint in theirs.items() if bare not in ours]
    if others:
        raise SimulationError(f'{source}: robot {robot.name!r} has no joints {others}, which are '
                              'not controlled; remove them, so that their bodies are fixed')
    for bare, name in ours.items():
        theirs[bare].name = name


def _bare(name: str) -> str:
    name = name.lower()
    return name[:-len('_joint')] if name.endswith('_joint') else name


def _write_inertias(spec: Any, source: Path) -> None:
    """Write down what MuJoCo would work out from shapes, for the robot's mass to be read."""
    model = _compile(spec, source)
    spec.compiler.inertiafromgeom = mujoco.mjtInertiaFromGeom.mjINERTIAFROMGEOM_AUTO
    for body in spec.bodies:
        compiled = model.body(body.name)
        if body is not spec.worldbody and compiled.mass[0] > 0.0:
            body.mass, body.explicitinertial = compiled.mass[0], True
            body.ipos, body.iquat, body.inertia = (compiled.ipos, compiled.iquat,
                                                   compiled.inertia)
