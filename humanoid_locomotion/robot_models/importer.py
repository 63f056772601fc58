# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Drafts a robot folder from a URDF or MJCF, with a list of the values that it lacks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
import json
from pathlib import Path
import re
from typing import Dict, List, Mapping, Optional, Sequence

import mujoco
import numpy as np

from humanoid_locomotion.core.errors import ConfigError, printable
from humanoid_locomotion.robot_models import mjcf_reader
from humanoid_locomotion.robot_models.drafting import feet, foot_shapes, joint_drafts, scene
from humanoid_locomotion.robot_models.drafting.drives import read_drives
from humanoid_locomotion.robot_models.drafting.inertia import check_inertias
from humanoid_locomotion.robot_models.drafting.joint_drafts import JointDraft
from humanoid_locomotion.robot_models.drafting.meshes import MESH, remove_unused_meshes
from humanoid_locomotion.robot_models.drafting.questions import TODO, Question, Questions
from humanoid_locomotion.robot_models.drafting.source import read_source
from humanoid_locomotion.robot_models.drafting.standing_pose import StandingPose, close_loops

PLAIN = re.compile(r'[^\W\d_][\w.-]{0,63}')  # text that needs no quotes in YAML
SOLES = [f'{side}_sole' for side in foot_shapes.SIDES]
CLOSED = 0.005  # [m] or [rad], largest error of a closed loop
WORDS = ('true', 'false', 'yes', 'no', 'on', 'off', 'null', 'y', 'n')  # except these


@dataclass(frozen=True)
class ImportOptions:
    """What a person knows of a robot that its file does not say.

    Attributes:
        pose: Positions of the default pose [rad], by a part of the joints' names; if several
            parts match, the last is used. The other joints take the position in the file.
        armature: Rotor inertias at the joint [kg m^2], by a part of the joints' names; the gains
            are computed from them.
        kp: Position gains [Nm/rad], by a part of the joints' names, instead of those in the file;
            kd follows from them.
        feet: The links of the feet, left first; found in the kinematic tree if empty.
        lock: Positions of joints to fix [rad], by a part of their names.
        drop: Parts of the names of links and joints to leave out, with all that they carry.
        fix_inertia: Whether inertias that cannot exist are corrected.
        guess: Whether drives' values that are missing are guessed.
    """

    pose: Mapping[str, float] = field(default_factory=dict)
    armature: Mapping[str, float] = field(default_factory=dict)
    kp: Mapping[str, float] = field(default_factory=dict)
    feet: Sequence[str] = ()
    lock: Mapping[str, float] = field(default_factory=dict)
    drop: Sequence[str] = ()
    fix_inertia: bool = False
    guess: bool = False


def import_robot(source: Path, folder: Path, name: str,
                 options: ImportOptions = ImportOptions()) -> List[Question]:
    """Write ``robot.yaml`` and ``robot.xml``; return the list of open questions.

    Meshes are removed, but their inertia is kept. A foot's box or mesh is replaced by four spheres
    and a cylinder by a capsule, whose contacts cost less.

    Args:
        source: A URDF or MJCF file.
        folder: The robot folder; created if it does not exist.
        name: Name of the robot.
        options: Values that the file does not have, and what to change.

    Raises:
        SimulationError: MuJoCo cannot read the file, or it is not one robot with two feet.
        ConfigError: The folder has a robot already, or an option does not match the model.
    """
    if (folder / 'robot.yaml').exists():
        raise ConfigError(folder / 'robot.yaml', '', 'exists already; choose another --output')
    if not PLAIN.fullmatch(name) or name.lower() in WORDS:
        raise ConfigError('command line', '--name', f'found {name[:60]!r}, expected letters, '
                          'digits, -, _ and ., the first one a letter')
    draft = _Draft(source, options)
    texts = {'robot.xml': draft.mjcf(), 'robot.yaml': draft.yaml(name)}
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        (folder / file).write_text(text, encoding='utf-8')
    return draft.questions.asked


class _Draft:
    """Converts one model to the files of a robot folder.

    Attributes:
        questions: The open questions.
    """

    def __init__(self, source: Path, options: ImportOptions):
        self.questions = Questions()
        self._source = source
        self._joints: List[JointDraft] = []
        self._passive: List[str] = []
        self._rest: Dict[str, object] = {}
        self._open = 0.0
        read = read_source(source, self.questions)
        self._spec = read.spec
        scene.name_all(self._spec)
        check_inertias(self._spec, source, options.fix_inertia, self.questions)
        original = self._compile()
        self._drives, key = read_drives(original), mjcf_reader.keyframe(original)
        pose = mjcf_reader.by_joint(original, options.pose, '--pose')
        fixed = mjcf_reader.by_joint(original, options.lock, '--lock')
        for option, positions in (('--pose', pose), ('--lock', fixed)):
            mjcf_reader.check_positions(original, positions, option)
        armatures = mjcf_reader.by_joint(original, options.armature, '--armature')
        gains = mjcf_reader.by_joint(original, options.kp, '--kp')
        locked = {**scene.narrow_joints(self._spec, original), **fixed}
        self._keep_inertias(original)
        self._base: str = scene.keep_the_robot(self._spec, source, self.questions).name
        scene.drop(self._spec, self._spec.body(self._base), options.drop, self.questions)
        self._compile()
        self._spec = mujoco.MjSpec.from_string(scene.canonical(self._spec.to_xml()))
        scene.lock(self._spec, {joint: value for joint, value in locked.items()
                                if self._spec.joint(joint) is not None}, self.questions)
        feet.level_base(self._spec.body(self._base), self.questions)
        self._place()  # in the position of the file, in which most robots are symmetric
        base = self._spec.body(self._base)
        self._feet = (feet.asked_feet(self._spec, options.feet) if options.feet else
                      feet.find_feet(base, self._data, source, self.questions))
        self._feet = feet.turn_base(self._spec, self._data, self._base, self._feet, source,
                                    self.questions)
        feet.raise_base(self._spec, self._data, self._base, self._feet, self.questions)
        self._place()
        self._joints = joint_drafts.driven_joints(
            self._spec, self._model, self._drives, {**key, **pose}, source, self.questions)
        self._passive = [self._model.joint(i).name for i in range(self._model.njnt)
                         if self._model.joint(i).name in self._drives.passive]
        self._rest = {joint: value for joint, value in key.items()
                      if joint in self._drives.passive}
        self._place()
        foot_shapes.lift_shapes(self._spec, self._data, self._feet)
        foot_shapes.shape_feet(self._spec, self._data, self._feet,
                               {mesh.site: mesh for mesh in read.meshes}, bool(key or pose),
                               source, self.questions)
        foot_shapes.round_cylinders(self._spec)
        for mesh in read.meshes:
            if self._spec.site(mesh.site) is not None:
                self._spec.delete(self._spec.site(mesh.site))
        self._place()
        foot_shapes.add_soles(self._spec, self._model, self._data, self._feet, bool(key or pose),
                              self.questions)
        self._place()
        feet.check_legs(self._spec.body(self._base), self._data, self._feet, SOLES, source)
        if not options.pose:
            self._stand('the keyframe' if key else '')
        self._own_twins = joint_drafts.own_twins(self._data, self._base, self._joints,
                                                 self.questions)
        standing = self._standing()
        loads, stiffness = standing.loads(), standing.stiffness()
        soles = [self._data.site(sole).xpos[2] for sole in SOLES]
        self._height = float(self._data.body(self._base).xpos[2] - min(soles))
        self._joints = joint_drafts.add_drives(self._joints, self._spec, joint_drafts.DriveSources(
            self._drives, read.speeds, armatures, gains, loads, stiffness, options.guess,
            self._height, float(self._model.body_subtreemass[0])), self.questions)
        if self._passive:
            self._data.qpos[2] = self._height
            self._spec.add_key(name='default', qpos=self._data.qpos)
        if self._open > CLOSED:
            self.questions.ask('default', f'a closed loop is open by {self._open:.3g} m or rad in '
                               'this pose: give one in which it is closed, with --pose', 'open')
        self._ask_about_shapes()

    def mjcf(self) -> str:
        """Return the text of ``robot.xml``."""
        self._compile()
        return str(self._spec.to_xml())

    def yaml(self, name: str) -> str:
        """Return the text of ``robot.yaml``."""
        source, base = printable(self._source.name), _word(self._base)
        lines = [
            f'# Drafted from {" ".join(source.split())}. Check every TODO and guess:',
            *(f'#   {" ".join(str(question).split())}' for question in self.questions.asked),
            f'name: {name}',
            'description: '
            + _word(f'{name}, {len(self._joints)} joints, drafted from {source}.'),
            'mjcf: robot.xml',
            f'base_link: {base}',
            f'base_height: {_text(self._height)}  # [m] of {base}, in the default pose',
            f'feet: [{", ".join(_word(foot) for foot in self._feet)}]',
            'soles: [left_sole, right_sole]  # sites in the MJCF']
        if self._passive:
            lines.append(f'passive_joints: [{", ".join(_word(it) for it in self._passive)}]')
        if self._own_twins:
            pairs = ', '.join(f'{_word(it)}: {_word(it)}' for it in self._own_twins)
            lines.append(f'mirrored_joints: {{{pairs}}}')
        lines.append('joints:  # [rad], [Nm], [rad/s], [kg m^2], [Nm/rad], [Nm s/rad]')
        for joint in self._joints:
            words = [f'{key}: {_word(value) if key == "name" else _text(value)}'
                     for key, value in vars(joint).items()]
            lines += [f'  - {{{", ".join(words[:5])},', f'     {", ".join(words[5:])}}}']
        return '\n'.join(lines) + '\n'

    def _compile(self) -> mujoco.MjModel:
        with mjcf_reader.mujoco_errors(self._source, 'compile'):
            return self._spec.compile()

    def _place(self) -> None:
        """Compile the model, and place it in the default pose."""
        self._model = self._compile()
        self._data = mujoco.MjData(self._model)
        positions = {**self._rest, **{joint.name: joint.default for joint in self._joints}}
        for name, position in positions.items():
            self._data.joint(name).qpos = position
        if self._model.neq:
            driven = [self._model.joint(i).name for i in range(1, self._model.njnt)
                      if self._model.joint(i).name not in self._drives.passive]
            self._open = close_loops(self._model, self._data, driven, bool(self._joints))
        mujoco.mj_forward(self._model, self._data)

    def _standing(self) -> StandingPose:
        return StandingPose(self._model, self._data, self._joints,
                            SOLES, self._feet)

    def _stand(self, given: str) -> None:
        """Derive the default pose, unless the file gives one."""
        found = None if given else self._standing().solve()
        if found:
            self._joints = [replace(joint, default=float(found[joint.name][0]))
                            if joint.name in found else joint for joint in self._joints]
            self._rest.update({name: found[name] for name in self._passive if name in found})
        self._place()
        if found:
            self.questions.ask('default', 'derived: soles flat, centre of mass over the feet, '
                               'knees bent if they can be; --pose gives another', 'derived')
        else:
            self.questions.ask('default', 'the standing pose, with bent knees: --pose, or edit it '
                               'together with base_height', given or 'as in the file')

    def _keep_inertias(self, model: mujoco.MjModel) -> None:
        """Write every body's inertia explicitly, so that shapes can be changed."""
        self._spec.compiler.inertiafromgeom = mujoco.mjtInertiaFromGeom.mjINERTIAFROMGEOM_AUTO
        for body in list(self._spec.bodies)[1:]:
            compiled = model.body(body.name)
            if not body.explicitinertial and compiled.mass[0] > 0.0:
                body.mass, body.explicitinertial = compiled.mass[0], True
                body.ipos, body.iquat, body.inertia = (
                    compiled.ipos, compiled.iquat, compiled.inertia)
            for geom in list(body.geoms):
                if geom.type == MESH:
                    scene.delete_shape(self._spec, geom)
                elif geom.meshname:
                    foot_shapes.fit_to_mesh(self._spec, geom, model)
        remove_unused_meshes(self._spec)

    def _ask_about_shapes(self) -> None:
        touching = int(np.count_nonzero(self._model.geom_contype | self._model.geom_conaffinity))
        self.questions.ask('robot.xml', 'select the shapes that may collide, besides those of the '
                           'feet; see robots/humanoid/robot.xml', f'{touching} shapes')
        scene.exclude_overlaps(self._spec, self._model, self._data, self.questions)


def _word(text: str) -> str:
    """Return a text as a YAML scalar, quoted if necessary."""
    plain = re.fullmatch(r'[A-Za-z_][\w./-]*', text) and text.lower() not in WORDS
    return text if plain else json.dumps(text)


def _text(value: Optional[float]) -> str:
    if value is None:
        return TODO
    text = repr(float(f'{value:.8g}'))
    return text if '.' in text else text.replace('e', '.0e')  # YAML's float has a point
