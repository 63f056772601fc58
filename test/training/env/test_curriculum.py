# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Who walks well starts on harder ground, who falls or stays behind on easier."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import CALM, FILE, ROBOT, mapping
import torch

from humanoid_locomotion.core.reading.config import from_mapping
from humanoid_locomotion.sim.backend import Terrain, TerrainSpec, open_backend
from humanoid_locomotion.training.config import TrainingConfig
from humanoid_locomotion.training.env.curriculum import TerrainCurriculum
from humanoid_locomotion.training.env.env import LocomotionEnv

SPEC = TerrainSpec(kinds=('hill', 'bumps'), levels=3, tile=6.0, border=4.0, slope=0.15, bump=0.03,
                   step=0.0)
TERRAIN, DT, N = Terrain(SPEC), 0.5, 4
NOBODY = torch.zeros(N, dtype=torch.bool)


def curriculum(level=1):
    """Give robots that are all on one row."""
    made = TerrainCurriculum(TERRAIN, DT, N, 'cpu')
    made.level.fill_(level)
    return made


def walk(made, velocity, command=(1.0, 0.0, 0.0), seconds=4.0):
    """Let robots walk at velocities (4, 2) or one for all, as they are told to or not."""
    commands = torch.tensor(command).expand(N, 3)
    moved = torch.zeros(N, 3)
    moved[:, :2] = torch.as_tensor(velocity)
    for _ in range(int(seconds / DT)):
        made.add_step(commands, moved)


@pytest.mark.parametrize('velocity, command, fell, level', [
    ((1.0, 0.0), (1.0, 0.0, 0.0), False, 2),    # 4 m, more than half a tile
    ((1.0, 0.0), (1.0, 0.0, 0.0), True, 2),     # a fall after that is not held against it
    ((0.7, 0.0), (1.0, 0.0, 0.0), False, 1),    # 2.8 m: neither
    ((0.7, 0.0), (1.0, 0.0, 0.0), True, 0),
    ((0.5, 0.0), (1.0, 0.0, 0.0), False, 0),    # 2 m behind, more than a quarter of a tile
    ((0.0, 1.0), (1.0, 0.0, 0.0), False, 0),    # not where it was told to go
    ((0.0, 1.0), (0.0, 0.5, 0.0), False, 2),
    ((0.0, 0.0), (0.0, 0.0, 0.5), False, 1),    # standing and turning take no way
    ((0.0, 0.0), (0.0, 0.0, 0.0), True, 0)])
def test_the_level_rises_and_falls(velocity, command, fell, level):
    made = curriculum()
    walk(made, velocity, command)
    made.finish(~NOBODY, ~NOBODY if fell else NOBODY)
    assert made.level.tolist() == [level] * N


def test_only_robots_whose_episode_is_over_move_and_begin_to_count_again():
    made, done = curriculum(0), torch.tensor([True, False, True, False])
    walk(made, (1.0, 0.0))
    made.finish(done, NOBODY)
    assert made.level.tolist() == [1, 0, 1, 0]
    made.finish(~NOBODY, NOBODY)  # the others have still walked as far
    assert made.level.tolist() == [1, 1, 1, 1]


def test_nobody_falls_below_the_first_row_and_from_the_last_one_starts_anywhere():
    made = curriculum(0)
    made.finish(~NOBODY, ~NOBODY)
    assert made.level.tolist() == [0] * N
    torch.manual_seed(0)
    seen = set()
    for _ in range(20):
        made.level.fill_(2)
        walk(made, (1.0, 0.0))
        made.finish(~NOBODY, NOBODY)
        seen |= set(made.level.tolist())
    assert seen == {0, 1, 2}


def test_each_robot_keeps_its_kind_and_starts_on_its_row():
    made = curriculum(2)
    assert made.starts().numpy() == pytest.approx(TERRAIN.starts[2, [0, 1, 0, 1]])


def test_a_robot_that_is_lost_spoils_nothing():
    made = curriculum()
    walk(made, (float('nan'), 0.0))
    made.finish(~NOBODY, ~NOBODY)
    walk(made, (1.0, 0.0))
    made.finish(~NOBODY, NOBODY)
    assert made.level.tolist() == [1] * N  # down, and up again


@pytest.fixture
def env():
    """Give an environment on rough ground in CPU MuJoCo."""
    pytest.importorskip('mujoco', minversion='3.3')
    terrain = {**vars(SPEC), 'kinds': list(SPEC.kinds)}
    settings = from_mapping(TrainingConfig, {**mapping(*CALM), 'terrain': terrain}, FILE)
    contract = settings.contract(ROBOT)
    backend = open_backend('mujoco', ROBOT, N, settings.physics, contract.joints, 'cpu',
                           terrain=settings.terrain)
    torch.manual_seed(0)
    yield LocomotionEnv(settings, contract, backend, ROBOT.mass, 0)
    backend.close()


def test_robots_start_where_their_row_is_and_heights_count_from_there(env):
    env.reset()
    for level in range(3):
        env._curriculum.level.fill_(level)
        env._reset(torch.ones(N, dtype=torch.bool))
        now = env.backend.state().base_position
        wanted = TERRAIN.starts[level, [0, 1, 0, 1]]
        assert now - wanted == pytest.approx(
            np.tile([0.0, 0.0, ROBOT.base_height], (N, 1)), abs=1e-5)
        assert env.backend.truth().base_position[:, 2] == pytest.approx(
            ROBOT.base_height, abs=1e-5)
        result = env.step(torch.zeros(N, env.contract.num_actions))
        assert not result.terminated.any()


def test_a_fall_on_high_ground_is_a_fall(env):
    env.reset()
    env._curriculum.level.fill_(2)
    env._reset(torch.ones(N, dtype=torch.bool))
    start = env.backend.default_state()
    start.base_position[:] += TERRAIN.starts[2, 0] - [0.0, 0.0, 0.55]
    assert start.base_position[0, 2] > 0.5  # where the first row's floor would let it live
    env.backend.reset(np.array([True, False, False, False]), start)
    result = env.step(torch.zeros(N, env.contract.num_actions))
    assert result.terminated.tolist() == [True, False, False, False]
    assert env._curriculum.level.tolist() == [1, 2, 2, 2]
    means = env.metrics.means(env.metrics.take().tolist())
    assert means['terrain_level'] == 1.75
    assert env.carried()['terrain_level'] is env._curriculum.level
