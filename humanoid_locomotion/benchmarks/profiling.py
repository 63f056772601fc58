# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads from a profile the idle share of the GPU, and the number of host waits."""

from __future__ import annotations

import json
from pathlib import Path
import tempfile
from typing import Any, Callable, Dict, List, Tuple

import torch

GPU_WORK = ('kernel', 'gpu_memcpy', 'gpu_memset')
HOST_CALLS = ('cuda_runtime', 'cuda_driver')


def profile(run: Callable[[], None], device: str) -> Dict[str, Any]:
    """Return ``gpu_idle_share`` and ``host_waits`` of a run; empty without a GPU.

    A trace (CUPTI's, CUDA 13) does not contain kernels in conditional nodes of a graph; their time
    counts as idle.

    Args:
        run: The function to profile.
        device: The device it uses.
    """
    if torch.device(device).type != 'cuda':
        return {}
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profiler:
        with torch.profiler.record_function('profiled'):
            run()
        torch.cuda.synchronize(device)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'trace.json'
        profiler.export_chrome_trace(str(path))
        return read_trace(json.loads(path.read_text(encoding='utf-8'))['traceEvents'])


def read_trace(events: List[Dict[str, Any]]) -> Dict[str, Any]:
    """Compute the result of :func:`profile` from the events of a trace (Chrome's format, [us])."""
    events = [event for event in events if event.get('ph') == 'X']
    window = next(event for event in events
                  if event['name'] == 'profiled' and event['cat'] == 'user_annotation')
    first, last = window['ts'], window['ts'] + window['dur']
    work = sorted((event['ts'], event['ts'] + event['dur']) for event in events
                  if event['cat'] in GPU_WORK)
    waits = [event for event in events if event['cat'] in HOST_CALLS
             and 'Synchronize' in event['name'] and first <= event['ts'] <= last]
    span = max(end for _, end in work) - work[0][0]
    return {'gpu_idle_share': 1.0 - _covered(work) / span, 'host_waits': len(waits)}


def _covered(intervals: List[Tuple[float, float]]) -> float:
    """Return the length of the union of intervals sorted by their start."""
    total, reached = 0.0, intervals[0][0]
    for begin, end in intervals:
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total
