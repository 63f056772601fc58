# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writer of the metrics of a run: JSON lines, and TensorBoard if it is installed."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
import threading
from typing import Any, Callable, Dict, Optional, TextIO

from humanoid_locomotion.core.errors import RunFolderError
from humanoid_locomotion.training.run import durable

METRICS = 'metrics.jsonl'


def cut(folder: Path, iteration: int) -> None:
    """Keep one complete line of metrics for each iteration up to ``iteration``.

    After a run was killed, the file can contain lines of iterations after the last checkpoint,
    which will be trained again, and an incomplete line. These are removed.
    """
    path = folder / METRICS
    with durable.named_errors(path):
        if not path.is_file():
            return
        content = path.read_bytes()
    kept: Dict[int, bytes] = {}
    for line in content.splitlines():
        try:
            number = json.loads(line)['iteration']
        except (ValueError, KeyError, TypeError):
            continue
        if isinstance(number, int) and number <= iteration:
            kept[number] = line + b'\n'
    whole = b''.join(kept[number] for number in sorted(kept))
    if whole != content:
        durable.write(path, whole)


def last_metrics(folder: Path) -> Optional[Dict[str, Any]]:
    """Return the newest metrics; None if the run folder was moved or replaced meanwhile."""
    path = folder / METRICS
    with durable.named_errors(path):
        lines = path.read_text(encoding='utf-8').splitlines() if path.is_file() else []
    return dict(json.loads(lines[-1])) if lines else None


class Logs:
    """The metrics files of a run folder; a resumed run appends to them.

    Args:
        folder: An existing folder.
        enabled: Whether to write; of several processes only one does.
        after: The iteration of the checkpoint that the run is resumed from.

    Raises:
        RunFolderError: From any method: a file cannot be written.
    """

    def __init__(self, folder: Path, enabled: bool = True, after: int = 0):
        self._folder, self._enabled, self._after = folder, enabled, after
        self._lines: Optional[TextIO] = None
        self._board: Any = None
        self._excepthook: Optional[Callable[[Any], Any]] = None

    def __enter__(self) -> Logs:
        if not self._enabled:
            return self
        with durable.named_errors(self._folder / METRICS):
            self._lines = (self._folder / METRICS).open('a', encoding='utf-8')
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return self
        self._excepthook, threading.excepthook = threading.excepthook, self._on_thread_error
        with durable.named_errors(self._folder):
            # TensorBoard then hides entries of later iterations from an earlier process.
            self._board = SummaryWriter(
                str(self._folder), purge_step=self._after + 1 if self._after else None)
        return self

    def write(self, iteration: int, samples: int, metrics: Dict[str, float]) -> None:
        """Write the metrics of an iteration."""
        if self._lines is None:
            return
        line = {'iteration': iteration, 'samples': samples, **metrics}
        with durable.named_errors(self._folder / METRICS):
            self._lines.write(json.dumps(line) + '\n')
            self._lines.flush()
        if self._board is not None:
            with durable.named_errors(self._folder / 'events.out.tfevents'):
                for name, value in metrics.items():
                    self._board.add_scalar(name, value, iteration)

    def synchronise(self) -> None:
        """Flush the lines to the disk."""
        if self._lines is not None:
            with durable.named_errors(self._folder / METRICS):
                os.fsync(self._lines.fileno())

    def __exit__(self, kind: Any, *_: object) -> None:
        with contextlib.ExitStack() as stack:
            if kind is not None:
                stack.enter_context(contextlib.suppress(RunFolderError))  # keep the first error
            stack.enter_context(durable.named_errors(self._folder))
            if self._excepthook is not None:
                stack.callback(setattr, threading, 'excepthook', self._excepthook)
            if self._lines is not None:
                stack.callback(self._lines.close)
            if self._board is not None:
                stack.callback(self._board.close)

    def _on_thread_error(self, error: Any) -> None:
        """Do not print an I/O error of TensorBoard's thread; its next call raises it again."""
        if self._excepthook is not None and not issubclass(error.exc_type, OSError):
            self._excepthook(error)
