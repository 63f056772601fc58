# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""HTML report of a policy: scorecard lines, plots, and the details of a steady walk.

The page is self-contained: the plots are embedded as SVG.
"""

from __future__ import annotations

from html import escape
import io
from pathlib import Path
from typing import Any, Callable, Iterable, List, Optional, Sequence

import numpy as np

from humanoid_locomotion.evaluation.plots import plots
from humanoid_locomotion.evaluation.plots.plots import Figure, FigureCanvasAgg
from humanoid_locomotion.evaluation.runner import Recording
from humanoid_locomotion.evaluation.scorecard import Measurements, Scorecard, shown

DOWN_SHARE = 0.05  # of the largest sole force; above it a foot is on the floor
CLOSE_UP = 3.2  # [s] of walking in the plots of gait and power
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
td, th { padding: .3rem .6rem; border-bottom: 1px solid #ddd; text-align: right; }
td:first-child, th:first-child { text-align: left; }
.pass, .leads { color: #1b7f4d; } .FAIL { color: #c0392b; font-weight: bold; }
.leads { font-weight: bold; } svg, img { max-width: 100%; height: auto; } .note { color: #666; }
"""


def write_page(scorecard: Scorecard, standing_paths: np.ndarray, walk: Recording,
               joint_names: Sequence[str], efforts: np.ndarray, film: str, path: Path) -> None:
    """Write the page.

    Args:
        scorecard: The scorecard.
        standing_paths: (steps, runs, 2) [m], the positions of standing robots.
        walk: A recording of one walking robot, one row per physics step.
        joint_names: The joints of that recording.
        efforts: (num_joints,) [Nm], the torque limits of these joints.
        film: The animation of the robot, as HTML.
        path: The file.
    """
    measured, setting = scorecard.figures, scorecard.setting
    close = walk.between(0.0, CLOSE_UP)
    verdict = 'passed' if scorecard.passed else 'failed'
    parts = [
        f'<h1>{escape(setting.policy)}: <span class="{"pass" if scorecard.passed else "FAIL"}">'
        f'{verdict}</span></h1>',
        f'<p>Leads {scorecard.lines_led} of {len(scorecard.criteria)} lines of '
        f'{escape(setting.asked)}.</p>',
        film, _lines(scorecard),
        '<h2>Velocity response</h2>',
        _svg((9.0, 8.5), lambda axes: plots._draw_responses(axes, scorecard)),
        '<h2>Pushes</h2>',
        _svg((8.0, 4.0), lambda axes: plots._draw_pushes(axes, measured.pushes)),
        '<h2>Standing still</h2>',
        _svg((5.0, 4.0), lambda axes: plots._draw_standing(axes, standing_paths)),
        '<h2>Gait</h2><p class="note">Feet on the floor while walking at '
        f'{measured.economy[0].command:g} m/s.</p>',
        _svg((9.0, 2.0), lambda axes: draw_gait(axes, close)),
        '<h2>Torque</h2><p class="note">Share of each joint\'s effort: mean and largest.</p>',
        _svg((9.0, 0.25 * len(joint_names) + 1.0),
             lambda axes: draw_torques(axes, walk, joint_names, efforts)),
        '<h2>Energy</h2>', _economy(measured),
        _svg((9.0, 2.6), lambda axes: draw_power(axes, close)),
        '<h2>Floors, loads, delay and noise</h2>', _situations(measured),
        _setting(scorecard)]
    page = (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>'
            f'{escape(setting.policy)}</title><style>{STYLE}</style></head><body>\n'
            + '\n'.join(parts) + '\n</body></html>\n')
    path.write_text(page, encoding='utf-8')


def draw_gait(axes: Any, walk: Recording) -> None:
    """Draw when each foot is on the floor, the left foot above the right one."""
    forces = walk.sole_forces[:, 0]
    down = forces > DOWN_SHARE * max(float(forces.max()), 1e-9)
    times = walk.period * np.arange(len(down))
    for row, colour in ((0, '#0072b2'), (1, '#d55e00')):
        axes.fill_between(times, 0.6 - row, 1.4 - row, where=down[:, row], step='post',
                          color=colour, linewidth=0.0)
    axes.set_yticks([1.0, 0.0], ['left', 'right'])
    axes.set_ylim(-0.6, 1.6)
    axes.set_xlabel('time [s]')


def draw_torques(axes: Any, walk: Recording, joint_names: Sequence[str],
                 efforts: np.ndarray) -> None:
    """Draw mean and largest torque of each joint as a share of its effort."""
    share = np.abs(walk.joint_torques[:, 0]) / efforts
    rows = np.arange(len(joint_names))[::-1]
    axes.barh(rows, share.max(0), color='#bbd4e8', label='largest')
    axes.barh(rows, share.mean(0), color='#0072b2', label='mean')
    axes.set_yticks(rows, joint_names)
    axes.set_xlim(0.0, 1.0)
    axes.legend(loc='lower right')


def draw_power(axes: Any, walk: Recording) -> None:
    """Draw the mechanical power of all joints, sum of |torque * speed|."""
    power = np.abs(walk.joint_torques[:, 0] * walk.joint_velocities[:, 0]).sum(1)
    times = walk.period * np.arange(len(power))
    axes.plot(times, power, color='#222222', linewidth=0.8)
    axes.axhline(float(power.mean()), color='#d55e00', linewidth=1.0,
                 label=f'mean {power.mean():.0f} W')
    axes.set_xlabel('time [s]')
    axes.set_ylabel('power [W]')
    axes.legend(loc='upper right')


def _svg(size: tuple[float, float], draw: Callable[[Any], None]) -> str:
    figure = Figure(figsize=size, layout='constrained')
    FigureCanvasAgg(figure)
    draw(figure.add_subplot())
    text = io.StringIO()
    figure.savefig(text, format='svg', metadata={'Date': None})
    svg = text.getvalue()
    return svg[svg.index('<svg'):]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return an HTML table of cells that are HTML."""
    def row(cells: Sequence[str], tag: str) -> str:
        return '<tr>' + ''.join(f'<{tag}>{cell}</{tag}>' for cell in cells) + '</tr>'
    return '<table>' + row(head, 'th') + ''.join(row(cells, 'td') for cells in rows) + '</table>'


def _lines(scorecard: Scorecard) -> str:
    return _table(('line', 'measured', 'gate', 'lead', ''), (
        (escape(line.label), shown(line.measured), shown(line.gate), shown(line.lead),
         f'<span class="{line.verdict}">{line.verdict}</span>') for line in scorecard.criteria))


def _economy(measured: Measurements) -> str:
    def number(value: Optional[float]) -> str:
        return '-' if value is None else f'{value:.3g}'
    return _table(
        ('asked [m/s]', 'reached [m/s]', 'cost of transport', 'largest torque share',
         'foot slip [m/s]', 'force on both feet, 99.5th percentile [body weights]'),
        ([number(value) for value in (
            it.command, it.speed, it.cost_of_transport, it.peak_torque_share, it.foot_slip,
            it.feet_force)] for it in measured.economy))


def _situations(measured: Measurements) -> str:
    return _table(('situation', 'runs', 'falls', 'velocity error [m/s]'), (
        (escape(it.name), str(it.runs), str(it.falls), f'{it.linear_error:.3g}')
        for it in (*measured.situations, measured.ice)))


def _setting(scorecard: Scorecard) -> str:
    setting = scorecard.setting
    versions = ', '.join(f'{name} {version}' for name, version in setting.versions.items())
    facts: List[str] = [
        f'seed {setting.seed}', f'robot {setting.robot}',
        'model as trained' if setting.model_hash_matches else 'MODEL CHANGED SINCE TRAINING',
        f'contract {setting.fingerprint}',
        f'{setting.simulator} at {1e3 * setting.timestep:.3g} ms', versions,
        f'measured in {setting.wall_time:.0f} s']
    return f'<p class="note">{escape("; ".join(facts))}.</p>'
