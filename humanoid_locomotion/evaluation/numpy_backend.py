"""Lets a simulator whose arrays are tensors be read in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from humanoid_locomotion.core.arrays import is_torch
from humanoid_locomotion.core.errors import SimulationError
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.backend import SimBackend, Truth


class NumpyBackend:
    """A backend whose ``state`` and ``truth`` are NumPy arrays; all else is passed on."""

    def __init__(self, backend: SimBackend):
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def state(self) -> RobotState:
        """See the port."""
        return _numpy(self._backend.state())

    def truth(self) -> Truth:
        """See the port."""
        return _numpy(self._backend.truth())

    def close(self) -> None:
        """Close the backend.

        Raises:
            SimulationError: It lacked room for contacts, so what was measured is wrong.
        """
        lacked = self._backend.overflow()
        self._backend.close()
        if lacked is not None and bool(lacked.any()):
            raise SimulationError('the simulator lacked room for the contacts of '
                                  f'{int(lacked.sum())} robots: this model cannot be measured in '
                                  'it; --backend mujoco has no such limit')


def _numpy(record: Any) -> Any:
    return type(record)(**{key: value.cpu().numpy() if is_torch(value) else np.asarray(value)
                           for key, value in vars(record).items()})
