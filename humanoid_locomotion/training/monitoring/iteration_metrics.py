# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The asynchronous transfer of an iteration's metrics from the device."""

from __future__ import annotations

import time
from typing import Callable, Dict, List, Optional

import torch


class Moment:
    """A point in the device's queue: the end of the work that was submitted so far."""

    def __init__(self, device: torch.device):
        self._event: Optional[torch.cuda.Event] = None
        self._host = time.perf_counter()
        if device.type == 'cuda':
            self._event = torch.cuda.Event(enable_timing=True)
            self._event.record()

    def wait(self) -> None:
        """Block the host until the device has reached this point."""
        if self._event is not None:
            self._event.synchronize()

    def seconds_since(self, earlier: Moment) -> float:
        """Return the device time since an earlier moment [s]; both must have been reached."""
        if self._event is not None and earlier._event is not None:
            return earlier._event.elapsed_time(self._event) / 1e3
        return self._host - earlier._host


class IterationMetrics:
    """An asynchronous transfer to the host, which blocks only when the values are read.

    Args:
        iteration: Number of the iteration.
        samples: Number of control steps used for training up to then.
        values: (number of values,) on the device.
        explain: Returns the values by name.

    Attributes:
        arrived: The moment when the device finished the iteration.
    """

    def __init__(self, iteration: int, samples: int, values: torch.Tensor,
                 explain: Callable[[List[float]], Dict[str, float]]):
        self.iteration, self.samples = iteration, samples
        self._values, self._explain = values.to('cpu', non_blocking=True), explain
        self.arrived = Moment(values.device)

    def read(self) -> Dict[str, float]:
        """Return the named values; the only wait for the device in an iteration."""
        self.arrived.wait()
        return self._explain(self._values.tolist())
