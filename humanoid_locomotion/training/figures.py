"""What an iteration reports, on its way from the device."""

from __future__ import annotations

from typing import Callable, Dict, List

import torch


class Figures:
    """Starts one transfer to the host and waits for it only when the figures are read.

    Args:
        iteration: Whose figures they are.
        samples: How many control steps have been learned from by then.
        values: (figures,) on the device.
        explain: Names the values.
    """

    def __init__(self, iteration: int, samples: int, values: torch.Tensor,
                 explain: Callable[[List[float]], Dict[str, float]]):
        self.iteration, self.samples = iteration, samples
        self._values, self._explain = values.to('cpu', non_blocking=True), explain
        self._arrived = torch.cuda.Event() if values.is_cuda else None
        if self._arrived is not None:
            self._arrived.record()

    def read(self) -> Dict[str, float]:
        """Return the named figures: the iteration's one wait for the device."""
        if self._arrived is not None:
            self._arrived.synchronize()
        return self._explain(self._values.tolist())
