# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Idle time and waits, from traces that can be worked out by hand."""

from __future__ import annotations

import pytest

from humanoid_locomotion.benchmarks.profiling import profile, read_trace


def event(cat: str, name: str, begin: float, duration: float) -> dict:
    """Give an event of a trace, in microseconds."""
    return {'ph': 'X', 'cat': cat, 'name': name, 'ts': begin, 'dur': duration}


WINDOW = event('user_annotation', 'profiled', 0, 100)


def test_a_gpu_is_idle_where_no_kernel_runs():
    # Busy in [10, 30], [25, 40] and [60, 90]: 60 of the 80 between first and last.
    trace = [WINDOW, event('kernel', 'a', 10, 20), event('kernel', 'b', 60, 30),
             event('gpu_memcpy', 'c', 25, 15), {'ph': 'M', 'name': 'process_name'}]
    assert read_trace(trace)['gpu_idle_share'] == pytest.approx(0.25)


def test_a_kernel_within_another_counts_once():
    trace = [WINDOW, event('kernel', 'long', 10, 80), event('kernel', 'short', 20, 10)]
    assert read_trace(trace)['gpu_idle_share'] == pytest.approx(0.0)


def test_only_waits_within_the_run_count():
    trace = [WINDOW, event('kernel', 'a', 10, 20),
             event('cuda_runtime', 'cudaEventSynchronize', 50, 1),
             event('cuda_driver', 'cuStreamSynchronize', 60, 1),
             event('cuda_runtime', 'cudaDeviceSynchronize', 120, 1),
             event('cuda_runtime', 'cudaGraphLaunch', 20, 1),
             event('cpu_op', 'Synchronize', 30, 1)]
    assert read_trace(trace)['host_waits'] == 2


def test_without_a_gpu_nothing_is_claimed():
    assert profile(lambda: None, 'cpu') == {}
