"""Arms that somebody else leads while the legs walk: hands at work, or with a load in them."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, Tuple

import torch

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.backend import Truth
from humanoid_locomotion.training.config import LedArmsConfig
from humanoid_locomotion.training.env.randomization import uniform


class LedArms:
    """Takes the arms of some robots from the policy and moves them from place to place.

    A place is drawn evenly between the default pose and ``reach`` of the way to either limit;
    the way there is a straight line in joint space.

    Args:
        config: The figures.
        contract: Whose joints, limits and default pose.
        num_envs: How many robots.
        device: Where the tensors are.

    Raises:
        ConfigError: A part of a name is part of no joint's.
    """

    def __init__(self, config: LedArmsConfig, contract: PolicyContract, num_envs: int,
                 device: str):
        for part in config.joints:
            if not any(part in name for name in contract.joint_names):
                raise ConfigError('randomization', 'led_arms.joints',
                                  f'{part!r} is part of none of {contract.joint_names}')
        self._config, self._control_period = config, contract.control_period
        self._is_arm = torch.tensor(
            [any(part in name for part in config.joints) for name in contract.joint_names],
            device=device)
        self._default, lower, upper = (
            torch.as_tensor(contract.values(key), dtype=torch.float32, device=device)
            for key in ('default', 'lower', 'upper'))
        self._lowest = self._default + config.reach * (lower - self._default)
        self._highest = self._default + config.reach * (upper - self._default)
        self.is_led = torch.zeros(num_envs, dtype=torch.bool, device=device)
        self._at = self._default.repeat(num_envs, 1)
        self._goal = self._at.clone()
        self._time_left = torch.zeros(num_envs, device=device)

    def reset(self, mask: torch.Tensor) -> None:
        """Draw which of the robots in ``mask`` are led; their arms begin at the default pose."""
        drawn = torch.rand(mask.shape, device=mask.device) < self._config.share
        self.is_led.copy_(torch.where(mask, drawn, self.is_led))
        self._at.copy_(torch.where(mask[:, None], self._default, self._at))
        self._time_left.masked_fill_(mask, 0.0)

    def lead(self, targets: torch.Tensor) -> torch.Tensor:
        """Return ``targets`` (num_envs, num_joints) [rad] with those of led arms replaced."""
        n = targets.shape[0]
        due = self._time_left < 0.5 * self._control_period
        goal = self._lowest + torch.rand_like(targets) * (self._highest - self._lowest)
        self._goal.copy_(torch.where(due[:, None], goal, self._goal))
        self._time_left.copy_(torch.where(
            due, uniform((n,), self._config.period, targets.device), self._time_left))
        share = (self._control_period / self._time_left).clamp(max=1.0)
        self._at += share[:, None] * (self._goal - self._at)
        self._time_left -= self._control_period
        return torch.where(self.is_led[:, None] & self._is_arm, self._at, targets)

    def excuse(self, state: RobotState, truth: Truth) -> Tuple[RobotState, Truth]:
        """Return what the policy is to answer for: led arms rest at the default pose."""
        led = self.is_led[:, None] & self._is_arm
        return (
            replace(state, joint_positions=torch.where(led, self._default, state.joint_positions),
                    joint_velocities=torch.where(led, 0.0, state.joint_velocities)),
            replace(truth, joint_torques=torch.where(led, 0.0, truth.joint_torques)))

    def carried(self) -> Dict[str, torch.Tensor]:
        """Return the tensors that carry over from one step to the next."""
        return {'arms_led': self.is_led, 'arms_at': self._at, 'arms_goal': self._goal,
                'arms_time_left': self._time_left}
