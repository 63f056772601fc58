# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""External motion of the arms, as in a manipulation task."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, Tuple

import torch

from humanoid_locomotion.core.action import arm_goal, joints_named, replace_targets
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.backend import Truth
from humanoid_locomotion.training.env.randomization import uniform
from humanoid_locomotion.training.randomization_config import ExternalArmConfig


class ExternalArmMotion:
    """Moves the arms of some robots from position to position, instead of the policy.

    Goals are sampled uniformly between the default pose and ``reach`` of the distance to either
    limit; the arms move to them on straight lines in joint space.

    Attributes:
        is_moved: (num_envs,) bool, the robots whose arms are moved externally.

    Args:
        config: The parameters.
        contract: The contract, for joints, limits and default pose.
        num_envs: Number of robots.
        device: Device of the tensors.

    Raises:
        ConfigError: An entry of ``joints`` is part of no joint's name.
    """

    def __init__(self, config: ExternalArmConfig, contract: PolicyContract, num_envs: int,
                 device: str):
        for part in config.joints:
            if config.share > 0.0 and not any(part in name for name in contract.joint_names):
                raise ConfigError('randomization', 'external_arm_motion.joints',
                                  f'{part!r} is part of none of {contract.joint_names}')
        self._config, self._control_period = config, contract.control_period
        self._is_arm = torch.as_tensor(
            joints_named(contract.joint_names, config.joints), device=device)
        self._default, self._lower, self._upper = (
            torch.as_tensor(contract.values(key), dtype=torch.float32, device=device)
            for key in ('default', 'lower', 'upper'))
        self.is_moved = torch.zeros(num_envs, dtype=torch.bool, device=device)
        self._at = self._default.repeat(num_envs, 1)
        self._goal = self._at.clone()
        self._time_left = torch.zeros(num_envs, device=device)

    def reset(self, mask: torch.Tensor) -> None:
        """Sample which robots in ``mask`` take part; their arms begin at the default pose."""
        chosen = torch.rand(mask.shape, device=mask.device) < self._config.share
        self.is_moved.copy_(torch.where(mask, chosen, self.is_moved))
        self._at.copy_(torch.where(mask[:, None], self._default, self._at))
        self._time_left.masked_fill_(mask, 0.0)

    def move(self, targets: torch.Tensor) -> torch.Tensor:
        """Return ``targets`` (num_envs, num_joints) [rad] with those of moved arms replaced."""
        n = targets.shape[0]
        due = self._time_left < 0.5 * self._control_period
        goal = arm_goal(torch.rand_like(targets), self._default, self._lower, self._upper,
                        self._config.reach)
        self._goal.copy_(torch.where(due[:, None], goal, self._goal))
        self._time_left.copy_(torch.where(
            due, uniform((n,), self._config.period, targets.device), self._time_left))
        share = (self._control_period / self._time_left).clamp(max=1.0)
        self._at += share[:, None] * (self._goal - self._at)
        self._time_left -= self._control_period
        return replace_targets(targets, self._at, self._moved_joints)

    def at_rest(self, state: RobotState, truth: Truth) -> Tuple[RobotState, Truth]:
        """Return state and truth as if moved arms rested at the default pose, for rewards."""
        moved = self._moved_joints
        return (
            replace(
                state, joint_positions=torch.where(moved, self._default, state.joint_positions),
                joint_velocities=torch.where(moved, 0.0, state.joint_velocities)),
            replace(truth, joint_torques=torch.where(moved, 0.0, truth.joint_torques)))

    def carried(self) -> Dict[str, torch.Tensor]:
        """Return the tensors that carry over from one step to the next."""
        return {'arms_led': self.is_moved, 'arms_at': self._at, 'arms_goal': self._goal,
                'arms_time_left': self._time_left}

    @property
    def _moved_joints(self) -> torch.Tensor:
        return self.is_moved[:, None] & self._is_arm
