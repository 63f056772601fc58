# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Mutations of a contract and a scorecard: harmless ones read the same, others never do."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import yaml

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

import onnx

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.policy.content import FILES, SCORECARD
from humanoid_locomotion.core.policy.folder import find_policy, open_policy
from humanoid_locomotion.core.policy.onnx_graph import CONTRACT_KEY
from humanoid_locomotion.core.reading import config
from humanoid_locomotion.core.reading.parsing import parse_json, parse_yaml
from humanoid_locomotion.reliability.policy_fuzz import mutate_text
from humanoid_locomotion.reliability.policy_fuzz.mutate_text import (
    CONTRACT,
    HOLE,
    JSON_NEVER,
    YAML_NEVER,
    YAML_TEXTS,
    _change,
    _dump,
    _export_again,
    mutate_contract,
    mutate_scorecard,
)
from humanoid_locomotion.reliability.policy_fuzz.mutation import copy_folder, places, sign

SOURCE = find_policy('humanoid')
TREE = {'robot': 'humanoid', 'joints': [{'name': 'knee', 'kp': 1.5}, {'name': 'hip', 'kp': 2.5}],
        'scales': [0.25, 0.5, 4.0]}


@pytest.fixture
def folder(tmp_path):
    """Give a folder to change."""
    return copy_folder(SOURCE, tmp_path / 'policy')


def read(folder, name: str) -> bytes:
    """Return the content of a file."""
    return (folder / name).read_bytes()


@pytest.mark.parametrize('name', YAML_NEVER)
def test_yaml_of_no_plain_data_is_refused_alone(name):
    with pytest.raises(ConfigError) as error:
        parse_yaml(f'value: {YAML_NEVER[name]}\n'.encode(), CONTRACT)
    assert str(error.value).startswith(CONTRACT) and str(error.value).isprintable()


@pytest.mark.parametrize('name', JSON_NEVER)
def test_json_beyond_bounds_is_refused_alone(name):
    with pytest.raises(ConfigError) as error:
        parse_json(f'{{"value": {JSON_NEVER[name]}}}'.encode(), SCORECARD)
    assert str(error.value).startswith(SCORECARD) and str(error.value).isprintable()


HARMLESS = [(name, change) for name, change, never in YAML_TEXTS if not never]


@pytest.mark.parametrize('change', [it for _, it in HARMLESS], ids=[name for name, _ in HARMLESS])
def test_harmless_text_has_the_same_data_and_opens(folder, change):
    before = read(folder, CONTRACT)
    after = change(before)
    assert after != before and parse_yaml(after, '') == parse_yaml(before, '')
    (folder / CONTRACT).write_bytes(after)
    sign(folder)
    expected = open_policy(SOURCE, 'onnxruntime').contract
    assert open_policy(folder, 'onnxruntime').contract == expected


def test_dumped_yaml_has_the_same_data_and_no_aliases():
    same = [1, 2]
    tree = {'a': same, 'b': same, 'c': {'d': None, 'e': '', 'f': 1e-9, 'g': True}}
    text = _dump(tree)
    assert yaml.safe_load(text) == tree and list(yaml.safe_load(text)) == list(tree)
    assert '&' not in text and '*' not in text


def sizes(tree) -> int:
    """Return the number of values in plain data."""
    return len(places(tree))


def ordered(tree) -> str:
    """Return plain data as text, in its order."""
    return json.dumps(tree)


def unordered(tree) -> str:
    """Return plain data as text that is independent of any order."""
    return ''.join(sorted(json.dumps(tree, sort_keys=True)))


LAWS = {
    'a key less': lambda new: sizes(new) < sizes(TREE),
    'a key more': lambda new: sizes(new) > sizes(TREE) or 'kp' in new or 'kp' in new['joints'][0],
    'a key of another name': lambda new: ordered(new) != ordered(TREE) and (
        sizes(new) == sizes(TREE)),
    'a list in another order': lambda new: unordered(new) == unordered(TREE),
    'keys in another order': lambda new: new == TREE and ordered(new) != ordered(TREE),
    'an entry more or less': lambda new: sizes(new) != sizes(TREE),
    'a value a little or much larger': lambda new: sizes(new) == sizes(TREE) and (
        ordered(new) != ordered(TREE)),
    'an extreme value': lambda new: ordered(new) != ordered(TREE)}


def test_each_change_of_a_value_is_what_its_name_says():
    seen = set()
    for seed in range(300):
        tree = copy.deepcopy(TREE)
        name = _change(tree, np.random.default_rng(seed))
        assert LAWS[name](tree), (seed, name, tree)
        seen.add(name)
    assert seen == set(LAWS)


def test_changed_contract_exported_again_agrees_with_its_network(folder):
    tree = yaml.safe_load(read(folder, CONTRACT))
    old = tree['fingerprint']
    tree['joints'][0]['kp'] += 1.0
    assert _export_again(tree, folder) and tree['fingerprint'] != old
    (stored,) = [entry.value for entry in onnx.load(folder / 'network.onnx').metadata_props
                 if entry.key == CONTRACT_KEY]
    fingerprint = tree.pop('fingerprint')
    contract = config.from_mapping(PolicyContract, tree, CONTRACT)
    assert contract.fingerprint == fingerprint and stored == contract.to_json()
    assert contract.joints[0].kp == tree['joints'][0]['kp']


@pytest.mark.parametrize('key, value', [
    ('joints', []), ('control_period', float('nan')), ('robot', 1), ('unknown', 1)])
def test_contract_that_is_none_is_not_exported_again(folder, key, value):
    tree = {**yaml.safe_load(read(folder, CONTRACT)), key: value}
    old, network = tree['fingerprint'], read(folder, 'network.onnx')
    assert not _export_again(tree, folder)
    assert tree['fingerprint'] == old and read(folder, 'network.onnx') == network


def test_contract_mutations_fill_the_hole_and_change_no_other_file(tmp_path):
    names = set()
    for seed in range(12):
        folder = copy_folder(SOURCE, tmp_path / str(seed))
        change = mutate_contract(folder, np.random.default_rng(seed))
        text = read(folder, CONTRACT)
        assert change.file == CONTRACT and HOLE.encode() not in text
        assert text != read(SOURCE, CONTRACT)
        if change.name in YAML_NEVER:
            assert change.never and YAML_NEVER[change.name].encode() in text
        again = change.name.endswith(', exported again')
        changed = {name for name in (*FILES, SCORECARD)
                   if read(folder, name) != read(SOURCE, name)}
        copies = {'policy.onnx', 'network.onnx'} if again else set()
        assert changed in ({CONTRACT}, {CONTRACT, *copies})
        names.add(change.name)
    assert len(names) > 5


def test_scorecard_mutations_that_must_be_refused_are_refused(tmp_path):
    names, outcomes = set(), set()
    (tmp_path / SCORECARD).write_text(json.dumps(
        {'figures': {'responses': [{'command': [0.5, 0.0], 'velocity': [0.4, 0.0]}]}, 'x': 1.0}))
    original = read(tmp_path, SCORECARD)
    for seed in range(80):
        (tmp_path / SCORECARD).write_bytes(original)
        change = mutate_scorecard(tmp_path, np.random.default_rng(seed))
        text = read(tmp_path, SCORECARD)
        assert change.file == SCORECARD and HOLE.encode() not in text
        if change.never:
            with pytest.raises(ConfigError):
                parse_json(text, SCORECARD)
        else:
            json.loads(text, parse_constant=pytest.fail)
        names.add(change.name)
        outcomes.add(change.never)
    assert outcomes == {True, False} and len(names & set(JSON_NEVER)) > 5
    assert {'a key less', 'an extreme value'} <= names


def test_equal_seeds_make_equal_contracts(tmp_path):
    texts = []
    for i, seed in enumerate((3, 3, 4)):
        folder = copy_folder(SOURCE, tmp_path / str(i))
        mutate_text.mutate_contract(folder, np.random.default_rng(seed))
        texts.append(read(folder, CONTRACT))
    assert texts[0] == texts[1] != texts[2]
