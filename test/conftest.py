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


# Fast DDS 3.2 deadlocks now and then when two participants of one process, which talk to each
# other by function calls, come and go: here they talk as two processes do.
FAST_DDS = """<?xml version="1.0" encoding="UTF-8" ?>
<dds xmlns="http://www.eprosima.com">
  <library_settings><intraprocess_delivery>OFF</intraprocess_delivery></library_settings>
</dds>
"""


@pytest.fixture(scope='session')
def ros(tmp_path_factory):
    """Initialise rclpy where no other process listens."""
    rclpy = pytest.importorskip('rclpy')
    from humanoid_locomotion.nodes.ros import middleware
    profiles = tmp_path_factory.mktemp('fastdds') / 'profiles.xml'
    profiles.write_text(FAST_DDS, encoding='utf-8')
    os.environ['FASTDDS_DEFAULT_PROFILES_FILE'] = str(profiles)
    middleware.isolate()
    middleware.init()
    yield
    rclpy.try_shutdown()
