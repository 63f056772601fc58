"""Differences between PyTorch 1.12, for Isaac Gym's Python 3.8, and later versions."""

from __future__ import annotations

import inspect
from pathlib import Path
import pickle
from types import SimpleNamespace
from typing import Any, Dict, Iterable

import torch

# What a pickle of tensors and plain data refers to.
HARMLESS = {('collections', 'OrderedDict'), ('torch._utils', '_rebuild_tensor_v2')}


def takes(function: Any, argument: str) -> bool:
    """Tell whether this PyTorch's function or class knows an argument."""
    return argument in inspect.signature(function).parameters


def adam(parameters: Iterable[torch.nn.Parameter], learning_rate: torch.Tensor,
         on_gpu: bool) -> torch.optim.Adam:
    """Return Adam with a learning rate that is a tensor; on a GPU as one kernel, if it can."""
    options: Dict[str, Any] = {'capturable': on_gpu}
    if takes(torch.optim.Adam, 'fused'):
        options['fused'] = on_gpu
    return torch.optim.Adam(parameters, lr=learning_rate, **options)


def capture_options() -> Dict[str, Any]:
    """Return how to capture a CUDA graph: only this thread's calls matter.

    NCCL's watchdog works in a thread of its own.
    """
    if takes(torch.cuda.graph, 'capture_error_mode'):
        return {'capture_error_mode': 'thread_local'}
    return {}


def load_data(path: Path, device: str) -> Any:
    """Read tensors and plain data; whatever else a file holds is refused, never executed."""
    if takes(torch.load, 'weights_only'):
        return torch.load(path, map_location=device, weights_only=True)
    module = SimpleNamespace(
        __name__='data', Unpickler=DataUnpickler,
        load=lambda file, **options: DataUnpickler(file, **options).load())
    return torch.load(path, map_location=device, pickle_module=module)


class DataUnpickler(pickle.Unpickler):
    """Knows tensors and plain data, nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a class or function of :data:`HARMLESS`.

        Raises:
            UnpicklingError: It is another.
        """
        if (module, name) not in HARMLESS:
            raise pickle.UnpicklingError(f'{module}.{name} is not data')
        return super().find_class(module, name)
