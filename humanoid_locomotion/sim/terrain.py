# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rough ground: a height grid of square tiles, one column per kind, difficulty rising by row.

Every simulator and every height lookup uses the same grid, so the height of a robot above the
ground is identical everywhere. Tiles are flat at their edges, so that neighbours match, and in the
middle, where robots start. The first row is entirely flat.
"""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Callable, Dict, Tuple

import numpy as np

from humanoid_locomotion.core.arrays import Array, Constant, is_torch, namespace
from humanoid_locomotion.core.errors import UnknownNameError

CELL = 0.1       # [m] spacing of the heights
PLATFORM = 1.0   # [m] half size of the flat middle of a tile
RIM = 0.5        # [m] width of flat ground along the edges of a tile
BUMP = 0.2       # [m] spacing of bumps
TREAD = 0.5      # [m] depth of a stair step
BLOCK = 0.5      # [m] side of an obstacle
WAVE = 1.0       # [m] approximate length of a wave
STONE = 0.6      # [m] side of a stepping stone
GAP = 0.3        # [m] width of the gaps between stones, at the top


@dataclass(frozen=True)
class TerrainSpec:
    """Specification of the ground; slope, bump and step apply to the last row, shares to others.

    Attributes:
        kinds: Kinds of the columns, keys of :data:`KINDS`; a kind may be repeated.
        levels: Number of rows.
        tile: Side length of a tile [m].
        border: Flat ground around all tiles [m].
        slope: Steepest slope [rad].
        bump: Highest bump or wave, and deepest hole or trough [m].
        step: Highest step between stairs or obstacles, and depth of the gaps between stones [m].
    """

    kinds: Tuple[str, ...]
    levels: int
    tile: float
    border: float
    slope: float
    bump: float
    step: float

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in KINDS:
                raise UnknownNameError('terrain', kind, KINDS)
        if not self.kinds or self.levels < 2:
            raise ValueError('kinds and levels: expected one kind and two levels or more, found '
                             f'{list(self.kinds)} and {self.levels}')
        if self.tile < 2.0 * (PLATFORM + RIM) + 1.0 or self.border < CELL:
            raise ValueError(
                f'tile must be {2.0 * (PLATFORM + RIM) + 1.0:g} m or more and border {CELL:g} m '
                f'or more, found {self.tile:g} and {self.border:g}')
        for key in ('slope', 'bump', 'step'):
            if getattr(self, key) < 0.0:
                raise ValueError(f'{key} must be 0 or more, found {getattr(self, key)}')


def _climb(spec: TerrainSpec, ahead: np.ndarray) -> np.ndarray:
    """Return the length of slope [m] up to a distance ``ahead`` [m] from a tile's middle."""
    way = 0.5 * spec.tile - RIM
    return np.clip(way - ahead, 0.0, way - PLATFORM)


def _inside(spec: TerrainSpec, ahead: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Return heights that are 0 near the middle and the edges of a tile."""
    inside = (ahead > 0.5 * PLATFORM) & (ahead < 0.5 * spec.tile - 0.5 * RIM)
    return np.where(inside, heights, 0.0)


def _flat(spec: TerrainSpec, ahead: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.zeros_like(ahead)


def _hill(spec: TerrainSpec, ahead: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return math.tan(spec.slope) * _climb(spec, ahead)


def _valley(spec: TerrainSpec, ahead: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return -_hill(spec, ahead, rng)


def _steps(spec: TerrainSpec, ahead: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return spec.step * np.floor(_climb(spec, ahead) / TREAD + 1e-6)


def _pit(spec: TerrainSpec, ahead: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return -_steps(spec, ahead, rng)


def _bumps(spec: TerrainSpec, ahead: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    size = len(ahead)
    coarse = rng.uniform(-spec.bump, spec.bump, (round(spec.tile / BUMP) + 1,) * 2)
    at = np.linspace(0, len(coarse) - 1, size)
    rows = np.array([np.interp(at, np.arange(len(coarse)), row) for row in coarse])
    fine = np.array([np.interp(at, np.arange(len(coarse)), column) for column in rows.T]).T
    return _inside(spec, ahead, fine)


def _waves(spec: TerrainSpec, ahead: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    length = 0.5 * spec.tile - RIM - PLATFORM
    waves = max(1, round(length / WAVE))
    return spec.bump * np.sin(2.0 * math.pi * waves / length * _climb(spec, ahead))


def _obstacles(spec: TerrainSpec, ahead: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    size, side = len(ahead), round(BLOCK / CELL)
    blocks = rng.choice((-0.5, 0.0, 0.5), (size // side + 1,) * 2)
    return _inside(spec, ahead, spec.step * np.kron(blocks, np.ones((side, side)))[:size, :size])


def _stones(spec: TerrainSpec, ahead: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    is_gap = np.arange(len(ahead)) % round((STONE + GAP) / CELL) > round(STONE / CELL)
    return _inside(spec, ahead, np.where(is_gap[:, None] | is_gap, -spec.step, 0.0))


# Seen from the middle, where robots start, hill and steps go down, valley and pit go up.
# Heights of the hardest tile: a function of the spec and of the distance from the middle, along
# the axis on which it is larger.
KINDS: Dict[str, Callable[[TerrainSpec, np.ndarray, np.random.Generator], np.ndarray]] = {
    'flat': _flat, 'hill': _hill, 'valley': _valley, 'steps': _steps, 'pit': _pit,
    'bumps': _bumps, 'waves': _waves, 'obstacles': _obstacles, 'stones': _stones}


class Terrain:
    """The grid of a :class:`TerrainSpec`; the world's origin is the corner of the first tile.

    Args:
        spec: Specification of the ground.
        seed: Random seed of the bumps.

    Attributes:
        spec: Specification of the ground.
        heights: (rows, columns) [m]; x along a row, y along the rows.
        corner: x and y coordinate of the first height [m].
        starts: (levels, kinds, 3) [m], the middle of each tile, on the ground.
    """

    def __init__(self, spec: TerrainSpec, seed: int = 0):
        self.spec, rng = spec, np.random.default_rng(seed)
        cells, rim = round(spec.tile / CELL), round(spec.border / CELL)
        levels, kinds = spec.levels, len(spec.kinds)
        self.corner = -rim * CELL
        self.heights = np.zeros((levels * cells + 2 * rim + 1, kinds * cells + 2 * rim + 1),
                                np.float32)
        self.starts = np.zeros((levels, kinds, 3), np.float32)
        along = np.abs(np.arange(cells + 1) - 0.5 * cells) * CELL
        ahead = np.maximum(along[:, None], along[None])
        for level in range(levels):
            share = level / (levels - 1)
            for column, kind in enumerate(spec.kinds):
                y, x = rim + level * cells, rim + column * cells
                tile = share * KINDS[kind](spec, ahead, rng)
                self.heights[y:y + cells + 1, x:x + cells + 1] = tile
                self.starts[level, column] = (
                    (column + 0.5) * spec.tile, (level + 0.5) * spec.tile,
                    tile[cells // 2, cells // 2])
        self._flat = Constant(self.heights.ravel())

    def ground(self, points: Array) -> Array:
        """Return the height [m] of the ground below points.

        Each cell of four heights is split into two triangles as in MuJoCo: the diagonal runs
        towards larger x and y. Outside the grid the height of the nearest edge is used.

        Args:
            points: (..., 2 or more) [m], x and y in the world; NumPy or PyTorch. Values that
                are not finite count as the origin.

        Returns:
            (...).
        """
        xp, (rows, columns) = namespace(points), self.heights.shape
        finite = xp.nan_to_num(points[..., :2], nan=0.0, posinf=0.0, neginf=0.0)
        place = (finite - self.corner) / CELL
        x, y = place[..., 0].clip(0.0, columns - 1.001), place[..., 1].clip(0.0, rows - 1.001)
        column, row = xp.floor(x), xp.floor(y)
        u, v = x - column, y - row
        index = row * columns + column  # exact in single precision up to 2^24 heights
        index = index.long() if is_torch(index) else index.astype(np.int64)
        flat = self._flat.like(points)
        here, right, ahead, across = (
            flat[index], flat[index + 1], flat[index + columns], flat[index + columns + 1])
        return xp.where(v >= u, here + v * (ahead - here) + u * (across - ahead),
                        here + u * (right - here) + v * (across - right))
