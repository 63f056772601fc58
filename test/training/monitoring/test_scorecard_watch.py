# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Evaluation beside training: one checkpoint at a time, and training never waits."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from humanoid_locomotion.core.errors import LocomotionError, RunFolderError
from humanoid_locomotion.training.monitoring import scorecard_watch
from humanoid_locomotion.training.monitoring.scorecard_watch import ScorecardWatch


class Evaluation:
    """A process that ends when it is told to."""

    started: list

    def __init__(self, command, **_):
        self.checkpoint, self.code, self.pid = command[3], None, 1000 + len(self.started)
        self.robot = command[5]
        Evaluation.started.append(self)

    def poll(self):
        return self.code

    def wait(self):
        return self.code


@pytest.fixture
def watch(tmp_path, monkeypatch):
    """Give a watch over a run with two checkpoints."""
    Evaluation.started = []
    monkeypatch.setattr(scorecard_watch.subprocess, 'Popen', Evaluation)
    (tmp_path / 'checkpoints').mkdir()
    for name in ('000025.pt', '000050.pt'):
        (tmp_path / 'checkpoints' / name).touch()
    return ScorecardWatch(tmp_path, 'robots/mine')


def test_the_newest_checkpoint_is_evaluated_and_training_goes_on(watch):
    assert watch() is False
    assert Evaluation.started[0].checkpoint.endswith('000050.pt')
    assert Evaluation.started[0].robot == 'robots/mine'
    assert watch() is False  # still under way: no second one
    assert len(Evaluation.started) == 1


def test_a_checkpoint_that_fails_is_followed_by_the_next(watch, tmp_path):
    watch()
    Evaluation.started[0].code = 1
    (tmp_path / 'checkpoints' / '000075.pt').touch()
    assert watch() is False
    assert Evaluation.started[1].checkpoint.endswith('000075.pt')


def test_a_checkpoint_that_passes_ends_the_run(watch, tmp_path):
    watch()
    Evaluation.started[0].code = 0
    assert watch() is True
    assert watch.passed == tmp_path / 'candidate'
    assert len(Evaluation.started) == 1


def test_a_checkpoint_that_cannot_be_evaluated_is_not_passed_over(watch, tmp_path):
    watch()
    Evaluation.started[0].code = 2
    with pytest.raises(LocomotionError, match=r'candidate\.log: a checkpoint could not be'):
        watch()
    assert watch.passed is None and (tmp_path / 'candidate.log').is_file()


def test_an_evaluation_under_way_ends_with_the_run(watch, monkeypatch):
    killed = []
    monkeypatch.setattr(scorecard_watch.os, 'killpg', lambda group, _: killed.append(group))
    watch.close()  # nothing to end yet
    watch()
    watch.close()
    assert killed == [Evaluation.started[0].pid]


def test_an_evaluation_ends_with_a_training_that_was_killed(tmp_path):
    process = subprocess.Popen(
        [sys.executable, '-c', scorecard_watch._SCRIPT, 'checkpoint.pt', 'candidate', 'robot',
         '1'], start_new_session=True, cwd=tmp_path)  # its parent is another process by now
    assert process.wait(timeout=60) == -signal.SIGKILL


def test_a_full_disk_is_one_sentence(tmp_path):
    (tmp_path / 'checkpoints').mkdir()
    (tmp_path / 'checkpoints' / '000025.pt').touch()
    (tmp_path / 'candidate.log').mkdir()  # what cannot be opened
    with pytest.raises(RunFolderError, match=r'candidate\.log: cannot be written'):
        ScorecardWatch(tmp_path, 'robots/mine')()


def test_a_broken_checkpoint_is_told_from_one_that_fails(tmp_path):
    (tmp_path / 'checkpoints').mkdir()
    (tmp_path / 'checkpoints' / '000025.pt').write_bytes(b'broken')
    watch = ScorecardWatch(tmp_path, 'robots/mine')
    assert watch() is False
    watch._process.wait()  # the real export, which refuses it
    with pytest.raises(LocomotionError, match='could not be evaluated'):
        watch()
    assert 'is not a checkpoint' in (tmp_path / 'candidate.log').read_text(encoding='utf-8')
