# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recordings made by hand, for worked examples."""

from __future__ import annotations

import numpy as np

from humanoid_locomotion.evaluation.runner import Recording

PERIOD = 0.02


def recording(steps: int = 4, robots: int = 1, joints: int = 2, **arrays: object) -> Recording:
    """Give robots that stand still at 0.9 m, with some arrays replaced (and broadcast)."""
    still = {
        'commands': np.zeros((steps, robots, 3)),
        'positions': np.tile([0.0, 0.0, 0.9], (steps, robots, 1)),
        'yaws': np.zeros((steps, robots)), 'tilts': np.zeros((steps, robots)),
        'velocities': np.zeros((steps, robots, 3)),
        'joint_velocities': np.zeros((steps, robots, joints)),
        'joint_torques': np.zeros((steps, robots, joints)),
        'joint_targets': np.zeros((steps, robots, joints)),
        'sole_speeds': np.zeros((steps, robots, 2)), 'sole_forces': np.zeros((steps, robots, 2))}
    return Recording(period=PERIOD, **{
        key: np.broadcast_to(np.asarray(arrays.get(key, value), float), value.shape).copy()
        for key, value in still.items()})
