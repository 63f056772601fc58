"""Converts a policy's action to joint targets, and joint targets to PD torques."""

from __future__ import annotations

from typing import Tuple

import numpy as np

from humanoid_locomotion.core.arrays import Array, Constant, clip, float32, namespace
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.state import JointTargets


class ActionMapper:
    """Maps actions (num_envs, num_actions) to joint targets, clipped to the joint limits.

    ``default_offset``: target = default + action_scale * action.
    ``joint_range``: an action in [-1, 1] maps linearly onto [lower, upper].
    """

    def __init__(self, contract: PolicyContract):
        lower, upper = contract.values('lower'), contract.values('upper')
        if contract.action_mode == 'default_offset':
            offset, scale = contract.values('default'), contract.values('action_scale')
        else:
            offset, scale = 0.5 * (upper + lower), 0.5 * (upper - lower)
        self._offset, self._scale = Constant(offset), Constant(scale)
        self._lower, self._upper = Constant(lower), Constant(upper)

    def targets(self, action: Array) -> JointTargets:
        """Return the joint targets of an action."""
        action = float32(action)
        positions = self._offset.like(action) + self._scale.like(action) * action
        return JointTargets(clip(
            positions, self._lower.like(action), self._upper.like(action)))

    @property
    def action_bounds(self) -> Tuple[np.ndarray, np.ndarray]:
        """The actions, (num_actions,) each, whose targets are the lower and the upper limits."""
        offset, scale = self._offset.value, self._scale.value
        return (self._lower.value - offset) / scale, (self._upper.value - offset) / scale


def pd_torque(targets: JointTargets, positions: Array, velocities: Array, kp: Array, kd: Array,
              effort: Array) -> Array:
    """Return the torque of the joints' position controllers [Nm], (num_envs, num_joints).

    ``kp (target - q) + kd (0 - dq)``, clipped to ``effort``. Simulators and drivers apply this
    law at their own, higher rate; a policy never sees it.
    """
    torque = kp * (targets.positions - positions) - kd * velocities
    return namespace(torque).clip(torque, -effort, effort)
