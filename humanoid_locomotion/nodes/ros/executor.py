# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs one node on one thread, and stops the robot before the process ends."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any, Callable, List, Optional

import rclpy
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.executors import Executor, SingleThreadedExecutor
from rclpy.logging import get_logger
from rclpy.node import Node
from rclpy.timer import Timer

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.nodes.ros import middleware
from humanoid_locomotion.nodes.ros.guarded import GuardedNode, describe

# Longest delay until a signal is handled when idle [s]. It must be a number: without a timeout
# EventsExecutor.spin_once() of the PyPI wheels busy-waits and runs no timer.
SPIN_TIMEOUT = 0.1
MAX_FAILURES = 20  # of the executor in one second


def create_wall_timer(node: Node, period: float, callback: Callable[[], Any]) -> Timer:
    """Return a timer that uses the machine's clock, independent of the node's time source.

    Its deadlines are absolute, and missed ones are skipped.
    """
    return node.create_timer(period, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))


def make_executor() -> Executor:
    """Return a single-threaded executor.

    rclpy's EventsExecutor takes half the processor time of SingleThreadedExecutor and runs
    callbacks in the order of arrival; distributions before Jazzy lack it.
    """
    try:
        from rclpy.experimental.events_executor import EventsExecutor
    except ImportError:
        return SingleThreadedExecutor()
    return EventsExecutor()


def run(make_node: Callable[[], Any], args: Optional[List[str]] = None) -> int:
    """Run a node until SIGINT, SIGTERM or a crash; stop it while it can still publish.

    Returns:
        The exit code: 0, or 2 for an invalid parameter.
    """
    stop = threading.Event()
    # rclpy's own handlers would shut down the context before the node could damp the robot.
    middleware.init(args=args)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        return _run(make_node, stop)
    finally:
        rclpy.try_shutdown()


def _spin_once(executor: Executor, node: Any, failures: List[float]) -> None:
    """Spin once; pass exceptions of rclpy itself to a node that can continue."""
    try:
        executor.spin_once(timeout_sec=SPIN_TIMEOUT)
    except Exception as error:
        if not isinstance(node, GuardedNode):
            raise
        node.on_exception('executor', describe(error))
        failures.append(time.monotonic())
        if len(failures) > MAX_FAILURES and failures[-1] - failures.pop(0) < 1.0:
            raise  # an executor that always fails is useless: damp and end the process


def _run(make_node: Callable[[], Any], stop: threading.Event) -> int:
    try:
        node = make_node()
    except LocomotionError as error:
        get_logger('humanoid_locomotion').fatal(str(error))
        return 2
    executor = make_executor()
    executor.add_node(node)
    failures: List[float] = []
    try:
        while not stop.is_set():
            _spin_once(executor, node, failures)
    finally:
        node.stop()
        executor.shutdown()
        node.destroy_node()
    return 0
