# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sweep files: what they hold, and what is refused with file and key."""

from __future__ import annotations

import sys

import pytest
import yaml

from humanoid_locomotion.core.errors import ConfigError, MissingPackageError
from humanoid_locomotion.core.reading.config import from_mapping, to_mapping
from humanoid_locomotion.core.reading.parsing import parse_yaml
from humanoid_locomotion.sweep.config import SweepConfig, as_yaml, read_sweep
from humanoid_locomotion.sweep.study import Sweep

GRID = {'parameters': {'ppo.epochs': [3, 5], 'ppo.hidden_sizes': [[8, 8], [16]]},
        'objective': 'reward', 'seeds': [1, 2]}
RANGE = {'low': 0.001, 'high': 0.1, 'log': True}


def read(data: dict, **changes: object) -> SweepConfig:
    return from_mapping(SweepConfig, {**data, **changes}, 'it.yaml')


def test_lists_give_every_combination_once():
    sweep = read(GRID)
    assert sweep.total == 4 and sweep.more_is_better
    assert {tuple(it.values()) for it in sweep.combinations()} == {
        ('3', '[8, 8]'), ('3', '[16]'), ('5', '[8, 8]'), ('5', '[16]')}


@pytest.mark.parametrize('changes', [
    {}, {'parameters': {'ppo.desired_kl': RANGE}, 'trials': 7}, {'trials': 3}])
def test_what_is_written_is_read_again(changes):
    sweep = read(GRID, **changes)
    assert from_mapping(SweepConfig, to_mapping(sweep), 'again') == sweep
    assert sweep.total == changes.get('trials', 4)


@pytest.mark.parametrize('objective, more', [
    ('reward', True), ('time_to_scorecard', False), ('mean velocity error, 12 commands', False),
    ('commands answered, of 12', True)])
def test_an_objective_knows_its_direction(objective, more):
    assert read(GRID, objective=objective).more_is_better is more


@pytest.mark.parametrize('value', [1e-05, 3, -2.5e10, 'a: b', True, None, [1e-07, 2], {'a': [1]},
                                   list(range(200))])
def test_every_value_is_one_line_that_set_reads_back(value):
    text = as_yaml(value)
    assert '\n' not in text and parse_yaml(text.encode(), 'it') == value == yaml.safe_load(text)


@pytest.mark.parametrize('changes, words', [
    ({'parameter': {}}, "unknown keys ['parameter']"), ({'objective': 'speed'}, 'there is: '),
    ({'parameters': {}}, 'parameters: expected one key'), ({'seeds': [1, 1]}, 'seeds: expected'),
    ({'seeds': []}, 'seeds: expected'), ({'seeds': [-1]}, 'seeds: expected different numbers'),
    ({'trials': 0}, 'trials: found 0'), ({'trials': 1.5}, 'trials: expected int'),
    ({'parameters': {'a': RANGE}}, 'trials is missing'),
    ({'parameters': {'a': []}}, 'parameters.a: expected one value or more'),
    ({'parameters': {'a': 3}}, 'parameters.a: expected a list'),
    ({'parameters': {'a': {**RANGE, 'steps': 3}}}, "parameters.a: unknown keys ['steps']"),
    ({'parameters': {'a': {'low': 2, 'high': 1}}}, 'parameters.a: expected low < high'),
    ({'parameters': {'a': {**RANGE, 'low': 0}}}, 'low above 0'),
    ({'parameters': {'a': {'low': float('nan'), 'high': 1}}}, 'must be finite numbers'),
    ({'parameters': {'a': {'low': 'x', 'high': 1}}}, "must be finite numbers, found 'x'")])
def test_what_does_not_fit_is_one_sentence_with_the_key(changes, words):
    with pytest.raises(ConfigError) as refused:
        read(GRID, **changes)
    assert str(refused.value).startswith('it.yaml: ') and words in str(refused.value)


def test_each_value_is_tried_on_the_config(tmp_path):
    path, seen = tmp_path / 'it.yaml', []
    path.write_text(yaml.safe_dump({
        **GRID, 'trials': 3, 'parameters': {'ppo.epochs': [1, 0], 'ppo.lam': RANGE}}))

    def check(assignment: str) -> None:
        seen.append(assignment)
        if assignment == 'ppo.lam=0.1':
            raise ConfigError('base.yaml', 'ppo', 'is too large')

    with pytest.raises(ConfigError, match=r'it\.yaml: parameters\.ppo\.lam: ppo: is too large'):
        read_sweep(path, check)
    assert seen == ['ppo.epochs=1', 'ppo.epochs=0', 'ppo.lam=0.001', 'ppo.lam=0.1']


def test_without_optuna_the_package_is_named_and_nothing_is_made(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'optuna', None)
    with pytest.raises(MissingPackageError, match=r'--sweep needs the package .*\[sweep\]'):
        Sweep(read(GRID), tmp_path / 'sweep', [], 'robot', list, print)
    assert list(tmp_path.iterdir()) == []
