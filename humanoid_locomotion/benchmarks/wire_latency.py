# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Time from a robot's state to the command on its wire, beside a process that only copies."""

from __future__ import annotations

import contextlib
from pathlib import Path
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, Dict, Iterator, List, Optional

import numpy as np

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec, load_robot
from humanoid_locomotion.nodes.demos.node_process import NodeProcess
from humanoid_locomotion.nodes.hardware.unitree.dds import Reader, Wire
from humanoid_locomotion.nodes.hardware.unitree.messages import sign
from humanoid_locomotion.nodes.hardware.unitree.port import COMMANDS, STATES
from humanoid_locomotion.nodes.hardware.unitree.robots import machine_with
from humanoid_locomotion.nodes.ros import middleware

INTERFACE = 'lo'
PERIOD = 0.01  # [s] between states; an answer that takes longer counts for the next state
START, WARM_UP = 30.0, 4.0  # [s]
NOISE = 0.01  # [rad/s], so that no two states and commands are equal


class Robot:
    """One still robot on a wire of its own, which measures the time to each new command.

    Args:
        spec: The robot.
        seed: Of the noise in its measurements.

    Attributes:
        domain: DDS domain of the wire.
        latencies: Times from the latest state to a changed command [s].
    """

    def __init__(self, spec: RobotSpec, seed: int):
        machine = self._machine = machine_with(spec.joint_names, spec.name)
        self._motors = [machine.motors.index(name) for name in spec.joint_names]
        self._noise = np.random.default_rng(seed)
        self.domain = middleware.free_domain()
        self._wire = Wire(INTERFACE, self.domain)
        self._states = self._wire.writer(STATES, machine.state)
        state = self._state = machine.state.new()
        state['motor_state']['q'][self._motors] = spec.values('default')
        state['imu_state']['quaternion'][0] = 1.0
        state['imu_state']['accelerometer'][2] = 9.81
        if machine.mode_machines:
            state['mode_machine'] = min(machine.mode_machines)
        self._sent, self._last = 0.0, np.zeros(len(self._motors))
        self.latencies: List[float] = []
        self._commands: Optional[Reader] = None
        self._commands = self._wire.reader(
            COMMANDS, machine.command, depth=16, on_data=self._on_command)

    def send(self) -> None:
        """Send a state."""
        state, machine = self._state, self._machine
        state['tick'] += round(1000 * PERIOD)
        count = len(self._motors)
        state['motor_state']['dq'][self._motors] = self._noise.normal(0.0, NOISE, count)
        state['imu_state']['gyroscope'] = self._noise.normal(0.0, NOISE, 3)
        sign(state)
        self._sent = time.monotonic()
        self._states.write(machine.state.encode(state))

    def _on_command(self) -> None:
        """Read the commands; called by the wire, so that no processor time is spent on waiting."""
        arrived = time.monotonic()
        for data in [] if self._commands is None else self._commands.take():
            found = self._machine.command.decode(data)['motor_cmd']['q'][self._motors]
            if not np.array_equal(found, self._last):
                self._last = found
                self.latencies.append(arrived - self._sent)

    def close(self) -> None:
        """Leave the wire."""
        self._wire.close()


def copy(robot: str, domain: int) -> None:
    """Answer each state with a command that holds its velocities as targets, until killed."""
    spec = load_robot(robot)
    machine, wire = machine_with(spec.joint_names, spec.name), Wire(INTERFACE, domain)
    commands, message, arrived = (
        wire.writer(COMMANDS, machine.command), machine.command.new(), threading.Event())
    states = wire.reader(STATES, machine.state, on_data=arrived.set)
    while arrived.wait():
        arrived.clear()
        for data in states.take():
            found = machine.state.decode(data)['motor_state']['dq']
            message['motor_cmd']['q'] = found[:len(message['motor_cmd'])]
            sign(message)
            commands.write(machine.command.encode(message))


def measure(folder: PolicyFolder, spec: RobotSpec, seconds: float) -> List[Dict[str, Any]]:
    """Time locomotion node with driver, and the copying process; the ROS domain is isolated.

    Raises:
        LocomotionError: One of them does not answer.
    """
    robots = {'copy': Robot(spec, 0), 'driver and locomotion': Robot(spec, 1)}
    try:
        with _both(folder, spec, *(it.domain for it in robots.values())) as nodes:
            _run(robots, START, until_answered=True)
            _run(robots, WARM_UP)
            for it in robots.values():
                it.latencies.clear()
            _run(robots, seconds)
            silent = [name for name, it in robots.items() if not it.latencies]
            if silent:
                raise LocomotionError('\n'.join(
                    [f'no answer from {silent[0]}', *(node.tail() for node in nodes)]))
    finally:
        for it in robots.values():
            it.close()
    rows = {name: 1e3 * np.array(it.latencies) for name, it in robots.items()}
    floor = np.percentile(rows['copy'], (50, 99))
    return [{'process': name, 'answers': len(row), 'p50_ms': p50, 'p99_ms': p99,
             'max_ms': row.max(), 'p50_of_copy': p50 / floor[0], 'p99_of_copy': p99 / floor[1]}
            for name, row in rows.items() for p50, p99 in [np.percentile(row, (50, 99))]]


def _run(robots: Dict[str, Robot], seconds: float, until_answered: bool = False) -> None:
    """Send states to each robot's wire in turn."""
    turns, due = list(robots.values()), time.monotonic()
    end = due + seconds
    while due < end and not (until_answered and all(it.latencies for it in turns)):
        turns.append(turns.pop(0))
        turns[0].send()
        due += PERIOD / len(turns)
        time.sleep(max(0.0, due - time.monotonic()))


@contextlib.contextmanager
def _both(folder: PolicyFolder, spec: RobotSpec, copied: int,
          driven: int) -> Iterator[List[NodeProcess]]:
    with tempfile.TemporaryDirectory() as logs:
        copying = subprocess.Popen([sys.executable, '-m', __name__, spec.folder, str(copied)])
        parameters: Dict[str, Dict[str, object]] = {
            'locomotion': {'policy': folder.path.resolve(), 'robot': spec.folder,
                           'engine': 'onnxruntime', 'autostart': True, 'allow_hanging': True},
            'driver': {'robot': spec.folder, 'domain': driven, 'simulator': 'unitree_mujoco'}}
        nodes = [NodeProcess(name, it, Path(logs) / name) for name, it in parameters.items()]
        try:
            yield nodes
        finally:
            copying.terminate()
            copying.wait()
            for node in nodes:
                node.stop()


if __name__ == '__main__':
    copy(sys.argv[1], int(sys.argv[2]))
