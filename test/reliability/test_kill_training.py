# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Kills of a training: what the comparison finds, and two of them done."""

from __future__ import annotations

import pytest

pytest.importorskip('onnxruntime')

from humanoid_locomotion.reliability import kill_training
from humanoid_locomotion.reliability.kill_training import Part, compare

TRAINED = [Part(1, 2, 24), Part(3, 4, 40)]


def left() -> tuple:
    """Give what a run leaves that is as it should be: checkpoints and lines."""
    segments = [part._asdict() for part in TRAINED]
    return ({'000002.pt': {'iteration': 2, 'samples': 24, 'segments': segments[:1]},
             '000004.pt': {'iteration': 4, 'samples': 64, 'segments': segments}},
            [{'iteration': i, 'samples': n} for i, n in ((1, 12), (2, 24), (3, 44), (4, 64))])


def test_a_run_as_it_should_be_is_passed():
    assert compare(*left(), TRAINED) == []


@pytest.mark.parametrize('spoil, message', [
    (lambda files, _: files.update({'000002.pt': '000002.pt: is broken'}), 'is broken'),
    (lambda files, _: files.pop('000004.pt'), 'the last checkpoint is not of iteration 4'),
    (lambda files, _: files['000004.pt'].update(samples=63), 'counted 63 samples'),
    (lambda files, _: files['000004.pt']['segments'].pop(0), 'the last checkpoint records'),
    (lambda _, lines: lines.insert(2, lines[1]), 'lacks or repeats iterations'),
    (lambda _, lines: lines.pop(1), 'lacks or repeats iterations'),
    (lambda _, lines: lines[2].update(samples=45), 'sample counts in metrics.jsonl differ')])
def test_what_is_lost_or_broken_is_found(spoil, message):
    files, lines = left()
    spoil(files, lines)
    (fault,) = compare(files, lines, TRAINED)
    assert message in fault


def test_of_a_hundred_kills_forty_are_meant_for_a_write():
    moments = kill_training.MOMENTS
    assert 100 * moments.count('write') / len(moments) >= 40 and set(moments) == {
        'write', 'training', 'start'}


@pytest.mark.slow
def test_a_killed_training_goes_on_and_nothing_is_lost():
    pytest.importorskip('torch')
    pytest.importorskip('mujoco')
    (result,) = kill_training.kill_and_resume(3, folders=1)
    assert (result.kills, result.lost, result.faults) == (3, 0, [])
    assert result.in_write >= 1 and result.repeated <= kill_training.EVERY
    assert '| 1 | 3 |' in kill_training.table([result])
