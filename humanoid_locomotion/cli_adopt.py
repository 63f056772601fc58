"""The command ``adopt``."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from rich.console import Console
from rich.table import Table
import typer

console = Console()


def adopt(
        network: Path = typer.Argument(..., help='ONNX file of another stack.'),
        robot: str = typer.Option(..., help='Robot it moves, or folder of one.'),
        output: Path = typer.Option(..., help='Policy folder to write, as policies/NAME.'),
        fill: Optional[Path] = typer.Option(
            None, help="YAML with the keys that the file's metadata lack, or have wrong.")
) -> None:
    """Turn another stack's ONNX file into a policy folder."""
    from humanoid_locomotion.core.adopt import adopt as adopt_policy
    from humanoid_locomotion.core.robot import load_robot
    table = Table('key', 'value', 'from')
    for key, value, origin in adopt_policy(network, load_robot(robot), output, fill):
        table.add_row(key, value if len(value) < 60 else f'{value[:57]}...', origin)
    console.print(table)
    console.print(f'wrote {output}; humanoid-locomotion evaluate {output} shows whether it walks',
                  soft_wrap=True, markup=False)
