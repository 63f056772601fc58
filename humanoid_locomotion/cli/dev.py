# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The commands ``dev ...``: benchmarks, fault injection, and what maintainers run."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
import typer

from humanoid_locomotion.cli import benchmark, isaacgym, reliability
from humanoid_locomotion.cli.inputs import engine_recorded, file_to_read, file_to_write
from humanoid_locomotion.cli.output import JSON, group, print_json, working

app = group('Benchmarks, fault injection, and what maintainers run.')
console = Console()
benchmark.app.command()(reliability.latency)
benchmark.app.command()(reliability.wire)
app.add_typer(benchmark.app, name='benchmark')
app.command('check-isaacgym')(isaacgym.check_isaacgym)
app.command()(reliability.faults)
app.command()(reliability.soak)


@app.command()
def replay(
        file: Path = typer.Argument(..., help='MCAP file that the node wrote with record:=true.'),
        policy: str = typer.Option('', show_default='as recorded', help='Policy folder.'),
        engine: str = typer.Option(
            '', show_default='as recorded', callback=engine_recorded,
            help='onnxruntime or torch.'),
        json: bool = JSON) -> None:
    """Run the controller on a recording; exits with 1 if a single bit differs."""
    file_to_read(file)
    from humanoid_locomotion.nodes.locomotion.replay import replay as run
    with working('replaying'):
        result = run(file, policy, engine)
    if json:
        print_json({'steps': result.steps, 'seconds': result.seconds, 'policy': result.policy,
                    'difference': result.difference, 'whole': result.is_whole})
    else:
        console.print(f'{result.steps} control steps, {result.seconds:.1f} s of {result.policy}: '
                      + (result.difference or 'equal to the last bit')
                      + ('' if result.is_whole or result.difference else
                         '; the recording broke off there'), soft_wrap=True, markup=False)
    if result.difference:
        raise typer.Exit(1)


@app.command()
def interface(page: Path = typer.Argument(..., help='Markdown page with the marks.')) -> None:
    """Write the ROS interface of the nodes into the marked sections of a page."""
    file_to_write(file_to_read(page), 'PAGE')
    import rclpy

    from humanoid_locomotion.nodes import interface_docs as asked
    from humanoid_locomotion.nodes.marked_page import put_all
    from humanoid_locomotion.nodes.ros import middleware
    middleware.isolate()
    middleware.init()
    try:
        put_all(page, {name: text for node in asked.NODES
                       for name, text in asked.sections(node).items()})
    finally:
        rclpy.try_shutdown()
    console.print(f'wrote {page}', soft_wrap=True, markup=False)


