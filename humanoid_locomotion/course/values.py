# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Checks of the arguments of the course's classes, with errors that name the argument."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional

import numpy as np

from humanoid_locomotion.core.arrays import Array, float32, is_torch, namespace
from humanoid_locomotion.core.errors import ConfigError


def arrays(where: str, values: Mapping[str, Any], sizes: Mapping[str, int],
           like: Optional[Array] = None) -> List[Array]:
    """Return values as float32 arrays of one kind, broadcast to one batch.

    They are tensors on the device of ``like`` or of the first tensor if there is one, else NumPy
    arrays. Whether values on a GPU are finite is not checked, since the host would wait for it.

    Args:
        where: The method, for errors.
        values: Arrays, lists or numbers by the names of the arguments.
        sizes: Lengths of the last axes.
        like: A tensor, for its device.

    Raises:
        ConfigError: A value is no number, is not finite, or has another shape.
    """
    if like is None:
        like = next((it for it in values.values() if is_torch(it)), None)
    found = []
    for key, value in values.items():
        try:
            array = float32(value) if like is None else namespace(like).as_tensor(
                value, dtype=namespace(like).float32, device=like.device)
        except (TypeError, ValueError, RuntimeError):
            raise ConfigError(where, key, f'found {short(value)}, expected numbers') from None
        shape, size = tuple(np.shape(array)), sizes[key]
        if shape[-1:] != (size,):
            raise ConfigError(where, key, f'found the shape {shape}, expected ({size},) or '
                              f'(num_envs, {size})')
        if (like is None or array.device.type == 'cpu') and not bool(
                namespace(array).isfinite(array).all()):
            raise ConfigError(where, key, f'found {short(value)}, expected finite numbers')
        found.append(array)
    try:
        batch = np.broadcast_shapes(*(tuple(it.shape[:-1]) for it in found))
    except ValueError:
        raise ConfigError(where, ', '.join(values), 'found the shapes '
                          f'{[tuple(it.shape) for it in found]}, expected one number of robots'
                          ) from None
    return [namespace(it).broadcast_to(it, (*batch, it.shape[-1])) for it in found]


def short(value: object) -> str:
    """Return a value as text of one line, shortened to 60 characters."""
    text = ' '.join(repr(value).split())
    return text if len(text) <= 60 else f'{text[:57]}...'
