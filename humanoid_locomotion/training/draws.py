"""Random draws on the device, from PyTorch's own generator, which CUDA graphs replay rightly."""

from __future__ import annotations

from typing import Any, Sequence, Tuple

import torch


def uniform(shape: Sequence[int], bounds: Tuple[float, float], device: Any) -> torch.Tensor:
    """Return numbers drawn evenly from ``bounds``."""
    low, high = bounds
    return low + (high - low) * torch.rand(tuple(shape), device=device)


def symmetric(shape: Sequence[int], largest: float, device: Any) -> torch.Tensor:
    """Return numbers drawn evenly from [-largest, largest]."""
    return uniform(shape, (-largest, largest), device)
