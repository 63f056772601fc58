# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The metrics of a run: one whole line for each iteration, whatever stopped the run."""

from __future__ import annotations

import json
import threading

import pytest

from humanoid_locomotion.core.errors import RunFolderError
from humanoid_locomotion.training.monitoring.metrics_writer import Logs, cut, last_metrics


def iterations(folder) -> list:
    """Give the iterations of the lines."""
    return [json.loads(line)['iteration'] for line in (folder / 'metrics.jsonl').open()]


def lines(*numbers: int) -> str:
    """Give the lines of iterations."""
    return ''.join(f'{{"iteration": {number}}}\n' for number in numbers)


@pytest.mark.parametrize('content, left', [
    (lines(1, 2, 3, 4, 5), [1, 2, 3]),
    (lines(1, 2, 3) + '{"iteration": 4, "rew', [1, 2, 3]),  # half a line
    (lines(1, 2) + '{"iteration": 3, "rew', [1, 2]),
    (lines(1, 2, 3, 4, 3, 4, 5), [1, 2, 3]),  # of before lines were cut off
    (lines(1) + '{"itera' + lines(2, 3), [1, 3]),  # a line that was written after half of one
    (lines(1) + '\x00\x00\x00\n[1]\n' + lines(2), [1, 2]), ('', [])])
def test_what_no_checkpoint_holds_is_cut_off(tmp_path, content, left):
    (tmp_path / 'metrics.jsonl').write_text(content)
    cut(tmp_path, 3)
    assert iterations(tmp_path) == left
    with Logs(tmp_path, after=3) as logs:
        logs.write(4, 40, {'reward': 1.0})
    assert iterations(tmp_path) == [*left, 4]


def test_the_last_of_two_lines_of_an_iteration_is_kept(tmp_path):
    (tmp_path / 'metrics.jsonl').write_text(
        '{"iteration": 1, "run": "first"}\n{"iteration": 1, "run": "resumed"}\n')
    cut(tmp_path, 1)
    (line,) = (tmp_path / 'metrics.jsonl').read_text().splitlines()
    assert json.loads(line)['run'] == 'resumed'


def test_the_newest_metrics_are_none_in_a_folder_that_was_replaced(tmp_path):
    assert last_metrics(tmp_path) is None and last_metrics(tmp_path / 'gone') is None
    (tmp_path / 'metrics.jsonl').write_text('')
    assert last_metrics(tmp_path) is None
    (tmp_path / 'metrics.jsonl').write_text(lines(1, 2))
    assert last_metrics(tmp_path) == {'iteration': 2}


def test_nothing_is_written_where_there_is_nothing_to_cut(tmp_path):
    cut(tmp_path, 3)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / 'metrics.jsonl').write_text(lines(1, 2))
    before = (tmp_path / 'metrics.jsonl').stat()
    cut(tmp_path, 3)
    assert (tmp_path / 'metrics.jsonl').stat() == before


def test_a_full_disk_is_one_sentence(tmp_path):
    (tmp_path / 'metrics.jsonl').symlink_to('/dev/full')
    with pytest.raises(RunFolderError, match=r'metrics\.jsonl: cannot be written \(No space'), \
            Logs(tmp_path) as logs:
        logs.write(1, 10, {'reward': 1.0})


def test_a_full_disk_under_tensorboard_is_one_sentence_too(tmp_path, capsys):
    pytest.importorskip('tensorboard')
    hook = threading.excepthook
    with pytest.raises(RunFolderError, match=r'cannot be written \(No space left'), \
            Logs(tmp_path) as logs:
        writer = logs._board.file_writer.event_writer._async_writer._writer

        def full(*_):
            raise OSError(28, 'No space left on device')

        writer.write = writer.flush = full
        for iteration in range(100):
            logs.write(iteration, 10, {f'figure {i}': 1.0 for i in range(10)})
    assert capsys.readouterr().err == ''  # no traceback of TensorBoard's thread
    assert threading.excepthook == hook
