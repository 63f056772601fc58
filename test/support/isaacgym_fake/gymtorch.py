# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Buffers as PyTorch tensors and back; no copies, and no promise about lifetimes."""

import weakref

from isaacgym.structs import Tensor
import torch


def wrap_tensor(gym_tensor: Tensor) -> torch.Tensor:
    """Give a tensor that shares a buffer's memory."""
    if not isinstance(gym_tensor, Tensor):
        raise TypeError(f'wrap_tensor wants a gymapi.Tensor, was given {gym_tensor!r}')
    return torch.from_numpy(gym_tensor.owner)


def unwrap_tensor(torch_tensor: torch.Tensor) -> Tensor:
    """Give a tensor's address."""
    if not isinstance(torch_tensor, torch.Tensor):
        raise TypeError(f'unwrap_tensor wants a tensor, was given {torch_tensor!r}')
    if not torch_tensor.is_contiguous():
        raise RuntimeError('unwrap_tensor: the tensor is not contiguous')
    return Tensor(weakref.ref(torch_tensor), tuple(torch_tensor.shape))
