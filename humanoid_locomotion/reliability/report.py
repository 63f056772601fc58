# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Results of the reliability tests, as sections of ``docs/reliability.md``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Dict, List

from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.reliability import kill_training
from humanoid_locomotion.reliability.command_line_fuzz import fuzz
from humanoid_locomotion.reliability.faults import (
    dds_faults,
    fault_matrix,
    viewer_faults,
    wire_faults,
)
from humanoid_locomotion.reliability.policy_fuzz import breakages, swap_beat
from humanoid_locomotion.reliability.policy_fuzz import fuzz as policy_fuzz


@dataclass(frozen=True)
class Section:
    """One section of the report.

    Attributes:
        text: Markdown.
        failed: Number of failed faults.
        rows: Result of each fault, as plain data.
    """

    text: str
    failed: int
    rows: List[Dict[str, Any]]


def loop_section(folder: PolicyFolder, spec: RobotSpec) -> Section:
    """Run the fault matrix on the stepped clock."""
    outcomes = list(fault_matrix.run_all(folder, spec))
    failed = sum(not one.passed for one in outcomes)
    stiff = max(one.stiff_while_fallen for one in outcomes)
    lost = sum(one.lost for one in outcomes)
    return Section(
        f'{len(outcomes) // 2} faults, standing and walking: {failed} failed. Steps without a '
        f'finite command: {lost}. The longest that a robot lay before it was damped: '
        f'{1e3 * stiff:.0f} ms.\n\n{fault_matrix.table(outcomes)}', failed,
        [asdict(one) for one in outcomes])


def dds_section(folder: PolicyFolder, spec: RobotSpec) -> Section:
    """Run the faults that need processes; rclpy is initialised."""
    outcomes = tuple(dds_faults.run_dds_faults(folder, spec))
    failed = sum(not one.passed for one in outcomes)
    return Section(f'{len(outcomes) // 2} faults, standing and walking: {failed} failed.\n\n'
                   f'{dds_faults.dds_table(outcomes)}', failed, [asdict(one) for one in outcomes])


def wire_section(folder: PolicyFolder, spec: RobotSpec) -> Section:
    """Run the faults between driver and robot; rclpy is initialised."""
    outcomes = list(wire_faults.run_wire_faults(folder, spec))
    failed = sum(not one.passed for one in outcomes)
    return Section(
        f'{len(outcomes) // 2} faults, standing and walking: {failed} not damped within '
        f'{wire_faults.IN_TIME:g} s.\n\n{wire_faults.wire_table(outcomes)}', failed,
        [asdict(one) for one in outcomes])


def viewer_section(folder: PolicyFolder, spec: RobotSpec) -> Section:
    """Test failures of a driving client, and unauthorised clients; rclpy is initialised."""
    outcomes = tuple(viewer_faults.run_viewer_faults(folder, spec))
    failed = sum(not one.passed for one in outcomes)
    return Section(f'{len(outcomes)} faults of a client that drives: {failed} failed.\n\n'
                   f'{viewer_faults.viewer_table(outcomes)}', failed,
                   [asdict(one) for one in outcomes])


def policy_section(folder: PolicyFolder, count: int) -> Section:
    """Test the named breakages of policy folders, and ``count`` random mutations."""
    broken = breakages.break_by_name(folder.path)
    wrong = sum(text.startswith(('opened', 'ran code', 'unexpected')) for _, text in broken)
    result = policy_fuzz.fuzz(folder.path, count)
    lines = ['| broken | refused with |', '|---|---|']
    lines += [f'| {name} | {text[:140].replace("|", "/")} |' for name, text in broken]
    return Section(
        f'{len(broken)} ways by name: {wrong} opened, ran code or raised an error that is not '
        f'ours.\n\n{policy_fuzz.summary(result)}\n\n' + '\n'.join(lines), wrong + result.failed,
        [{'fault': name, 'reason': text} for name, text in broken] +
        [{'fault': 'by chance', 'tried': count}] +
        [asdict(one) for one in result.tried if one.wrong] +
        [{'fault': 'crashed', 'seed': seed} for seed in result.crashed])


def swap_section(folder: PolicyFolder, spec: RobotSpec, count: int) -> Section:
    """Swap mutated policy folders into a running node; rclpy is initialised."""
    result = swap_beat.swap_many(folder, spec, count)
    return Section(swap_beat.summary(result), 0 if result.passed else 1, [asdict(result)])


def train_section(kills: int) -> Section:
    """Kill trainings at random times and resume them."""
    results = kill_training.kill_and_resume(kills)
    failed = sum(one.failed for one in results)
    faults = [f'- {text}' for one in results for text in one.faults]
    return Section(
        f'{sum(one.kills for one in results)} kills, '
        f'{sum(one.in_write for one in results)} of them inside the write of a checkpoint, each '
        f'resumed: {sum(one.lost for one in results)} checkpoints lost, '
        f'{sum(len(one.faults) for one in results)} broken.\n\n' + '\n'.join(
            [kill_training.table(results), *([''] if faults else []), *faults]),
        failed, [asdict(one) for one in results])


def cli_section(tries: int) -> Section:
    """Test random command lines."""
    outcomes = fuzz.fuzz(tries)
    bad = [one for one in outcomes if one.problem]
    return Section(fuzz.summary(outcomes), len(bad), [asdict(one) for one in bad])
