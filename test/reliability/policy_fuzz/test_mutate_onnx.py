# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Mutations of a network: each does what its name says, to one message or its bytes."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

import onnx

from humanoid_locomotion.core.policy.folder import find_policy
from humanoid_locomotion.core.policy.onnx_graph import CONTRACT_KEY, OPERATORS
from humanoid_locomotion.reliability.policy_fuzz import breakages, mutate_onnx
from humanoid_locomotion.reliability.policy_fuzz.mutate_onnx import (
    CHANGES,
    FORBIDDEN,
    NETWORK,
    WIRE,
    _field,
    _value,
    mutate_network,
    set_contract,
)
from humanoid_locomotion.reliability.policy_fuzz.mutation import copy_folder, sign

SOURCE = find_policy('humanoid')
BY_NAME = {name: change for name, change, _ in (*CHANGES, *WIRE)}


def small_network():
    """Return a network of two layers with a contract, as a message."""
    from onnx import TensorProto, helper, numpy_helper
    weights = [numpy_helper.from_array(np.full((2, 2), 0.5 + i, np.float32), f'weight_{i}')
               for i in range(2)]
    nodes = [helper.make_node('Gemm', ['obs', 'weight_0'], ['h']),
             helper.make_node('Elu', ['h'], ['e']),
             helper.make_node('Gemm', ['e', 'weight_1'], ['actions'])]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2])
            for name in ('obs', 'actions')]
    model = helper.make_model(helper.make_graph(nodes, 'net', ends[:1], ends[1:], weights))
    helper.set_model_props(model, {CONTRACT_KEY: '{"a": 1}', 'joint_names': 'knee'})
    return model


@pytest.fixture
def model():
    """Give a small network."""
    return small_network()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Give a copy of a shipped policy."""
    return copy_folder(SOURCE, tmp_path_factory.mktemp('onnx') / 'policy')


def changed(model, name: str, seed: int = 0):
    """Change a network by name, and return it."""
    BY_NAME[name](model, np.random.default_rng(seed))
    return model


def weights_of(model) -> np.ndarray:
    """Return all weights in a row."""
    return np.concatenate([np.frombuffer(it.raw_data, np.float32)
                           for it in model.graph.initializer])


def operators_of(model) -> Counter:
    """Return how often each operator is in the graph."""
    return Counter(node.op_type for node in model.graph.node)


def test_forbidden_operators_are_none_that_a_policy_may_have():
    assert not set(FORBIDDEN) & set(OPERATORS)


def test_contract_is_replaced_and_nothing_else(tmp_path, model):
    path = tmp_path / NETWORK
    path.write_bytes(model.SerializeToString())
    set_contract(path, '{"b": 2}')
    after = onnx.load(path)
    assert {it.key: it.value for it in after.metadata_props} == {
        CONTRACT_KEY: '{"b": 2}', 'joint_names': 'knee'}
    assert after.graph == model.graph


@pytest.mark.parametrize('name, law', [
    ('a weight NaN', lambda new, old: np.isnan(new)),
    ('a weight huge', lambda new, old: new == np.float32(1e30)),
    ('a weight a little larger', lambda new, old: 0.0 < new - old < 1e-6),
    ('a weight of another sign', lambda new, old: new == -old)])
def test_one_weight_is_changed(model, name, law):
    before = weights_of(model)
    after = weights_of(changed(model, name))
    (at,) = np.flatnonzero(before != after)
    assert law(after[at], before[at])


@pytest.mark.parametrize('name, dims', [
    ('a tensor of 10^12 rows', (10 ** 12, 2)), ('a tensor of -1 rows', (-1, 2)),
    ('a tensor of no rows', (0, 2)), ('a tensor with many axes', (1,) * 50)])
def test_one_tensor_gets_other_dimensions(model, name, dims):
    found = [tuple(it.dims) for it in changed(model, name).graph.initializer]
    assert sorted(found) == sorted([(2, 2), dims])


@pytest.mark.parametrize('name, change', [('a layer less', -1), ('a layer twice', 1)])
def test_number_of_layers_changes_by_one(model, name, change):
    before = operators_of(model)
    after = operators_of(changed(model, name))
    assert sum(after.values()) - sum(before.values()) == change
    assert set(after) <= set(before)


def test_layers_in_another_order_are_the_same_layers(model):
    before = [node.SerializeToString() for node in model.graph.node]
    orders = set()
    for seed in range(8):
        after = [node.SerializeToString()
                 for node in changed(small_network(), 'layers in another order', seed).graph.node]
        assert sorted(after) == sorted(before)
        orders.add(tuple(after))
    assert len(orders) > 1


def test_joining_doubles_the_width_forty_times(model):
    joins = [node for node in changed(model, '2^40 values by joining').graph.node
             if node.op_type == 'Concat']
    assert len(joins) == 40 and all(len(set(node.input)) == 1 for node in joins)
    assert all(before.output[0] == after.input[0] for before, after in pairwise(joins))


@pytest.mark.parametrize('name, operator', [
    ('10^10 values by a product', 'MatMul'), ('10^10 values by a sum', 'Add')])
def test_two_tensors_make_ten_thousand_million_values(model, name, operator):
    changed(model, name)
    sizes = {it.name: np.prod(it.dims) for it in model.graph.initializer}
    (node,) = [node for node in model.graph.node if node.op_type == operator]
    assert np.prod([sizes[it] for it in node.input]) == 10 ** 10


@pytest.mark.parametrize('name, operator', [
    ('a loop of 10^12 around it', 'Loop'), ('a scan', 'Scan'), ('a branch', 'If')])
def test_result_goes_through_a_nested_graph(model, name, operator):
    last, before = changed(model, name).graph.node[-1], model.graph.node[-2]
    assert last.op_type == operator and list(last.output) == ['actions']
    assert before.output[0] in last.input and last.attribute[0].HasField('g')


def test_weights_outside_name_a_file(model):
    for seed in range(10):
        tensors = changed(small_network(), 'weights outside the file', seed).graph.initializer
        assert [len(it.external_data) for it in tensors] in ([0, 1], [1, 0])


@pytest.mark.parametrize('name', [
    'a function', 'a sparse tensor', 'a training step', 'an input more', 'a contract twice',
    'a tensor twice', 'operators of others', 'an end of 10^12', 'an end of one more',
    'an end of another name', 'no contract', 'a contract of nothing', 'a domain of others',
    'an operator of no policy', '10^12 values beside it', 'chance beside it'])
def test_change_is_still_there_after_writing_and_reading(model, name):
    written = changed(model, name).SerializeToString(deterministic=True)
    assert written != small_network().SerializeToString(deterministic=True)
    assert onnx.ModelProto.FromString(written) == model


def every_field(descriptor, known=()):
    """Yield the fields of a message and of the messages in it."""
    for field in descriptor.fields:
        if field.message_type is None:
            yield field
        elif field.message_type.full_name not in known:
            yield from every_field(field.message_type, (*known, descriptor.full_name,
                                                        field.message_type.full_name))


def test_any_value_of_any_field_can_be_written():
    fields = {it.full_name: it for it in every_field(onnx.ModelProto.DESCRIPTOR)}
    messages = {'onnx.' + name: getattr(onnx, name) for name in dir(onnx)
                if name.endswith('Proto')}
    random, count = np.random.default_rng(0), 0
    for field in fields.values():
        make = messages.get(field.containing_type.full_name)
        if make is None:  # a message within a message: reached by test_a_field_is_changed
            continue
        for _ in range(30):
            message, value = make(), _value(field, random)
            if field.is_repeated:
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)
            make.FromString(message.SerializeToString())
        count += 1
    assert count > 30


def test_a_field_is_changed_as_its_description_says():
    before = small_network()
    described = set()
    for seed in range(150):
        model = small_network()
        text = _field(model, np.random.default_rng(seed))
        way, _, what = text.partition(' ')
        described.add(what)
        assert hasattr(model, way.partition('.')[0])
        if what.startswith('has an entry'):
            assert model != before
        onnx.ModelProto.FromString(model.SerializeToString())
    assert described == {'has an entry more', 'has an entry less', 'is there, and empty',
                         'is changed'}


CONTENT = bytes(range(256)) * 4


@pytest.mark.parametrize('name, law', [
    ('all of it twice', lambda it: it == 2 * CONTENT),
    ('half of it', lambda it: len(it) < len(CONTENT) and CONTENT.startswith(it)),
    ('a second graph, of nothing', lambda it: it.startswith(CONTENT) and len(it) == 1026),
    ("onnxruntime's own format", lambda it: it[4:8] == b'ORTM' and it[8:] == CONTENT[4:]),
    ('nothing', lambda it: it == b''),
    ('16 million empty messages', lambda it: len(it) > 30_000_000)])
def test_bytes_become_what_the_name_says(name, law):
    assert law(BY_NAME[name](CONTENT, np.random.default_rng(1)))


@pytest.mark.parametrize('seed', range(10))
def test_some_bits_are_at_most_eight_and_the_length_stays(seed):
    data = BY_NAME['some bits'](CONTENT, np.random.default_rng(seed))
    flipped = sum(bin(a ^ b).count('1') for a, b in zip(data, CONTENT))
    assert len(data) == len(CONTENT) and 1 <= flipped <= 8


@pytest.mark.parametrize('seed', range(10))
def test_some_bytes_more_are_put_into_the_content(seed):
    data = BY_NAME['some bytes more'](CONTENT, np.random.default_rng(seed))
    more = len(data) - len(CONTENT)
    assert 1 <= more <= 8
    assert any(data[:at] + data[at + more:] == CONTENT for at in range(len(data)))


def test_a_mutation_is_that_of_its_seed(tmp_path, model, monkeypatch):
    monkeypatch.setattr(mutate_onnx, 'WIRE', tuple(
        row for row in WIRE if 'million' not in row[0] and '10 MB' not in row[0]))
    content, names = model.SerializeToString(), set()
    for seed in range(60):
        results = []
        for _ in range(2):
            (tmp_path / NETWORK).write_bytes(content)
            change = mutate_network(tmp_path, np.random.default_rng(seed))
            results.append((change, (tmp_path / NETWORK).read_bytes()))
        assert results[0] == results[1] and change.file == NETWORK
        never = {row[0]: row[2] for row in (*CHANGES, *WIRE)}
        assert change.never == never.get(change.name, False)
        names.add(change.name)
    assert len(names & {row[0] for row in CHANGES}) > 10 and len(names - set(never)) > 5


@pytest.mark.parametrize('name', ['a weight a little larger', 'some bytes more'])
def test_a_change_that_may_be_harmless_opens_or_is_refused_by_a_sentence(folder, name):
    content = (SOURCE / NETWORK).read_bytes()
    if name in {row[0] for row in WIRE}:
        content = BY_NAME[name](content, np.random.default_rng(0))
    else:
        content = changed(onnx.ModelProto.FromString(content), name).SerializeToString()
    (folder / NETWORK).write_bytes(content)
    sign(folder)
    assert not breakages.sentence(folder).startswith('unexpected')
