# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The table of seeds: who is ranked where, which is the median, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scorecards import GOOD, SETTING

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.evaluation.comparison.seeds import rank_seeds
from humanoid_locomotion.evaluation.gates import LINES, make_scorecard

LEADS = replace(GOOD, mean_linear_error=0.02)                # one line more than GOOD leads
MISSES = replace(GOOD, mean_yaw_error=0.05)                  # one line less passed
BARELY = replace(GOOD, mean_linear_error=0.045)              # as GOOD, but for the first line
UNMEASURED = replace(MISSES, economy=GOOD.economy[:1])


@pytest.fixture
def write(tmp_path):
    """Write scorecards into folders s1, s2, ...; give the folders."""
    def made(*figures, **setting):
        folders = []
        for i, it in enumerate(figures):
            folder = tmp_path / f's{i + 1}'
            folder.mkdir()
            card = make_scorecard(it, replace(SETTING, **setting))
            (folder / 'scorecard.json').write_text(card.to_json())
            folders.append(str(folder))
        return folders
    return made


@pytest.mark.parametrize('figures, ranking, median', [
    ((GOOD, LEADS, MISSES), [1, 0, 2], 0),
    ((MISSES, BARELY, GOOD), [2, 1, 0], 1),
    ((LEADS, MISSES), [0, 1], 1),  # of two, the weaker
    ((UNMEASURED, MISSES, LEADS), [2, 1, 0], 1),
    ((GOOD,), [0], 0)])
def test_seeds_are_ranked_by_lines_passed_then_led_then_line_by_line(
        write, figures, ranking, median):
    found = rank_seeds(write(*figures))
    assert list(found.ranking) == ranking and found.median == median


def test_the_table_has_every_line_of_every_seed_and_the_reason(write):
    text = rank_seeds(write(GOOD, LEADS, MISSES)).to_markdown()
    rows = [row.strip('| ').split(' | ') for row in text.splitlines() if row.startswith('|')]
    assert rows[0][-3:] == ['s1', 's2', 's3']
    assert len(rows) == 2 + len(LINES) + 2 and len({len(row) for row in rows[2:14]}) == 1
    assert rows[2][-3:] == ['0.04', '**0.02**', '0.04'] and rows[3][-1] == '*0.05*'
    assert rows[-2][-3:] == ['12', '12', '11']
    assert 'The median is **s1**' in text and 's2 (12 passed, ' in text


def test_files_may_be_named_themselves(write):
    folders = write(GOOD, LEADS)
    files = [f'{folder}/scorecard.json' for folder in folders]
    assert rank_seeds(files) == rank_seeds(folders)


def test_seeds_of_different_recipes_are_refused(write, tmp_path):
    (folder,) = write(GOOD)
    other = tmp_path / 'other.json'
    other.write_text(make_scorecard(GOOD, replace(SETTING, fingerprint='1' * 16)).to_json())
    with pytest.raises(ConfigError, match='seeds of one recipe share their contract'):
        rank_seeds([folder, str(other)])


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r'none\.json: is missing'):
        rank_seeds([str(tmp_path / 'none.json')])


def test_a_dot_in_a_folder_s_name_is_part_of_it(write, tmp_path):
    write(GOOD)
    dotted = (tmp_path / 's1').rename(tmp_path / 'period_0.88')
    assert rank_seeds([str(dotted)]).names == ['period_0.88']
