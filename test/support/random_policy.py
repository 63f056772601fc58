# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Policy folders with a random network, and ways to break them."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from samples import contract, state
import torch

from humanoid_locomotion.core.errors import PolicyError
from humanoid_locomotion.core.policy.content import FILES, write_sums
from humanoid_locomotion.core.policy.folder import MIN_GOLDEN_STEPS, open_policy

HIDDEN = 16


def random_layers(obs_size, num_actions, rng):
    """Give a normaliser and two layers of random weights."""
    sizes = (obs_size, HIDDEN, num_actions)
    return {'mean': rng.normal(size=(1, obs_size)).astype(np.float32),
            'inverse_std': rng.uniform(0.5, 2.0, (1, obs_size)).astype(np.float32),
            'layers': [(rng.normal(0.0, 0.2, (b, a)).astype(np.float32),
                        rng.normal(size=b).astype(np.float32))
                       for a, b in zip(sizes, sizes[1:])]}  # noqa: RUF007, for Python 3.8


def forward(layers):
    """Give the network as a function of tensors, written independently of the engines."""
    def run(obs):
        x = (obs - torch.as_tensor(layers['mean'])) * torch.as_tensor(layers['inverse_std'])
        for i, (weight, bias) in enumerate(layers['layers']):
            x = x @ torch.as_tensor(weight).T + torch.as_tensor(bias)
            x = torch.where(x > 0, x, torch.expm1(x)) if i == 0 else x
        return x
    return run


def write(folder, it=None, layers=None, steps=MIN_GOLDEN_STEPS):
    """Write a policy folder with a random network."""
    from humanoid_locomotion.core.controller import Controller
    from humanoid_locomotion.training.export import write_folder
    it = it or contract(layout='proprioceptive_clock', history=2)
    rng = np.random.default_rng(0)
    layers = layers or random_layers(Controller(it).builder.size, it.num_actions, rng)
    states = [{**vars(state(rng, 1, it.num_actions)),
               'command': rng.normal(size=(1, 3)).astype(np.float32)} for _ in range(steps)]
    folder.mkdir(exist_ok=True)
    write_folder(folder, it, forward(layers), layers, states, 'test')
    return folder


def refuse(folder, message, engine='onnxruntime', signed=True):
    """Assert that the folder is refused for the reason given, though its hashes are right."""
    if signed and all((folder / file).is_file() for file in FILES):
        write_sums(folder)
    with pytest.raises(PolicyError, match=message):
        open_policy(folder, engine)


def edit_network(folder, change):
    """Edit the ONNX file's initialisers, a mapping from name to array."""
    model = onnx.load(folder / 'network.onnx')
    for tensor in model.graph.initializer:
        array = onnx.numpy_helper.to_array(tensor).copy()
        tensor.CopyFrom(onnx.numpy_helper.from_array(change(tensor.name, array), tensor.name))
    onnx.save(model, folder / 'network.onnx')
