# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Unitree's robots: the order of their motors and what identifies each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import FrozenSet, Iterable, Optional, Tuple

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.nodes.hardware.unitree.messages import (
    GO_COMMAND,
    GO_STATE,
    HG_COMMAND,
    HG_STATE,
    Struct,
)


def _both(*names: str) -> Tuple[str, ...]:
    return tuple(f'{side}_{name}_joint' for side in ('left', 'right') for name in names)


@dataclass(frozen=True)
class Machine:
    """One model of robot.

    Attributes:
        name: Its name in messages.
        motors: Name of the joint of each motor, by index in the messages; None for an index
            without a motor.
        imu_frame: Link that holds the IMU, with its axes.
        state: Type of ``rt/lowstate``.
        command: Type of ``rt/lowcmd``.
        modes: ``mode`` of each motor that switches it on.
        mode_machines: Values of ``mode_machine`` of this model; None where they are not known or
            the messages have none.
    """

    name: str
    motors: Tuple[Optional[str], ...]
    imu_frame: str
    state: Struct
    command: Struct
    modes: Tuple[int, ...]
    mode_machines: Optional[FrozenSet[int]] = None

    @property
    def joints(self) -> Tuple[str, ...]:
        """The joints, in the order of the motors."""
        return tuple(name for name in self.motors if name is not None)


_LEGS = _both('hip_pitch', 'hip_roll', 'hip_yaw', 'knee', 'ankle_pitch', 'ankle_roll')
_ARMS = _both('shoulder_pitch', 'shoulder_roll', 'shoulder_yaw', 'elbow', 'wrist_roll',
              'wrist_pitch', 'wrist_yaw')
_G1 = (*_LEGS, 'waist_yaw_joint', 'waist_roll_joint', 'waist_pitch_joint', *_ARMS)
_NOT_IN_G1_23 = {'waist_roll_joint', 'waist_pitch_joint', *_both('wrist_pitch', 'wrist_yaw')}

# mode_machine: the table in Unitree's g1_description (unitree_ros). 3, 6, 12, 14 and 16 have a
# locked waist: their 29 motors include two that do not turn.
G1 = Machine('G1 with 29 joints', _G1, 'pelvis', HG_STATE, HG_COMMAND, (1,) * 29,
             frozenset({2, 3, 5, 6, 11, 12, 13, 14, 15, 16}))
G1_23 = Machine(
    'G1 with 23 joints', tuple(None if name in _NOT_IN_G1_23 else name for name in _G1),
    'pelvis', HG_STATE, HG_COMMAND, (1,) * 29, frozenset({1, 4, 10}))
H1_2 = Machine(
    'H1-2', (*_both('hip_yaw', 'hip_pitch', 'hip_roll', 'knee', 'ankle_pitch', 'ankle_roll'),
             'torso_joint', *_ARMS),
    'torso_link', HG_STATE, HG_COMMAND, (1,) * 27)
H1 = Machine(
    'H1', ('right_hip_roll_joint', 'right_hip_pitch_joint', 'right_knee_joint',
           'left_hip_roll_joint', 'left_hip_pitch_joint', 'left_knee_joint', 'torso_joint',
           'left_hip_yaw_joint', 'right_hip_yaw_joint', None, 'left_ankle_joint',
           'right_ankle_joint',
           *(f'{side}_{name}_joint' for side in ('right', 'left')
             for name in ('shoulder_pitch', 'shoulder_roll', 'shoulder_yaw', 'elbow'))),
    'torso_link', GO_STATE, GO_COMMAND, (0x0A,) * 10 + (0x01,) * 10)  # the last ten are weak
MACHINES = (G1, G1_23, H1, H1_2)


def machine_with(joints: Iterable[str], source: object) -> Machine:
    """Return the machine that has exactly these joints.

    Raises:
        ConfigError: There is none; the message names the closest one and the difference.
    """
    names = set(joints)
    best = min(MACHINES, key=lambda machine: len(names ^ set(machine.joints)))
    if names != set(best.joints):
        extra, missing = sorted(names - {*best.joints}), sorted({*best.joints} - names)
        raise ConfigError(source, 'joints', f'no Unitree robot has these {len(names)} joints; '
                          f'the closest is the {best.name}, which lacks {extra} and has also '
                          f'{missing}')
    return best
