# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Compatibility of PyTorch 1.13, for the Python 3.8 of Isaac Gym, and later versions."""

from __future__ import annotations

import inspect
from pathlib import Path
import pickle
from types import SimpleNamespace
from typing import Any, Dict, Iterable

import torch

# The functions and classes that a pickle of tensors and plain data needs.
HARMLESS = {('collections', 'OrderedDict'), ('torch._utils', '_rebuild_tensor_v2')}


def takes(function: Any, argument: str) -> bool:
    """Return whether a function or class of this PyTorch version has an argument."""
    return argument in inspect.signature(function).parameters


def adam(parameters: Iterable[torch.nn.Parameter], learning_rate: torch.Tensor,
         on_gpu: bool) -> torch.optim.Adam:
    """Return Adam with a tensor as learning rate; fused on a GPU, if PyTorch supports it."""
    options: Dict[str, Any] = {'capturable': on_gpu}
    if takes(torch.optim.Adam, 'fused'):
        options['fused'] = on_gpu
    return torch.optim.Adam(parameters, lr=learning_rate, **options)


def capture_options() -> Dict[str, Any]:
    """Return the options of a CUDA graph capture that is not affected by other threads.

    The watchdog of NCCL runs in a separate thread.
    """
    if takes(torch.cuda.graph, 'capture_error_mode'):
        return {'capture_error_mode': 'thread_local'}
    return {}


def load_data(path: Path, device: str) -> Any:
    """Read tensors and plain data; other content of a file is refused and never executed.

    The unpickler of ``weights_only`` refuses plain numbers before PyTorch 2.1, and there
    ``torch.load`` ignores the pickle module that it is given, as of 1.13.
    """
    if takes(torch.load, 'mmap'):
        return torch.load(path, map_location=device, weights_only=True)
    module: Any = SimpleNamespace(
        __name__='data', Unpickler=DataUnpickler,
        load=lambda file, **options: DataUnpickler(file, **options).load())
    if not takes(torch.load, 'weights_only'):
        return torch.load(path, map_location=device, pickle_module=module)
    inner: Any = torch.serialization
    with inner._open_zipfile_reader(str(path)) as archive:
        return inner._load(archive, device, module, encoding='utf-8')


class DataUnpickler(pickle.Unpickler):
    """An unpickler that accepts only tensors and plain data."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a class or function of :data:`HARMLESS`.

        Raises:
            UnpicklingError: It is not in :data:`HARMLESS`.
        """
        if (module, name) not in HARMLESS:
            raise pickle.UnpicklingError(f'{module}.{name} is not data')
        return super().find_class(module, name)
