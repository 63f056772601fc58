"""The commands ``import-robot`` and ``write-urdf``."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, Optional

from rich.console import Console
from rich.table import Table
import typer

from humanoid_locomotion.cli.inputs import (
    file_to_read,
    file_to_write,
    folder_to_write,
    shown,
)
from humanoid_locomotion.core.errors import ConfigError

console = Console()


def import_robot(
        model: Path = typer.Argument(..., help='URDF or MJCF file of the robot.'),
        output: Optional[Path] = typer.Option(
            None, show_default='robots/NAME', help='Robot folder to write.'),
        name: str = typer.Option(
            '', show_default="the file's", help='Name of the robot.'),
        pose: List[str] = typer.Option(
            [], help="The default pose, as knee=0.7 [rad]; a part of a joint's name will do."),
        armature: List[str] = typer.Option(
            [], help="A rotor's inertia behind its gear, as knee=0.016 [kg m^2]; gains follow.")
) -> None:
    """Draft robot.yaml and robot.xml from a model, and list what it could not say."""
    file_to_read(model)
    name = name or model.stem
    folder = folder_to_write(output or Path('robots') / name)
    from humanoid_locomotion.robot_models.importer import TODO
    from humanoid_locomotion.robot_models.importer import import_robot as draft
    questions = draft(model, folder, name, _figures(pose, '--pose', -10.0, 10.0),
                      _figures(armature, '--armature', 0.0, 100.0))
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


def _figures(given: List[str], option: str, low: float, high: float) -> Dict[str, float]:
    figures = {}
    for item in given:
        part, _, value = item.partition('=')
        try:
            figures[part] = float(value)
        except ValueError:
            part = ''
        if not part or not low <= figures[part] <= high:
            raise ConfigError('command line', option, f'expected PART=FIGURE, found '
                              f'{shown(item)}; the figure is from {low:g} to {high:g}')
    return figures


def write_urdf(
        robot: str = typer.Argument(..., help='Robot, or folder of one.'),
        output: Optional[Path] = typer.Option(
            None, show_default='robot.urdf in the folder of the robot', help='File to write.')
) -> None:
    """Write a robot's URDF from its MJCF; Isaac Gym reads that."""
    from humanoid_locomotion.core.robot import load_robot
    spec = load_robot(robot)
    from humanoid_locomotion.robot_models.urdf_writer import urdf_of
    path = file_to_write(output or Path(spec.folder) / 'robot.urdf')
    text = urdf_of(spec)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding='utf-8')
    console.print(f'wrote {path}', soft_wrap=True, markup=False)
