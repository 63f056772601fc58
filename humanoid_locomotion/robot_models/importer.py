# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Drafts a robot folder from a URDF or MJCF, with a list of the values that it lacks."""

from __future__ import annotations

from dataclasses import dataclass, replace
import itertools
import json
import math
from pathlib import Path
import re
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

import mujoco
import numpy as np

from humanoid_locomotion.core.errors import ConfigError, SimulationError
from humanoid_locomotion.robot_models import mjcf_reader

TODO = 'TODO'
FREQUENCY, DAMPING_RATIO = 8.0, 1.5  # [Hz], of a joint's armature with its PD gains
SIDES = ('left', 'right')
PLAIN = re.compile(r'[^\W\d_][\w.-]{0,63}')  # text that needs no quotes in YAML
WORDS = ('true', 'false', 'yes', 'no', 'on', 'off', 'null', 'y', 'n')  # except these
SPHERE = 0.02  # [m] largest radius of the spheres that replace a foot's box
GEOM = mujoco.mjtGeom
# Extent of a shape along a direction `up`, given in the frame of the shape.
REACH: Dict[Any, Callable[[np.ndarray, np.ndarray], float]] = {
    GEOM.mjGEOM_SPHERE: lambda size, up: size[0],
    GEOM.mjGEOM_CAPSULE: lambda size, up: size[0] + size[1] * abs(up[2]),
    GEOM.mjGEOM_CYLINDER: lambda size, up: (
        size[1] * abs(up[2]) + size[0] * math.sqrt(max(0.0, 1.0 - up[2] ** 2))),
    GEOM.mjGEOM_BOX: lambda size, up: float(size @ np.abs(up)),
    GEOM.mjGEOM_ELLIPSOID: lambda size, up: float(np.linalg.norm(size * up)),
}


@dataclass(frozen=True)
class Question:
    """A value that the model file does not contain.

    Attributes:
        key: The key in ``robot.yaml``, or the file.
        written: The value in the draft; a robot with ``TODO`` is refused when loaded.
        why: Instruction: the value to determine or check.
        joints: The joints concerned; empty for the robot as a whole.
    """

    key: str
    written: str
    why: str
    joints: Tuple[str, ...] = ()

    def __str__(self) -> str:
        asked = f' ({", ".join(self.joints)})' if self.joints else ''
        return f'{self.key}: {self.why}{asked}'


def import_robot(source: Path, folder: Path, name: str,
                 pose: Optional[Mapping[str, float]] = None,
                 armature: Optional[Mapping[str, float]] = None) -> List[Question]:
    """Write ``robot.yaml`` and ``robot.xml``; return the list of open questions.

    Meshes are removed, but their inertia is kept. A foot's box is replaced by four spheres and a
    cylinder by a capsule, whose contacts cost less.

    Args:
        source: A URDF or MJCF file.
        folder: The robot folder; created if it does not exist.
        name: Name of the robot.
        pose: Positions of the default pose [rad], by a part of the joints' names; if several
            parts match, the last is used. The other joints take the position in the file.
        armature: Rotor inertias at the joint [kg m^2], by a part of the joints' names; the gains
            are computed from them.

    Raises:
        SimulationError: MuJoCo cannot read the file, or it is not one legged robot.
        ConfigError: The folder has a robot already, or a part matches no joint.
    """
    if (folder / 'robot.yaml').exists():
        raise ConfigError(folder / 'robot.yaml', '', 'exists already; choose another --output')
    if not PLAIN.fullmatch(name) or name.lower() in WORDS:
        raise ConfigError('command line', '--name', f'found {name[:60]!r}, expected letters, '
                          'digits, -, _ and ., the first one a letter')
    draft = _Draft(source, pose or {}, armature or {})
    texts = {'robot.xml': draft.mjcf(), 'robot.yaml': draft.yaml(name)}
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        (folder / file).write_text(text, encoding='utf-8')
    return draft.questions


class _Draft:
    """Converts one model to the files of a robot folder.

    Attributes:
        questions: The open questions, in the order of ``robot.yaml``.
    """

    def __init__(self, source: Path, pose: Mapping[str, float], armature: Mapping[str, float]):
        self.questions: List[Question] = []
        self._source = source
        self._speeds = mjcf_reader.urdf_speeds(source)
        with mjcf_reader.mujoco_errors(source):
            self._spec = mujoco.MjSpec.from_file(str(source))
            self._strip()
            model = self._spec.compile()
        self._efforts = mjcf_reader.efforts(model)
        self._pose = {**mjcf_reader.keyframe(model),
                      **mjcf_reader.by_joint(model, pose, '--pose')}
        self._armature = mjcf_reader.by_joint(model, armature, '--armature')
        self._keep_inertias(model)
        self._base = self._find_base()
        self._remove_what_adapters_add()
        self._model = self._compile()
        self._data = mujoco.MjData(self._model)
        self._joints = [self._joint(i) for i in range(self._model.njnt)
                        if self._model.jnt_type[i] != mujoco.mjtJoint.mjJNT_FREE]
        if not self._joints:
            raise SimulationError(f'{source}: expected movable joints, found none')
        mujoco.mj_kinematics(self._model, self._data)
        self._feet = [self._foot(side) for side in SIDES]
        self._ease_contact()
        soles = [self._sole(side, foot) for side, foot in zip(SIDES, self._feet)]
        self._height = max((-sole for sole in soles if sole is not None), default=None)
        self._ask_if(self._height is None, 'base_height', 'no foot has a shape to measure')
        self._ask_if(
            not pose, 'default', 'the standing pose, with bent knees: --pose, or edit it together '
            'with base_height', 'the keyframe' if self._pose else 'as near to zero as possible')
        self._ask_about_shapes()

    def mjcf(self) -> str:
        """Return the text of ``robot.xml``."""
        self._compile()
        return str(self._spec.to_xml())

    def _compile(self) -> mujoco.MjModel:
        with mjcf_reader.mujoco_errors(self._source, 'compile'):
            return self._spec.compile()

    def yaml(self, name: str) -> str:
        """Return the text of ``robot.yaml``."""
        source, base = _word(self._source.name), _word(self._base.name)
        feet = ', '.join(_word(str(foot)) for foot in self._feet)
        lines = [
            f'# Drafted from {source}. Check every TODO and guess:',
            *(f'#   {" ".join(str(question).split())}' for question in self.questions),
            f'name: {name}',
            f'description: {name}, {len(self._joints)} joints, drafted from {source}.',
            'mjcf: robot.xml',
            f'base_link: {base}',
            f'base_height: {_text(self._height)}  # [m] of {base}, in the default pose',
            f'feet: {TODO if None in self._feet else f"[{feet}]"}',
            f'soles: [{", ".join(f"{side}_sole" for side in SIDES)}]  # sites in the MJCF',
            'joints:  # [rad], [Nm], [rad/s], [kg m^2], [Nm/rad], [Nm s/rad]']
        for joint in self._joints:
            words = [f'{key}: {value}' for key, value in joint.items()]
            lines += [f'  - {{{", ".join(words[:5])},', f'     {", ".join(words[5:])}}}']
        return '\n'.join(lines) + '\n'

    # Removal of what a robot folder does not contain.

    def _strip(self) -> None:
        """Remove meshes that the inertia does not need, before MuJoCo opens their files."""
        self._spec.compiler.fusestatic = False
        dropped = False
        for body in self._spec.bodies:
            for geom in list(body.geoms):
                if body is not self._spec.worldbody and not body.explicitinertial:
                    continue
                if geom.type == GEOM.mjGEOM_MESH:
                    dropped = True
                    self._spec.delete(geom)
        if dropped:
            self._drop_assets()

    def _drop_assets(self) -> None:
        used = {geom.meshname for body in self._spec.bodies for geom in body.geoms}
        for mesh in list(self._spec.meshes):
            if mesh.name not in used:
                self._spec.delete(mesh)

    def _keep_inertias(self, model: mujoco.MjModel) -> None:
        """Write every body's inertia explicitly, so that shapes can be changed."""
        self._spec.compiler.inertiafromgeom = mujoco.mjtInertiaFromGeom.mjINERTIAFROMGEOM_AUTO
        for body in self._spec.bodies:
            compiled = model.body(body.name)
            if body.explicitinertial or compiled.mass[0] == 0.0:
                continue
            body.mass, body.explicitinertial = compiled.mass[0], True
            body.ipos, body.iquat, body.inertia = (
                compiled.ipos, compiled.iquat, compiled.inertia)
            for geom in list(body.geoms):
                if geom.type == GEOM.mjGEOM_MESH:
                    self._spec.delete(geom)
        self._drop_assets()

    def _find_base(self) -> Any:
        bodies = [body for body in self._spec.worldbody.bodies if body.bodies or body.joints]
        if len(bodies) != 1:
            raise SimulationError(f'{self._source}: expected one robot, found the bodies '
                                  f'{[body.name for body in bodies]} in the world')
        (base,) = bodies
        free = mujoco.mjtJoint.mjJNT_FREE
        if not any(joint.type == free for joint in base.joints):
            base.add_freejoint(name='root')
        return base

    def _remove_what_adapters_add(self) -> None:
        spec = self._spec
        for things in (spec.keys, spec.sensors, spec.actuators, spec.worldbody.geoms,
                       spec.lights, spec.cameras, spec.textures):
            for thing in list(things):
                spec.delete(thing)
        for material in spec.materials:
            material.textures = [''] * len(material.textures)

    # Values of robot.yaml.

    def _joint(self, i: int) -> Dict[str, str]:
        joint = self._model.joint(i)
        name, qpos = joint.name, int(joint.qposadr[0])
        if joint.type[0] != mujoco.mjtJoint.mjJNT_HINGE:
            raise SimulationError(f'{self._source}: joint {name!r}: expected a hinge')
        limited = bool(self._model.jnt_limited[i])
        lower, upper = joint.range.tolist() if limited else (-math.pi, math.pi)
        self._ask_if(not limited, 'lower, upper', 'the file has no limits', '-pi, pi', name)
        default = float(np.clip(self._pose.get(name, 0.0), lower, upper))
        self._data.qpos[qpos] = default
        effort = self._efforts.get(name)
        self._ask_if(effort is None, 'effort', 'largest torque of the motor', joint=name)
        speed = self._speeds.get(name)
        self._ask_if(speed is None, 'velocity', 'largest speed of the motor', joint=name)
        armature = self._armature.get(name, float(self._model.dof_armature[joint.dofadr[0]]))
        rate = 2.0 * math.pi * FREQUENCY
        self._ask_if(
            armature == 0.0, 'armature, kp, kd',
            f'rotor inertia reflected through the gear; then kp = armature * {rate:.2f}^2 and '
            f'kd = {2.0 * DAMPING_RATIO:g} * armature * {rate:.2f} for {FREQUENCY:g} Hz',
            joint=name)
        known = armature > 0.0
        return {
            'name': _word(name), 'lower': _text(lower), 'upper': _text(upper),
            'default': _text(default), 'effort': _text(effort),
            'velocity': _text(speed), 'armature': _text(armature if known else None),
            'kp': _text(round(armature * rate**2, 3) if known else None),
            'kd': _text(round(2.0 * DAMPING_RATIO * armature * rate, 3) if known else None)}

    def _foot(self, side: str) -> Optional[str]:
        moved = [self._model.body(int(b)).name for b in self._model.jnt_bodyid]
        legs = [name for name in moved if name.lower().startswith(side)]
        # Of links at the same point, such as the two of an ankle, the last is the foot.
        foot = min(reversed(legs), key=lambda name: round(self._data.body(name).xpos[2], 6),
                   default=None)
        self._ask_if(True, 'feet', f'the lowest link whose name starts with {side}', foot or TODO)
        return foot

    def _sole(self, side: str, foot: Optional[str]) -> Optional[float]:
        """Add a site under a foot; return its height relative to the base [m], None if unknown."""
        if foot is None:
            return None
        body, model = self._data.body(foot), self._model
        lows = [self._lowest(geom) for geom in range(model.ngeom)
                if model.geom_bodyid[geom] == body.id]
        height = min((low for low in lows if low is not None), default=None)
        below = np.array([0.0, 0.0, (body.xpos[2] if height is None else height) - body.xpos[2]])
        turn = body.xmat.reshape(3, 3)
        quaternion = np.zeros(4)
        mujoco.mju_negQuat(quaternion, body.xquat)
        if self._spec.site(f'{side}_sole') is None:
            self._spec.body(foot).add_site(
                name=f'{side}_sole', pos=turn.T @ below, quat=quaternion)
        base = self._data.body(self._base.name).xpos[2]
        return None if height is None else float(height - base)

    def _lowest(self, geom: int) -> Optional[float]:
        reach = REACH.get(GEOM(self._model.geom_type[geom]))
        if reach is None:
            return None
        up = self._data.geom_xmat[geom].reshape(3, 3)[2]
        return float(self._data.geom_xpos[geom, 2] - reach(self._model.geom_size[geom], up))

    def _ease_contact(self) -> None:
        """Replace the boxes of the feet and all cylinders by shapes with cheaper contacts."""
        for body in self._spec.bodies:
            for geom in list(body.geoms):
                if geom.type == GEOM.mjGEOM_BOX and body.name in self._feet:
                    self._add_corner_spheres(body, geom)
                    self._spec.delete(geom)
                elif geom.type == GEOM.mjGEOM_CYLINDER and geom.size[1] > geom.size[0]:
                    geom.type = GEOM.mjGEOM_CAPSULE
                    geom.size = [geom.size[0], geom.size[1] - geom.size[0], 0.0]
        pose = self._data.qpos.copy()
        self._model = self._compile()
        self._data = mujoco.MjData(self._model)
        self._data.qpos = pose
        mujoco.mj_forward(self._model, self._data)

    def _add_corner_spheres(self, body: Any, box: Any) -> None:
        """Add spheres in the four corners of a box that are lowest in the default pose."""
        turn = mjcf_reader.matrix(box.quat)
        up = (self._data.body(body.name).xmat.reshape(3, 3) @ turn)[2]
        thin = int(np.abs(up).argmax())
        radius = min(SPHERE, *box.size)
        for signs in itertools.product((-1.0, 1.0), repeat=2):
            corner = np.insert(np.array(signs), thin, -np.sign(up[thin]))
            body.add_geom(
                type=GEOM.mjGEOM_SPHERE, size=[radius, 0.0, 0.0], rgba=box.rgba,
                pos=box.pos + turn @ (corner * (np.asarray(box.size) - radius)),
                contype=box.contype, conaffinity=box.conaffinity, friction=box.friction)

    def _ask_about_shapes(self) -> None:
        touching = int(np.count_nonzero(self._model.geom_contype | self._model.geom_conaffinity))
        self._ask_if(True, 'robot.xml', 'select the shapes that may collide, besides those of the '
                     'feet; see robots/humanoid/robot.xml', f'{touching} shapes')
        pairs = {tuple(self._model.geom_bodyid[contact.geom]) for contact in self._data.contact}
        for pair in sorted(pairs):
            self._ask_if(True, 'robot.xml', 'these touch in the default pose, and push each other '
                         'away', ' and '.join(self._model.body(int(body)).name for body in pair))

    def _ask_if(self, is_open: bool, key: str, why: str, written: str = TODO,
                joint: str = '') -> None:
        """Add a question; equal questions of several joints are merged."""
        if not is_open:
            return
        for i, asked in enumerate(self.questions):
            if joint and (asked.key, asked.why, asked.written) == (key, why, written):
                self.questions[i] = replace(asked, joints=(*asked.joints, joint))
                return
        self.questions.append(Question(key, written, why, (joint,) if joint else ()))


def _word(text: str) -> str:
    """Return a text as a YAML scalar, quoted if necessary."""
    plain = re.fullmatch(r'[A-Za-z_][\w./-]*', text) and text.lower() not in WORDS
    return text if plain else json.dumps(text)


def _text(value: Optional[float]) -> str:
    return TODO if value is None else repr(round(float(value), 6))
