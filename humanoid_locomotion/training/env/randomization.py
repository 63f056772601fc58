"""What makes the simulated robots differ: physics, sensors, starts and pushes."""

from __future__ import annotations

from typing import Any, Sequence, Tuple

import numpy as np
import torch

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.arrays import Constant
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.backend import PhysicsVariation, ResetState, SimBackend
from humanoid_locomotion.training.config import NoiseConfig, RandomizationConfig

MOSTLY_HORIZONTAL = Constant([1.0, 1.0, 0.2])


def uniform(shape: Sequence[int], bounds: Tuple[float, float], device: Any) -> torch.Tensor:
    """Sample uniformly from ``bounds``, with PyTorch's generator, which CUDA graphs replay."""
    low, high = bounds
    return low + (high - low) * torch.rand(tuple(shape), device=device)


def symmetric(shape: Sequence[int], largest: float, device: Any) -> torch.Tensor:
    """Return numbers drawn evenly from [-largest, largest]."""
    return uniform(shape, (-largest, largest), device)


def draw_physics(config: RandomizationConfig, num_envs: int, num_joints: int,
                 seed: int) -> PhysicsVariation:
    """Return physics for every robot; drawn once, since not every simulator can change later."""
    rng = np.random.default_rng(seed)
    return PhysicsVariation(
        friction=rng.uniform(*config.friction, num_envs),
        mass_scale=rng.uniform(*config.mass_scale, num_envs),
        payload=rng.uniform(*config.payload, num_envs),
        com_offset=rng.uniform(-config.com_offset, config.com_offset, (num_envs, 3)),
        kp_scale=rng.uniform(*config.gain_scale, (num_envs, num_joints)),
        kd_scale=rng.uniform(*config.gain_scale, (num_envs, num_joints)))


class Sensors:
    """Turns the true state into what imperfect sensors report.

    Encoder biases and the IMU's mounting error are drawn at each reset, noise at each step.
    """

    def __init__(self, randomization: RandomizationConfig, noise: NoiseConfig, num_envs: int,
                 num_joints: int, device: str):
        self._randomization, self._noise = randomization, noise
        self.encoder_bias = torch.zeros(num_envs, num_joints, device=device)
        self.imu_mounting = torch.zeros(num_envs, 4, device=device)
        self.imu_mounting[:, 3] = 1.0

    def reset(self, mask: torch.Tensor) -> None:
        """Draw new constant errors for the robots in ``mask``."""
        config, device = self._randomization, self.encoder_bias.device
        bias = symmetric(self.encoder_bias.shape, config.encoder_bias, device)
        tilt = symmetric((mask.shape[0], 3), config.imu_tilt, device)
        self.encoder_bias.copy_(torch.where(mask[:, None], bias, self.encoder_bias))
        self.imu_mounting.copy_(torch.where(
            mask[:, None], rotations.small_rotation(tilt), self.imu_mounting))

    def measure(self, state: RobotState) -> RobotState:
        """Return the state as measured; odometry, where a simulator gives it, stays exact."""
        noise, device, n = self._noise, self.encoder_bias.device, self.encoder_bias.shape[0]
        shake = rotations.small_rotation(symmetric((n, 3), noise.orientation, device))
        seen = rotations.multiply(self.imu_mounting, shake)
        return RobotState(
            joint_positions=state.joint_positions + self.encoder_bias
            + symmetric(self.encoder_bias.shape, noise.joint_position, device),
            joint_velocities=state.joint_velocities
            + symmetric(self.encoder_bias.shape, noise.joint_velocity, device),
            base_orientation=rotations.multiply(state.base_orientation, seen),
            base_angular_velocity=rotations.rotate_inverse(
                self.imu_mounting, state.base_angular_velocity)
            + symmetric((n, 3), noise.angular_velocity, device),
            base_position=state.base_position,
            base_linear_velocity=state.base_linear_velocity)


def draw_start(config: RandomizationConfig, backend: SimBackend,
               default: ResetState) -> ResetState:
    """Return a start for every robot: near the default pose, any heading, slightly moving."""
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
    """Kicks each robot at random times.

    Args:
        strength: () factor on all kicks; read in each step.
    """

    def __init__(self, config: RandomizationConfig, control_period: float, num_envs: int,
                 strength: torch.Tensor):
        self._config, self._control_period, self._strength = config, control_period, strength
        self.time_left = uniform((num_envs,), config.push_period, strength.device)

    def step(self) -> Tuple[torch.Tensor, torch.Tensor]:
        """Count one control step; return linear and angular kicks, zero for most robots."""
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


class DelayLine:
    """Holds each robot's targets back by some control steps, as many as are drawn per episode.

    Args:
        max_steps: The most control steps.
        rest: (num_envs, num_joints) Targets before the first.

    Attributes:
        steps: (num_envs,) How late each robot's targets are.
        sent: (max_steps + 1, num_envs, num_joints) The last targets, newest first.
    """

    def __init__(self, max_steps: int, rest: torch.Tensor):
        self.steps = torch.zeros(rest.shape[0], dtype=torch.long, device=rest.device)
        self.sent = rest.repeat(max_steps + 1, 1, 1)

    def reset(self, mask: torch.Tensor, rest: torch.Tensor) -> None:
        """Forget what was sent to the robots in ``mask``, and draw how late they are."""
        count = self.sent.shape[0]
        drawn = (torch.rand(self.steps.shape, device=self.steps.device) * count).long()
        self.steps.copy_(torch.where(mask, drawn, self.steps))
        self.sent.copy_(torch.where(mask[:, None], rest, self.sent))

    def send(self, targets: torch.Tensor) -> torch.Tensor:
        """Send new targets (num_envs, num_joints); return those that arrive now."""
        self.sent.copy_(torch.cat((targets[None], self.sent[:-1])))
        late = self.steps[None, :, None].expand(1, *targets.shape)
        return self.sent.gather(0, late)[0]
