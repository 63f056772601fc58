# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""One run folder whose trainings are killed, on stubs of the processes that train."""

import json
import os
from pathlib import Path
import signal
from types import SimpleNamespace

import pytest

pytest.importorskip('onnxruntime')

from humanoid_locomotion.reliability import kill_training
from humanoid_locomotion.reliability.kill_training import EVERY, STEPS, Killed, _Run, table


class Process:
    """A training that has done its work when it is started.

    Args:
        world: The script of the test.
        words: The command line.
    """

    pid = 4711

    def __init__(self, world, words):
        self._world, self.words, self.code = world, words, None
        world.started.append(words)
        world.work(Path(words[words.index('--resume' if '--resume' in words else '--output') + 1]),
                   self)

    def poll(self):
        return self.code

    def kill(self):
        self.code = -signal.SIGKILL if self.code is None else self.code
        self._world.at_kill()

    def wait(self, timeout=None):
        return self.code


@pytest.fixture
def world(monkeypatch, tmp_path):
    """Return a script: what a process does to its folder, and what its death does."""
    one = SimpleNamespace(started=[], slept=[], folder=tmp_path / 'run', at_kill=lambda: None,
                          work=lambda folder, process: lock(folder))

    def start(words, stdout, stderr):
        stdout.write('loading\nerror: the last line\n')
        return Process(one, words)
    monkeypatch.setattr(kill_training.subprocess, 'Popen', start)
    monkeypatch.setattr(kill_training.time, 'sleep', one.slept.append)
    monkeypatch.setattr(kill_training, 'PATIENCE', 30.0)
    one.run = _Run(tmp_path, 1)
    return one


def lock(folder, pid=Process.pid):
    """Lock a run folder like a process that trains."""
    (folder / 'checkpoints').mkdir(parents=True, exist_ok=True)
    (folder / '.lock').write_text(f'{pid} host')


def save(folder, iteration, suffix='.pt'):
    """Write a checkpoint; return its path."""
    path = folder / 'checkpoints' / f'{iteration:06d}{suffix}'
    path.write_bytes(b'')
    return path


def log(folder, *iterations, tail=''):
    """Write the lines of metrics."""
    (folder / 'metrics.jsonl').write_text(''.join(
        json.dumps({'iteration': i}) + '\n' for i in iterations) + tail)


def trains(*saved, logged=()):
    """Return the work of a process that saves some checkpoints."""
    def work(folder, process):
        lock(folder)
        for iteration in saved:
            save(folder, iteration)
        log(folder, *logged)
    return work


def test_checkpoint_counts_once_it_has_its_final_name(world):
    lock(world.folder)
    save(world.folder, 10)
    save(world.folder, 4)
    save(world.folder, 12, '.pt.unfinished')
    assert world.run.numbers() == [4, 10]


def test_first_training_has_the_settings_and_the_next_ones_resume_it(world):
    world.work = trains(2)
    world.run.kill_one('training')
    world.run.kill_one('training')
    first, second = world.started
    assert '--output' in first and '--resume' not in first
    assert '--resume' in second and '--output' not in second
    assert set(kill_training.SETTINGS) <= set(first) and '--set' not in second
    assert all(words[words.index('--iterations') + 1] == str(kill_training.ENDLESS)
               for words in world.started)


def test_kill_that_loses_nothing_is_no_fault(world):
    world.work = trains(2, 4, logged=(1, 2, 3, 4, 5))
    world.run.kill_one('training')
    assert world.run.result == Killed(kills=1, repeated=1)
    assert 0.0 <= world.slept[-1] <= kill_training.SPAN


def test_checkpoint_that_a_kill_removes_is_lost(world):
    world.work = trains(2, 4, logged=(1, 2, 3, 4))
    world.run.kill_one('training')
    world.at_kill = (world.folder / 'checkpoints' / '000002.pt').unlink
    world.run.kill_one('training')
    assert world.run.result.lost == world.run.result.failed == 1


def test_more_iterations_than_between_two_checkpoints_must_not_be_repeated(world):
    world.work = trains(2, logged=range(1, 2 + EVERY + 2))
    world.run.kill_one('training')
    assert world.run.result.repeated == EVERY + 1
    assert world.run.result.faults == [f'{EVERY + 1} iterations lost at iteration 2']


def test_half_a_line_of_metrics_is_not_counted(world):
    lock(world.folder)
    log(world.folder, 1, 2, tail='{"iteration": 3')
    assert world.run._last_logged() == 2
    log(world.folder)
    assert world.run._last_logged() == 0


def test_training_that_ends_by_itself_is_a_fault_with_its_last_line(world):
    def work(folder, process):
        lock(folder)
        process.code = 1
    world.work = work
    world.run.kill_one('training')
    assert world.run.result.faults == [
        'kill 1 (training): exit code 1: error: the last line']


@pytest.mark.parametrize('moment', ['training', 'write'])
def test_training_that_never_begins_is_a_fault(monkeypatch, world, moment):
    monkeypatch.setattr(kill_training, 'PATIENCE', 0.05)
    world.work = lambda folder, process: None
    world.run.kill_one(moment)
    assert world.run.result.faults == [f'kill 1 ({moment}): nothing happened before it']
    assert world.run.result.in_start == 1


def test_kill_at_the_start_needs_no_training(world):
    world.work = lambda folder, process: None
    world.run.kill_one('start')
    assert world.run.result == Killed(kills=1, in_start=1)


def test_lock_of_another_process_is_not_its_training(world):
    lock(world.folder, pid=Process.pid * 10)
    assert not world.run._is_training(Process.pid)
    lock(world.folder)
    assert world.run._is_training(Process.pid)


def test_kill_within_a_write_waits_for_a_new_unfinished_file(world):
    def work(folder, process):
        lock(folder)
        world.run._random = SimpleNamespace(
            choice=lambda options: options[0], randint=lambda low, high: 1,
            uniform=lambda low, high: high)
        polls = []

        def poll():
            polls.append(1)
            if len(polls) == 3:  # the first one comes before the training is seen
                save(folder, 2, '.pt.unfinished')
        process.poll = poll
    world.work = work
    world.run.kill_one('write')
    assert (world.run.result.in_write, world.run.result.faults) == (1, [])
    assert world.slept[-1] == kill_training.WRITE_TIME


def test_unfinished_file_of_an_earlier_process_is_no_write(world):
    lock(world.folder)
    path = save(world.folder, 2, '.pt.unfinished')
    os.utime(path, (1000.0, 1000.0))
    assert world.run._half_written(1001.0) is None and world.run._half_written(999.0) == path


def ends(monkeypatch, world, code, found):
    """Let the last training end with a code, and the package read some checkpoints."""
    def work(folder, process):
        lock(folder)
        process.code = code
    world.work = work
    monkeypatch.setattr(kill_training.subprocess, 'run',
                        lambda words, **options: SimpleNamespace(stdout=json.dumps(found)))


def test_last_training_that_fails_is_a_fault(monkeypatch, world):
    ends(monkeypatch, world, 3, {})
    world.run.finish()
    assert world.run.result.faults == ['the last training ended with 3: error: the last line']


def test_parts_of_all_processes_make_the_samples_of_the_last_checkpoint(monkeypatch, world):
    """Killed at iteration 2 with some robots, then finished with the first number of them."""
    world.work = trains(2, logged=(1, 2))
    world.run.kill_one('training')
    words, first = world.started[0], kill_training.ROBOTS[0]
    robots, target = int(words[words.index('--num-envs') + 1]), 2 + EVERY + 1
    samples = [STEPS * robots * i for i in (1, 2)]
    samples += [samples[-1] + STEPS * first * i for i in range(1, EVERY + 2)]
    (world.folder / 'metrics.jsonl').write_text(''.join(
        json.dumps({'iteration': i, 'samples': n}) + '\n' for i, n in enumerate(samples, 1)))
    last = {'iteration': target, 'samples': samples[-1], 'segments': [
        {'first': 1, 'last': 2, 'samples': samples[1]},
        {'first': 3, 'last': target, 'samples': samples[-1] - samples[1]}]}
    ends(monkeypatch, world, 0, {'000002.pt': {}, f'{target:06d}.pt': last})
    world.run.finish()
    assert (world.run.result.faults, world.run.result.checkpoints) == ([], 2)
    words = world.started[-1]
    assert words[words.index('--iterations') + 1] == str(target)


@pytest.mark.parametrize('kills, folders', [(10, 2), (7, 3), (1, 2)])
def test_kills_are_shared_by_the_folders_with_seeds_of_their_own(monkeypatch, kills, folders):
    monkeypatch.setattr(kill_training, 'kill_in_one_folder', lambda share, seed: (share, seed))
    shares, seeds = zip(*kill_training.kill_and_resume(kills, folders))
    assert sum(shares) == kills and max(shares) - min(shares) <= 1
    assert len(set(seeds)) == folders


def test_moments_of_ten_kills_are_those_of_the_table_in_an_order_of_the_seed(monkeypatch):
    class Run:
        def __init__(self, folder, seed):
            self.result = []

        def kill_one(self, moment):
            self.result.append(moment)

        def finish(self):
            self.result.append('finish')
    monkeypatch.setattr(kill_training, '_Run', Run)
    first, again, other = (kill_training.kill_in_one_folder(10, seed) for seed in (1, 1, 2))
    assert first == again != other and first[-1] == 'finish'
    assert sorted(first[:-1]) == sorted(other[:-1]) == sorted(kill_training.MOMENTS)


def test_table_has_a_row_for_each_run():
    rows = table([Killed(5, 2, 1, 8, 0, 2), Killed(4, 1, 0, 6, 3, 1, ['a', 'b'])]).splitlines()
    assert rows[2:] == ['| 1 | 5 | 2 | 1 | 8 | 0 | 2 | 0 |', '| 2 | 4 | 1 | 0 | 6 | 3 | 1 | 2 |']
    assert {row.count('|') for row in rows} == {9}
