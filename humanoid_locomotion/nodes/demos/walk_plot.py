# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Plots a walk: the robot on its path, its path from above, and velocities over time."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List, Sequence

import numpy as np

from humanoid_locomotion.core.command import VELOCITY_AXES
from humanoid_locomotion.nodes.demos.walk_profile import Sample, Segment

SPACING = 0.6  # along the path, between two images of the robot [m]
LABELS = tuple(axis.title for axis in VELOCITY_AXES)


def draw(path: Path, profile: Sequence[Segment], samples: Sequence[Sample], robot: str) -> None:
    """Write the plot.

    Args:
        path: The PNG file.
        profile: The commanded profile.
        samples: The recorded samples.
        robot: The robot's name or folder.
    """
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot

    from humanoid_locomotion.sim.mujoco import renderer
    frame = renderer.trail(robot, poses_along(samples))
    figure = pyplot.figure(figsize=(12.0, 8.5 if frame is not None else 4.5),
                           layout='constrained')
    rows = 3 if frame is None else 4
    grid = figure.add_gridspec(
        rows, 2, width_ratios=(2.0, 1.0), height_ratios=[3.9] * (rows - 3) + [1.0] * 3)
    if frame is not None:
        axes = figure.add_subplot(grid[0, :])
        axes.imshow(frame)
        axes.set_axis_off()
    for i, label in enumerate(LABELS):
        _draw_velocity(figure.add_subplot(grid[rows - 3 + i, 0]), i, label, profile, samples)
    _draw_path(figure.add_subplot(grid[rows - 3:, 1]), samples)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


def poses_along(samples: Sequence[Sample]) -> np.ndarray:
    """Return poses (count, 7 + num_joints) every :data:`SPACING` along the path, and the last."""
    chosen: List[np.ndarray] = []
    for sample in samples:
        if sample.joint_positions is None:
            continue
        pose = np.concatenate([sample.position, sample.orientation, sample.joint_positions])
        if not chosen or np.linalg.norm(pose[:2] - chosen[-1][:2]) >= SPACING:
            chosen.append(pose)
    return np.array(chosen)


def _draw_velocity(axes: Any, i: int, label: str, profile: Sequence[Segment],
                   samples: Sequence[Sample]) -> None:
    edges = np.concatenate([[0.0], np.cumsum([segment.seconds for segment in profile])])
    axes.stairs([segment.command[i] for segment in profile], edges, color='0.5',
                label='commanded', baseline=None)
    axes.plot([s.time for s in samples], [s.velocity[i] for s in samples], linewidth=0.8,
              label='achieved')
    axes.set_ylabel(label)
    axes.grid(alpha=0.3)
    if i == 0:
        axes.legend(loc='upper right')
    if i == len(LABELS) - 1:
        axes.set_xlabel('time [s]')


def _draw_path(axes: Any, samples: Sequence[Sample]) -> None:
    positions = np.array([s.position[:2] for s in samples]).reshape(-1, 2)
    axes.plot(positions[:, 0], positions[:, 1])
    axes.plot(*positions[:1].T, 'o', label='start')
    axes.plot(*positions[-1:].T, 's', label='end')
    axes.set_xlabel('x [m]')
    axes.set_ylabel('y [m]')
    axes.set_title('path from above')
    axes.axis('equal')
    axes.grid(alpha=0.3)
    axes.legend()
