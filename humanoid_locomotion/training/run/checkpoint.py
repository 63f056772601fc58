# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of a training; a file is complete or absent, even after a crash."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
import io
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple
import zipfile

import torch

from humanoid_locomotion.core.errors import CheckpointError
from humanoid_locomotion.core.reading.config import from_mapping, to_mapping
from humanoid_locomotion.training.config_checks import MAX_COUNT, MAX_SEED
from humanoid_locomotion.training.ppo import torch_compat
from humanoid_locomotion.training.run import durable, run_folder
from humanoid_locomotion.training.run.run_folder import Identity

FORMAT_VERSION = 3
READABLE = (2, 3)
KEYS: Dict[str, Any] = {
    'robot': str, 'model_hash': str, 'backend': str, 'seed': int, 'command': str, 'config': dict,
    'iteration': int, 'samples': int, 'seconds': float, 'hardware': str, 'model': dict,
    'optimizer': dict, 'learning_rate': torch.Tensor, 'processes': list}
# Keys that format 3 adds; they are filled in when a checkpoint of format 2 is read.
LATER_KEYS: Dict[str, Any] = {
    'run': dict, 'segments': list, 'robot_facts': dict, 'package_version': str}
# Largest value of each number; the smallest is 0.
LARGEST = {'iteration': MAX_COUNT, 'samples': 1e18, 'seconds': 1e12, 'seed': MAX_SEED}


@dataclass(frozen=True)
class Segment:
    """A part of a training that ran without interruption.

    Attributes:
        first: Its first iteration.
        last: Its last iteration.
        samples: Number of control steps used for training.
        num_envs: Robots in each process.
        processes: Number of processes.
        backend: Name of the simulator.
        hardware: The hardware that it ran on.
        command: The command that started it.
        changed: Accepted changes since the previous segment.
    """

    first: int
    last: int
    samples: int
    num_envs: int
    processes: int
    backend: str
    hardware: str
    command: str
    changed: Tuple[str, ...] = ()


def save(path: Path, content: Dict[str, Any]) -> None:
    """Write a checkpoint.

    Raises:
        RunFolderError: It cannot be written; an earlier file stays unchanged.
    """
    with durable.named_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    memory = io.BytesIO()
    torch.save({'format_version': FORMAT_VERSION, **content}, memory)
    durable.write(path, memory.getbuffer())


def slim(content: Dict[str, Any]) -> Dict[str, Any]:
    """Return a checkpoint without optimizer, robots and random streams, much smaller.

    A training that begins from it has the same networks and normalizers.
    """
    return {**content, 'optimizer': {}, 'processes': []}


def on_host(content: Any) -> Any:
    """Return nested dicts with their tensors moved to the host."""
    if isinstance(content, dict):
        return {key: on_host(value) for key, value in content.items()}
    return content.cpu()


def load(path: Path, device: str) -> Dict[str, Any]:
    """Read a checkpoint; nothing in it is executed.

    Raises:
        CheckpointError: The file is absent, damaged or of another version.
    """
    with durable.named_errors(path, 'opened'):
        if not path.is_file():
            raise CheckpointError(path, 'there is no such checkpoint')
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()  # PyTorch does not check the checksums
        if damaged is not None:
            raise zipfile.BadZipFile(damaged)
        content: Dict[str, Any] = torch_compat.load_data(path, device)
    except Exception as error:  # torch raises many kinds for a broken file
        raise CheckpointError(
            path, f'is not a checkpoint that can be read ({type(error).__name__})') from error
    version = content.get('format_version') if isinstance(content, dict) else None
    if version not in READABLE:
        raise CheckpointError(path, f'has format version {version}, this package reads '
                              f'{" and ".join(map(str, READABLE))}')
    keys = KEYS if version == 2 else {**KEYS, **LATER_KEYS}
    missing = [key for key in keys if key not in content]
    if missing:
        raise CheckpointError(path, f'lacks {missing}')
    wrong = [key for key, kind in keys.items() if not isinstance(content[key], kind)]
    if wrong:
        raise CheckpointError(path, f'holds something else than a training in {wrong}')
    _check_values(content, path)
    return _as_today(content) if version == 2 else content


def _check_values(content: Dict[str, Any], path: Path) -> None:
    for key, most in LARGEST.items():
        if not 0 <= content[key] <= most:
            raise CheckpointError(path, f'holds {key} {content[key]!r:.40}, expected 0 to '
                                  f'{most:,.0f}')
    numbers = {**content['model'], 'learning_rate': content['learning_rate']}
    wrong = [name for name, it in numbers.items() if not (
        isinstance(it, torch.Tensor) and bool(torch.isfinite(it).all()))]
    if wrong:
        raise CheckpointError(path, f'holds values that are no finite numbers in {wrong[:3]}')


@contextlib.contextmanager
def restoring(path: Path) -> Iterator[None]:
    """Convert the error of a part that does not fit to :class:`CheckpointError`."""
    try:
        yield
    except (RuntimeError, LookupError, TypeError, ValueError, AttributeError) as error:
        detail = (str(error).strip().splitlines() or [''])[-1].strip()
        raise CheckpointError(path, f'does not fit the config ({detail})') from error


def _as_today(content: Dict[str, Any]) -> Dict[str, Any]:
    """Return a checkpoint of format 2 in format 3; unknown values are empty."""
    whole = Segment(
        first=1, last=content['iteration'], samples=content['samples'],
        num_envs=content['config'].get('run', {}).get('num_envs', 0),
        processes=len(content['processes']), backend=content['backend'],
        hardware=content['hardware'], command=content['command'])
    return {**content, 'run': to_mapping(Identity()), 'segments': [to_mapping(whole)],
            'robot_facts': {}, 'package_version': ''}


def identity(content: Dict[str, Any], path: Path) -> Identity:
    """Return the identity of the run that a checkpoint belongs to."""
    return from_mapping(Identity, content['run'], path, 'run')


def segments(content: Dict[str, Any], path: Path) -> List[Segment]:
    """Return the segments of a checkpoint's training, in order."""
    return [from_mapping(Segment, one, path, f'segments[{i}]')
            for i, one in enumerate(content['segments'])]


def latest(run: Path) -> Path:
    """Return the newest checkpoint of a run folder, or the file itself.

    Raises:
        CheckpointError: There is none, or the folder holds more than one run.
    """
    with durable.named_errors(run, 'opened'):
        if run.is_file():
            return run
        found = run_folder.checkpoints_of(run)
        if not found:
            raise CheckpointError(run, 'holds no checkpoints/*.pt')
        if not (run / run_folder.IDENTITY).is_file():
            _check_one_run(run, found)
    return found[-1]


def open_latest(run: Path, device: str) -> Tuple[Path, Dict[str, Any]]:
    """Read the newest checkpoint of a run folder, or the file itself.

    Raises:
        CheckpointError: As raised by :func:`latest` and :func:`load`; if the newest checkpoint is
            damaged, the message names the newest one that is not. Or the checkpoint belongs to
            another run than its folder.
    """
    path = latest(run)
    try:
        content = load(path, device)
    except CheckpointError as error:
        before = None if path == run else _newest_whole(run)
        if before is None:
            raise
        raise CheckpointError(
            path, f'{error.problem}; the newest one that can be read is {before}: move the broken '
            'one away to go on from there, or name that one and another --output') from error
    if path != run:
        _check_belongs(path, content, run)
    return path, content


def _check_belongs(path: Path, content: Dict[str, Any], run: Path) -> None:
    """Check that a checkpoint agrees with the run of its folder and with its file name."""
    ours, theirs = Identity.of(run).id, identity(content, path).id
    if ours and theirs and ours != theirs:
        raise CheckpointError(
            path, f'is of the run {theirs}, but its folder is of the run {ours}: it was put '
            'there; move it away, or name the checkpoint you mean')
    if content['iteration'] != int(path.stem):
        raise CheckpointError(path, f"holds iteration {content['iteration']}, which is not what "
                              'its name says; name the checkpoint you mean')


def _newest_whole(run: Path) -> Optional[Path]:
    for path in reversed(run_folder.checkpoints_of(run)[:-1]):
        try:
            load(path, 'cpu')
        except CheckpointError:
            continue
        return path
    return None


def _check_one_run(run: Path, found: List[Path]) -> None:
    """Check that file times increase with the iterations, in a folder without ``run.yaml``."""
    newest = found[-1].stat().st_mtime_ns
    later = [path.name for path in found if path.stat().st_mtime_ns > newest]
    if later:
        raise CheckpointError(
            run, f'holds more than one run: {", ".join(later[:3])} were written after '
            f'{found[-1].name}, which has more iterations; name the checkpoint you mean')


def check_robot(content: Dict[str, Any], robot: str, path: Path) -> None:
    """Raise :class:`CheckpointError` unless the checkpoint is of that robot."""
    if content['robot'] != robot:
        raise CheckpointError(
            path, f"is of the robot {content['robot']!r}, but {robot!r} was asked for")
