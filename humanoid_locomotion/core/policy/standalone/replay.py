"""Runs a standalone policy beside the controller, on the golden steps."""

from __future__ import annotations

from typing import Any, Dict

import numpy as np

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.errors import PolicyError
from humanoid_locomotion.core.policy.engines import open_session
from humanoid_locomotion.core.policy.onnx_graph import (
    INPUT,
    MEMORY_IN,
    MEMORY_OUT,
    OUTPUT,
    Network,
)
from humanoid_locomotion.core.policy.standalone import fields
from humanoid_locomotion.core.state import RobotState

TOLERANCE = 1e-5  # [rad]


def check(standalone: Network, contract: PolicyContract, policy: Any,
          golden: Dict[str, np.ndarray]) -> float:
    """Compare the joint targets of a standalone policy with those of the controller.

    Args:
        standalone: The standalone policy.
        contract: Its contract.
        policy: The engine with its network.
        golden: The golden steps.

    Returns:
        The largest difference [rad].

    Raises:
        PolicyError: It takes or gives other sizes, or the difference is above :data:`TOLERANCE`.
    """
    found = (standalone.obs_size, standalone.num_actions)
    expected = (sum(fields.sizes(contract).values()), contract.num_actions)
    if found != expected:
        raise PolicyError(standalone.path, f'takes {found[0]} observations and returns {found[1]} '
                          f'actions; the contract describes {expected[0]} and {expected[1]}')
    session, controller = open_session(standalone), Controller(contract, policy)
    controller.reset_all()
    actions = np.zeros((1, contract.num_actions), np.float32)
    memory, worst = np.zeros((1, 1, standalone.memory_size), np.float32), 0.0
    states = {key: golden[key] for key in RobotState.__dataclass_fields__ if key in golden}
    for i in range(len(golden['command'])):
        state = RobotState(**{key: array[i:i + 1] for key, array in states.items()})
        command = golden['command'][i:i + 1]
        obs = fields.join(contract, state, command, actions)
        try:
            actions, memory = session.run([OUTPUT, MEMORY_OUT], {INPUT: obs, MEMORY_IN: memory})
        except Exception as error:  # onnxruntime raises its own exception types
            raise PolicyError(standalone.path, f'cannot run golden step {i} '
                              f'({" ".join(str(error).split())[:200]})') from error
        targets = fields.default(contract) + fields.scale(contract) * actions
        difference = float(np.abs(targets - controller.step(state, command).positions).max())
        if not difference <= TOLERANCE:
            raise PolicyError(standalone.path, f'differs from network and contract by '
                              f'{difference:.3g} rad at golden step {i}, at most {TOLERANCE:g} is '
                              'allowed; `humanoid-locomotion policy rebuild` writes it again')
        worst = max(worst, difference)
    return worst
