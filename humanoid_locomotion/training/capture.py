"""Runs a step many times, on a GPU as one CUDA graph.

A graph replays the same kernels on the same memory, without Python in between: what limits
training is then physics and not the host. The step must keep what it carries over in tensors that
it changes in place. PyTorch advances its own random generator at every replay.
"""

from __future__ import annotations

from typing import Callable, Optional

import torch

WARM_UP_STEPS = 3


class RepeatedStep:
    """Calls a step, or replays its graph.

    Args:
        step: Takes and returns nothing; works in place.
        device: Where it works.
        use_graph: Whether to capture it; only CUDA can.
    """

    def __init__(self, step: Callable[[], None], device: str, use_graph: bool):
        self._step = step
        self._graph: Optional[torch.cuda.CUDAGraph] = None
        if use_graph and torch.device(device).type == 'cuda':
            self._graph = _capture(step)

    def __call__(self) -> None:
        """Run the step once."""
        if self._graph is None:
            self._step()
        else:
            self._graph.replay()


def _capture(step: Callable[[], None]) -> torch.cuda.CUDAGraph:
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP_STEPS):  # compiles kernels, fills caches, allocates
            step()
    torch.cuda.current_stream().wait_stream(stream)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        step()
    torch.cuda.synchronize()
    return graph
