# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Faults on the wire between the driver and a Unitree robot, against a stand-in robot."""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
import signal
import time
from typing import Callable, Iterator, List, Tuple

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.reliability.faults.cable import Cable
from humanoid_locomotion.reliability.faults.wire_robot import (
    Bench,
    StandInRobot,
    WireRobot,
    cabled_robot,
    standing_robot,
)

SETTLE, WATCH = 2.0, 1.0  # [s]
SPEED = 0.5  # [m/s]
IN_TIME = 0.25  # [s]
UNPLUGGED = 0.5  # [s]
MAX_SAID = 110  # characters


@dataclass(frozen=True)
class WireFault:
    """A fault between driver and robot.

    Attributes:
        name: Its name.
        do: Injects it.
        make_robot: Starts the simulated robot.
    """

    name: str
    do: Callable[[Bench], None]
    make_robot: Callable[[RobotSpec], WireRobot] = StandInRobot


@dataclass(frozen=True)
class WireOutcome:
    """Result of one fault.

    Attributes:
        fault: Name of the fault.
        walking: Whether the robot walked.
        damped_after: Time until the motors were damped [s]; NaN if they were not.
        said: First reason that the driver logged after the fault.
        state: State of the locomotion node at the end.
        passed: Whether they were damped in time, and remained so.
    """

    fault: str
    walking: bool
    damped_after: float
    said: str
    state: str
    passed: bool


def _line(text: str) -> Callable[[Bench], None]:
    return lambda bench: bench.robot.act(text)


def _kill_watchdog(bench: Bench) -> None:
    pid = bench.driver.pid
    for child in Path(f'/proc/{pid}/task/{pid}/children').read_text().split():
        os.kill(int(child), signal.SIGKILL)


def _second_publisher(bench: Bench) -> None:
    from humanoid_locomotion.nodes.hardware.unitree.port import COMMANDS
    from humanoid_locomotion.nodes.hardware.unitree.robots import machine_with
    machine = machine_with(bench.spec.joint_names, bench.spec.name)
    bench.stranger.writer(COMMANDS, machine.command)


def _cable(do: Callable[[Cable], None]) -> Callable[[Bench], None]:
    def inject(bench: Bench) -> None:
        assert bench.robot.cable is not None
        do(bench.robot.cable)
    return inject


def _pull_for_a_moment(bench: Bench) -> None:
    _cable(Cable.pull)(bench)
    bench.operator.spin(UNPLUGGED)
    _cable(Cable.plug)(bench)


FAULTS: Tuple[WireFault, ...] = (
    WireFault('locomotion node: SIGKILL', lambda bench: bench.locomotion.signal(signal.SIGKILL)),
    WireFault('driver: SIGKILL', lambda bench: bench.driver.signal(signal.SIGKILL)),
    WireFault('driver: SIGSTOP', lambda bench: bench.driver.signal(signal.SIGSTOP)),
    WireFault('watchdog of the driver: SIGKILL', _kill_watchdog),
    WireFault('no states', _line('rate 0')),
    WireFault('a second publisher of commands', _second_publisher),
    WireFault('states with a wrong crc', _line('crc wrong')),
    WireFault('mode_machine changes', _line('mode_machine 6')),
    WireFault('states frozen', _line('freeze on')),
    WireFault('50 states per second', _line('rate 50')),
    WireFault('remote lost', _line('remote lost')),
    WireFault('L2+B on the remote', _line('press L2 B')),
    WireFault('cable pulled', _cable(Cable.pull), cabled_robot),
    WireFault(f'cable pulled for {UNPLUGGED:g} s', _pull_for_a_moment, cabled_robot),
    WireFault('network interface of the driver switched off', _cable(Cable.switch_off),
              cabled_robot))


def run_wire_faults(folder: PolicyFolder, spec: RobotSpec) -> Iterator[WireOutcome]:
    """Inject each fault, standing and walking; rclpy is initialised and isolated.

    Raises:
        ConfigError: No Unitree robot has the joints of the robot.
        RefusedError: This process may not make the network of a cable that can be cut.
    """
    from humanoid_locomotion.nodes.hardware.unitree.robots import machine_with
    machine_with(spec.joint_names, spec.name)
    Cable().close()  # before minutes of other faults
    for fault in FAULTS:
        for walking in (False, True):
            yield inject(folder, spec, fault, walking)


def inject(folder: PolicyFolder, spec: RobotSpec, fault: WireFault,
           walking: bool) -> WireOutcome:
    """Inject one fault into a new bench."""
    with standing_robot(folder, spec, fault.make_robot) as bench:
        operator, robot = bench.operator, bench.robot
        operator.walk = [SPEED, 0.0, 0.0] if walking else None
        operator.spin(SETTLE)
        expected = 'walking' if walking else 'standing'
        if operator.state != expected or robot.report['mode'] != 'driven':
            raise LocomotionError(
                f'{fault.name}: expected a {expected} robot before the fault, found '
                f'{operator.state!r}, motors {robot.report["mode"]}:\n{bench.driver.tail()}')
        before, begin = len(_said(bench)), time.monotonic()
        fault.do(bench)
        operator.spin(WATCH)
        report = robot.report
        seconds = report['since'] - begin if report['mode'] == 'damped' else float('nan')
        said, passed = [*_said(bench)[before:], ''][0], seconds <= IN_TIME
        if robot.cable is not None:  # the robot damps itself, and this side must stop, too
            ours = operator.since - begin if operator.state.startswith('fault') else float('nan')
            said, passed = f'{said}; ~/state after {1e3 * ours:.0f} ms', (
                passed and ours <= IN_TIME)
        return WireOutcome(fault.name, walking, seconds, said, operator.state, passed)


def _said(bench: Bench) -> List[str]:
    return [line.partition('damped: ')[2] or line for line in bench.driver.tail().splitlines()
            if 'damped: ' in line or line.startswith('watchdog: ')]


def wire_table(outcomes: List[WireOutcome]) -> str:
    """Return the outcomes as a Markdown table, one line per fault."""
    lines = ['| fault | standing | walking | driver | `~/state` |', '|---|---|---|---|---|']
    for still, moving in zip(outcomes[::2], outcomes[1::2]):
        said = (moving.said or still.said)[:MAX_SAID].replace('|', '/')
        lines.append(f'| {still.fault} | {_cell(still)} | {_cell(moving)} | {said} | '
                     f'{moving.state} |')
    return '\n'.join(lines)


def _cell(one: WireOutcome) -> str:
    failed = '' if one.passed else '**FAILED** '
    if one.damped_after != one.damped_after:
        return f'{failed}not damped'
    return f'{failed}damped after {1e3 * one.damped_after:.0f} ms'
