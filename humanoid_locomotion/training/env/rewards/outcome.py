# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The data from which reward terms are computed."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.robot import GRAVITY
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.backend import Truth


class RewardContext:
    """Constants of the simulated robots that reward terms may use.

    Attributes:
        contract: The contract that the policy is trained with.
        default_pose: (num_joints,) [rad].
        body_weight: Weight of one robot [N].
        num_envs: Number of robots.
        device: Device of the tensors.
    """

    def __init__(self, contract: PolicyContract, robot_mass: float, num_envs: int, device: str):
        self.contract, self.num_envs, self.device = contract, num_envs, device
        self.default_pose = self.tensor(contract.values('default'))
        self.body_weight = robot_mass * GRAVITY

    def tensor(self, values: object) -> torch.Tensor:
        """Return values as a float32 tensor on the robots' device."""
        return torch.as_tensor(values, dtype=torch.float32, device=self.device)


@dataclass(frozen=True)
class Outcome:
    """The result of one control step of all robots.

    Attributes:
        context: Constants of the robots.
        state: The state without sensor errors.
        truth: Values that only the simulator has.
        velocity: (num_envs, 3) horizontal, in the heading frame [m/s], and yaw rate [rad/s].
        command: (num_envs, size) the command of this step: the velocity in the same frame and
            units, then further axes in the order of the contract's ``command_limits``.
        action: (num_envs, num_actions) the action of this step.
        previous_action: (num_envs, num_actions) the action of the step before.
        joint_accelerations: (num_envs, num_joints) [rad/s^2], over the control step.
        phase: (num_envs,) of the gait clock, in [0, 1).
        moving: (num_envs,) 1 where the command asks for walking, else 0.
        recovered: (num_envs,) 0 in the transition after a kick or a reset, else 1.
        foot_drift: (num_envs, 2, 2) averaged velocity of the soles of standing robots, x and y
            in the world frame [m/s].
        tracking_error: (num_envs, 3) averaged velocity command minus velocity [m/s, m/s, rad/s].
    """

    context: RewardContext
    state: RobotState
    truth: Truth
    velocity: torch.Tensor
    command: torch.Tensor
    action: torch.Tensor
    previous_action: torch.Tensor
    joint_accelerations: torch.Tensor
    phase: torch.Tensor
    moving: torch.Tensor
    recovered: torch.Tensor
    foot_drift: torch.Tensor
    tracking_error: torch.Tensor
