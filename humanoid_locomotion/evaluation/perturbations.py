"""What stands between a policy and its robot in some trials: noise, delay, arms that are led."""

from __future__ import annotations

from typing import Optional, Sequence

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.arrays import Array
from humanoid_locomotion.core.state import JointTargets, RobotState
from humanoid_locomotion.evaluation.protocol import SensorNoise


class NoisySensors:
    """Adds errors to what robots measure.

    Args:
        noise: The largest errors.
        scale: (num_envs,) Factor on them for each robot; None for sensors without errors.
        seed: Of the errors.
    """

    def __init__(self, noise: SensorNoise, scale: Optional[np.ndarray], seed: Sequence[int]):
        self._noise, self._scale = noise, scale
        self._rng = np.random.default_rng(seed)

    def measure(self, state: RobotState) -> RobotState:
        """Return the state as measured; odometry stays exact."""
        if self._scale is None:
            return state
        noise = self._noise
        shake = rotations.small_rotation(
            self._errors((len(self._scale), 3), noise.orientation))
        shape = state.joint_positions.shape
        return RobotState(
            joint_positions=state.joint_positions + self._errors(shape, noise.joint_position),
            joint_velocities=state.joint_velocities + self._errors(shape, noise.joint_velocity),
            base_orientation=rotations.multiply(state.base_orientation, shake),
            base_angular_velocity=state.base_angular_velocity + self._errors(
                state.base_angular_velocity.shape, noise.angular_velocity),
            base_position=state.base_position,
            base_linear_velocity=state.base_linear_velocity)

    def _errors(self, shape: tuple[int, ...], largest: float) -> Array:
        drawn = self._rng.uniform(-largest, largest, shape)
        return (drawn * np.asarray(self._scale)[:, None]).astype(np.float32)


class SlowLine:
    """Hands joint targets on late.

    Args:
        delay: (num_envs,) Control steps by which each robot's targets are late; None for a
            line without delay.
    """

    def __init__(self, delay: Optional[np.ndarray]):
        self._delay = delay
        self._sent: list[Array] = []

    def pass_on(self, targets: Array) -> Array:
        """Return the targets that arrive now; the first ones, until others do."""
        if self._delay is None:
            return targets
        self._sent = [np.array(targets), *self._sent][:int(self._delay.max()) + 1]
        oldest = np.minimum(self._delay, len(self._sent) - 1)
        return np.stack(self._sent)[oldest, np.arange(len(oldest))]


def led(targets: Array, others: Optional[np.ndarray]) -> JointTargets:
    """Return the targets with those joints replaced that somebody else leads.

    Args:
        targets: (num_envs, num_joints) [rad], the policy's.
        others: (num_envs, num_joints) [rad], NaN where the policy's count; None if all do.
    """
    if others is None:
        return JointTargets(targets)
    return JointTargets(np.where(np.isnan(others), targets, others).astype(np.float32))
