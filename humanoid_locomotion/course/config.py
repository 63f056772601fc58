# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The course's environment config; with its defaults it is ``config/training/course.yaml``."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
import math
from numbers import Integral, Real
from typing import Any, Dict, Tuple

from humanoid_locomotion.core.errors import UnknownNameError
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.course.values import short
from humanoid_locomotion.training.config import TrainingConfig
from humanoid_locomotion.training.config_checks import (
    check_counts,
    check_not_negative,
    check_positive,
)
from humanoid_locomotion.training.run.options import training_config

TASK = 'course'  # names the robot and the training config
NUM_OBS, NUM_ACTIONS = 93, 39
# The reward terms that each weight scales.
REWARD_TERMS: Dict[str, Tuple[str, ...]] = {
    'tracking_reward_weight': ('track_yaw_rate',),
    'velocity_reward_weight': ('track_linear_velocity',),
    'energy_penalty_weight': ('energy', 'torques', 'joint_accelerations', 'action_rate'),
    'height_penalty_weight': ('base_height',),
    'orientation_reward_weight': ('orientation',),
}


@dataclass(frozen=True)
class HumanoidEnvConfig:
    """Configuration of the course's environment.

    The reward weights are relative to their defaults: a weight twice its default doubles the
    terms of ``course.yaml`` that :data:`REWARD_TERMS` lists for it.

    Attributes:
        num_envs: Number of robots; on a CPU at most 128 are used.
        num_obs: Length of an observation.
        num_actions: Length of an action.
        dt: Time of a control step [s].
        sim_substeps: Physics steps in a control step.
        tracking_reward_weight: Turning as commanded.
        velocity_reward_weight: Moving as commanded.
        energy_penalty_weight: Power, torques, accelerations and changes of the action.
        height_penalty_weight: Distance of the base from its height.
        orientation_reward_weight: Tilt of the base.
        max_episode_length: Time limit of an episode [control steps].
        height_threshold: A lower base is a fall [m].
        orientation_threshold: A larger tilt is a fall [rad].

    Raises:
        UnknownNameError: There is no such field.
        ValueError: A value is no number, or out of its range.
    """

    num_envs: int = 4096
    num_obs: int = NUM_OBS
    num_actions: int = NUM_ACTIONS
    dt: float = 0.0167
    sim_substeps: int = 5
    tracking_reward_weight: float = 1.0
    velocity_reward_weight: float = 0.5
    energy_penalty_weight: float = 0.01
    height_penalty_weight: float = 0.1
    orientation_reward_weight: float = 0.5
    max_episode_length: int = 1000
    height_threshold: float = 0.5
    orientation_threshold: float = 0.8

    def __new__(cls, *_: Any, **values: Any) -> HumanoidEnvConfig:
        """Check the names of the values."""
        known = [field.name for field in fields(cls)]
        for name in values:
            if name not in known:
                raise UnknownNameError('field of HumanoidEnvConfig', name, known)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for field in fields(self):
            whole, value = isinstance(field.default, int), getattr(self, field.name)
            if (isinstance(value, bool) or not isinstance(value, Integral if whole else Real)
                    or value in (math.inf, -math.inf)):
                raise ValueError(f'{field.name}: found {short(value)}, expected a '
                                 f'{"whole" if whole else "finite"} number')
        for key, size in (('num_obs', NUM_OBS), ('num_actions', NUM_ACTIONS)):
            if getattr(self, key) != size:
                raise ValueError(f'{key}: found {getattr(self, key)}, expected {size}, the size '
                                 "of the course's robot; see docs/course.md")
        check_counts(self, 'num_envs', 'sim_substeps', 'max_episode_length')
        check_positive(self, 'dt', 'height_threshold', 'orientation_threshold')
        check_not_negative(self, *REWARD_TERMS)

    def training_config(self) -> Tuple[TrainingConfig, RobotSpec]:
        """Return the training config with these values, and the course's robot.

        Raises:
            LocomotionError: A value does not fit, or PyTorch is not installed.
        """
        task, robot = training_config(TASK, '', self.num_envs, None, [])
        weights = dict(task.rewards.weights)
        for key, terms in REWARD_TERMS.items():
            factor = getattr(self, key) / getattr(HumanoidEnvConfig, key)
            for term in terms:
                weights[term] = replace(weights[term], weight=factor * weights[term].weight)
        return replace(
            task, rewards=replace(task.rewards, weights=weights),
            physics=replace(task.physics, timestep=self.dt / self.sim_substeps,
                            substeps=self.sim_substeps),
            terminations=replace(
                task.terminations, base_height=self.height_threshold,
                tilt=self.orientation_threshold, episode_steps=self.max_episode_length)), robot
