# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A TorchScript file gives PyTorch's actions without its code being run, or is refused."""

from __future__ import annotations

import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from humanoid_locomotion.core.errors import PolicyError
from humanoid_locomotion.core.policy.adoption.foreign import open_foreign
from humanoid_locomotion.core.policy.engines import start_engine

torch = pytest.importorskip('torch')
pytest.importorskip('onnxruntime')
from torch import nn  # noqa: E402

OBS, ACTIONS, HIDDEN = 7, 3, 5


class EmpiricalNormalization(nn.Module):
    """The normalizer of rsl_rl, as its exporter stores it."""

    def __init__(self):
        super().__init__()
        self.eps = 0.01
        self.register_buffer('_mean', torch.linspace(-1.0, 1.0, OBS)[None])
        self.register_buffer('_std', torch.linspace(0.5, 2.0, OBS)[None])

    def forward(self, x):
        return (x - self._mean) / (self._std + self.eps)


class Mlp(nn.Module):
    """A network without a memory."""

    def __init__(self, activation=None, **modules):
        super().__init__()
        self.normalizer = EmpiricalNormalization()
        self.actor = nn.Sequential(
            nn.Linear(OBS, 4), activation or nn.ELU(), nn.Linear(4, ACTIONS))
        for name, module in modules.items():
            setattr(self, name, module)

    def forward(self, x):
        return self.actor(self.normalizer(x))


class Clamped(Mlp):
    """A network that computes something besides its modules."""

    def forward(self, x):
        return torch.clamp(self.actor(self.normalizer(x)), -1.0, 1.0)


class Residual(nn.Sequential):
    """A sequence that is none."""

    def forward(self, x):
        for module in self:
            x = x + module(x)
        return x


class Skipping(Mlp):
    """A network that leaves a module out."""

    def forward(self, x):
        return self.actor(x)


class Sliced(Mlp):
    """A network that gives a part of the actions."""

    def forward(self, x):
        return self.actor(self.normalizer(x))[:, :2]


class Branching(Mlp):
    """A network that computes one of two results."""

    def forward(self, x):
        if bool(x.sum() > 0.0):
            x = self.normalizer(x)
        return self.actor(x)


class Lstm(nn.Module):
    """A recurrent network with its states in buffers, as legged_gym exports it."""

    def __init__(self, layers=1, **options):
        super().__init__()
        self.memory = nn.LSTM(OBS, HIDDEN, layers, **options)
        self.actor = nn.Sequential(nn.Linear(HIDDEN * (1 + self.memory.bidirectional), ACTIONS))
        rows = layers * (1 + self.memory.bidirectional)
        self.register_buffer('hidden_state', torch.zeros(rows, 1, HIDDEN))
        self.register_buffer('cell_state', torch.zeros(rows, 1, HIDDEN))

    def forward(self, x):
        out, (h, c) = self.memory(x.unsqueeze(0), (self.hidden_state, self.cell_state))
        self.hidden_state[:] = h
        self.cell_state[:] = c
        return self.actor(out.squeeze(0))


class Crossed(Lstm):
    """An LSTM that takes one state for the other."""

    def forward(self, x):
        out, (h, c) = self.memory(x.unsqueeze(0), (self.cell_state, self.hidden_state))
        self.hidden_state[:] = h
        self.cell_state[:] = c
        return self.actor(out.squeeze(0))


class Started(Lstm):
    """An LSTM whose states are not zero at the start."""

    def __init__(self):
        super().__init__()
        self.hidden_state += 1.0


class Gru(nn.Module):
    """A recurrent network as Isaac Lab exports it."""

    def __init__(self, layers=1):
        super().__init__()
        self.normalizer = EmpiricalNormalization()
        self.rnn = nn.GRU(OBS, HIDDEN, layers)
        self.actor = nn.Sequential(nn.Linear(HIDDEN, ACTIONS), nn.Tanh())
        self.register_buffer('hidden_state', torch.zeros(layers, 1, HIDDEN))

    def forward(self, x):
        out, h = self.rnn(self.normalizer(x).unsqueeze(0), self.hidden_state)
        self.hidden_state[:] = h
        return self.actor(out.squeeze(0))


def save(network, path, is_traced=False):
    """Write a network as TorchScript; return it as PyTorch loads it."""
    module = (torch.jit.trace(network, torch.zeros(1, OBS)) if is_traced
              else torch.jit.script(network))
    module.save(str(path))
    return torch.jit.load(str(path))


@pytest.mark.parametrize('network, memory, is_traced', [
    (Mlp(), 0, False), (Mlp(normalizer=nn.Identity()), 0, True),
    (nn.Sequential(nn.Linear(OBS, ACTIONS, bias=False)), 0, False),
    (Lstm(2), 4 * HIDDEN, False), (Gru(), HIDDEN, False)])
def test_it_gives_the_actions_of_pytorch(tmp_path, network, memory, is_traced):
    loaded = save(network, tmp_path / 'policy.pt', is_traced)
    engine = start_engine(open_foreign(tmp_path / 'policy.pt').network, 'onnxruntime')
    assert (engine.obs_size, engine.num_actions, engine.memory_size) == (OBS, ACTIONS, memory)
    rng, state = np.random.default_rng(0), np.zeros((2, memory), np.float32)
    for _ in range(10):
        obs = rng.normal(size=(2, OBS)).astype(np.float32)
        with torch.no_grad():
            expected = loaded(torch.as_tensor(obs[:1])).numpy()
        got = engine(obs, state) if memory else (engine(obs), state)
        state = got[1]
        assert got[0][:1] == pytest.approx(expected, abs=1e-5)


def rewritten(content, **changes):
    """Return an archive with the content of some files replaced, or of none if None."""
    archive, changed = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    with zipfile.ZipFile(changed, 'w') as new:
        for entry in archive.infolist():
            name = entry.filename.partition('/')[2]
            data = changes.get(name.replace('.', '_'), archive.read(entry))
            if data is not None:
                new.writestr(entry.filename, data)
    return changed.getvalue()


class Attack:
    """Runs a command when a pickle of it is loaded as usual."""

    def __reduce__(self):
        return os.system, ('touch executed',)


def other_tensor(content):
    """Return an archive whose pickle gives a tensor more rows than are stored."""
    data = zipfile.ZipFile(io.BytesIO(content)).read('policy/data.pkl')
    rows, most = bytes((ord('K'), ACTIONS, ord('K'), 4)), bytes((ord('K'), 255, ord('K'), 4))
    assert rows in data
    return rewritten(content, data_pkl=data.replace(rows, most))


@pytest.mark.parametrize('change, message', [
    (lambda it: it[:len(it) // 2], r'is not a valid TorchScript file \(BadZipFile'),
    (lambda it: b'PK\x03\x04', r'is not a valid TorchScript file \(BadZipFile'),
    (lambda it: rewritten(it, data_pkl=None), r'is an archive, but no TorchScript: expected data'),
    (lambda it: rewritten(it, data_pkl=b''), r'is not a valid TorchScript file \(EOFError'),
    (lambda it: rewritten(it, data_pkl=pickle.dumps(Attack())),
     r"refers to '\w+\.system', which no network needs"),
    (lambda it: rewritten(it, data_pkl=pickle.dumps([1.0], 2)), 'is no network but list'),
    (lambda it: rewritten(it, byteorder=b'big'), 'has the byte order'),
    (other_tensor, r'has a tensor of shape \(255, 4\) in 12 values')])
def test_a_damaged_archive_is_refused_and_nothing_of_it_runs(tmp_path, monkeypatch, change,
                                                            message):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'policy.pt'
    save(Mlp(), path)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(PolicyError, match=f'policy.pt: {message}'):
        open_foreign(path)
    assert not (tmp_path / 'executed').exists()


@pytest.mark.parametrize('network, message', [
    (nn.Sequential(Residual(nn.Linear(OBS, OBS))), r"has 'Residual' that returns 'torch.add\(x"),
    (Clamped(), r"has 'Clamped' that returns 'torch.clamp\(self.actor\("),
    (Skipping(), r"has 'Skipping' that returns 'self.actor\(x\)' .* self.actor\(self.norm"),
    (Sliced(), r"has 'Sliced' that returns 'torch.slice\(self.actor\(self.normalizer\(x\)\), 1, "),
    (Branching(), 'has a function forward with the statement If'),
    (Crossed(), r"has 'Crossed' that returns .* stores \[\('self.cell_state', "),
    (Started(), 'has a memory that does not begin with zeros'),
    (Mlp(nn.Softplus(2.0)), "has a module 'Softplus'"),
    (Mlp(estimator=nn.Linear(2, 2)), r"has the modules .*'estimator': 'Linear'"),
    (Mlp(nn.ELU(0.5)), 'has an ELU whose alpha is not 1'),
    (Mlp(nn.Hardtanh()), "has a module 'Hardtanh'; expected Linear, ELU"),
    (Mlp(normalizer=nn.LayerNorm(OBS)), "has a normalizer 'LayerNorm', expected Empirical"),
    (Lstm(bidirectional=True), "has a memory 'LSTM' of layers .*expected an LSTM or GRU in one")])
def test_a_network_of_another_kind_is_refused_with_what_to_do(tmp_path, network, message):
    save(network, tmp_path / 'policy.pt')
    with pytest.raises(PolicyError, match=f'policy.pt: {message}.*torch.onnx.export'):
        open_foreign(tmp_path / 'policy.pt')


def test_a_traced_normalizer_is_refused(tmp_path):
    save(Mlp(), tmp_path / 'policy.pt', is_traced=True)
    with pytest.raises(PolicyError, match='expected EmpiricalNormalization, scripted and not tra'):
        open_foreign(tmp_path / 'policy.pt')


def test_a_checkpoint_is_refused_with_what_to_do(tmp_path):
    torch.save(Mlp().state_dict(), tmp_path / 'model.pt')
    with pytest.raises(PolicyError, match=r'no TorchScript: .* a checkpoint must be exported'):
        open_foreign(tmp_path / 'model.pt')
