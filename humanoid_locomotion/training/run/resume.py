# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Choice of checkpoint and run folder from ``--resume``, ``--init`` and ``--output``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional

from humanoid_locomotion.core.errors import CheckpointError
from humanoid_locomotion.core.policy.content import training_state
from humanoid_locomotion.core.policy.folder import find_policy
from humanoid_locomotion.training.run import checkpoint, run_folder


class Beginning(NamedTuple):
    """The checkpoint and the folder that a training is resumed or begun from.

    Attributes:
        path: The checkpoint.
        content: Its content.
        folder: The run folder to continue in; None for a new one.
        is_init: Whether a new run only begins with its networks, as with ``--init``.
    """

    path: Path
    content: Dict[str, Any]
    folder: Optional[Path]
    is_init: bool = False


def initial(source: str, output: Optional[Path]) -> Beginning:
    """Return the checkpoint that a new run begins with.

    Args:
        source: A checkpoint, a run folder, or a policy folder (or the name of one that ships)
            with a training state.
        output: The requested run folder; None for a dated one.

    Raises:
        LocomotionError: There is no such file or folder, it has no training state or is damaged,
            or ``output`` is in use.
    """
    if output is not None:
        run_folder.check_unused(output)
    path = Path(source)
    if not os.path.exists(source) or (path / 'contract.yaml').is_file():
        path = training_state(find_policy(source))
    path, content = checkpoint.open_latest(path, 'cpu')
    return Beginning(path, content, None, is_init=True)


def find(resume: Path, output: Optional[Path]) -> Beginning:
    """Return the checkpoint and the folder to resume from.

    A run continues in its folder from its newest checkpoint. With another ``output`` a new run
    begins there, from any checkpoint; the first folder stays unchanged.

    Args:
        resume: A run folder, or a checkpoint.
        output: The requested run folder; None for the folder of the checkpoint.

    Raises:
        LocomotionError: The checkpoint does not exist, its folder holds newer ones, or another
            process writes to the folder.
    """
    path, content = checkpoint.open_latest(resume, 'cpu')
    home = run_folder.run_of(path)
    numbered = [] if home is None else [
        one.resolve() for one in run_folder.checkpoints_of(home)]
    if home is None or path.resolve() not in numbered or (
            output is not None and output.resolve() != home):
        if output is not None:
            run_folder.check_unused(output)
        return Beginning(path, content, None)
    newest = numbered[-1]
    folder = output or (resume if resume.is_dir() else home)
    if newest != path.resolve():
        raise CheckpointError(
            path, f'its run goes on to {newest.name}, so what goes on from here needs a folder of '
            f'its own: --output ANOTHER; or --resume {folder}, from {newest.name}')
    run_folder.check_unlocked(folder)
    return Beginning(path, content, folder)


def check_unfinished(begun: Beginning, iterations: int) -> None:
    """Raise :class:`CheckpointError` if there is nothing left to train."""
    done = begun.content['iteration']
    if done >= iterations:
        raise CheckpointError(begun.path, f'is finished at iteration {done} of {iterations}; '
                              f'--iterations {done + max(100, iterations // 2)} goes on')
