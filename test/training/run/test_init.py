# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""``train --init``: a new run begins with the networks of a policy, a run or a checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

pytest.importorskip('torch')
pytest.importorskip('typer')
pytest.importorskip('onnxruntime')

from command_line import caller
from tiny import ROBOT, config
import torch

from humanoid_locomotion.core.policy.content import TRAINING, check_hashes
from humanoid_locomotion.training.export import export
from humanoid_locomotion.training.run import checkpoint
from humanoid_locomotion.training.run.trainer import Trainer


@pytest.fixture(scope='module')
def base(tmp_path_factory):
    """Give a folder with a run of two iterations, its policy, and the same checkpoint, slim."""
    folder = tmp_path_factory.mktemp('base')
    it = Trainer(config(), ROBOT, backend='fake', device='cpu', seed=1, folder=folder / 'run')
    it.run()
    it.close()
    export(folder / 'run', folder / 'policy', training_state=True)
    export(folder / 'run', folder / 'plain')
    content = checkpoint.load(checkpoint.latest(folder / 'run'), 'cpu')
    checkpoint.save(folder / 'slim.pt', checkpoint.slim(content))
    return folder


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Give a function that runs ``train`` in an empty folder: exit code, output and errors."""
    return caller(monkeypatch, capsys, tmp_path, 'train', '--backend', 'fake', '--device', 'cpu')


def refused(ended: tuple, *texts: str) -> None:
    """Assert exit code 2, one sentence with the texts, and that nothing was written."""
    code, out, err = ended
    assert (code, out, err.count('\n')) == (2, '', 1), ended
    assert err.startswith('error: ') and all(text in err for text in texts), err
    assert list(Path().iterdir()) == []


def networks(path: Path) -> dict:
    """Give the networks and normalizers of a checkpoint."""
    return checkpoint.load(path, 'cpu')['model']


@pytest.mark.parametrize('source', ['run', 'slim.pt', 'policy'])
def test_a_new_run_begins_with_the_networks(call, base, source):
    code, out, err = call('--init', base / source, '--iterations', 1, '--seed', 5,
                          '--output', 'new', '--set', 'ppo.gamma=0.9')
    assert (code, err) == (0, '')
    assert ('has no state of the optimizer, which begins anew' in out) == (
        source in ('slim.pt', 'policy'))
    first, last = sorted(Path('new/checkpoints').iterdir())
    before = networks(checkpoint.latest(base / 'run'))
    assert all(torch.equal(before[key], value) for key, value in networks(first).items())
    assert any(not torch.equal(before[key], value) for key, value in networks(last).items())
    content = checkpoint.load(last, 'cpu')
    assert (content['iteration'], content['seed']) == (3, 5)
    assert content['optimizer']['state'] and content['config']['ppo']['gamma'] == 0.9
    parts = checkpoint.segments(content, last)
    assert [(one.first, one.last) for one in parts] == [(1, 2), (3, 3)]
    assert parts[-1].changed == ('ppo.gamma 0.99, now 0.9',)
    assert str(base) in yaml.safe_load(Path('new/run.yaml').read_text())['parent']


def test_episodes_are_new_with_another_seed(call, base):
    for seed in (1, 5):
        assert call('--init', base / 'run', '--iterations', 1, '--seed', seed,
                    '--output', f'seed{seed}')[0] == 0
    one, five = (networks(Path(name) / 'checkpoints/000003.pt') for name in ('seed1', 'seed5'))
    assert any(not torch.equal(one[key], value) for key, value in five.items())


def test_a_run_that_was_begun_so_is_resumed(call, base):
    assert call('--init', base / 'policy', '--iterations', 1, '--output', 'new')[0] == 0
    code, out, _ = call('--resume', 'new', '--iterations', 4)
    assert code == 0 and 'optimizer' not in out
    assert Path('new/checkpoints/000004.pt').is_file()


def test_a_slim_checkpoint_is_resumed_in_a_folder_of_its_own(call, base):
    code, out, err = call('--resume', base / 'slim.pt', '--iterations', 3, '--output', 'new')
    assert (code, err) == (0, '') and 'slim.pt has no state of the optimizer' in out


def test_what_no_run_can_begin_from_is_refused(call, base, tmp_path):
    refused(call('--init', base / 'plain'), f'plain: has no {TRAINING} for a training to begin')
    refused(call('--init', 'nobody'), "unknown policy 'nobody'; there is: ", 'humanoid')
    refused(call('--init', base / 'run', '--resume', base / 'run'), '--init: begins a new run')
    refused(call('--init', base), 'holds no checkpoints/*.pt')
    refused(call('--init', base / 'policy', '--robot', 'unitree_g1'),
            f"{TRAINING}: is of the robot 'humanoid'")
    refused(call('--init', base / 'slim.pt', '--set', 'ppo.hidden_sizes=[16, 9]'),
            'slim.pt: does not fit the config')
    refused(call('--init', base / 'run', '--iterations', 10_000_000),
            '--iterations: found 10,000,000, expected at most 9,999,998 after the 2 of')


@pytest.mark.parametrize('changes', [
    {'optimizer': {'a': 1}}, {'learning_rate': torch.zeros(4)}, {'processes': [1]},
    {'processes': [{'robots': {'env': {'obs': torch.zeros(4)}}}]}])
def test_parts_of_a_checkpoint_that_do_not_fit_are_refused(call, base, tmp_path_factory, changes):
    content = checkpoint.load(checkpoint.latest(base / 'run'), 'cpu')
    content.pop('format_version')
    path = tmp_path_factory.mktemp('odd') / 'odd.pt'
    checkpoint.save(path, {**content, **changes})
    refused(call('--resume', path, '--iterations', 3), 'odd.pt: does not fit the config (')


def test_a_damaged_training_state_is_refused(call, base, tmp_path_factory):
    folder = export(base / 'run', tmp_path_factory.mktemp('spoilt') / 'it', training_state=True)
    assert TRAINING in check_hashes(folder)
    with (folder / TRAINING).open('r+b') as file:
        file.seek(-9, 2)
        file.write(b'!')
    refused(call('--init', folder), f'{TRAINING}: does not match its hash in SHA256SUMS')
