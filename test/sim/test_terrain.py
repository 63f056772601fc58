# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rough ground: the grid, the lookup, and that MuJoCo's ground is where the lookup says."""

from __future__ import annotations

from dataclasses import replace
import math

import numpy as np
from port_suite import PHYSICS, ROBOT, hold, state, truth
import pytest

from humanoid_locomotion.core.errors import SimulationError, UnknownNameError
from humanoid_locomotion.sim.backend import Terrain, TerrainSpec, open_backend
from humanoid_locomotion.sim.terrain import BLOCK, CELL, GAP, KINDS, PLATFORM, RIM, STONE, WAVE

SPEC = TerrainSpec(kinds=tuple(KINDS), levels=3, tile=6.0, border=2.0, slope=0.175, bump=0.04,
                   step=0.05)


@pytest.fixture(scope='module')
def terrain():
    """Give three rows of every kind."""
    return Terrain(SPEC)


def tile(terrain, level, kind):
    """Give a tile's heights, its edges included."""
    cells, rim = round(SPEC.tile / CELL), round(SPEC.border / CELL)
    y, x = rim + level * cells, rim + SPEC.kinds.index(kind) * cells
    return terrain.heights[y:y + cells + 1, x:x + cells + 1]


def scattered(count=400):
    """Give places all over the tiles (count, 2)."""
    low, high = -1.0, [SPEC.tile * len(SPEC.kinds) + 1.0, SPEC.tile * SPEC.levels + 1.0]
    return np.random.default_rng(0).uniform(low, high, (count, 2)).astype(np.float32)


@pytest.mark.parametrize('kind', KINDS)
def test_the_first_row_and_every_rim_are_flat_and_rows_grow_harder(terrain, kind):
    assert not tile(terrain, 0, kind).any()
    for level in (1, 2):
        heights, rim = tile(terrain, level, kind), round(0.5 * RIM / CELL)
        for edge in (heights[:rim], heights[-rim:], heights[:, :rim], heights[:, -rim:]):
            assert not edge.any()
    reach = [np.abs(tile(terrain, level, kind)).max() for level in range(3)]
    assert reach[0] < reach[1] < reach[2] or (kind == 'flat' and not any(reach))


def test_the_hardest_row_is_what_the_spec_says(terrain):
    rise = (0.5 * SPEC.tile - RIM - PLATFORM) * math.tan(SPEC.slope)
    assert tile(terrain, 2, 'hill').max() == pytest.approx(rise, abs=1e-5)
    assert tile(terrain, 2, 'valley').min() == pytest.approx(-rise, abs=1e-5)
    steepest = np.abs(np.diff(tile(terrain, 2, 'hill'), axis=0)).max() / CELL
    assert math.atan(steepest) == pytest.approx(SPEC.slope, abs=1e-4)
    assert 0.02 < np.abs(tile(terrain, 2, 'bumps')).max() <= SPEC.bump
    treads = np.unique(tile(terrain, 2, 'steps').round(4))
    assert np.diff(treads) == pytest.approx(SPEC.step, abs=1e-4)
    assert np.diff(np.unique(tile(terrain, 1, 'steps').round(4))) == pytest.approx(
        0.5 * SPEC.step, abs=1e-4)
    assert np.array_equal(tile(terrain, 2, 'pit'), -tile(terrain, 2, 'steps'))


def test_waves_surround_the_middle_and_are_as_deep_as_high(terrain):
    heights = tile(terrain, 2, 'waves')
    assert 0.9 * SPEC.bump < heights.max() <= SPEC.bump
    assert heights.min() == pytest.approx(-heights.max(), abs=1e-6)
    assert np.array_equal(heights, heights.T) and np.array_equal(heights, heights[::-1])
    ahead = heights[len(heights) // 2, len(heights) // 2:]
    signs = np.sign(ahead[np.abs(ahead) > 1e-4])
    waves = (0.5 * SPEC.tile - RIM - PLATFORM) / WAVE
    assert (np.diff(signs) != 0).sum() == 2 * round(waves) - 1


def test_an_edge_between_obstacles_is_no_higher_than_a_step(terrain):
    heights, side = tile(terrain, 2, 'obstacles'), round(BLOCK / CELL)
    assert np.unique(heights) == pytest.approx([-0.5 * SPEC.step, 0.0, 0.5 * SPEC.step])
    block = heights[2 * side:3 * side, 2 * side:3 * side]
    assert np.all(block == block[0, 0])
    assert np.abs(np.diff(heights, axis=0)).max() == pytest.approx(SPEC.step)


def test_gaps_between_stones_are_as_deep_as_a_step(terrain):
    row = tile(terrain, 2, 'stones')[round(2.0 * RIM / CELL)]
    assert np.unique(row) == pytest.approx([-SPEC.step, 0.0])
    edges = np.flatnonzero(np.diff(row)) * CELL
    assert np.diff(edges)[1::2] == pytest.approx(STONE + CELL)  # from slope to slope
    assert np.diff(edges)[::2] == pytest.approx(GAP - CELL)


def test_robots_start_on_the_ground_in_the_middle_of_tiles(terrain):
    assert terrain.starts.shape == (3, len(KINDS), 3)
    assert terrain.ground(terrain.starts) == pytest.approx(terrain.starts[..., 2], abs=1e-6)
    assert terrain.starts[1, 2, :2].tolist() == [15.0, 9.0]
    assert terrain.ground(np.zeros((1, 2), np.float32))[0] == 0.0  # where soles are after a reset


def test_between_four_heights_lie_two_triangles():
    terrain = Terrain(SPEC)
    heights = np.zeros_like(terrain.heights)
    heights[0, 1], heights[1, 0], heights[1, 1] = 1.0, 2.0, 4.0  # right, ahead, across
    terrain._flat = type(terrain._flat)(heights.ravel())
    shares = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0.5], [0.5, 0.25], [0.25, 0.5]])
    points = (terrain.corner + CELL * shares).astype(np.float32)
    assert terrain.ground(points) == pytest.approx([0, 1, 2, 4, 2, 1.25, 1.5], abs=1e-3)


def test_tensors_give_the_same_and_strange_places_are_no_fault(terrain):
    torch = pytest.importorskip('torch')
    points = np.concatenate([scattered(), [[1e9, 0.0], [-1e9, 1e9], [np.nan, np.nan],
                                           [np.inf, -np.inf]]]).astype(np.float32)
    found = terrain.ground(points)
    assert np.allclose(found, terrain.ground(torch.as_tensor(points)).numpy(), atol=1e-6)
    assert not found[-4:].any()  # the border, and the origin for what is not a number


@pytest.mark.parametrize('change, message', [
    ({'kinds': ('swamp',)}, "'swamp'"), ({'kinds': ()}, 'one kind and two levels or more'),
    ({'levels': 1}, 'one kind and two levels or more'),
    ({'tile': 2.0}, 'tile must be 4 m or more'),
    ({'border': 0.0}, 'border 0.1 m or more'), ({'slope': -0.1}, 'slope must be 0 or more')])
def test_a_terrain_that_cannot_be_is_refused(change, message):
    with pytest.raises((ValueError, UnknownNameError), match=message):
        replace(SPEC, **change)


def test_a_simulator_without_rough_ground_says_so():
    with pytest.raises(SimulationError, match='fake has a flat floor only; mujoco, '):
        open_backend('fake', ROBOT, 1, PHYSICS, terrain=SPEC)


@pytest.fixture
def standing(terrain):
    """Give robots in CPU MuJoCo, one on every tile."""
    pytest.importorskip('mujoco', minversion='3.3')
    starts = terrain.starts.reshape(-1, 3)
    backend = open_backend('mujoco', ROBOT, len(starts), PHYSICS, device='cpu', terrain=SPEC)
    start = backend.default_state()
    backend.reset(np.ones(len(starts), bool),
                  replace(start, base_position=start.base_position + starts))
    yield backend
    backend.close()


def test_a_plumb_line_meets_the_ground_where_the_lookup_says(standing):
    mujoco = pytest.importorskip('mujoco')
    data = mujoco.MjData(standing.model)
    data.qpos[2] = 100.0  # the robot is out of the way
    mujoco.mj_forward(standing.model, data)
    met = np.zeros(1, np.int32)
    for x, y in scattered():
        depth = mujoco.mj_ray(standing.model, data, np.array([x, y, 20.0]),
                              np.array([0.0, 0.0, -1.0]), None, 1, -1, met)
        wanted = standing.terrain.ground(np.array([[x, y]], np.float32))[0]
        assert 20.0 - depth == pytest.approx(wanted, abs=1e-4)


def test_robots_rest_on_the_ground_that_the_lookup_says(standing):
    """Heights count from the ground below; the soles carry the weight, on hills and in valleys."""
    hold(standing, 15)
    now = truth(standing)
    assert np.abs(now.sole_positions[..., 2]).max() < 0.01
    assert now.base_position[:, 2] == pytest.approx(ROBOT.base_height, abs=0.05)
    assert now.sole_forces.sum(1) == pytest.approx(9.81 * ROBOT.mass, rel=0.1)
    heights = state(standing).base_position[:, 2]
    assert heights.max() - heights.min() > 0.3  # odometry knows how high they stand


def test_ground_that_is_flat_carries_like_a_floor():
    pytest.importorskip('mujoco', minversion='3.3')
    level = replace(SPEC, slope=0.0, bump=0.0, step=0.0)
    pair = [open_backend('mujoco', ROBOT, 1, PHYSICS, device='cpu', terrain=it)
            for it in (None, level)]
    for backend in pair:
        hold(backend, 15)
    a, b = map(truth, pair)
    assert b.base_position == pytest.approx(a.base_position, abs=2e-3)
    assert b.sole_forces == pytest.approx(a.sole_forces, rel=0.05)
    for backend in pair:
        backend.close()
