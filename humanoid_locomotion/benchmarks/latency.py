# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures the latency from joint states to the command, beside a node that only copies."""

from __future__ import annotations

import contextlib
from pathlib import Path
import subprocess
import sys
import tempfile
import time
from typing import Any, Dict, Iterator, List

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import Imu, JointState

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.nodes.demos.node_process import NodeProcess
from humanoid_locomotion.nodes.ros import qos
from humanoid_locomotion.nodes.ros.executor import create_wall_timer, make_executor, run
from humanoid_locomotion.reliability.faults.dds_faults import START

RATE = 50.0  # [Hz]
WARM_UP = 4.0  # [s]
FLOOR = 'floor'  # namespace of the copying node


class CopyNode(Node):
    """The lower bound of latency: copies JointState from subscription to publisher."""

    def __init__(self) -> None:
        super().__init__('copy', namespace=FLOOR)
        self._publisher = self.create_publisher(JointState, 'joint_command', qos.COMMAND)
        self.create_subscription(
            JointState, 'joint_states', self._publisher.publish, qos.SENSOR_INPUT)

    def stop(self) -> None:
        """Do nothing: it controls no robot."""


class Pinger(Node):
    """Sends joint states to both nodes alternately, and measures the response times.

    Each node is addressed at the control rate, half a period after the other, so that both
    experience the same machine load; the IMU message is sent a quarter of a period before. Joint
    states with positions, velocities and torques have the size of the command: all messages are
    equally long.
    """

    def __init__(self, robot: RobotSpec):
        super().__init__('pinger')
        self._imu, self._joints = Imu(), JointState(name=robot.joint_names)
        self._imu.orientation.w = 1.0
        self._joints.position = robot.values('default').tolist()
        self._joints.effort = [0.0] * len(robot.joint_names)
        self._noise, self._turn = 0.0, 0
        self.latencies: Dict[str, List[float]] = {'copy': [], 'locomotion': []}
        self._sent = dict.fromkeys(self.latencies, 0.0)
        self._to_imu = self.create_publisher(Imu, 'imu/data', qos.SENSOR_OUTPUT)
        self._to: Dict[str, Any] = {}
        for name, space in (('copy', f'{FLOOR}/'), ('locomotion', '')):
            self._to[name] = self.create_publisher(
                JointState, f'{space}joint_states', qos.SENSOR_OUTPUT)
            self.create_subscription(
                JointState, f'{space}joint_command',
                lambda _, name=name: self._on_command(name), qos.COMMAND)
        create_wall_timer(self, 0.25 / RATE, self._send)

    def _send(self) -> None:
        self._turn = (self._turn + 1) % 4
        if self._turn % 2:
            self._imu.angular_velocity.x = self._differ()
            self._imu.header.stamp = self.get_clock().now().to_msg()
            self._to_imu.publish(self._imu)
            return
        name = 'locomotion' if self._turn else 'copy'
        self._joints.velocity = [self._differ()] * len(self._joints.name)
        self._joints.header.stamp = self.get_clock().now().to_msg()
        self._sent[name] = time.monotonic()
        self._to[name].publish(self._joints)

    def _differ(self) -> float:
        self._noise = (self._noise + 1e-6) % 1e-3  # measurements are never identical
        return self._noise

    def _on_command(self, name: str) -> None:
        if self._sent[name]:
            self.latencies[name].append(time.monotonic() - self._sent[name])
            self._sent[name] = 0.0


def measure(folder: PolicyFolder, spec: RobotSpec, engine: str,
            seconds: float) -> List[Dict[str, Any]]:
    """Time the locomotion node and the copying node; rclpy is initialised and isolated.

    Raises:
        LocomotionError: One of the nodes does not respond.
    """
    pinger = Pinger(spec)
    executor = make_executor()
    executor.add_node(pinger)

    def spin(duration: float, until: bool = False) -> None:
        end = time.monotonic() + duration
        while time.monotonic() < end and not (until and all(pinger.latencies.values())):
            executor.spin_once(timeout_sec=0.05)

    try:
        with _both(folder, spec, engine):
            spin(START, until=True)
            spin(WARM_UP)
            for latencies in pinger.latencies.values():
                latencies.clear()
            spin(seconds)
    finally:
        executor.shutdown()
        pinger.destroy_node()
    silent = [name for name, latencies in pinger.latencies.items() if not latencies]
    if silent:
        raise LocomotionError(f'no answer from {", ".join(silent)}')
    rows = {name: 1e3 * np.array(latencies) for name, latencies in pinger.latencies.items()}
    floor = np.percentile(rows['copy'], (50, 99))
    return [{'node': name, 'engine': engine if name == 'locomotion' else '-',
             'answers': len(row), 'p50_ms': p50, 'p99_ms': p99, 'max_ms': row.max(),
             'p50_of_floor': p50 / floor[0], 'p99_of_floor': p99 / floor[1]}
            for name, row in rows.items() for p50, p99 in [np.percentile(row, (50, 99))]]


@contextlib.contextmanager
def _both(folder: PolicyFolder, spec: RobotSpec, engine: str) -> Iterator[None]:
    with tempfile.TemporaryDirectory() as logs:
        copy = subprocess.Popen([sys.executable, '-m', __name__])
        locomotion = NodeProcess('locomotion', {
            'policy': folder.path.resolve(), 'robot': spec.folder, 'engine': engine,
            'autostart': True}, Path(logs) / 'log')
        try:
            yield
        finally:
            copy.terminate()
            copy.wait()
            locomotion.stop()


if __name__ == '__main__':
    sys.exit(run(CopyNode))
