"""The commands ``faults``, ``soak`` and ``benchmark latency``."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Optional

from rich.console import Console
import typer

from humanoid_locomotion.cli_output import JSON, print_rows, working

console = Console()
POLICY = typer.Option('humanoid', help='Policy folder, or name of one that ships.')


def faults(policy: str = POLICY,
           output: Optional[Path] = typer.Option(
               None, help='Markdown file whose marked sections are written anew.'),
           only: str = typer.Option(
               'loop,dds,policy', help='loop: stepped clock; dds: real processes; policy: broken '
               'folders.'),
           folders: int = typer.Option(10_000, help='Policy folders to damage by chance.')
           ) -> None:
    """Do every fault to a robot that stands and one that walks; exits with 1 on a failure."""
    from humanoid_locomotion.core.policy import open_policy
    from humanoid_locomotion.nodes.marked_page import put
    from humanoid_locomotion.reliability import report
    opened, failed = open_policy(policy, 'onnxruntime'), 0
    sections: Dict[str, Callable[[Any], Any]] = {
        'loop': report.loop_section, 'dds': report.dds_section,
        'policy': lambda folder: report.policy_section(folder, folders)}
    for name in only.split(','):
        with _ros() if name == 'dds' else contextlib.nullcontext(), working(f'faults: {name}'):
            section = sections[name](opened)
        failed += section.failed
        console.print(section.text, markup=False, soft_wrap=True)
        if output is not None:
            put(output, name, section.text)
    raise typer.Exit(1 if failed else 0)


def soak(kind: str = typer.Argument(
             ..., help='walk: random commands; startle: random bytes as messages, parameters '
             'and requests.'),
         minutes: float = typer.Option(1.0, help='How long.'), policy: str = POLICY,
         json: bool = JSON) -> None:
    """Run the node for long over DDS against a simulated robot; exits with 1 on a failure."""
    from humanoid_locomotion.core.errors import UnknownNameError
    from humanoid_locomotion.core.policy import open_policy
    from humanoid_locomotion.reliability import soak as run
    opened = open_policy(policy, 'onnxruntime')
    if kind not in ('walk', 'startle'):
        raise UnknownNameError('soak', kind, ('walk', 'startle'))
    tell = Console(stderr=True).print if json else console.print
    with _ros(), working(f'{kind}, {minutes:g} min'):
        result: Any = (run.soak_walk(opened, 60.0 * minutes, tell) if kind == 'walk'
                       else run.soak_startle(opened, 60.0 * minutes))
    print_rows([dataclasses.asdict(result)], json)
    raise typer.Exit(0 if result.passed else 1)


def latency(policy: str = POLICY,
            engine: str = typer.Option('onnxruntime', help='onnxruntime or torch.'),
            seconds: float = typer.Option(60.0, help='For each node.'),
            alone: bool = typer.Option(
                False, help='Time the engines alone, without ROS: those that are installed.'),
            device: str = typer.Option('auto', help='Where torch runs.'),
            json: bool = JSON) -> None:
    """Time joint states in to command out at 50 Hz, beside a node that only copies them."""
    if alone:
        from humanoid_locomotion.reliability.engine_times import measure_engines
        with working('each engine in turn'):
            rows = measure_engines(policy, device)
        print_rows(rows, json)
        return
    from humanoid_locomotion.core.policy import open_policy
    from humanoid_locomotion.reliability.latency import measure
    with _ros(), working(f'{seconds:g} s for each node'):
        rows = measure(open_policy(policy, 'onnxruntime'), engine, seconds)
    print_rows(rows, json)


@contextlib.contextmanager
def _ros() -> Iterator[None]:
    import rclpy

    from humanoid_locomotion.nodes import middleware
    middleware.isolate()
    middleware.init()
    try:
        yield
    finally:
        rclpy.try_shutdown()
