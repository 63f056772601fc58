# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether the memory of a GPU is enough for a training, before anything is allocated there."""

from __future__ import annotations

import os
from typing import Any

import torch

from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.sim.backend import Terrain, import_backend
from humanoid_locomotion.training.config import TrainingConfig

NUMBER = 4  # [bytes]
CRITIC = 50  # about as many numbers does the critic observe besides
# Memory of a robot on an H200 (humanoid, difference of 32,768 and 16,384 robots, and of 8,192 and
# 4,096), by that of the arrays that are counted here: temporary arrays of the step and of the
# update are not. docs/logs/benchmark_train_fused_*.json and benchmark_train_plain.json.
FUSED, PLAIN = 1.3, 1.78


def bytes_per_robot(config: TrainingConfig, robot: RobotSpec, backend: str, fuse: bool) -> float:
    """Return about how much GPU memory each robot takes in a training [bytes].

    It is 0 for a simulator that does not tell.

    Args:
        config: The training config.
        robot: The robot.
        backend: Name of the simulator.
        fuse: Whether small kernels are fused.
    """
    simulator: Any = import_backend(backend)
    if not hasattr(simulator, 'memory_per_robot'):
        return 0.0
    contract, ppo = config.contract(robot), config.ppo
    terrain = None if config.terrain is None else Terrain(config.terrain)
    simulated = simulator.memory_per_robot(robot, config.physics, contract.joints, terrain)
    obs = Controller(contract, num_envs=1, like=torch.zeros(0)).builder.size
    sample = obs + CRITIC + 2 * contract.num_actions + 6
    learned = ppo.rollout_steps / ppo.minibatches * (2 if ppo.symmetry else 1)
    layers = 2 * 2 * sum(ppo.hidden_sizes)  # actor and critic, before and after each activation
    counted = simulated + NUMBER * (ppo.rollout_steps * sample + learned * (sample + layers))
    return (FUSED if fuse else PLAIN) * counted


def check(config: TrainingConfig, robot: RobotSpec, backend: str, device: str,
          fuse: bool) -> None:
    """Check that the free memory of this process's GPU is enough, if there is a GPU.

    Args:
        config: The training config.
        robot: The robot.
        backend: Name of the simulator.
        device: ``auto``, ``cpu`` or ``cuda``.
        fuse: Whether small kernels are fused.

    Raises:
        ConfigError: It is not; the message says how many robots fit.
    """
    if device == 'cpu' or not torch.cuda.is_available():
        return
    gpu, robots = int(os.environ.get('LOCAL_RANK', 0)), config.run.num_envs
    if gpu >= torch.cuda.device_count():
        return  # refused when the process joins the others
    each, free = bytes_per_robot(config, robot, backend, fuse), torch.cuda.mem_get_info(gpu)[0]
    if each * robots > free:
        raise ConfigError(
            'train', '--num-envs', f'found {robots:,} robots, which need about '
            f'{each * robots / 1e9:.1f} GB of GPU memory; {torch.cuda.get_device_name(gpu)} has '
            f'{free / 1e9:.1f} GB free, enough for --num-envs {int(free / each)}')
