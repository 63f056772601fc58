"""Writes the figures of a run: TensorBoard, where it is installed, and one JSON line each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Optional, TextIO


class Logs:
    """The logs of a run folder; they go on where an earlier run of the folder ended.

    Args:
        folder: An existing folder.
        enabled: Whether to write at all; of several processes only one does.
    """

    def __init__(self, folder: Path, enabled: bool = True):
        self._folder, self._enabled = folder, enabled
        self._lines: Optional[TextIO] = None
        self._board: Any = None

    def __enter__(self) -> Logs:
        if not self._enabled:
            return self
        self._lines = (self._folder / 'metrics.jsonl').open('a', encoding='utf-8')
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return self
        self._board = SummaryWriter(str(self._folder))
        return self

    def write(self, iteration: int, samples: int, figures: Dict[str, float]) -> None:
        """Write the figures of an iteration."""
        if self._lines is None:
            return
        line = {'iteration': iteration, 'samples': samples, **figures}
        self._lines.write(json.dumps(line) + '\n')
        self._lines.flush()
        if self._board is not None:
            for name, value in figures.items():
                self._board.add_scalar(name, value, iteration)

    def __exit__(self, *_: object) -> None:
        if self._lines is not None:
            self._lines.close()
        if self._board is not None:
            self._board.close()
