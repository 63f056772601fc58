"""The disturbances of the protocol's trials, drawn with NumPy."""

from __future__ import annotations

from typing import Optional, Sequence

import numpy as np

from humanoid_locomotion.core.arrays import Array
from humanoid_locomotion.core.state import JointTargets, RobotState
from humanoid_locomotion.sim.disturbances import (
    DelayLine,
    SensorNoise,
    add_noise,
    replace_targets,
)


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
        return state if self._scale is None else add_noise(state, self._noise, self._errors)

    def _errors(self, shape: tuple[int, ...], largest: float) -> Array:
        drawn = self._rng.uniform(-largest, largest, shape)
        return (drawn * np.asarray(self._scale)[:, None]).astype(np.float32)


class FixedDelay:
    """Delays joint targets by the same number of control steps for a whole trial.

    Args:
        delay: (num_envs,) Control steps of each robot; None for no delay.
    """

    def __init__(self, delay: Optional[np.ndarray]):
        self._delay = delay
        self._line: Optional[DelayLine] = None

    def send(self, targets: Array) -> Array:
        """Return the targets that arrive now; the first ones, until others do."""
        if self._delay is None:
            return targets
        if self._line is None:
            self._line = DelayLine(int(self._delay.max()), targets)
            self._line.steps[...] = self._delay
        return self._line.send(targets)


def move_arms(targets: Array, others: Optional[np.ndarray]) -> JointTargets:
    """Return the targets with those of externally moved joints replaced.

    Args:
        targets: (num_envs, num_joints) [rad], the policy's.
        others: (num_envs, num_joints) [rad], NaN where the policy's count; None if all do.
    """
    if others is None:
        return JointTargets(targets)
    return JointTargets(
        replace_targets(targets, others, ~np.isnan(others)).astype(np.float32))
