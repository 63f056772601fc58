# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Scorecards side by side, and the HTML report of one."""

from __future__ import annotations

from dataclasses import replace
import shutil

import pytest

pytest.importorskip('matplotlib')

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.reading.resources import policy_folders
from humanoid_locomotion.evaluation.comparison.compare import _best, compare
from humanoid_locomotion.evaluation.scorecard import read_scorecard


@pytest.fixture
def pair(tmp_path):
    """Give two folders with the scorecard that ships."""
    shipped = policy_folders()['humanoid'] / 'scorecard.json'
    for name in ('a', 'b'):
        (tmp_path / name).mkdir()
        shutil.copy(shipped, tmp_path / name)
    return tmp_path / 'a', tmp_path / 'b'


def change(folder, **setting):
    path = folder / 'scorecard.json'
    card = read_scorecard(path)
    path.write_text(replace(card, setting=replace(card.setting, **setting)).to_json())


@pytest.mark.parametrize('measured, more, best', [
    ([(1.0,), (2.0,)], True, [1]), ([(1.0,), (2.0,)], False, [0]),
    ([(1.0,), (1.0,)], True, [0, 1]),
    ([(None,), (0.1,)], True, [1]), ([(None,), (9.0,)], False, [1]),
    ([(None,), (None,)], True, []),
    ([(1.0, 2.0), (2.0, 1.0)], True, [0, 1]), ([(1.0, 2.0), (1.0, 1.0)], True, [0])])
def test_the_best_is_whom_nobody_beats(measured, more, best):
    assert _best(measured, more) == best


def test_the_same_scorecard_twice_is_equally_good(pair):
    found = compare([str(folder) for folder in pair])
    assert len(found.rows) == len(read_scorecard(pair[0] / 'scorecard.json').criteria)
    assert all(list(row.best) in ([0, 1], []) for row in found.rows)
    assert found.to_mapping()['policies'] == [str(folder) for folder in pair]


@pytest.mark.parametrize('setting, message', [
    ({'protocol': 1}, r'setting\.protocol: is 1, that of .* is 4'),
    ({'quick': True}, r'setting\.quick: is True')])
def test_what_was_measured_in_another_way_is_not_compared(pair, setting, message):
    change(pair[1], **setting)
    with pytest.raises(ConfigError, match=message):
        compare([str(folder) for folder in pair])


def test_a_policy_that_was_not_measured_says_how_to(pair):
    (pair[1] / 'scorecard.json').unlink()
    with pytest.raises(ConfigError, match='run humanoid-locomotion evaluate'):
        compare([str(folder) for folder in pair])
