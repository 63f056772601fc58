"""What the faults came to, as sections of ``docs/reliability.md``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Dict, List

from humanoid_locomotion.core.policy import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.reliability import (
    dds_faults,
    matrix,
    policy_breakages,
    policy_fuzz,
    swap_beat,
)


@dataclass(frozen=True)
class Section:
    """One part of the report.

    Attributes:
        text: Markdown.
        failed: How many faults did not end as they should.
        rows: What came of each, for machines.
    """

    text: str
    failed: int
    rows: List[Dict[str, Any]]


def loop_section(folder: PolicyFolder, spec: RobotSpec) -> Section:
    """Run the fault matrix on the stepped clock."""
    outcomes = list(matrix.run_all(folder, spec))
    failed = sum(not one.passed for one in outcomes)
    stiff = max(one.stiff_while_fallen for one in outcomes)
    lost = sum(one.lost for one in outcomes)
    return Section(
        f'{len(outcomes) // 2} faults, standing and walking: {failed} failed. Steps without a '
        f'finite command: {lost}. The longest that a robot lay before it was damped: '
        f'{1e3 * stiff:.0f} ms.\n\n{matrix.table(outcomes)}', failed,
        [asdict(one) for one in outcomes])


def dds_section(folder: PolicyFolder, spec: RobotSpec) -> Section:
    """Run the faults that need processes; rclpy is initialised."""
    outcomes = tuple(dds_faults.run_dds_faults(folder, spec))
    failed = sum(not one.passed for one in outcomes)
    return Section(f'{len(outcomes) // 2} faults, standing and walking: {failed} failed.\n\n'
                   f'{dds_faults.dds_table(outcomes)}', failed, [asdict(one) for one in outcomes])


def policy_section(folder: PolicyFolder, count: int) -> Section:
    """Break policy folders by name, and tamper with ``count`` by chance."""
    broken = policy_breakages.break_by_name(folder.path)
    wrong = sum(text.startswith(('opened', 'ran code', 'unexpected')) for _, text in broken)
    result = policy_fuzz.fuzz(folder.path, count)
    lines = ['| broken | refused with |', '|---|---|']
    lines += [f'| {name} | {text[:140].replace("|", "/")} |' for name, text in broken]
    return Section(
        f'{len(broken)} ways by name: {wrong} opened, ran code or raised an error that is not '
        f'ours.\n\n{_fuzz_text(result)}\n\n' + '\n'.join(lines), wrong + result.failed,
        [{'fault': name, 'reason': text} for name, text in broken] +
        [asdict(one) for one in result.tried if one.wrong] +
        [{'fault': 'crashed', 'seed': seed} for seed in result.crashed])


def _fuzz_text(result: policy_fuzz.FuzzResult) -> str:
    tried = result.tried
    lines = ['| changed as | folders | refused | opened, and right to | failed | longest [s] | '
             'most memory [MB] |', '|---|---|---|---|---|---|---|']
    for grammar in dict.fromkeys(one.grammar for one in tried):
        own = [one for one in tried if one.grammar == grammar]
        failed = sum(bool(one.wrong) for one in own)
        opened = sum(not one.sentence and not one.wrong for one in own)
        lines.append(f'| {grammar} | {len(own)} | {len(own) - failed - opened} | {opened} '
                     f'| {failed} | {max(one.seconds for one in own):.2f} '
                     f'| {max(one.memory for one in own) / 1e6:.0f} |')
    isolated = [one for one in tried if one.isolated]
    apart = (f' {len(isolated)} of them were opened by another process, as a node does: the '
             f'longest took {max(one.wall for one in isolated):.2f} s, with the start of that '
             'process.' if isolated else '')
    wrong = [f'\n\nFailed: {one.mutation.file}, {one.mutation.name}: {one.wrong}'
             for one in tried if one.wrong]
    return (f'By chance: {len(tried) + len(result.crashed)} folders, {result.failed} failed, '
            f'{len(result.crashed)} crashed or hung.{apart}\n\n' + '\n'.join(lines)
            + ''.join(wrong[:20]))


def swap_section(folder: PolicyFolder, spec: RobotSpec, count: int) -> Section:
    """Swap tampered folders into a node that stands; rclpy is initialised."""
    result = swap_beat.swap_many(folder, spec, count)
    accepted = '; '.join(result.accepted) or 'none'
    return Section(
        f'{result.swaps} folders, swapped one after the other into a node that stands: '
        f'{result.refused} refused, {len(result.harmless)} accepted and right to be, accepted '
        f'though they should not be: {accepted}. Meanwhile the driver got {result.commands} '
        f'commands: period p50 {1e3 * result.p50:.1f} ms, p99 {1e3 * result.p99:.1f} ms, longest '
        f'{1e3 * result.longest:.1f} ms; falls: {result.falls}. The longest answer took '
        f'{result.longest_answer:.2f} s. At the end the node is {result.state!r}.',
        0 if result.passed else 1, [asdict(result)])
