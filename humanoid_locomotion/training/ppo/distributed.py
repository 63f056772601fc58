# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Training of one policy in several processes, each with one GPU and one batch of robots.

``workers.py`` or ``torchrun`` starts the processes and sets their ranks in environment variables.
Each process uses its own robots; the gradients are averaged, so that all copies of the policy stay
equal.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
import json
import os
from typing import Any, Iterable, List, Mapping, Optional

import torch
from torch import distributed
from torch.distributed.rendezvous import rendezvous

from humanoid_locomotion.core.errors import ConfigError, LocomotionError

START_TIMEOUT = 300.0  # [s] for all processes to start and to name what they train with


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
    """Raise :class:`ConfigError` if a process has no GPU, unless the CPU is asked for."""
    if device == 'cpu':
        return
    if not torch.cuda.is_available():
        raise ConfigError('train', '--gpus', f'found {count}, but this machine has no GPU that '
                          'PyTorch can use; leave it out, or add --device cpu')
    if torch.cuda.device_count() < count:
        raise ConfigError('train', '--gpus', f'found {count}, expected 1 to '
                          f'{torch.cuda.device_count()}, the GPUs of this machine')


def join(device: str, facts: Optional[Mapping[str, Any]] = None) -> Group:
    """Return the group that this process was started in.

    On CUDA the process takes the GPU of its local rank.

    Args:
        device: ``auto``, ``cpu`` or ``cuda``.
        facts: What all processes must share, as plain data by name. It is compared before
            anything is allocated.

    Raises:
        LocomotionError: Processes differ, raised in each of them; or not all have started.
    """
    if not is_worker():
        return Group()
    local, on_gpu = int(os.environ['LOCAL_RANK']), device != 'cpu' and torch.cuda.is_available()
    if on_gpu and local >= torch.cuda.device_count():
        raise ConfigError('train', '--nproc-per-node', f'found {local + 1} or more, expected 1 to '
                          f'{torch.cuda.device_count()}, the GPUs of this machine')
    if on_gpu:
        torch.cuda.set_device(local)
    own = json.dumps({'device': 'cuda' if on_gpu else 'cpu', **(facts or {})})
    try:
        store, rank, size = next(rendezvous('env://', timeout=timedelta(seconds=START_TIMEOUT)))
        everyone = _exchanged(store, rank, size, own)
    except RuntimeError as error:
        raise LocomotionError(
            f'not all {os.environ.get("WORLD_SIZE")} processes have started within '
            f'{START_TIMEOUT:.0f} s: look for the message of the one that is missing') from error
    _check_same([json.loads(text) for text in everyone])
    distributed.init_process_group(
        'nccl' if on_gpu else 'gloo', store=store, rank=rank, world_size=size)
    return Group(rank, size)


def _exchanged(store: Any, rank: int, size: int, own: str) -> List[str]:
    """Return the texts of all processes by rank; the one that holds the store leaves last."""
    store.set(f'facts/{rank}', own)
    everyone = [store.get(f'facts/{other}').decode() for other in range(size)]
    if store.add('facts/read', 1) == size:
        store.set('facts/done', '')
    with contextlib.suppress(RuntimeError):  # the store may be gone once all have read
        store.get('facts/done')
    return everyone


def _check_same(everyone: List[Mapping[str, Any]]) -> None:
    first = everyone[0]
    for rank, facts in enumerate(everyone):
        for key in (*first, *facts):
            if facts.get(key) != first.get(key):
                raise ConfigError(f'process {rank}', key, f'found {facts.get(key)}, and '
                                  f'{first.get(key)} in process 0; start all processes with the '
                                  'same options, files and versions')
