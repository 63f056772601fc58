# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The memory of a GPU is compared with that of the robots before anything is allocated."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip('mujoco_warp')

from tiny import FILE, ROBOT
import torch

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.training.config_file import load_config
from humanoid_locomotion.training.run import gpu_memory

CONFIG = load_config(FILE)
WARP = 'mujoco_warp'


def each(config=CONFIG, fuse=False) -> float:
    return gpu_memory.bytes_per_robot(config, ROBOT, WARP, fuse)


@pytest.mark.parametrize('fuse, less, more, robots', [
    # memory_gb of two numbers of robots, and their difference, in docs/logs/benchmark_train_*
    (True, 6.499926016, 11.76797184, 16_384), (False, 2.69778944, 4.505534464, 4_096),
    (False, 8.27621376, 16.222322688, 16_384)])
def test_it_is_near_what_was_measured(fuse, less, more, robots):
    assert each(fuse=fuse) == pytest.approx(1e9 * (more - less) / robots, rel=0.12)


def test_it_grows_with_what_takes_memory():
    physics = replace(CONFIG.physics, max_constraints=2 * CONFIG.physics.max_constraints)
    wider = replace(CONFIG.ppo, hidden_sizes=(1024, 512, 256))
    longer = replace(CONFIG.ppo, rollout_steps=48)
    smaller = replace(CONFIG.ppo, minibatches=8)
    assert each(replace(CONFIG, physics=physics)) > each()
    assert each(replace(CONFIG, ppo=wider)) > 1.5 * each()
    assert each(replace(CONFIG, ppo=longer)) > 1.5 * each()
    assert each(replace(CONFIG, ppo=smaller)) < each()


def test_a_simulator_that_does_not_tell_is_not_refused(monkeypatch):
    assert gpu_memory.bytes_per_robot(CONFIG, ROBOT, 'fake', False) == 0.0


def test_too_little_memory_is_one_sentence_with_what_fits(monkeypatch):
    free = {0: 8e9, 1: 1e9}
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    monkeypatch.setattr(torch.cuda, 'get_device_name', lambda gpu: f'card {gpu}')
    monkeypatch.setattr(torch.cuda, 'mem_get_info', lambda gpu: (free[gpu], 16e9))

    def check(robots: int, device: str = 'auto') -> None:
        config = replace(CONFIG, run=replace(CONFIG.run, num_envs=robots))
        gpu_memory.check(config, ROBOT, WARP, device, fuse=False)

    fits = int(8e9 / each())
    check(fits)
    with pytest.raises(ConfigError, match=(
            rf'--num-envs: found {fits + 1:,} robots, which need about 8.0 GB of GPU memory; '
            rf'card 0 has 8.0 GB free, enough for --num-envs {fits}')):
        check(fits + 1)
    check(fits + 1, 'cpu')
    monkeypatch.setenv('LOCAL_RANK', '1')  # each process asks its own GPU
    with pytest.raises(ConfigError, match=r'card 1 has 1\.0 GB free'):
        check(fits)
