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
            1024, min=1, max=inputs.MAX_ENVS, help='Number of robots of the short training run.'),
        iterations: int = typer.Option(
            3, min=0, max=100_000, help='Iterations of that run; 0 for no run.'),
        viewer: bool = typer.Option(False, help='Show the robots in a window.'),
        python: str = typer.Option(
            '', show_default='this one', help='Interpreter that has Isaac Gym.'),
        json: bool = JSON) -> None:
    """Measure the behaviour of an installed Isaac Gym; exits with 1 if it differs."""
    interpreter.hand_over(python)
    from humanoid_locomotion.sim.backend import import_backend
    import_backend('isaacgym')  # before PyTorch is imported
    from humanoid_locomotion.sim.isaacgym import check
    from humanoid_locomotion.training.run.options import training_config
    settings, spec = training_config('', robot, None, None, [])
    facts = check.versions()
    examination = check.Examination(
        spec, settings.physics, settings.contract(spec).joints, device, viewer)
    findings = examination.findings()
    backend = examination.backend
    facts['device'] = str(backend.device)
    facts['order of joints'] = ', '.join(backend.dof_names())
    facts['masses [kg]'] = ', '.join(
        f'{name} {mass:.3g}' for name, mass in backend.link_masses().items())
    backend.close()
    if iterations:
        speed = _train(robot, device, num_envs, iterations, sys.stderr if json else None)
        findings.append(check.Finding(
            f'{iterations} iterations of {num_envs} robots', speed is not None,
            'failed' if speed is None else f'{speed:,.0f} steps/s', 'runs'))
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


def _train(robot: str, device: str, num_envs: int, iterations: int, progress: Any) -> Any:
    """Train shortly, in a process of its own: one holds one simulation; return steps a second."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(interpreter.command(sys.executable, [
            'train', '--backend', 'isaacgym', '--robot', robot, '--device', device,
            '--num-envs', str(num_envs), '--iterations', str(iterations), '--output', folder]),
            stdout=progress, check=False)
        if done.returncode:
            return None
        lines = (Path(folder) / 'metrics.jsonl').read_text(encoding='utf-8').splitlines()
        return json_format.loads(lines[-1])['speed/steps_per_second']
