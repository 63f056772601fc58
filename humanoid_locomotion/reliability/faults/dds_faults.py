# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Faults that need real processes and DDS: a locomotion node with a simulated robot."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
import multiprocessing
import os
from pathlib import Path
import signal
import tempfile
import time
from typing import Any, Callable, Iterator, Optional, Tuple

import rclpy
from sensor_msgs.msg import Imu, JointState
from std_msgs.msg import String

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.nodes.demos.node_process import NodeProcess
from humanoid_locomotion.nodes.ros import middleware, qos
from humanoid_locomotion.reliability.faults.dds_robot import DdsRobot

START, SETTLE, WATCH = 30.0, 2.0, 2.5  # [s]
LISTENERS, LISTEN = 5, 1.1  # number of processes that join, and their lifetime [s]


@dataclass(frozen=True)
class DdsOutcome:
    """Result of one fault.

    Attributes:
        fault: Name of the fault.
        walking: Whether the robot walked.
        damped_after: Time until the driver damped the robot [s]; NaN if it did not.
        state: Last state of the node.
        passed: Whether the reaction is the expected one.
    """

    fault: str
    walking: bool
    damped_after: float
    state: str
    passed: bool


def _signal(number: int) -> Callable[[DdsRobot, NodeProcess], None]:
    return lambda driver, node: node.signal(number)


def _stop_for(seconds: float) -> Callable[[DdsRobot, NodeProcess], None]:
    def do(driver: DdsRobot, node: NodeProcess) -> None:
        node.signal(signal.SIGSTOP)
        driver.spin(seconds)
        node.signal(signal.SIGCONT)
    return do


def _set(name: str) -> Callable[[DdsRobot, NodeProcess], None]:
    return lambda driver, node: setattr(driver, name, True)


def _second_imu(driver: DdsRobot, node: NodeProcess) -> None:
    driver.create_publisher(Imu, 'imu/data', 1)


def _second_controller(driver: DdsRobot, node: NodeProcess) -> None:
    driver.create_publisher(JointState, 'joint_command', 1)


def _burn(seconds: float) -> None:
    # With normal priority, even if the fault matrix runs with real-time priority.
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def _hog(driver: DdsRobot, node: NodeProcess) -> None:
    context: Any = multiprocessing.get_context('fork')
    burners = [context.Process(target=_burn, args=(WATCH,), daemon=True)
               for _ in range(2 * multiprocessing.cpu_count())]
    for burner in burners:
        burner.start()
    driver.spin(WATCH)
    for burner in burners:
        burner.join()


def _listen(seconds: float) -> None:
    middleware.init()
    node = rclpy.create_node('listener')
    time.sleep(seconds)
    node.create_subscription(String, 'listener', lambda _: None, qos.LATCHED)
    time.sleep(seconds)
    rclpy.shutdown()


def _join(driver: DdsRobot, node: NodeProcess) -> None:
    for _ in range(LISTENERS):
        listener = multiprocessing.get_context('spawn').Process(
            target=_listen, args=(LISTEN,), daemon=True)
        listener.start()
        while listener.is_alive():
            driver.spin(0.1)


# Name, action, and whether the robot must be damped; None if both are accepted.
FAULTS: Tuple[Tuple[str, Callable[[DdsRobot, NodeProcess], None], Optional[bool]], ...] = (
    ('SIGKILL', _signal(signal.SIGKILL), True),
    ('SIGTERM', _signal(signal.SIGTERM), True),
    ('SIGINT', _signal(signal.SIGINT), True),
    ('SIGSTOP for 0.5 s', _stop_for(0.5), True),
    ('sensors silent', _set('is_silent'), True),
    ('sensors frozen', _set('is_frozen'), True),
    ('a second IMU in the graph', _second_imu, True),
    ('a second node that publishes joint_command', _second_controller, True),
    ('emergency stop', lambda driver, node: driver.request('emergency_stop'), True),
    ('four busy processes', _hog, None),
    ('five processes join the graph and leave it', _join, False))


def run_dds_faults(folder: PolicyFolder, spec: RobotSpec) -> Iterator[DdsOutcome]:
    """Inject each fault into a node in its own process; rclpy is initialised and isolated."""
    for name, do, damps in FAULTS:
        for walking in (False, True):
            yield _inject(folder, spec, name, do, damps, walking)


def _inject(folder: PolicyFolder, spec: RobotSpec, name: str,
            do: Callable[[DdsRobot, NodeProcess], None], damps: Optional[bool],
            walking: bool) -> DdsOutcome:
    with running_node(folder, spec) as (driver, node):
        driver.walk = [0.5, 0.0, 0.0] if walking else None
        driver.spin(SETTLE)
        expected = 'walking' if walking else 'standing'
        if driver.state != expected:
            raise LocomotionError(f'{name}: expected the state {expected} before the fault, found '
                                  f'{driver.state!r}')
        begin, driver.damped_at = time.monotonic(), None
        do(driver, node)
        driver.spin(WATCH)
        is_damped = driver.damped_at is not None and not driver.robot.pulls
        seconds = float('nan') if driver.damped_at is None else driver.damped_at - begin
        passed = is_damped is damps if damps is not None else is_damped or not driver.is_fallen
        return DdsOutcome(name, walking, seconds, driver.state, passed)


@contextlib.contextmanager
def running_node(folder: PolicyFolder, spec: RobotSpec) -> Iterator[Tuple[DdsRobot, NodeProcess]]:
    """Yield a simulated robot and a standing locomotion node; end both afterwards.

    Raises:
        LocomotionError: The robot does not stand in time.
    """
    with tempfile.TemporaryDirectory() as logs:
        driver = DdsRobot(spec)
        node = NodeProcess('locomotion', {
            'policy': folder.path.resolve(), 'robot': spec.folder, 'engine': 'onnxruntime',
            'autostart': True}, Path(logs) / 'locomotion.log')
        try:
            if not driver.until_state('standing', START):
                raise LocomotionError(f'the robot does not stand, the node is {driver.state!r}:\n'
                                      f'{node.tail()}')
            yield driver, node
        finally:
            node.stop()
            driver.close()


def dds_table(outcomes: Tuple[DdsOutcome, ...]) -> str:
    """Return the outcomes as a Markdown table, one line per fault."""
    lines = ['| fault | standing | walking | `~/state` |', '|---|---|---|---|']
    for still, moving in zip(outcomes[::2], outcomes[1::2]):
        lines.append(f'| {still.fault} | {_cell(still)} | {_cell(moving)} | {moving.state} |')
    return '\n'.join(lines)


def _cell(one: DdsOutcome) -> str:
    failed = '' if one.passed else '**FAILED** '
    if one.damped_after != one.damped_after:
        return f'{failed}goes on'
    return f'{failed}damped after {1e3 * one.damped_after:.0f} ms'
