# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The commands ``dev faults``, ``dev soak``, ``dev benchmark latency`` and ``wire``."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, Optional, Tuple

from rich.console import Console
import typer

from humanoid_locomotion.cli import inputs
from humanoid_locomotion.cli.output import JSON, print_json, print_rows, working

if TYPE_CHECKING:
    from humanoid_locomotion.core.policy.folder import PolicyFolder
    from humanoid_locomotion.core.robot import RobotSpec

console = Console()
POLICY = typer.Option('humanoid', help='Policy folder, or name of one that ships.')
ROBOT = typer.Option('', show_default='that of the policy', help='Robot, or folder of one.')


def faults(policy: str = POLICY, robot: str = ROBOT,
           output: Optional[Path] = typer.Option(
               None, help='Markdown file whose marked sections are replaced.'),
           only: str = typer.Option(
               'loop,dds,viewer,policy,swap,cli,train',
               help='Sections, separated by commas; docs/reliability.md describes each. '
               'Not by default: wire, for --policy unitree_g1, which needs cyclonedds.'),
           folders: int = typer.Option(
               10_000, min=1, max=10_000_000, help='Number of randomly changed policy folders.'),
           swaps: int = typer.Option(
               500, min=1, max=100_000, help='Number of such folders to swap into a node.'),
           tries: int = typer.Option(
               2000, min=1, max=1_000_000, help='Number of random command lines.'),
           kills: int = typer.Option(
               100, min=1, max=10_000, help='Number of moments at which to kill a training.'),
           json: bool = JSON) -> None:
    """Inject every fault into a standing and a walking robot; exits with 1 on a failure."""
    from humanoid_locomotion.core.errors import UnknownNameError
    from humanoid_locomotion.nodes import marked_page
    from humanoid_locomotion.reliability import report
    sections: Dict[str, Callable[[], report.Section]] = {
        'loop': lambda: report.loop_section(opened, spec),
        'dds': lambda: report.dds_section(opened, spec),
        'viewer': lambda: report.viewer_section(opened, spec),
        'wire': lambda: report.wire_section(opened, spec),
        'policy': lambda: report.policy_section(opened, folders),
        'swap': lambda: report.swap_section(opened, spec, swaps),
        'cli': lambda: report.cli_section(tries),
        'train': lambda: report.train_section(kills)}
    names, done = only.split(','), {}
    for name in names:
        if name not in sections:
            raise UnknownNameError('faults', name, list(sections))
    if output is not None:
        marked_page.check(inputs.file_to_write(inputs.file_to_read(output)), names)
    opened, spec = _opened(policy, robot)
    for name in names:
        needs_ros = name in ('dds', 'viewer', 'wire', 'swap')
        with _ros() if needs_ros else contextlib.nullcontext(), working(f'faults: {name}'):
            section = done[name] = sections[name]()
        if not json:
            console.print(section.text, markup=False, soft_wrap=True)
        if output is not None:
            marked_page.put(output, name, section.text)
    if json:
        print_json({name: {'failed': section.failed, 'rows': section.rows}
                    for name, section in done.items()})
    raise typer.Exit(1 if any(section.failed for section in done.values()) else 0)


def soak(kind: str = typer.Argument(
             ..., help='walk: random commands; arms: walks with waved arms and pushes, one '
             'minute each, on a stepped clock; startle: random bytes as messages, parameters '
             'and requests; lifecycle: configure, activate, deactivate, cleanup; rules: false '
             'alarms of the safety rules on rough ground and under kicks, on a stepped clock; '
             'wire: a profile of commands through the driver, for a Unitree robot.'),
         minutes: float = typer.Option(
             1.0, callback=inputs.number(0.0, 100_000.0, above=True),
             help='Duration [min]; simulated time for rules and arms.'),
         cycles: int = typer.Option(200, min=1, max=1_000_000, help='Cycles, for lifecycle.'),
         hand_payload: float = typer.Option(
             0.0, callback=inputs.number(0.0, 20.0),
             help='Mass at the end of each arm [kg], for arms.'),
         runs: int = typer.Option(1, min=1, max=1000, help='Walks, for wire.'),
         wave: bool = typer.Option(
             False, help='Wave the arms and push the robot, for wire.'),
         simulator: str = typer.Option(
             '', help="Folder of unitree_mujoco, for wire; without it, this package's stand-in."),
         policy: str = POLICY, robot: str = ROBOT, json: bool = JSON) -> None:
    """Run the node with a simulated robot for a long time; exits with 1 on a failure."""
    from humanoid_locomotion.core.errors import UnknownNameError
    kinds = ('walk', 'arms', 'startle', 'lifecycle', 'rules', 'wire')
    if kind not in kinds:
        raise UnknownNameError('soak', kind, kinds)
    opened, spec = _opened(policy, robot)
    tell = Console(stderr=True).print if json else console.print
    if kind == 'rules':
        from humanoid_locomotion.reliability.soak.false_alarms import soak_rules
        with working(f'{kind}, {minutes:g} min'):
            rows = soak_rules(opened, spec, 60.0 * minutes)
        print_rows(rows, json)
        raise typer.Exit(1 if any(row['alarms'] for row in rows) else 0)
    if kind == 'arms':
        from humanoid_locomotion.reliability.soak.led_arms import walk_with_led_arms
        with working(f'{kind}, {minutes:g} min'):
            walks = [walk_with_led_arms(
                opened, spec, min(60.0, 60.0 * (minutes - run)), run, hand_payload)
                for run in range(math.ceil(minutes))]
        print_rows([dataclasses.asdict(walk) for walk in walks], json)
        raise typer.Exit(0 if all(walk.passed for walk in walks) else 1)
    if kind == 'wire':
        from humanoid_locomotion.reliability.soak import wire_walk
        walks_on_wire = []
        for run in range(runs):
            with _ros(), working(f'{kind}, walk {run + 1} of {runs}, {minutes:g} min'):
                walk = wire_walk.walk_on_wire(opened, spec, 60.0 * minutes, run, simulator, wave)
            walks_on_wire.append(walk)
            tell(f'walk {run + 1}: {walk.seconds:.0f} s, {walk.ended or "did not fall"}' + (
                f', {walk.pushes} pushes, arms led {walk.led:.0%} of the time' if wave else ''))
        print_rows(wire_walk.rows(walks_on_wire), json)
        raise typer.Exit(0 if all(walk.passed for walk in walks_on_wire) else 1)
    from humanoid_locomotion.reliability.soak import lifecycle, live_node
    results: Dict[str, Callable[[], Any]] = {
        'walk': lambda: live_node.soak_walk(opened, spec, 60.0 * minutes, tell),
        'startle': lambda: live_node.soak_startle(opened, spec, 60.0 * minutes),
        'lifecycle': lambda: lifecycle.soak_lifecycle(opened, spec, cycles)}
    with _ros(), working(f'{kind}, {cycles} cycles' if kind == 'lifecycle' else
                         f'{kind}, {minutes:g} min'):
        result = results[kind]()
    print_rows([dataclasses.asdict(result)], json)
    raise typer.Exit(0 if result.passed else 1)


def latency(policy: str = POLICY, robot: str = ROBOT,
            engine: str = typer.Option(
                'onnxruntime', callback=inputs.engine, help='onnxruntime or torch.'),
            seconds: float = typer.Option(
                60.0, callback=inputs.number(0.1, 1e6), help='Duration for each node [s].'),
            alone: bool = typer.Option(
                False, help='Time only the installed engines, without ROS.'),
            device: str = typer.Option(
                'auto', callback=inputs.device, help='Where torch runs.'),
            json: bool = JSON) -> None:
    """Time from joint states to joint command at 50 Hz, and of a node that only copies them."""
    if alone:
        from humanoid_locomotion.training.run.options import require_device
        require_device(device)
        from humanoid_locomotion.benchmarks.engine_times import measure_engines
        with working('each engine in turn'):
            rows = measure_engines(policy, device)
        print_rows(rows, json)
        return
    from humanoid_locomotion.benchmarks.latency import measure
    with _ros(), working(f'{seconds:g} s for each node'):
        rows = measure(*_opened(policy, robot), engine, seconds)
    print_rows(rows, json)


def wire(policy: str = typer.Option(
             'unitree_g1', help='Policy folder of a Unitree robot, or name of one that ships.'),
         seconds: float = typer.Option(
             60.0, callback=inputs.number(0.1, 1e6), help='Duration [s].'),
         json: bool = JSON) -> None:
    """Time from a Unitree robot's state to its motor command, beside a process that copies."""
    from humanoid_locomotion.benchmarks.wire_latency import measure
    with _ros(), working(f'{seconds:g} s'):
        rows = measure(*_opened(policy, ''), seconds)
    print_rows(rows, json)


def _opened(policy: str, robot: str) -> Tuple[PolicyFolder, RobotSpec]:
    from humanoid_locomotion.core.policy.folder import open_policy
    from humanoid_locomotion.core.robot import load_robot
    folder = open_policy(policy, 'onnxruntime')
    return folder, load_robot(robot or folder.contract.robot)


@contextlib.contextmanager
def _ros() -> Iterator[None]:
    import rclpy

    from humanoid_locomotion.nodes.ros import middleware
    middleware.isolate()
    middleware.init()
    try:
        yield
    finally:
        rclpy.try_shutdown()
