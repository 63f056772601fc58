# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The control loop of the node and a simulated robot on one stepped clock, without DDS.

Messages, gains, targets and the driver's watchdog are those of the nodes; only the transport is
missing. So a fault happens at an exact time, and every run is identical.
"""

from __future__ import annotations

import copy
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from geometry_msgs.msg import TwistStamped
import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.nodes.locomotion.control_loop import ControlLoop
from humanoid_locomotion.nodes.locomotion.state_machine import Mode
from humanoid_locomotion.nodes.ros import conversions
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters
from humanoid_locomotion.nodes.simulation.messages import Measurements
from humanoid_locomotion.nodes.simulation.simulated_robot import SimulatedRobot
from humanoid_locomotion.sim.backend import TerrainSpec

TICK = 0.005  # [s]
COMMAND_EVERY = 10  # ticks, like a planner at 20 Hz
BEGIN = 1000.0  # [s] initial clock time
DRIVER_TIMEOUT = 0.2  # [s]
FALLEN_TILT, FALLEN_SHARE = 1.0, 0.6  # [rad], share of the standing height

# Maps a sent message to the messages that arrive, each with its delay [s].
Filter = Callable[[Any], List[Tuple[Any, float]]]


def unchanged(msg: Any) -> List[Tuple[Any, float]]:
    """Deliver a message without delay."""
    return [(msg, 0.0)]


class FaultBench:
    """A robot with its control loop, for fault injection.

    Args:
        folder: The policy.
        spec: The robot.
        parameters: Parameters of the node.
        terrain: Specification of the ground; None for a flat floor.
        start: Start position of the robot, a point on the ground [m].

    Attributes:
        loop: The control loop of the node.
        robot: The simulated robot with its driver.
        filters: Filter of each topic's messages; faults replace them.
        now: The machine's clock [s].
        elapsed: Simulated time [s], independent of the clock.
        command: The velocity command that is sent.
        skip_until: Time of ``elapsed`` until which the node gets no processor time [s].
        is_alive: Whether the process of the node exists.
        lost: Number of control steps without a finite command.
        publishes: Whether ``joint_command`` reaches the driver.
        on_step: Called before each control step.
    """

    def __init__(self, folder: PolicyFolder, spec: RobotSpec, parameters: LocomotionParameters,
                 terrain: Optional[TerrainSpec] = None, start: Sequence[float] = (0.0, 0.0, 0.0)):
        self.folder, self._contract = folder, folder.contract
        self.robot = SimulatedRobot(spec, TICK, TICK, DRIVER_TIMEOUT, terrain)
        self.robot.start[:] = start
        self.robot.reset()
        self._height = spec.base_height
        self._measurements = Measurements(self.robot, 'base_link', 'odom')
        self.refused: List[str] = []
        self.loop = ControlLoop(folder, spec, parameters,
                                lambda error: self.refused.append(str(error)))
        self._takers: Dict[str, Callable[[Any, float], None]] = {
            'joint_states': self.loop.sensors.take_joint_states,
            'imu/data': self.loop.sensors.take_imu,
            'odom': self.loop.sensors.take_odom,
            'cmd_vel': lambda msg, now: self.loop.take_command(
                msg.twist, now, conversions.seconds(msg.header.stamp))}
        if 'odom' not in self.loop.sensors.channels:
            del self._takers['odom']
        self.filters: Dict[str, Filter] = dict.fromkeys(self._takers, unchanged)
        self._under_way: List[Tuple[float, str, Any]] = []
        self._ticks, self._every = 0, round(self._contract.control_period / TICK)
        self.offset, self.skip_until, self.lost = 0.0, 0.0, 0
        self.command = (0.0, 0.0, 0.0)
        self.is_alive = self.publishes = True
        self.on_step: Callable[[], None] = lambda: None
        self._gains: Any = None

    @property
    def elapsed(self) -> float:
        """Simulated time [s]."""
        return self._ticks * TICK

    @property
    def now(self) -> float:
        """The machine's clock [s]."""
        return BEGIN + self.elapsed + self.offset

    @property
    def is_fallen(self) -> bool:
        """Whether the robot has fallen."""
        state = self.robot.state()
        tilt = float(rotations.tilt(state.base_orientation)[0])
        assert state.base_position is not None  # a simulator always has odometry
        height = float(state.base_position[0, 2] - self.robot.ground())
        return tilt > FALLEN_TILT or height < FALLEN_SHARE * self._height

    @property
    def is_damped(self) -> bool:
        """Whether the driver damps the joints."""
        return not self.robot.pulls

    def close(self) -> None:
        """Free the simulator."""
        self.robot.close()

    def stand(self) -> None:
        """Engage, and stand for two seconds."""
        self.run(0.1)
        self.loop.activate(self.now)
        self.run(2.0)

    def deactivate(self) -> None:
        """Deactivate like the node: its last command damps the robot."""
        self.loop.apply('deactivate', self.now)
        self._command(self.loop.sensors.state.joint_positions[0])

    def run(self, seconds: float) -> None:
        """Run for a time [s]."""
        for _ in range(round(seconds / TICK)):
            self.tick()

    def tick(self) -> None:
        """Run one tick: physics, measurements, commands, and every fourth tick a control step."""
        self._ticks += 1
        self.robot.step()
        self._measurements.take(conversions.to_stamp(round(1e9 * self.now)))
        for topic in self._takers:
            if topic == 'cmd_vel':
                if self._ticks % COMMAND_EVERY == 0:
                    self._send(topic, self._twist())
            else:
                self._send(topic, getattr(self._measurements, topic.split('/')[0]))
        running = self.is_alive and self.elapsed >= self.skip_until
        if running:
            self._deliver()
        if running and self._ticks % self._every == 0:
            self.on_step()
            self._control()

    def _twist(self) -> TwistStamped:
        stamp = conversions.to_stamp(round(1e9 * self.now))
        msg: TwistStamped = conversions.twist(np.array(self.command), stamp)
        return msg

    def _send(self, topic: str, msg: Any) -> None:
        for arriving, delay in self.filters[topic](copy.deepcopy(msg)):
            self._under_way.append((self.elapsed + delay, topic, arriving))

    def _deliver(self) -> None:
        due = [item for item in self._under_way if item[0] <= self.elapsed + 1e-9]
        self._under_way = [item for item in self._under_way if item[0] > self.elapsed + 1e-9]
        for _, topic, msg in due:
            self._takers[topic](msg, self.now)

    def _control(self) -> None:
        targets = self.loop.step(self.now)
        self.loop.weigh()
        if targets.shape != (len(self._contract.joints),) or not np.isfinite(targets).all():
            self.lost += 1
            return
        if self.publishes and self.loop.machine.mode is not Mode.IDLE:
            self._command(targets)

    def _command(self, targets: np.ndarray) -> None:
        loop = self.loop
        gains = loop.stiff_gains if loop.machine.is_stiff else loop.damped_gains
        if gains is not self._gains:
            self._gains = gains
            self.robot.set_gains(gains)
        self.robot.command(self._contract.joint_names, targets.astype(np.float64))
