# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The scorecard as one picture, and helpers for the other plots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from humanoid_locomotion.core.command import VELOCITY_AXES
from humanoid_locomotion.core.errors import MissingPackageError
from humanoid_locomotion.evaluation.scorecard import PushLadder, Response, Scorecard, shown

try:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
except ImportError as error:
    raise MissingPackageError('the scorecard picture', 'matplotlib',
                              "pip install 'humanoid_locomotion[sim]'") from error

Axes = Any

COLOURS = ('#0072b2', '#d55e00', '#6a51a3')  # of forward, left and turn
GOOD, BAD, INK, FAINT = '#1b7f4d', '#c0392b', '#222222', '#bbbbbb'


def draw(scorecard: Scorecard, standing_paths: np.ndarray, path: Path) -> None:
    """Write the picture as PNG.

    Args:
        scorecard: The scorecard.
        standing_paths: (steps, runs, 2) [m], the positions of standing robots.
        path: The file.
    """
    figure = new_figure((15, 9.5))
    _title(figure, scorecard)
    grid = figure.add_gridspec(2, 3, left=0.145, right=0.97, top=0.82, bottom=0.08,
                               width_ratios=(1.0, 1.15, 0.9), height_ratios=(0.75, 1.0),
                               hspace=0.3, wspace=0.4)
    _draw_responses(figure.add_subplot(grid[:, 0]), scorecard)
    _draw_pushes(figure.add_subplot(grid[0, 1]), scorecard.figures.pushes)
    _draw_standing(figure.add_subplot(grid[0, 2]), standing_paths)
    _draw_lines(figure.add_subplot(grid[1, 1:]), scorecard)
    figure.savefig(path)


def _title(figure: Figure, scorecard: Scorecard) -> None:
    setting = scorecard.setting
    verdict, colour = ('passed', GOOD) if scorecard.passed else ('failed', BAD)
    led = f'leads {scorecard.lines_led} of {len(scorecard.criteria)} lines'
    figure.text(0.03, 0.945, setting.policy, fontsize=20, weight='bold', color=INK)
    figure.text(0.97, 0.945, verdict.upper(), fontsize=20, weight='bold', color=colour,
                ha='right')
    figure.text(0.97, 0.915, led, fontsize=11, color=INK, ha='right')
    model = 'model as trained' if setting.model_hash_matches else 'MODEL CHANGED SINCE TRAINING'
    versions = ', '.join(f'{name} {version}' for name, version in setting.versions.items())
    figure.text(0.03, 0.93, color='#555555', fontsize=10, va='top', linespacing=1.5, s=(
        f'{setting.asked}, seed {setting.seed}  |  {setting.robot}, {model}, '
        f'contract {setting.fingerprint}\n{setting.simulator} at '
        f'{1e3 * setting.timestep:.3g} ms, control at {1.0 / setting.control_period:.3g} Hz  |  '
        f'{versions}'))


def _draw_responses(axes: Axes, scorecard: Scorecard) -> None:
    """Draw the commanded and the achieved value of each command component that is not 0."""
    rows = [(response, axis) for response in scorecard.figures.responses
            for axis in range(3) if response.command[axis] != 0.0]
    labels = []
    for y, (response, axis) in enumerate(rows):
        wanted, got, colour = response.command[axis], response.velocity[axis], COLOURS[axis]
        axes.plot([wanted, got], [y, y], color=colour, lw=3.0, alpha=0.4, zorder=2)
        axes.plot(wanted, y, 'o', ms=10, mfc='white', mec=colour, mew=1.8, zorder=3)
        axes.plot(got, y, 'o', ms=5.5, color=colour, zorder=4)
        labels.append(_row_label(response, axis))
    axes.axvline(0.0, color=FAINT, lw=0.8, zorder=1)
    axes.set_yticks(range(len(rows)), labels, fontsize=9.5)
    axes.set_ylim(max(len(rows), 1) - 0.4, -0.6)
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, -0.6), max(high, 0.6))
    axes.set_xlabel('velocity in the heading frame [m/s, rad/s]')
    axes.grid(axis='x', color='#eeeeee')
    axes.plot([], [], 'o', ms=10, mfc='white', mec=INK, mew=1.8, label='commanded')
    axes.plot([], [], 'o', ms=5.5, color=INK, label='achieved on average')
    axes.legend(loc='lower center', bbox_to_anchor=(0.5, -0.12), ncols=2, frameon=False,
                fontsize=9.5)
    heading(axes, 'Velocity response', y=1.045)
    bare(axes)


def _row_label(response: Response, axis: int) -> str:
    asked = [i for i in range(3) if response.command[i] != 0.0]
    prefix = 'arc: ' if len(asked) > 1 else ''
    label, unit = VELOCITY_AXES[axis].label, VELOCITY_AXES[axis].unit
    return f'{prefix}{label} {response.command[axis]:+g} {unit}'


def _draw_pushes(axes: Axes, ladders: tuple[PushLadder, ...]) -> None:
    """Draw the push map: a row for each group, a column for each rung."""
    speeds = [rung.speed for rung in ladders[0].rungs]
    shares = np.array([[rung.survived / rung.runs for rung in ladder.rungs]
                       for ladder in ladders])
    axes.imshow(shares, cmap='RdYlGn', vmin=0.0, vmax=1.0, aspect='auto', alpha=0.85)
    for y, ladder in enumerate(ladders):
        for x, rung in enumerate(ladder.rungs):
            axes.text(x, y, f'{rung.survived}', ha='center', va='center', fontsize=10, color=INK)
    axes.set_xticks(range(len(speeds)), [f'{speed:g}' for speed in speeds], fontsize=9.5)
    axes.set_yticks(range(len(ladders)), [
        ladder.name.replace(', ', ',\n') + f'\nscore {ladder.score:.2f}' for ladder in ladders],
        fontsize=9)
    axes.set_xlabel('velocity that a kick adds [m/s]')
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    heading(axes, f'Kicks survived of {ladders[0].rungs[0].runs}', x=-0.1, y=1.06)


def _draw_standing(axes: Axes, paths: np.ndarray) -> None:
    centimetres = 100.0 * paths
    for i in range(paths.shape[1]):
        forward, left = centimetres[:, i].T
        axes.plot(-left, forward, color=COLOURS[0], lw=1.0, alpha=0.5)
        axes.plot(-left[-1], forward[-1], 'o', ms=3.5, color=COLOURS[0])
    reach = max(1.0, 1.05 * float(np.abs(centimetres).max(initial=0.0)))
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect='equal',
             xlabel='to the right [cm]', ylabel='ahead [cm]')
    axes.grid(color='#eeeeee')
    heading(axes, 'Where standing robots drift', y=1.06)
    bare(axes)


def _draw_lines(axes: Axes, scorecard: Scorecard) -> None:
    axes.axis('off')
    columns = ((0.0, 'left'), (0.59, 'left'), (0.715, 'left'), (0.83, 'left'), (1.0, 'right'))
    heading(axes, 'The lines', x=0.0, y=1.04)
    rows = [('', 'measured', 'gate', 'lead', '')]
    rows += [(line.label, shown(line.measured), shown(line.gate), shown(line.lead), line.verdict)
             for line in scorecard.criteria]
    for i, row in enumerate(rows):
        for (x, align), text in zip(columns, row):
            colour = {'FAIL': BAD, 'pass': GOOD, 'leads': GOOD}.get(text, INK)
            axes.text(x, 1.0 - 0.068 * i, text, ha=align, va='top', color=colour,
                      fontsize=10 if i else 9.5, weight='bold' if text == 'leads' else None)
    for i, text in enumerate(_more(scorecard)):
        axes.text(0.0, 0.085 - 0.055 * i, text, va='top', fontsize=9.5, color='#555555')


def _more(scorecard: Scorecard) -> list[str]:
    """Return sentences about measurements that are not among the lines."""
    measured = scorecard.figures
    own, zone = measured.own_arms, measured.dead_zone
    slowest = 'no slow command is answered' if zone is None else (
        f'answers forward commands from {zone:g} m/s')
    return [f'{slowest}; {own.time:g} s tour with its own arms: {own.time_up:.3g} s up, '
            f'{own.falls} of {own.runs} fell',
            f'worst drift while standing {100 * measured.standing.drift_max:.2g} cm, '
            f'{measured.standing.yaw_drift_max:.2g} rad; '
            f'{sum(r.runs for r in measured.responses)} runs of held commands, '
            f'{sum(g.rungs[0].runs * len(g.rungs) for g in measured.pushes)} kicks']


def new_figure(size: tuple[float, float]) -> Figure:
    """Return an empty figure of a size in inches."""
    figure = Figure(figsize=size, dpi=110, facecolor='white')
    FigureCanvasAgg(figure)
    return figure


def heading(axes: Axes, text: str, x: float = 0.0, y: float = 1.05) -> None:
    """Write a title above axes, at a position in axes coordinates."""
    axes.text(x, y, text, transform=axes.transAxes, fontsize=13, weight='bold', color=INK)


def bare(axes: Axes) -> None:
    """Hide the top and the right spine of axes."""
    axes.spines[['top', 'right']].set_visible(False)
