"""The commands that make a policy folder out of one that exists: ``adopt``, ``tune``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional, Tuple

from rich.console import Console
from rich.table import Table
import typer

from humanoid_locomotion.cli.inputs import check_range, file_to_read, folder_to_write, number

console = Console()
BEYOND = typer.Option(
    '', show_default='nothing', help='What the policy may ask beyond policy_bounds in robot.yaml, '
    'with commas: gains, limits, action_scale, control_period, model_hash. Its contract, its card '
    'and check say so.')


def adopt(
        network: Path = typer.Argument(..., help='ONNX file of another stack.'),
        robot: str = typer.Option(..., help='Robot it moves, or folder of one.'),
        output: Path = typer.Option(..., help='Policy folder to write, as policies/NAME.'),
        fill: Optional[Path] = typer.Option(
            None, help="YAML with the keys that the file's metadata lack, or have wrong."),
        beyond_robot: str = BEYOND
) -> None:
    """Turn another stack's ONNX file into a policy folder."""
    from humanoid_locomotion.core.policy.import_onnx import adopt as adopt_policy
    from humanoid_locomotion.core.robot import load_robot
    file_to_read(network)
    if fill is not None:
        file_to_read(fill)
    folder_to_write(output)
    table = Table('key', 'value', 'from')
    for key, value, origin in adopt_policy(
            network, load_robot(robot), output, fill, _beyond(beyond_robot)):
        table.add_row(key, value if len(value) < 60 else f'{value[:57]}...', origin)
    console.print(table)
    console.print(f'wrote {output}; humanoid-locomotion evaluate {output} shows whether it walks',
                  soft_wrap=True, markup=False)


def tune(
        policy: str = typer.Argument(..., help='Policy folder, or name of one that ships.'),
        output: Path = typer.Option(..., help='Policy folder to write.'),
        gait_period: Optional[float] = typer.Option(
            None, callback=number(0.0, 10.0), help='Duration of one stride [s].'),
        yaw_rate: Optional[Tuple[float, float]] = typer.Option(
            None, callback=number(0.0, 100.0),
            help='Gain [1/s] and limit [rad/s] of the loop over the turning rate.'),
        linear_velocity: Optional[Tuple[float, float, float, float]] = typer.Option(
            None, callback=number(0.0, 100.0),
            help='Gain [1/s], limit [m/s], and in standing damping and stiffness [1/s], of '
                       'the loop over what the legs measure.'),
        robot: str = typer.Option(
            '', show_default='that of the policy', help='Robot it moves, or folder of one.'),
        beyond_robot: str = BEYOND
) -> None:
    """Change the stride and the loops around a policy; its network stays as it is."""
    from humanoid_locomotion.core.command import GaitSpec
    from humanoid_locomotion.core.errors import ConfigError
    from humanoid_locomotion.core.feedback.velocity_feedback import IntegralSpec, LinearLoopSpec
    from humanoid_locomotion.core.policy.folder import find_policy, read_contract
    from humanoid_locomotion.core.robot import load_robot
    from humanoid_locomotion.training.retune import tune as tune_policy
    if not beyond_robot and gait_period is None and yaw_rate is None and linear_velocity is None:
        raise ConfigError('command line', '--gait-period, --yaw-rate, --linear-velocity, '
                          '--beyond-robot', 'expected one of them; 0.9, 1.0 0.2 and '
                          "0.5 0.2 0.5 4.0 are those of the G1's policy, which needs nothing "
                          'beyond its robot')
    folder_to_write(output)
    # Only checked here, where the option has a name: the threshold is the policy's own.
    _spec('--gait-period', GaitSpec, None if gait_period is None else (gait_period, 0.0))
    if gait_period is not None:
        check_range(gait_period, '--gait-period', 0.1, 10.0)
    name = robot or read_contract(find_policy(policy) / 'contract.yaml').robot
    contract = tune_policy(
        policy, load_robot(name), output, gait_period=gait_period,
        yaw_rate=_spec('--yaw-rate', IntegralSpec, yaw_rate),
        linear_velocity=_spec('--linear-velocity', LinearLoopSpec, linear_velocity),
        beyond_robot=_beyond(beyond_robot))
    console.print(f'wrote {output}, fingerprint {contract.fingerprint}; humanoid-locomotion '
                  f'evaluate {output} shows what has become of it', soft_wrap=True, markup=False)


def _beyond(names: str) -> Optional[Tuple[str, ...]]:
    """Return what may lie beyond the robot's bounds; None without the option."""
    from humanoid_locomotion.core.errors import ConfigError
    from humanoid_locomotion.core.robot_bounds import read_names
    try:
        return read_names(names)
    except ValueError as error:
        raise ConfigError('command line', '--beyond-robot', str(error)) from error


def _spec(option: str, kind: Any, figures: Optional[Tuple[float, ...]]) -> Any:
    """Return the figures of an option as what they describe; None without the option."""
    from humanoid_locomotion.core.errors import ConfigError
    try:
        return None if figures is None else kind(*figures)
    except ValueError as error:
        raise ConfigError('command line', option, str(error)) from error
