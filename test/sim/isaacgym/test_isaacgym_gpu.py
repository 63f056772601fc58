# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""GPUs that Isaac Gym's PyTorch can use, and the sentences for the others."""

from __future__ import annotations

import re

import pytest

pytest.importorskip('torch')

import fake_gym

fake_gym.install()

from port_suite import PHYSICS, ROBOT

from humanoid_locomotion.core.errors import SimulationError
from humanoid_locomotion.sim.backend import open_backend
from humanoid_locomotion.sim.isaacgym import gpu
from humanoid_locomotion.sim.isaacgym.gpu import Gpu, arch_problem

TORCH_24 = fake_gym.TORCH_ARCHS
TORCH_113 = ('sm_37', 'sm_50', 'sm_60', 'sm_70', 'sm_75', 'sm_80', 'sm_86')
TORCH_112 = ('sm_37', 'sm_50', 'sm_60', 'sm_70')


def card(capability: tuple, archs: tuple, free: float = 24e9) -> Gpu:
    return Gpu('A card', capability, archs, '2.4.1', free)


@pytest.mark.parametrize('capability, archs', [
    ((7, 5), TORCH_24), ((8, 0), TORCH_24), ((8, 9), TORCH_24), ((9, 0), TORCH_24),
    ((8, 9), TORCH_113), ((8, 6), TORCH_113), ((7, 5), TORCH_112), ((12, 0), ('compute_70',)),
    ((9, 0), ('sm_90a',)), ((12, 0), ('sm_90', 'sm_120'))])
def test_a_card_that_has_kernels_is_taken(capability, archs):
    assert arch_problem(card(capability, archs)) is None


@pytest.mark.parametrize('capability, archs, remedy', [
    ((8, 0), TORCH_112, gpu.RECIPE), ((8, 9), TORCH_112, gpu.RECIPE),
    ((9, 0), TORCH_113, gpu.RECIPE), ((9, 0), (), gpu.RECIPE), ((8, 9), ('gfx90a',), gpu.RECIPE),
    ((12, 0), ('compute_90a',), 'use --backend mujoco_warp'),
    ((12, 0), TORCH_24, 'use --backend mujoco_warp'),
    ((10, 0), TORCH_24, 'use --backend mujoco_warp'),
    ((3, 7), TORCH_24, 'requirements/locked/isaacgym-cu117.txt')])
def test_a_card_without_is_told_the_command_that_helps(capability, archs, remedy):
    said = arch_problem(card(capability, archs))
    assert said is not None and said.endswith(remedy) and '\n' not in said
    assert 'capability {}.{}'.format(*capability) in said


def test_too_little_memory_is_said_with_the_keys_that_help():
    gpu.check(card((8, 9), TORCH_24), 4096, 2 ** 23)
    with pytest.raises(SimulationError, match=r'0.5 GB of free memory, 4,096 robots .* fewer '
                       r'--num-envs or --set isaacgym.max_contact_pairs=262144'):
        gpu.check(card((8, 9), TORCH_24, 0.5e9), 4096, 2 ** 23)


def pretend(monkeypatch, capability: tuple) -> None:
    """Let PyTorch say that it has a GPU; memory and kernels stay those of the CPU."""
    torch = gpu.torch
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'current_device', lambda: 0)
    monkeypatch.setattr(gpu, 'gpu', lambda device: card(capability, TORCH_24))


def test_a_card_is_refused_before_anything_is_allocated(monkeypatch):
    from isaacgym import gymapi
    monkeypatch.setattr(gymapi.Gym, 'create_sim', lambda *_: pytest.fail('it was allocated'))
    pretend(monkeypatch, (12, 0))
    with pytest.raises(SimulationError, match='sm_120 needs PyTorch 2'):
        open_backend('isaacgym', ROBOT, 1, PHYSICS, device='cuda')


@pytest.mark.parametrize('device', ['auto', 'cuda'])
def test_no_gpu_is_said_rather_than_training_on_the_cpu(monkeypatch, device):
    monkeypatch.setattr(gpu.torch.cuda, 'is_available', lambda: False)
    with pytest.raises(SimulationError, match=re.escape(gpu.RECIPE) + '; --device cpu runs'):
        open_backend('isaacgym', ROBOT, 1, PHYSICS, device=device)


def test_devices_are_named_with_their_number(monkeypatch):
    assert gpu.torch_device('cpu') == 'cpu'
    pretend(monkeypatch, (8, 9))
    assert gpu.torch_device('auto') == gpu.torch_device('cuda') == 'cuda:0'
    assert gpu.torch_device('cuda:1') == 'cuda:1'
