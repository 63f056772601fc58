"""Policy folders that are tampered with by chance: what opens though it should not, and the cost.

Every file is changed as the grammar that it is (:mod:`mutate_text`, :mod:`mutate_npz`,
:mod:`mutate_onnx`, :mod:`mutate_files`) and signed anew, so that the parsers are reached; a
changed contract often gets its fingerprint and the network's copy of it, too. A tenth is damaged
and not signed.

A folder that opens is right to open if its contract suits the robot and it still does what the
untouched folder does: the untouched golden steps replay with its contract and its network. What no
policy may have (:attr:`Mutation.never`) must be refused whatever it does. A changed scorecard must
not keep a policy from opening; its envelope must be said to be unknown, or hold figures that a
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
ISOLATED = 47  # every so many-th folder is opened as a node does, in another process
HANG = 20  # [s] after which an opening is given up and its process ended
MAX_SECONDS = 3.0  # what one opening may take
CONTEXT = multiprocessing.get_context('spawn')
GRAMMARS: Tuple[Tuple[str, Mutate], ...] = (
    ('YAML', mutate_contract), ('npz', mutate_golden), ('JSON', mutate_scorecard),
    ('protobuf', mutate_network), ('YAML', mutate_contract), ('protobuf', mutate_network),
    ('npz', mutate_golden), ('protobuf', mutate_network), ('file', mutate_kind),
    ('damage', damage))


@dataclass(frozen=True)
class Tried:
    """What became of one folder.

    Attributes:
        grammar: As what it was changed.
        mutation: What was changed.
        sentence: What it was refused with; empty if it opened.
        wrong: Why that is wrong; empty if it is right.
        seconds: How long opening took [s].
        wall: The same with the start of the process that opened it, where that is another [s].
        memory: How much more memory was resident than before anything was opened [bytes].
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
    """What became of all of them.

    Attributes:
        tried: One for each folder that did not crash its process.
        crashed: The seeds of those that did, or that hung.
    """

    tried: Tuple[Tried, ...]
    crashed: Tuple[int, ...]

    @property
    def failed(self) -> int:
        """How many did not end as they should."""
        return len(self.crashed) + sum(bool(one.wrong) for one in self.tried)


class Judge:
    """Knows what an untouched folder does.

    Args:
        source: The folder.
        robot: The robot that it moves.
    """

    def __init__(self, source: Path, robot: Optional[RobotSpec] = None):
        self._golden = read_golden(source / 'golden.npz')
        self._robot = robot or load_robot(open_policy(source, 'onnxruntime').contract.robot)

    def wrong(self, opened: PolicyFolder, mutation: Mutation) -> str:
        """Return why a folder should not have opened so; empty if it is right."""
        if mutation.file != SCORECARD:
            if mutation.never:
                return 'opened, and holds what no policy may have'
            try:
                replay_golden(opened.contract, opened.policy, self._golden, opened.path)
            except LocomotionError as error:
                return f'opened, and does something else: {error}'
        return _wrong_envelope(opened.envelope, mutation)

    def open(self, folder: Path) -> PolicyFolder:
        """Open a folder as a node does, here: the robot is asked, too."""
        opened = open_policy(folder, 'onnxruntime')
        check_contract(opened.contract, self._robot, folder)
        return opened


def _wrong_envelope(envelope: Envelope, mutation: Mutation) -> str:
    try:
        published = json.loads(envelope.to_json(), parse_constant=_refuse)
    except ValueError as error:
        return f'its envelope is no JSON ({error})'
    numbers: List[Any] = [published[key] for key in ('trained', 'reached', 'dead_zone',
                                                     'threshold')]
    numbers += [row[key] for row in published['responses'] for key in ('command', 'velocity')]
    if not np.all(np.abs(np.hstack([np.ravel(it) for it in numbers])) <= MAX_SPEED):
        return 'its envelope has speeds that no robot reaches'
    if mutation.never and mutation.file == SCORECARD and not envelope.problem:
        return 'its scorecard was believed'
    return ''


def _refuse(text: str) -> float:
    raise ValueError(text)


def tamper(source: Path, folder: Path, seed: int) -> Tuple[str, Mutation]:
    """Copy a folder and change one of its files.

    Args:
        source: What to copy.
        folder: Where to; must not exist.
        seed: Of all that is left to chance.

    Returns:
        As what the file was changed, and what was changed.
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
        count: How many.
        processes: How many at a time.
        first: The first seed.
        run: What tampers and opens; for tests.
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
            except BrokenProcessPool:  # which one crashed is not known yet
                left.append(task)
    for task in left:
        more, lost = _alone(run, source, *task)
        tried += more
        crashed += lost
    return FuzzResult(tuple(tried), tuple(crashed))


def _alone(run: Batch, source: Path, first: int, count: int) -> Tuple[List[Tried], List[int]]:
    """Run a batch in a process of its own; if that crashes, each folder of it in one."""
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
    """Open a folder in this process, which ends if that takes too long."""
    Path('/proc/self/clear_refs').write_text('5', encoding='ascii')  # VmHWM begins anew
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
    """Let another process open a folder; whether that is right is judged for the others."""
    begin = time.monotonic()
    answer = vet(folder)
    wall = time.monotonic() - begin
    wrong = ''
    if not answer.problem and mutation.never and mutation.file != SCORECARD:
        wrong = 'opened, and holds what no policy may have'
    elif answer.problem.startswith('cannot be opened'):
        wrong = answer.problem  # something that no check of ours has seen
    return Tried(grammar, mutation, answer.problem,
                 wrong or _wrong_refusal(mutation, answer.problem)
                 or _costly(answer.seconds, answer.memory), answer.seconds, wall, answer.memory,
                 True)


def _wrong_refusal(mutation: Mutation, sentence: str) -> str:
    if sentence and mutation.file == SCORECARD:
        return 'refused, though only its scorecard is not to be believed'
    if len(sentence) > 2500 or not sentence.isprintable():
        return 'refused with a sentence that is none'
    return ''


def _costly(seconds: float, memory: int) -> str:
    if seconds > MAX_SECONDS:
        return f'took {seconds:.1f} s'
    return f'took {memory / 1e6:.0f} MB' if memory > MAX_MEMORY else ''


def summary(result: FuzzResult) -> str:
    """Return what became of the folders, and what it cost, in Markdown."""
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
