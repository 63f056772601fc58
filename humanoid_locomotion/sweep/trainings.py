# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs the training of a trial with one seed, and measures the objective."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import json
import math
from pathlib import Path
import statistics
import subprocess
import time
from typing import IO, Any, NamedTuple

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.reading.config import read_yaml
from humanoid_locomotion.evaluation.gates import LINES
from humanoid_locomotion.evaluation.scorecard import read_scorecard
from humanoid_locomotion.sweep.config import REWARD, TIME, SweepConfig, as_yaml
from humanoid_locomotion.training.monitoring.metrics_writer import METRICS
from humanoid_locomotion.training.monitoring.scorecard_watch import CANDIDATE
from humanoid_locomotion.training.run import durable, run_folder
from humanoid_locomotion.training.run.stop_signals import StopSignals

LAST = 10  # iterations whose mean reward is the objective `reward`
POLL = 0.1  # [s]
Command = Callable[[Sequence[str]], list[str]]


class TrainOptions(NamedTuple):
    """Options of ``train`` that all trials share, as words.

    Attributes:
        begin: Those of a new run.
        resume: Those that a run is resumed with; its config is in its checkpoint.
    """

    begin: list[str]
    resume: list[str]


class StoppedError(Exception):
    """A signal stopped the sweep; the trial can be continued."""


class Trainings:
    """Runs trainings and evaluations in processes of their own.

    Args:
        config: The sweep.
        options: Options of ``train`` for every trial.
        robot: Folder of the robot.
        command: Returns the command that runs a command line of this package.
        stop: Signals, which are passed on.
    """

    def __init__(self, config: SweepConfig, options: TrainOptions, robot: str, command: Command,
                 stop: StopSignals):
        self._config, self._options, self._robot = config, options, robot
        self._command, self._stop = command, stop

    def value(self, run: Path, values: dict[str, Any], seed: str, lock: IO[str]) -> float:
        """Train, or continue a training that was interrupted; return the value of the objective.

        Args:
            run: The run folder.
            values: Values of the parameters by key; those of a list are YAML.
            seed: Seed of the run.
            lock: An open file, which the processes inherit.

        Raises:
            LocomotionError: The training or the evaluation failed.
            StoppedError: A signal stopped it.
        """
        objective = self._config.objective
        if not _is_finished(run):
            if run_folder.checkpoints_of(run):
                words = ['train', *self._options.resume, '--resume', str(run)]
            else:
                words = ['train', *self._options.begin, '--seed', seed, '--output', str(run)]
                for key, it in values.items():
                    words += ['--set', f'{key}={it if isinstance(it, str) else as_yaml(it)}']
            self._call([*words, *['--until-scorecard'] * (objective == TIME)], run, lock)
        if objective == REWARD:
            last = _metrics(run)[-LAST:]
            return statistics.fmean(line['reward/total'] for line in last)
        if objective == TIME:
            return _metrics(run)[-1]['speed/seconds'] if _passed(run) else math.inf
        policy = run / 'policy'
        self._call(['policy', 'export', str(run), '--output', str(policy)], run, lock)
        self._call(['evaluate', str(policy), '--robot', self._robot, '--quick'], run, lock,
                   accepted=(0, 1))
        # The lines of a small robot are named after the lower speeds that it is asked for.
        line = read_scorecard(policy / 'scorecard.json').criteria[
            [it.name for it in LINES].index(objective)]
        worst = -math.inf if self._config.more_is_better else math.inf
        return worst if line.measured[0] is None else line.measured[0]

    def _call(self, words: Sequence[str], run: Path, lock: IO[str],
              accepted: tuple[int, ...] = (0,)) -> None:
        """Run a command line of this package; its output is appended to the log of the run."""
        path = run.with_suffix('.log')
        with durable.named_errors(path), path.open('a', encoding='utf-8') as log:
            process = subprocess.Popen(self._command(words), stdout=log, stderr=log,
                                       pass_fds=(lock.fileno(),), start_new_session=True)
        told = False
        while process.poll() is None:
            if self._stop.caught is not None and not told:
                process.send_signal(self._stop.caught)
                told = True
            time.sleep(POLL)
        if self._stop():
            raise StoppedError
        if process.returncode not in accepted:
            lines = path.read_text(encoding='utf-8', errors='replace').split('\n')
            last = next((line for line in reversed(lines) if line.strip()), 'no output')
            raise LocomotionError(f'{last.strip().removeprefix("error: ")} ({path})')


def _is_finished(run: Path) -> bool:
    """Return whether a training came to its end, before an interruption of the sweep."""
    done = run_folder.checkpoints_of(run)
    if not done:
        return False
    iterations = read_yaml(run / 'config.yaml')['run']['iterations']
    return int(done[-1].stem) >= iterations or _passed(run)


def _passed(run: Path) -> bool:
    """Return whether a policy of a run passed the scorecard."""
    path = run / CANDIDATE / 'scorecard.json'
    return path.is_file() and read_scorecard(path).passed


def _metrics(run: Path) -> list[dict[str, float]]:
    lines = (run / METRICS).read_text(encoding='utf-8').splitlines()
    return [json.loads(line) for line in lines]
