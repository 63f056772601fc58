# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Array operations whose name or signature differs between NumPy and PyTorch.

Code in ``core`` runs on both: on NumPy in the node, on PyTorch (on a GPU) in training. PyTorch is
never imported here; an array can only be a tensor if PyTorch is imported already. Functions with
the same name and argument order in both libraries are called through :func:`namespace`.
"""

from __future__ import annotations

import sys
from typing import Any, Dict, Sequence, Tuple

import numpy as np

Array = Any  # numpy.ndarray or torch.Tensor


def is_torch(array: Array) -> bool:
    """Return whether an array is a PyTorch tensor, without importing PyTorch."""
    if type(array) is np.ndarray:
        return False
    torch = sys.modules.get('torch')
    return torch is not None and isinstance(array, torch.Tensor)


def namespace(array: Array) -> Any:
    """Return the module (``numpy`` or ``torch``) whose functions take this array."""
    return sys.modules['torch'] if is_torch(array) else np


def float32(array: Array) -> Array:
    """Return the array in single precision; no copy if it already is."""
    if is_torch(array):
        return array.float()
    if getattr(array, 'dtype', None) == np.float32:
        return array
    return np.asarray(array, dtype=np.float32)


def concatenate(arrays: Sequence[Array]) -> Array:
    """Join arrays along their last axis."""
    xp = namespace(arrays[0])
    return xp.concatenate(arrays, -1) if xp is np else xp.cat(tuple(arrays), -1)


def clip(array: Array, lower: Array, upper: Array) -> Array:
    """Return the array clipped to bounds, element by element; NaN stays NaN."""
    if is_torch(array):
        return namespace(array).clip(array, lower, upper)
    # np.clip takes five times as long for a robot's few joints.
    return np.minimum(np.maximum(array, lower), upper)


def zeros(shape: Tuple[int, ...], like: Array) -> Array:
    """Return float32 zeros of the array type and on the device of ``like``."""
    if is_torch(like):
        return like.new_zeros(shape, dtype=namespace(like).float32)
    return np.zeros_like(like, shape=shape, dtype=np.float32)


def largest(array: Array, axis: int) -> Array:
    """Return the largest entries along an axis."""
    return array.amax(axis) if is_torch(array) else array.max(axis)


def any_last(array: Array) -> Array:
    """Return whether any entry along the last axis is true."""
    return namespace(array).any(array, -1)


def norm_last(array: Array) -> Array:
    """Return the Euclidean norm along the last axis."""
    xp = namespace(array)
    return xp.sqrt((array * array).sum(-1))


class Constant:
    """A fixed NumPy array that is converted to the array type and device of its operands.

    One copy is cached per device, so that a control step allocates and transfers nothing
    (which also lets it be captured in a CUDA graph).
    """

    def __init__(self, value: Any, dtype: Any = np.float32):
        self.value = np.array(value, dtype=dtype)
        self.value.setflags(write=False)
        self._on_device: Dict[Any, Array] = {}

    def like(self, reference: Array) -> Array:
        """Return the constant in the array type and on the device of ``reference``."""
        if not is_torch(reference):
            return self.value
        device = reference.device
        if device not in self._on_device:
            torch = namespace(reference)
            self._on_device[device] = torch.as_tensor(self.value.copy(), device=device)
        return self._on_device[device]
