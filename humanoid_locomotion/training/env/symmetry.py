# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The mirror through the robot's sagittal plane (y = 0 of the base): left becomes right.

The mirror image of a sample is an equally valid sample, so PPO uses both. A mirror consists of a
permutation and one sign per number; applying it twice gives the original.
"""

from __future__ import annotations

from typing import Dict, List, Sequence, Tuple

import numpy as np
import torch

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.feedback.kinematics import JointLine, joint_lines
from humanoid_locomotion.core.observation import ObservationBuilder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.terms import (
    COMMAND_AXES,
    COMMANDED_JOINTS,
    LEFT_AND_RIGHT,
    OBSERVED_JOINTS,
    TERMS,
)
from humanoid_locomotion.training.env.rewards.registry import Block

POSITION_TOLERANCE = 0.01  # [m] between a joint's mirrored anchor and its twin's
AXIS_TOLERANCE = 0.02      # 1 - |cosine| between a joint's mirrored axis and its twin's
REFLECTION = np.array([1.0, -1.0, 1.0])


class Mirror:
    """Mirrors vectors: ``mirrored[i] = sign[i] * vector[source[i]]``."""

    def __init__(self, source: Sequence[int], sign: Sequence[float], device: str = 'cpu'):
        self.source = torch.as_tensor(np.asarray(source), dtype=torch.long, device=device)
        self.sign = torch.as_tensor(np.asarray(sign), dtype=torch.float32, device=device)

    def __call__(self, vector: torch.Tensor) -> torch.Tensor:
        """Return the mirror image of (..., size)."""
        return vector[..., self.source] * self.sign


def joint_mirror(names: Sequence[str], robot: RobotSpec) -> Tuple[List[int], List[float]]:
    """Return, for each joint of the mirror image, the index of its source and the sign.

    The source of a joint is its twin. Two joints are twins if their axes are mirror images of each
    other in the default pose, or if ``mirrored_joints`` of the robot names them. The sign follows
    from the two axes.

    Args:
        names: The joints, in the order of the vector to mirror.
        robot: The robot.

    Raises:
        ConfigError: A joint has no twin in the model, or more than one, or its twin is not among
            ``names``.
    """
    lines = joint_lines(robot)
    twins = _twins(names, robot, lines)
    source = [list(names).index(twins[name]) for name in names]
    # A mirrored rotation has the opposite direction about the mirrored axis.
    sign = [1.0 if -(lines[name].axis * REFLECTION) @ lines[twins[name]].axis > 0.0 else -1.0
            for name in names]
    return source, sign


def _twins(names: Sequence[str], robot: RobotSpec,
           lines: Dict[str, JointLine]) -> Dict[str, str]:
    given = dict(robot.mirrored_joints or {})
    given.update({twin: name for name, twin in given.items()})
    twins = {}
    for name in names:
        if name not in lines:
            raise ConfigError(robot.mjcf_path, f'joint {name!r}',
                              f'there is none below {robot.base_link!r}')
        found = [given[name]] if name in given else [
            other for other in names if other in lines and _is_image(lines[name], lines[other])]
        if len(found) != 1 or found[0] not in names:
            what = f'fit {found}' if found else 'fits none'
            raise ConfigError(
                f'{robot.folder}/robot.yaml', 'mirrored_joints', f'of the joints {list(names)}, '
                f'{what} the mirror image of {name!r} in the default pose; expected '
                f'{name}: TWIN here, or a default pose that is symmetric')
        twins[name] = found[0]
    return twins


def _is_image(line: JointLine, other: JointLine) -> bool:
    apart = np.linalg.norm(line.anchor * REFLECTION - other.anchor)
    parallel = abs((line.axis * REFLECTION) @ other.axis)
    return bool(apart < POSITION_TOLERANCE and parallel > 1.0 - AXIS_TOLERANCE)


def action_mirror(contract: PolicyContract, robot: RobotSpec, device: str = 'cpu') -> Mirror:
    """Return the mirror of actions; exact when the default pose is itself symmetric."""
    return Mirror(*joint_mirror(contract.joint_names, robot), device)


def observation_mirror(contract: PolicyContract, robot: RobotSpec,
                       device: str = 'cpu') -> Mirror:
    """Return the mirror of observations, history included."""
    builder = ObservationBuilder(contract)
    axes = contract.command_limits.mirror_signs
    named = {OBSERVED_JOINTS: joint_mirror(contract.observed_joints, robot),
             COMMANDED_JOINTS: joint_mirror(contract.joint_names, robot),
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
        if term.name == 'gait_clock' and contract.gait is not None and (
                contract.gait.at_rest == 'half_stride'):
            raise ConfigError('observation', term.name, 'has no mirror image with gait.at_rest '
                              'half_stride; expected leg_phase_sines and leg_phase_cosines')
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
