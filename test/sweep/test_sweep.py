# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sweeps: one table, shared by processes, continued after an interruption."""

from __future__ import annotations

import csv
from dataclasses import replace
import fcntl
import json
from pathlib import Path
import sys

import pytest
from scorecards import GOOD, SETTING
import yaml

pytest.importorskip('torch')
pytest.importorskip('typer')
pytest.importorskip('optuna')

from humanoid_locomotion.cli.main import main
from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.feedback.robot_size import USUAL, Scale
from humanoid_locomotion.core.reading.config import from_mapping
from humanoid_locomotion.evaluation.gates import make_scorecard
from humanoid_locomotion.sweep import trainings
from humanoid_locomotion.sweep.config import SweepConfig
from humanoid_locomotion.sweep.study import Sweep
from humanoid_locomotion.sweep.trainings import Trainings, TrainOptions

GRID = {'objective': 'reward', 'seeds': [1, 2, 3], 'parameters': {'ppo.gamma': [0.5, 0.9, 0.7]}}
# Stands for `train`: writes what a run leaves; the reward is gamma plus a hundredth of the seed.
TRAIN = """
import json, pathlib, sys
words = sys.argv[1:]
def of(option): return words[words.index(option) + 1]
is_new = '--resume' not in words
assert is_new == ('--num-envs' in words) == ('--no-graph' not in words)
gamma = float(of('--set').partition('=')[2]) if is_new else 9.0
if gamma == FAILS: sys.exit('error: it diverged')
run = pathlib.Path(of('--output' if is_new else '--resume'))
(run / 'checkpoints').mkdir(parents=True, exist_ok=True)
(run / 'checkpoints' / '000002.pt').touch()
(run / 'config.yaml').write_text('run: {iterations: 2}')
reward = gamma + 0.01 * (is_new and int(of('--seed')))
with (run / 'metrics.jsonl').open('a') as file:
    file.write(json.dumps({'reward/total': reward}) + chr(10))
"""


@pytest.fixture
def sweep(tmp_path):
    """Give a function that opens a sweep in one folder whose trainings take no time."""
    def make(data=GRID, options=('--num-envs', '4'), fails=None, said=None):
        script = TRAIN.replace('FAILS', str(fails))
        return Sweep(from_mapping(SweepConfig, data, 'it.yaml'), tmp_path / 'sweep',
                     TrainOptions(list(options), ['--no-graph']), 'robots/mine',
                     lambda words: [sys.executable, '-S', '-c', script, *words],
                     (said if said is not None else []).append)

    return make


def test_each_combination_has_the_median_of_its_seeds_in_one_table(sweep, tmp_path):
    code, rows = sweep().run()
    assert code == 0 and [row['ppo.gamma'] for row in rows] == ['0.9', '0.7', '0.5']
    assert [row['reward'] for row in rows] == pytest.approx([0.92, 0.72, 0.52])
    assert [row['seed 3'] for row in rows] == pytest.approx([0.93, 0.73, 0.53])
    with (tmp_path / 'sweep' / 'results.csv').open() as file:
        assert [row['ppo.gamma'] for row in csv.DictReader(file)] == ['0.9', '0.7', '0.5']
    lines = (tmp_path / 'sweep' / 'results.md').read_text().splitlines()
    assert len(lines) == 5 and lines[2].startswith('| 1 | done | 0.92 |')
    assert len(list((tmp_path / 'sweep').glob('000*/seed*/metrics.jsonl'))) == 9


def test_a_sweep_that_is_done_is_shown_again_and_can_be_made_longer(sweep):
    data = {**GRID, 'seeds': [1], 'trials': 2,
            'parameters': {'ppo.gamma': {'low': 0.1, 'high': 0.9}}}
    first = sweep(data).run()
    assert sweep(data).run() == first and len(first[1]) == 2
    rows = sweep({**data, 'trials': 4}).run()[1]
    assert len(rows) == 4 and all(0.1 <= row['ppo.gamma'] <= 0.9 for row in rows)
    assert [row['reward'] for row in rows] == sorted([row['reward'] for row in rows])[::-1]


def test_an_interrupted_trial_is_continued_and_one_that_runs_elsewhere_is_left_alone(
        sweep, tmp_path):
    interrupted, elsewhere = sweep()._next(), sweep()._next()
    assert (interrupted.number, elsewhere.number) == (0, 1)
    interrupted.lock.close()  # its process has ended after the first seed
    (tmp_path / 'sweep' / '0000' / 'values.json').write_text(json.dumps({'1': 5.0}))
    rows = {row['trial']: row for row in sweep().run()[1]}
    assert rows[0]['state'] == 'done' and rows[0]['seed 1'] == 5.0
    assert rows[0]['reward'] == pytest.approx(0.53)
    assert rows[1]['state'] == 'running' and rows[2]['state'] == 'done' and len(rows) == 3
    with elsewhere.lock, pytest.raises(BlockingIOError), \
            (tmp_path / 'sweep' / '0001' / '.lock').open('a') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_training_that_was_finished_before_the_interruption_is_not_repeated(sweep, tmp_path):
    data = {**GRID, 'seeds': [1], 'parameters': {'ppo.gamma': [0.5]}}
    sweep(data)._next().lock.close()
    run = tmp_path / 'sweep' / '0000' / 'seed1'
    (run / 'checkpoints').mkdir(parents=True)
    (run / 'config.yaml').write_text('run: {iterations: 2}')
    (run / 'metrics.jsonl').write_text('{"reward/total": 4.0}\n')
    (run / 'checkpoints' / '000001.pt').touch()  # not finished: the end is trained
    again = sweep(data)._trainings.value(run, {'ppo.gamma': '0.5'}, '1', sys.stdout)
    assert again == pytest.approx((4.0 + 9.0) / 2)
    assert sweep(data).run()[1][0]['reward'] == again  # finished: measured as it is


def test_a_failed_trial_is_reported_and_the_others_go_on(sweep, tmp_path):
    said: list = []
    rows = sweep(fails=0.5, said=said).run()[1]
    assert [row['state'] for row in rows] == ['done', 'done', 'failed']
    log = tmp_path / 'sweep' / '0000' / 'seed1.log'
    assert f'trial 0 failed: it diverged ({log})' in said


def test_several_failures_without_a_success_end_the_sweep(sweep):
    data = {**GRID, 'trials': 9, 'parameters': {'ppo.gamma': [0.5]}}
    with pytest.raises(LocomotionError, match=r'all 3 trials in .* failed; the last lines of'):
        sweep(data, fails=0.5).run()


def test_another_sweep_in_the_folder_is_refused(sweep, tmp_path):
    sweep()
    with pytest.raises(LocomotionError, match=r'holds a sweep with seeds \[1, 2, 3\], found'):
        sweep({**GRID, 'seeds': [4]})
    with pytest.raises(LocomotionError, match=r'holds a sweep with train .*; name another'):
        sweep(options=('--num-envs', '8'))
    (tmp_path / 'sweep' / 'journal.log').write_text('no journal\nnone\n')
    with pytest.raises(LocomotionError, match=r'journal\.log: is not a journal of Optuna'):
        sweep()


def test_a_line_of_the_journal_that_was_cut_off_is_dropped(sweep, tmp_path):
    journal = tmp_path / 'sweep' / 'journal.log'
    _, rows = sweep().run()
    journal.write_bytes(journal.read_bytes()[:-7])  # the value of the last trial
    assert sweep().run()[1] == rows


@pytest.mark.parametrize('content, said', [
    (b'', 'does not have the trials 0000, 0001, 0002 of this folder'),
    (b'garbage\n', 'is not a journal of Optuna'),
    (b'{"op_code": 99}\n', 'is not a journal of Optuna')])
def test_a_journal_of_something_else_is_refused(sweep, tmp_path, content, said):
    sweep().run()
    (tmp_path / 'sweep' / 'journal.log').write_bytes(content)
    with pytest.raises(LocomotionError, match=rf'journal\.log: {said}'):
        sweep()


@pytest.mark.parametrize('content', ['{"1": 0.', '[1]'])
def test_values_that_are_damaged_are_refused(sweep, tmp_path, content):
    sweep().run()
    (tmp_path / 'sweep' / '0001' / 'values.json').write_text(content)
    with pytest.raises(LocomotionError, match=r'values\.json: is not the JSON'):
        sweep().run()


def test_a_folder_with_other_files_is_refused(sweep, tmp_path):
    (tmp_path / 'sweep').mkdir()
    (tmp_path / 'sweep' / 'mine.txt').touch()
    with pytest.raises(LocomotionError, match='is not empty'):
        sweep()


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Give a function that runs ``train --sweep`` in an empty folder: exit code and output."""
    monkeypatch.setenv('COLUMNS', '250')
    monkeypatch.chdir(tmp_path)

    def run(data: dict, *more: object) -> tuple:
        Path('it.yaml').write_text(yaml.safe_dump(data))
        monkeypatch.setattr(sys, 'argv', [
            'humanoid-locomotion', 'train', '--sweep', 'it.yaml', *map(str, more)])
        with pytest.raises(SystemExit) as ended:
            main()
        return (ended.value.code or 0, *capsys.readouterr())

    return run


@pytest.mark.parametrize('changes, more, words', [
    ({'parameters': {'ppo.epoch': [3]}}, (), "it.yaml: parameters.ppo.epoch: unknown key 'epoch'"),
    ({'parameters': {'ppo.epochs': [3, 0]}}, (), 'it.yaml: parameters.ppo.epochs: ppo: epochs'),
    ({'seed': 3}, (), "it.yaml: unknown keys ['seed']"),
    ({}, ('--seed', 3), 'train: --seed: does not go with --sweep'),
    ({}, ('--resume', 'run'), 'train: --resume: does not go with --sweep'),
    ({}, ('--num-envs', 0), 'train: --num-envs: found 0'),
    ({}, ('--wandb', 'a b'), "train: --wandb: found 'a b', expected a name")])
def test_bad_input_is_one_sentence_and_nothing_is_begun(call, tmp_path, changes, more, words):
    code, out, err = call({**GRID, **changes}, *more)
    assert code == 2 and out == '' and err.startswith(f'error: {words}') and err.count('\n') == 1
    assert [path.name for path in tmp_path.iterdir()] == ['it.yaml']


@pytest.mark.slow
def test_a_sweep_of_real_trainings(call, tmp_path):
    code, out, _ = call({**GRID, 'seeds': [1], 'parameters': {'ppo.gamma': [0.9]}},
                        '--backend', 'fake', '--device', 'cpu', '--num-envs', 4, '--iterations', 1,
                        '--set', 'ppo.rollout_steps=4', '--set', 'ppo.hidden_sizes=[8]', '--json')
    (row,) = json.loads(out)
    assert code == 0 and row['state'] == 'done' and row['ppo.gamma'] == '0.9'
    assert (tmp_path / 'runs' / 'it' / '0000' / 'seed1' / 'checkpoints' / '000001.pt').is_file()


@pytest.mark.parametrize('scale, speed', [(USUAL, 0.5), (Scale(0.71, 0.11), 0.355)])
def test_a_line_of_the_scorecard_is_read_at_any_scale(tmp_path, monkeypatch, scale, speed):
    """The line of a small robot is named `foot slip at 0.355 m/s`."""
    monkeypatch.setattr(trainings, '_is_finished', lambda run: True)
    monkeypatch.setattr(Trainings, '_call', lambda *_, **__: None)
    card = make_scorecard(replace(GOOD, economy=(replace(GOOD.economy[0], command=speed),)),
                          replace(SETTING, scale=scale))
    (tmp_path / 'policy').mkdir()
    (tmp_path / 'policy' / 'scorecard.json').write_text(card.to_json())
    config = from_mapping(SweepConfig, {**GRID, 'objective': 'foot slip at 0.5 m/s'}, 'it.yaml')
    one = Trainings(config, TrainOptions([], []), 'robots/mine', lambda words: [], None)
    assert one.value(tmp_path, {}, '1', None) == GOOD.economy[0].foot_slip
