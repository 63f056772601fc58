# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Repeated execution of a step, on a GPU as one CUDA graph.

A graph replays the same kernels on the same memory without Python in between, so that training
is limited by physics and not by the host. The step must keep its state in tensors that it changes
in place. PyTorch advances its random generator at every replay, so a replayed step samples the
same numbers as a step that is run normally.
"""

from __future__ import annotations

from typing import Any, Callable, Optional

import torch

from humanoid_locomotion.training.ppo import torch_compat

# Steps before the capture, in which kernels are compiled, caches filled and memory allocated.
WARM_UP_STEPS = 3


def fused(function: Callable[..., Any], device: str, enabled: bool) -> Callable[..., Any]:
    """Return a function whose small kernels are fused by ``torch.compile``; only on CUDA.

    Hundreds of kernels with a few numbers per robot would take longer to launch than to run. The
    random numbers are those of PyTorch, so that a fused step samples the same numbers as a plain
    one.
    """
    if not enabled or torch.device(device).type != 'cuda' or not hasattr(torch, 'compile'):
        return function
    return torch.compile(function, dynamic=False, options={'fallback_random': True})


def forget_fused() -> None:
    """Release the compiled functions of :func:`fused`; they would otherwise accumulate."""
    if hasattr(torch, 'compiler'):
        torch.compiler.reset()


class RepeatedStep:
    """Calls a step; on a GPU, from the fourth call on, replays its graph instead.

    The warm-up steps are normal steps, so nothing has to be undone.

    Args:
        step: Function without arguments and result that works in place.
        device: Device of its tensors.
        use_graph: Whether to capture it; only on CUDA.
    """

    def __init__(self, step: Callable[[], None], device: str, use_graph: bool):
        self._step = step
        self._use_graph = use_graph and torch.device(device).type == 'cuda'
        self._stream = torch.cuda.Stream(device) if self._use_graph else None
        self._graph: Optional[torch.cuda.CUDAGraph] = None
        self._calls = 0

    def __call__(self) -> None:
        """Run the step once."""
        if not self._use_graph:
            self._step()
            return
        if self._graph is None and self._calls == WARM_UP_STEPS:
            self._graph = self._capture()
        if self._graph is None:
            self._run_on_stream()
        else:
            self._graph.replay()
        self._calls += 1

    def forget(self) -> None:
        """Release the graph and the references it holds, such as connections of NCCL."""
        if self._graph is not None:
            torch.cuda.synchronize()
            self._graph.reset()
        self._graph, self._calls = None, 0

    def _run_on_stream(self) -> None:
        """Run a warm-up step on the stream of the capture, as PyTorch requires."""
        now = torch.cuda.current_stream()
        assert self._stream is not None
        self._stream.wait_stream(now)
        with torch.cuda.stream(self._stream):
            self._step()
        now.wait_stream(self._stream)

    def _capture(self) -> torch.cuda.CUDAGraph:
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self._stream, **torch_compat.capture_options()):
            self._step()
        return graph
