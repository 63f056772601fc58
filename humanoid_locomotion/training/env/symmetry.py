# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The mirror through the robot's sagittal plane (y = 0 of the base): left becomes right.

The mirror image of a sample is an equally valid sample, so PPO uses both. A mirror consists of a
permutation and one sign per number; applying it twice gives the original.
"""

from __future__ import annotations

from typing import List, Sequence

import numpy as np
import torch

from humanoid_locomotion.core.action import arm_joints
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.feedback.joint_mirror import joint_mirror
from humanoid_locomotion.core.observation import ObservationBuilder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.terms import (
    ARM_JOINTS,
    COMMAND_AXES,
    COMMANDED_JOINTS,
    LEFT_AND_RIGHT,
    OBSERVED_JOINTS,
    TERMS,
)
from humanoid_locomotion.training.env.rewards.registry import Block


class Mirror:
    """Mirrors vectors: ``mirrored[i] = sign[i] * vector[source[i]]``."""

    def __init__(self, source: Sequence[int], sign: Sequence[float], device: str = 'cpu'):
        self.source = torch.as_tensor(np.asarray(source), dtype=torch.long, device=device)
        self.sign = torch.as_tensor(np.asarray(sign), dtype=torch.float32, device=device)

    def __call__(self, vector: torch.Tensor) -> torch.Tensor:
        """Return the mirror image of (..., size)."""
        return vector[..., self.source] * self.sign


def action_mirror(contract: PolicyContract, robot: RobotSpec, device: str = 'cpu') -> Mirror:
    """Return the mirror of actions; exact when the default pose is itself symmetric."""
    return Mirror(*joint_mirror(contract.commanded_joints, robot), device)


def observation_mirror(contract: PolicyContract, robot: RobotSpec,
                       device: str = 'cpu') -> Mirror:
    """Return the mirror of observations, history included."""
    builder = ObservationBuilder(contract)
    axes = contract.command_limits.mirror_signs
    named = {OBSERVED_JOINTS: joint_mirror(contract.observed_joints, robot),
             COMMANDED_JOINTS: joint_mirror(contract.commanded_joints, robot),
             ARM_JOINTS: joint_mirror([name for name in contract.joint_names
                                       if arm_joints([name])[0]], robot),
             COMMAND_AXES: (list(range(len(axes))), list(axes)),
             LEFT_AND_RIGHT: ([1, 0], [1.0, 1.0])}
    source: List[int] = []
    sign: List[float] = []
    for term, spec in zip(builder.slices, contract.observation.terms):
        mirror = TERMS[term.name].mirror
        from_index, signs = named[mirror] if isinstance(mirror, str) else (
            list(range(len(mirror))), list(mirror))
        if len(signs) != term.stop - term.start:
            raise ConfigError('observation', term.name, f'has {term.stop - term.start} numbers, '
                              f'and its mirror {len(signs)} signs; expected as many')
        if isinstance(spec.scale, tuple) and len(spec.scale) > 1 and any(
                spec.scale[i] != scale for i, scale in zip(from_index, spec.scale)):
            raise ConfigError('observation', term.name, 'the mirror image exchanges numbers whose '
                              f'scales differ in {list(spec.scale)}; expected the same scale left '
                              'and right')
        if term.name in ('gait_clock', 'phase_cosine') and contract.gait is not None and (
                contract.gait.at_rest in ('half_stride', 'stride_start')):
            raise ConfigError('observation', term.name, 'has no mirror image with gait.at_rest '
                              f'{contract.gait.at_rest}; expected leg_phase_sines and '
                              'leg_phase_cosines')
        source += [term.start + i for i in from_index]
        sign += signs
    size, columns = builder.frame_size, builder.columns
    at = {column: i for i, column in enumerate(columns)}
    return Mirror([at[column - column % size + source[column % size]] for column in columns],
                  [sign[column % size] for column in columns], device)


def critic_mirror(blocks: Sequence[Block], device: str = 'cpu') -> Mirror:
    """Return the mirror of the critic's additional observation, given its blocks."""
    source: List[int] = []
    sign: List[float] = []
    for block in blocks:
        source += [len(source) + i for i in block.source]
        sign += list(block.sign)
    return Mirror(source, sign, device)
