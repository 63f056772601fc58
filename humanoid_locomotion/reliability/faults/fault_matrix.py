"""Every fault, done to a robot that stands and to one that walks."""

from __future__ import annotations

from dataclasses import dataclass, replace
import textwrap
from typing import Iterator, List, Tuple

from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.safety.rules import Severity
from humanoid_locomotion.nodes.locomotion.state_machine import Mode
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters
from humanoid_locomotion.reliability.faults.fault_bench import TICK, Rig
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
MAX_SAID = 130  # letters
MIN_HEIGHT = 0.55  # of the height it stands at, so that odom is read as well


@dataclass(frozen=True)
class Outcome:
    """What became of one fault.

    Attributes:
        fault: Its name.
        walking: Whether the robot walked.
        seconds: Time until the node did something [s]; NaN if it did nothing.
        action: What was done.
        reason: What the node said.
        damped: Whether the simulated robot was left damped.
        fallen: Whether it lay in the end.
        stiff_while_fallen: For how long a robot that lay was not damped [s].
        lost: Control steps that gave no finite command.
        rules: The safety rules that tripped.
        passed: Whether that is what should be done.
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
    """Do one fault to a fresh robot, and watch."""
    rig = Rig(folder, spec, LocomotionParameters(min_height=MIN_HEIGHT * spec.base_height))
    try:
        rig.stand()
        if walking:
            rig.command = (SPEED, 0.0, 0.0)
            rig.run(WALK_BEFORE)
        expected = Mode.WALKING if walking else Mode.STANDING
        if rig.loop.machine.mode is not expected:
            raise RuntimeError(f'{fault.name}: the rig is {rig.loop.machine.label}')
        fault.do(rig)
        return _watch(rig, fault, walking)
    finally:
        rig.close()


def _watch(rig: Rig, fault: Fault, walking: bool) -> Outcome:
    begin, noticed, stiff = rig.elapsed, float('nan'), 0.0
    action = NONE
    while rig.elapsed - begin < WATCH:
        rig.tick()
        seen = _action(rig, walking)
        if seen != action:
            # A robot that stands first and is damped later was damped.
            action, noticed = seen, rig.elapsed - begin
        stiff += TICK * (rig.is_fallen and not rig.is_damped)
    latched = rig.loop.guard.latched
    reason = latched.reason if latched else (
        rig.loop.guard.last_warning or (rig.refused[-1] if rig.refused else ''))
    rules = tuple(name for name, trips in rig.loop.guard.trips.items() if trips)
    allowed = fault.walking if walking else fault.standing
    safe = rig.is_damped or not rig.is_fallen
    return Outcome(
        fault.name, walking, noticed, action, reason, rig.is_damped, rig.is_fallen, stiff,
        rig.lost, rules, action in allowed and safe and rig.lost == 0)


def _action(rig: Rig, walking: bool) -> str:
    machine, latched = rig.loop.machine, rig.loop.guard.latched
    if machine.mode in (Mode.FAULT, Mode.DAMPING) or (
            machine.mode is Mode.IDLE and rig.is_damped):
        return DAMP
    if rig.is_damped:
        return DRIVER
    if machine.mode is Mode.WALKING and not walking:
        return WALK
    if (latched is not None and latched.severity is Severity.STAND) or (
            walking and machine.mode is Mode.STANDING):
        return STAND
    return NONE


def run_all(folder: PolicyFolder, spec: RobotSpec) -> Iterator[Outcome]:
    """Do every fault, standing and walking."""
    for fault in FAULTS:
        yield from inject_both(fault, folder, spec)


def inject_both(fault: Fault, folder: PolicyFolder, spec: RobotSpec) -> List[Outcome]:
    """Do a fault standing and walking; fails where its rule tripped in neither."""
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
