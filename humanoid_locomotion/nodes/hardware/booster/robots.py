# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Motors of the Booster robots, in the order of their low-level messages.

From booster_robotics_sdk (July 2026), with the joint names of Booster's robot descriptions. In
serial messages the ankle's two motors are its pitch and its roll.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Sequence, Tuple

from humanoid_locomotion.core.errors import ConfigError


def _sides(*names: str) -> Tuple[str, ...]:
    return tuple(f'{side}_{name}' for side in ('Left', 'Right') for name in names)


HEAD = ('AAHead_yaw', 'Head_pitch')
ARM = ('Shoulder_Pitch', 'Shoulder_Roll', 'Elbow_Pitch', 'Elbow_Yaw')
WRIST = ('Wrist_Pitch', 'Wrist_Yaw', 'Hand_Roll')
LEGS = _sides('Hip_Pitch', 'Hip_Roll', 'Hip_Yaw', 'Knee_Pitch', 'Ankle_Pitch', 'Ankle_Roll')
# The K1's description names its first arm joints differently.
K1_ARMS = tuple(f'A{it}' if it.endswith('Shoulder_Pitch') else it for it in _sides(*ARM))
ROBOTS: Dict[str, Tuple[str, ...]] = {
    'T1 with 23 joints': (*HEAD, *_sides(*ARM), 'Waist', *LEGS),
    'T1 with 29 joints': (*HEAD, *_sides(*ARM, *WRIST), 'Waist', *LEGS),
    'K1': (*HEAD, *K1_ARMS, *LEGS)}


@dataclass(frozen=True)
class Machine:
    """One Booster robot.

    Attributes:
        name: Name for messages.
        motors: Joint of each motor, in the order of the messages.
    """

    name: str
    motors: Tuple[str, ...]


def machine_with(joints: Sequence[str]) -> Machine:
    """Return the robot with exactly these joints, in any order.

    Raises:
        ConfigError: There is none.
    """
    for name, motors in ROBOTS.items():
        if set(motors) == set(joints):
            return Machine(name, motors)
    known = ', '.join(f'a {name}' for name in ROBOTS)
    raise ConfigError('booster', 'robot', f'found a robot with {len(joints)} joints, expected the '
                      f"joints of {known}, with the names of Booster's descriptions")
