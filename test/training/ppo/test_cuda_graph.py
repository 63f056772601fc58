# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Running a step many times: plainly, and as a CUDA graph that must not be told apart."""

from __future__ import annotations

import json
import os
from pathlib import Path
import subprocess
import sys

import pytest
from tiny import ROBOT, config
import torch

from humanoid_locomotion.training.ppo.cuda_graph import WARM_UP_STEPS, RepeatedStep
from humanoid_locomotion.training.run.trainer import Trainer

HERE, STEPS = Path(__file__).parent, 12
SUPPORT = HERE.parents[1] / 'support'


@pytest.mark.parametrize('use_graph', [False, True])
def test_without_cuda_a_step_is_simply_called(use_graph):
    calls = []
    step = RepeatedStep(lambda: calls.append(len(calls)), 'cpu', use_graph)
    assert calls == []  # nothing is run ahead
    for _ in range(WARM_UP_STEPS + 2):
        step()
    assert calls == list(range(WARM_UP_STEPS + 2))


def rollout(backend: str, device: str, graph: bool) -> dict:
    """Give what a seeded rollout holds, resets included."""
    it = Trainer(
        config('run.num_envs=64', 'terminations.episode_steps=10', f'ppo.rollout_steps={STEPS}'),
        ROBOT, backend=backend, device=device, seed=1, folder=HERE, use_graph=graph,
        fuse=False)  # joined kernels round otherwise, and contacts magnify it
    it.collector.collect()
    data = it.collector.rollout.data
    return {'reward': data['reward'].tolist(), 'action': data['action'].tolist(),
            'ends': int((data['terminated'] | data['truncated']).sum())}


def test_without_cuda_asking_for_a_graph_changes_nothing():
    graph, plain = (rollout('fake', 'cpu', it) for it in (True, False))
    assert graph == plain and plain['ends'] > 0


def elsewhere(graph: bool) -> dict:
    """Give the rollout of another process: a capture that fails leaves CUDA unusable."""
    program = ('import json, test_cuda_graph as t; '
               f"print(json.dumps(t.rollout('mujoco_warp', 'cuda', {graph})))")
    path = os.pathsep.join([str(Path(__file__).parent), str(SUPPORT), str(SUPPORT.parents[1]),
                            os.environ.get('PYTHONPATH', '')])
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True,
                          env={**os.environ, 'PYTHONPATH': path}, timeout=540, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs CUDA')
def test_a_graph_gives_the_trajectory_of_the_step_it_was_captured_from():
    pytest.importorskip('mujoco_warp')
    assert STEPS > 2 * WARM_UP_STEPS  # most of the steps are replays
    graph, plain = elsewhere(graph=True), elsewhere(graph=False)
    assert graph['ends'] == plain['ends'] > 0
    for key in ('reward', 'action'):
        assert torch.allclose(torch.tensor(graph[key]), torch.tensor(plain[key]), atol=1e-3), key


@pytest.mark.parametrize('capturable', [True, False])
def test_a_simulator_that_the_host_steps_keeps_only_the_step_out_of_graphs(
        monkeypatch, tmp_path, capturable):
    """Isaac Gym's step is called from the host; the update does not care."""
    from tiny import ROBOT, config

    from humanoid_locomotion.sim.fake import FakeBackend
    from humanoid_locomotion.training.ppo import ppo
    from humanoid_locomotion.training.run import trainer
    asked = {}
    monkeypatch.setattr(FakeBackend, 'capturable', capturable)
    monkeypatch.setattr(trainer, 'Collector',
                        lambda *arguments: asked.setdefault('step', arguments[3]))
    monkeypatch.setattr(ppo, 'RepeatedStep',
                        lambda step, device, use_graph: asked.setdefault('update', use_graph))
    training = trainer.Trainer(config(), ROBOT, backend='fake', device='cpu', seed=1,
                               folder=tmp_path, use_graph=True)
    assert training.collector is not None
    assert asked == {'update': True, 'step': capturable}
