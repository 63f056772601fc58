"""Saves and restores training; a checkpoint is whole or absent, whenever the process dies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, Optional

import torch

from humanoid_locomotion.core.errors import CheckpointError
from humanoid_locomotion.training import older_torch

FORMAT_VERSION = 2
KEYS = ('robot', 'model_hash', 'backend', 'seed', 'command', 'config', 'iteration', 'samples',
        'seconds', 'hardware', 'model', 'optimizer', 'learning_rate', 'processes')


def save(path: Path, content: Dict[str, Any]) -> None:
    """Write a checkpoint beside its name, then rename it into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix('.unfinished')
    torch.save({'format_version': FORMAT_VERSION, **content}, unfinished)
    os.replace(unfinished, path)


def on_host(content: Any) -> Any:
    """Return nested dicts with their tensors moved to the host."""
    if isinstance(content, dict):
        return {key: on_host(value) for key, value in content.items()}
    return content.cpu()


def load(path: Path, device: str) -> Dict[str, Any]:
    """Read a checkpoint; nothing in it is executed.

    Raises:
        CheckpointError: It is absent, broken or of another version.
    """
    if not path.is_file():
        raise CheckpointError(path, 'there is no such checkpoint')
    try:
        content: Dict[str, Any] = older_torch.load_data(path, device)
    except Exception as error:  # torch raises many kinds for a broken file
        raise CheckpointError(
            path, f'is not a checkpoint that can be read ({type(error).__name__})') from error
    version = content.get('format_version') if isinstance(content, dict) else None
    if version != FORMAT_VERSION:
        raise CheckpointError(
            path, f'has format version {version}, this package reads {FORMAT_VERSION}')
    missing = [key for key in KEYS if key not in content]
    if missing:
        raise CheckpointError(path, f'lacks {missing}')
    return content


def latest(run: Path) -> Path:
    """Return the newest checkpoint of a run folder, or the file itself.

    Raises:
        CheckpointError: There is none.
    """
    if run.is_file():
        return run
    found: Optional[Path] = max(run.glob('checkpoints/*.pt'), default=None)
    if found is None:
        raise CheckpointError(run, 'holds no checkpoints/*.pt')
    return found


def check_robot(content: Dict[str, Any], robot: str, path: Path) -> None:
    """Raise :class:`CheckpointError` unless the checkpoint is of that robot."""
    if content['robot'] != robot:
        raise CheckpointError(
            path, f"is of the robot {content['robot']!r}, but {robot!r} was asked for")
