# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures whether training of a robot is worth starting."""

from __future__ import annotations

from dataclasses import dataclass, replace
import math
from typing import Any, Iterator, List, Tuple

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.feedback.joint_mirror import (
    REFLECTION,
    distance_from_image,
    joint_mirror,
)
from humanoid_locomotion.core.feedback.kinematics import joint_lines
from humanoid_locomotion.core.robot import GRAVITY, RobotSpec
from humanoid_locomotion.core.state import FALL_HEIGHT, FALL_TILT, JointTargets, is_down
from humanoid_locomotion.robot_check.posture import PHYSICS, Posture, opened

GOOD, LOOK, BAD = 'good', 'look', 'bad'
STANDING_TIME = 1.0  # [s]
SQUAT_STEP, MISS = 0.02, 0.01  # shares of the leg length
BALANCING = 4  # corrections of the base, for a centre of mass that moves with the legs
ONE_LEG_DEPTH = 0.1  # share of the leg length by which the base is lowered on one leg


@dataclass(frozen=True)
class Finding:
    """One measurement of a robot.

    Attributes:
        name: The quantity.
        measured: Its value, with its unit.
        wanted: The value of a robot that can be trained.
        verdict: ``good``, ``look`` (a person should look at it) or ``bad`` (do not train).
        advice: The key to change, unless it is good.
    """

    name: str
    measured: str
    wanted: str
    verdict: str
    advice: str = ''


def worth_training(findings: List[Finding]) -> bool:
    """Tell whether no finding is bad."""
    return all(it.verdict != BAD for it in findings)


def check_robot(robot: RobotSpec) -> List[Finding]:
    """Return the findings about a robot that was loaded.

    Raises:
        LocomotionError: MuJoCo cannot open its model.
    """
    backend = opened(robot)
    try:
        posture = Posture(robot, backend)
        return [*_mirror(robot, posture), *_stance(robot, posture), *_legs(robot, posture),
                *_standing(robot, backend)]
    finally:
        backend.close()


def _finding(name: str, value: float, good: float, bad: float, unit: str, advice: str) -> Finding:
    """Return the finding of a value that should be below ``good``, or above if bad is lower."""
    sign = 1.0 if bad > good else -1.0
    verdict = GOOD if sign * value <= sign * good else LOOK if sign * value < sign * bad else BAD
    wanted = f'{"at most" if sign > 0.0 else "at least"} {good:g} {unit}'.rstrip()
    return Finding(name, f'{round(value, 4):.3g} {unit}'.rstrip(), wanted, verdict,
                   '' if verdict == GOOD else advice)


def _mirror(robot: RobotSpec, posture: Posture) -> Iterator[Finding]:
    try:
        source, sign = joint_mirror(robot.joint_names, robot)
        lines = joint_lines(robot)
    except LocomotionError as error:
        yield Finding('mirror', 'not found', 'a twin for every joint', BAD, str(error))
        return
    names, sides = robot.joint_names, np.array(sign)
    apart = [distance_from_image(lines[name], lines[names[i]]) for name, i in zip(names, source)]
    yield _finding('mirror: joint positions', float(np.max(apart)), 0.005, math.inf,
                   'm', 'robot.xml: pos of the bodies')
    lower, upper, default = (robot.values(key) for key in ('lower', 'upper', 'default'))
    mirrored = np.sort(np.stack((lower[source] * sides, upper[source] * sides)), axis=0)
    limits = float(np.abs(mirrored - np.stack((lower, upper))).max())
    yield _finding('mirror: limits', limits, 0.02, math.inf, 'rad',
                   'robot.yaml: lower, upper')
    yield _finding('mirror: default pose',
                   float(np.abs(default[source] * sides - default).max()), 0.01, math.inf, 'rad',
                   'robot.yaml: default')
    driven = [_change(robot.values(key), robot.values(key)[source])
              for key in ('effort', 'kp', 'kd', 'armature')]
    yield _finding('mirror: drives', 100.0 * max(driven), 1.0, math.inf, '%',
                   'robot.yaml: effort, kp, kd, armature')
    links = np.array([posture.model.joint(name).bodyid[0] for name in names])
    masses, centres = posture.model.body_mass[links], posture.data.xipos[links]
    yield _finding('mirror: masses', 100.0 * _change(masses, masses[source]), 5.0,
                   math.inf, '%', 'robot.xml: mass of the inertials')
    gaps = np.linalg.norm(centres - centres[source] * REFLECTION, axis=1)
    yield _finding('mirror: centres of mass', float(gaps.max()), 0.015, math.inf, 'm',
                   f"robot.xml: pos of the inertial of {names[int(gaps.argmax())]}'s link")


def _change(values: np.ndarray, others: np.ndarray) -> float:
    return float((np.abs(values - others) / np.maximum(np.maximum(values, others), 1e-12)).max())


def _stance(robot: RobotSpec, posture: Posture) -> Iterator[Finding]:
    """Yield the findings about the default pose."""
    height = posture.foot_clearance()
    yield _finding('feet above the floor', abs(height), 0.01, 0.03, 'm',
                   f'robot.yaml: base_height {robot.base_height - height:.4g} puts the lower '
                   'foot on the floor')
    left, right = posture.soles
    yield _finding('left sole left of right', float(left[1] - right[1]), 0.01, 0.0, 'm',
                   'robot.yaml: feet, soles: left first; or a wider default pose')
    yield _finding('tilt of the soles', float(posture.sole_tilts.max()), 0.05, 0.2, 'rad',
                   'robot.yaml: default: hip pitch + knee + ankle pitch = 0')
    contacts = posture.contacts()
    size = [np.ptp(it[:, :2], axis=0) if len(it) else np.zeros(2) for it in contacts.of_feet]
    fewest = min(len(it) for it in contacts.of_feet)
    area = 1e4 * min(float(np.prod(it)) for it in size)
    flat = fewest >= 3 and area > 0.0
    yield Finding('contact of each foot', f'{fewest} points, {area:.3g} cm^2',
                  '3 points, an area', GOOD if flat else LOOK if fewest else BAD,
                  '' if flat else 'robot.xml: shapes of the feet, such as four spheres in the '
                  'corners of the sole; or the default pose')
    gap = max(float(np.abs(it[:, 2] - sole[2]).max(initial=0.0))
              for it, sole in zip(contacts.of_feet, posture.soles))
    yield _finding('soles from foot shapes', gap, 0.005, 0.03, 'm',
                   'robot.xml: pos of the sites that soles names')
    if fewest:
        ahead = posture.centre_of_mass[0]
        points = np.concatenate(contacts.of_feet)[:, 0]
        inside = min(ahead - points.min(), points.max() - ahead)
        yield _finding('centre of mass in feet', float(inside), 0.01, -math.inf, 'm',
                       'robot.yaml: default: centre of mass over the middle of the feet')
    needed = GRAVITY * float(posture.model.body_subtreemass[0]) * float(posture.centre_of_mass[2])
    yield _finding('stiffness of the ankles', 100.0 * posture.ankle_stiffness() / needed, 20.0,
                   -math.inf, '% of m g h', 'robot.yaml: kp of the ankles: it falls soon without '
                   'a policy')
    touching = ', '.join(' and '.join(pair) for pair in contacts.others)
    yield Finding('links that touch', touching or 'none', 'none', LOOK if touching else GOOD,
                  'robot.xml: contype, conaffinity: they push each other apart' * bool(touching))
    posture.reset()


def _legs(robot: RobotSpec, posture: Posture) -> Iterator[Finding]:
    if posture.legs_have_loops():
        yield Finding('squat, load on one leg', 'not measured', 'no equality constraint', LOOK,
                      'closed loops and mimic joints of legs are not solved here')
        return
    length, depth = posture.leg_length, _squat(posture)
    yield _finding('squat, feet level', 100.0 * depth, 15.0, 8.0, '% of leg',
                   'robot.yaml: lower, upper, default of hip pitch, knee and ankle pitch: a foot '
                   'is lifted by a tenth of the leg')
    loads = [load for leg in (0, 1) for load in _load(robot, posture, leg,
                                                      min(depth, ONE_LEG_DEPTH) * length)]
    share, name = max(loads)
    load = _finding('load on one leg', 100.0 * share, 60.0, 110.0, '% of effort',
                    'robot.yaml: effort; or a default pose with straighter knees')
    yield replace(load, measured=f'{load.measured}, {name}')
    posture.reset()


def _squat(posture: Posture) -> float:
    """Return by which share of the leg's length the base can be lowered, balanced and upright."""
    soles, ahead, depth = posture.soles, posture.centre_of_mass[0], 0.0
    targets = dict(enumerate(soles))
    for leg in targets:
        posture.nudge(leg)
    while depth < 1.0:
        posture.move_base(np.array([0.0, 0.0, -SQUAT_STEP * posture.leg_length]))
        for _ in range(BALANCING):
            posture.reach(targets)
            posture.move_base(np.array([ahead - posture.centre_of_mass[0], 0.0, 0.0]))
        if posture.reach(targets) > MISS * posture.leg_length:
            return depth
        depth += SQUAT_STEP
    return depth


def _load(robot: RobotSpec, posture: Posture, leg: int,
          depth: float) -> List[Tuple[float, str]]:
    """Return the torque shares of a leg that stands below the centre of mass."""
    posture.reset()
    sole = posture.soles[leg]
    posture.nudge(leg)
    posture.move_base(np.array([0.0, 0.0, -depth]))
    for _ in range(BALANCING):
        posture.move_base(np.array([0.0, sole[1] - posture.centre_of_mass[1], 0.0]))
        posture.reach({leg: sole})
    return [(float(share), robot.joint_names[joint])
            for share, joint in zip(posture.torques_on(leg), posture.legs[leg])]


def _standing(robot: RobotSpec, backend: Any) -> Iterator[Finding]:
    """Yield the findings about a robot that its joint controllers hold in the default pose."""
    backend.reset(np.ones(1, bool), backend.default_state())
    targets = JointTargets(robot.values('default')[None])
    stood, speed, steps = 0.0, 0.0, round(STANDING_TIME / PHYSICS.control_period)
    for step in range(steps):
        backend.step(targets)
        state, truth = backend.state(), backend.truth()
        tilt = rotations.tilt(state.base_orientation)
        if is_down(truth.base_position[:, 2], tilt, FALL_HEIGHT * robot.base_height,
                   FALL_TILT)[0]:
            break
        stood = (step + 1) * PHYSICS.control_period
        if step > steps // 2:
            speed = max(speed, float(np.abs(state.joint_velocities).max()))
    gains = 'robot.yaml: kp, kd, armature, default'
    yield _finding('stands under PD control', stood, STANDING_TIME, STANDING_TIME, 's', gains)
    yield _finding('tilt of the base then', float(tilt[0]), 0.2, math.inf, 'rad', gains)
    yield _finding('joint speed then', speed, 2.0, 10.0, 'rad/s',
                   'robot.yaml: kd, armature: it shakes or falls')
