# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Small contracts and random states that the tests of ``core`` share."""

from __future__ import annotations

import dataclasses

import numpy as np

from humanoid_locomotion.core.command import CommandSpec, GaitSpec
from humanoid_locomotion.core.contract import (
    FORMAT_VERSION,
    JointContract,
    ObservationSpec,
    PolicyContract,
)
from humanoid_locomotion.core.feedback.leg_odometry import LegSpec
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.core.terms import LAYOUTS

LIMITS = CommandSpec.of(lin_vel_x=(-0.5, 1.0), lin_vel_y=(-0.4, 0.4), ang_vel_z=(-1.0, 1.0))

# Straight legs of 1 m: each has a joint that pitches it, then one that rolls it.
LEGS = tuple(LegSpec(joints, ((0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),
                     ((0.0, y, 0.0), (0.0, y, 0.0)), (0.0, y, -1.0))
             for joints, y in ((('j0', 'j1'), 0.1), (('j2', 'j3'), -0.1)))


def contract(num_joints: int = 4, layout: str = 'proprioceptive', observed: int | None = None,
             history: int = 1, **changes: object) -> PolicyContract:
    """Give a contract for joints ``j0``, ``j1`` and so on, of which the last are observed."""
    joints = tuple(
        JointContract(name=f'j{i}', default=0.1 * i, lower=0.1 * i - 1.0, upper=0.1 * i + 2.0,
                      kp=50.0 + i, kd=2.0, effort=30.0, action_scale=0.25)
        for i in range(num_joints))
    names = None if observed is None else tuple(j.name for j in joints[-observed:])
    made = PolicyContract(
        format_version=FORMAT_VERSION, robot='sample', model_hash='0' * 16, control_period=0.02,
        action_mode='default_offset', joints=joints,
        observation=ObservationSpec(layout, LAYOUTS[layout], history, names),
        command_limits=LIMITS,
        gait=GaitSpec(period=0.8, moving_threshold=0.1) if layout.endswith('clock') else None)
    return dataclasses.replace(made, **changes)


def state(rng: np.random.Generator, num_envs: int, num_joints: int) -> RobotState:
    """Give random states, single precision, odometry included."""
    quaternion = rng.normal(size=(num_envs, 4))
    quaternion /= np.linalg.norm(quaternion, axis=1, keepdims=True)
    return RobotState(**{key: np.asarray(value, np.float32) for key, value in {
        'joint_positions': rng.normal(size=(num_envs, num_joints)),
        'joint_velocities': rng.normal(size=(num_envs, num_joints)),
        'base_orientation': quaternion,
        'base_angular_velocity': rng.normal(size=(num_envs, 3)),
        'base_position': rng.normal(size=(num_envs, 3)),
        'base_linear_velocity': rng.normal(size=(num_envs, 3))}.items()})


def command(rng: np.random.Generator, num_envs: int) -> np.ndarray:
    """Give random commands within the limits."""
    return rng.uniform(LIMITS.lower, LIMITS.upper, (num_envs, 3)).astype(np.float32)


def row(batch: RobotState, i: int) -> RobotState:
    """Give one robot of a batch, as a batch of one."""
    return RobotState(**{key: value[i:i + 1] for key, value in vars(batch).items()})


def as_torch(batch: RobotState) -> RobotState:
    """Give the same states as tensors."""
    import torch
    return RobotState(**{key: torch.as_tensor(value) for key, value in vars(batch).items()})
