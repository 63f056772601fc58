# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The ONNX file of another stack becomes a network of this package: complete, named, bounded."""

from __future__ import annotations

from foreign_files import write_network
import numpy as np
import pytest

from humanoid_locomotion.core.errors import PolicyError
from humanoid_locomotion.core.policy.adoption.foreign import open_foreign
from humanoid_locomotion.core.policy.engines import start_engine

onnx = pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')


@pytest.mark.parametrize('opset', [9, 17])
@pytest.mark.parametrize('weights', ['', 'weights.bin'])
@pytest.mark.parametrize('ends', [('obs', 'actions'), ('actor_obs', 'action')])
def test_it_gives_the_same_actions(tmp_path, monkeypatch, ends, weights, opset):
    path = tmp_path / 'files' / 'other.onnx'
    weight = write_network(path, 7, 3, ends, weights_file=weights, opset=opset)
    monkeypatch.chdir(tmp_path)
    found = open_foreign(path)
    assert found.input_name == ends[0] and set(found.digests) == {path.name, weights} - {''}
    obs = np.random.default_rng(1).normal(size=(1, 7)).astype(np.float32)
    engine = start_engine(found.network, 'onnxruntime')
    assert engine(obs) == pytest.approx(np.tanh(obs @ weight), abs=1e-6)
    assert found.network.model.opset_import[0].version == max(opset, 13)  # for a standalone policy


def test_its_actions_are_bounded(tmp_path):
    path = tmp_path / 'other.onnx'
    write_network(path, 3, 3)
    model = onnx.load(path)
    model.graph.node[1].op_type = 'Identity'
    path.write_bytes(model.SerializeToString())
    engine = start_engine(open_foreign(path).network, 'onnxruntime')
    actions = engine(np.full((1, 3), 1e30, np.float32))
    assert np.abs(actions).tolist() == [[100.0] * 3]


def test_operator_sets_of_which_no_node_is_are_left_out(tmp_path):
    path = tmp_path / 'other.onnx'
    write_network(path, 3, 3)
    model = onnx.load(path)
    model.opset_import.add(domain='ai.onnx.ml', version=2)  # as tf2onnx does
    path.write_bytes(model.SerializeToString())
    assert len(open_foreign(path).network.model.opset_import) == 1
    model.graph.node[1].domain = 'ai.onnx.ml'
    path.write_bytes(model.SerializeToString())
    with pytest.raises(PolicyError, match=r"uses the operator sets .*'ai.onnx.ml', 2"):
        open_foreign(path)


def test_weights_may_be_in_a_folder_below(tmp_path):
    path = tmp_path / 'other.onnx'
    (tmp_path / 'weights').mkdir()
    weight = write_network(path, 7, 3, weights_file='weights/all.bin')
    found = open_foreign(path)
    obs = np.ones((1, 7), np.float32)
    assert start_engine(found.network, 'onnxruntime')(obs) == pytest.approx(
        np.tanh(obs @ weight), abs=1e-6)
    assert set(found.digests) == {'other.onnx', 'weights/all.bin'}


def test_what_git_stores_instead_of_a_large_file_is_told_from_a_network(tmp_path):
    path = tmp_path / 'other.onnx'
    path.write_text('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n')
    with pytest.raises(PolicyError, match=r'other\.onnx: is a pointer of Git LFS, .*`git lfs pul'):
        open_foreign(path)


def external(**entries):
    """Return a change of the first tensor's entries of external data."""
    def change(model):
        (tensor,) = model.graph.initializer
        tensor.ClearField('external_data')
        for key, value in {'location': 'weights.bin', **entries}.items():
            tensor.external_data.add(key=key, value=value)
    return change


@pytest.mark.parametrize('change, message', [
    (external(location='../weights.bin'), r"stored in '../weights.bin'; expected the name of a f"),
    (external(location='/etc/passwd'), "stored in '/etc/passwd'; expected the name of a file"),
    (external(location=''), "stored in ''; expected the name of a file"),
    (external(location='gone.bin'), 'gone.bin: cannot be read'),
    (external(location='policy'), 'policy: is a folder, expected a regular file'),
    (external(offset='17'), r'shape \[7, 3\] must hold 21 values'),
    (external(offset='-1'), "is at '-1', of length None, in weights.bin, which has 100 bytes"),
    (external(offset='16', length='85'), r"of length '85', in weights.bin, which has 100 bytes"),
    (external(offset='a'), "is at 'a', of length None, in weights.bin"),
    (lambda model: model.graph.input.add(name='h_in'), r"inputs \['obs', 'h_in'\] and the"),
    (lambda model: model.graph.ClearField('output'), r"inputs \['obs'\] and the outputs \[\]"),
    (lambda model: model.graph.node.add(op_type='Loop'), r"has the operators \['Loop'\]")])
def test_what_is_no_complete_network_is_refused(tmp_path, change, message):
    path = tmp_path / 'other.onnx'
    write_network(path, 7, 3, weights_file='weights.bin')
    (tmp_path / 'policy').mkdir()
    model = onnx.load(path, load_external_data=False)
    change(model)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(PolicyError, match=message):
        open_foreign(path)
