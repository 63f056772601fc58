# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The simulator that ``--backend auto`` chooses, and where CUDA graphs are used."""

from __future__ import annotations

import importlib.util
import json
import sys
from types import SimpleNamespace

import pytest

pytest.importorskip('torch')

import torch

from humanoid_locomotion.training.ppo.cuda_graph import WARM_UP_STEPS
from humanoid_locomotion.training.run import graph_proof, options


@pytest.fixture
def machine(monkeypatch):
    """Give a function that sets what the machine has; the imported simulators are returned."""
    imported: list[str] = []

    def have(gpu: bool, isaacgym: bool) -> list[str]:
        find = importlib.util.find_spec
        monkeypatch.setattr(importlib.util, 'find_spec', lambda name: (
            (SimpleNamespace() if isaacgym else None) if name == 'isaacgym' else find(name)))
        monkeypatch.setattr(options, 'import_backend', imported.append)
        monkeypatch.setattr(options, 'ISAACGYM_PYTHON', sys.version_info[:2])
        monkeypatch.setattr(torch.cuda, 'is_available', lambda: gpu)
        monkeypatch.setattr(torch.cuda, 'device_count', lambda: int(gpu))
        monkeypatch.setattr(torch.cuda, 'get_device_name', lambda *_: 'A card')
        return imported

    return have


@pytest.mark.parametrize('gpu, isaacgym, device, chosen', [
    (True, True, 'auto', 'isaacgym'), (True, False, 'auto', 'mujoco_warp'),
    (False, True, 'auto', 'mujoco'), (False, False, 'auto', 'mujoco'),
    (True, False, 'cpu', 'mujoco'), (True, True, 'cpu', 'isaacgym')])
def test_auto_takes_the_first_that_can_run(machine, gpu, isaacgym, device, chosen):
    imported = machine(gpu, isaacgym)
    choice = options.automatic(device)
    assert choice.backend == chosen == options.choose_backend('auto', device)
    assert (choice.robots == 128) == (chosen == 'mujoco')
    assert set(imported) == ({'isaacgym'} if isaacgym else set())  # before PyTorch


def test_isaac_gym_in_another_python_is_left_alone(machine, monkeypatch):
    machine(True, True)
    monkeypatch.setattr(options, 'ISAACGYM_PYTHON', (3, 7))
    assert options.automatic('auto').backend == 'mujoco_warp'


def test_graphs_are_used_in_isaac_gym_once_they_are_proven(monkeypatch, tmp_path):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    monkeypatch.setattr(graph_proof, 'machine', lambda: 'A card, PyTorch 2.4.1')
    assert graph_proof.ITERATIONS > WARM_UP_STEPS + 1
    assert graph_proof.use_graph(None, 'mujoco_warp') and graph_proof.use_graph(True, 'isaacgym')
    assert not graph_proof.use_graph(None, 'isaacgym')
    graph_proof.record(True)
    assert graph_proof.use_graph(None, 'isaacgym') and not graph_proof.use_graph(False, 'isaacgym')
    monkeypatch.setattr(graph_proof, 'machine', lambda: 'Another card, PyTorch 2.4.1')
    assert not graph_proof.use_graph(None, 'isaacgym')
    monkeypatch.undo()
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    monkeypatch.setattr(graph_proof, 'machine', lambda: 'A card, PyTorch 2.4.1')
    graph_proof.record(False)
    assert not graph_proof.use_graph(None, 'isaacgym')


@pytest.mark.parametrize('text', ['', '{', '3', '[1]', 'null'])
def test_a_damaged_record_proves_nothing(monkeypatch, tmp_path, text):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    path = tmp_path / 'humanoid_locomotion' / 'isaacgym_graphs.json'
    path.parent.mkdir()
    path.write_text(text)
    assert not graph_proof.use_graph(None, 'isaacgym')
    graph_proof.record(True)
    assert json.loads(path.read_text()) == [graph_proof.machine()]


def test_runs_with_and_without_graphs_are_compared_iteration_by_iteration():
    plain = [{'reward/total': 0.1 * i, 'episode_length': 10.0 * i, 'loss/value': 1.0}
             for i in range(1, 7)]
    alike = [{**row, 'reward/total': 1.05 * row['reward/total']} for row in plain]
    assert graph_proof.difference(plain, plain) is None
    assert graph_proof.difference(plain, alike) is None
    wrong = [*alike[:4], {**alike[4], 'loss/value': 3.0}, alike[5]]
    assert graph_proof.difference(plain, wrong).startswith('iteration 5: loss/value 3 with')
    broken = [*alike[:5], {**alike[5], 'reward/total': float('nan')}]
    assert graph_proof.difference(plain, broken).startswith('iteration 6: reward/total nan')
    assert graph_proof.difference(plain, alike[:3]).startswith('3 iterations with graphs, 6')
