# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Domain randomisation: physics, sensor errors, start states, delays and pushes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Sequence, Tuple

import numpy as np
import torch

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.arrays import Constant
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.backend import PhysicsVariation, ResetState, SimBackend
from humanoid_locomotion.sim.disturbances import SensorNoise, add_noise
from humanoid_locomotion.training.randomization_config import RandomizationConfig

MOSTLY_HORIZONTAL = Constant([1.0, 1.0, 0.2])


def uniform(shape: Sequence[int], bounds: Tuple[float, float], device: Any) -> torch.Tensor:
    """Sample uniformly from ``bounds``, with PyTorch's generator, which works in CUDA graphs."""
    low, high = bounds
    return low + (high - low) * torch.rand(tuple(shape), device=device)


def symmetric(shape: Sequence[int], largest: float, device: Any) -> torch.Tensor:
    """Sample uniformly from [-largest, largest]."""
    return uniform(shape, (-largest, largest), device)


def sample_physics(config: RandomizationConfig, num_envs: int, num_joints: int,
                 seed: int) -> PhysicsVariation:
    """Sample the physics of every robot; done once, as some simulators cannot change it later."""
    rng = np.random.default_rng(seed)
    return PhysicsVariation(
        friction=rng.uniform(*config.friction, num_envs),
        mass_scale=rng.uniform(*config.mass_scale, num_envs),
        payload=rng.uniform(*config.payload, num_envs),
        com_offset=rng.uniform(-config.com_offset, config.com_offset, (num_envs, 3)),
        kp_scale=rng.uniform(*config.gain_scale, (num_envs, num_joints)),
        kd_scale=rng.uniform(*config.gain_scale, (num_envs, num_joints)),
        link_payload={name: rng.uniform(*masses, num_envs)
                      for name, masses in config.link_payload.items()})


class Sensors:
    """Adds sensor errors to the true state.

    Encoder biases and the IMU's mounting error are sampled at each reset, noise at each step.
    """

    def __init__(self, randomization: RandomizationConfig, noise: SensorNoise, num_envs: int,
                 num_joints: int, device: str):
        self._randomization, self._noise = randomization, noise
        self.encoder_bias = torch.zeros(num_envs, num_joints, device=device)
        self.imu_mounting = torch.zeros(num_envs, 4, device=device)
        self.imu_mounting[:, 3] = 1.0

    def reset(self, mask: torch.Tensor) -> None:
        """Sample new constant errors for the robots in ``mask``."""
        config, device = self._randomization, self.encoder_bias.device
        bias = symmetric(self.encoder_bias.shape, config.encoder_bias, device)
        tilt = symmetric((mask.shape[0], 3), config.imu_tilt, device)
        self.encoder_bias.copy_(torch.where(mask[:, None], bias, self.encoder_bias))
        self.imu_mounting.copy_(torch.where(
            mask[:, None], rotations.small_rotation(tilt), self.imu_mounting))

    def measure(self, state: RobotState) -> RobotState:
        """Return the state with sensor errors; odometry, if the simulator has it, stays exact."""
        device = self.encoder_bias.device
        biased = replace(
            state, joint_positions=state.joint_positions + self.encoder_bias,
            base_orientation=rotations.multiply(state.base_orientation, self.imu_mounting),
            base_angular_velocity=rotations.rotate_inverse(
                self.imu_mounting, state.base_angular_velocity))
        return add_noise(biased, self._noise,
                         lambda shape, largest: symmetric(shape, largest, device))


def sample_start(config: RandomizationConfig, backend: SimBackend,
               default: ResetState) -> ResetState:
    """Sample start states: near the default pose, any heading, slightly moving."""
    device, n = backend.device, backend.num_envs
    heading = symmetric((n,), float(np.pi), device)
    velocity = symmetric((n, 3), config.reset_velocity, device)
    joints = default.joint_positions
    return ResetState(
        base_position=default.base_position,
        base_orientation=rotations.yaw_quaternion(heading),
        base_linear_velocity=velocity * MOSTLY_HORIZONTAL.like(velocity),
        base_angular_velocity=symmetric((n, 3), config.reset_velocity, device),
        joint_positions=joints + symmetric(joints.shape, config.joint_offset, device),
        joint_velocities=torch.zeros_like(joints))


class Pusher:
    """Pushes each robot at random times.

    Args:
        strength: () factor on all pushes; read in each step.
    """

    def __init__(self, config: RandomizationConfig, control_period: float, num_envs: int,
                 strength: torch.Tensor):
        self._config, self._control_period, self._strength = config, control_period, strength
        self.time_left = uniform((num_envs,), config.push_period, strength.device)

    def step(self) -> Tuple[torch.Tensor, torch.Tensor]:
        """Advance by one control step; return the velocities to add, zero without a push.

        Returns:
            (num_envs, 3) linear [m/s] and (num_envs, 3) angular [rad/s].
        """
        n, device = self.time_left.shape[0], self.time_left.device
        self.time_left -= self._control_period
        due = self.time_left <= 0.0
        self.time_left.copy_(torch.where(
            due, uniform((n,), self._config.push_period, device), self.time_left))
        linear = symmetric((n, 3), self._config.push_velocity, device)
        angular = symmetric((n, 3), self._config.push_yaw_rate, device)
        flat = torch.stack((due, due, torch.zeros_like(due)), -1)
        vertical = torch.stack((torch.zeros_like(due), torch.zeros_like(due), due), -1)
        return linear * flat * self._strength, angular * vertical * self._strength


def sample_feedback(config: RandomizationConfig, num_envs: int, device: Any) -> torch.Tensor:
    """Sample the strength of the velocity feedback of every robot, (num_envs, 1)."""
    strength = uniform((num_envs, 1), config.feedback_scale, device)
    return strength * (torch.rand(num_envs, 1, device=device) >= config.feedback_absent)


def sample_delay(max_steps: int, num_envs: int, device: Any) -> torch.Tensor:
    """Sample a delay of 0 to ``max_steps`` control steps for every robot, (num_envs,) int64."""
    return (torch.rand(num_envs, device=device) * (max_steps + 1)).long()
