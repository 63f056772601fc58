# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Plots of training runs and benchmarks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

# The panels: keys of metrics.jsonl, label of the axis.
PANELS = (
    (('reward/total',), 'reward per step'),
    (('linear_velocity_error', 'yaw_rate_error'), 'tracking error [m/s, rad/s]'),
    (('episode_length',), 'episode [steps]'),
    (('speed/steps_per_second',), 'control steps per second'),
)


def draw(run: Path) -> Path:
    """Write ``curve.png`` into a run folder and return its path.

    The errors are instantaneous errors of robots with noise, pushes and exploration, so they
    include the sway of the gait. The scorecard measures the policy without them.
    """
    from matplotlib.figure import Figure
    lines: List[dict] = [json.loads(line) for line in
                         (run / 'metrics.jsonl').read_text(encoding='utf-8').splitlines()]
    minutes = [line['speed/seconds'] / 60.0 for line in lines]
    figure = Figure(figsize=(9.0, 5.0), layout='constrained')
    for axes, (names, label) in zip(figure.subplots(2, 2).flat, PANELS):
        for name in names:
            axes.plot(minutes, [line[name] for line in lines],
                      label=name.replace('_', ' ') if len(names) > 1 else None)
        axes.set(xlabel='wall-clock [min]', ylabel=label)
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
        axes.grid(alpha=0.3)
        if len(names) > 1:
            axes.legend(frameon=False)
    last = lines[-1]
    figure.suptitle(f"{last['iteration']} iterations, {last['samples'] / 1e6:.0f} million "
                    f'control steps, {minutes[-1]:.1f} min')
    path = run / 'curve.png'
    figure.savefig(path, dpi=120)
    return path


def draw_sweep(rows: List[Dict[str, Any]], path: Path) -> None:
    """Write a plot of benchmark results over the number of robots, one panel per value.

    Args:
        rows: Results of ``benchmark env`` or ``benchmark train``, one row per number of robots.
        path: The PNG file.
    """
    from matplotlib.figure import Figure
    robots = [row['num_envs'] for row in rows]
    panels = {name: [row[name] for row in rows] for name, value in rows[0].items()
              if isinstance(value, float)}
    columns = 3
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(10.0, 2.4 * lines), layout='constrained')
    for i, (name, values) in enumerate(panels.items()):
        axes = figure.add_subplot(lines, columns, i + 1)
        axes.plot(robots, values, marker='o')
        axes.set(xlabel='robots', ylabel=name.replace('_', ' '),
                 ylim=(0.0, 1.1 * max(values)), xlim=(0.0, 1.1 * max(robots)))
        axes.grid(alpha=0.3)
    figure.suptitle(str(rows[0]['hardware']))
    figure.savefig(path, dpi=120)
