"""Runs one node on one thread, and lets it put the robot down before the process ends."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any, Callable, List, Optional, Protocol

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

# How soon a signal is seen when nothing else happens [s]. It must be a number: without a timeout
# EventsExecutor.spin_once() of the PyPI wheels waits busily and runs no timer.
SPIN_TIMEOUT = 0.1
MAX_FAILURES = 20  # of the executor in one second


class StoppableNode(Protocol):
    """A node that can end well."""

    def stop(self) -> None:
        """Leave the robot safe; the node is still connected."""

    def destroy_node(self) -> Any:
        """Free the node."""


def create_wall_timer(node: Node, period: float, callback: Callable[[], None]) -> Timer:
    """Return a timer that runs by the machine's clock, whatever time the node follows.

    Its deadlines are absolute, and those that were missed are skipped.
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
    """Run a node until SIGINT, SIGTERM or a crash, and stop it while it can still publish.

    Returns:
        The exit code: 0, or 2 for a parameter that cannot be used.
    """
    stop = threading.Event()
    # rclpy's own handlers would cut the connection before the node could damp the robot.
    middleware.init(args=args)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        return _run(make_node, stop)
    finally:
        rclpy.try_shutdown()


def _spin_once(executor: Executor, node: Any, failures: List[float]) -> None:
    """Spin once; what rclpy itself raises is told to a node that can go on."""
    try:
        executor.spin_once(timeout_sec=SPIN_TIMEOUT)
    except Exception as error:
        if not isinstance(node, GuardedNode):
            raise
        node.on_exception('executor', describe(error))
        failures.append(time.monotonic())
        if len(failures) > MAX_FAILURES and failures[-1] - failures.pop(0) < 1.0:
            raise  # an executor that only fails controls nothing: the process ends, damped


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
