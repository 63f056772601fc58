# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The command ``dev check-isaacgym``: compares an installed Isaac Gym to the backend's needs."""

from __future__ import annotations

import json as json_format
from pathlib import Path
import subprocess
import sys
import tempfile
from typing import Any, Dict, List

from rich.console import Console
from rich.markup import escape
from rich.table import Table
import typer

from humanoid_locomotion.cli import inputs, interpreter
from humanoid_locomotion.cli.output import JSON, print_json
from humanoid_locomotion.console_table import print_table

console = Console()


def check_isaacgym(
        robot: str = typer.Option('humanoid', help='Robot, and config in config/training.'),
        device: str = typer.Option(
            'auto', callback=inputs.device, help='auto, cuda or cpu.'),
        num_envs: int = typer.Option(
            1024, min=1, max=inputs.MAX_ENVS, help='Number of robots of the training runs.'),
        iterations: int = typer.Option(
            6, min=0, max=100_000, help='Iterations of each run, with CUDA graphs and without; '
            '0 for no run, 6 or more to let later trainings use graphs.'),
        viewer: bool = typer.Option(False, help='Show the robots in a window.'),
        python: str = typer.Option(
            '', show_default='this one', help='Interpreter that has Isaac Gym.'),
        json: bool = JSON) -> None:
    """Measure the behaviour of an installed Isaac Gym; exits with 1 if it differs."""
    interpreter.hand_over(python)
    from humanoid_locomotion.sim.backend import import_backend
    import_backend('isaacgym')  # before PyTorch is imported
    from humanoid_locomotion.sim.isaacgym.check.examination import Examination, versions
    from humanoid_locomotion.training.run.options import training_config
    settings, spec = training_config('', robot, None, None, [])
    facts = versions()
    examination = Examination(spec, settings.physics, settings.isaacgym, device, viewer)
    findings = list(examination.findings())
    facts.update(examination.facts())
    examination.backend.close()
    if iterations:
        findings += _trainings(robot, facts['device'], num_envs, iterations,
                               sys.stderr if json else None)
    good = all(it.good for it in findings)
    if json:
        print_json({'machine': facts, 'behaviour': [it._asdict() for it in findings]})
    else:
        _print(facts, findings, good)
    sys.exit(0 if good else 1)


def _print(facts: Dict[str, str], findings: List[Any], good: bool) -> None:
    machine = Table('what', 'found', title='this machine')
    for name, value in facts.items():
        machine.add_row(escape(name), escape(value))
    answers = Table('question', 'found', 'expected', '', title='behaviour')
    for it in findings:
        answers.add_row(*map(escape, (it.question, it.found, it.expected)), _mark(it.good))
    print_table(console, machine)
    print_table(console, answers)
    console.print('as the backend expects' if good else
                  'not as the backend expects: please report both tables')


def _mark(good: bool) -> str:
    return '[green]as expected[/green]' if good else '[red]differs[/red]'


def _trainings(robot: str, device: str, num_envs: int, iterations: int,
               progress: Any) -> List[Any]:
    """Train without CUDA graphs and, on a GPU, with them; record whether both agree."""
    from humanoid_locomotion.sim.isaacgym.check.examination import Finding
    from humanoid_locomotion.training.run import graph_proof
    on_gpu, runs = device.startswith('cuda'), {}
    for option in ('--no-graph', '--graph')[:1 + on_gpu]:
        runs[option] = _train(robot, 'cuda' if on_gpu else 'cpu', num_envs, iterations, option,
                              progress)
    findings = [Finding(
        f'{iterations} iterations of {num_envs} robots, {option}', len(run) == iterations,
        f'{run[-1]["speed/steps_per_second"]:,.0f} steps/s' if len(run) == iterations else
        f'failed after {len(run)}', 'runs') for option, run in runs.items()]
    if on_gpu and iterations >= graph_proof.ITERATIONS:
        gap = graph_proof.difference(runs['--no-graph'], runs['--graph'])
        if not runs['--no-graph']:
            gap = 'no run'
        graph_proof.record(gap is None)
        findings.append(Finding('the same with CUDA graphs as without', gap is None,
                                gap or 'the same', 'the same'))
    return findings


def _train(robot: str, device: str, num_envs: int, iterations: int, option: str,
           progress: Any) -> List[Dict[str, float]]:
    """Train shortly, in a process of its own, since one holds one simulation; return metrics."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(interpreter.command(sys.executable, [
            'train', '--backend', 'isaacgym', '--robot', robot, '--device', device, option,
            '--num-envs', str(num_envs), '--iterations', str(iterations), '--output', folder]),
            stdout=progress, check=False)
        path = Path(folder) / 'metrics.jsonl'
        lines = path.read_text(encoding='utf-8').splitlines() if path.exists() else []
        return [json_format.loads(line) for line in lines]
