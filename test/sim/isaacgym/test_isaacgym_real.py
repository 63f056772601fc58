# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""On a machine that has Isaac Gym itself: `pytest -m isaacgym` in its Python.

One process holds one simulation, so every robot is examined in a process of its own.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from humanoid_locomotion.core.reading.resources import robot_folders

pytestmark = pytest.mark.isaacgym
ABSENT = importlib.util.find_spec('isaacgym') is None or 'isaacgym_fake' in str(
    importlib.util.find_spec('isaacgym').origin)


@pytest.mark.skipif(ABSENT, reason='NOT RUN: the real Isaac Gym is not in this Python')
@pytest.mark.parametrize('device', ['cuda', 'cpu'])
@pytest.mark.parametrize('robot', robot_folders())
def test_isaac_gym_behaves_as_the_backend_expects(robot, device):
    done = subprocess.run(
        [sys.executable, '-m', 'humanoid_locomotion', 'dev', 'check-isaacgym', '--robot', robot,
         '--device', device, '--num-envs', '64'], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
