# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The commands ``policy ...``: look at, export, change, sign, compare and share folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table
import typer

from humanoid_locomotion.cli import inputs, interpreter, policy_hub
from humanoid_locomotion.cli.output import JSON, group, print_json, working
from humanoid_locomotion.console_table import print_table
from humanoid_locomotion.core.errors import LocomotionError

app = group('Look at policy folders, export, change and share them.')
app.command()(policy_hub.push)
app.command()(policy_hub.fetch)
console = Console()
BEYOND = typer.Option(
    '', show_default='nothing', help='Bounds of robot.yaml (policy_bounds) that the policy may '
    'exceed, comma-separated: gains, limits, action_scale, control_period, targets, model_hash. '
    'Recorded in contract and card.')


@app.command()
def check(
        policy: str = typer.Argument(..., help='Policy folder, or name of one that ships.'),
        robot: str = typer.Option(
            '', show_default='that of the policy', help='Robot, or folder of your own.'),
        engine: str = typer.Option(
            'auto', callback=inputs.engine, help='auto, onnxruntime or torch.'),
        json: bool = JSON) -> None:
    """Open a policy folder as the node does, replay its golden steps, and describe it."""
    from humanoid_locomotion.core.feedback.robot_size import robot_size
    from humanoid_locomotion.core.policy.folder import standalone_error
    from humanoid_locomotion.core.policy.vetting import open_vetted
    from humanoid_locomotion.core.robot import load_robot
    from humanoid_locomotion.core.robot_bounds import check_contract, wider_bounds
    from humanoid_locomotion.evaluation.release import why_unreleased
    opened = open_vetted(policy, engine)
    contract = opened.contract
    spec = load_robot(robot or contract.robot)
    check_contract(contract, spec, opened.path)
    same = 'same' if spec.model_hash == contract.model_hash else (
        f'[yellow]changed since training ({contract.model_hash}, now {spec.model_hash})[/yellow]')
    limits, held = contract.command_limits, len(contract.held_joints)
    joints = f'{contract.num_actions} commanded and {held} held' if held else contract.num_actions
    unreleased = why_unreleased(opened.path, contract.fingerprint, robot_size(spec).scale)
    difference = standalone_error(opened)
    rows: Dict[str, str] = {
        'policy': escape(str(opened.path)),
        'robot': f'{contract.robot}, {joints} joints, model {same}',
        'control': f'{1.0 / contract.control_period:.0f} Hz, {contract.action_mode}',
        'observation': ', '.join(term.name for term in contract.observation.terms),
        'commands': ', '.join(f'{it.axis.label} [{it.lower:g}, {it.upper:g}]'
                              for it in limits.ranges),
        'fingerprint': contract.fingerprint,
        'engine': opened.policy.name,
        'golden steps': f'replayed, largest difference {opened.golden_error:.2g}',
        'policy.onnx': 'the network alone' if difference is None else (
            f'standalone, largest difference {difference:.2g} rad'),
        'beyond the robot': wider_bounds(contract) or 'nothing',
        'released': f'no: {unreleased}' if unreleased else 'yes, its scorecard passes',
    }
    if json:
        print_json({
            'policy': opened.path, 'robot': contract.robot, 'joints': contract.joint_names,
            'commanded_joints': contract.commanded_joints,
            'model_as_trained': spec.model_hash == contract.model_hash,
            'control_period': contract.control_period, 'fingerprint': contract.fingerprint,
            'command_limits': {'axes': limits.names, 'lower': limits.lower,
                               'upper': limits.upper},
            'engine': opened.policy.name, 'golden_error': opened.golden_error,
            'standalone_error': difference,
            'beyond_robot': contract.beyond_robot or (), 'unreleased': unreleased})
        return
    table = Table(show_header=False)
    for name, value in rows.items():
        table.add_row(name, value)
    print_table(console, table)


@app.command()
def export(
        run: Path = typer.Argument(..., help='Run folder or checkpoint.'),
        output: Path = typer.Option(..., help='Policy folder to write, as policies/NAME.'),
        robot: str = typer.Option(
            '', show_default='as in training', help='Robot, or where its folder is now.'),
        training_state: bool = typer.Option(
            False, '--training-state', help='Add training.pt, from which `train --init` begins.'),
        python: str = typer.Option(
            '', show_default='this one', help="Interpreter to export in, as Isaac Gym's.")
) -> None:
    """Make a policy folder from a checkpoint."""
    interpreter.hand_over(python)
    from humanoid_locomotion.training.run.options import require_torch
    require_torch('policy export')
    from humanoid_locomotion.training.export import export as export_policy
    from humanoid_locomotion.training.run.checkpoint import open_latest
    with working('recording golden steps'):
        taken, content = open_latest(run, 'cpu')
        folder = export_policy(taken, output, robot, training_state)
    console.print(f"wrote {folder}, from {taken}, iteration {content['iteration']}",
                  soft_wrap=True, markup=False)


@app.command()
def compare(
        policies: List[str] = typer.Argument(
            ..., help='Evaluated policy folders, names of policies that ship, or '
            'scorecard.json files.'),
        seeds: bool = typer.Option(
            False, '--seeds', help='The policies are seeds of one config: print a table in '
            'Markdown, and name the median.'),
        json: bool = typer.Option(False, help='Print the comparison as JSON.')) -> None:
    """Compare the scorecards of policies."""
    from humanoid_locomotion.evaluation.cli import run_compare, run_seeds
    if seeds and json:
        raise LocomotionError('--seeds prints Markdown: leave out --json')
    if seeds:
        run_seeds(policies, console=console)
    else:
        run_compare(policies, as_json=json, console=console)


@app.command()
def retune(
        policy: str = typer.Argument(..., help='Policy folder, or name of one that ships.'),
        output: Path = typer.Option(..., help='Policy folder to write.'),
        gait_period: Optional[float] = typer.Option(
            None, callback=inputs.number(0.0, 10.0), help='Duration of one stride [s].'),
        yaw_rate: Optional[Tuple[float, float]] = typer.Option(
            None, callback=inputs.number(0.0, 100.0),
            help='Gain [1/s] and limit [rad/s] of the feedback of the turning rate.'),
        linear_velocity: Optional[Tuple[float, float, float, float]] = typer.Option(
            None, callback=inputs.number(0.0, 100.0),
            help='Gain [1/s] and limit [m/s] of the feedback of the velocity that the legs '
                 'measure, and damping and stiffness [1/s] while standing.'),
        robot: str = typer.Option(
            '', show_default='that of the policy', help='Robot it moves, or folder of one.'),
        beyond_robot: str = BEYOND
) -> None:
    """Change the stride and the velocity feedback of a policy; its network stays the same."""
    from humanoid_locomotion.core.command import GaitSpec
    from humanoid_locomotion.core.errors import ConfigError
    from humanoid_locomotion.core.feedback.velocity_feedback import IntegralSpec, LinearLoopSpec
    from humanoid_locomotion.core.policy.folder import find_policy, read_contract
    from humanoid_locomotion.core.robot import load_robot
    from humanoid_locomotion.training import retune as retuner
    if not beyond_robot and gait_period is None and yaw_rate is None and linear_velocity is None:
        raise ConfigError('command line', '--gait-period, --yaw-rate, --linear-velocity, '
                          '--beyond-robot', 'expected one of them; 0.9, 1.0 0.2 and '
                          "0.5 0.2 0.5 4.0 are those of the G1's policy, which needs nothing "
                          'beyond its robot')
    inputs.folder_to_write(output)
    # Only checked here, where the option has a name: the threshold is the policy's own.
    _spec('--gait-period', GaitSpec, None if gait_period is None else (gait_period, 0.0))
    if gait_period is not None:
        inputs.check_range(gait_period, '--gait-period', 0.1, 10.0)
    name = robot or read_contract(find_policy(policy) / 'contract.yaml').robot
    contract = retuner.tune(
        policy, load_robot(name), output, gait_period=gait_period,
        yaw_rate=_spec('--yaw-rate', IntegralSpec, yaw_rate),
        linear_velocity=_spec('--linear-velocity', LinearLoopSpec, linear_velocity),
        beyond_robot=_beyond(beyond_robot))
    console.print(f'wrote {output}, fingerprint {contract.fingerprint}; humanoid-locomotion '
                  f'evaluate {output} measures it', soft_wrap=True, markup=False)


@app.command('import-onnx')
def import_onnx(
        network: Path = typer.Argument(
            ..., help='ONNX or TorchScript file (.pt) of another stack; the YAML of a known '
            'stack is found where its repository has it. No code in them is executed.'),
        robot: str = typer.Option(..., help='Robot it moves, or folder of one.'),
        output: Path = typer.Option(..., help='Policy folder to write, as policies/NAME.'),
        fill: Optional[Path] = typer.Option(
            None, help='YAML with keys that are missing or wrong in its files.'),
        beyond_robot: str = BEYOND,
        history_order: str = typer.Option(
            '', show_default='that of its format',
            callback=inputs.one_of('order of a history', lambda: ('frame', 'term')),
            help='How a history is joined: frame (whole control steps) or term (each term with '
            'its own history).'),
        clip_targets: bool = typer.Option(
            False, '--clip-targets', help='Clip its joint targets to the limits of the joints.'),
        rehearse: bool = typer.Option(
            True, '--rehearse/--no-rehearse', help='Walk it for 5 s in MuJoCo.')
) -> None:
    """Make a policy folder from another stack's files."""
    from humanoid_locomotion.core.policy import import_onnx as onnx_importer
    from humanoid_locomotion.core.robot import load_robot
    inputs.file_to_read(network)
    if fill is not None:
        inputs.file_to_read(fill)
    inputs.folder_to_write(output)
    options = {'observation_history_order': history_order,
               'clip_targets': 'true' if clip_targets else ''}
    spec, table = load_robot(robot), Table('key', 'value', 'from')
    for key, value, origin in onnx_importer.adopt(
            network, spec, output, fill, _beyond(beyond_robot),
            {key: value for key, value in options.items() if value}):
        table.add_row(*map(escape, (key, value, origin)))
    print_table(console, table)
    if rehearse:
        console.print(_rehearsal(output, spec), soft_wrap=True, markup=False)
    console.print(f'wrote {output}; humanoid-locomotion evaluate {output} measures it',
                  soft_wrap=True, markup=False)


@app.command()
def sign(policy: str = typer.Argument(..., help='Policy folder, or name of one that ships.')
         ) -> None:
    """Accept the files of a policy folder as they are, by writing their hashes."""
    from humanoid_locomotion.core.policy.content import SUMS, write_sums
    from humanoid_locomotion.core.policy.folder import (
        find_policy,
        open_policy,
        standalone_error,
    )
    folder = find_policy(policy)
    write_sums(folder)
    try:
        opened = open_policy(folder)
        standalone_error(opened)
    except LocomotionError:
        (folder / SUMS).unlink()  # hashes stand for a folder that opened
        raise
    console.print(f'signed {folder}, golden steps replay within {opened.golden_error:.2g}',
                  soft_wrap=True, markup=False)


@app.command()
def rebuild(policy: str = typer.Argument(..., help='Policy folder, or name of one that ships.')
            ) -> None:
    """Write policy.onnx and deploy.yaml again; network and measurements stay the same."""
    from humanoid_locomotion.core.policy.folder import find_policy
    from humanoid_locomotion.core.policy.writer import rebuild as rebuild_folder
    folder = find_policy(policy)
    rebuild_folder(folder)
    console.print(f'wrote {folder}', soft_wrap=True, markup=False)


@app.command()
def envelope(policy: str = typer.Argument(..., help='Policy folder, or name of one that ships.')
             ) -> None:
    """Print the speeds that a policy reaches, as parameters of Nav2's velocity smoother."""
    import yaml

    from humanoid_locomotion.core.errors import PolicyError
    from humanoid_locomotion.core.policy.folder import open_policy
    opened = open_policy(policy)
    found = opened.envelope
    if found.problem:
        raise PolicyError(opened.path, f'no envelope was measured ({found.problem}); run '
                          '`humanoid-locomotion evaluate`')
    console.out(yaml.safe_dump(found.nav2_parameters(), sort_keys=False), end='',
                highlight=False)


def _beyond(names: str) -> Optional[Tuple[str, ...]]:
    """Return the bounds that may be exceeded, by name; None without the option."""
    from humanoid_locomotion.core.errors import ConfigError
    from humanoid_locomotion.core.robot_bounds import read_names
    try:
        return read_names(names)
    except ValueError as error:
        raise ConfigError('command line', '--beyond-robot', str(error)) from error


def _rehearsal(output: Path, robot: Any) -> str:
    """Return the outcome of a short walk, or the reason why there was none, as without MuJoCo."""
    from humanoid_locomotion.core.policy.folder import open_policy
    try:
        from humanoid_locomotion.evaluation.rehearsal import rehearse
        return f'rehearsal: {rehearse(open_policy(output), robot)}'
    except LocomotionError as error:
        return f'no rehearsal: {error}'


def _spec(option: str, kind: Any, values: Optional[Tuple[float, ...]]) -> Any:
    """Return the values of an option as a spec; None without the option."""
    from humanoid_locomotion.core.errors import ConfigError
    try:
        return None if values is None else kind(*values)
    except ValueError as error:
        raise ConfigError('command line', option, str(error)) from error
