# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Golden steps: recorded control steps that are replayed whenever a policy is opened."""

from __future__ import annotations

from typing import Any, Dict, List

import numpy as np

from humanoid_locomotion.core.arrays import Array, Constant
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.controller import Controller, Policy
from humanoid_locomotion.core.state import RobotState

# Velocity commands, and the control steps that each lasts; further axes are at rest.
GOLDEN_WALK = (((0.0, 0.0, 0.0), 25), ((0.5, 0.0, 0.0), 50), ((0.0, 0.3, 0.0), 25),
               ((0.0, 0.0, 0.5), 25), ((0.0, 0.0, 0.0), 25))
RECURRENT_SHARE = 0.2


def tumbling_states(contract: PolicyContract, share: float = 1.0) -> List[Dict[str, np.ndarray]]:
    """Return states in which every value changes, each with its command.

    They resemble a robot that is turned by hand: not physical, but every observation term varies.

    Args:
        contract: The contract of the policy.
        share: Share of the whole motion; less for a recurrent network, whose memory of states that
            it was not trained with may magnify rounding errors (:data:`RECURRENT_SHARE`).
    """
    velocities = [velocity for velocity, steps in GOLDEN_WALK for _ in range(steps)]
    commands = contract.command_limits.with_velocity(np.array(velocities, np.float32))
    m, time = len(contract.joints), np.arange(len(commands))[:, None] * contract.control_period

    def wave(size: int, height: Any = 1.0) -> np.ndarray:
        return share * np.asarray(height) * np.sin((1.0 + 0.1 * np.arange(size)) * 3.0 * time
                                           + np.arange(size))

    lower, upper, rest = (contract.values(key) for key in ('lower', 'upper', 'default'))
    reach = 0.5 * np.minimum(upper - rest, rest - lower)
    turn = np.concatenate((wave(3, 0.4), np.ones_like(time)), axis=1)
    arrays = {
        'joint_positions': rest + wave(m, reach), 'joint_velocities': wave(m),
        'base_orientation': turn / np.linalg.norm(turn, axis=1, keepdims=True),
        'base_angular_velocity': wave(3), 'base_position': wave(3),
        'base_linear_velocity': wave(3, 0.5), 'command': commands}
    return [{key: value[i:i + 1].astype(np.float32) for key, value in arrays.items()}
            for i in range(len(commands))]


def record_golden(contract: PolicyContract, policy: Policy,
                  states: List[Dict[str, np.ndarray]], like: Array = None
                  ) -> Dict[str, np.ndarray]:
    """Run the states through the controller and the policy; return the golden arrays.

    Args:
        contract: The contract to run.
        policy: The policy; see :class:`Controller`.
        states: Consecutive states, each with its ``command``.
        like: An array of the type that the policy takes; NumPy by default.
    """
    like = np.zeros(0, np.float32) if like is None else like
    controller = Controller(contract, policy, like=like)
    controller.reset_all()
    rows: List[Dict[str, np.ndarray]] = []
    for recorded in states:
        arrays = {key: Constant(value).like(like) for key, value in recorded.items()}
        command = arrays.pop('command')
        obs = controller.observe(RobotState(**arrays), command)
        observation = np.asarray(obs).copy()  # the builder reuses its array
        action = controller.infer(obs)
        targets = controller.act(action).positions
        row = {**recorded, 'observation': observation, 'action': action, 'joint_targets': targets}
        rows.append({key: np.asarray(value).astype(np.float32) for key, value in row.items()})
    return {key: np.concatenate([row[key] for row in rows]) for key in rows[0]}
