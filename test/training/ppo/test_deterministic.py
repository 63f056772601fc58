# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The same seed gives the same weights, and a run that was stopped goes on exactly."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
import subprocess
import sys
import tempfile

import pytest
from tiny import ROBOT, config
import torch

from humanoid_locomotion.training.run import checkpoint
from humanoid_locomotion.training.run.trainer import Trainer

SUPPORT = Path(__file__).parents[2] / 'support'
ITERATIONS = 6  # more than the warm-up: most updates are replays of a graph


def trained(backend: str, device: str, stop_at: int = ITERATIONS) -> str:
    """Give a fingerprint of the weights after a run, stopped and resumed on the way or not."""
    with tempfile.TemporaryDirectory() as folder:
        it = None
        for iterations in sorted({stop_at, ITERATIONS}):
            it = Trainer(
                config('run.num_envs=64', 'terminations.episode_steps=20',
                       f'run.iterations={iterations}'),
                ROBOT, backend=backend, device=device, seed=1, folder=Path(folder),
                deterministic=True)
            if iterations > stop_at:
                it.resume(checkpoint.latest(Path(folder)))
            it.run()
            weights = [tensor.cpu().numpy().tobytes() for tensor in it.model.state_dict().values()]
            it.close()
    return hashlib.sha256(b''.join(weights)).hexdigest()


def elsewhere(stop_at: int = ITERATIONS) -> str:
    """Give the fingerprint of a run in a process of its own, on the GPU."""
    program = f"import test_deterministic as t; print(t.trained('mujoco_warp', 'cuda', {stop_at}))"
    path = os.pathsep.join([str(Path(__file__).parent), str(SUPPORT), str(SUPPORT.parents[1]),
                            os.environ.get('PYTHONPATH', '')])
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True,
                          env={**os.environ, 'PYTHONPATH': path}, timeout=540, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()[-1]


@pytest.fixture(autouse=True)
def free_algorithms():
    """Leave PyTorch as the other tests expect it."""
    yield
    torch.use_deterministic_algorithms(False)


def test_a_stopped_run_ends_where_a_straight_one_does():
    straight = trained('fake', 'cpu')
    assert trained('fake', 'cpu', stop_at=2) == straight == trained('fake', 'cpu')


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs CUDA')
def test_on_a_gpu_too():
    pytest.importorskip('mujoco_warp')
    straight = elsewhere()
    assert elsewhere() == straight, 'the same seed gave other weights'
    assert elsewhere(stop_at=2) == straight, 'the resumed run ended elsewhere'
