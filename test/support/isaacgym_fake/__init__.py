# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for Isaac Gym Preview 4 that runs on MuJoCo; for tests only, never installed.

It keeps the real one's signatures (a test compares them with ``isaacgym-stubs``), its conventions
and its traps, as docs/isaacgym.md lists them. What it cannot show is PhysX itself: contacts,
friction, the URDF importer, GPU tensors. Tests reach it under the name ``isaacgym`` through
``fake_gym.py``; the folder has another name so that it can never shadow the real one.

Attributes:
    violations: What a program did that the real one forbids or silently gets wrong.
"""

import atexit
import sys
from typing import List

IS_FAKE = True
violations: List[str] = []

if 'torch' in sys.modules:
    raise ImportError('PyTorch was imported before isaacgym modules. Please import torch after '
                      'isaacgym modules.')


@atexit.register
def _tell() -> None:
    """A subprocess under test has no other way to say it."""
    for violation in sorted(set(violations)):
        sys.stderr.write(f'isaacgym fake: {violation}\n')


from isaacgym import gymapi  # noqa: E402, F401
