# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The commands ``robot ...``: list robots, import and check one, write its URDF, test it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Dict, List, Optional, Tuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table
import typer

from humanoid_locomotion.cli import inputs
from humanoid_locomotion.cli.inputs import (
    file_to_read,
    file_to_write,
    folder_to_write,
    shown,
)
from humanoid_locomotion.cli.output import JSON, group, print_json
from humanoid_locomotion.console_table import print_table
from humanoid_locomotion.core.errors import ConfigError

if TYPE_CHECKING:
    from humanoid_locomotion.robot_check.page import RobotReport

app = group('List robots, import and check one, write its URDF, test a real one.')
console = Console()


@app.command('list')
def list_robots(json: bool = JSON) -> None:
    """List the robots and the policies that come with the package."""
    from humanoid_locomotion.core.reading.config import read_yaml
    from humanoid_locomotion.core.reading.resources import policy_folders, robot_folders
    from humanoid_locomotion.core.robot import load_robot
    walking: Dict[str, List[str]] = {}
    for name, folder in policy_folders().items():
        walking.setdefault(str(read_yaml(folder / 'contract.yaml').get('robot')), []).append(name)
    table, found = Table('robot', 'joints', 'mass', 'policies', 'description'), []
    for name in robot_folders():
        robot = load_robot(name)
        found.append({'robot': name, 'joints': robot.joint_names, 'mass': robot.mass,
                      'policies': walking.get(name, []), 'description': robot.description})
        table.add_row(name, str(robot.num_joints), f'{robot.mass:.1f} kg',
                      ', '.join(walking.get(name, [])), robot.description)
    if json:
        print_json(found)
    else:
        print_table(console, table)


@app.command('import')
def import_robot(
        model: str = typer.Argument(..., help='URDF or MJCF file of the robot, or '
                                    'robot_descriptions:NAME.'),
        output: Optional[Path] = typer.Option(
            None, show_default='robots/NAME', help='Robot folder to write.'),
        name: str = typer.Option(
            '', show_default="the file's", help='Name of the robot.'),
        pose: List[str] = typer.Option(
            [], help='Default position of joints, as knee=0.7 [rad]; a part of a name is enough.'),
        armature: List[str] = typer.Option(
            [], help='Rotor inertia behind the gear, as knee=0.016 [kg m^2]; sets the gains too.'),
        kp: List[str] = typer.Option(
            [], help="Position gain instead of the file's, as knee=40 [Nm/rad]; kd follows."),
        feet: str = typer.Option(
            '', show_default='the lowest end links', help='The links LEFT,RIGHT of the feet.'),
        lock: List[str] = typer.Option(
            [], help='Position at which joints are fixed, as head=0 [rad]; a part of a name.'),
        drop: List[str] = typer.Option(
            [], help='Links to leave out, with all that they carry; a part of a name.'),
        fix_inertia: bool = typer.Option(
            False, '--fix-inertia', help='Correct masses and inertias that cannot exist.'),
        guess: bool = typer.Option(
            False, '--guess', help='Guess torques, speeds, rotor inertias and gains that the '
            'file lacks, for simulation only.')
) -> None:
    """Draft robot.yaml and robot.xml from a model, and list what the model does not contain."""
    source, name = _model(model, name)
    folder = folder_to_write(output or Path('robots') / name)
    from humanoid_locomotion.robot_models.drafting.questions import TODO
    from humanoid_locomotion.robot_models.importer import ImportOptions
    from humanoid_locomotion.robot_models.importer import import_robot as draft
    questions = draft(source, folder, name, ImportOptions(
        _values(pose, '--pose', -10.0, 10.0), _values(armature, '--armature', 0.0, 100.0),
        _values(kp, '--kp', 1e-3, 1e5),
        [word.strip() for word in feet.split(',')] if feet else (),
        _values(lock, '--lock', -10.0, 10.0), drop, fix_inertia, guess))
    table = Table('in robot.yaml', 'joints', 'draft', 'check', title=f'open in {folder}')
    for question in questions:
        style = 'red' if question.written == TODO else 'yellow'
        joints = ', '.join(question.joints) if len(question.joints) < 4 else (
            f'{len(question.joints)} joints')
        table.add_row(question.key, joints, f'[{style}]{escape(question.written)}[/{style}]',
                      escape(question.why))
    print_table(console, table)
    console.print(f'wrote {folder}; a robot with a TODO is refused when it is loaded',
                  soft_wrap=True, markup=False)
    from humanoid_locomotion.robot_check.page import report, write_page
    found, page = report(folder), folder / 'check.html'
    write_page(found, page)
    _show(found, page)


@app.command()
def check(
        robot: str = typer.Argument(..., help='Robot, or folder of one.'),
        output: Optional[Path] = typer.Option(
            None, show_default='check-NAME.html', help='HTML page to write.'),
        json: bool = JSON) -> None:
    """Measure whether training a robot is worth starting, and draw it; 1 if it is not."""
    from humanoid_locomotion.core.robot import robot_folder
    folder = robot_folder(robot)
    page = file_to_write(output or Path(f'check-{folder.resolve().name}.html'))
    from humanoid_locomotion.robot_check.page import report, write_page
    found = report(folder)
    page.parent.mkdir(parents=True, exist_ok=True)
    write_page(found, page)
    if json:
        print_json({'robot': found.name, 'worth_training': found.is_worth_training,
                    'verdict': found.verdict, 'page': page,
                    'findings': [dataclasses.asdict(it) for it in found.findings],
                    'values': [dataclasses.asdict(it) for it in found.origins]})
    else:
        for it in found.origins:
            if it.origin in ('guessed', 'decide'):
                console.print(f'{it.origin}: {it.key}: {it.note or it.value}', soft_wrap=True,
                              markup=False, style='red' if it.origin == 'decide' else 'yellow')
        _show(found, page)
    raise typer.Exit(0 if found.is_worth_training else 1)


def _show(found: RobotReport, page: Path) -> None:
    """Print the findings, with advice below the table, and the verdict."""
    styles = {'good': 'green', 'look': 'yellow', 'bad': 'red'}
    if found.findings:
        table = Table('quantity', 'measured', 'wanted', 'verdict', title=found.name)
        for it in found.findings:
            table.add_row(escape(it.name), escape(it.measured), escape(it.wanted),
                          f'[{styles[it.verdict]}]{it.verdict}[/]')
        print_table(console, table)
    for it in found.findings:
        if it.advice:
            console.print(f'{it.name}: {it.advice}', soft_wrap=True, markup=False)
    console.print(f'{found.verdict}; see {page}', soft_wrap=True, markup=False)


def _model(model: str, name: str) -> Tuple[Path, str]:
    """Return the file of a robot and the robot's name."""
    from humanoid_locomotion.robot_models.drafting.descriptions import PREFIX, described_model
    if not model.startswith(PREFIX):
        path = file_to_read(Path(model))
        return path, name or path.stem
    described = model[len(PREFIX):]
    console.print(f'looking for {described}; robot_descriptions downloads its repository if it is '
                  'not in its cache', soft_wrap=True, markup=False)
    return described_model(described), name or described


def _values(given: List[str], option: str, low: float, high: float) -> Dict[str, float]:
    values = {}
    for item in given:
        part, _, value = item.partition('=')
        try:
            values[part] = float(value)
        except ValueError:
            part = ''
        if not part or not low <= values[part] <= high:
            raise ConfigError('command line', option, f'expected PART=NUMBER, found '
                              f'{shown(item)}; the number is from {low:g} to {high:g}')
    return values


@app.command('write-urdf')
def write_urdf(
        robot: str = typer.Argument(..., help='Robot, or folder of one.'),
        output: Optional[Path] = typer.Option(
            None, show_default='robot.urdf in the folder of the robot', help='File to write.')
) -> None:
    """Write a robot's URDF from its MJCF, for Isaac Gym."""
    from humanoid_locomotion.core.robot import load_robot
    spec = load_robot(robot)
    from humanoid_locomotion.robot_models.urdf_writer import urdf_of
    path = file_to_write(output or Path(spec.folder) / 'robot.urdf')
    text = urdf_of(spec)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding='utf-8')
    console.print(f'wrote {path}', soft_wrap=True, markup=False)


@app.command('self-test')
def self_test(
        interface: str = typer.Option(..., help='Network interface of the robot: eth0.'),
        robot: str = typer.Option('unitree_g1', help='Robot, or folder of one.'),
        driver: str = typer.Option('unitree', help='unitree, booster, or MODULE:CLASS.'),
        domain: int = typer.Option(0, min=0, max=232, help='DDS domain of the robot.'),
        simulator: bool = typer.Option(False, help="Whether its maker's simulator answers."),
        hanging: bool = typer.Option(
            False, '--hanging', help='Confirm that the robot hangs, its feet in the air.'),
        release: bool = typer.Option(
            False, '--release', help="Consent to switch off the robot's own mode."),
        seconds: float = typer.Option(
            2.0, callback=inputs.number(0.5, 60.0), help='Duration for each joint [s].'),
        json: bool = JSON) -> None:
    """Move each joint of a hanging robot by 0.05 rad, and say what it did; 1 if one is wrong."""
    from humanoid_locomotion.core.errors import RefusedError
    from humanoid_locomotion.nodes.hardware.connection import Connection
    from humanoid_locomotion.nodes.hardware.self_test import self_test
    if not hanging:
        raise RefusedError('self-test', 'it cannot be measured whether the feet carry weight: '
                           'hang the robot, then confirm it with --hanging')
    found = []
    connection = Connection(driver, robot, interface, domain, simulator)
    for one in self_test(connection, release, seconds):
        found.append(dataclasses.asdict(one))
        if not json:
            console.print(f'{one.joint}: {one.result}, {one.moved:.2f} of the commanded motion '
                          f'about {one.axis}, at most {one.torque:.1f} Nm', markup=False,
                          soft_wrap=True)
    if json:
        print_json(found)
    raise typer.Exit(0 if all(one['result'] == 'follows' for one in found) else 1)
