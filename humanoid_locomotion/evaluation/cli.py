# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The command ``evaluate``: runs the protocol with a progress bar and prints the verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Optional, Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from humanoid_locomotion.console_table import print_table
from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.reading.config import to_mapping
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.evaluation.comparison.compare import compare
from humanoid_locomotion.evaluation.comparison.seeds import rank_seeds
from humanoid_locomotion.evaluation.comparison.sim_to_sim import (
    Elsewhere,
    changes,
    evaluate_elsewhere,
)
from humanoid_locomotion.evaluation.comparison.sim_to_sim_matrix import evaluate_everywhere
from humanoid_locomotion.evaluation.evaluate import evaluate
from humanoid_locomotion.evaluation.protocol import FULL, QUICK
from humanoid_locomotion.evaluation.rough_terrain import evaluate_rough
from humanoid_locomotion.evaluation.scorecard import Scorecard, shown
from humanoid_locomotion.sim.backend import import_backend


def run(policy: str, *, output: Optional[Path], quick: bool, seed: int, as_json: bool,
        console: Console, report: bool = False, elsewhere: Optional[Elsewhere] = None,
        everywhere: bool = False, robot: str = '') -> int:
    """Measure a policy and print the scorecard.

    Args:
        policy: Path of the policy folder, or the name of a policy that ships.
        output: Folder to write to; the policy's own by default.
        quick: Reduce the number of runs.
        seed: Seed of every random choice.
        as_json: Print the scorecard as JSON instead of a table.
        console: The console to print to.
        report: Also write ``report.html``; only for the standard setting.
        elsewhere: Another setting to measure in and to compare with the standard one.
        everywhere: Also measure in the settings of a release, for the policy's card.
        robot: Name or folder of a robot; empty for the policy's robot.

    Returns:
        The exit code: 0 if the policy passed, 1 if not.

    Raises:
        ConfigError: ``everywhere`` is given together with a setting, a report or a folder.
    """
    spec = load_robot(robot) if robot else None
    if elsewhere is not None and elsewhere.backend is not None:
        import_backend(elsewhere.backend)
    differs = elsewhere is not None and elsewhere.differs(QUICK if quick else FULL)
    if everywhere and (differs or report or output is not None):
        raise ConfigError('command line', '--sim-to-sim', 'has its own settings and writes into '
                          'the policy folder: leave out --backend, --dt, --iterations, --model, '
                          '--output and --report')
    if differs and report:
        raise ConfigError('command line', '--report', 'the report shows the standard setting: '
                          'leave out --backend, --dt, --iterations and --model')
    bars = Console(stderr=True) if as_json else console
    with Progress(console=bars, transient=True) as progress:
        tasks = {}

        def show(what: str, share: float) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=1.0)
            progress.update(tasks[what], completed=share)

        standard: Optional[Scorecard] = None
        others: Sequence[Scorecard] = ()
        if everywhere:
            scorecard, others = evaluate_everywhere(
                policy, quick=quick, seed=seed, progress=show, robot=spec)
        elif elsewhere is not None and differs:
            standard, scorecard = evaluate_elsewhere(
                policy, elsewhere, output=output, quick=quick, seed=seed, progress=show,
                robot=spec)
        else:
            scorecard = evaluate(policy, output=output, quick=quick, seed=seed, progress=show,
                                 report=report, robot=spec)
    if as_json:
        console.out(scorecard.to_json(), end='', highlight=False)
    else:
        print_table(
            console, table(scorecard) if standard is None else differences(standard, scorecard))
        for card in others:
            print_table(console, differences(scorecard, card))
    return 0 if all(card.passed for card in (scorecard, *others)) else 1


def run_rough(policy: str, *, robot: str, seed: int, as_json: bool, console: Console) -> None:
    """Walk a policy over rough ground and print falls and speed."""
    spec = load_robot(robot) if robot else None
    with Progress(console=Console(stderr=True) if as_json else console, transient=True) as bars:
        task = bars.add_task('rough ground', total=1.0)
        lines = evaluate_rough(
            policy, robot=spec, seed=seed,
            progress=lambda _, share: bars.update(task, completed=share))
    if as_json:
        console.out(json.dumps([to_mapping(line) for line in lines], indent=2), highlight=False)
        return
    made = Table('ground', 'share', 'falls', escape('speed [m/s]'),
                 title=escape(f'{policy}: {lines[0].command:g} m/s ahead'),
                 caption=f'{sum(line.falls for line in lines)} of '
                         f'{sum(line.runs for line in lines)} robots fell')
    for line in lines:
        made.add_row(line.kind, f'{line.share:g}', f'{line.falls} of {line.runs}',
                     shown((line.speed,)))
    print_table(console, made)


def differences(standard: Scorecard, there: Scorecard) -> Table:
    """Return a table of the scorecard lines in the standard setting and in another one."""
    setting = there.setting
    verdict = '[green]passed[/green]' if there.passed else '[red]failed[/red]'
    where = f'{setting.asked}, {setting.simulator}, {1000.0 * setting.timestep:.3g} ms, ' \
            f'{setting.solver_iterations} iterations' + (
                f', {escape(setting.model)}' if setting.model else '') + (
                ', network alone' if setting.network_alone else '')
    made = Table('line', 'standard', 'here', 'change', 'gate', '',
                 title=f'{setting.policy}: {verdict} elsewhere', caption=where)
    for before, after in zip(standard.criteria, there.criteria):
        colour = 'green' if after.passed else 'red'
        made.add_row(escape(after.label),
                     *(shown(values) for values in (
                         before.measured, after.measured, changes(before, after), after.gate)),
                     f'[{colour}]{after.verdict}[/{colour}]')
    return made


def table(scorecard: Scorecard) -> Table:
    """Return the lines of a scorecard as a table."""
    setting = scorecard.setting
    verdict = '[green]passed[/green]' if scorecard.passed else '[red]failed[/red]'
    led = f'leads {scorecard.lines_led} of {len(scorecard.criteria)} lines'
    made = Table('line', 'measured', 'gate', 'lead', '',
                 title=f'{setting.policy}: {verdict}, {led}',
                 caption=f'{setting.asked}, {setting.simulator}, {setting.wall_time:.0f} s')
    for line in scorecard.criteria:
        colour = 'green' if line.passed else 'red'
        made.add_row(escape(line.label),
                     *(shown(values) for values in (line.measured, line.gate, line.lead)),
                     f'[{colour}]{line.verdict}[/{colour}]')
    return made


def run_seeds(policies: Sequence[str], *, console: Console) -> None:
    """Print a Markdown table of policies that were trained with different seeds."""
    console.out(rank_seeds(policies).to_markdown(), end='', highlight=False)


def run_compare(policies: Sequence[str], *, as_json: bool, console: Console) -> None:
    """Print a table of several scorecards, with the best values of each line in bold."""
    found = compare(policies)
    if as_json:
        console.out(json.dumps(found.to_mapping(), indent=2), highlight=False)
        return
    made = Table('line', *found.names, caption=found.asked)
    for row in found.rows:
        made.add_row(escape(row.label), *(
            f'[bold]{shown(values)}[/bold]' if i in row.best else shown(values)
            for i, values in enumerate(row.measured)))
    made.add_section()
    made.add_row('', *('[green]passed[/green]' if passed else '[red]failed[/red]'
                       for passed in found.passed))
    print_table(console, made)
