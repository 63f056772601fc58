"""Imports Isaac Gym and PyTorch in the only order that works: Isaac Gym first.

Whatever needs both takes them from here, ``torch`` included. What is wrong with this process is
said before Isaac Gym fails in a way of its own.
"""

from __future__ import annotations

import sys
from typing import Any, Container, Optional, Sequence

import numpy as np

from humanoid_locomotion.core.errors import SimulationError

PYTHON = (3, 8)  # Preview 4 has binaries up to it, and this package starts with it
NUMPY = (1, 24)  # from here on np.float is gone, which Isaac Gym's own Python uses


def problem(python: Sequence[Any], numpy_version: str,
            imported: Container[str]) -> Optional[str]:
    """Return why Isaac Gym cannot be imported here, with the way out; None if it can.

    Args:
        python: The interpreter's version.
        numpy_version: NumPy's version.
        imported: The modules that this process has already imported.
    """
    if (python[0], python[1]) != PYTHON:
        return (f'this is Python {python[0]}.{python[1]}, Isaac Gym Preview 4 runs on Python '
                f'{PYTHON[0]}.{PYTHON[1]}: name that interpreter with --python (in a launch '
                'file python:=), as docs/isaacgym.md says')
    if tuple(int(part) for part in numpy_version.split('.')[:2]) >= NUMPY:
        return (f'NumPy is {numpy_version}, Isaac Gym Preview 4 uses np.float, which 1.24 '
                'removed: pip install numpy==1.23.5, as requirements/isaacgym.txt says')
    if 'torch' in imported and 'isaacgym' not in imported:
        return ('PyTorch was imported before Isaac Gym, which refuses that: start your program '
                "with humanoid_locomotion.sim.backend.import_backend('isaacgym')")
    return None


_PROBLEM = problem(sys.version_info, np.__version__, sys.modules)
if _PROBLEM is not None:
    raise SimulationError(f'the backend isaacgym cannot start: {_PROBLEM}')

from isaacgym import gymapi, gymtorch  # noqa: E402
import torch  # noqa: E402

__all__ = ['gymapi', 'gymtorch', 'torch']
