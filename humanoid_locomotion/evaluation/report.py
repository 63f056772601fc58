"""Draws the scorecard: one page that tells at a glance how a policy walks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from humanoid_locomotion.core.errors import MissingPackageError
from humanoid_locomotion.evaluation.protocol import FULL
from humanoid_locomotion.evaluation.scorecard import Pushes, Response, Scorecard

try:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
except ImportError as error:
    raise MissingPackageError('the scorecard picture', 'matplotlib',
                              "pip install 'humanoid_locomotion[sim]'") from error

Axes = Any

AXES = ('forward', 'left', 'turn')
UNITS = ('m/s', 'm/s', 'rad/s')
COLOURS = ('#0072b2', '#d55e00', '#6a51a3')  # of forward, left and turn
GOOD, BAD, INK, FAINT = '#1b7f4d', '#c0392b', '#222222', '#bbbbbb'


def draw(scorecard: Scorecard, standing_paths: np.ndarray, path: Path) -> None:
    """Write the picture as PNG.

    Args:
        scorecard: What to show.
        standing_paths: (steps, runs, 2) [m], where standing robots went.
        path: The file.
    """
    figure = Figure(figsize=(15, 9.5), dpi=110, facecolor='white')
    FigureCanvasAgg(figure)
    _title(figure, scorecard)
    grid = figure.add_gridspec(2, 3, left=0.125, right=0.97, top=0.82, bottom=0.08,
                               width_ratios=(1.15, 1.0, 1.0), hspace=0.45, wspace=0.3)
    _draw_responses(figure.add_subplot(grid[:, 0]), scorecard)
    _draw_pushes(figure.add_subplot(grid[0, 1], projection='polar'), scorecard.figures.pushes)
    _draw_standing(figure.add_subplot(grid[0, 2]), standing_paths)
    _draw_tables(figure.add_subplot(grid[1, 1:]), scorecard)
    figure.savefig(path)


def _title(figure: Figure, scorecard: Scorecard) -> None:
    setting = scorecard.setting
    verdict, colour = ('passed', GOOD) if scorecard.passed else ('failed', BAD)
    figure.text(0.03, 0.945, setting.policy, fontsize=20, weight='bold', color=INK)
    figure.text(0.97, 0.945, verdict.upper(), fontsize=20, weight='bold', color=colour,
                ha='right')
    model = 'model as trained' if setting.model_hash_matches else 'MODEL CHANGED SINCE TRAINING'
    versions = ', '.join(f'{name} {version}' for name, version in setting.versions.items())
    quick = 'QUICK, ' if setting.quick else ''
    figure.text(0.03, 0.915, color='#555555', fontsize=10, s=(
        f'{quick}protocol {setting.protocol}, seed {setting.seed}  |  {setting.robot}, {model}, '
        f'contract {setting.fingerprint}  |  {setting.simulator} at '
        f'{1e3 * setting.timestep:.3g} ms, control at {1.0 / setting.control_period:.3g} Hz  |  '
        f'{versions}'))


def _draw_responses(axes: Axes, scorecard: Scorecard) -> None:
    """Draw one line for each component that a command asks for, commanded and achieved."""
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
    skipped = scorecard.figures.skipped_commands
    if skipped:
        listed = ', '.join('({:g}, {:g}, {:g})'.format(*command) for command in skipped)
        axes.annotate(f'not trained for: {listed}', (0.0, 1.012), fontsize=8.5, color='#555555',
                      xycoords='axes fraction', annotation_clip=False)
    _heading(axes, 'Velocity response', y=1.045)
    _bare(axes)


def _row_label(response: Response, axis: int) -> str:
    asked = [i for i in range(3) if response.command[i] != 0.0]
    prefix = 'arc: ' if len(asked) > 1 else ''
    return f'{prefix}{AXES[axis]} {response.command[axis]:+g} {UNITS[axis]}'


def _draw_pushes(axes: Axes, pushes: Pushes) -> None:
    angles = np.radians([d.angle for d in pushes.directions])
    width = 2.0 * np.pi / len(angles) * 0.4
    axes.set_theta_zero_location('N')  # ahead is up; angles grow to the left, as in REP-103
    for side, name, colour, counts in (
            (0.5, 'standing', COLOURS[0], [d.standing for d in pushes.directions]),
            (-0.5, f'walking {pushes.walking_speed:g} m/s', COLOURS[1],
             [d.walking for d in pushes.directions])):
        shares = np.array(counts) / [d.runs for d in pushes.directions]
        axes.bar(angles + side * width, shares, width=width, color=colour, alpha=0.85,
                 label=name, zorder=3)
    axes.set_ylim(0.0, 1.0)
    axes.set_yticks([0.5, 1.0], ['50 %', '100 %'], fontsize=8, color='#555555')
    axes.set_rlabel_position(-22.5)
    names = {0.0: 'ahead', 90.0: 'left', 180.0: 'back', 270.0: 'right'}
    axes.set_xticks(angles, [names.get(d.angle, '') for d in pushes.directions], fontsize=9.5)
    axes.grid(color='#dddddd')
    axes.legend(loc='upper center', bbox_to_anchor=(0.5, -0.08), ncols=2, frameon=False,
                fontsize=9.5)
    _heading(axes, f'Pushes of {pushes.speed:g} m/s: survived {100 * pushes.survived:.3g} %',
             x=-0.1, y=1.12)


def _draw_standing(axes: Axes, paths: np.ndarray) -> None:
    centimetres = 100.0 * paths
    limit = 100.0 * FULL.gates.standing_drift
    for i in range(paths.shape[1]):
        forward, left = centimetres[:, i].T
        axes.plot(-left, forward, color=COLOURS[0], lw=1.0, alpha=0.5)
        axes.plot(-left[-1], forward[-1], 'o', ms=3.5, color=COLOURS[0])
    circle = np.linspace(0.0, 2.0 * np.pi, 100)
    axes.plot(limit * np.sin(circle), limit * np.cos(circle), color=GOOD, lw=1.2, ls='--',
              label=f'gate: {limit:g} cm')
    reach = max(1.1 * limit, 1.05 * float(np.abs(centimetres).max(initial=0.0)))
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect='equal',
             xlabel='to the right [cm]', ylabel='ahead [cm]')
    axes.grid(color='#eeeeee')
    axes.legend(loc='upper right', bbox_to_anchor=(1.03, 1.12), frameon=False, fontsize=9.5)
    _heading(axes, 'Where standing robots drift', y=1.12)
    _bare(axes)


def _draw_tables(axes: Axes, scorecard: Scorecard) -> None:
    axes.axis('off')
    figures = scorecard.figures
    _heading(axes, 'Criteria', x=0.0, y=1.0)
    for i, criterion in enumerate(scorecard.criteria):
        y, colour = 0.9 - 0.1 * i, GOOD if criterion.passed else BAD
        measured = 'untested' if criterion.measured is None else f'{criterion.measured:.3g}'
        for x, text, align in ((0.0, criterion.name, 'left'), (0.29, measured, 'right'),
                               (0.31, criterion.required, 'left'),
                               (0.43, 'pass' if criterion.passed else 'FAIL', 'left')):
            axes.text(x, y, text, ha=align, va='top', fontsize=10.5,
                      color=colour if text in ('pass', 'FAIL') else INK)
    _heading(axes, 'Figures', x=0.56, y=1.0)
    for i, (name, value) in enumerate(_figures(scorecard)):
        axes.text(0.56, 0.9 - 0.085 * i, name, va='top', fontsize=10.5, color=INK)
        axes.text(1.0, 0.9 - 0.085 * i, value, va='top', ha='right', fontsize=10.5, color=INK)
    axes.text(0.0, 0.22, f'{figures.walking.runs} random walks of {figures.walking.time:g} s on '
              'random floors and masses,\n'
              f'{figures.standing.runs} runs of standing, '
              f'{2 * sum(d.runs for d in figures.pushes.directions)} pushes, '
              f'{sum(r.runs for r in figures.responses)} runs of held commands.',
              va='top', fontsize=9.5, color='#555555')


def _figures(scorecard: Scorecard) -> list[tuple[str, str]]:
    figures = scorecard.figures
    standing = figures.standing
    rows = [('drift while standing',
             f'{100 * standing.drift_mean:.2g} cm, worst {100 * standing.drift_max:.2g} cm'),
            ('turn while standing',
             f'{standing.yaw_drift_mean:.2g} rad, worst {standing.yaw_drift_max:.2g} rad')]
    for economy in figures.economy:
        cost = economy.cost_of_transport
        rows += [(f'cost of transport at {economy.command:g} m/s',
                  'fell' if economy.falls else 'did not walk' if cost is None else f'{cost:.3g}')]
    for economy in figures.economy[-1:]:
        rows += [(f'peak torque at {economy.command:g} m/s',
                  f'{100 * economy.peak_torque_share:.3g} % of effort'),
                 (f'change of targets at {economy.command:g} m/s',
                  f'{economy.action_rate:.3g} rad/s'),
                 (f'foot slip at {economy.command:g} m/s', f'{economy.foot_slip:.2g} m/s')]
    return rows


def _heading(axes: Axes, text: str, x: float = 0.0, y: float = 1.05) -> None:
    axes.text(x, y, text, transform=axes.transAxes, fontsize=13, weight='bold', color=INK)


def _bare(axes: Axes) -> None:
    axes.spines[['top', 'right']].set_visible(False)
