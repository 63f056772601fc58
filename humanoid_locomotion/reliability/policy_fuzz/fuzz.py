# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Random mutations of policy folders: which open although they should not, and the cost.

Every file is changed according to its format (:mod:`mutate_text`, :mod:`mutate_npz`,
:mod:`mutate_onnx`, :mod:`mutate_files`) and signed again, so that the parsers are reached; a
changed contract often also gets its fingerprint and the copy in the network updated. A tenth is
damaged and not signed.

A folder may open if its contract is within the robot's bounds and it behaves like the original:
the original golden steps replay with its contract and its network. A file with content that no
policy may have (:attr:`Mutation.never`) must always be refused. A changed scorecard must not
prevent a policy from opening; its envelope must be reported as unknown, or have values that a
robot can reach.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
import json
import multiprocessing
from pathlib import Path
import signal
import tempfile
import time
from typing import Any, Callable, List, Optional, Tuple

import numpy as np

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.content import SCORECARD
from humanoid_locomotion.core.policy.folder import (
    PolicyFolder,
    open_policy,
    read_golden,
    replay_golden,
)
from humanoid_locomotion.core.policy.speed_envelope import MAX_SPEED, Envelope
from humanoid_locomotion.core.policy.vetting import MAX_MEMORY, memory_in_use, vet
from humanoid_locomotion.core.robot import RobotSpec, load_robot
from humanoid_locomotion.core.robot_bounds import check_contract
from humanoid_locomotion.reliability.policy_fuzz.mutate_files import damage, mutate_kind
from humanoid_locomotion.reliability.policy_fuzz.mutate_npz import mutate_golden
from humanoid_locomotion.reliability.policy_fuzz.mutate_onnx import mutate_network
from humanoid_locomotion.reliability.policy_fuzz.mutate_text import (
    mutate_contract,
    mutate_scorecard,
)
from humanoid_locomotion.reliability.policy_fuzz.mutation import (
    Mutate,
    Mutation,
    copy_folder,
    remove_folder,
    sign,
)

BATCH = 50
ISOLATED = 47  # one folder in this number is opened in another process, like in the node
HANG = 20  # [s] after which an opening counts as hung and its process is killed
MAX_SECONDS = 3.0  # longest duration of one opening
CONTEXT = multiprocessing.get_context('spawn')
GRAMMARS: Tuple[Tuple[str, Mutate], ...] = (
    ('YAML', mutate_contract), ('npz', mutate_golden), ('JSON', mutate_scorecard),
    ('protobuf', mutate_network), ('YAML', mutate_contract), ('protobuf', mutate_network),
    ('npz', mutate_golden), ('protobuf', mutate_network), ('file', mutate_kind),
    ('damage', damage))


@dataclass(frozen=True)
class Tried:
    """Result of one folder.

    Attributes:
        grammar: Format according to which it was changed.
        mutation: The change.
        sentence: Error message of its refusal; empty if it opened.
        wrong: Why the result is wrong; empty if it is right.
        seconds: Duration of opening [s].
        wall: Duration including the start of the process that opened it, if separate [s].
        memory: Resident memory in addition to that before any opening [bytes].
        isolated: Whether another process opened it.
    """

    grammar: str
    mutation: Mutation
    sentence: str
    wrong: str
    seconds: float
    wall: float
    memory: int
    isolated: bool


Batch = Callable[[Path, int, int], List[Tried]]


@dataclass(frozen=True)
class FuzzResult:
    """Results of all folders.

    Attributes:
        tried: One result per folder that did not crash its process.
        crashed: The seeds of the folders that crashed or hung.
    """

    tried: Tuple[Tried, ...]
    crashed: Tuple[int, ...]

    @property
    def failed(self) -> int:
        """Number of failed folders."""
        return len(self.crashed) + sum(bool(one.wrong) for one in self.tried)


class Judge:
    """Compares mutated folders with the original.

    Args:
        source: The original folder.
        robot: The robot of the policy.
    """

    def __init__(self, source: Path, robot: Optional[RobotSpec] = None):
        self._golden = read_golden(source / 'golden.npz')
        self._robot = robot or load_robot(open_policy(source, 'onnxruntime').contract.robot)

    def wrong(self, opened: PolicyFolder, mutation: Mutation) -> str:
        """Return the reason why a folder should not have opened; empty if it may open."""
        if mutation.file != SCORECARD:
            if mutation.never:
                return 'opened, and has content that no policy may have'
            try:
                replay_golden(opened.contract, opened.policy, self._golden, opened.path)
            except LocomotionError as error:
                return f'opened, and behaves differently: {error}'
        return _wrong_envelope(opened.envelope, mutation)

    def open(self, folder: Path) -> PolicyFolder:
        """Open a folder in this process like the node, including the check against the robot."""
        opened = open_policy(folder, 'onnxruntime')
        check_contract(opened.contract, self._robot, folder)
        return opened


def _wrong_envelope(envelope: Envelope, mutation: Mutation) -> str:
    try:
        published = json.loads(envelope.to_json(), parse_constant=_refuse)
    except ValueError as error:
        return f'its envelope is not JSON ({error})'
    numbers: List[Any] = [published[key] for key in ('trained', 'reached', 'dead_zone',
                                                     'threshold')]
    numbers += [row[key] for row in published['responses'] for key in ('command', 'velocity')]
    if not np.all(np.abs(np.hstack([np.ravel(it) for it in numbers])) <= MAX_SPEED):
        return 'its envelope has speeds that no robot reaches'
    if mutation.never and mutation.file == SCORECARD and not envelope.problem:
        return 'its scorecard was used'
    return ''


def _refuse(text: str) -> float:
    raise ValueError(text)


def tamper(source: Path, folder: Path, seed: int) -> Tuple[str, Mutation]:
    """Copy a folder and change one of its files.

    Args:
        source: The folder to copy.
        folder: The new folder; must not exist.
        seed: Random seed.

    Returns:
        The format according to which the file was changed, and the change.
    """
    grammar, mutate = GRAMMARS[seed % len(GRAMMARS)]
    copy_folder(source, folder)
    mutation = mutate(folder, np.random.default_rng(seed))
    if mutate is not damage and mutation.file != 'SHA256SUMS':
        sign(folder)
    return grammar, mutation


def fuzz(source: Path, count: int, processes: int = 2, first: int = 0,
         run: Optional[Batch] = None) -> FuzzResult:
    """Tamper with folders by chance, and open them.

    Args:
        source: The folder to copy.
        count: Number of folders.
        processes: Number of parallel processes.
        first: The first seed.
        run: Function that mutates and opens a batch; for tests.
    """
    run = run or _batch
    tried: List[Tried] = []
    crashed: List[int] = []
    tasks = [(seed, min(BATCH, first + count - seed))
             for seed in range(first, first + count, BATCH)]
    with ProcessPoolExecutor(processes, mp_context=CONTEXT) as pool:
        running = [(task, pool.submit(run, source, *task)) for task in tasks]
        left = []
        for task, future in running:
            try:
                tried += future.result()
            except BrokenProcessPool:  # the crashed folder is not known yet
                left.append(task)
    for task in left:
        more, lost = _alone(run, source, *task)
        tried += more
        crashed += lost
    return FuzzResult(tuple(tried), tuple(crashed))


def _alone(run: Batch, source: Path, first: int, count: int) -> Tuple[List[Tried], List[int]]:
    """Run a batch in a separate process; if that crashes, each of its folders in one."""
    with ProcessPoolExecutor(1, mp_context=CONTEXT) as pool:
        try:
            return pool.submit(run, source, first, count).result(), []
        except BrokenProcessPool:
            if count == 1:
                return [], [first]
    parts = [_alone(run, source, first + i, 1) for i in range(count)]
    return [one for tried, _ in parts for one in tried], [it for _, lost in parts for it in lost]


def _batch(source: Path, first: int, count: int) -> List[Tried]:
    judge = Judge(source)
    before = memory_in_use('VmRSS')
    with tempfile.TemporaryDirectory() as temporary:
        folder, results = Path(temporary) / 'policy', []
        for seed in range(first, first + count):
            grammar, mutation = tamper(source, folder, seed)
            results.append(_isolated(folder, grammar, mutation) if seed % ISOLATED == 1 else
                           _try(folder, grammar, mutation, judge, before))
            remove_folder(folder)
    return results


def _try(folder: Path, grammar: str, mutation: Mutation, judge: Judge, before: int) -> Tried:
    """Open a folder in this process, which is killed if that takes too long."""
    Path('/proc/self/clear_refs').write_text('5', encoding='ascii')  # resets VmHWM
    sentence = wrong = ''
    opened: Optional[PolicyFolder] = None
    signal.alarm(HANG)
    begin = time.monotonic()
    try:
        opened = judge.open(folder)
    except LocomotionError as error:
        sentence = str(error)
    except Exception as error:
        sentence = wrong = f'unexpected {type(error).__name__}: {error}'[:300]
    seconds = time.monotonic() - begin
    signal.alarm(0)
    memory = max(0, memory_in_use('VmHWM') - before)
    if opened is not None:
        wrong = judge.wrong(opened, mutation)
    elif not wrong:
        wrong = _wrong_refusal(mutation, sentence)
    return Tried(grammar, mutation, sentence, wrong or _costly(seconds, memory), seconds, seconds,
                 memory, False)


def _isolated(folder: Path, grammar: str, mutation: Mutation) -> Tried:
    """Open a folder in another process; its behaviour is checked for the other folders."""
    begin = time.monotonic()
    answer = vet(folder)
    wall = time.monotonic() - begin
    wrong = ''
    if not answer.problem and mutation.never and mutation.file != SCORECARD:
        wrong = 'opened, and has content that no policy may have'
    elif answer.problem.startswith('cannot be opened'):
        wrong = answer.problem  # an error that no check of this package has found
    return Tried(grammar, mutation, answer.problem,
                 wrong or _wrong_refusal(mutation, answer.problem)
                 or _costly(answer.seconds, answer.memory), answer.seconds, wall, answer.memory,
                 True)


def _wrong_refusal(mutation: Mutation, sentence: str) -> str:
    if sentence and mutation.file == SCORECARD:
        return 'refused, although only its scorecard is invalid'
    if len(sentence) > 2500 or not sentence.isprintable():
        return 'refused without a valid error message'
    return ''


def _costly(seconds: float, memory: int) -> str:
    if seconds > MAX_SECONDS:
        return f'took {seconds:.1f} s'
    return f'took {memory / 1e6:.0f} MB' if memory > MAX_MEMORY else ''


def summary(result: FuzzResult) -> str:
    """Return results and cost of the folders, in Markdown."""
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
