# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The fault matrix: injects every fault into a standing and into a walking robot."""

from __future__ import annotations

from dataclasses import dataclass, replace
import textwrap
from typing import Iterator, List, Tuple

from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.safety.rules import Severity
from humanoid_locomotion.nodes.locomotion.state_machine import Mode
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters
from humanoid_locomotion.reliability.faults.fault_bench import TICK, FaultBench
from humanoid_locomotion.reliability.faults.fault_cases import (
    DAMP,
    DRIVER,
    FAULTS,
    NONE,
    STAND,
    WALK,
    Fault,
)

SPEED = 0.5  # [m/s]
WALK_BEFORE, WATCH = 2.0, 3.0  # [s]
MAX_SAID = 130  # characters
MIN_HEIGHT = 0.55  # share of the standing height, so that odom is used


@dataclass(frozen=True)
class Outcome:
    """Result of one fault.

    Attributes:
        fault: Name of the fault.
        walking: Whether the robot walked.
        seconds: Time until the node reacted [s]; NaN if it did not.
        action: Reaction of the node.
        reason: Reason that the node reported.
        damped: Whether the simulated robot was damped at the end.
        fallen: Whether it had fallen at the end.
        stiff_while_fallen: Time for which the fallen robot was not damped [s].
        lost: Number of control steps without a finite command.
        rules: The safety rules that tripped.
        passed: Whether the reaction is an accepted one.
    """

    fault: str
    walking: bool
    seconds: float
    action: str
    reason: str
    damped: bool
    fallen: bool
    stiff_while_fallen: float
    lost: int
    rules: Tuple[str, ...]
    passed: bool


def inject(fault: Fault, folder: PolicyFolder, spec: RobotSpec, walking: bool) -> Outcome:
    """Inject one fault into a new bench, and observe the reaction."""
    parameters = LocomotionParameters(min_height=MIN_HEIGHT * spec.base_height)
    bench = FaultBench(folder, spec, parameters)
    try:
        bench.stand()
        if walking:
            bench.command = (SPEED, 0.0, 0.0)
            bench.run(WALK_BEFORE)
        expected = Mode.WALKING if walking else Mode.STANDING
        if bench.loop.machine.mode is not expected:
            raise RuntimeError(f'{fault.name}: the bench is {bench.loop.machine.label}')
        fault.do(bench)
        return _watch(bench, fault, walking)
    finally:
        bench.close()


def _watch(bench: FaultBench, fault: Fault, walking: bool) -> Outcome:
    begin, noticed, stiff = bench.elapsed, float('nan'), 0.0
    action = NONE
    while bench.elapsed - begin < WATCH:
        bench.tick()
        seen = _action(bench, walking)
        if seen != action:
            # Standing first and damping later counts as damping.
            action, noticed = seen, bench.elapsed - begin
        stiff += TICK * (bench.is_fallen and not bench.is_damped)
    latched = bench.loop.guard.latched
    reason = latched.reason if latched else (
        bench.loop.guard.last_warning or (bench.refused[-1] if bench.refused else ''))
    rules = tuple(name for name, trips in bench.loop.guard.trips.items() if trips)
    allowed = fault.walking if walking else fault.standing
    safe = bench.is_damped or not bench.is_fallen
    return Outcome(
        fault.name, walking, noticed, action, reason, bench.is_damped, bench.is_fallen, stiff,
        bench.lost, rules, action in allowed and safe and bench.lost == 0)


def _action(bench: FaultBench, walking: bool) -> str:
    machine, latched = bench.loop.machine, bench.loop.guard.latched
    if machine.mode in (Mode.FAULT, Mode.DAMPING) or (
            machine.mode is Mode.IDLE and bench.is_damped):
        return DAMP
    if bench.is_damped:
        return DRIVER
    if machine.mode is Mode.WALKING and not walking:
        return WALK
    if (latched is not None and latched.severity is Severity.STAND) or (
            walking and machine.mode is Mode.STANDING):
        return STAND
    return NONE


def run_all(folder: PolicyFolder, spec: RobotSpec) -> Iterator[Outcome]:
    """Inject every fault, standing and walking."""
    for fault in FAULTS:
        yield from inject_both(fault, folder, spec)


def inject_both(fault: Fault, folder: PolicyFolder, spec: RobotSpec) -> List[Outcome]:
    """Inject a fault standing and walking; it fails if its rule tripped in neither case."""
    both = [inject(fault, folder, spec, walking) for walking in (False, True)]
    tripped = not fault.rule or any(fault.rule in one.rules for one in both)
    return [replace(one, passed=one.passed and tripped) for one in both]


def table(outcomes: List[Outcome]) -> str:
    """Return the outcomes as a Markdown table, one line per fault."""
    lines = ['| fault | standing | walking | what the node said | left | steps without command |',
             '|---|---|---|---|---|---|']
    for still, moving in zip(outcomes[::2], outcomes[1::2]):
        left = ' / '.join(_left(one) for one in (still, moving))
        said = textwrap.shorten((moving.reason or still.reason).replace('|', '/'), MAX_SAID)
        lines.append(f'| {still.fault} | {_cell(still)} | {_cell(moving)} | {said} | {left} | '
                     f'{still.lost + moving.lost} |')
    return '\n'.join(lines)


def _cell(one: Outcome) -> str:
    when = '' if one.seconds != one.seconds else f' after {1e3 * one.seconds:.0f} ms'
    return f'{"" if one.passed else "**FAILED** "}{one.action}{when}'


def _left(one: Outcome) -> str:
    return 'damped' if one.damped else 'lying, stiff' if one.fallen else 'upright'
