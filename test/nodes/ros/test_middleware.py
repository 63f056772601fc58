# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Our processes speak over UDP alone, unless somebody configured the middleware."""

import os
import subprocess
import sys

import pytest

pytest.importorskip('rclpy')

from humanoid_locomotion.nodes.ros import middleware
from humanoid_locomotion.nodes.ros.middleware import LOCALHOST_ONLY, PROFILES, RANGE, TRANSPORTS

pytestmark = pytest.mark.ros
NAMES = (*PROFILES, TRANSPORTS, RANGE, LOCALHOST_ONLY, 'RMW_IMPLEMENTATION')
# Fast DDS keeps every segment that it shares mapped.
SHARED_MEMORY = """
from humanoid_locomotion.nodes.ros import middleware
middleware.init()
import rclpy
node = rclpy.create_node('probe')
print('shared' if '/dev/shm/fastdds' in open('/proc/self/maps').read() else 'not shared')
rclpy.shutdown()
"""


@pytest.fixture
def environment(monkeypatch):
    """Nothing about the middleware is set; what is set here is taken back."""
    for name in NAMES:
        monkeypatch.setenv(name, '')  # so that monkeypatch takes back what the code sets
        monkeypatch.delenv(name)
    monkeypatch.setenv('ROS_DOMAIN_ID', '0')
    return monkeypatch


def settings():
    """Return what is set now."""
    return {name: os.environ[name] for name in NAMES if name in os.environ}


def test_udp_is_chosen_where_nobody_chose(environment):
    """The whole network is still reached."""
    middleware.avoid_shared_memory()
    assert settings() == {TRANSPORTS: 'UDPv4'}


@pytest.mark.parametrize('name, value', [(RANGE, 'LOCALHOST'), (LOCALHOST_ONLY, '1')])
def test_this_machine_alone_becomes_a_profile(environment, name, value):
    """rmw_fastrtps would add shared memory itself; and saying it twice changes nothing."""
    environment.setenv(name, value)
    for _ in range(2):
        middleware.avoid_shared_memory()
        assert settings()[RANGE] == 'SYSTEM_DEFAULT'
        assert LOCALHOST_ONLY not in settings()
        assert os.path.isfile(settings()[PROFILES[0]])


def test_isolating_again_does_not_bring_shared_memory_back(environment):
    """Isolation asks for this machine alone, whatever was made of that before."""
    for _ in range(2):
        middleware.isolate()
        middleware.avoid_shared_memory()
        assert settings()[RANGE] == 'SYSTEM_DEFAULT'


@pytest.mark.parametrize('name, value', [
    (PROFILES[0], 'mine.xml'), (PROFILES[1], 'mine.xml'), (TRANSPORTS, 'SHM'),
    ('RMW_IMPLEMENTATION', 'rmw_cyclonedds_cpp')])
def test_who_configured_the_middleware_is_obeyed(environment, name, value):
    """A profile, a choice of transports, another middleware."""
    environment.setenv(name, value)
    environment.setenv(RANGE, 'LOCALHOST')
    middleware.avoid_shared_memory()
    assert settings() == {name: value, RANGE: 'LOCALHOST'}


@pytest.mark.parametrize('discovery', ['LOCALHOST', 'SUBNET'])
@pytest.mark.parametrize('transports, expected', [('', 'not shared'), ('DEFAULT', 'shared')])
def test_a_node_has_no_shared_memory(discovery, transports, expected):
    """The real middleware does as it is told, and the test can tell."""
    environment = {**os.environ, RANGE: discovery, TRANSPORTS: transports, 'ROS_DOMAIN_ID': '99'}
    for name in PROFILES:
        environment.pop(name, None)
    done = subprocess.run([sys.executable, '-c', SHARED_MEMORY], env=environment,
                          capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == expected
