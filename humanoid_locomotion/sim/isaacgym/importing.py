# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Imports Isaac Gym and PyTorch in the only order that works: Isaac Gym first.

Code that needs both imports them from here, including ``torch``. Known problems of the process
are reported before Isaac Gym fails with a less clear message.
"""

from __future__ import annotations

import sys
from typing import Any, Container, Optional, Sequence

import numpy as np

from humanoid_locomotion.core.errors import SimulationError

PYTHON = (3, 8)  # the newest that Preview 4 has binaries for, and the oldest for this package
NUMPY = (1, 24)  # the first version without np.float, which Isaac Gym uses


def problem(python: Sequence[Any], numpy_version: str,
            imported: Container[str]) -> Optional[str]:
    """Return why Isaac Gym cannot be imported here, with the remedy; None if it can.

    Args:
        python: The interpreter's version.
        numpy_version: NumPy's version.
        imported: The modules that this process has imported.
    """
    if (python[0], python[1]) != PYTHON:
        return (f'this is Python {python[0]}.{python[1]}, Isaac Gym Preview 4 needs Python '
                f'{PYTHON[0]}.{PYTHON[1]}: give that interpreter with --python (in a launch '
                'file python:=), see docs/isaacgym.md')
    if tuple(int(part) for part in numpy_version.split('.')[:2]) >= NUMPY:
        return (f'NumPy is {numpy_version}, Isaac Gym Preview 4 uses np.float, which 1.24 '
                'removed: pip install numpy==1.23.5, see requirements/isaacgym.txt')
    if 'torch' in imported and 'isaacgym' not in imported:
        return ('PyTorch was imported before Isaac Gym, which must be first: start your program '
                "with humanoid_locomotion.sim.backend.import_backend('isaacgym')")
    return None


_PROBLEM = problem(sys.version_info, np.__version__, sys.modules)
if _PROBLEM is not None:
    raise SimulationError(f'the backend isaacgym cannot start: {_PROBLEM}')

from isaacgym import gymapi, gymtorch  # noqa: E402
import torch  # noqa: E402

__all__ = ['gymapi', 'gymtorch', 'torch']
