"""How long a command takes from the joint states it answers, beside a node that only copies."""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys
import tempfile
import time
from typing import Any, Dict, List

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import Imu, JointState

from humanoid_locomotion.core.policy import PolicyFolder
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes import qos
from humanoid_locomotion.nodes.executor import create_wall_timer, make_executor, run
from humanoid_locomotion.nodes.walk_processes import NodeProcess
from humanoid_locomotion.reliability.dds_faults import START

RATE = 50.0  # [Hz]
WARM_UP = 2.0  # [s]
# The two are measured in turns, so that a busy machine is busy for both.
TURNS = 3


class CopyNode(Node):
    """The floor: copies JointState from subscription to publisher."""

    def __init__(self) -> None:
        super().__init__('copy')
        self._publisher = self.create_publisher(JointState, 'joint_command', qos.COMMAND)
        self.create_subscription(
            JointState, 'joint_states', self._publisher.publish, qos.SENSOR_INPUT)

    def stop(self) -> None:
        """Do nothing: no robot hangs on it."""


class Pinger(Node):
    """Sends joint states at the control rate, and times what comes back."""

    def __init__(self, folder: PolicyFolder):
        super().__init__('pinger')
        robot = load_robot(folder.contract.robot)
        self._imu, self._joints = Imu(), JointState(name=robot.joint_names)
        self._imu.orientation.w = 1.0
        self._joints.position = robot.values('default').tolist()
        self._sent = self._flip = 0.0
        self.latencies: List[float] = []
        self._to_imu = self.create_publisher(Imu, 'imu/data', qos.SENSOR_OUTPUT)
        self._to_joints = self.create_publisher(JointState, 'joint_states', qos.SENSOR_OUTPUT)
        self.create_subscription(JointState, 'joint_command', self._on_command, qos.COMMAND)
        create_wall_timer(self, 1.0 / RATE, self._send)

    def _send(self) -> None:
        self._flip = 1e-6 - self._flip  # what is measured is never twice the same
        self._joints.velocity = [self._flip] * len(self._joints.name)
        self._imu.angular_velocity.x = self._flip
        stamp = self.get_clock().now().to_msg()
        self._imu.header.stamp = self._joints.header.stamp = stamp
        self._to_imu.publish(self._imu)
        self._sent = time.monotonic()
        self._to_joints.publish(self._joints)

    def _on_command(self, msg: JointState) -> None:
        if self._sent:
            self.latencies.append(time.monotonic() - self._sent)
            self._sent = 0.0


def measure(folder: PolicyFolder, engine: str, seconds: float) -> List[Dict[str, Any]]:
    """Time the locomotion node and the floor in turns; rclpy is initialised and isolated."""
    rows: Dict[str, List[float]] = {'copy': [], 'locomotion': []}
    with tempfile.TemporaryDirectory() as logs:
        for _ in range(TURNS):
            for name, latencies in rows.items():
                latencies += _turn(folder, name, engine, seconds / TURNS, Path(logs) / 'log')
    floor = np.percentile(rows['copy'], (50, 99))
    return [{'node': name, 'engine': engine if name == 'locomotion' else '-',
             'answers': len(latencies), 'p50_ms': 1e3 * p50, 'p99_ms': 1e3 * p99,
             'max_ms': 1e3 * max(latencies), 'p50_of_floor': p50 / floor[0],
             'p99_of_floor': p99 / floor[1]}
            for name, latencies in rows.items()
            for p50, p99 in [np.percentile(latencies, (50, 99))]]


def _turn(folder: PolicyFolder, name: str, engine: str, seconds: float,
          log: Path) -> List[float]:
    node = Pinger(folder)
    executor = make_executor()
    executor.add_node(node)
    process: Any = (
        subprocess.Popen([sys.executable, '-m', __name__]) if name == 'copy' else NodeProcess(
            'locomotion', {'policy': folder.path.resolve(), 'engine': engine,
                           'autostart': True}, log))

    def spin(duration: float, until: int = 0) -> None:
        end = time.monotonic() + duration
        while time.monotonic() < end and not (until and len(node.latencies) >= until):
            executor.spin_once(timeout_sec=0.05)

    try:
        spin(START, until=1)
        spin(WARM_UP)
        node.latencies.clear()
        spin(seconds)
        return list(node.latencies)
    finally:
        if name == 'copy':
            process.terminate()
            process.wait()
        else:
            process.stop()
        executor.shutdown()
        node.destroy_node()


def step_times(policy: Any, obs_size: int, steps: int) -> np.ndarray:
    """Return the wall time of each call of an engine, without ROS [s], (steps,)."""
    obs = np.random.default_rng(0).standard_normal((1, obs_size)).astype(np.float32)
    times = np.zeros(steps)
    for _ in range(100):
        policy(obs)
    for i in range(steps):
        begin = time.perf_counter()
        policy(obs)
        times[i] = time.perf_counter() - begin
    return times


if __name__ == '__main__':
    sys.exit(run(CopyNode))
