# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Plots survived kicks and velocity errors with the gate, the lead and the best public value."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Sequence

from humanoid_locomotion.evaluation.gates import LINEAR_ERROR, PUSHES, YAW_ERROR, Line
from humanoid_locomotion.evaluation.plots.plots import (
    BAD,
    COLOURS,
    FAINT,
    GOOD,
    INK,
    bare,
    heading,
    new_figure,
)
from humanoid_locomotion.evaluation.scorecard import PushLadder, Scorecard

Axes = Any
PUBLIC = '#8a5a00'


def draw_field(scorecard: Scorecard, path: Path) -> None:
    """Write the picture as PNG."""
    figure, setting, measured = new_figure((15, 6.5)), scorecard.setting, scorecard.figures
    figure.text(0.03, 0.93, f'{setting.policy} against the field', fontsize=18, weight='bold',
                color=INK)
    figure.text(0.97, 0.93, f'{setting.robot}, {setting.asked}', fontsize=10,
                color='#555555', ha='right')
    grid = figure.add_gridspec(2, 2, left=0.06, right=0.97, top=0.82, bottom=0.17, hspace=0.35,
                               wspace=0.16)
    pushes, linear_error, yaw_error = (
        line.scaled(setting.scale) for line in (PUSHES, LINEAR_ERROR, YAW_ERROR))
    _draw_pushes(figure.add_subplot(grid[:, 0]), pushes, measured.pushes)
    labels = [' / '.join(f'{part:g}' for part in r.command) for r in measured.responses]
    linear, turning = (figure.add_subplot(grid[row, 1]) for row in (0, 1))
    _draw_errors(linear, linear_error, [r.linear_error for r in measured.responses],
                 measured.mean_linear_error, 'Velocity error')
    _draw_errors(turning, yaw_error, [r.yaw_error for r in measured.responses],
                 measured.mean_yaw_error, 'Turning error')
    linear.set_xticks(range(len(labels)), [''] * len(labels))
    turning.set_xticks(range(len(labels)), labels, fontsize=8, rotation=35, ha='right')
    turning.set_xlabel('command: forward / left / turning [m/s, m/s, rad/s]', fontsize=9)
    figure.savefig(path)


def _draw_pushes(axes: Axes, line: Line, ladders: Sequence[PushLadder]) -> None:
    """Draw how many of ten kicks each group survives, with gate, lead and best public value."""
    for ladder, colour in zip(ladders, COLOURS):
        axes.plot([rung.speed for rung in ladder.rungs],
                  [10.0 * rung.survived / rung.runs for rung in ladder.rungs],
                  'o-', color=colour, lw=1.8, ms=4.5, label=f'{ladder.name}: {ladder.score:.2f}')
    for values, marker, colour, name in (
            (line.gate, '_', BAD, 'gate'), (line.lead, '^', GOOD, 'lead'),
            (line.public, 'D', PUBLIC, f'best public: {line.whose}')):
        asked = [(speed, value) for speed, value in zip(line.speeds, values) if value is not None]
        axes.plot(*zip(*asked), marker, color=colour, ms=12, mfc='none', mew=2.0, label=name)
    axes.set(ylim=(-0.4, 10.6), xlabel='velocity that a kick adds [m/s]', ylabel='survived, of 10')
    axes.grid(color='#eeeeee')
    axes.legend(loc='lower left', fontsize=9, framealpha=0.9)
    heading(axes, 'Kicks', y=1.03)
    bare(axes)


def _draw_errors(axes: Axes, line: Line, errors: Sequence[float], mean: float,
                 title: str) -> None:
    """Draw the error of each command, and the mean error with its gate and lead."""
    axes.bar(range(len(errors)), errors, color=FAINT, width=0.6)
    for value, style, colour, name in (
            (mean, '-', INK, 'mean'), (line.gate[0], '--', BAD, 'gate'),
            (line.public[0], ':', PUBLIC, f'best public: {line.whose}'),
            (line.lead[0], '-.', GOOD, 'lead')):
        axes.axhline(value, ls=style, color=colour, lw=1.6, label=f'{name} {value:.2g}')
    axes.set_ylabel(line.unit)
    axes.set_ylim(0.0, 1.35 * max(*errors, line.gate[0] or 0.0))
    axes.legend(loc='upper center', fontsize=8.5, ncols=4, frameon=False)
    heading(axes, title, y=1.05)
    bare(axes)
