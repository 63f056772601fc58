# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A simulated robot on Unitree's wire, with the driver and the locomotion node as processes."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, Callable, ClassVar, Dict, Iterator, List, Optional, Sequence

from geometry_msgs.msg import Twist
from rclpy.node import Node
from std_msgs.msg import String

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.nodes.demos.node_process import NodeProcess
from humanoid_locomotion.nodes.ros import middleware, qos
from humanoid_locomotion.nodes.ros.executor import create_wall_timer, make_executor
from humanoid_locomotion.reliability.faults.cable import Cable

INTERFACE = 'lo'
START, LOWERING = 30.0, 1.0  # [s]
FIRMWARE_WATCHDOG = 0.2  # [s]


class WireRobot:
    """A simulated robot in a process that prints its state as JSON lines.

    Args:
        command: Arguments of the Python interpreter, without the domain.
        domain_option: Arguments between the others and the domain.
        cable: Connects it to this machine; None for the loopback interface.

    Attributes:
        cable: Connects it to this machine; None for the loopback interface.
        domain: DDS domain of the wire.
        interface: Network interface of this machine on which it is reached.
        report: The newest report.
        driver_parameters: Parameters that the driver needs for this robot.
    """

    driver_parameters: ClassVar[Dict[str, object]] = {}

    def __init__(self, command: Sequence[str], domain_option: Sequence[str] = (),
                 cable: Optional[Cable] = None):
        self.domain = middleware.free_domain()
        self.cable, self.interface = cable, cable.interface if cable else INTERFACE
        self.report: Dict[str, Any] = {}
        self._process = subprocess.Popen(
            [*(cable.prefix if cable else ()), sys.executable, *command, *domain_option,
             str(self.domain)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def act(self, line: str) -> None:
        """Send it a line, such as ``lower``."""
        assert self._process.stdin is not None
        self._process.stdin.write(f'{line}\n')
        self._process.stdin.flush()

    def close(self) -> None:
        """End it, and remove its cable."""
        self._process.kill()
        self._process.wait()
        self._reading.join()
        if self.cable is not None:
            self.cable.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with contextlib.suppress(ValueError):  # other prints of a vendor's program
                found: Dict[str, Any] = json.loads(line)
                if 'position' in found:
                    self.report = found


class StandInRobot(WireRobot):
    """The stand-in of this package; ``stand_in_robot.ACTIONS`` lists its lines."""

    driver_parameters: ClassVar[Dict[str, object]] = {'require_remote': True}

    def __init__(self, spec: RobotSpec, watchdog: float = 0.0, cable: Optional[Cable] = None):
        super().__init__(['-m', 'humanoid_locomotion.nodes.hardware.unitree.stand_in',
                          '--robot', str(spec.folder), '--watchdog', str(watchdog), '--interface',
                          cable.interface if cable else INTERFACE], ['--domain'], cable)
        self.act('press F1')  # without a pressed button, its bytes are those of no remote


def cabled_robot(spec: RobotSpec) -> StandInRobot:
    """Return a stand-in at the far end of a cable, whose firmware damps without commands."""
    return StandInRobot(spec, FIRMWARE_WATCHDOG, Cable())


class Operator(Node):
    """Publishes a velocity command and keeps the state of the locomotion node.

    Attributes:
        state: State of the locomotion node.
        since: Time of its arrival, as of time.monotonic() [s].
        walk: The velocity command that is published at 20 Hz; None for none.
    """

    def __init__(self) -> None:
        super().__init__('operator')
        self.state, self.since = '', 0.0
        self.walk: Optional[List[float]] = None
        self._cmd_vel = self.create_publisher(Twist, 'cmd_vel', qos.VELOCITY_COMMAND)
        self.create_subscription(String, 'locomotion/state', self._on_state, qos.LATCHED)
        create_wall_timer(self, 0.05, self._on_walk)
        self._executor = make_executor()
        self._executor.add_node(self)

    def spin(self, seconds: float, until: Optional[Callable[[], bool]] = None) -> bool:
        """Spin for a time [s], or until a condition holds; return whether it does."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if until is not None and until():
                return True
            self._executor.spin_once(timeout_sec=0.01)
        return False

    def close(self) -> None:
        """Free the node."""
        self._executor.shutdown()
        self.destroy_node()

    def _on_state(self, msg: String) -> None:
        self.state, self.since = msg.data, time.monotonic()

    def _on_walk(self) -> None:
        if self.walk is not None:
            msg = Twist()
            msg.linear.x, msg.linear.y, msg.angular.z = self.walk
            self._cmd_vel.publish(msg)


class Bench:
    """The four processes.

    Attributes:
        robot: The robot.
        driver: The driver node.
        locomotion: The locomotion node.
        operator: Commands the velocity.
        spec: The robot's description.
        stranger: Another participant on the wire, which publishes nothing at first.
    """

    def __init__(self, folder: PolicyFolder, spec: RobotSpec, logs: Path, robot: WireRobot):
        self.spec, self.robot, self.operator = spec, robot, Operator()
        from humanoid_locomotion.nodes.hardware.unitree.dds import Wire
        self.stranger = Wire(robot.interface, robot.domain)
        self.locomotion = NodeProcess('locomotion', {
            'policy': folder.path.resolve(), 'robot': spec.folder, 'engine': 'onnxruntime',
            'autostart': True, 'allow_hanging': True}, logs / 'locomotion.log')
        self.operator.spin(START, lambda: bool(self.robot.report))
        self.driver = NodeProcess('driver', {
            'driver': 'unitree', 'robot': spec.folder, 'interface': robot.interface,
            'domain': robot.domain, **robot.driver_parameters}, logs / 'driver.log')

    def close(self) -> None:
        """End them."""
        self.locomotion.stop()
        self.driver.signal(signal.SIGCONT)
        self.driver.stop()
        self.stranger.close()
        self.operator.close()
        self.robot.close()


@contextlib.contextmanager
def standing_robot(folder: PolicyFolder, spec: RobotSpec,
                   make_robot: Callable[[RobotSpec], WireRobot] = StandInRobot,
                   lowering: float = LOWERING) -> Iterator[Bench]:
    """Yield a robot that was lowered from a hoist and stands; rclpy is initialised and isolated.

    Args:
        folder: The policy.
        spec: The robot.
        make_robot: Starts the simulated robot.
        lowering: Time that the hoist needs [s].

    Raises:
        LocomotionError: It does not stand in time.
    """
    with tempfile.TemporaryDirectory() as logs:
        bench = Bench(folder, spec, Path(logs), make_robot(spec))
        try:
            if not bench.operator.spin(START, lambda: bench.operator.state == 'standing'):
                raise LocomotionError(
                    f'the robot does not stand, the node is {bench.operator.state!r}:\n'
                    f'{bench.driver.tail()}\n{bench.locomotion.tail()}')
            bench.robot.act('lower')
            bench.operator.spin(lowering)
            yield bench
        finally:
            bench.close()
