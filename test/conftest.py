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


@pytest.fixture
def base_height():
    """Register a command axis beyond the velocity for one test, and give it."""
    from humanoid_locomotion.core.command import (
        COMMAND_AXES,
        CommandAxis,
        register_command_axis,
    )
    axis = CommandAxis('base_height', 'base height', 'm', mirror_sign=1.0, counts_as_moving=False,
                       max_magnitude=2.0, max_rate=0.1, rest=0.88)
    register_command_axis(axis)
    yield axis
    del COMMAND_AXES['base_height']
