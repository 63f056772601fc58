"""The commands around the locomotion node and its policies, besides ``walk``."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
import typer

from humanoid_locomotion.cli.inputs import engine_recorded, file_to_read, file_to_write
from humanoid_locomotion.cli.output import JSON, print_json, working
from humanoid_locomotion.core.errors import LocomotionError

console = Console()


def replay(
        file: Path = typer.Argument(..., help='MCAP file that the node wrote with record:=true.'),
        policy: str = typer.Option('', show_default='the one recorded', help='Policy folder.'),
        engine: str = typer.Option(
            '', show_default='the one recorded', callback=engine_recorded,
            help='onnxruntime or torch.'),
        json: bool = JSON) -> None:
    """Run the controller over a recording; exits with 1 where a single bit differs."""
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


def sign(policy: str = typer.Argument(..., help='Policy folder, or name of one that ships.')
         ) -> None:
    """Accept the files of a policy folder as they are: write their hashes."""
    from humanoid_locomotion.core.policy.content import SUMS, write_sums
    from humanoid_locomotion.core.policy.folder import find_policy, open_policy
    folder = find_policy(policy)
    write_sums(folder)
    try:
        opened = open_policy(folder)
    except LocomotionError:
        (folder / SUMS).unlink()  # hashes stand for a folder that opened
        raise
    console.print(f'signed {folder}, golden steps replay within {opened.golden_error:.2g}',
                  soft_wrap=True, markup=False)


def interface(page: Path = typer.Argument(..., help='Markdown page that has the marks.')) -> None:
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


def envelope(policy: str = typer.Argument(..., help='Policy folder, or name of one that ships.')
             ) -> None:
    """Print the speeds that a policy reaches as parameters of Nav2's velocity smoother."""
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
