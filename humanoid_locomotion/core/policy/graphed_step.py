# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs one control step of a network (observation to action) as one CUDA graph.

Launching the dozen kernels of a small network one by one takes longer than running them. The graph
also contains both transfers between the device and pinned memory, so that a step is one launch and
one wait.
"""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

WARM_UP = 3  # calls before the capture, while libraries select and load their kernels


class GraphedStep:
    """Runs a network on CUDA for one observation at a time.

    Args:
        forward: Maps an observation (1, obs_size) to an action (1, num_actions); it must not
            wait for the device.
        obs_size: Length of an observation.
        device: The CUDA device.
    """

    def __init__(self, forward: Callable[[Any], Any], obs_size: int, device: Any):
        import torch
        stream: Any = torch.cuda.Stream  # untyped in torch
        self._stream = stream(device)
        on_device = torch.zeros((1, obs_size), device=device)
        pinned = torch.zeros((1, obs_size), pin_memory=True)
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            for _ in range(WARM_UP):
                action = forward(on_device)
            result = torch.zeros(tuple(action.shape), pin_memory=True)
            self._stream.synchronize()
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, stream=self._stream):
                on_device.copy_(pinned, non_blocking=True)
                result.copy_(forward(on_device), non_blocking=True)
        # The tensors must live as long as the graph that uses them.
        self._tensors = (on_device, pinned, result)
        self._input, self._output = pinned.numpy(), result.numpy()
        self._replay = torch.cuda.stream(self._stream)

    def __call__(self, obs: np.ndarray) -> np.ndarray:
        """Return the action (1, num_actions) for an observation (1, obs_size)."""
        self._input[...] = obs
        with self._replay:
            self._graph.replay()
        self._stream.synchronize()
        return self._output.copy()
