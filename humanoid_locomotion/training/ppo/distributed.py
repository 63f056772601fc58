# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Training of one policy in several processes, each with one GPU and one batch of robots.

``workers.py`` or ``torchrun`` starts the processes and sets their ranks in environment variables.
Each process uses its own robots; the gradients are averaged, so that all copies of the policy stay
equal.
"""

from __future__ import annotations

import os
from typing import Any, Iterable, List

import torch
from torch import distributed

from humanoid_locomotion.core.errors import ConfigError


class Group:
    """The processes that train together; with one process, the methods have no effect.

    Attributes:
        rank: Rank of this process; rank 0 logs and saves.
        size: Number of processes.
    """

    def __init__(self, rank: int = 0, size: int = 1):
        self.rank, self.size = rank, size

    @property
    def is_first(self) -> bool:
        """Whether this process logs and saves."""
        return self.rank == 0

    def average(self, tensors: Iterable[torch.Tensor]) -> None:
        """Replace tensors by their mean over all processes, in place, in one exchange."""
        self._exchange(list(tensors), 1.0 / self.size)

    def sum(self, tensors: Iterable[torch.Tensor]) -> None:
        """Replace tensors by their sum over all processes, in place, in one exchange."""
        self._exchange(list(tensors), 1.0)

    def _exchange(self, tensors: List[torch.Tensor], factor: float) -> None:
        if self.size == 1:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        distributed.all_reduce(flat)
        flat *= factor
        for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors])):
            tensor.copy_(part.reshape(tensor.shape))

    def gather(self, content: Any) -> List[Any]:
        """Return the values of all processes, by rank, on rank 0; nothing on the others."""
        if self.size == 1:
            return [content]
        everyone = [None] * self.size if self.is_first else None
        distributed.gather_object(content, everyone)
        return everyone or []

    def leave(self) -> None:
        """Leave the process group."""
        if self.size > 1:
            distributed.destroy_process_group()


def is_worker() -> bool:
    """Return whether this process was started as one of several."""
    return 'LOCAL_RANK' in os.environ


def check_gpus(count: int, device: str) -> None:
    """Raise :class:`ConfigError` if GPUs are used and there are fewer than processes."""
    if device != 'cpu' and torch.cuda.is_available() and torch.cuda.device_count() < count:
        raise ConfigError('train', '--gpus', f'found {count}, expected 1 to '
                          f'{torch.cuda.device_count()}, the GPUs of this machine')


def join(device: str) -> Group:
    """Return the group that this process was started in.

    On CUDA the process takes the GPU of its local rank.
    """
    if not is_worker():
        return Group()
    on_gpu = device != 'cpu' and torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(int(os.environ['LOCAL_RANK']))
    distributed.init_process_group('nccl' if on_gpu else 'gloo')
    return Group(distributed.get_rank(), distributed.get_world_size())
