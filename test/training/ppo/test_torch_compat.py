# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""PyTorch 1.13 and today's: the same rules, whichever runs the tests."""

from __future__ import annotations

from collections import OrderedDict
import io
import pickle

import pytest

pytest.importorskip('torch')

import torch

from humanoid_locomotion.training.ppo import torch_compat


class Evil:
    """What a checkpoint must not hold."""

    def __reduce__(self):
        return print, ('executed',)


def test_tensors_and_plain_data_are_read(tmp_path):
    content = {'a': OrderedDict(weight=torch.arange(3.0)), 'b': [1, 'two', None, 3.0],
               'mask': torch.tensor([True]), 'state': torch.get_rng_state()}
    torch.save(content, tmp_path / 'x.pt')
    loaded = torch_compat.load_data(tmp_path / 'x.pt', 'cpu')
    assert loaded['b'] == content['b'] and torch.equal(loaded['state'], content['state'])
    assert torch.equal(loaded['a']['weight'], content['a']['weight']) and loaded['mask'].all()


def test_nothing_in_a_file_is_executed(tmp_path, capsys):
    torch.save({'a': Evil()}, tmp_path / 'x.pt')
    with pytest.raises(pickle.UnpicklingError):
        torch_compat.load_data(tmp_path / 'x.pt', 'cpu')
    assert capsys.readouterr().out == ''


@pytest.mark.parametrize('thing', [Evil(), print, torch.nn.Linear])
def test_the_unpickler_knows_data_only(thing):
    with pytest.raises(pickle.UnpicklingError, match='is not data'):
        torch_compat.DataUnpickler(io.BytesIO(pickle.dumps(thing))).load()


def test_an_older_load_reads_through_the_unpickler(tmp_path, monkeypatch):
    """As PyTorch 1.12 does, which knows no ``weights_only``."""
    seen = {}

    def load(path, map_location=None, pickle_module=None):
        seen['unpickler'] = pickle_module.Unpickler
        return pickle_module.load(io.BytesIO(pickle.dumps(OrderedDict(a=1))))

    monkeypatch.setattr(torch, 'load', load)
    assert torch_compat.load_data(tmp_path / 'x.pt', 'cpu') == {'a': 1}
    assert seen['unpickler'] is torch_compat.DataUnpickler


def test_options_that_an_older_torch_lacks_are_left_out(monkeypatch):
    weight = torch.nn.Parameter(torch.zeros(2))
    rate = torch.tensor(0.1)
    seen = {}

    class Adam:
        def __init__(self, parameters, lr, capturable=False):
            seen.update(lr=lr, capturable=capturable)

    class Graph:
        def __init__(self, graph, stream=None):
            pass

    monkeypatch.setattr(torch.optim, 'Adam', Adam)
    monkeypatch.setattr(torch.cuda, 'graph', Graph)
    torch_compat.adam([weight], rate, on_gpu=True)
    assert seen == {'lr': rate, 'capturable': True}
    assert torch_compat.capture_options() == {}


def test_a_rate_that_is_a_tensor_can_be_changed_in_place():
    weight, rate = torch.nn.Parameter(torch.zeros(1)), torch.tensor(0.5)
    optimizer = torch_compat.adam([weight], rate, on_gpu=False)
    moved = []
    for _ in range(2):
        weight.grad, before = torch.ones(1), weight.item()
        optimizer.step()
        moved.append(before - weight.item())
        rate.mul_(0.1)
    assert moved == pytest.approx([0.5, 0.05], rel=1e-4)
