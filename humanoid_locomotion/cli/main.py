"""The command line. Heavy imports happen inside the commands, so that ``--help`` is quick."""

from __future__ import annotations

import enum
import functools
from pathlib import Path
import shlex
import sys
from typing import Callable, Dict, List, NoReturn, Optional

from rich.console import Console
from rich.table import Table
import typer

from humanoid_locomotion.cli import (
    benchmark,
    exit_codes,
    inputs,
    interpreter,
    isaacgym,
    node,
    reliability,
)
from humanoid_locomotion.cli import policy as cli_adopt
from humanoid_locomotion.cli import robot as cli_robot
from humanoid_locomotion.cli.output import JSON, print_json, working
from humanoid_locomotion.core.errors import LocomotionError

app = typer.Typer(
    no_args_is_help=True, add_completion=True, rich_markup_mode='rich',
    pretty_exceptions_enable=False,
    help='Train walking policies for humanoid robots and run them from velocity commands.')
console = Console()
benchmark.app.command()(reliability.latency)
app.add_typer(benchmark.app, name='benchmark')
COMMANDS: Dict[str, Callable[..., None]] = {
    'adopt': cli_adopt.adopt, 'tune': cli_adopt.tune,
    'import-robot': cli_robot.import_robot, 'write-urdf': cli_robot.write_urdf,
    'check-isaacgym': isaacgym.check_isaacgym, 'replay': node.replay,
    'sign': node.sign, 'envelope': node.envelope, 'interface': node.interface,
    'faults': reliability.faults, 'soak': reliability.soak}
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)


class Ground(str, enum.Enum):
    """What a robot is evaluated on."""

    FLAT = 'flat'
    ROUGH = 'rough'


class Viewer(str, enum.Enum):
    """Where a robot can be watched."""

    NONE = 'none'
    WEB = 'web'


class TrainingViewer(str, enum.Enum):
    """Where training can be watched."""

    NONE = 'none'
    WEB = 'web'
    WINDOW = 'window'


def main() -> NoReturn:
    """Run the command line and end the process; :mod:`cli_exit` tells how."""
    exit_codes.run(functools.partial(app, prog_name='humanoid-locomotion'))


@app.command()
def train(
        config: str = typer.Option(
            '', '--config', show_default='that of --resume, or of the robot',
            help='Name in config/training, or path of a YAML file.'),
        robot: str = typer.Option(
            '', show_default='that of the config, humanoid',
            help='Robot to train; see the command robots.'),
        backend: str = typer.Option(
            'auto', help='Simulator: mujoco_warp (GPU), isaacgym (GPU), mujoco (CPU); '
            'auto picks one of MuJoCo by the device.'),
        device: str = typer.Option('auto', help='auto, cuda or cpu.'),
        num_envs: Optional[int] = typer.Option(None, help='Robots at once; overrides the config.'),
        iterations: Optional[int] = typer.Option(None, help='Overrides the config.'),
        seed: Optional[int] = typer.Option(
            None, show_default='1, or that of --resume', help='Of everything that is drawn.'),
        output: Optional[Path] = typer.Option(
            None, show_default='that of --resume, or runs/ROBOT-DATE',
            help='Run folder, which must not be in use.'),
        resume: Optional[Path] = typer.Option(
            None, help='Run folder to go on with, or checkpoint to go on from, with its config.'),
        accept_changes: bool = typer.Option(
            False, '--accept-changes', help='Let --resume go on with a robot, config or simulator '
            "that has changed, and write that into the policy's card."),
        max_minutes: Optional[float] = typer.Option(
            None, show_default='no limit', help='Stop, with a checkpoint, after this time.'),
        until_scorecard: bool = typer.Option(
            False, help='Evaluate on the side; stop when the quick scorecard passes.'),
        gpus: int = typer.Option(1, help='Processes, one GPU and --num-envs robots each.'),
        deterministic: bool = typer.Option(
            False, help='The same seed gives the same weights, bit by bit; slower on a GPU.'),
        graph: bool = typer.Option(
            True, help='Run step and update as CUDA graphs on a GPU.'),
        fuse: bool = typer.Option(
            False, help="Join the step's small kernels on a GPU: slower to start, faster then."),
        viewer: TrainingViewer = typer.Option(
            TrainingViewer.NONE, help='web: watch the newest checkpoint in a browser; window: '
            "Isaac Gym's own, slower."),
        assign: List[str] = typer.Option(
            [], '--set', help='Change one figure of the config, as ppo.desired_kl=0.02.'),
        python: str = typer.Option(
            '', show_default='this one',
            help='Interpreter to train in; Isaac Gym needs a Python 3.8.'),
        json: bool = JSON) -> None:
    """Train a policy; checkpoints and logs go to a run folder."""
    interpreter.hand_over(python)
    from humanoid_locomotion.training.run import cli
    asked = cli.Options(
        config=config, robot=robot, backend=backend, device=device, num_envs=num_envs,
        iterations=iterations, seed=seed, output=output, resume=resume,
        accept_changes=accept_changes, max_minutes=max_minutes, until_scorecard=until_scorecard,
        gpus=gpus, deterministic=deterministic, graph=graph, fuse=fuse, viewer=viewer.value,
        assignments=tuple(assign))
    code, result = cli.train(
        asked, interpreter.command(sys.executable, sys.argv[1:]), _command_line(),
        Console(stderr=json))
    if json and result is not None:
        print_json(result)
    sys.exit(code)


@app.command()
def export(
        run: Path = typer.Argument(..., help='Run folder or checkpoint.'),
        output: Path = typer.Option(..., help='Policy folder to write, as policies/NAME.')
) -> None:
    """Turn a checkpoint into a policy folder."""
    from humanoid_locomotion.training.run.options import require_torch
    require_torch('export')
    from humanoid_locomotion.training.export import export as export_policy
    from humanoid_locomotion.training.run.checkpoint import open_latest
    with working('recording golden steps'):
        taken, content = open_latest(run, 'cpu')
        folder = export_policy(taken, output)
    console.print(f"wrote {folder}, from {taken}, iteration {content['iteration']}",
                  soft_wrap=True, markup=False)


@app.command()
def evaluate(
        policy: str = typer.Argument(..., help='Policy folder, or name of one that ships.'),
        robot: str = typer.Option(
            '', show_default='that of the policy', help='Robot, or folder of your own.'),
        output: Optional[Path] = typer.Option(
            None, show_default='the policy folder',
            help='Where scorecard.json and scorecard.png go; elsewhere, nowhere by default.'),
        backend: str = typer.Option(
            'mujoco', callback=inputs.simulator, help='Simulator: mujoco or mujoco_warp.'),
        dt: Optional[float] = typer.Option(
            None, show_default='0.002', help='Longest physics step [s].'),
        iterations: Optional[int] = typer.Option(
            None, show_default='50', help='Most iterations of the constraint solver.'),
        model: Optional[Path] = typer.Option(
            None, show_default="the package's", help='Your own MJCF of the same robot.'),
        quick: bool = typer.Option(False, help='Fewer runs, under a minute.'),
        seed: int = typer.Option(
            0, min=0, max=inputs.MAX_SEED, help='Of everything that is drawn.'),
        terrain: Ground = typer.Option(
            Ground.FLAT, help='rough: walk over hills, valleys, bumps and steps instead; goes '
            'with --robot, --seed and --json.'),
        sim_to_sim: bool = typer.Option(
            False, '--sim-to-sim', help="Measure at other steps and solvers too, and write the "
            "difference table into the policy's card."),
        report: bool = typer.Option(
            False, '--report', help='Write report.html as well: all figures and plots.'),
        json: bool = typer.Option(False, help='Print the scorecard as JSON.')) -> None:
    """Measure a policy in CPU MuJoCo, or elsewhere; exits with 1 if it does not pass."""
    from humanoid_locomotion.evaluation.cli import Elsewhere, run, run_rough
    if model is not None:
        inputs.file_to_read(model)
    if output is not None:
        inputs.folder_to_write(output)
    if terrain is Ground.ROUGH:
        alone = all(value is None for value in (output, model, dt, iterations))
        if not alone or quick or report or sim_to_sim or backend != 'mujoco':
            raise LocomotionError('--terrain rough goes with --robot, --seed and --json only: '
                                  'it is the same for all, and writes nothing')
        run_rough(policy, robot=robot, seed=seed, as_json=json, console=console)
        return
    sys.exit(run(policy, robot=robot, output=output, quick=quick, seed=seed, as_json=json,
                 report=report, console=console, everywhere=sim_to_sim,
                 elsewhere=Elsewhere(backend, dt, iterations, model)))


@app.command()
def compare(
        policies: List[str] = typer.Argument(
            ..., help='Policy folders that were evaluated, names of some that ship, or their '
            'scorecard.json files.'),
        seeds: bool = typer.Option(
            False, '--seeds', help='They are seeds of one recipe: print a table in Markdown, and '
            'which is the median.'),
        json: bool = typer.Option(False, help='Print the comparison as JSON.')) -> None:
    """Put the scorecards of policies side by side."""
    from humanoid_locomotion.evaluation.cli import run_compare, run_seeds
    if seeds and json:
        raise LocomotionError('--seeds prints Markdown: leave out --json')
    if seeds:
        run_seeds(policies, console=console)
    else:
        run_compare(policies, as_json=json, console=console)


@app.command()
def walk(
        policy: str = typer.Option('humanoid', help='Policy folder, or name of one that ships.'),
        robot: str = typer.Option(
            '', show_default='that of the policy', help='Robot to simulate.'),
        engine: str = typer.Option(
            'auto', callback=inputs.engine, help='auto, onnxruntime or torch.'),
        seconds_scale: float = typer.Option(
            1.0, callback=inputs.number(0.01, 1000.0),
            help='Factor on the length of each segment.'),
        output: Optional[Path] = typer.Option(
            Path('walk'), help='Folder for the picture and the table.'),
        viewer: Viewer = typer.Option(
            Viewer.NONE, help='web: watch and drive the robot in a browser.'),
        json: bool = JSON) -> None:
    """Walk a simulated robot through real ROS 2 topics; exits with 1 if it fell."""
    if output is not None:
        inputs.folder_to_write(output)
    from humanoid_locomotion.nodes.demos.walk import walk as walk_demo
    sys.exit(walk_demo(policy=policy, robot=robot, engine=engine, seconds_scale=seconds_scale,
                       output=output, viewer=viewer.value, as_json=json))


@app.command()
def navigate(
        goals: Optional[List[str]] = typer.Argument(
            None, help='Names of rooms.', show_default='every room of the file'),
        policy: str = typer.Option('humanoid', help='Policy folder, or name of one that ships.'),
        robot: str = typer.Option(
            '', show_default='that of the policy', help='Robot to simulate.'),
        engine: str = typer.Option(
            'auto', callback=inputs.engine, help='auto, onnxruntime or torch.'),
        rooms: str = typer.Option('rooms', help='A file, or the name of one in config/nodes.'),
        push: float = typer.Option(
            0.5, callback=inputs.number(0.0, 10.0),
            help='Push the robot by this, once on every way [m/s].'),
        by_legs: bool = typer.Option(
            False, help='Know the way from the legs and the IMU, as on a robot without odometry.'),
        output: Optional[Path] = typer.Option(
            Path('walk'), help='Folder for the picture and the logs.'),
        json: bool = typer.Option(False, help='Print the figures as JSON.')) -> None:
    """Walk a simulated robot to rooms through real ROS 2 topics; 1 if it missed one."""
    if output is not None:
        inputs.folder_to_write(output)
    from humanoid_locomotion.nodes.demos.navigate import navigate as navigate_demo
    sys.exit(navigate_demo(policy=policy, robot=robot, engine=engine, rooms=rooms,
                           goals=goals or [], push=push, by_legs=by_legs, output=output,
                           as_json=json))


@app.command()
def teleop(
        policy: str = typer.Option(
            'humanoid', help='Whose command range holds: a folder, or the name of one.'),
        stamped: bool = typer.Option(False, help='Publish TwistStamped on cmd_vel.')) -> None:
    """Drive the robot from this terminal, key by key."""
    from humanoid_locomotion.nodes.operator.teleop import teleop as drive
    drive(policy, stamped)


@app.command()
def check(
        policy: str = typer.Argument(..., help='Policy folder, or name of one that ships.'),
        robot: str = typer.Option(
            '', show_default='that of the policy', help='Robot, or folder of your own.'),
        engine: str = typer.Option(
            'auto', callback=inputs.engine, help='auto, onnxruntime or torch.'),
        json: bool = JSON) -> None:
    """Open a policy folder as the node would, golden steps included, and say what it is."""
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
    limits = contract.command_limits
    unreleased = why_unreleased(opened.path, contract.fingerprint)
    rows: Dict[str, str] = {
        'policy': str(opened.path),
        'robot': f'{contract.robot}, {contract.num_actions} joints, model {same}',
        'control': f'{1.0 / contract.control_period:.0f} Hz, {contract.action_mode}',
        'observation': ', '.join(term.name for term in contract.observation.terms),
        'commands': ', '.join(f'{it.axis.label} [{it.lower:g}, {it.upper:g}]'
                              for it in limits.ranges),
        'fingerprint': contract.fingerprint,
        'engine': opened.policy.name,
        'golden steps': f'replayed, largest difference {opened.golden_error:.2g}',
        'beyond the robot': wider_bounds(contract) or 'nothing',
        'released': f'no: {unreleased}' if unreleased else 'yes, its scorecard passes',
    }
    if json:
        print_json({
            'policy': opened.path, 'robot': contract.robot, 'joints': contract.joint_names,
            'model_as_trained': spec.model_hash == contract.model_hash,
            'control_period': contract.control_period, 'fingerprint': contract.fingerprint,
            'command_limits': {'axes': limits.names, 'lower': limits.lower,
                               'upper': limits.upper},
            'engine': opened.policy.name, 'golden_error': opened.golden_error,
            'beyond_robot': contract.beyond_robot or (), 'unreleased': unreleased})
        return
    table = Table(show_header=False)
    for name, value in rows.items():
        table.add_row(name, value)
    console.print(table)


@app.command()
def robots(json: bool = JSON) -> None:
    """List the robots and the policies that come with the package."""
    from humanoid_locomotion.core.reading.config import read_yaml
    from humanoid_locomotion.core.reading.resources import policy_folders, robot_folders
    from humanoid_locomotion.core.robot import load_robot
    walking: Dict[str, List[str]] = {}
    for name, folder in policy_folders().items():
        walking.setdefault(str(read_yaml(folder / 'contract.yaml').get('robot')), []).append(name)
    table, found = Table('robot', 'joints', 'mass', 'policies', 'what it is'), []
    for name in robot_folders():
        robot = load_robot(name)
        found.append({'robot': name, 'joints': robot.joint_names, 'mass': robot.mass,
                      'policies': walking.get(name, []), 'description': robot.description})
        table.add_row(name, str(robot.num_joints), f'{robot.mass:.1f} kg',
                      ', '.join(walking.get(name, [])), robot.description)
    if json:
        print_json(found)
    else:
        console.print(table)


def _command_line() -> str:
    """Return the command as it was typed, for the policy's card."""
    return shlex.join(['humanoid-locomotion', *sys.argv[1:]])
