# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks measure what they say, on a simulator that costs nothing."""

from __future__ import annotations

import sys
import time

import pytest
from tiny import ROBOT, config
import torch

from humanoid_locomotion.benchmarks import throughput
from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.state import JointTargets
from humanoid_locomotion.training.run.trainer import Trainer


@pytest.fixture
def trainer(tmp_path):
    """Give a trainer on the fake backend."""
    return Trainer(config(), ROBOT, backend='fake', device='cpu', seed=1, folder=tmp_path)


def test_timed_is_the_time_that_passes():
    assert 0.05 <= throughput.timed(lambda: time.sleep(0.05), 'cpu') < 1.0


def test_a_recording_holds_each_state_and_the_targets_that_followed(trainer):
    backend, own = trainer.backend, type(trainer.backend).step
    starts = []

    def run() -> None:
        for angle in (0.1, 0.2, 0.3):
            starts.append(backend.snapshot()['joint_positions'])
            backend.step(JointTargets(torch.full((4, 23), angle)))

    recording = throughput.Recording(backend, run)
    assert backend.step.__func__ is own  # and records no more
    assert [float(targets[0, 0]) for targets in recording.targets] == pytest.approx(
        [0.1, 0.2, 0.3])
    for snapshot, start in zip(recording.snapshots, starts):
        assert snapshot['joint_positions'].numpy() == pytest.approx(start)


def test_a_replay_goes_through_the_states_of_the_recording(trainer):
    recording = throughput.Recording(
        trainer.backend, lambda: trainer.collector.run_eagerly(3))
    after = trainer.backend.snapshot()
    trainer.collector.run_eagerly(5)  # elsewhere by now
    throughput.PhysicsReplay(trainer.backend, recording, use_graph=False).run()
    replayed = trainer.backend.snapshot()
    rows = ~trainer.collector.rollout.data['truncated'][2].numpy()  # resets are not physics
    assert rows.any()
    assert replayed['joint_positions'][rows] == pytest.approx(after['joint_positions'][rows])


def test_physics_is_a_part_of_the_step(trainer, monkeypatch):
    step = type(trainer.backend).step

    def slow(self, targets) -> None:
        time.sleep(0.001)
        step(self, targets)

    monkeypatch.setattr(type(trainer.backend), 'step', slow)
    row = throughput.benchmark_env(trainer)
    assert 1.0 <= row['physics_ms'] <= row['step_ms']
    assert row['physics_share'] == pytest.approx(row['physics_ms'] / row['step_ms'])
    assert row['steps_per_second'] == pytest.approx(4 / row['step_ms'] * 1e3)


def test_an_iteration_is_collecting_and_learning(trainer):
    row = throughput.benchmark_train(trainer, iterations=2)
    assert row['iteration_ms'] == pytest.approx(row['collect_ms'] + row['learn_ms'])
    assert row['steps_per_second'] == pytest.approx(6 * 4 / row['iteration_ms'] * 1e3)


def probe(tmp_path, monkeypatch, text: str) -> None:
    """Let another program stand for the mjlab probe."""
    path = tmp_path / 'probe.py'
    path.write_text(text, encoding='utf-8')
    monkeypatch.setattr(throughput, 'PROBE', path)


def test_mjlab_is_measured_in_turn_with_ours(tmp_path, monkeypatch):
    probe(tmp_path, monkeypatch, (
        'import json, sys\n'
        'for i, line in enumerate(sys.stdin):\n'
        '    print(json.dumps({"steps_per_second": 100.0 * (i + 1), "asked": line}), flush=True)'))
    speeds = iter([1000.0, 1000.0, 1200.0])
    row = throughput.against_mjlab(sys.executable, 8, 'env 25', lambda: next(speeds))
    assert row['ratios'] == [10.0, 5.0, 4.0]
    assert row['ratio'] == 5.0
    assert (row['our_steps_per_second'], row['mjlab_steps_per_second']) == (1000.0, 200.0)


def test_a_probe_that_ends_is_an_error_that_says_what_to_look_at(tmp_path, monkeypatch):
    probe(tmp_path, monkeypatch, 'import sys; sys.stdin.readline(); sys.exit(3)')
    with pytest.raises(LocomotionError, match='ended with code 3; install mjlab'):
        throughput.against_mjlab(sys.executable, 8, 'env', lambda: 1.0)
