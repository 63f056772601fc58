"""The command ``import-robot``."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from rich.console import Console
from rich.table import Table
import typer

console = Console()


def import_robot(
        model: Path = typer.Argument(..., help='URDF or MJCF file of the robot.'),
        output: Optional[Path] = typer.Option(
            None, show_default='robots/NAME', help='Robot folder to write.'),
        name: str = typer.Option(
            '', show_default="the file's", help='Name of the robot.')) -> None:
    """Draft robot.yaml and robot.xml from a model, and list what it could not say."""
    from humanoid_locomotion.sim.robot_import import TODO
    from humanoid_locomotion.sim.robot_import import import_robot as draft
    name = name or model.stem
    folder = output or Path('robots') / name
    questions = draft(model, folder, name)
    table = Table('in robot.yaml', 'joints', 'drafted as', 'look at', title=f'open in {folder}')
    for question in questions:
        style = 'red' if question.written == TODO else 'yellow'
        joints = ', '.join(question.joints) if len(question.joints) < 4 else (
            f'{len(question.joints)} joints')
        table.add_row(question.key, joints, f'[{style}]{question.written}[/{style}]',
                      question.why)
    console.print(table)
    console.print(f'wrote {folder}; a robot with a TODO is refused when it is loaded',
                  soft_wrap=True, markup=False)
