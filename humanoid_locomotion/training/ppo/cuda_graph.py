"""Runs a step many times, on a GPU as one CUDA graph.

A graph replays the same kernels on the same memory without Python in between, so that training
is limited by physics and not by the host. The step must keep what it carries over in tensors that
it changes in place. PyTorch advances its own random generator at every replay, so a replayed step
samples the same numbers as a step that is run normally.
"""

from __future__ import annotations

from typing import Any, Callable, Optional

import torch

from humanoid_locomotion.training.ppo import torch_compat

# Steps that are run before one is captured: they compile kernels, fill caches and allocate.
WARM_UP_STEPS = 3


def fused(function: Callable[..., Any], device: str, enabled: bool) -> Callable[..., Any]:
    """Return a function whose small kernels are joined into few; only where there is CUDA.

    Hundreds of kernels that each touch a few numbers per robot would take longer to start than
    to run. Random numbers stay PyTorch's own, so that a fused step samples the same numbers as a
    plain one.
    """
    if not enabled or torch.device(device).type != 'cuda' or not hasattr(torch, 'compile'):
        return function
    return torch.compile(function, dynamic=False, options={'fallback_random': True})


def forget_fused() -> None:
    """Drop what :func:`fused` compiled; another number of robots would only add to it."""
    if hasattr(torch, 'compiler'):
        torch.compiler.reset()


class RepeatedStep:
    """Calls a step; on a GPU, from the fourth call on, replays its graph instead.

    The steps that warm up are steps like any other, so nothing has to be undone.

    Args:
        step: Takes and returns nothing; works in place.
        device: Where it works.
        use_graph: Whether to capture it; only CUDA can.
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
        """Drop the graph, and with it the references it holds, such as NCCL's connections."""
        if self._graph is not None:
            torch.cuda.synchronize()
            self._graph.reset()
        self._graph, self._calls = None, 0

    def _run_on_stream(self) -> None:
        """Warm up on the stream that will capture, as PyTorch asks."""
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
