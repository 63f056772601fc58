# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Joint targets of a policy and of external arm motion, and the torques that they cause."""

from __future__ import annotations

from typing import Dict, Sequence, Tuple

import numpy as np

from humanoid_locomotion.core.arrays import Array, Constant, clip, float32, namespace
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.state import JointTargets

# Arms that the evaluation moves externally: the parts of their joints' names, and the share of
# the distance from the default pose to either limit.
ARM_PARTS, ARM_REACH = ('arm', 'shoulder', 'sho_', 'elbow', 'wrist', 'hand'), 0.5


class ActionMapper:
    """Maps actions (num_envs, num_actions) to joint targets, clipped as the contract says.

    ``default_offset``: target = default + action_scale * action.
    ``joint_range``: an action in [-1, 1] maps linearly onto [lower, upper].
    The target of a joint that is not commanded is its default position.
    """

    def __init__(self, contract: PolicyContract):
        lower, upper = contract.values('lower'), contract.values('upper')
        if contract.action_mode == 'default_offset':
            offset, scale = contract.values('default'), contract.values('action_scale')
        else:
            offset, scale = 0.5 * (upper + lower), 0.5 * (upper - lower)
        self._commanded, self._columns = contract.commanded_places, None
        if contract.commanded is not None:
            # The action of each joint; that of a held joint is multiplied by zero.
            columns, is_held = np.zeros(len(offset), np.int64), np.ones(len(offset), bool)
            columns[self._commanded] = np.arange(contract.num_actions)
            is_held[self._commanded] = False
            offset = np.where(is_held, contract.values('default'), offset)
            scale = np.where(is_held, 0.0, scale)
            self._columns = Constant(columns, np.int64)
        self._offset, self._scale = Constant(offset), Constant(scale)
        self._lower, self._upper = Constant(lower), Constant(upper)
        self._clips = contract.clips_targets

    def targets(self, action: Array) -> JointTargets:
        """Return the joint targets of an action."""
        action = float32(action)
        if self._columns is not None:
            action = action[:, self._columns.like(action)]
        positions = self._offset.like(action) + self._scale.like(action) * action
        if self._clips:
            positions = clip(positions, self._lower.like(action), self._upper.like(action))
        return JointTargets(positions)

    @property
    def action_bounds(self) -> Tuple[np.ndarray, np.ndarray]:
        """The actions, (num_actions,) each, whose targets are the lower and the upper limits."""
        lower, upper, offset, scale = (
            it.value[self._commanded]
            for it in (self._lower, self._upper, self._offset, self._scale))
        return (lower - offset) / scale, (upper - offset) / scale


def pd_torque(targets: JointTargets, positions: Array, velocities: Array, kp: Array, kd: Array,
              effort: Array) -> Array:
    """Return the torque of the joints' position controllers [Nm], (num_envs, num_joints).

    ``kp (target - q) + kd (0 - dq)``, clipped to ``effort``. Simulators and drivers apply this
    law at their own, higher rate; a policy never sees it.
    """
    torque = kp * (targets.positions - positions) - kd * velocities
    return namespace(torque).clip(torque, -effort, effort)


def arm_joints(names: Sequence[str]) -> np.ndarray:
    """Tell which joints belong to the arms, (num_joints,) bool."""
    return joints_named(names, ARM_PARTS)


def joints_named(names: Sequence[str], parts: Sequence[str]) -> np.ndarray:
    """Tell which joints have one of some parts in their names, in any case, (num_joints,) bool."""
    return np.array([any(part.lower() in name.lower() for part in parts) for name in names],
                    dtype=bool)


def arm_goal(share: Array, default: Array, lower: Array, upper: Array, reach: float) -> Array:
    """Return joint positions between the default pose and the limits.

    Args:
        share: (..., num_joints) 0 for the lowest, 1 for the highest position.
        default: (num_joints,) [rad].
        lower: (num_joints,) Lower limits [rad].
        upper: (num_joints,) Upper limits [rad].
        reach: Share of the distance from the default pose to either limit that is used.

    Returns:
        (..., num_joints) [rad].
    """
    below, above = lower - default, upper - default
    return default + reach * (below + share * (above - below))


def tested_arm_range(contract: PolicyContract) -> Dict[str, Tuple[float, float]]:
    """Return the range in which the evaluation moves each joint of the arms [rad], by name."""
    default, lower, upper = (contract.values(key) for key in ('default', 'lower', 'upper'))
    low, high = (arm_goal(share, default, lower, upper, ARM_REACH) for share in (0.0, 1.0))
    return {name: (float(low[i]), float(high[i])) for i, name in enumerate(contract.joint_names)
            if arm_joints([name])[0]}


def replace_targets(targets: Array, others: Array, is_replaced: Array) -> Array:
    """Return joint targets with those of externally moved joints replaced.

    Training, evaluation and the node replace targets only: the policy observes the measured
    joints and its own last action, as if its targets were applied.

    Args:
        targets: (..., num_joints) The policy's targets [rad].
        others: (..., num_joints) The targets of the others [rad].
        is_replaced: (..., num_joints) bool.
    """
    return namespace(targets).where(is_replaced, others, targets)
