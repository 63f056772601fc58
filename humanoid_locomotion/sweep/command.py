# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The option ``--sweep`` of ``train``: checks everything, then runs the sweep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.sweep.config import read_sweep
from humanoid_locomotion.sweep.study import Sweep
from humanoid_locomotion.sweep.trainings import Command, TrainOptions
from humanoid_locomotion.training.monitoring import wandb_log
from humanoid_locomotion.training.run.cli import Options, reader


def sweep(path: Path, asked: Options, words: TrainOptions, command: Command,
          say: Callable[[str], None]) -> tuple[int, list[dict[str, Any]]]:
    """Run the trials of a sweep file, or join the processes that do.

    Args:
        path: The sweep file.
        asked: The options of ``train``.
        words: The same as words, for the trials; without ``--sweep`` and ``--output``.
        command: Returns the command that runs a command line of this package.
        say: Prints one line.

    Returns:
        The exit code, and the rows of the table, best first.

    Raises:
        LocomotionError: The file or an option is not valid, and nothing was started; or every
            trial failed.
    """
    for option, is_given in (
            ('--seed', asked.seed is not None), ('--resume', asked.resume is not None),
            ('--viewer', asked.viewer != 'none')):
        if is_given:
            raise ConfigError('train', option, 'does not go with --sweep')

    if asked.wandb:
        wandb_log.check(asked.wandb)
    read = reader(asked)
    _, robot = read()
    config = read_sweep(path, read)
    folder = asked.output or Path('runs') / path.stem
    return Sweep(config, folder, words, str(robot.folder), command, say).run()
