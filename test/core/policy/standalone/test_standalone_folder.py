# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Folders whose policy.onnx is standalone: opened, rebuilt, and refused if the network differs."""

import shutil

import numpy as np
import pytest

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')
pytest.importorskip('torch')

import onnx
from random_policy import edit_network, refuse, write

from humanoid_locomotion.core.errors import PolicyError
from humanoid_locomotion.core.policy.content import write_sums
from humanoid_locomotion.core.policy.folder import open_policy, standalone_error
from humanoid_locomotion.core.policy.writer import rebuild


@pytest.fixture(scope='module')
def pristine(tmp_path_factory):
    """Give a folder that opens; not to be changed."""
    return write(tmp_path_factory.mktemp('policies') / 'pristine')


@pytest.fixture
def folder(pristine, tmp_path):
    """Give a folder that opens, to break."""
    return shutil.copytree(pristine, tmp_path / 'policy')


def hashes(folder):
    lines = (folder / 'SHA256SUMS').read_text().splitlines()
    return dict(reversed(line.split()) for line in lines)


def as_before(folder):
    """Make it a folder of version 0.2, in which policy.onnx is the network."""
    (folder / 'network.onnx').replace(folder / 'policy.onnx')
    (folder / 'deploy.yaml').unlink()
    write_sums(folder)


def test_a_folder_whose_policy_is_the_network_opens(folder):
    as_before(folder)
    opened = open_policy(folder, 'onnxruntime')
    assert standalone_error(opened) is None and opened.network_path.name == 'policy.onnx'


def test_a_rebuilt_folder_has_the_same_network_and_steps(folder, pristine):
    as_before(folder)
    (folder / 'card.md').write_text('mine')
    before = hashes(folder)
    rebuild(folder)
    after = hashes(folder)
    assert after == hashes(pristine)
    assert (after['network.onnx'], after['golden.npz']) == (
        before['policy.onnx'], before['golden.npz'])
    assert (folder / 'card.md').read_text() == 'mine'
    assert 0.0 <= standalone_error(open_policy(folder, 'onnxruntime')) <= 1e-5
    rebuild(folder)
    assert hashes(folder) == after


def test_a_folder_that_does_not_open_is_not_rebuilt(folder):
    edit_network(folder, lambda name, array: array + 0.01 if name == 'bias_1' else array)
    write_sums(folder)
    before = hashes(folder)
    with pytest.raises(PolicyError, match='golden step 0 does not replay'):
        rebuild(folder)
    assert hashes(folder) == before


def test_a_standalone_policy_of_another_network_is_refused(folder):
    model = onnx.load(folder / 'policy.onnx')
    (bias,) = [it for it in model.graph.initializer if it.name == 'network/bias_1']
    bias.raw_data = (onnx.numpy_helper.to_array(bias) + np.float32(1e-3)).tobytes()
    onnx.save(model, folder / 'policy.onnx')
    write_sums(folder)
    with pytest.raises(PolicyError, match=r'policy\.onnx: its joint targets differ by .* rad'):
        standalone_error(open_policy(folder, 'onnxruntime'))


def test_a_standalone_policy_without_its_network_is_refused(folder):
    (folder / 'network.onnx').unlink()
    write_sums(folder)
    refuse(folder, r'policy\.onnx: expected .*: the standalone policy, whose network is '
           'missing', signed=False)
