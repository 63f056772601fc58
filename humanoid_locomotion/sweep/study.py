# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs the trials of a sweep; Optuna chooses their values and keeps the journal.

Any number of processes, on any machines that share the folder, work on one sweep. A trial is held
by a file lock, which ends with the processes that hold it: a trial that was interrupted is
continued by the next process that looks for work. Folder of a sweep::

    sweep.yaml            the sweep, and the options of train
    journal.log           Optuna's journal
    results.csv, .md      the table
    0003/seed1            run folder of trial 3 with seed 1; 0003/seed1.log is its output
    0003/values.json      objective of each seed that is done
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
import contextlib
import fcntl
import json
import os
from pathlib import Path
import statistics
from typing import IO, Any, NamedTuple, Optional

import yaml

from humanoid_locomotion.core.errors import (
    LocomotionError,
    MissingPackageError,
    RunFolderError,
)
from humanoid_locomotion.core.reading.config import read_yaml, to_mapping
from humanoid_locomotion.sweep import table
from humanoid_locomotion.sweep.config import SweepConfig
from humanoid_locomotion.sweep.trainings import (
    Command,
    StoppedError,
    Trainings,
    TrainOptions,
)
from humanoid_locomotion.training.run import durable, run_folder
from humanoid_locomotion.training.run.stop_signals import StopSignals

JOURNAL, LOCK, SWEEP, VALUES = 'journal.log', '.lock', 'sweep.yaml', 'values.json'
FAILURES = 3  # after so many, and no success, a sweep ends


class Trial(NamedTuple):
    """A trial that this process holds.

    Attributes:
        number: Its number.
        values: The values of the parameters by key.
        lock: The lock, which the processes of the trial inherit.
    """

    number: int
    values: dict[str, Any]
    lock: IO[str]


class Sweep:
    """A sweep in its folder.

    Args:
        config: The sweep.
        folder: The folder; made if it does not exist.
        options: Options of ``train`` for every trial.
        robot: Folder of the robot.
        command: Returns the command that runs a command line of this package.
        say: Prints one line.

    Raises:
        LocomotionError: Optuna is not installed, or the folder holds something else.
    """

    def __init__(self, config: SweepConfig, folder: Path, options: TrainOptions, robot: str,
                 command: Command, say: Callable[[str], None]):
        try:
            import optuna
        except ImportError as error:
            raise MissingPackageError('--sweep', 'optuna',
                                      "pip install 'humanoid_locomotion[sweep]'") from error
        self._states = optuna.trial.TrialState
        self._config, self._folder, self._say = config, folder, say
        self._distributions = {key: _distribution(it) for key, it in config.parameters.items()}
        self._stop = StopSignals()
        self._trainings = Trainings(config, options, robot, command, self._stop)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._open_folder({**to_mapping(config), 'train': options.begin})
        with durable.named_errors(folder / JOURNAL), self._alone():
            self._study = self._open_study(optuna)

    def run(self) -> tuple[int, list[dict[str, Any]]]:
        """Run trials until all are done or held by other processes.

        Returns:
            The exit code, 0 or that of a shell for a signal, and the rows of the table.

        Raises:
            LocomotionError: No trial succeeded.
        """
        with self._stop, contextlib.suppress(StoppedError):
            while not (self._stop() or self._is_hopeless()):
                trial = self._next()
                if trial is None:
                    break
                with trial.lock:
                    self._run_trial(trial)
        rows = self._write_table()
        if not self._stop() and all(row['state'] == 'failed' for row in rows):
            raise LocomotionError(f'all {len(rows)} trials in {self._folder} failed; the last '
                                  'lines of their logs contain the reasons')
        return self._stop.exit_code, rows

    def _is_hopeless(self) -> bool:
        """Return whether several trials failed and none succeeded."""
        states = [it.state for it in self._study.get_trials(deepcopy=False)]
        return (states.count(self._states.FAIL) >= FAILURES
                and self._states.COMPLETE not in states)

    def _open_folder(self, held: dict[str, Any]) -> None:
        path = self._folder / SWEEP
        if not path.is_file():
            run_folder.check_unused(self._folder)
        with durable.named_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        with self._alone():
            before = read_yaml(path) if path.is_file() else held
            for key, value in held.items():
                if key != 'trials' and before.get(key) != value:
                    raise RunFolderError(
                        self._folder, f'holds a sweep with {key} {before.get(key)}, found '
                        f'{value}; name another --output')
            durable.write(path, yaml.safe_dump(held, sort_keys=False).encode())

    def _open_study(self, optuna: Any) -> Any:
        path = self._folder / JOURNAL
        _cut_last_line(path)
        try:
            backend = optuna.storages.journal.JournalFileBackend(str(path))
            study = optuna.create_study(
                study_name='sweep', storage=optuna.storages.JournalStorage(backend),
                direction='maximize' if self._config.more_is_better else 'minimize',
                load_if_exists=True)
            trials = study.get_trials(deepcopy=False)
        except (ValueError, KeyError, TypeError, AssertionError) as error:
            raise RunFolderError(path, 'is not a journal of Optuna') from error
        known = {self._home(it.number).name for it in trials if it.state != self._states.WAITING}
        others = sorted({it.name for it in self._folder.glob('[0-9]*') if it.is_dir()} - known)
        if others:
            raise RunFolderError(path, f'does not have the trials {", ".join(others[:3])} of this '
                                 'folder: restore it, or name another --output')
        if self._config.trials is None:
            for values in self._config.combinations()[len(trials):]:
                study.enqueue_trial(values)
        return study

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep the other processes of the sweep out during the context."""
        with durable.named_errors(self._folder), (self._folder / LOCK).open('a') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _next(self) -> Optional[Trial]:
        """Return an interrupted trial, or a new one; None if there is nothing left to begin."""
        with self._alone():
            trials = [it for it in self._study.get_trials(deepcopy=False)
                      if it.state != self._states.WAITING]
            for it in trials:
                lock = self._hold(it.number) if it.state == self._states.RUNNING else None
                if lock is not None and set(it.params) != set(self._distributions):
                    lock.close()  # interrupted while its values were sampled
                    self._study.tell(it.number, state=self._states.FAIL)
                elif lock is not None:
                    return Trial(it.number, it.params, lock)
            if len(trials) >= self._config.total:
                return None
            new = self._study.ask(self._distributions)
            lock = self._hold(new.number)
            assert lock is not None  # nobody else knows of it yet
            return Trial(new.number, new.params, lock)

    def _hold(self, number: int) -> Optional[IO[str]]:
        """Return the lock of a trial; None if another process holds it."""
        self._home(number).mkdir(exist_ok=True)
        lock = (self._home(number) / LOCK).open('a', encoding='utf-8')
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return None
        return lock

    def _run_trial(self, trial: Trial) -> None:
        self._say(f'trial {trial.number}: ' + ', '.join(
            f'{key} {value}' for key, value in trial.values.items()))
        home, values = self._home(trial.number), self._values(trial.number)
        try:
            for seed in map(str, self._config.seeds):
                if seed not in values:
                    values[seed] = self._trainings.value(
                        home / f'seed{seed}', trial.values, seed, trial.lock)
                    durable.write(home / VALUES, json.dumps(values).encode())
        except LocomotionError as error:
            with self._alone():  # another process may be repairing the journal
                self._study.tell(trial.number, state=self._states.FAIL)
            self._say(f'trial {trial.number} failed: {error}')
        else:
            value = statistics.median(values.values())
            with self._alone():
                self._study.tell(trial.number, value)
            self._say(f'trial {trial.number}: {self._config.objective} {value:.4g}')
        self._write_table()

    def _home(self, number: int) -> Path:
        return self._folder / f'{number:04d}'

    def _values(self, number: int) -> dict[str, float]:
        """Return the values of the objective of the seeds that are done."""
        path = self._home(number) / VALUES
        try:
            return dict(json.loads(path.read_text(encoding='utf-8'))) if path.is_file() else {}
        except (ValueError, TypeError) as error:
            raise RunFolderError(path, 'is not the JSON that a sweep writes') from error

    def _write_table(self) -> list[dict[str, Any]]:
        """Write the table; return its rows, best first."""
        rows = []
        for it in self._study.get_trials(deepcopy=False):
            if it.state == self._states.WAITING:
                continue
            state = {'FAIL': 'failed', 'RUNNING': 'running'}.get(it.state.name, 'done')
            row = {'trial': it.number, 'state': state, self._config.objective: it.value}
            if len(self._config.seeds) > 1:
                values = self._values(it.number)
                row.update({f'seed {seed}': values.get(str(seed))
                            for seed in self._config.seeds})
            rows.append({**row, **{key: it.params.get(key) for key in self._distributions}})
        sign = -1.0 if self._config.more_is_better else 1.0

        def rank(row: dict[str, Any]) -> tuple[bool, float]:
            value = row[self._config.objective]
            return value is None, 0.0 if value is None else sign * value

        rows.sort(key=rank)
        with self._alone():
            table.write(self._folder, rows)
        return rows


def _cut_last_line(path: Path) -> None:
    """Remove the line at the end of a journal that a process began to write as it was killed."""
    text = path.read_bytes() if path.is_file() else b''
    if not text.endswith(b'\n') and text:
        os.truncate(path, text.rfind(b'\n') + 1)


def _distribution(parameter: Any) -> Any:
    """Return what Optuna samples a parameter from."""
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )
    span = parameter.range
    if span is None:
        return CategoricalDistribution(parameter.choices)
    whole = isinstance(span.low, int) and isinstance(span.high, int)
    return (IntDistribution if whole else FloatDistribution)(span.low, span.high, log=span.log)
