# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Broken and tampered policy folders are refused with a sentence of ours, and never run code."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from humanoid_locomotion.core.policy.content import FILES, MEASURED, SUMS
from humanoid_locomotion.core.policy.folder import find_policy
from humanoid_locomotion.reliability.policy_fuzz import (
    breakages,
    fuzz,
    mutate_files,
    mutate_npz,
    mutate_onnx,
    mutate_text,
)
from humanoid_locomotion.reliability.policy_fuzz.mutation import (
    Mutation,
    copy_folder,
    places,
    sign,
)

SOURCE = find_policy('humanoid')


@pytest.fixture
def folder(tmp_path):
    """Give a folder to tamper with."""
    return copy_folder(SOURCE, tmp_path / 'policy')


@pytest.fixture(scope='module')
def judge():
    """Give who knows what the untouched folder does."""
    return fuzz.Judge(SOURCE)


@pytest.fixture(scope='module')
def broken():
    """Give what became of every breakage."""
    return breakages.break_by_name(SOURCE)


def test_there_are_twenty_ways_at_least(broken):
    assert len({name for name, _ in broken}) == len(broken) >= 20


@pytest.mark.parametrize('i', range(len(breakages.BREAKAGES)),
                         ids=[name for name, _, _ in breakages.BREAKAGES])
def test_breakage_is_refused_with_a_sentence_that_names_the_file(broken, i):
    _, text = broken[i]
    assert text.startswith((*FILES, SUMS)), text


def test_trap_would_snap(tmp_path):
    """If a pickle were opened, it would be seen."""
    import pickle
    pickle.loads(pickle.dumps(breakages.Trap(tmp_path / 'trapped')))
    assert (tmp_path / 'trapped').exists()


def test_none_of_fifty_tampered_folders_ends_as_it_should_not():
    result = fuzz.fuzz(SOURCE, 50, processes=1)
    assert len(result.tried) == 50 and not result.crashed
    assert [one for one in result.tried if one.wrong] == []
    assert {one.grammar for one in result.tried} == {name for name, _ in fuzz.GRAMMARS}
    assert any(one.isolated for one in result.tried)


def crash_at_three(source, first, count):
    """Open nothing, and end the process at one seed, as a fault in a parser would."""
    if first <= 3 < first + count:
        os._exit(1)
    tried = fuzz.Tried('none', Mutation('none', 'none', False), '', '', 0.0, 0.0, 0, False)
    return count * [tried]


def test_a_crash_is_counted_and_found():
    result = fuzz.fuzz(SOURCE, 6, processes=1, run=crash_at_three)
    assert result.crashed == (3,) and len(result.tried) == 5 and result.failed == 1


def never(table):
    """Give the rows of what must be refused."""
    rows = [row for row in table if len(row) < 3 or row[2]]
    return pytest.mark.parametrize('row', rows, ids=[str(i) for i in range(len(rows))])


def refuse(folder, file, content):
    """Assert that a folder with this file, signed anew, is refused with a sentence of ours."""
    (folder / file).write_bytes(content)
    sign(folder)
    text = breakages.sentence(folder)
    assert not text.startswith(('opened', 'unexpected')) and text.isprintable(), text


@never(mutate_onnx.CHANGES)
def test_a_network_that_is_more_than_a_network_is_refused(folder, row):
    import onnx
    model = onnx.ModelProto.FromString((folder / 'network.onnx').read_bytes())
    row[1](model, np.random.default_rng(0))
    refuse(folder, 'network.onnx', model.SerializeToString())


@never(mutate_onnx.WIRE)
def test_bytes_that_are_no_network_are_refused(folder, row):
    content = (folder / 'network.onnx').read_bytes()
    refuse(folder, 'network.onnx', row[1](content, np.random.default_rng(0)))


@pytest.fixture(scope='module')
def members():
    """Give the members of the golden archive."""
    with np.load(SOURCE / 'golden.npz') as file:
        return {f'{name}.npy': mutate_npz._member(array) for name, array in file.items()}


@never(mutate_npz.ARRAYS)
def test_golden_arrays_of_another_kind_are_refused(folder, row):
    with np.load(folder / 'golden.npz') as file:
        arrays = dict(file)
    arrays['observation'] = row[1](arrays['observation'])
    np.savez(folder / 'golden.npz', allow_pickle=True, **arrays)
    refuse(folder, 'golden.npz', (folder / 'golden.npz').read_bytes())


@never(mutate_npz.HEADERS)
def test_golden_headers_that_claim_what_is_not_there_are_refused(folder, members, row):
    refuse(folder, 'golden.npz', mutate_npz._archive({**members, 'action.npy': row[1]}))


@never(mutate_npz.ARCHIVES)
def test_golden_archives_of_another_kind_are_refused(folder, members, row):
    refuse(folder, 'golden.npz', row[1](members, 'action.npy'))


@never(mutate_text.YAML_TEXTS)
def test_yaml_that_is_more_than_plain_data_is_refused(folder, row):
    refuse(folder, 'contract.yaml', row[1]((folder / 'contract.yaml').read_bytes()))


@pytest.mark.parametrize('name', mutate_text.YAML_NEVER)
@pytest.mark.parametrize('old', ['robot: humanoid', 'control_period: 0.02'])
def test_yaml_that_is_plain_nowhere_is_refused_anywhere(folder, name, old):
    text = (folder / 'contract.yaml').read_text()
    assert old in text
    key = old.partition(':')[0]
    refuse(folder, 'contract.yaml',
           text.replace(old, f'{key}: {mutate_text.YAML_NEVER[name]}').encode())


@pytest.mark.parametrize('name', mutate_text.JSON_NEVER)
def test_a_scorecard_beyond_bounds_is_not_believed_and_stops_nothing(folder, judge, name):
    tree = json.loads((folder / 'scorecard.json').read_text())
    tree['figures']['responses'][0]['command'][0] = 'HOLE'
    text = json.dumps(tree).replace('"HOLE"', mutate_text.JSON_NEVER[name])
    (folder / 'scorecard.json').write_text(text)
    sign(folder)
    assert judge.open(folder).envelope.problem.startswith('scorecard.json: is not valid JSON')


@pytest.mark.parametrize('file', [*FILES, SUMS])
@pytest.mark.parametrize('name, make', mutate_files.KINDS)
def test_what_stands_in_place_of_a_file_is_refused(folder, file, name, make):
    (folder / file).unlink()
    make(folder / file)
    if file != SUMS:
        sign(folder)
    text = breakages.sentence(folder)
    assert text.startswith(file), text


@pytest.mark.parametrize('name, make', mutate_files.KINDS)
def test_what_stands_in_place_of_a_scorecard_is_not_believed(folder, judge, name, make):
    (folder / 'scorecard.json').unlink()
    make(folder / 'scorecard.json')
    sign(folder)
    envelope = judge.open(folder).envelope
    assert envelope.problem.startswith('scorecard.json') and not envelope.responses


def test_a_folder_that_does_something_else_is_found_out(folder, judge):
    """A network and golden steps of another policy open, and must not have been opened."""
    import onnx

    from humanoid_locomotion.core.policy.engines import open_engine
    from humanoid_locomotion.core.policy.folder import open_policy
    from humanoid_locomotion.core.policy.golden import record_golden, tumbling_states
    from humanoid_locomotion.core.policy.writer import write_policy
    contract = open_policy(folder, 'onnxruntime').contract
    model = onnx.ModelProto.FromString((folder / 'network.onnx').read_bytes())
    tensor = model.graph.initializer[-1]
    tensor.raw_data = (np.frombuffer(tensor.raw_data, np.float32) + 0.1).tobytes()
    (folder / 'network.onnx').write_bytes(model.SerializeToString())
    write_policy(folder, contract, model.SerializeToString(), record_golden(
        contract, open_engine(folder / 'network.onnx', 'onnxruntime'), tumbling_states(contract)))
    mutation = Mutation('another policy', 'network.onnx', False)
    assert 'behaves differently' in judge.wrong(judge.open(folder), mutation)


def test_what_no_policy_may_have_is_found_out(folder, judge):
    opened = judge.open(folder)
    assert judge.wrong(opened, Mutation('x', 'policy.onnx', False)) == ''
    assert 'no policy may have' in judge.wrong(opened, Mutation('x', 'policy.onnx', True))
    assert judge.wrong(opened, Mutation('x', 'scorecard.json', True)) == (
        'its scorecard was used')


def test_places_are_all_that_can_be_changed():
    data = {'a': [1, {'b': 2}], 'c': 3}
    assert sorted(str(container[key]) for container, key in places(data)) == sorted(
        str(it) for it in ([1, {'b': 2}], 3, 1, {'b': 2}, 2))


def test_every_mutation_changes_its_file(tmp_path):
    for seed in range(60):
        where = tmp_path / str(seed)
        _, mutation = fuzz.tamper(SOURCE, where, seed)
        changed = where / mutation.file
        assert not changed.is_file() or changed.stat().st_size > 1 << 30 or (
            changed.read_bytes() != (SOURCE / mutation.file).read_bytes()), mutation
        others = {*FILES, *MEASURED} - {mutation.file, SUMS}
        if 'exported again' not in mutation.name:
            assert all((where / name).read_bytes() == (SOURCE / name).read_bytes()
                       for name in others)
        shutil.rmtree(where)
