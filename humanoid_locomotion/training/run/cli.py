# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The command ``train``: checks its options and runs the training."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
import importlib.util
import math
import os
from pathlib import Path
import sys
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from humanoid_locomotion.core.errors import ConfigError, LocomotionError
from humanoid_locomotion.core.reading.config import to_mapping
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.training.config import MAX_ROBOTS, TrainingConfig
from humanoid_locomotion.training.config_checks import MAX_COUNT, MAX_SEED
from humanoid_locomotion.training.config_text import config_text
from humanoid_locomotion.training.monitoring import wandb_log
from humanoid_locomotion.training.run import graph_proof, run_folder, workers
from humanoid_locomotion.training.run import options as reading
from humanoid_locomotion.training.run.stop_signals import StopSignals

if TYPE_CHECKING:
    from rich.console import Console

    from humanoid_locomotion.training.run.resume import Beginning
    from humanoid_locomotion.training.run.trainer import Report, Trainer

MAX_PROCESSES = 64
MAX_MINUTES = 1e6
OUT_OF_MEMORY = ('out of memory', "can't allocate memory", 'not enough memory',
                 'could not allocate memory')


@dataclass(frozen=True)
class Options:
    """The options of the command line.

    None and empty strings select the value of the config or of the checkpoint.

    Attributes:
        config: Name or path of a training config.
        robot: Name or folder of a robot.
        backend: Name of a simulator, or ``auto``.
        device: ``auto``, ``cpu`` or ``cuda``.
        num_envs: Number of robots in each process.
        iterations: Total number of iterations.
        seed: Seed of all random numbers; 1 by default.
        output: The run folder.
        resume: Checkpoint or run folder to resume.
        accept_changes: Whether to resume although something has changed since the checkpoint.
        max_minutes: Stop after this time [min].
        until_scorecard: Stop when the policy passes the quick scorecard.
        gpus: Number of processes, one per GPU.
        deterministic: Whether the same seed must give exactly the same weights.
        graph: Whether to use CUDA graphs; None for yes, in Isaac Gym only on a machine where
            `dev check-isaacgym` has tried them.
        fuse: Whether to fuse small kernels.
        viewer: ``none``, ``web`` or ``window``.
        assignments: ``key=value`` changes of the config.
        init: Policy, checkpoint or run folder whose networks a new run begins with.
        wandb: Project of Weights & Biases to log to.
    """

    config: str
    robot: str
    backend: str
    device: str
    num_envs: Optional[int]
    iterations: Optional[int]
    seed: Optional[int]
    output: Optional[Path]
    resume: Optional[Path]
    accept_changes: bool
    max_minutes: Optional[float]
    until_scorecard: bool
    gpus: int
    deterministic: bool
    graph: Optional[bool]
    fuse: bool
    viewer: str
    assignments: Tuple[str, ...]
    init: str = ''
    wandb: str = ''

    def __post_init__(self) -> None:
        for name, value, low, high in (
                ('--num-envs', self.num_envs, 1, MAX_ROBOTS),
                ('--iterations', self.iterations, 1, MAX_COUNT),
                ('--gpus', self.gpus, 1, MAX_PROCESSES), ('--seed', self.seed, 0, MAX_SEED)):
            if value is not None and not low <= value <= high:
                raise ConfigError('train', name, f'found {value}, expected {low:,} to {high:,}')
        if self.max_minutes is not None and not 0.0 < self.max_minutes <= MAX_MINUTES:
            raise ConfigError('train', '--max-minutes', f'found {self.max_minutes}, expected '
                              f'above 0 and at most {MAX_MINUTES:,.0f}')
        if self.device not in ('auto', 'cpu', 'cuda'):
            raise ConfigError('train', '--device', f'found {self.device!r}, expected auto, cpu '
                              'or cuda')
        if self.accept_changes and self.resume is None:
            raise ConfigError('train', '--accept-changes', 'goes with --resume')
        if self.init and self.resume is not None:
            raise ConfigError('train', '--init', 'begins a new run, and --resume continues one: '
                              'leave out one of them')


def train(asked: Options, restart: Sequence[str], command: str,
          console: Console) -> Tuple[int, Optional[Dict[str, Any]]]:
    """Train with the given options.

    Args:
        asked: The options.
        restart: The arguments that start this command in another process.
        command: The command line as it was typed, for the policy's card.
        console: Console for progress and messages.

    Returns:
        The exit code (0, or that of a shell for the signal that stopped the training), and the
        summary as plain data. The summary is None in a process that only starts others and in all
        processes but the first.

    Raises:
        LocomotionError: An option is invalid, or the training failed; all written files are
            complete.
    """
    chosen = None
    if asked.backend == 'auto':
        chosen = reading.automatic(asked.device)
    else:
        reading.choose_backend(asked.backend, asked.device)  # Isaac Gym comes before PyTorch
    begun = _begun(asked)
    settings, spec = _settings(asked, begun)
    notes, backend = [], asked.backend if chosen is None else chosen.backend
    if chosen is not None and begun is not None and not begun.is_init:
        backend = _of_checkpoint(asked, begun)
    elif chosen is not None:
        settings, line = _chosen(asked, settings, chosen)
        notes.append(line)
    from humanoid_locomotion.training.run import changes, gpu_memory
    from humanoid_locomotion.training.run import resume as resuming
    from humanoid_locomotion.training.run.checkpoint import check_robot
    if begun is not None:
        check_robot(begun.content, spec.name, begun.path)
        resuming.check_unfinished(begun, settings.run.iterations)
        accept_changes = asked.accept_changes or begun.is_init
        changes.check(begun.content, begun.path, settings, spec, backend, accept_changes)
        if not begun.content['optimizer']:
            notes.append(f'{begun.path} has no state of the optimizer, which begins anew')
    from humanoid_locomotion.training.ppo.distributed import check_gpus, is_worker
    starts_others = asked.gpus > 1 and not is_worker()
    if starts_others:
        check_gpus(asked.gpus, asked.device)
    reading.check_memory(backend, settings.run.num_envs * max(
        asked.gpus, int(os.environ.get('LOCAL_WORLD_SIZE', 1))))
    if starts_others:
        return workers.run(asked.gpus, restart), None
    if asked.viewer == 'web':
        from humanoid_locomotion.training.monitoring.viewer import check_installed
        check_installed()
    if asked.wandb:
        wandb_log.check(asked.wandb)
    gpu_memory.check(settings, spec, backend, asked.device, asked.fuse)
    own_folder = None if begun is None else begun.folder
    folder = own_folder or asked.output or run_folder.dated_name(spec.name)
    seed = asked.seed if begun is None or begun.is_init else begun.content['seed']
    with enough_memory(settings.run.num_envs):
        from humanoid_locomotion.training.run.trainer import Trainer
        trainer = Trainer(
            settings, spec, backend=backend, device=asked.device, seed=1 if seed is None else seed,
            folder=folder, use_graph=graph_proof.use_graph(asked.graph, backend), fuse=asked.fuse,
            deterministic=asked.deterministic, command=command, viewer=asked.viewer == 'window',
            may_rename=own_folder is None and asked.output is None,
            start='' if begun is None else (
                f'{begun.path.stem} of run {begun.content["run"]["id"] or "without an id"}'))
        if begun is not None:
            trainer.resume(begun.path, accept_changes, new_episodes=begun.is_init)
        if not trainer.group.is_first:
            return _help(asked, trainer), None
        return _lead(asked, trainer, f'{spec.name}, {backend}', spec.folder, console, notes)


def described_config(asked: Options) -> Tuple[str, Dict[str, Any]]:
    """Return the config of the given options as YAML with comments, and as plain data.

    Raises:
        LocomotionError: An option is invalid.
    """
    begun = _begun(asked)
    resumed = None if begun is None else (begun.path, begun.content)
    chosen = reading.chosen_config(asked.config, asked.robot, resumed)
    settings, _ = _settings(asked, begun)
    unchanged = {key: reason for key, reason in chosen.reasons.items()
                 if not any(change.startswith(f'{key}=') for change in asked.assignments)}
    return config_text(settings, unchanged), {
        'config': to_mapping(settings), 'reasons': unchanged}


def reader(asked: Options) -> Callable[..., Tuple[TrainingConfig, RobotSpec]]:
    """Return a function that reads config and robot with further ``key=value`` changes.

    Raises:
        LocomotionError: An option is invalid; so does the function.
    """
    begun = _begun(replace(asked, output=None))
    return lambda *more: _settings(
        replace(asked, assignments=(*asked.assignments, *more)), begun)


def _settings(asked: Options, begun: Optional[Beginning]) -> Tuple[TrainingConfig, RobotSpec]:
    """Return config and robot; with ``--init`` the iterations count from those before."""
    settings, spec = reading.training_config(
        asked.config, asked.robot, asked.num_envs, asked.iterations, list(asked.assignments),
        None if begun is None else (begun.path, begun.content))
    if begun is not None and begun.is_init:
        done, more = begun.content['iteration'], settings.run.iterations
        if done + more > MAX_COUNT:
            raise ConfigError('train', '--iterations', f'found {more:,}, expected at most '
                              f'{MAX_COUNT - done:,} after the {done:,} of {begun.path}')
        settings = replace(settings, run=replace(settings.run, iterations=done + more))
    return settings, spec


def _begun(asked: Options) -> Optional[Beginning]:
    """Return the checkpoint to resume or begin from, and check that the run folder can be used."""
    if asked.resume is None and not asked.init:
        if asked.output is not None:
            run_folder.check_unused(asked.output)
        return None
    reading.require_torch('training')
    from humanoid_locomotion.training.run import resume
    if asked.resume is None:
        return resume.initial(asked.init, asked.output)
    begun = resume.find(asked.resume, asked.output)
    seed = begun.content['seed']
    if asked.seed not in (None, seed):
        raise ConfigError('train', '--seed', f'found {asked.seed}, but {begun.path} was begun '
                          f'with {seed}, which its robots were sampled with; leave it out')
    return begun


def _of_checkpoint(asked: Options, begun: Beginning) -> str:
    """Return the name of the simulator that a checkpoint was trained in."""
    backend = str(begun.content['backend'])
    if backend == 'isaacgym' and 'isaacgym' not in sys.modules:
        raise ConfigError('train', '--backend', f'{begun.path} was trained in Isaac Gym, '
                          'which must be imported before PyTorch: name it with '
                          '--backend isaacgym')
    return reading.choose_backend(backend, asked.device)


def _chosen(asked: Options, settings: TrainingConfig,
            chosen: reading.Choice) -> Tuple[TrainingConfig, str]:
    """Return the config for a simulator that was chosen, and a line that names it."""
    line = f'simulator: {chosen.backend}, {chosen.why}'
    is_asked = asked.num_envs is not None or any(
        it.startswith('run.num_envs=') for it in asked.assignments)
    if is_asked or settings.run.num_envs <= chosen.robots:
        return settings, line
    fewer = replace(settings, run=replace(settings.run, num_envs=chosen.robots))
    return fewer, f'{line}, with {chosen.robots} robots (--num-envs takes another number)'


def _lead(asked: Options, trainer: Trainer, title: str, robot: str, console: Console,
          notes: Sequence[str]) -> Tuple[int, Dict[str, Any]]:
    """Train in the first process, which shows progress, logs and saves."""
    from humanoid_locomotion.training.monitoring.metrics_writer import last_metrics
    from humanoid_locomotion.training.monitoring.progress import TrainingProgress
    from humanoid_locomotion.training.monitoring.scorecard_watch import ScorecardWatch
    with contextlib.ExitStack() as stack:
        training = stack.enter_context(contextlib.ExitStack())
        training.enter_context(contextlib.closing(trainer))
        stop = stack.enter_context(StopSignals())
        trainer.begin()
        folder = trainer.folder
        is_first = asked.resume is None and not asked.init
        if is_first and reading.chosen_config(asked.config, asked.robot).reasons:
            console.print('the config is derived from the robot, see --print-config')
        for note in notes:
            console.print(note, soft_wrap=True, markup=False, highlight=False)
        if trainer.run_folder.warning:
            console.print(trainer.run_folder.warning, soft_wrap=True, markup=False)
        watch = stack.enter_context(contextlib.closing(ScorecardWatch(
            folder, robot, trainer.config.terminations.episode_steps)))
        if asked.viewer == 'web':
            from humanoid_locomotion.training.monitoring.viewer import TrainingViewer
            page = TrainingViewer(folder, robot)
            stack.callback(page.close)
            console.print(f'watch it at {page.address}')
        progress = stack.enter_context(
            TrainingProgress(console, trainer.config.run.iterations, title))
        reports: List[Report] = [progress.report]
        if asked.wandb:
            reports.append(stack.enter_context(wandb_log.opened(
                asked.wandb, trainer.identity.id, folder, to_mapping(trainer.config))))
        shown = _Shown(reports)
        trainer.run(shown, _seconds(asked), watch if asked.until_scorecard else lambda: False,
                    lambda: stop() or shown.error is not None)
        if asked.until_scorecard and shown.error is None:
            training.close()  # the other processes do not wait for the last evaluation
            if watch.passed is None and not stop():
                console.print('evaluating the last checkpoint')
            watch.finish(stop)
    if shown.error is not None:
        raise shown.error
    if watch.passed is not None:
        console.print(f'the policy passes: {watch.passed}', soft_wrap=True, markup=False)
    elif asked.until_scorecard and not stop():
        console.print(f'no checkpoint passes; the last one, with its scorecard: {watch.folder}',
                      soft_wrap=True, markup=False)
    _draw(folder)
    console.print(f'trained {trainer.iteration} iterations, {trainer.samples:,} control steps, '
                  f'{trainer.seconds / 60.0:.1f} min; run folder: {folder}',
                  soft_wrap=True, markup=False)
    if stop():
        console.print(f'stopped by {stop.name}; the last checkpoint is {trainer.last_checkpoint}, '
                      f'--resume {folder} goes on from there', soft_wrap=True, markup=False)
    return stop.exit_code, {
        'run': folder, 'samples': trainer.samples, 'seconds': trainer.seconds,
        'passed': watch.passed, 'stopped_by': stop.name or None,
        'last': last_metrics(folder)}


class _Shown:
    """Reports the metrics of an iteration; a closed output does not interrupt the iteration.

    Attributes:
        error: The error of a failed output, or None; training then stops with a checkpoint. Rich
            raises SystemExit for a closed pipe.
    """

    def __init__(self, reports: Sequence[Report]):
        self._reports = reports
        self.error: Optional[BaseException] = None

    def __call__(self, iteration: int, metrics: Dict[str, float]) -> None:
        """Report the metrics of an iteration."""
        try:
            for report in self._reports:
                report(iteration, metrics)
        except (OSError, SystemExit) as error:
            self.error = error


def _help(asked: Options, trainer: Trainer) -> int:
    """Train in one of the other processes; return its exit code.

    An error in the first process ends the communication of all processes. The others then print
    one line instead of a traceback, so that the message of the first one can be found.
    """
    try:
        with contextlib.closing(trainer), StopSignals() as stop:
            trainer.run(max_seconds=_seconds(asked), wants_stop=stop)
    except LocomotionError:
        return 2  # the first process prints the error
    except RuntimeError as error:
        text = str(error).strip().splitlines() or ['']
        print(f'process {trainer.group.rank}: {text[0]}', file=sys.stderr)
        return 2
    return stop.exit_code


def _seconds(asked: Options) -> float:
    return math.inf if asked.max_minutes is None else 60.0 * asked.max_minutes


def _draw(folder: Path) -> None:
    from humanoid_locomotion.training.run.durable import named_errors
    if importlib.util.find_spec('matplotlib') is not None:
        from humanoid_locomotion.training.monitoring.learning_curve import draw
        with named_errors(folder / 'curve.png'):
            draw(folder)


@contextlib.contextmanager
def enough_memory(num_envs: int) -> Iterator[None]:
    """Convert out-of-memory errors of the host and the GPU to one sentence.

    Raises:
        LocomotionError: There is not enough memory.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        is_ours = isinstance(error, LocomotionError)
        text = str(error).lower()
        if is_ours or not (isinstance(error, MemoryError)
                           or any(part in text for part in OUT_OF_MEMORY)):
            raise
        raise LocomotionError(f'there is not enough memory for {num_envs:,} robots in each '
                              'process: fewer --num-envs or fewer ppo.rollout_steps') from error
