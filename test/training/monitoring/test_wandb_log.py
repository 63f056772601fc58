# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Weights & Biases: the names of TensorBoard, and one sentence for what cannot be logged."""

from __future__ import annotations

import json
from pathlib import Path
import sys
from types import SimpleNamespace

import pytest

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.training.monitoring import wandb_log

TINY = ('train', '--backend', 'fake', '--device', 'cpu', '--num-envs', '4', '--iterations', '2',
        '--set', 'ppo.rollout_steps=4', '--set', 'ppo.hidden_sizes=[16, 8]')


class FakeWandb:
    """Stands in for the module ``wandb``: keeps what it is given."""

    def __init__(self):
        self.runs, self.logged, self.ended = [], {}, 0
        self.Settings = SimpleNamespace

    def login(self):
        return False

    def init(self, **options):
        self.runs.append(options)
        return self

    def log(self, metrics, step):
        self.logged[step] = metrics

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended += 1


@pytest.fixture
def fake(monkeypatch):
    """Give a wandb that sends nothing."""
    it = FakeWandb()
    monkeypatch.setitem(sys.modules, 'wandb', it)
    return it


@pytest.mark.parametrize('project', ['a/b', ' ', 'x' * 129])
def test_a_project_of_odd_characters_is_refused(fake, project):
    with pytest.raises(LocomotionError, match='expected a name of 1 to 128 letters'):
        wandb_log.check(project)


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'wandb', None)
    with pytest.raises(LocomotionError, match=r"pip install 'humanoid_locomotion\[wandb\]'"):
        wandb_log.check('mine')


def test_what_wandb_raises_is_one_sentence(fake, monkeypatch, tmp_path):
    def fail(*_, **__):
        raise ValueError('no API key\nconfigured.')

    monkeypatch.setattr(fake, 'login', fail)
    with pytest.raises(LocomotionError, match='--wandb: no API key configured; with WANDB_MODE'):
        wandb_log.check('mine')
    monkeypatch.setattr(fake, 'init', fail)
    with pytest.raises(LocomotionError, match='--wandb: no API key configured; with WANDB_MODE'), \
            wandb_log.opened('mine', 'id', tmp_path, {}):
        pass


def run(monkeypatch, *words: str) -> int:
    """Run ``train`` here; return its exit code."""
    pytest.importorskip('typer')
    pytest.importorskip('torch')
    from humanoid_locomotion.cli.main import main
    monkeypatch.setattr(sys, 'argv', ['humanoid-locomotion', *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0


def test_the_log_has_the_metrics_of_each_iteration_and_a_resumed_run_continues_it(
        fake, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, *TINY, '--output', 'run', '--wandb', 'mine') == 0
    again = ('train', '--resume', 'run', '--iterations', '3', '--wandb', 'mine')
    assert run(monkeypatch, *again) == 0
    first, second = fake.runs
    assert first['id'] == second['id'] and first['resume'] == 'allow' and fake.ended == 2
    assert first['project'] == 'mine' and first['dir'] == 'run'
    assert first['config']['run']['iterations'] == 2
    lines = [json.loads(line) for line in Path('run/metrics.jsonl').read_text().splitlines()]
    assert [{'iteration': step, **metrics} for step, metrics in fake.logged.items()] == [
        {key: value for key, value in line.items() if key != 'samples'} for line in lines]


def test_a_training_that_cannot_be_logged_writes_nothing(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, 'wandb', None)
    assert run(monkeypatch, *TINY, '--output', 'run', '--wandb', 'mine') == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_real_package_logs_offline(monkeypatch, tmp_path):
    pytest.importorskip('wandb')
    monkeypatch.setenv('WANDB_MODE', 'offline')
    wandb_log.check('mine')
    with wandb_log.opened('mine', 'a' * 32, tmp_path, {'seed': 1}) as log:
        log(1, {'reward/total': 1.0})
    assert list(tmp_path.glob('wandb/offline-run-*/run-*.wandb'))
