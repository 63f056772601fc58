# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs a standalone policy beside the controller, on the golden steps."""

from __future__ import annotations

import numpy as np

from humanoid_locomotion.core.contract import PolicyContract
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
ROUNDING = 1e-6  # of the largest target: without clipping it may be many turns
RECURRENT_TOLERANCE = 1e-4  # [rad]; in the memory of a recurrent network differences add up


class Replay:
    """Compares a standalone policy with the controller, step by step.

    Attributes:
        difference: The largest so far between their joint targets [rad].

    Args:
        standalone: The standalone policy.
        contract: Its contract.
        is_recurrent: Whether its network is recurrent.

    Raises:
        PolicyError: It takes or gives other sizes than the contract describes.
    """

    def __init__(self, standalone: Network, contract: PolicyContract,
                 is_recurrent: bool = False):
        found = (standalone.obs_size, standalone.num_actions)
        expected = (sum(fields.sizes(contract).values()), contract.num_actions)
        if found != expected:
            raise PolicyError(
                standalone.path, f'takes {found[0]} observations and returns {found[1]} actions; '
                f'the contract describes {expected[0]} and {expected[1]}')
        self.difference = 0.0
        self._tolerance = RECURRENT_TOLERANCE if is_recurrent else TOLERANCE
        self._path, self._contract = standalone.path, contract
        self._session = open_session(standalone)
        self._actions = np.zeros((1, contract.num_actions), np.float32)
        self._memory = np.zeros((1, 1, standalone.memory_size), np.float32)

    def compare(self, state: RobotState, command: np.ndarray, targets: np.ndarray) -> None:
        """Run the next step, for which the controller gave ``targets``.

        Raises:
            PolicyError: The difference is too large.
        """
        obs = fields.join(self._contract, state, command, self._actions)
        try:
            self._actions, self._memory = self._session.run(
                [OUTPUT, MEMORY_OUT], {INPUT: obs, MEMORY_IN: self._memory})
        except Exception as error:  # onnxruntime raises its own exception types
            raise PolicyError(self._path, 'cannot run a golden step '
                              f'({" ".join(str(error).split())[:200]})') from error
        given = fields.offset(self._contract) + fields.scale(self._contract) * self._actions
        difference = float(np.abs(given - fields.commanded(self._contract, targets)).max())
        allowed = max(self._tolerance, ROUNDING * float(np.abs(targets).max()))
        if not difference <= allowed:
            raise PolicyError(
                self._path, f'its joint targets differ by {difference:.3g} rad from those of '
                f'network and contract, at most {allowed:g} is allowed; `humanoid-locomotion '
                'policy rebuild` writes it again')
        self.difference = max(self.difference, difference)
