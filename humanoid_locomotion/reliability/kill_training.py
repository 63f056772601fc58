# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Kills training processes (SIGKILL) at random times and resumes them: no data may be lost.

Each training is a separate process, started from the command line. Its checkpoints are written
slowly, so that many kills happen during a write. At the end every checkpoint, the metrics and the
sample count are compared with the processes that were started and killed.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
import functools
import itertools
import json
from pathlib import Path
import random
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

EVERY = 2  # iterations between two checkpoints
STEPS = 4  # control steps of a rollout
ROBOTS = (3, 4, 5)  # the number changes from one start to the next
WRITE_TIME = 0.3  # duration of the write of a checkpoint [s]
SPAN = 2.0  # kills happen within this time after the start of training or of the process [s]
PATIENCE = 180.0  # a process without progress for this time counts as hung [s]
SETTINGS = (
    '--set', f'run.checkpoint_every={EVERY}', '--set', f'ppo.rollout_steps={STEPS}',
    '--set', 'ppo.hidden_sizes=[16, 8]', '--set', 'ppo.epochs=1', '--set', 'ppo.minibatches=2')
ENDLESS = 1_000_000
# Times of every ten kills: during the write of a checkpoint, at any time during training,
# and during the start of the process.
MOMENTS = ('write', 'training') * 4 + ('write', 'start')

_SLOW_TRAINING = f"""
import sys, time
from humanoid_locomotion.cli.main import main
from humanoid_locomotion.training.run import durable
def pour(file, data):
    part = len(data) // 10 + 1
    for begin in range(0, len(data), part):
        file.write(data[begin:begin + part])
        file.flush()
        time.sleep({WRITE_TIME} / 10)
durable.pour = pour
main()
"""
# Reads the result of a training with the package itself: iteration, samples, segments.
_READ = """
import json, pathlib, sys
from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.training.run import checkpoint
found = {}
for path in sorted(pathlib.Path(sys.argv[1], 'checkpoints').glob('*.pt')):
    try:
        content = checkpoint.load(path, 'cpu')
    except LocomotionError as error:
        found[path.name] = str(error)
    else:
        found[path.name] = {key: content[key] for key in ('iteration', 'samples', 'segments')}
print(json.dumps(found))
"""


@dataclass
class Killed:
    """Result of a series of kills.

    Attributes:
        kills: Number of kills.
        in_write: Number of kills during the write of a checkpoint.
        in_start: Number of kills before training started or was resumed.
        checkpoints: Number of checkpoints written.
        lost: Number of checkpoints that existed before a kill and not after it.
        repeated: Largest number of iterations that had to be repeated after a kill.
        faults: Any other problem, one sentence each.
    """

    kills: int = 0
    in_write: int = 0
    in_start: int = 0
    checkpoints: int = 0
    lost: int = 0
    repeated: int = 0
    faults: List[str] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """Number of problems."""
        return self.lost + len(self.faults)


@dataclass(frozen=True)
class _Start:
    """One process: its number of robots, and the newest checkpoint before and after it."""

    robots: int
    before: int
    after: int


class _Run:
    """One run folder, and the training processes that use it."""

    def __init__(self, folder: Path, seed: int):
        self._folder, self._log = folder / 'run', folder / 'log.txt'
        self._random, self._starts = random.Random(seed), list[_Start]()
        self.result = Killed()

    def numbers(self) -> List[int]:
        """Return the iterations of the checkpoints that have their final name."""
        return sorted(int(path.stem) for path in self._folder.glob('checkpoints/*.pt'))

    def kill_one(self, moment: str) -> None:
        """Start or resume the training, kill it, and check the remaining files."""
        before, robots = self.numbers(), self._random.choice(ROBOTS)
        began = time.time()
        process = self._train(robots, ENDLESS)
        reached = self._wait_for(moment, process, began)
        process.kill()
        code = process.wait()
        if code != -signal.SIGKILL or not reached:
            self.result.faults.append(
                f'kill {self.result.kills + 1} ({moment}): '
                + (f'exit code {code}: {self._last_line()}' if code != -signal.SIGKILL
                   else 'nothing happened before it'))
        after = self.numbers()
        self.result.kills += 1
        self.result.in_write += self._half_written(began) is not None
        self.result.in_start += not self._is_training(process.pid)
        self.result.lost += len(set(before) - set(after))
        if after:
            self._starts.append(_Start(robots, before[-1] if before else 0, after[-1]))
            again = self._last_logged() - after[-1]
            self.result.repeated = max(self.result.repeated, again)
            if again > EVERY:
                self.result.faults.append(f'{again} iterations lost at iteration {after[-1]}')

    def finish(self) -> None:
        """Resume a last time, to the end, and check all results."""
        before, robots, faults = self.numbers(), ROBOTS[0], self.result.faults
        target = (before[-1] if before else 0) + EVERY + 1
        code = self._train(robots, target).wait(PATIENCE)
        if code != 0:
            faults.append(f'the last training ended with {code}: {self._last_line()}')
            return
        self._starts.append(_Start(robots, before[-1] if before else 0, target))
        found: Dict[str, Any] = json.loads(subprocess.run(
            [sys.executable, '-c', _READ, str(self._folder)], check=True, capture_output=True,
            text=True).stdout)
        self.result.checkpoints = len(found)
        trained = [Part(one.before + 1, one.after, (one.after - one.before) * one.robots * STEPS)
                   for one in self._starts if one.after > one.before]
        faults += compare(found, [json.loads(line) for line in self._lines()], trained)

    def _train(self, robots: int, iterations: int) -> subprocess.Popen:
        where = ['--resume'] if self.numbers() else ['--output']
        settings = () if self.numbers() else SETTINGS
        with self._log.open('w', encoding='utf-8') as log:
            return subprocess.Popen(
                [sys.executable, '-c', _SLOW_TRAINING, 'train', '--backend', 'mujoco',
                 '--device', 'cpu', '--num-envs', str(robots), '--iterations', str(iterations),
                 *where, str(self._folder), *settings], stdout=log, stderr=log)

    def _wait_for(self, moment: str, process: subprocess.Popen, began: float) -> bool:
        """Wait for the time of a kill; return whether it was reached."""
        if moment == 'start':
            time.sleep(self._random.uniform(0.0, SPAN))
            return True
        if not self._until(lambda: self._is_training(process.pid), process):
            return False
        if moment == 'training':
            time.sleep(self._random.uniform(0.0, SPAN))
            return True
        for _ in range(self._random.randint(1, 4)):
            earlier = (None, self._half_written(began))
            if not self._until(functools.partial(self._writes_another, began, earlier), process):
                return False
        time.sleep(self._random.uniform(0.0, WRITE_TIME))
        return True

    def _until(self, condition: Callable[[], bool], process: subprocess.Popen) -> bool:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and process.poll() is None:
            if condition():
                return True
            time.sleep(0.01)
        return False

    def _half_written(self, began: float) -> Optional[Path]:
        for path in self._folder.glob('checkpoints/*.unfinished'):
            try:
                if path.stat().st_mtime >= began:
                    return path
            except FileNotFoundError:  # just renamed
                continue
        return None

    def _writes_another(self, began: float, earlier: Tuple[Optional[Path], ...]) -> bool:
        return self._half_written(began) not in earlier

    def _is_training(self, pid: int) -> bool:
        lock = self._folder / '.lock'
        return lock.is_file() and lock.read_text(encoding='utf-8').startswith(f'{pid} ')

    def _lines(self) -> List[str]:
        path = self._folder / 'metrics.jsonl'
        return path.read_text(encoding='utf-8').splitlines() if path.is_file() else []

    def _last_logged(self) -> int:
        """Return the iteration of the last complete line."""
        for line in reversed(self._lines()):
            try:
                return int(json.loads(line)['iteration'])
            except ValueError:
                continue
        return 0

    def _last_line(self) -> str:
        return (self._log.read_text(encoding='utf-8').strip().splitlines() or [''])[-1]


class Part(NamedTuple):
    """Saved part of the training by one process: first and last iteration, samples."""

    first: int
    last: int
    samples: int


def compare(checkpoints: Dict[str, Any], lines: List[Dict[str, Any]],
            trained: List[Part]) -> List[str]:
    """Return the problems of the files of a run, one sentence each.

    Args:
        checkpoints: By file name: ``iteration``, ``samples`` and ``segments``, or why it cannot be
            read.
        lines: Lines of ``metrics.jsonl``.
        trained: The parts that were trained, by the files before and after each process.
    """
    faults = [text for text in checkpoints.values() if isinstance(text, str)]
    last = checkpoints.get(f'{trained[-1].last:06d}.pt')
    if not isinstance(last, dict):
        return [*faults, f'the last checkpoint is not of iteration {trained[-1].last}']
    told = [Part(it['first'], it['last'], it['samples']) for it in last['segments']]
    if told != trained:
        faults.append(f'the last checkpoint records {told}, expected {trained}')
    if last['samples'] != sum(part.samples for part in trained):
        faults.append(f"counted {last['samples']} samples, expected {trained}")
    each = {i: part.samples // (part.last - part.first + 1)
            for part in trained for i in range(part.first, part.last + 1)}
    if [line['iteration'] for line in lines] != sorted(each):
        faults.append('metrics.jsonl lacks or repeats iterations')
    elif [line['samples'] for line in lines] != list(itertools.accumulate(
            each[i] for i in sorted(each))):
        faults.append('the sample counts in metrics.jsonl differ from those trained')
    return faults


def kill_in_one_folder(kills: int, seed: int) -> Killed:
    """Kill and resume one run again and again."""
    with tempfile.TemporaryDirectory() as folder:
        run = _Run(Path(folder), seed)
        moments = random.Random(seed)
        order = [MOMENTS[i % len(MOMENTS)] for i in range(kills)]
        moments.shuffle(order)
        for moment in order:
            run.kill_one(moment)
        run.finish()
        return run.result


def kill_and_resume(kills: int, folders: int = 2) -> List[Killed]:
    """Kill trainings in several run folders at the same time.

    Args:
        kills: Number of kills in total.
        folders: Number of run folders.
    """
    shares = [kills // folders + (i < kills % folders) for i in range(folders)]
    with ThreadPoolExecutor(folders) as pool:
        return list(pool.map(kill_in_one_folder, shares, range(1, folders + 1)))


def table(results: List[Killed]) -> str:
    """Return the results as a Markdown table."""
    lines = ['| run | kills | inside the write of a checkpoint | while starting '
             '| checkpoints written | lost | most iterations trained again | broken |',
             '|---|---|---|---|---|---|---|---|']
    lines += [f'| {i} | {one.kills} | {one.in_write} | {one.in_start} | {one.checkpoints} '
              f'| {one.lost} | {one.repeated} | {len(one.faults)} |'
              for i, one in enumerate(results, start=1)]
    return '\n'.join(lines)
