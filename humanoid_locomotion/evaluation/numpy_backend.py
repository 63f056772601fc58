# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Wrapper that converts the tensors of a simulator to NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from humanoid_locomotion.core.arrays import is_torch
from humanoid_locomotion.core.errors import SimulationError
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.backend import SimBackend, Truth


class NumpyBackend:
    """A backend whose ``state`` and ``truth`` are NumPy arrays; other calls are forwarded."""

    def __init__(self, backend: SimBackend):
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def state(self) -> RobotState:
        """Return the measured state, see :class:`SimBackend`."""
        return _numpy(self._backend.state())

    def truth(self) -> Truth:
        """Return the values that only the simulator has, see :class:`SimBackend`."""
        return _numpy(self._backend.truth())

    def close(self) -> None:
        """Close the backend.

        Raises:
            SimulationError: The contact buffer overflowed, so the measurements are wrong.
        """
        lacked = self._backend.overflow()
        self._backend.close()
        if lacked is not None and bool(lacked.any()):
            raise SimulationError('the contact buffer of the simulator overflowed for '
                                  f'{int(lacked.sum())} robots: this model cannot be measured in '
                                  'it; --backend mujoco has no such limit')


def _numpy(record: Any) -> Any:
    return type(record)(**{key: value.cpu().numpy() if is_torch(value) else np.asarray(value)
                           for key, value in vars(record).items()})
