# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The ablations: every term has a reason in the docs, and every run of the list can be started."""

from __future__ import annotations

from pathlib import Path
import re
import shlex

import pytest

from humanoid_locomotion.core.reading.config import to_mapping
from humanoid_locomotion.core.reading.resources import config_file
from humanoid_locomotion.training.config_file import load_config
from humanoid_locomotion.training.run.options import training_config

DOCS = Path(__file__).parents[2] / 'docs' / 'history'
RECIPE = to_mapping(load_config(config_file('training', 'humanoid')))
RUNS = [shlex.split(line) for line in (DOCS / 'ablations.txt').read_text().splitlines()
        if line.startswith('humanoid-locomotion')]


def rows():
    """Give the cells of the table of terms."""
    table = (DOCS / 'ablations.md').read_text().split('| term |')[1]
    return [[cell.strip() for cell in line.strip('|').split('|')]
            for line in table.splitlines() if line.startswith('| ')]


def option(run, name):
    """Give the values that a command gives an option."""
    return [run[i + 1] for i, word in enumerate(run) if word == name]


def name(run):
    """Give a run's name."""
    return Path(option(run, '--output')[0]).name


RECIPES = {option(run, '--robot')[0]: run for run in RUNS if not option(run, '--set')}


def test_every_term_of_the_recipe_has_a_reason():
    explained = set(re.findall(r'`(\w+)`', ' '.join(row[0] for row in rows())))
    terms = {*RECIPE['rewards']['weights'], *RECIPE['randomization'], *RECIPE['noise']}
    assert terms <= explained, sorted(terms - explained)
    assert all(len(row) == 4 and row[1] and row[3] for row in rows())


def test_the_runs_of_the_table_are_those_of_the_list():
    assert sorted(row[2] for row in rows() if row[2]) == sorted(
        name(run) for run in RUNS if option(run, '--set'))
    assert {robot: name(run) for robot, run in RECIPES.items()} == {
        'humanoid': 'recipe', 'unitree_h1': 'h1_recipe'}


@pytest.mark.parametrize('run', RUNS, ids=name)
def test_a_run_is_the_recipe_without_what_it_says(run):
    """Each setting is taken, changes the robot's recipe, and is of a term in the run's row."""
    terms = next((row[0] for row in rows() if row[2] == name(run)), '')
    settings, (robot,) = option(run, '--set'), option(run, '--robot')
    for setting in settings:
        made, found = training_config('', robot, 4096, 500, [setting])
        assert found.name == robot and to_mapping(made) != to_mapping(
            training_config('', robot, 4096, 500, [])[0])
        key = setting.split('=')[0]
        assert any(f'`{part}`' in terms for part in key.split('.')), key
    same = [word for word in run if word not in settings and word != '--set']
    assert [*same[:-1], ''] == [*RECIPES[robot][:-1], '']
