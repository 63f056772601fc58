# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The command ``train``: what it refuses in one sentence, and how runs go on and end."""

from __future__ import annotations

import json
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time

import pytest
import yaml

pytest.importorskip('typer')

from command_line import caller

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.training.monitoring import scorecard_watch
from humanoid_locomotion.training.run import options as reading
from humanoid_locomotion.training.run.cli import enough_memory

ROOT = Path(__file__).parents[3]
TINY = ('--backend', 'fake', '--device', 'cpu', '--num-envs', 4, '--iterations', 2,
        '--set', 'ppo.rollout_steps=4', '--set', 'ppo.hidden_sizes=[16, 8]',
        '--set', 'run.checkpoint_every=1')


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Give a function that runs a command in an empty folder: exit code, output and errors."""
    return caller(monkeypatch, capsys, tmp_path)


def refused(ended: tuple, *texts: str) -> None:
    """Assert exit code 2 and one sentence with the texts."""
    code, out, err = ended
    assert code == 2 and out == '' and err.count('\n') == 1, ended
    assert err.startswith('error: ') and all(text in err for text in texts), err


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Give the folder of a run of two iterations."""
    folder = tmp_path_factory.mktemp('trained') / 'run'
    start(folder).communicate(timeout=120)
    return folder


def start(folder: Path, *more: object) -> subprocess.Popen:
    """Start a training in a process of its own."""
    path = os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])
    return subprocess.Popen(
        [sys.executable, '-m', 'humanoid_locomotion', 'train', *map(str, TINY), '--output',
         str(folder), *map(str, more)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, 'PYTHONPATH': path, 'COLUMNS': '250'}, cwd=folder.parent)


# What it refuses.

@pytest.mark.parametrize('option, values, expected', [
    ('--num-envs', (0, -1, 65537, 10 ** 30), 'expected 1 to 65,536'),
    ('--iterations', (0, -5, 10 ** 30), 'expected 1 to 10,000,000'),
    ('--gpus', (0, -1, 65), 'expected 1 to 64'), ('--seed', (-1, 2 ** 31), 'expected 0 to'),
    ('--max-minutes', ('nan', 'inf', '-inf', 0, -3, 1e300), 'expected above 0 and at most'),
    ('--device', ('gpu', 'cuda:9'), 'expected auto, cpu or cuda')])
def test_a_figure_out_of_range_is_refused_with_the_range(call, tmp_path, option, values, expected):
    for value in values:
        refused(call('train', *TINY, option, value), f'train: {option}: found ', expected)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('assignment, texts', [
    ('run.iterations=0', ['run: iterations must be 1 to']),
    ('run.num_envs=1000000', ['run: num_envs must be 1 to 65,536']),
    ('ppo.gamma=.nan', ['ppo: gamma must be above 0 and at most 1, found nan']),
    ('ppo.hidden_sizes=[0]', ['ppo: hidden_sizes must be 1 to'])])
def test_so_is_one_that_is_set(call, tmp_path, assignment, texts):
    options = [it for it in TINY if it not in ('--num-envs', 4, '--iterations', 2)]
    refused(call('train', *options, '--set', assignment), *texts)
    assert list(tmp_path.iterdir()) == []


def test_a_chosen_simulator_is_named_with_the_robots_it_takes(call, monkeypatch):
    monkeypatch.setattr(reading, 'automatic', lambda device: reading.Choice('fake', 'so', 3))
    rest = [it for it in TINY if it not in ('--backend', 'fake', '--num-envs', 4)]
    code, out, _ = call('train', *rest, '--output', 'few')
    assert code == 0 and out.startswith('simulator: fake, so, with 3 robots (--num-envs takes')
    assert yaml.safe_load(Path('few/config.yaml').read_text())['run']['num_envs'] == 3
    code, out, _ = call('train', *rest, '--num-envs', 5, '--output', 'more')
    assert code == 0 and out.startswith('simulator: fake, so\n')
    assert yaml.safe_load(Path('more/config.yaml').read_text())['run']['num_envs'] == 5


def test_a_folder_in_use_is_refused(call, tmp_path, trained):
    shutil.copytree(trained, tmp_path / 'run')
    refused(call('train', *TINY, '--output', 'run'), 'run: holds a run already; --resume run')
    refused(call('train', *TINY, '--output', '.'), 'is not empty (it holds run)')
    os.mkfifo(tmp_path / 'pipe')
    refused(call('train', *TINY, '--output', 'pipe'), 'pipe: is not a folder; name another')
    refused(call('train', *TINY, '--output', 'a' * 300), 'cannot be opened (File name too long)')


def test_what_cannot_be_resumed_is_refused_and_nothing_is_written(call, tmp_path, trained):
    shutil.copytree(trained, tmp_path / 'run')
    before = {path: path.read_bytes() for path in tmp_path.rglob('*') if path.is_file()}
    for arguments, texts in (
            ((), ['is finished at iteration 2 of 2; --iterations 102 goes on']),
            (('--iterations', 1), ['is finished at iteration 2 of 1']),
            (('--iterations', 3, '--seed', 7), ['--seed: found 7, but ', 'was begun with 1']),
            (('--iterations', 3, '--set', 'ppo.gamma=0.9'), ['ppo.gamma 0.99, now 0.9']),
            (('--iterations', 3, '--robot', 'unitree_g1'), ["is of the robot 'humanoid'"]),
            (('--iterations', 3, '--output', 'run/checkpoints'), ['is not empty'])):
        refused(call('train', '--resume', 'run', *arguments), *texts)
    refused(call('train', *TINY, '--accept-changes'), '--accept-changes: goes with --resume')
    assert {path: path.read_bytes() for path in tmp_path.rglob('*') if path.is_file()} == before


def test_another_simulator_is_refused(call, trained):
    pytest.importorskip('mujoco', minversion='3.3')
    refused(call('train', '--resume', trained, '--iterations', 3, '--backend', 'mujoco'),
            'backend fake, now mujoco; --accept-changes goes on')


def test_memory_that_is_not_enough_is_one_sentence():
    for error in (MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")):
        with pytest.raises(LocomotionError, match=r'not enough memory for 65,536 robots'), \
                enough_memory(65_536):
            raise error
    with pytest.raises(RuntimeError, match='shapes'), enough_memory(4):
        raise RuntimeError('shapes do not fit')


def test_more_robots_than_the_memory_holds_are_refused_before_they_are_made(call, monkeypatch):
    pytest.importorskip('mujoco', minversion='3.3')
    pages = {'SC_PAGE_SIZE': 4096, 'SC_PHYS_PAGES': 2_000_000}
    monkeypatch.setattr(os, 'sysconf', pages.get)
    refused(call('train', *TINY, '--backend', 'mujoco', '--num-envs', 6000), (
        '--num-envs: found 6,000 robots in all, which take about 10 GB in CPU MuJoCo; this '
        'machine has 8 GB'))


# How runs go on.

def test_a_run_without_a_name_gets_one_and_goes_on_under_it(call, tmp_path):
    code, out, err = call('train', *TINY)
    assert (code, err) == (0, '')
    (folder,) = (tmp_path / 'runs').iterdir()
    assert folder.name.startswith('humanoid-') and f'run folder: runs/{folder.name}' in out
    code, out, _ = call('train', '--resume', folder, '--iterations', 3, '--num-envs', 2, '--json')
    assert code == 0
    told = json.loads(out)
    assert told['samples'] == 2 * 16 + 8 and told['last']['iteration'] == 3
    assert told['stopped_by'] is None
    assert len(list((tmp_path / 'runs').iterdir())) == 1


def test_an_accepted_change_is_in_the_card(call, tmp_path, trained):
    pytest.importorskip('mujoco')
    pytest.importorskip('onnxruntime')
    code, _, err = call('train', '--resume', trained, '--output', 'fork', '--iterations', 3,
                        '--set', 'ppo.gamma=0.9', '--accept-changes')
    assert (code, err) == (0, '')
    code, out, _ = call('policy', 'export', 'fork', '--output', 'policy')
    assert (code, out) == (0, 'wrote policy, from fork/checkpoints/000003.pt, iteration 3\n')
    card = (tmp_path / 'policy' / 'card.md').read_text()
    assert 'From iteration 3 on, changed: ppo.gamma 0.99, now 0.9.' in card
    assert f'| began from | {trained}/checkpoints/000002.pt, run ' in card
    assert '| 1 to 2 | 32 | 4 | 1 | fake |' in card and '| 3 to 3 | 16 | 4 | 1 | fake |' in card


def test_what_was_not_trained_is_not_exported(call, tmp_path, trained):
    pytest.importorskip('onnx')
    refused(call('policy', 'export', trained / 'checkpoints' / '000000.pt', '--output', 'policy'),
            '000000.pt: is of iteration 0: nothing has been learned yet')
    assert not (tmp_path / 'policy').exists()


# How they end.

@pytest.mark.parametrize('number, code', [
    (signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)])
def test_a_signal_leaves_a_checkpoint_and_says_where(tmp_path, number, code):
    process = start(tmp_path / 'run', '--iterations', 10_000, '--set', 'run.checkpoint_every=5000')
    while not (tmp_path / 'run' / 'metrics.jsonl').exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (code, '')
    newest = max((tmp_path / 'run' / 'checkpoints').iterdir())
    last = json.loads((tmp_path / 'run' / 'metrics.jsonl').read_text().splitlines()[-1])
    assert int(newest.stem) == last['iteration'] > 0
    assert f'stopped by {number.name}; the last checkpoint is {newest}, --resume ' in out


@pytest.mark.slow
def test_an_output_that_nobody_reads_leaves_a_checkpoint(tmp_path):
    process = start(tmp_path / 'run', '--iterations', 400, '--set', 'run.checkpoint_every=5000')
    process.stdout.readline()
    process.stdout.close()
    process.wait(timeout=120)
    newest = max((tmp_path / 'run' / 'checkpoints').iterdir())
    last = json.loads((tmp_path / 'run' / 'metrics.jsonl').read_text().splitlines()[-1])
    assert process.returncode != 0 and 0 < int(newest.stem) == last['iteration'] < 400
    process.stderr.close()


def test_a_disk_that_is_full_ends_it_in_one_sentence(tmp_path):
    """No file may grow beyond a limit: the system refuses what a full disk would refuse."""
    program = f"""
import resource, sys
sys.path.insert(0, {str(ROOT)!r})
from humanoid_locomotion.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))
sys.argv = ['humanoid-locomotion', 'train', *{[str(it) for it in TINY]!r}, '--output', 'run']
main()
"""
    done = subprocess.run([sys.executable, '-c', program], cwd=tmp_path, capture_output=True,
                          text=True, timeout=120, check=False)
    assert done.returncode == 2 and 'Traceback' not in done.stderr
    assert done.stderr == 'error: run/checkpoints/000000.pt: cannot be written (File too large)\n'
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize('number, code', [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_several_processes_after_the_same_iteration(tmp_path, number, code):
    process = start(tmp_path / 'run', '--iterations', 100_000, '--gpus', 2)
    while not (tmp_path / 'run' / 'metrics.jsonl').exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    assert 'Traceback' not in err and f'stopped by {number.name}' in out
    used = start(tmp_path / 'run', '--gpus', 2)
    _, err = used.communicate(timeout=120)
    assert used.returncode == 2 and err.count('\n') == 1 and 'holds a run already' in err


class Watch:
    """A watch over checkpoints of which the given one passes; 0 for none."""

    passes, ended = 0, None

    def __init__(self, run, robot, episode_steps):
        self.folder, self.passed, self.seen = run / 'candidate', None, 0

    def __call__(self):
        self.seen += 1
        self.passed = self.folder if self.seen == Watch.passes else None
        return self.passed is not None

    def finish(self, wants_stop):
        Watch.ended = (self.seen, wants_stop())

    def close(self):
        pass


@pytest.mark.parametrize('passes, iterations, said', [
    (1, 1, 'the policy passes: run/candidate'),
    (0, 2, 'no checkpoint passes; the last one, with its scorecard: run/candidate')])
def test_a_run_ends_with_a_scored_folder(call, monkeypatch, passes, iterations, said):
    monkeypatch.setattr(scorecard_watch, 'ScorecardWatch', Watch)
    monkeypatch.setattr(Watch, 'passes', passes)
    code, out, _ = call('train', *TINY, '--until-scorecard', '--output', 'run')
    assert code == 0 and said in out and f'trained {iterations} iterations' in out
    assert ('evaluating the last checkpoint' in out) is (passes == 0)
    assert Watch.ended == (iterations, False)
