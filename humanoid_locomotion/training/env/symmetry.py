"""The mirror through the robot's sagittal plane: left becomes right.

Walking is as good mirrored, so every sample teaches its mirror image as well. A mirror is a
permutation and a sign per number; mirrored twice, everything is as it was.
"""

from __future__ import annotations

from typing import Dict, List, Sequence, Tuple

import numpy as np
import torch

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.observation import ObservationBuilder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.training.env import critic_observation

# How vectors change when y is mirrored: polar ones (velocities) and axial ones (turning rates).
POLAR, AXIAL = (1.0, -1.0, 1.0), (-1.0, 1.0, -1.0)
TERM_SIGNS: Dict[str, Tuple[float, ...]] = {
    'base_position': POLAR,
    'base_linear_velocity': POLAR,
    'base_orientation': (-1.0, 1.0, -1.0, 1.0),
    'base_angular_velocity': AXIAL,
    'projected_gravity': POLAR,
    'gait_clock': (-1.0, -1.0),  # half a stride later
}
OBSERVED_JOINT_TERMS = ('joint_positions', 'joint_positions_from_default', 'joint_velocities')


class Mirror:
    """Mirrors vectors: ``mirrored[i] = sign[i] * vector[source[i]]``."""

    def __init__(self, source: Sequence[int], sign: Sequence[float], device: str = 'cpu'):
        self.source = torch.as_tensor(np.asarray(source), dtype=torch.long, device=device)
        self.sign = torch.as_tensor(np.asarray(sign), dtype=torch.float32, device=device)

    def __call__(self, vector: torch.Tensor) -> torch.Tensor:
        """Return the mirror image of (..., size)."""
        return vector[..., self.source] * self.sign


def joint_mirror(names: Sequence[str], robot: RobotSpec) -> Tuple[List[int], List[float]]:
    """Return where each joint's mirrored angle comes from, and its sign.

    Joints swap sides by name. About x and z a mirrored rotation runs the other way, about y the
    same way.
    """
    axes = {joint.name: joint.axis for joint in robot.joints}
    source, sign = [], []
    for name in names:
        twin = _twin(name)
        if twin not in names:
            raise LocomotionError(
                f'symmetry: joint {name!r} of robot {robot.name!r} has no twin {twin!r}')
        source.append(list(names).index(twin))
        sign.append(1.0 if axes[name] == 'y' else -1.0)
    return source, sign


def _twin(name: str) -> str:
    for side, other in (('left', 'right'), ('right', 'left')):
        if name.startswith(side):
            return other + name[len(side):]
    return name


def action_mirror(contract: PolicyContract, robot: RobotSpec, device: str = 'cpu') -> Mirror:
    """Return the mirror of actions; exact when the default pose is itself symmetric."""
    return Mirror(*joint_mirror(contract.joint_names, robot), device)


def observation_mirror(contract: PolicyContract, robot: RobotSpec,
                       device: str = 'cpu') -> Mirror:
    """Return the mirror of observations, history included."""
    builder = ObservationBuilder(contract)
    observed = joint_mirror(contract.observed_joints, robot)
    commanded = joint_mirror(contract.joint_names, robot)
    source: List[int] = []
    sign: List[float] = []
    term_signs = {**TERM_SIGNS, 'velocity_command': contract.command_limits.mirror_signs}
    for term in builder.slices:
        if term.name in OBSERVED_JOINT_TERMS:
            from_index, signs = observed
        elif term.name == 'previous_action':
            from_index, signs = commanded
        elif term.name in term_signs:
            signs = list(term_signs[term.name])
            from_index = list(range(len(signs)))
        else:
            raise LocomotionError(f'symmetry: no mirror is known for the term {term.name!r}')
        source += [term.start + i for i in from_index]
        sign += signs
    size = builder.frame_size
    return Mirror([frame * size + i for frame in range(builder.history) for i in source],
                  sign * builder.history, device)


def privileged_mirror(device: str = 'cpu') -> Mirror:
    """Return the mirror of what the critic sees beside the observation."""
    source: List[int] = []
    sign: List[float] = []
    for block in critic_observation.BLOCKS:
        source += [len(source) + i for i in block.source]
        sign += list(block.sign)
    return Mirror(source, sign, device)
