# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Evaluation beside training: one checkpoint at a time, and training never waits."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import pytest

from humanoid_locomotion.core.errors import LocomotionError, RunFolderError
from humanoid_locomotion.training.monitoring import scorecard_watch
from humanoid_locomotion.training.monitoring.scorecard_watch import ScorecardWatch


class Evaluation:
    """A process that waits for a checkpoint, and ends when it is told to."""

    started: list

    def __init__(self, command, **_):
        self.robot, self.code, self.pid = command[4], None, 1000 + len(self.started)
        self.stdin, self.checkpoint = self, None
        Evaluation.started.append(self)

    def write(self, path):
        self.checkpoint = path.decode()

    def close(self):
        assert self.checkpoint is not None

    def poll(self):
        return self.code

    def wait(self):
        return self.code


def log(run, episode_length):
    """Write the metrics of an iteration."""
    with (run / 'metrics.jsonl').open('a', encoding='utf-8') as file:
        file.write(json.dumps({'episode_length': episode_length}) + '\n')


@pytest.fixture
def watch(tmp_path, monkeypatch):
    """Give a watch over a run with two checkpoints, whose robots stay up."""
    Evaluation.started = []
    monkeypatch.setattr(scorecard_watch.subprocess, 'Popen', Evaluation)
    monkeypatch.setattr(scorecard_watch, 'POLL', 0.0)
    (tmp_path / 'checkpoints').mkdir()
    (tmp_path / 'run.yaml').touch()
    for name in ('000025.pt', '000050.pt'):
        (tmp_path / 'checkpoints' / name).touch()
    log(tmp_path, 900.0)
    return ScorecardWatch(tmp_path, 'robots/mine', 1000)


def never():
    return False


def tried():
    """Give the names of the checkpoints that were evaluated."""
    return [Path(it.checkpoint).stem for it in Evaluation.started if it.checkpoint is not None]


def test_the_newest_checkpoint_is_evaluated_and_training_goes_on(watch):
    assert watch() is False
    assert tried() == ['000050'] and Evaluation.started[0].robot == 'robots/mine'
    assert watch() is False  # still under way
    assert tried() == ['000050']


def test_the_next_evaluation_is_ready_before_it_is_needed(watch):
    watch()
    assert [it.checkpoint is None for it in Evaluation.started] == [False, True]


def test_robots_that_fall_are_not_evaluated(watch, tmp_path):
    log(tmp_path, 499.0)
    assert watch() is False and tried() == []
    log(tmp_path, 500.0)
    assert watch() is False and tried() == ['000050']


def test_a_checkpoint_that_fails_is_followed_by_the_next(watch, tmp_path):
    watch()
    Evaluation.started[0].code = 1
    (tmp_path / 'checkpoints' / '000075.pt').touch()
    assert watch() is False
    assert tried() == ['000050', '000075']


def test_a_checkpoint_that_passes_ends_the_run(watch, tmp_path):
    watch()
    Evaluation.started[0].code = 0
    assert watch() is True and watch() is True
    assert watch.passed == tmp_path / 'candidate'
    assert tried() == ['000050']


def test_a_checkpoint_that_cannot_be_evaluated_is_not_passed_over(watch):
    watch()
    Evaluation.started[0].code = 2
    with pytest.raises(LocomotionError, match=r'candidate\.log: a checkpoint could not be'):
        watch()
    assert watch.passed is None


@pytest.mark.parametrize('code', [0, 1])
def test_the_end_of_a_run_waits_for_the_newest_checkpoint(watch, tmp_path, code):
    watch()
    asked = []

    def wants_stop():  # evaluations end meanwhile: the first fails, then the newest has the code
        asked.append(None)
        if len(asked) in (3, 6):
            Evaluation.started[len(asked) // 3 - 1].code = code if len(asked) == 6 else 1
        return len(asked) > 99

    (tmp_path / 'checkpoints' / '000075.pt').touch()
    watch.finish(wants_stop)
    assert tried() == ['000050', '000075'] and len(asked) < 10
    assert watch.passed == (tmp_path / 'candidate' if code == 0 else None)


def test_the_end_of_a_run_evaluates_nothing_twice(watch):
    watch()
    Evaluation.started[0].code = 1
    watch.finish(never)
    assert tried() == ['000050']


def test_the_end_of_a_run_keeps_the_checkpoint_that_passed(watch, tmp_path):
    watch()
    Evaluation.started[0].code = 0
    (tmp_path / 'checkpoints' / '000075.pt').touch()
    watch.finish(never)
    assert tried() == ['000050'] and watch.passed == tmp_path / 'candidate'


def test_a_signal_ends_the_wait(watch):
    watch()
    watch.finish(lambda: True)
    assert watch.passed is None


def test_an_evaluation_under_way_ends_with_the_run(watch, monkeypatch):
    killed = []
    monkeypatch.setattr(scorecard_watch.os, 'killpg', lambda group, _: killed.append(group))
    watch.close()  # nothing to end yet
    watch()
    watch.close()
    assert killed == [it.pid for it in Evaluation.started] and len(killed) == 2


def test_an_evaluation_ends_with_a_training_that_was_killed(tmp_path):
    process = subprocess.Popen(
        [sys.executable, '-c', scorecard_watch._SCRIPT, 'candidate', 'robot', 'log', '1'],
        start_new_session=True, cwd=tmp_path)  # its parent is another process by now
    assert process.wait(timeout=60) == -signal.SIGKILL


def test_a_full_disk_is_one_sentence(watch, tmp_path):
    (tmp_path / 'candidate.log').mkdir()  # what cannot be opened
    with pytest.raises(RunFolderError, match=r'candidate\.log: cannot be written'):
        watch()


def test_a_broken_checkpoint_is_told_from_one_that_fails(tmp_path):
    (tmp_path / 'checkpoints').mkdir()
    (tmp_path / 'run.yaml').touch()
    (tmp_path / 'checkpoints' / '000025.pt').write_bytes(b'broken')
    watch = ScorecardWatch(tmp_path, 'robots/mine', 1000)
    with contextlib.closing(watch):
        with pytest.raises(LocomotionError, match='could not be evaluated'):
            watch.finish(never)  # the real export, which refuses it
        deadline = time.monotonic() + 20.0
        while os.sched_getscheduler(watch._next.pid) != os.SCHED_IDLE:
            assert time.monotonic() < deadline
    assert 'is not a checkpoint' in (tmp_path / 'candidate.log').read_text(encoding='utf-8')
