# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The part of a training config that varies robots, sensors and disturbances."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Tuple

from humanoid_locomotion.training.config_checks import Range, check_ranges, check_shares


@dataclass(frozen=True)
class ExternalArmConfig:
    """External motion of the arms while the robot walks.

    Attributes:
        share: Share of the robots, sampled at each reset.
        joints: Joints are moved if one of these is part of their name.
        reach: Share of the distance from the default pose to the joint limits that is used.
        period: Shortest and longest time in which they reach a new position [s].
    """

    share: float = 0.0
    joints: Tuple[str, ...] = ('shoulder', 'elbow')
    reach: float = 0.5
    period: Range = (0.5, 1.5)

    def __post_init__(self) -> None:
        check_ranges(self, 'period')


@dataclass(frozen=True)
class RandomizationConfig:
    """Domain randomisation; ranges are uniform.

    Attributes:
        friction: Sliding friction between foot and floor.
        mass_scale: Factor on all masses.
        payload: Mass added to the trunk [kg].
        com_offset: Largest shift of the trunk's centre of mass along each axis [m].
        link_payload: Mass added to links, by their names [kg].
        gain_scale: Factor on each joint's kp and kd.
        encoder_bias: Largest constant error of a joint position [rad].
        imu_tilt: Largest constant mounting error of the IMU about each axis [rad].
        joint_offset: Largest distance from the default pose at a reset [rad].
        reset_velocity: Largest base velocity at a reset along each axis [m/s].
        push_period: Shortest and longest time between two pushes [s].
        push_velocity: Largest kick sideways or forward [m/s].
        push_yaw_rate: Largest kick about the vertical [rad/s].
        external_arm_motion: External motion of the arms.
        feedback_scale: Factor on gains and limits of the velocity feedback; per episode.
        feedback_absent: Share of the episodes without velocity feedback.
    """

    friction: Range = (0.4, 1.2)
    mass_scale: Range = (0.9, 1.1)
    payload: Range = (-1.0, 3.0)
    com_offset: float = 0.04
    link_payload: Dict[str, Range] = field(default_factory=dict)
    gain_scale: Range = (0.9, 1.1)
    encoder_bias: float = 0.015
    imu_tilt: float = 0.02
    joint_offset: float = 0.1
    reset_velocity: float = 0.3
    push_period: Range = (4.0, 8.0)
    push_velocity: float = 0.8
    push_yaw_rate: float = 0.5
    external_arm_motion: ExternalArmConfig = field(default_factory=ExternalArmConfig)
    feedback_scale: Range = (1.0, 1.0)
    feedback_absent: float = 0.0

    def __post_init__(self) -> None:
        check_ranges(self, 'friction', 'mass_scale', 'payload', 'gain_scale', 'push_period')
        check_shares(self, 'feedback_absent')
        loads = {f'link_payload.{link}': masses for link, masses in self.link_payload.items()}
        for name, (low, high) in {'feedback_scale': self.feedback_scale, **loads}.items():
            if not 0.0 <= low <= high:
                raise ValueError(f'{name} must be 0 or more, lowest first, found [{low}, {high}]')
