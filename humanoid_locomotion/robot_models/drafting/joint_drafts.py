# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Drafts the joints of ``robot.yaml``."""

from __future__ import annotations

from dataclasses import dataclass, replace
import math
from typing import Any, List, Mapping, Optional, Sequence

import mujoco
import numpy as np

from humanoid_locomotion.core.errors import SimulationError
from humanoid_locomotion.core.feedback.joint_mirror import POSITION_TOLERANCE, REFLECTION
from humanoid_locomotion.core.robot import GRAVITY
from humanoid_locomotion.robot_models.drafting.drives import DAMPING_RATIO, FREQUENCY, RATE, Drives
from humanoid_locomotion.robot_models.drafting.feet import SIDE
from humanoid_locomotion.robot_models.drafting.questions import TODO, Questions
from humanoid_locomotion.robot_models.mjcf_reader import ROUNDING

HINGE = mujoco.mjtJoint.mjJNT_HINGE
GUESSED = 'guessed'
WEAK = 0.2  # share of the largest torque that kp gives at 1 rad, below which kp is asked for
PITCH = 0.98  # least y component of the axis of a pitch joint
TWIN_GAP = 0.05  # [m] largest distance of a twin from the mirrored place
HELD = 0.67  # share of the gain that holds the default pose, with which it just does
# Guesses, in terms of the robot's weight and leg length, so that they scale with its size.
EFFORT_SHARE = 0.4  # of the torque that lifts the whole robot at a lever of one leg length
SPEED = 3.0  # [rad/s] times sqrt(gravity / leg length)
PLACEHOLDER = 25.0  # times these guesses: above it, the file has a placeholder
WIDEST = 4.0 * math.pi  # [rad] range of a joint; a wider one is in degrees or a placeholder


@dataclass(frozen=True)
class JointDraft:
    """One joint of ``robot.yaml``; None for each value that is not known.

    The attributes are those of :class:`humanoid_locomotion.core.robot.JointSpec`.
    """

    name: str
    lower: float
    upper: float
    default: float
    effort: Optional[float] = None
    velocity: Optional[float] = None
    armature: Optional[float] = None
    kp: Optional[float] = None
    kd: Optional[float] = None


def driven_joints(spec: Any, model: mujoco.MjModel, drives: Drives, pose: Mapping[str, float],
                  source: object, questions: Questions) -> List[JointDraft]:
    """Return the driven joints with their limits and default positions.

    A range that is empty in the file is removed from the model.

    Raises:
        SimulationError: There are none, or one is not a hinge.
    """
    found = []
    for i in range(model.njnt):
        joint, kind = model.joint(i), mujoco.mjtJoint(model.jnt_type[i])
        if kind == mujoco.mjtJoint.mjJNT_FREE:
            continue
        if joint.name in drives.passive:
            questions.ask('passive_joints', 'a tendon over several joints drives it; the tendon '
                          'is kept, its drive is not' if joint.name in drives.through_tendons
                          else 'nothing drives it: it follows another joint, a spring or a '
                          'closed loop', 'kept', joint.name)
            continue
        if kind != HINGE:
            name = kind.name[6:].lower()
            fix = '' if name == 'ball' else f'fix it with --lock {joint.name}=0, or '
            raise SimulationError(f'{source}: joint {joint.name!r}: expected a hinge, found a '
                                  f'{name} joint: {fix}leave its link out with --drop '
                                  f'{joint.name}')
        lower, upper = joint.range.tolist()
        if not model.jnt_limited[i] or upper - lower > WIDEST:
            found_range = f'the range [{lower:g}, {upper:g}]' if lower or upper else 'no limits'
            questions.ask('lower, upper', f'the file has {found_range}', '-pi, pi', joint.name)
            spec.joint(joint.name).range, spec.joint(joint.name).limited = [0.0, 0.0], 0
            lower, upper = -math.pi, math.pi
        position = pose.get(joint.name, float(model.qpos0[joint.qposadr[0]]))
        default = float(np.clip(position, lower, upper))
        if joint.name in pose and abs(default - position) > ROUNDING:
            questions.ask('default', f'the keyframe has {position:.4g}, outside the range',
                          f'{default:.4g}', joint.name)
        found.append(JointDraft(joint.name, lower, upper, default))
    if not found:
        raise SimulationError(f'{source}: expected movable joints, found none')
    return found


def own_twins(data: mujoco.MjData, base: str, joints: Sequence[JointDraft],
              questions: Questions) -> List[str]:
    """Return the pitch joints in the middle of a robot whose frames lie beside it.

    Neither their names tell a side, nor is there a joint at the mirrored place.
    """
    names = [joint.name for joint in joints if abs(data.joint(joint.name).xaxis[1]) > PITCH]
    places = {name: data.joint(name).xanchor - data.body(base).xpos for name in names}
    found = [name for name, place in places.items()
             if abs(place[1]) > 0.5 * POSITION_TOLERANCE and not SIDE.search(name.lower())
             and not any(np.linalg.norm(place * REFLECTION - other) < TWIN_GAP
                         for key, other in places.items() if key != name)]
    for name in found:
        questions.ask('mirrored_joints', 'its frame lies beside the middle; taken as its own twin',
                      'itself', name)
    return found


@dataclass(frozen=True)
class DriveSources:
    """The origins of the drives' values.

    Attributes:
        drives: The drives in the file.
        speeds: Speed limits in the file [rad/s].
        armatures: Rotor inertias by ``--armature`` [kg m^2].
        gains: kp by ``--kp`` [Nm/rad].
        loads: Torques in the default pose [Nm].
        stiffness: kp with which each joint holds the default pose [Nm/rad].
        guess: Whether values that are missing are guessed.
        leg: Height of the base over the soles [m].
        mass: Mass of the robot [kg].
    """

    drives: Drives
    speeds: Mapping[str, float]
    armatures: Mapping[str, float]
    gains: Mapping[str, float]
    loads: Mapping[str, float]
    stiffness: Mapping[str, float]
    guess: bool
    leg: float
    mass: float


def add_drives(joints: List[JointDraft], spec: Any, sources: DriveSources,
               questions: Questions) -> List[JointDraft]:
    """Return the joints with torque, speed, rotor inertia and gains.

    A joint whose position actuator has no kd, but damping, gets that as kd; it is then removed
    from the model.
    """
    return [_with_drive(joint, spec.joint(joint.name), sources, questions) for joint in joints]


def _with_drive(joint: JointDraft, modelled: Any, sources: DriveSources,
                questions: Questions) -> JointDraft:
    name = joint.name

    def known(key: str, found: Optional[float], guess: float, why: str,
              least: float = 0.0) -> Optional[float]:
        if found is not None and least < found < PLACEHOLDER * guess:
            return found
        if found is not None:
            why += f'; the file has {found:g}'
        questions.ask(key, why, GUESSED if sources.guess else TODO, name)
        return guess if sources.guess else None

    load = sources.loads.get(name, 0.0)
    limit = sources.drives.efforts.get(name)
    is_weak = limit is not None and 0.0 < limit < load
    if name in sources.drives.shared and limit is not None:
        questions.ask('effort', 'several actuators drive it; the torque is that of the weakest',
                      f'{limit:g}', name)
    effort = known('effort', limit, EFFORT_SHARE * sources.mass * GRAVITY * sources.leg,
                   'largest torque of the motor behind its gear' + is_weak * (
                       f', more than the {load:.3g} Nm of standing'), load)
    if effort != limit:
        modelled.actfrcrange = [0.0, 0.0]
    velocity = known('velocity', sources.speeds.get(name),
                     SPEED * math.sqrt(GRAVITY / sources.leg), 'largest speed of the motor')
    joint = replace(joint, effort=effort, velocity=velocity)
    modelled.armature = sources.armatures.get(name, float(modelled.armature))
    armature = float(modelled.armature) or None
    if name in sources.gains:
        kp = sources.gains[name]
        return replace(joint, armature=armature or kp / RATE**2, kp=kp, kd=_damping_gain(kp))
    if name in sources.drives.gains and name not in sources.armatures:
        return _with_own_gains(joint, modelled, armature, sources, questions)
    # At an error of 1 rad the guessed kp gives the largest torque.
    guess = max(effort or 0.0, sources.stiffness[name])
    if armature is None:
        armature = known('armature, kp, kd', None, guess / RATE**2,
                         f'rotor inertia reflected through the gear; then kp = armature * '
                         f'{RATE:.2f}^2 and kd = {2.0 * DAMPING_RATIO:g} * armature * {RATE:.2f} '
                         f'for {FREQUENCY:g} Hz')
        return joint if armature is None else replace(
            joint, armature=armature, kp=guess, kd=_damping_gain(guess))
    kp = round(armature * RATE**2, 3)
    joint = replace(joint, armature=armature, kp=kp, kd=_damping_gain(kp))
    least = sources.stiffness[name] if sources.guess else WEAK * (effort or 0.0)
    if kp >= least or name in sources.armatures:
        return joint
    found = known('kp, kd', None, guess, f'gains; kp is {kp:g} with its armature, which does not '
                  f'hold the default pose, as {guess:.3g} does')
    return replace(joint, kp=found, kd=None if found is None else _damping_gain(found))


def _with_own_gains(joint: JointDraft, modelled: Any, armature: Optional[float],
                    sources: DriveSources, questions: Questions) -> JointDraft:
    kp, kd = sources.drives.gains[joint.name]
    if not kd:  # then the damping of the joint acts instead
        kd = float(np.atleast_1d(modelled.damping)[0])
        modelled.damping = 0.0 * modelled.damping
    kd = kd or _damping_gain(kp)
    other = ''
    if armature is None:
        armature = kp / RATE**2
        questions.ask('armature', 'rotor inertia reflected through the gear: the file has none; '
                      f'this one has {FREQUENCY:g} Hz with its kp', f'{armature:.3g}', joint.name)
    else:
        derived = armature * RATE**2
        other = f'; its armature would give {derived:.3g}, {_damping_gain(derived):.3g}'
    holding = sources.stiffness[joint.name]
    if kp < HELD * holding:
        other += f'; kp {holding:.3g} holds the default pose, and can be given with --kp'
    questions.ask('kp, kd', f"those of the file's position actuators{other}",
                  f'{kp:.4g}, {kd:.4g}', joint.name)
    return replace(joint, armature=armature, kp=kp, kd=kd)


def _damping_gain(kp: float) -> float:
    """Return kd [Nm s/rad] of a drive of :data:`FREQUENCY` and its kp [Nm/rad], rounded."""
    return round(2.0 * DAMPING_RATIO * kp / RATE, 3)
