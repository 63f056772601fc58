"""How our processes find and reach each other: settings of the middleware, made before rclpy.init.

Fast DDS speaks over shared memory by default. Whenever a process is discovered it may take that
transport a third of a second to open a port, with the lock that every message received needs
(eProsima/Fast-DDS issue 6535): starting `ros2 topic echo` would stop a walking robot's control
loop for 16 periods. Over UDP nothing waits.
"""

from __future__ import annotations

import os
import random
import socket
from typing import Any

import rclpy
from rclpy.signals import SignalHandlerOptions

from humanoid_locomotion.core.reading.resources import share_folder

DOMAINS = range(1, 102)  # those whose ports lie below every system's ephemeral ones
PROFILES = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')
TRANSPORTS = 'FASTDDS_BUILTIN_TRANSPORTS'
RANGE, LOCALHOST_ONLY = 'ROS_AUTOMATIC_DISCOVERY_RANGE', 'ROS_LOCALHOST_ONLY'


def init(**options: Any) -> None:
    """Initialise rclpy over UDP, without its signal handlers unless ``options`` ask for them."""
    avoid_shared_memory()
    rclpy.init(**{'signal_handler_options': SignalHandlerOptions.NO, **options})


def avoid_shared_memory() -> None:
    """Turn Fast DDS's shared memory off in this process and its children.

    Whoever configures Fast DDS by a profile, or by ``FASTDDS_BUILTIN_TRANSPORTS``, is obeyed;
    other middlewares are left alone.
    """
    profile = str(share_folder() / 'config' / 'nodes' / 'fastdds_localhost.xml')
    used = os.environ.get('RMW_IMPLEMENTATION') or 'rmw_fastrtps_cpp'
    given = {os.environ.get(name, '') for name in (*PROFILES, TRANSPORTS)} - {'', profile}
    if 'fastrtps' not in used or given:
        return
    if os.environ.get(RANGE) == 'LOCALHOST' or os.environ.get(LOCALHOST_ONLY) == '1':
        # There rmw_fastrtps names the transports itself; this profile says the same without one.
        os.environ[PROFILES[0]] = profile
        os.environ[RANGE] = 'SYSTEM_DEFAULT'
        os.environ.pop(LOCALHOST_ONLY, None)
    else:
        os.environ[TRANSPORTS] = 'UDPv4'


def isolate() -> int:
    """Let this process and its children speak only to each other, on this machine.

    Returns:
        The ROS domain; by it a person may listen in.
    """
    domain = _free_domain()
    os.environ.update({'ROS_DOMAIN_ID': str(domain), RANGE: 'LOCALHOST'})
    os.environ.pop(LOCALHOST_ONLY, None)
    return domain


def _free_domain() -> int:
    domains = random.sample(DOMAINS, len(DOMAINS))
    for domain in domains:
        # DDS: the first participant of a domain listens here.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(('127.0.0.1', 7410 + 250 * domain))
                return domain
            except OSError:
                continue
    return domains[0]
