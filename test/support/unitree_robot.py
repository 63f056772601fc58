# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A Unitree robot of ours that runs in a thread, for tests of what talks to it."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import Any, Callable, Iterator

from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.hardware.unitree.dds import Wire
from humanoid_locomotion.nodes.hardware.unitree.port import UnitreePort
from humanoid_locomotion.nodes.hardware.unitree.stand_in_robot import TICK, StandIn

DOMAIN = 100 + os.getpid() % 100  # one for each test process


@contextlib.contextmanager
def running(name: str = 'unitree_g1', **options: Any) -> Iterator[StandIn]:
    """Run a robot in real time on the loopback interface."""
    wire = Wire('lo', DOMAIN)
    robot = StandIn(load_robot(name), wire, **options)

    def run() -> None:
        while robot.is_running:
            robot.step()
            time.sleep(TICK)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield robot
    finally:
        robot.is_running = False
        thread.join()
        wire.close()


@contextlib.contextmanager
def opened(name: str = 'unitree_g1', **options: Any) -> Iterator[UnitreePort]:
    """Open a port to the robot that runs."""
    port = UnitreePort(load_robot(name), 'lo', DOMAIN, **options)
    port.open()
    try:
        yield port
    finally:
        port.close()


def until(condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Return the condition's first true value; fail after some time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.002)
    raise AssertionError(f'not true within {seconds:g} s')
