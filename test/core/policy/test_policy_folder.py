# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A policy folder opens if it does what it did in training, and is refused if anything differs."""

from __future__ import annotations

import json
import pickle
import shutil

import numpy as np
import pytest
from samples import contract, state
import yaml

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')
pytest.importorskip('torch')

import onnx
from random_policy import edit_network, random_layers, refuse, write
import torch

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import UnknownNameError
from humanoid_locomotion.core.policy.content import (
    FILES,
    LIMITS,
    SUMS,
)
from humanoid_locomotion.core.policy.engines import open_engine, read_layers
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.policy.onnx_graph import CONTRACT_KEY, open_network


@pytest.fixture(scope='module')
def pristine(tmp_path_factory):
    """Give a folder that opens; not to be changed."""
    return write(tmp_path_factory.mktemp('policies') / 'pristine')


@pytest.fixture
def folder(pristine, tmp_path):
    """Give a folder that opens, to break."""
    return shutil.copytree(pristine, tmp_path / 'policy')


def edit_golden(folder, **changes):
    """Write the golden steps again with some arrays changed."""
    with np.load(folder / 'golden.npz') as file:
        arrays = {**file, **changes}
    np.savez(folder / 'golden.npz', **{k: v for k, v in arrays.items() if v is not None})


def golden(folder, key):
    """Give a copy of one golden array."""
    with np.load(folder / 'golden.npz') as file:
        return file[key].copy()


@pytest.mark.parametrize('engine', ['onnxruntime', 'torch'])
def test_a_good_folder_opens_and_replays(pristine, engine):
    opened = open_policy(pristine, engine, device='cpu')
    assert opened.golden_error < 1e-4
    assert opened.contract.joint_names == ['j0', 'j1', 'j2', 'j3']
    controller = opened.controller()
    controller.reset_all()
    rng = np.random.default_rng(1)
    targets = controller.step(state(rng, 1, 4), np.zeros((1, 3), np.float32)).positions
    assert targets.shape == (1, 4) and isinstance(targets, np.ndarray)


def test_both_engines_agree_and_take_any_batch(pristine):
    engines = [open_engine(pristine / 'network.onnx', name, 'cpu')
               for name in ('onnxruntime', 'torch')]
    rng = np.random.default_rng(2)
    for rows in (1, 7, 100):
        obs = rng.normal(size=(rows, engines[0].obs_size)).astype(np.float32)
        first, second = (engine(obs) for engine in engines)
        assert first.shape == (rows, 4) and np.allclose(first, second, atol=1e-5)
    one, another = engines[0](obs[:1]), engines[0](obs[1:2])
    assert np.allclose(np.concatenate((one, another)), first[:2], atol=1e-5)  # each a copy
    assert engines[0].metadata == engines[1].metadata
    assert isinstance(engines[1](torch.as_tensor(obs)), torch.Tensor)


def test_the_layers_of_a_file_are_those_it_was_written_from(tmp_path):
    it = contract()
    layers = random_layers(24 - 3, 4, np.random.default_rng(3))
    write(tmp_path / 'p', it, layers)
    read = read_layers(open_network(tmp_path / 'p' / 'network.onnx'))
    assert np.array_equal(read['mean'], layers['mean'])
    assert all(np.array_equal(a, b) for got, want in zip(read['layers'], layers['layers'])
               for a, b in zip(got, want))


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('change', [lambda b: b + b' ', lambda b: b[:-1], lambda b: b''])
def test_a_file_that_is_not_the_exported_one_is_refused_unread(folder, name, change):
    """Whatever was changed in it, even what no golden step would notice."""
    path = folder / name
    path.write_bytes(change(path.read_bytes()))
    refuse(folder, f'{name}: does not match its hash in SHA256SUMS', signed=False)


@pytest.mark.parametrize('text, message', [
    (b'', 'must have one line'), (b'\xff' * 99, 'must have one line'),
    (b'x' * 5000, 'is larger than 4096 bytes'), (None, 'SHA256SUMS: is missing')])
def test_hashes_themselves_are_read_with_care(folder, text, message):
    (folder / SUMS).unlink() if text is None else (folder / SUMS).write_bytes(text)
    refuse(folder, message, signed=False)


def test_hashes_are_what_sha256sum_checks(folder):
    import subprocess
    sha256sum = shutil.which('sha256sum')
    if sha256sum is None:
        pytest.skip('no sha256sum on this machine')
    subprocess.run([sha256sum, '--check', SUMS], cwd=folder, check=True, capture_output=True)
    (folder / SUMS).write_text((folder / SUMS).read_text() + f'{"0" * 64}  more.bin\n')
    refuse(folder, 'must have one line as sha256sum writes it', signed=False)


def test_golden_steps_that_unpack_to_a_flood_are_refused_packed(folder):
    import zipfile
    packed = zipfile.ZipFile(folder / 'golden.npz', 'w', zipfile.ZIP_DEFLATED)
    with packed as archive, archive.open('flood.npy', 'w') as file:
        for _ in range(300):
            file.write(bytes(1 << 20))
    refuse(folder, 'unpacks to 314572800 bytes')


def test_tensors_outside_the_file_are_not_opened(folder, tmp_path):
    secret = tmp_path / 'secret'
    secret.write_bytes(bytes(1 << 16))
    model = onnx.load(folder / 'network.onnx')
    for tensor in model.graph.initializer:
        tensor.ClearField('raw_data')
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key='location', value=f'../{secret.name}')
    (folder / 'network.onnx').write_bytes(model.SerializeToString())
    refuse(folder, 'is stored outside the file', engine='torch')
    refuse(folder, 'is stored outside the file', engine='onnxruntime')


@pytest.mark.gpu
def test_graph_gives_the_actions_of_the_eager_network(pristine):
    engine = open_engine(pristine / 'network.onnx', 'torch', 'cuda')
    rng = np.random.default_rng(5)
    for _ in range(5):
        obs = rng.normal(size=(1, engine.obs_size)).astype(np.float32)
        graphed, eager = engine(obs), engine(torch.as_tensor(obs, device='cuda')).cpu().numpy()
        assert np.allclose(graphed, eager, atol=1e-5)
        assert np.allclose(graphed, engine(obs)) and graphed is not engine(obs)
    assert engine(np.concatenate([obs, obs])).shape == (2, engine.num_actions)


@pytest.mark.parametrize('name', FILES)
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    refuse(folder, f'{name}: is missing; a policy folder needs contract.yaml')


@pytest.mark.parametrize('engine', ['onnxruntime', 'torch'])
@pytest.mark.parametrize('content', [b'', b'not onnx at all', None])
@pytest.mark.parametrize('name', ['network.onnx', 'policy.onnx'])
def test_a_broken_network_is_refused(folder, engine, content, name):
    path = folder / name
    path.write_bytes(path.read_bytes()[:500] if content is None else content)
    refuse(folder, f'{name}: ', engine)


@pytest.mark.parametrize('engine', ['onnxruntime', 'torch'])
@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_weights_that_are_not_numbers_are_refused(folder, engine, value):
    edit_network(folder, lambda name, array: array * value if name == 'bias_1' else array)
    refuse(folder, 'golden step 0 does not replay: action differs', engine)


def test_one_changed_weight_is_noticed(folder):
    edit_network(folder, lambda name, array: array + 0.01 if name == 'bias_1' else array)
    refuse(folder, 'golden step 0 does not replay: action differs by 0.01, at most 0.001 is')


def test_an_edited_contract_is_refused(folder):
    path = folder / 'contract.yaml'
    data = yaml.safe_load(path.read_text())
    data['joints'][0]['kp'] = 51.0
    path.write_text(yaml.safe_dump(data))
    refuse(folder, r'contract\.yaml: fingerprint: .*a value was changed after export')


def test_a_contract_with_a_typing_error_is_refused(folder):
    path = folder / 'contract.yaml'
    path.write_text(path.read_text().replace('control_period:', 'control_perod:'))
    refuse(folder, r"unknown keys \['control_perod'\], missing keys \['control_period'\]")


def test_a_contract_that_was_signed_anew_differs_from_the_network(folder):
    path = folder / 'contract.yaml'
    data = yaml.safe_load(path.read_text())
    data['joints'][0]['kp'], data['gait']['period'] = 51.0, 0.7
    del data['fingerprint']
    from humanoid_locomotion.core.reading import config
    signed = config.from_mapping(PolicyContract, data, 'test')
    path.write_text(yaml.safe_dump(signed.to_mapping()))
    refuse(folder, r"contract\.yaml differ in \['gait', 'joints'\]; both must come from one")


def edit_metadata(path, value):
    """Write the ONNX file's contract anew; None removes it."""
    model = onnx.load(path)
    rest = {p.key: p.value for p in model.metadata_props if p.key != CONTRACT_KEY}
    del model.metadata_props[:]
    onnx.helper.set_model_props(
        model, rest if value is None else {**rest, CONTRACT_KEY: value})
    onnx.save(model, path)


@pytest.mark.parametrize('value, message', [
    (None, f"metadata has no '{CONTRACT_KEY}'"), ('{', 'is not valid JSON'),
    ('[1]', 'is not a JSON mapping'), ('[' * 100_000, 'is not valid JSON'),
    ('1' * 300_000, 'is longer than'), (json.dumps({'robot': 'other'}), 'differ in')])
@pytest.mark.parametrize('name', ['network.onnx', 'policy.onnx'])
def test_a_network_without_its_contract_is_refused(folder, value, message, name):
    edit_metadata(folder / name, value)
    refuse(folder, f'{name}: .*{message}')


def test_golden_steps_that_do_not_replay_are_refused(folder):
    recorded = golden(folder, 'observation')
    recorded[17, 3] += 0.1
    edit_golden(folder, observation=recorded)
    refuse(folder, 'golden step 17 does not replay: observation differs by 0.1')


@pytest.mark.parametrize('key', ['observation', 'action', 'joint_targets'])
def test_golden_steps_with_holes_are_refused(folder, key):
    recorded = golden(folder, key)
    recorded[5, 0] = np.nan
    edit_golden(folder, **{key: recorded})
    refuse(folder, f'golden step 5 does not replay: {key} differs by nan')


def test_a_golden_state_with_holes_is_refused(folder):
    recorded = golden(folder, 'joint_positions')
    recorded[5, 0] = np.nan
    edit_golden(folder, joint_positions=recorded)
    refuse(folder, 'golden step 5 does not replay')


def test_too_few_golden_steps_are_refused(tmp_path):
    refuse(write(tmp_path / 'p', steps=63), 'has 63 steps, at least 64 are needed')


@pytest.mark.parametrize('change, message', [
    ({'command': None}, r"missing arrays \['command'\]"),
    ({'command': np.zeros((63, 3))}, r'every array must be \(steps, size\)'),
    ({'command': np.zeros(64)}, r'every array must be \(steps, size\)'),
    ({'command': np.zeros((64, 2))}, 'step 0 does not fit the contract'),
    ({'joint_positions': np.zeros((64, 3), np.float32)}, 'step 0 does not fit the contract'),
    ({'action': np.zeros((64, 3))}, 'action differs by inf')])
def test_golden_arrays_of_the_wrong_shape_are_refused(folder, change, message):
    edit_golden(folder, **change)
    refuse(folder, message)


class Trap:
    """Would run code if somebody unpickled it."""

    def __reduce__(self):
        return (pytest.fail, ('the golden file was unpickled',))


def test_a_pickle_among_the_golden_steps_is_never_opened(folder):
    edit_golden(folder, command=np.array([Trap()], dtype=object))
    refuse(folder, r'golden\.npz: is not valid npz')


@pytest.mark.parametrize('content', [b'', b'PK nothing', pickle.dumps([1])])
def test_a_golden_file_that_is_no_archive_is_refused(folder, content):
    (folder / 'golden.npz').write_bytes(content)
    refuse(folder, r'golden\.npz: is not valid npz')


def test_a_truncated_golden_file_is_refused(folder):
    path = folder / 'golden.npz'
    path.write_bytes(path.read_bytes()[:-400])
    refuse(folder, r'golden\.npz: is not valid npz')


@pytest.mark.parametrize('obs_size, num_actions, message', [
    (20, 4, 'takes 20 observations, but the contract describes 21'),
    (21, 5, 'returns 5 actions, but the contract has 4 commanded joints')])
def test_a_network_of_another_size_is_refused(folder, obs_size, num_actions, message):
    from humanoid_locomotion.training.export import onnx_bytes
    it = contract()
    write(folder, it)
    wrong = random_layers(obs_size, num_actions, np.random.default_rng(0))
    data = onnx.load_from_string(onnx_bytes(it, wrong, 'test'))
    data.graph.output[0].type.tensor_type.shape.dim[1].dim_value = num_actions
    onnx.save(data, folder / 'network.onnx')
    refuse(folder, message)


def test_a_file_too_large_to_be_a_policy_is_refused(folder, monkeypatch):
    monkeypatch.setitem(LIMITS, 'network.onnx', 1000)
    refuse(folder, 'is larger than 1000 bytes', signed=False)


def test_an_unknown_engine_lists_those_that_exist(pristine):
    with pytest.raises(UnknownNameError, match=r"unknown engine 'tensorflow'.*auto, onnxruntime"):
        open_policy(pristine, 'tensorflow')


def test_torch_refuses_a_graph_that_is_not_a_chain(folder):
    model = onnx.load(folder / 'network.onnx')
    model.graph.node[3].op_type = 'Relu'
    onnx.save(model, folder / 'network.onnx')
    refuse(folder, "expected Sub, Mul, then alternating Gemm and Elu; found .*'Relu'", 'torch')
