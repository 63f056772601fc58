# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""On which machines CUDA graphs have been tried beside Isaac Gym.

A graph is captured while PhysX uses the same GPU, and whether both bear that depends on their
versions and the driver. So Isaac Gym trains without graphs until `dev check-isaacgym` has compared
both ways on this machine, which it records in a file of the user's cache folder.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.training.run import durable

ITERATIONS = 6  # that are compared; the update's graph is captured at the fourth
COMPARED = ('reward/total', 'episode_length', 'loss/value')
TOLERANCE = 0.2  # of the larger value; PhysX on a GPU does not repeat itself exactly


def use_graph(asked: Optional[bool], backend: str) -> bool:
    """Return whether to use CUDA graphs, for an option that may not be given."""
    if asked is not None or backend != 'isaacgym':
        return asked is not False
    return machine() in _machines()


def machine() -> str:
    """Return the GPU and the versions that a proof holds for."""
    import torch
    if not torch.cuda.is_available():
        return 'CPU'
    return (f'{torch.cuda.get_device_name()}, PyTorch {torch.__version__}, CUDA '
            f'{torch.version.cuda}')


def record(good: bool) -> None:
    """Record that graphs work on this machine, or that they do not.

    Raises:
        LocomotionError: The file cannot be written.
    """
    machines = set(_machines()) - {machine()} | ({machine()} if good else set())
    path = _path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocomotionError(f'{path.parent} cannot be made ({error.strerror})') from error
    durable.write(path, json.dumps(sorted(machines)).encode())


def difference(plain: Sequence[Dict[str, float]],
               graphed: Sequence[Dict[str, float]]) -> Optional[str]:
    """Return how the metrics of two runs differ beyond :data:`TOLERANCE`; None if they do not.

    Args:
        plain: Metrics of each iteration without graphs.
        graphed: Those with graphs.
    """
    if len(graphed) != len(plain):
        return f'{len(graphed)} iterations with graphs, {len(plain)} without'
    for number, (one, other) in enumerate(zip(plain, graphed), 1):
        for name in COMPARED:
            a, b = one.get(name, 0.0), other.get(name, 0.0)
            if not abs(a - b) <= TOLERANCE * max(abs(a), abs(b), 0.05):
                return f'iteration {number}: {name} {b:.3g} with graphs, {a:.3g} without'
    return None


def _path() -> Path:
    base = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return Path(base) / 'humanoid_locomotion' / 'isaacgym_graphs.json'


def _machines() -> List[str]:
    try:
        found = json.loads(_path().read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return []
    return [it for it in found if isinstance(it, str)] if isinstance(found, list) else []
