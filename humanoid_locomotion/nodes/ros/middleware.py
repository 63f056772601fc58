# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""DDS settings for discovery and transport of this package's processes, set before rclpy.init.

Fast DDS uses shared memory by default. When a process is discovered, that transport may take a
third of a second to open a port while it holds the lock that every received message needs
(eProsima/Fast-DDS issue 6535): starting `ros2 topic echo` would stop the control loop of a walking
robot for 16 periods. Over UDP this delay does not occur.
"""

from __future__ import annotations

import os
import random
import socket
from typing import Any

import rclpy
from rclpy.signals import SignalHandlerOptions

from humanoid_locomotion.core.reading.resources import share_folder

DOMAINS = range(1, 102)  # their ports are below the ephemeral ports of all systems
PROFILES = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')
TRANSPORTS = 'FASTDDS_BUILTIN_TRANSPORTS'
RANGE, LOCALHOST_ONLY = 'ROS_AUTOMATIC_DISCOVERY_RANGE', 'ROS_LOCALHOST_ONLY'


def init(**options: Any) -> None:
    """Initialise rclpy over UDP, without its signal handlers unless ``options`` enables them."""
    avoid_shared_memory()
    rclpy.init(**{'signal_handler_options': SignalHandlerOptions.NO, **options})


def avoid_shared_memory() -> None:
    """Disable Fast DDS's shared memory in this process and its children.

    An existing configuration by a profile or by ``FASTDDS_BUILTIN_TRANSPORTS`` is kept; other
    middlewares are not changed.
    """
    profile = str(share_folder() / 'config' / 'nodes' / 'fastdds_localhost.xml')
    used = os.environ.get('RMW_IMPLEMENTATION') or 'rmw_fastrtps_cpp'
    given = {os.environ.get(name, '') for name in (*PROFILES, TRANSPORTS)} - {'', profile}
    if 'fastrtps' not in used or given:
        return
    if os.environ.get(RANGE) == 'LOCALHOST' or os.environ.get(LOCALHOST_ONLY) == '1':
        # There rmw_fastrtps sets the transports itself; this profile does, without shared memory.
        os.environ[PROFILES[0]] = profile
        os.environ[RANGE] = 'SYSTEM_DEFAULT'
        os.environ.pop(LOCALHOST_ONLY, None)
    else:
        os.environ[TRANSPORTS] = 'UDPv4'


def isolate() -> int:
    """Restrict this process and its children to communicate with each other, on this machine.

    Returns:
        The ROS domain; with it other tools can join.
    """
    domain = free_domain()
    os.environ.update({'ROS_DOMAIN_ID': str(domain), RANGE: 'LOCALHOST'})
    os.environ.pop(LOCALHOST_ONLY, None)
    return domain


def free_domain() -> int:
    """Return a DDS domain that no process of this machine uses."""
    domains = random.sample(DOMAINS, len(DOMAINS))
    for domain in domains:
        # The port of the first DDS participant of a domain.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(('127.0.0.1', 7410 + 250 * domain))
                return domain
            except OSError:
                continue
    return domains[0]
