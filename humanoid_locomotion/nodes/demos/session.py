# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Common parts of the demos: nodes in separate processes, and a node that records the robot."""

from __future__ import annotations

from abc import ABC, abstractmethod
import contextlib
from pathlib import Path
import signal
import time
from types import MappingProxyType
from typing import Dict, Iterator, List, Mapping, Optional, Sequence

from nav_msgs.msg import Odometry
import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.nodes.demos.node_process import NodeProcess
from humanoid_locomotion.nodes.demos.walk_profile import Sample, fallen, heading_velocity
from humanoid_locomotion.nodes.operator.viewer import SAID_ADDRESS
from humanoid_locomotion.nodes.ros import conversions, middleware, qos
from humanoid_locomotion.nodes.ros.executor import make_executor

START_TIMEOUT = 60.0  # [s] until the robot stands
CATCH_UP = 0.5  # [s]
STALL_TIMEOUT = 10.0  # [s] without odometry of the robot


class Watcher(Node, ABC):
    """Records pose and motion of the robot, from the start of the course.

    Args:
        name: Name of the node.
        joint_names: The joints to record.

    Attributes:
        samples: The recorded samples.
        joint_positions: The last received joint positions [rad].
        state: State published by the locomotion node.
        last_news: Wall time of the last odometry [s].
    """

    def __init__(self, name: str, joint_names: Sequence[str]):
        super().__init__(name, parameter_overrides=[Parameter('use_sim_time', value=True)])
        self._joints = conversions.JointReader(joint_names)
        self._begin: Optional[float] = None
        self.samples: List[Sample] = []
        self.joint_positions: Optional[np.ndarray] = None
        self.state = ''
        self.last_news, self._has_odom = time.monotonic(), False
        self.create_subscription(Odometry, 'odom', self._on_odom, qos.SENSOR_INPUT)
        self.create_subscription(
            JointState, 'joint_states', self._on_joint_states, qos.SENSOR_INPUT)
        self.create_subscription(String, 'locomotion/state', self._on_state, qos.LATCHED)

    @property
    def elapsed(self) -> float:
        """Simulated time since the start of the course [s]."""
        return 0.0 if self._begin is None else self._now() - self._begin

    @property
    def has_begun(self) -> bool:
        """Whether the course has started."""
        return self._begin is not None

    @property
    @abstractmethod
    def segment(self) -> int:
        """Index of the current part of the course."""

    @property
    @abstractmethod
    def is_done(self) -> bool:
        """Whether the course is finished."""

    @property
    @abstractmethod
    def is_heard(self) -> bool:
        """Whether the receivers of its messages have subscribed."""

    @property
    def hears(self) -> bool:
        """Whether a message of every topic of the robot was received, including its clock."""
        return self._now() > 0.0 and self.joint_positions is not None and self._has_odom

    def begin(self) -> None:
        """Start the course."""
        self._begin = self._now()

    def trouble(self) -> str:
        """Return how the robot fell or why it stopped; empty if it did not."""
        fall = fallen(self.samples[-1], self.samples[0].position[2]) if self.samples else ''
        is_fault = self.state.startswith('fault')
        return fall or (f'{self.state}, after {self.elapsed:.1f} s' if is_fault else '')

    def _now(self) -> float:
        return 1e-9 * float(self.get_clock().now().nanoseconds)

    def _on_odom(self, msg: Odometry) -> None:
        self.last_news, self._has_odom = time.monotonic(), True
        if not self.has_begun or self.is_done:
            return
        orientation = conversions.odom_orientation(msg)
        angular = msg.twist.twist.angular
        velocity = heading_velocity(
            orientation, conversions.odom_linear_velocity(msg),
            np.array([angular.x, angular.y, angular.z]))
        self.samples.append(Sample(
            self.elapsed, self.segment, conversions.odom_position(msg), orientation, velocity,
            self.joint_positions))

    def _on_joint_states(self, msg: JointState) -> None:
        self.joint_positions = self._joints.positions(msg)

    def _on_state(self, msg: String) -> None:
        self.state = msg.data


class Session:
    """A watcher, its executor and the processes of the other nodes.

    Args:
        watcher: The recording node.
        started: Parameters of the nodes to start, by node name; the sim node and the locomotion
            node must be among them.
        logs: Folder for their logs.
        remappings: Topic remappings, by node name.
    """

    def __init__(self, watcher: Watcher, started: Dict[str, Dict[str, object]], logs: Path,
                 remappings: Mapping[str, Mapping[str, str]] = MappingProxyType({})):
        self._watcher, self._executor = watcher, make_executor()
        self._executor.add_node(watcher)
        self.processes: List[NodeProcess] = []
        try:
            for name, parameters in started.items():
                self.processes.append(NodeProcess(
                    name, parameters, logs / f'{name}.log', remappings.get(name, {})))
        except BaseException:
            self.close()
            raise

    def wait_until_standing(self) -> None:
        """Spin until the robot stands and all nodes are connected, and queued messages are read.

        Raises:
            LocomotionError: The robot does not stand in time.
        """
        watcher, deadline = self._watcher, time.monotonic() + START_TIMEOUT
        while not (watcher.state == 'standing' and watcher.hears and watcher.is_heard):
            self._executor.spin_once(timeout_sec=0.1)
            for process in self.processes:
                process.check()
            if watcher.state.startswith('fault') or time.monotonic() > deadline:
                said = '\n'.join(process.tail() for process in self.processes
                                 if process.name == 'locomotion')
                raise LocomotionError(
                    f'the robot does not stand in time; it is {watcher.state or "unknown"!r}:'
                    f'\n{said}')
        deadline = time.monotonic() + CATCH_UP
        while time.monotonic() < deadline:
            self._executor.spin_once(timeout_sec=0.1)
        for process in self.processes:
            process.start_measuring()

    def viewer_address(self) -> str:
        """Return the address of the viewer's page, once its process has printed it.

        Raises:
            LocomotionError: The address is not printed in time.
        """
        (viewer,) = [process for process in self.processes if process.name == 'viewer']
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            for line in viewer.tail().splitlines():
                if line.startswith(SAID_ADDRESS):
                    return line[len(SAID_ADDRESS):]
            viewer.check()
            time.sleep(0.1)
        raise LocomotionError(f'the viewer does not print its address:\n{viewer.tail()}')

    def spin(self) -> str:
        """Spin once; return how the robot fell, empty if it did not.

        Raises:
            LocomotionError: There was no odometry for too long.
        """
        self._executor.spin_once(timeout_sec=0.1)
        if time.monotonic() - self._watcher.last_news > STALL_TIMEOUT:
            for process in self.processes:
                process.check()
            raise LocomotionError(f'no odom for {STALL_TIMEOUT:g} s')
        return self._watcher.trouble()

    def cores(self) -> Dict[str, Optional[float]]:
        """Return the mean number of busy cores of each process since the robot stood, by name."""
        return {process.name: process.cores() for process in self.processes}

    def close(self) -> None:
        """End the processes, the locomotion node before the simulated robot."""
        for process in reversed(self.processes):
            process.stop()
        self._executor.shutdown()
        self._watcher.destroy_node()


@contextlib.contextmanager
def ros() -> Iterator[None]:
    """Initialise rclpy so that Ctrl-C and SIGTERM also end the nodes of a session."""
    # Without rclpy's signal handlers Ctrl-C is an ordinary KeyboardInterrupt, and SIGTERM is
    # converted to one: the nodes must not outlive this process.
    middleware.init()
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
        rclpy.try_shutdown()


def cores_in_words(cores: Dict[str, Optional[float]]) -> str:
    """Return :meth:`Session.cores` as one line of text."""
    return 'share of a core: ' + ', '.join(
        f'{name} {"?" if share is None else f"{100.0 * share:.0f} %"}'
        for name, share in cores.items())
