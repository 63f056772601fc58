"""Trainings that are killed (SIGKILL) at random moments and resumed: nothing may be lost.

Each training is a process of its own, started from the command line. Checkpoints are written
slowly in it, so that many kills fall into a write. At the end every checkpoint, the figures and
the count of samples are compared with what was started and killed.
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
WRITE_TIME = 0.3  # how long a checkpoint's write takes [s]
SPAN = 2.0  # within this time after training began, or a process was started [s]
PATIENCE = 180.0  # a process that does nothing for so long hangs [s]
SETTINGS = (
    '--set', f'run.checkpoint_every={EVERY}', '--set', f'ppo.rollout_steps={STEPS}',
    '--set', 'ppo.hidden_sizes=[16, 8]', '--set', 'ppo.epochs=1', '--set', 'ppo.minibatches=2')
ENDLESS = 1_000_000
# The moments of every ten kills: inside the write of a checkpoint, at any time while it trains,
# and while the process starts.
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
# What a training left, read by the package itself: of each checkpoint its samples and segments.
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
    """What a series of kills came to.

    Attributes:
        kills: How many.
        in_write: How many of them fell into the write of a checkpoint.
        in_start: How many fell before training began or went on.
        checkpoints: How many were written.
        lost: Checkpoints that were there before a kill and not after it.
        repeated: Most iterations that a kill made to be trained again.
        faults: Whatever else was not as it should be, one sentence each.
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
        """How much is wrong."""
        return self.lost + len(self.faults)


@dataclass(frozen=True)
class _Start:
    """One process: how many robots it had, and the newest checkpoint before and after it."""

    robots: int
    before: int
    after: int


class _Run:
    """One run folder, and the processes that train in it."""

    def __init__(self, folder: Path, seed: int):
        self._folder, self._log = folder / 'run', folder / 'log.txt'
        self._random, self._starts = random.Random(seed), list[_Start]()
        self.result = Killed()

    def numbers(self) -> List[int]:
        """Return the iterations of the checkpoints that have their final name."""
        return sorted(int(path.stem) for path in self._folder.glob('checkpoints/*.pt'))

    def kill_one(self, moment: str) -> None:
        """Start or resume the training, kill it, and see what is left."""
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
        """Resume a last time, to the end, and check all that is there."""
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
        """Wait for a moment; return whether it came."""
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
        """Return the last iteration whose line is whole."""
        for line in reversed(self._lines()):
            try:
                return int(json.loads(line)['iteration'])
            except ValueError:
                continue
        return 0

    def _last_line(self) -> str:
        return (self._log.read_text(encoding='utf-8').strip().splitlines() or [''])[-1]


class Part(NamedTuple):
    """What one process trained that a checkpoint kept: first and last iteration, and samples."""

    first: int
    last: int
    samples: int


def compare(checkpoints: Dict[str, Any], lines: List[Dict[str, Any]],
            trained: List[Part]) -> List[str]:
    """Return what is wrong with what a run left, one sentence each.

    Args:
        checkpoints: By file name: ``iteration``, ``samples`` and ``segments``, or why it cannot be
            read.
        lines: Of ``metrics.jsonl``.
        trained: What was trained, by the files that were there before and after each process.
    """
    faults = [text for text in checkpoints.values() if isinstance(text, str)]
    last = checkpoints.get(f'{trained[-1].last:06d}.pt')
    if not isinstance(last, dict):
        return [*faults, f'the last checkpoint is not of iteration {trained[-1].last}']
    told = [Part(it['first'], it['last'], it['samples']) for it in last['segments']]
    if told != trained:
        faults.append(f'the last checkpoint tells of {told}, trained was {trained}')
    if last['samples'] != sum(part.samples for part in trained):
        faults.append(f"counted {last['samples']} samples, trained was {trained}")
    each = {i: part.samples // (part.last - part.first + 1)
            for part in trained for i in range(part.first, part.last + 1)}
    if [line['iteration'] for line in lines] != sorted(each):
        faults.append('metrics.jsonl lacks or repeats iterations')
    elif [line['samples'] for line in lines] != list(itertools.accumulate(
            each[i] for i in sorted(each))):
        faults.append('metrics.jsonl counts other samples than were trained')
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
        kills: How many in all.
        folders: How many runs.
    """
    shares = [kills // folders + (i < kills % folders) for i in range(folders)]
    with ThreadPoolExecutor(folders) as pool:
        return list(pool.map(kill_in_one_folder, shares, range(1, folders + 1)))


def table(results: List[Killed]) -> str:
    """Return the outcome in Markdown."""
    lines = ['| run | kills | inside the write of a checkpoint | while starting '
             '| checkpoints written | lost | most iterations trained again | broken |',
             '|---|---|---|---|---|---|---|---|']
    lines += [f'| {i} | {one.kills} | {one.in_write} | {one.in_start} | {one.checkpoints} '
              f'| {one.lost} | {one.repeated} | {len(one.faults)} |'
              for i, one in enumerate(results, start=1)]
    return '\n'.join(lines)
