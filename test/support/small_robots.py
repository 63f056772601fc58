# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Small robot files of every kind that the importer meets, and a draft of one that stands."""

from __future__ import annotations

from pathlib import Path
import struct

import mujoco
import numpy as np

from humanoid_locomotion.core.robot import RobotSpec, load_robot
from humanoid_locomotion.robot_models.drafting.questions import Question
from humanoid_locomotion.robot_models.importer import ImportOptions, import_robot
from humanoid_locomotion.sim.backend import PhysicsSpec
from humanoid_locomotion.sim.mujoco.model import build_model

PHYSICS = PhysicsSpec(0.002, 1, 10, 10, 64, 16)
BOX = '<box size="0.2 0.08 0.03"/>'  # of a foot [m]


def link(name: str, mass: float = 1.0, inside: str = '', ixx: float = 0.01) -> str:
    """Give a URDF link."""
    return (f'<link name="{name}"><inertial><mass value="{mass}"/><inertia ixx="{ixx}" iyy="0.01" '
            f'izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial>{inside}</link>')


def joint(name: str, parent: str, child: str, place: str, kind: str = 'revolute',
          inside: str = '', speed: float = 10.0) -> str:
    """Give a URDF joint about y."""
    return (f'<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/>'
            f'<origin xyz="{place}"/><axis xyz="0 1 0"/><limit lower="-1.5" upper="1.5" '
            f'effort="30" velocity="{speed}"/>{inside}</joint>')


def urdf(more: str = '', foot: str = BOX, sides: tuple[str, str] = ('left', 'right'),
         speed: float = 10.0, base_ixx: float = 0.01) -> str:
    """Give the URDF of a biped with a hip, a knee and an ankle in each leg, 10 kg and 0.615 m."""
    text = link('base', 5.0, ixx=base_ixx)
    shape = f'<collision><geometry>{foot}</geometry></collision>' if foot else ''
    for side, y in zip(sides, (0.1, -0.1)):
        text += (link(f'{side}_thigh') + link(f'{side}_shin') + link(f'{side}_foot', 0.5, shape)
                 + joint(f'{side}_hip', 'base', f'{side}_thigh', f'0 {y} 0', speed=speed)
                 + joint(f'{side}_knee', f'{side}_thigh', f'{side}_shin', '0 0 -0.3', speed=speed)
                 + joint(f'{side}_ankle', f'{side}_shin', f'{side}_foot', '0 0 -0.3', speed=speed))
    return f'<robot name="tiny">{text}{more}</robot>'


def mjcf(more: str = '', base: str = '<freejoint/>', in_base: str = '', floor: bool = True) -> str:
    """Give the MJCF of a biped with a hip and an ankle in each leg, 9 kg and 0.515 m."""
    inertial = '<inertial pos="0 0 0" mass="{}" diaginertia="{} {} {}"/>'
    legs = ''.join(
        f'<body name="{side}_thigh" pos="0 {y} 0">{inertial.format(1, .01, .01, .01)}'
        f'<joint name="{side}_hip" axis="0 1 0" range="-1.5 1.5" armature="0.005"/>'
        f'<body name="{side}_foot" pos="0 0 -0.5">{inertial.format(1, .01, .01, .01)}'
        f'<joint name="{side}_ankle" axis="0 1 0" range="-1.5 1.5" armature="0.005"/>'
        f'<geom name="{side}_foot" type="box" size=".1 .04 .015"/></body></body>'
        for side, y in (('left', 0.1), ('right', -0.1)))
    ground = '<geom name="floor" type="plane" size="0 0 1"/>' if floor else ''
    return ('<mujoco><compiler angle="radian" autolimits="true"/><worldbody>' + ground
            + f'<body name="base" pos="0 0 .6">{inertial.format(5, .1, .1, .1)}{base}{legs}'
            f'{in_base}</body></worldbody>{more}</mujoco>')


FINGER = link('finger', 0.05) + link('tip', 0.05) + joint('finger', 'base', 'finger', '0 0.2 0.3')


def draft(folder: Path, text: str, ending: str = '.urdf', **options) -> tuple[
        RobotSpec, dict[str, Question]]:
    """Import a text with guessed drives; give the robot, and the questions by key."""
    source = folder / f'model{ending}'
    source.write_text(text, encoding='utf-8')
    asked = import_robot(source, folder / 'mine', 'mine',
                         ImportOptions(**{'guess': True, **options}))
    return load_robot(folder / 'mine'), {question.key: question for question in asked}


def stand(robot: RobotSpec, seconds: float = 1.0) -> tuple[mujoco.MjModel, mujoco.MjData]:
    """Simulate a robot that its gains hold in its default pose; give the model and its state."""
    model = build_model(robot, PHYSICS, robot.joints)
    data = mujoco.MjData(model)
    data.qpos[:] = model.key_qpos[0] if model.nkey else model.qpos0
    data.qpos[2] = robot.base_height
    for spec in robot.joints:
        data.qpos[model.joint(spec.name).qposadr] = spec.default
        data.ctrl[model.actuator(spec.name).id] = spec.default
    while data.time < seconds:
        mujoco.mj_step(model, data)
    return model, data


def write_box(path: Path, size: tuple[float, float, float]) -> None:
    """Write an STL file of a box around the origin."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * size / 2.0
    faces = [(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1), (2, 3, 7),
             (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3)]
    with path.open('wb') as file:
        file.write(bytes(80) + struct.pack('<I', len(faces)))
        for face in faces:
            file.write(struct.pack('<12fH', 0, 0, 0, *corners[list(face)].ravel(), 0))
