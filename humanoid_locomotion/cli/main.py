# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The command line. Heavy imports happen inside the commands, so that ``--help`` is quick."""

from __future__ import annotations

import enum
from pathlib import Path
import shlex
import sys
from typing import Any, List, NoReturn, Optional

from rich.console import Console
import typer

from humanoid_locomotion.cli import (
    dev,
    exit_codes,
    inputs,
    interpreter,
    renamed,
)
from humanoid_locomotion.cli import policy as policy_group
from humanoid_locomotion.cli import robot as robot_group
from humanoid_locomotion.cli.output import JSON, print_json, print_rows
from humanoid_locomotion.core.errors import LocomotionError

app = typer.Typer(
    no_args_is_help=True, add_completion=True, rich_markup_mode='markdown',
    pretty_exceptions_enable=False,
    help='Train walking policies for humanoid robots and run them from velocity commands.')
console = Console()


# Options of train whose values a checkpoint holds.
IN_CHECKPOINTS = ('--config', '--robot', '--num-envs', '--iterations', '--set', '--init')


class Ground(str, enum.Enum):
    """Ground that a robot is evaluated on."""

    FLAT = 'flat'
    ROUGH = 'rough'


class Viewer(str, enum.Enum):
    """Viewer of a robot."""

    NONE = 'none'
    WEB = 'web'


class TrainingViewer(str, enum.Enum):
    """Viewer of a training."""

    NONE = 'none'
    WEB = 'web'
    WINDOW = 'window'


def main() -> NoReturn:
    """Run the command line and end the process, see :mod:`humanoid_locomotion.cli.exit_codes`."""
    exit_codes.run(_run)


def _run(**how: Any) -> Any:
    """Run the application; a command that was renamed is run by its new name, after a hint."""
    words, hint = renamed.current(sys.argv[1:])
    if hint:
        exit_codes.say(hint)
    sys.argv[1:] = words
    return app(prog_name='humanoid-locomotion', **how)


@app.command()
def train(
        config: str = typer.Option(
            '', '--config', show_default='that of --resume, or of the robot, or derived from it',
            help='Name in config/training, or path of a YAML file.'),
        robot: str = typer.Option(
            '', show_default='that of the config, humanoid',
            help='Robot to train, or folder of your own; `robot list` lists them.'),
        backend: str = typer.Option(
            'auto', help='Simulator: isaacgym (GPU), mujoco_warp (GPU), mujoco (CPU); auto takes '
            'the first of them that can run, on a CPU with 128 robots.'),
        device: str = typer.Option('auto', help='auto, cuda or cpu.'),
        num_envs: Optional[int] = typer.Option(None, help='Robots at once; overrides the config.'),
        iterations: Optional[int] = typer.Option(None, help='Overrides the config.'),
        seed: Optional[int] = typer.Option(
            None, show_default='1, or that of --resume', help='Seed of all random numbers.'),
        output: Optional[Path] = typer.Option(
            None, show_default='that of --resume, or runs/ROBOT-DATE',
            help='Run folder, which must not be in use.'),
        resume: Optional[Path] = typer.Option(
            None, help='Run folder to continue, or checkpoint to start from, with its config.'),
        init: str = typer.Option(
            '', show_default='untrained networks', help='Policy with a training state, checkpoint '
            'or run folder: begin a new run with its networks, for --iterations more.'),
        accept_changes: bool = typer.Option(
            False, '--accept-changes', help='Let --resume continue with a robot, config or '
            "simulator that has changed, and record that in the policy's card."),
        max_minutes: Optional[float] = typer.Option(
            None, show_default='no limit', help='Stop, with a checkpoint, after this time.'),
        until_scorecard: bool = typer.Option(
            False, help='Evaluate during training; stop when the quick scorecard passes.'),
        gpus: int = typer.Option(1, help='Processes, one GPU and --num-envs robots each.'),
        deterministic: bool = typer.Option(
            False, help='The same seed gives the same weights, to the last bit; slower on a GPU.'),
        graph: Optional[bool] = typer.Option(
            None, '--graph/--no-graph', help='Run step and update as CUDA graphs on a GPU.',
            show_default='graph; in Isaac Gym once dev check-isaacgym has tried it'),
        fuse: bool = typer.Option(
            False, help="Join the step's small kernels on a GPU: slower start, faster steps."),
        wandb: str = typer.Option(
            '', show_default='nothing', help='Project of Weights & Biases: log there too.'),
        viewer: TrainingViewer = typer.Option(
            TrainingViewer.NONE, help='web: watch the newest checkpoint in a browser; window: '
            "Isaac Gym's own, slower."),
        assign: List[str] = typer.Option(
            [], '--set', help='Change one value of the config, as ppo.desired_kl=0.02.'),
        print_config: bool = typer.Option(
            False, '--print-config', help='Print the whole config, with the origin of each '
            'derived value, and end.'),
        sweep: Optional[Path] = typer.Option(
            None, help='YAML file of values to try: a run for each, all in the folder --output, '
            'runs/NAME by default; further processes that are started so join in.'),
        python: str = typer.Option(
            '', show_default='this one',
            help='Interpreter to train in; Isaac Gym needs a Python 3.8.'),
        json: bool = JSON) -> None:
    """Train a policy; checkpoints and logs go to a run folder."""
    if sweep is None or print_config:
        interpreter.hand_over(python)
    from humanoid_locomotion.training.run import cli
    asked = cli.Options(
        config=config, robot=robot, backend=backend, device=device, num_envs=num_envs,
        iterations=iterations, seed=seed, output=output, resume=resume,
        accept_changes=accept_changes, max_minutes=max_minutes, until_scorecard=until_scorecard,
        gpus=gpus, deterministic=deterministic, graph=graph, fuse=fuse, viewer=viewer.value,
        assignments=tuple(assign), init=init, wandb=wandb)
    if print_config:
        config_as_text, as_data = cli.described_config(asked)
        if json:
            print_json(as_data)
        else:
            print(config_as_text, end='')
        return
    if sweep is not None:
        from humanoid_locomotion.sweep.command import sweep as run_sweep
        from humanoid_locomotion.sweep.trainings import TrainOptions
        words = interpreter.without(
            [word for word in sys.argv[2:] if word != '--json'], '--sweep', '--output')
        code, rows = run_sweep(
            sweep, asked, TrainOptions(words, interpreter.without(words, *IN_CHECKPOINTS)),
            lambda line: interpreter.command(sys.executable, line),
            lambda text: Console(stderr=json).print(text, soft_wrap=True, markup=False))
        print_rows(rows, json)
        sys.exit(code)
    code, result = cli.train(
        asked, interpreter.command(sys.executable, sys.argv[1:]), _command_line(),
        Console(stderr=json))
    if json and result is not None:
        print_json(result)
    sys.exit(code)


@app.command()
def evaluate(
        policy: str = typer.Argument(..., help='Policy folder, or name of one that ships.'),
        robot: str = typer.Option(
            '', show_default='that of the policy', help='Robot, or folder of your own.'),
        output: Optional[Path] = typer.Option(
            None, show_default='the policy folder',
            help='Folder for scorecard.json and scorecard.png; in another setting they are '
            'written only if this is given.'),
        backend: str = typer.Option(
            'mujoco', callback=inputs.simulator, help='Simulator: mujoco or mujoco_warp.'),
        dt: Optional[float] = typer.Option(
            None, show_default='0.002', help='Largest physics step [s].'),
        iterations: Optional[int] = typer.Option(
            None, show_default='50', help='Largest number of solver iterations.'),
        model: Optional[Path] = typer.Option(
            None, show_default="the package's", help='Your own MJCF of the same robot.'),
        network_alone: bool = typer.Option(
            False, '--network-alone', help='Leave out the velocity feedback around the network.'),
        quick: bool = typer.Option(False, help='Fewer runs, under a minute.'),
        seed: int = typer.Option(
            0, min=0, max=inputs.MAX_SEED, help='Seed of all random numbers.'),
        terrain: Ground = typer.Option(
            Ground.FLAT, help='rough: walk over hills, valleys, bumps and steps instead; only '
            'with --robot, --seed and --json.'),
        sim_to_sim: bool = typer.Option(
            False, '--sim-to-sim', help="Measure with other time steps and solvers too, and write "
            "a table of differences into the policy's card."),
        report: bool = typer.Option(
            False, '--report', help='Write report.html as well: all values and plots.'),
        json: bool = typer.Option(False, help='Print the scorecard as JSON.')) -> None:
    """Measure a policy in CPU MuJoCo or another setting; exits with 1 if it does not pass."""
    from humanoid_locomotion.evaluation.cli import Elsewhere, run, run_rough
    if model is not None:
        inputs.file_to_read(model)
    if output is not None:
        inputs.folder_to_write(output)
    if terrain is Ground.ROUGH:
        alone = all(value is None for value in (output, model, dt, iterations))
        if not alone or network_alone or quick or report or sim_to_sim or backend != 'mujoco':
            raise LocomotionError('--terrain rough goes with --robot, --seed and --json only: '
                                  'it has one setting and writes no files')
        run_rough(policy, robot=robot, seed=seed, as_json=json, console=console)
        return
    sys.exit(run(policy, robot=robot, output=output, quick=quick, seed=seed, as_json=json,
                 report=report, console=console, everywhere=sim_to_sim,
                 elsewhere=Elsewhere(backend, dt, iterations, model, network_alone)))


@app.command()
def walk(
        policy: str = typer.Option('humanoid', help='Policy folder, or name of one that ships.'),
        robot: str = typer.Option(
            '', show_default='that of the policy', help='Robot to simulate.'),
        engine: str = typer.Option(
            'auto', callback=inputs.engine, help='auto, onnxruntime or torch.'),
        seconds_scale: float = typer.Option(
            1.0, callback=inputs.number(0.01, 1000.0),
            help='Factor on the duration of each segment.'),
        output: Optional[Path] = typer.Option(
            Path('walk'), help='Folder for the picture and the table.'),
        viewer: Viewer = typer.Option(
            Viewer.NONE, help='web: watch and drive the robot in a browser.'),
        wave: bool = typer.Option(
            False, '--wave', help='Wave the arms through their tested range while it walks.'),
        hand_payload: float = typer.Option(
            0.0, callback=inputs.number(0.0, 20.0), help='Mass at the end of each arm [kg].'),
        json: bool = JSON) -> None:
    """Walk a simulated robot through real ROS 2 topics; exits with 1 if it fell."""
    if output is not None:
        inputs.folder_to_write(output)
    from humanoid_locomotion.nodes.demos.walk import walk as walk_demo
    sys.exit(walk_demo(policy=policy, robot=robot, engine=engine, seconds_scale=seconds_scale,
                       output=output, viewer=viewer.value, as_json=json, wave=wave,
                       hand_payload=hand_payload))


@app.command()
def navigate(
        goals: Optional[List[str]] = typer.Argument(
            None, help='Names of goals.', show_default='every goal of the file'),
        policy: str = typer.Option('humanoid', help='Policy folder, or name of one that ships.'),
        robot: str = typer.Option(
            '', show_default='that of the policy', help='Robot to simulate.'),
        engine: str = typer.Option(
            'auto', callback=inputs.engine, help='auto, onnxruntime or torch.'),
        rooms: str = typer.Option('rooms', help='File of goals, or its name in config/nodes.'),
        push: float = typer.Option(
            0.5, callback=inputs.number(0.0, 10.0),
            help='Velocity of the push while walking to each goal [m/s].'),
        by_legs: bool = typer.Option(
            False, help='Compute odometry from legs and IMU, as on a robot that has none.'),
        output: Optional[Path] = typer.Option(
            Path('walk'), help='Folder for the picture and the logs.'),
        json: bool = typer.Option(False, help='Print JSON instead of words and tables.')) -> None:
    """Walk a simulated robot to goals through real ROS 2 topics; exits with 1 if it missed one."""
    if output is not None:
        inputs.folder_to_write(output)
    from humanoid_locomotion.nodes.demos.navigate import navigate as navigate_demo
    sys.exit(navigate_demo(policy=policy, robot=robot, engine=engine, rooms=rooms,
                           goals=goals or [], push=push, by_legs=by_legs, output=output,
                           as_json=json))


@app.command()
def teleop(
        policy: str = typer.Option(
            'humanoid', help='Policy that gives the command range: a folder, or its name.'),
        stamped: bool = typer.Option(False, help='Publish TwistStamped on cmd_vel.')) -> None:
    """Drive the robot from this terminal, key by key."""
    from humanoid_locomotion.nodes.operator.teleop import teleop as drive
    drive(policy, stamped)


def _command_line() -> str:
    """Return the command as it was typed, for the policy's card."""
    return shlex.join(['humanoid-locomotion', *sys.argv[1:]])


# After the commands above, so that --help lists these groups last.
app.add_typer(policy_group.app, name='policy')
app.add_typer(robot_group.app, name='robot')
app.add_typer(dev.app, name='dev')
