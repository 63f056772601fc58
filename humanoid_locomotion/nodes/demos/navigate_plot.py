# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Plots a course: the robot on its path, plan and path from above, and values over time."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List, Sequence, Tuple

import numpy as np

from humanoid_locomotion.nodes.demos.navigate_course import POSITION_TOLERANCE, Leg
from humanoid_locomotion.nodes.demos.walk_plot import LABELS, poses_along
from humanoid_locomotion.nodes.demos.walk_profile import Sample

ARROW = 0.35  # [m]


def draw(path: Path, legs: Sequence[Leg], samples: Sequence[Sample],
         commands: Sequence[Tuple[float, np.ndarray]], robot: str) -> None:
    """Write the plot.

    Args:
        path: The PNG file.
        legs: The legs of the course.
        samples: The recorded samples.
        commands: Time [s] and velocity command (3,).
        robot: The robot's name or folder.
    """
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot

    from humanoid_locomotion.sim.mujoco import renderer
    frame = renderer.trail(robot, poses_along(samples))
    top = frame is not None
    figure = pyplot.figure(figsize=(12.0, 10.0 if top else 6.0), layout='constrained')
    grid = figure.add_gridspec(
        4 + top, 2, width_ratios=(1.2, 1.0), height_ratios=[3.9] * top + [1.0] * 4)
    if frame is not None:
        axes = figure.add_subplot(grid[0, :])
        axes.imshow(frame)
        axes.set_axis_off()
    _draw_way(figure.add_subplot(grid[top:, 0]), legs, samples)
    panels: List[Any] = []
    for i in range(4):
        panels.append(figure.add_subplot(
            grid[top + i, 1], sharex=panels[0] if panels else None))
    _draw_distance(panels[0], legs, samples)
    for i, axes in enumerate(panels[1:]):
        _draw_velocity(axes, i, samples, commands)
    for axes in panels:
        axes.grid(alpha=0.3)
        for leg in legs:
            axes.axvline(leg.begin, color='0.8', linewidth=0.8)
            for when, _ in leg.pushes:
                axes.axvline(when, color='tab:red', linewidth=0.8)
        axes.tick_params(labelbottom=axes is panels[-1])
    panels[-1].set_xlabel('time [s]; red lines: pushes')
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


def _draw_way(axes: Any, legs: Sequence[Leg], samples: Sequence[Sample]) -> None:
    planned = [plan for leg in legs for plan in leg.plans]
    for i, plan in enumerate(planned):
        axes.plot(*plan.T, '--', color='0.6', linewidth=1.0, label='' if i else 'planned')
    positions = np.array([s.position[:2] for s in samples]).reshape(-1, 2)
    axes.plot(*positions.T, color='tab:blue', label='walked')
    times = np.array([s.time for s in samples])
    pushes = [(positions[int(np.searchsorted(times, when))], push)
              for leg in legs for when, push in leg.pushes]
    for i, (here, push) in enumerate(pushes):
        axes.annotate('', here + push, here,
                      arrowprops={'arrowstyle': '-|>', 'color': 'tab:red', 'linewidth': 1.5})
        axes.update_datalim([here + push])
        axes.plot(*here, '.', color='tab:red', label='' if i else 'pushed')
    for leg in legs:
        x, y, heading = leg.goal
        axes.add_patch(_circle((x, y), POSITION_TOLERANCE))
        axes.annotate('', (x + ARROW * np.cos(heading), y + ARROW * np.sin(heading)), (x, y),
                      arrowprops={'arrowstyle': '->', 'color': 'tab:green'})
        axes.annotate(leg.name, (x, y), (6, -12), textcoords='offset points')
    axes.set_xlabel('x [m]')
    axes.set_ylabel('y [m]')
    axes.set_aspect('equal', adjustable='datalim')
    axes.grid(alpha=0.3)
    axes.legend(loc='best')


def _circle(centre: Tuple[float, float], radius: float) -> Any:
    from matplotlib.patches import Circle
    return Circle(centre, radius, facecolor='tab:green', alpha=0.3)


def _draw_distance(axes: Any, legs: Sequence[Leg], samples: Sequence[Sample]) -> None:
    for i, leg in enumerate(legs):
        own = [s for s in samples if s.segment == i and s.time >= leg.begin]
        axes.plot([s.time for s in own],
                  [np.linalg.norm(leg.goal[:2] - s.position[:2]) for s in own])
        axes.annotate(leg.name, (leg.begin, 1.0), (2, -10), xycoords=('data', 'axes fraction'),
                      textcoords='offset points', fontsize='small')
    axes.axhline(POSITION_TOLERANCE, color='tab:green', linewidth=0.8)
    axes.set_ylabel('to go [m]')


def _draw_velocity(axes: Any, i: int, samples: Sequence[Sample],
                   commands: Sequence[Tuple[float, np.ndarray]]) -> None:
    axes.plot([s.time for s in samples], [s.velocity[i] for s in samples], linewidth=0.6,
              label='achieved')
    axes.plot([time for time, _ in commands], [command[i] for _, command in commands],
              '.', markersize=1.5, color='0.3', label='commanded')
    axes.set_ylabel(LABELS[i])
    if i == 0:
        axes.legend(loc='upper right', fontsize='small')
