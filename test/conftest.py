# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""What every test gets: one thread per library, since the machine is shared; and ROS."""

import os

import pytest

# Before NumPy, PyTorch and MuJoCo are imported: two threads on a busy machine cost a hundredfold.
os.environ.setdefault('OMP_NUM_THREADS', '1')
os.environ.setdefault('MUJOCO_GL', 'disable')
# rich reads it once for each console; pytest's workers set it to the width of their terminal.
os.environ.pop('COLUMNS', None)

try:
    import torch
except ImportError:
    pass
else:
    torch.set_num_threads(1)


@pytest.fixture(scope='session')
def ros():
    """Initialise rclpy where no other process listens."""
    rclpy = pytest.importorskip('rclpy')
    from humanoid_locomotion.nodes.ros import middleware
    middleware.isolate()
    middleware.init()
    yield
    rclpy.try_shutdown()
