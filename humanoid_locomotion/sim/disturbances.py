# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Disturbances between a policy and its robot: sensor noise and delay.

Training and evaluation share them, on PyTorch and on NumPy; each draws random numbers its own way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Tuple

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.arrays import Array, Constant, namespace
from humanoid_locomotion.core.state import RobotState


@dataclass(frozen=True)
class SensorNoise:
    """Largest error of each measurement, drawn anew in every control step, uniform.

    Attributes:
        joint_position: [rad].
        joint_velocity: [rad/s].
        angular_velocity: [rad/s].
        orientation: [rad] about each axis.
    """

    joint_position: float = 0.01
    joint_velocity: float = 0.5
    angular_velocity: float = 0.2
    orientation: float = 0.02


def add_noise(state: RobotState, noise: SensorNoise,
              errors: Callable[[Tuple[int, ...], float], Array]) -> RobotState:
    """Return a state with measurement errors; odometry stays exact.

    Args:
        state: The state without these errors.
        noise: The largest errors.
        errors: ``errors(shape, largest)`` draws numbers from [-largest, largest].
    """
    shape = tuple(state.joint_positions.shape)
    vector = (shape[0], 3)
    shake = rotations.small_rotation(errors(vector, noise.orientation))
    return RobotState(
        joint_positions=state.joint_positions + errors(shape, noise.joint_position),
        joint_velocities=state.joint_velocities + errors(shape, noise.joint_velocity),
        base_orientation=rotations.multiply(state.base_orientation, shake),
        base_angular_velocity=state.base_angular_velocity
        + errors(vector, noise.angular_velocity),
        base_position=state.base_position,
        base_linear_velocity=state.base_linear_velocity)


class DelayLine:
    """Delays each robot's joint targets by some control steps.

    Args:
        max_steps: The longest delay.
        rest: (num_envs, num_joints) The targets before the first, NumPy or PyTorch.

    Attributes:
        steps: (num_envs,) int64, the delay of each robot.
        sent: (max_steps + 1, num_envs, num_joints) The last targets, newest first.
    """

    def __init__(self, max_steps: int, rest: Array):
        xp = namespace(rest)
        self.sent = xp.stack([rest] * (max_steps + 1))
        self.steps = xp.zeros_like(rest[:, 0], dtype=xp.int64)
        self._robots = Constant(np.arange(len(rest)), dtype=np.int64)

    def reset(self, mask: Array, rest: Array, steps: Array) -> None:
        """Forget what was sent to the robots in ``mask``, and set their delays.

        Args:
            mask: (num_envs,) bool.
            rest: (num_envs, num_joints) The targets before the first.
            steps: (num_envs,) int64 The new delays.
        """
        where = namespace(rest).where
        self.steps[...] = where(mask, steps, self.steps)
        self.sent[...] = where(mask[:, None], rest, self.sent)

    def send(self, targets: Array) -> Array:
        """Send new targets (num_envs, num_joints); return those that arrive now."""
        xp = namespace(targets)
        join = xp.concatenate if xp is np else xp.cat
        self.sent[...] = join((targets[None], self.sent[:-1]), 0)
        return self.sent[self.steps, self._robots.like(self.steps)]
