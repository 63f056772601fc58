# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Soak tests of a node over DDS: random walking commands, and invalid messages."""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
import time
from typing import Any, Callable, List, Tuple

from geometry_msgs.msg import Twist
import numpy as np
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Imu, JointState
from std_srvs.srv import Trigger

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.nodes.demos.node_process import NodeProcess
from humanoid_locomotion.nodes.locomotion.state_machine import Mode
from humanoid_locomotion.nodes.ros import qos
from humanoid_locomotion.reliability.faults.dds_faults import running_node
from humanoid_locomotion.reliability.faults.dds_robot import DdsRobot

COMMAND_FOR = 3.0  # [s]
SETTLE = 10.0  # [s] before memory is compared
DIAGNOSED = 1.5  # [s], after which diagnostics are updated
MISSED = 1.5  # periods
MOST_MISSED = 0.01  # share of periods
MOST_GROWTH = 5.0  # [MB]
SERVICES = ('stand', 'walk', 'damp', 'emergency_stop', 'reset', 'swap')


@dataclass(frozen=True)
class WalkSoak:
    """Result of a long walk.

    Attributes:
        seconds: Duration [s].
        commands: Number of velocity commands.
        falls: Number of falls and of faults of the node.
        steps: Number of control steps that reached the driver.
        missed: Share of periods longer than one and a half.
        longest: The longest period [s].
        growth: Growth of the node's memory [MB].
        cores: Share of a core used by the node.
        alarms: Control steps in which safety rules tripped, by rule, without late steps, which
            are counted as missed periods.
    """

    seconds: float
    commands: int
    falls: int
    steps: int
    missed: float
    longest: float
    growth: float
    cores: float
    alarms: str

    @property
    def passed(self) -> bool:
        """Whether it walked without falls, missed periods, memory growth and false alarms."""
        return (self.falls == 0 and self.missed <= MOST_MISSED and self.growth < MOST_GROWTH
                and not self.alarms)


def soak_walk(folder: PolicyFolder, spec: RobotSpec, seconds: float,
              report: Callable[[str], None]) -> WalkSoak:
    """Walk for a while with commands drawn from the trained range.

    Raises:
        LocomotionError: The node sends no ``joint_command`` or no diagnostics.
    """
    random, limits = np.random.default_rng(0), folder.contract.command_limits.velocity
    with running_node(folder, spec) as (driver, node):
        driver.spin(min(SETTLE, 0.2 * seconds))
        driver.commands.clear()
        before = dict(driver.trips)
        memory, begin, count, falls = resident(node), time.monotonic(), 0, 0
        node.start_measuring()
        while time.monotonic() - begin < seconds:
            driver.walk = random.uniform(limits.lower, limits.upper).tolist()
            count += 1
            driver.spin(min(COMMAND_FOR, max(0.0, begin + seconds - time.monotonic())))
            if driver.is_fallen or driver.state.startswith('fault'):
                falls += 1
                report(f'{time.monotonic() - begin:.0f} s: {driver.state}')
                break
        if len(driver.commands) < 2:
            raise LocomotionError(f'expected joint_command at every control step, found '
                                  f'{len(driver.commands)}: {driver.state!r}')
        cores, periods = node.cores() or float('nan'), np.diff(driver.commands)
        walked, growth = time.monotonic() - begin, resident(node) - memory
        steps, late = len(driver.commands), periods > MISSED * folder.contract.control_period
        driver.spin(DIAGNOSED)
        if not driver.trips:
            raise LocomotionError('no /diagnostics received: the alarms are not known')
        alarms = ', '.join(f'{name}: {trips - before.get(name, 0)}'
                           for name, trips in driver.trips.items()
                           if trips > before.get(name, 0) and name != 'late step')
        return WalkSoak(walked, count, falls, steps,
                        float(late.mean()), float(periods.max()), growth, cores, alarms)


@dataclass(frozen=True)
class StartleSoak:
    """Result of sending invalid messages.

    Attributes:
        seconds: Duration [s].
        sent: Number of messages, requests and parameters sent.
        states: States published by the node.
        unknown: States that are not in the table of states.
        alive: Whether the process survived.
        answers: Whether it stands again after a reset, with valid sensor messages.
    """

    seconds: float
    sent: int
    states: int
    unknown: Tuple[str, ...]
    alive: bool
    answers: bool

    @property
    def passed(self) -> bool:
        """Whether the node works as before."""
        return self.alive and self.answers and not self.unknown


def soak_startle(folder: PolicyFolder, spec: RobotSpec, seconds: float) -> StartleSoak:
    """Send random bytes as messages, parameters and requests, then request a normal walk."""
    random = np.random.default_rng(0)
    with running_node(folder, spec) as (driver, node):
        startler = _Startler(driver, random)
        begin = time.monotonic()
        while time.monotonic() - begin < seconds and node.is_running:
            startler.once()
            driver.spin(0.01)
        startler.close()
        answers = node.is_running and _stands_again(driver)
        modes = tuple(mode.value for mode in Mode)
        unknown = tuple(sorted({state for state in driver.states
                                if not state.startswith(modes)}))
        return StartleSoak(time.monotonic() - begin, startler.sent, len(driver.states), unknown,
                           node.is_running, answers)


def _stands_again(driver: DdsRobot) -> bool:
    for _ in range(5):
        # The robot may have fallen: it is suspended again, as an operator would.
        driver.robot.reset()
        driver.spin(1.0)
        driver.request('reset')
        driver.spin(1.0)
        driver.request('stand')
        if driver.until_state('standing', 5.0):
            return True
    return False


class _Startler:
    """Sends invalid messages, parameters and requests."""

    def __init__(self, driver: DdsRobot, random: np.random.Generator):
        self._driver, self._random, self.sent = driver, random, 0
        self._publishers = [
            (driver.create_publisher(kind, topic, profile), kind) for kind, topic, profile in (
                (Twist, 'cmd_vel', qos.VELOCITY_COMMAND),
                (Imu, 'imu/data', qos.SENSOR_OUTPUT),
                (JointState, 'joint_states', qos.SENSOR_OUTPUT))]
        self._clients: List[Any] = [driver.create_client(Trigger, f'locomotion/{name}')
                         for name in SERVICES]
        self._parameters: Any = driver.create_client(SetParameters, 'locomotion/set_parameters')

    def once(self) -> None:
        """Send one message, parameter or request."""
        self.sent += 1
        kind = self._random.integers(10)
        if kind < 4:
            self._message()
        elif kind < 6:
            client = self._clients[self._random.integers(len(self._clients))]
            client.call_async(Trigger.Request())
        elif kind < 8:
            self._parameter()
        else:
            self._driver.walk = self._random.uniform(-5.0, 5.0, 3).tolist()

    def _message(self) -> None:
        publisher, kind = self._publishers[self._random.integers(len(self._publishers))]
        msg = kind()
        if kind is JointState:
            msg.name = [self._text() for _ in range(self._random.integers(40))]
            msg.position = self._numbers(int(self._random.integers(40)))
            msg.velocity = self._numbers(int(self._random.integers(40)))
        elif kind is Imu:
            q = msg.orientation
            q.x, q.y, q.z, q.w = self._numbers(4)
        else:
            msg.linear.x, msg.linear.y, msg.angular.z = self._numbers(3)
        data = serialize_message(msg)
        if self._random.random() < 0.3:  # bytes that are not a message
            # Not longer than the message, since DDS does not send more for a type of fixed size.
            data = data[:4] + self._random.bytes(int(self._random.integers(1, len(data) - 3)))
        publisher.publish(data)

    def _parameter(self) -> None:
        names = ('policy', 'engine', 'max_tilt', 'sensor_timeout', 'autostart', self._text())
        values: List[Any] = [
            ParameterValue(type=4, string_value=self._text()),
            ParameterValue(type=3, double_value=self._numbers(1)[0]),
            ParameterValue(type=2, integer_value=int(self._random.integers(-9, 9))),
            ParameterValue(type=1, bool_value=True), ParameterValue(type=0)]
        request = SetParameters.Request(parameters=[Parameter(
            name=names[self._random.integers(len(names))],
            value=values[self._random.integers(len(values))])])
        self._parameters.call_async(request)

    def _text(self) -> str:
        return self._random.bytes(int(self._random.integers(20))).decode('latin-1').replace(
            '\0', '')

    def _numbers(self, count: int) -> List[float]:
        drawn = self._random.integers(0, 256, 8 * count, np.uint8).tobytes()
        return np.frombuffer(drawn, np.float64).tolist()

    def close(self) -> None:
        """Remove the publishers, since second publishers are a fault themselves."""
        self._driver.walk = None
        for publisher, _ in self._publishers:
            self._driver.destroy_publisher(publisher)


def resident(node: NodeProcess) -> float:
    """Return the resident memory of a process [MB]."""
    pages = int(Path(f'/proc/{node.pid}/statm').read_text().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 2**20
