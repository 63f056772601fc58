# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Disturbances of the protocol's trials, sampled with NumPy."""

from __future__ import annotations

from typing import Optional, Sequence

import numpy as np

from humanoid_locomotion.core.action import replace_targets
from humanoid_locomotion.core.arrays import Array
from humanoid_locomotion.core.state import JointTargets, RobotState
from humanoid_locomotion.sim.disturbances import DelayLine, SensorNoise, add_noise


class NoisySensors:
    """Adds errors to the measured state.

    Args:
        noise: The largest errors.
        scale: (num_envs,) Factor on the errors of each robot; None for exact sensors.
        seed: Seed of the errors.
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
        delay: (num_envs,) Delay of each robot [control steps]; None for no delay.
    """

    def __init__(self, delay: Optional[np.ndarray]):
        self._delay = delay
        self._line: Optional[DelayLine] = None

    def send(self, targets: Array) -> Array:
        """Return the delayed targets; until the delay has passed, the first targets."""
        if self._delay is None:
            return targets
        if self._line is None:
            self._line = DelayLine(int(self._delay.max()), targets)
            self._line.steps[...] = self._delay
        return self._line.send(targets)


def move_arms(targets: Array, others: Optional[np.ndarray]) -> JointTargets:
    """Return the targets with those of externally moved joints replaced.

    Args:
        targets: (num_envs, num_joints) [rad], from the policy.
        others: (num_envs, num_joints) [rad], NaN where the policy's target is kept; None to keep
            all of them.
    """
    if others is None:
        return JointTargets(targets)
    return JointTargets(
        replace_targets(targets, others, ~np.isnan(others)).astype(np.float32))
