# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Metrics of a run at Weights & Biases, with the names and iterations that TensorBoard has.

wandb's own settings hold: with ``WANDB_MODE=offline`` nothing is sent, and ``wandb sync`` sends
``RUN/wandb/offline-run-...`` later.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
import re
from typing import Any, Callable, Dict, Iterator

from humanoid_locomotion.core.errors import ConfigError, LocomotionError, MissingPackageError

PROJECT = re.compile(r'[\w.-]{1,128}')


def check(project: str) -> None:
    """Check the name of a project, that wandb is installed, and that it has a key or is offline.

    Raises:
        LocomotionError: One of these does not hold.
    """
    if not PROJECT.fullmatch(project):
        raise ConfigError('train', '--wandb', f'found {project!r}, expected a name of 1 to 128 '
                          'letters, digits, ".", "_" and "-"')
    try:
        import wandb
    except ImportError as error:
        raise MissingPackageError(
            '--wandb', 'wandb', "pip install 'humanoid_locomotion[wandb]'") from error
    with _one_sentence():
        wandb.login()


@contextlib.contextmanager
def opened(project: str, run_id: str, folder: Path,
           config: Dict[str, Any]) -> Iterator[Callable[[int, Dict[str, float]], None]]:
    """Yield a function that logs the metrics of an iteration, and end the log at exit.

    Args:
        project: Name of the project.
        run_id: Id of the run; a resumed run continues its log.
        folder: The run folder, for wandb's files.
        config: The training config, shown beside the metrics.

    Raises:
        LocomotionError: The log cannot be opened.
    """
    import wandb
    with _one_sentence():
        run = wandb.init(project=project, id=run_id, name=folder.name, resume='allow',
                         dir=str(folder), config=config, settings=wandb.Settings(console='off'))
    with run:
        yield lambda iteration, metrics: run.log(metrics, step=iteration)


@contextlib.contextmanager
def _one_sentence() -> Iterator[None]:
    """Convert an error of wandb, which are of many kinds, to one sentence."""
    try:
        yield
    except Exception as error:
        text = ' '.join(str(error).split()) or type(error).__name__
        raise LocomotionError(f'--wandb: {text.rstrip(".")}; with WANDB_MODE=offline nothing is '
                              'sent') from error
