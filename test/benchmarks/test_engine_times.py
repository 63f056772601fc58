# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The engines are timed where there is no ROS, as on a machine that has only a GPU."""

import subprocess
import sys

import numpy as np
import pytest

from humanoid_locomotion.benchmarks.engine_times import step_times

WITHOUT_ROS = """
import sys
sys.modules['rclpy'] = None  # importing it fails
from humanoid_locomotion.cli.main import main
sys.argv = ['humanoid-locomotion', 'dev', 'benchmark', 'latency', '--alone', '--device', 'cpu']
main()
"""


def test_each_call_is_timed():
    """Warming up is not."""
    seen = []
    times = step_times(seen.append, 7, steps=5)
    assert times.shape == (5,) and (times > 0.0).all()
    assert len(seen) > 5 and all(obs.shape == (1, 7) for obs in seen)
    assert len({obs.tobytes() for obs in seen}) == 5
    assert seen[0].dtype == np.float32


def test_engines_are_timed_without_ros():
    pytest.importorskip('onnxruntime')
    pytest.importorskip('torch')
    done = subprocess.run([sys.executable, '-c', WITHOUT_ROS], capture_output=True, text=True,
                          timeout=120.0, check=False)
    assert done.returncode == 0, done.stderr
    assert 'onnxruntime, cpu' in done.stdout and 'torch, cpu' in done.stdout
