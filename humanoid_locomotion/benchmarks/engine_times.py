# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures the duration of one control step in each inference engine, without ROS and robot."""

from __future__ import annotations

import gc
import time
from typing import Any, Callable, Dict, List

import numpy as np

from humanoid_locomotion.core.policy.folder import open_policy

STEPS, WARM_UP = 5000, 200


def measure_engines(policy: str, device: str) -> List[Dict[str, Any]]:
    """Time onnxruntime, and torch, on CUDA with and without a graph.

    Args:
        policy: Path of the folder, or the name of a shipped policy.
        device: Device of torch: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        PolicyError: The folder must not be run.
        MissingPackageError: An engine is not installed.
    """
    rows: List[Dict[str, Any]] = []
    for engine in ('onnxruntime', 'torch'):
        opened = open_policy(policy, engine, device)
        network = opened.policy
        eager = getattr(network, 'eager', None)
        name = f'{engine}, {getattr(network, "device", "cpu")}'
        rows.append(_row(name if eager is None else f'{name}, graph',
                         opened.controller().infer, network.obs_size))
        if eager is not None:
            rows.append(_row(f'{name}, eager', eager, network.obs_size))
    return rows


def _row(name: str, run: Callable[[np.ndarray], Any], obs_size: int) -> Dict[str, Any]:
    times = 1e6 * step_times(run, obs_size)
    p50, p99 = np.percentile(times, (50, 99))
    return {'engine': name, 'p50_us': p50, 'p99_us': p99, 'max_us': times.max()}


def step_times(run: Callable[[np.ndarray], Any], obs_size: int, steps: int = STEPS) -> np.ndarray:
    """Return the wall time of each call, observation to action in NumPy [s], (steps,)."""
    rows = np.random.default_rng(0).standard_normal((steps, 1, obs_size)).astype(np.float32)
    times = np.zeros(steps)
    for _ in range(WARM_UP):
        run(rows[0])
    gc.collect()
    gc.disable()  # as in the control steps of the node
    try:
        for i in range(steps):
            begin = time.perf_counter()
            run(rows[i])
            times[i] = time.perf_counter() - begin
    finally:
        gc.enable()
    return times
