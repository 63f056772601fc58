# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Self-test of a hanging robot: moves one joint at a time by a small angle and measures it."""

from __future__ import annotations

from dataclasses import dataclass
import math
import time
from typing import Iterator, List, Sequence, Tuple

import numpy as np

from humanoid_locomotion.core.errors import RefusedError
from humanoid_locomotion.core.robot import RobotSpec, load_robot
from humanoid_locomotion.nodes.hardware.connection import Connection, check_free
from humanoid_locomotion.nodes.hardware.motor_guard import COMMAND_TIMEOUT, MotorGuard
from humanoid_locomotion.nodes.hardware.motor_loop import MotorLoop
from humanoid_locomotion.nodes.hardware.port import RobotPort
from humanoid_locomotion.nodes.hardware.watchdog import Watchdog

AMPLITUDE, SOFTNESS = 0.05, 0.5  # [rad], and the share of the gains of the description
PERIOD = 0.01  # [s]
REST, PAUSE = 3.0, 0.2  # [s], damped: before the first joint, and between two
LEAST, MOST = 0.3, 1.5  # share of the amplitude that a joint must move
OBEYED = 0.5  # share of the commanded torque that the motor of a held joint must measure
HELD = 'pushes, but its load holds it'


@dataclass(frozen=True)
class JointTest:
    """Result of one joint.

    Attributes:
        joint: Its name.
        axis: Axis of the description about which it turns: x, y or z.
        moved: Measured part of the commanded motion: 1 for perfect tracking, negative for the
            opposite direction.
        torque: Largest torque that the motor measured [Nm].
        result: ``follows``, or what is wrong, or :data:`HELD`: the motor obeys, but a soft joint
            does not lift what hangs on it.
    """

    joint: str
    axis: str
    moved: float
    torque: float
    result: str


def self_test(connection: Connection, release: bool, seconds: float) -> Iterator[JointTest]:
    """Move every joint in turn through one sine around its place; the others are damped.

    Args:
        connection: The robot, which hangs with its feet in the air.
        release: Whether the robot's own mode may be switched off.
        seconds: Duration for each joint [s].

    Raises:
        LocomotionError: The robot must not be commanded, or the motors were damped during the
            test.
    """
    robot = load_robot(connection.robot)
    port = connection.make_port()
    port.open()
    try:
        guard = MotorGuard(port.joints, robot)
        check_free(port, release)
        loop = MotorLoop(port, guard, Watchdog(connection))
        loop.start()
        try:
            yield from _Test(guard, loop, port, robot).run(seconds)
        finally:
            loop.stop()
    finally:
        port.close()


class _Test:
    def __init__(self, guard: MotorGuard, loop: MotorLoop, port: RobotPort, robot: RobotSpec):
        self._guard, self._loop, self._port, self._robot = guard, loop, port, robot
        index = [robot.joint_names.index(name) for name in port.joints]
        self._gains = np.stack(
            [robot.values(key)[index] for key in ('kp', 'kd', 'effort')], axis=1)
        self._axes = [robot.joints[i].axis or '-' for i in index]

    def run(self, seconds: float) -> Iterator[JointTest]:
        joints = self._port.joints
        damped = self._gains * [0.0, 1.0, 1.0]
        still = np.zeros(len(joints))
        self._move(damped, REST, still)
        for i, name in enumerate(joints):
            gains = damped.copy()
            gains[i] = self._gains[i] * [SOFTNESS, SOFTNESS, 1.0]
            amplitudes = still.copy()
            amplitudes[i] = AMPLITUDE
            moved, obeyed, torque = self._move(gains, seconds, amplitudes)
            self._move(damped, PAUSE, still)
            yield JointTest(name, self._axes[i], float(moved[i]), float(torque[i]),
                            _result(i, moved, float(obeyed[i]), joints))

    def _move(self, gains: np.ndarray, seconds: float,
              amplitudes: np.ndarray) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Command one sine and measure every joint.

        Returns:
            Of each joint, (n,): the share of the sine that it moved, the share of the commanded
            torque that its motor measured, and its largest measured torque [Nm].
        """
        guard, joints, start = self._guard, self._port.joints, time.monotonic()
        while self._loop.reading is None:
            if time.monotonic() - start > COMMAND_TIMEOUT:
                raise RefusedError('self-test', 'the robot sends no states any more')
            time.sleep(PERIOD)
        first = self._loop.reading.position
        wanted, measured, torques, efforts = [], [], [], []
        guard.take_gains(gains, start)
        while not wanted or time.monotonic() - start < seconds:
            now = time.monotonic()
            guard.others = self._port.other_commanders()
            wave = math.sin(2.0 * math.pi * (now - start) / seconds) * amplitudes
            guard.take_command(joints, first + wave, [], now)
            time.sleep(PERIOD)
            if guard.reason and now - start > COMMAND_TIMEOUT:
                raise RefusedError('self-test', guard.reason)
            reading = self._loop.reading
            moved = reading.position - first
            wanted.append(wave.sum())
            measured.append(moved)
            torques.append(gains[:, 0] * (wave - moved) - gains[:, 1] * reading.velocity)
            efforts.append(reading.effort)
        sent, law, effort = np.array(wanted), _without_drift(torques), _without_drift(efforts)
        return (sent @ _without_drift(measured) / max(float(sent @ sent), 1e-12),
                (law * effort).sum(0) / np.maximum((law * law).sum(0), 1e-12),
                np.max(np.abs(efforts), axis=0))


def _without_drift(rows: List[np.ndarray]) -> np.ndarray:
    values = np.array(rows)
    return values - np.linspace(values[0], values[-1], len(values))


def _result(i: int, moved: np.ndarray, obeyed: float, joints: Sequence[str]) -> str:
    if moved[i] > LEAST:
        return 'follows' if moved[i] < MOST else 'moves too far'
    if obeyed > OBEYED:
        return HELD
    other = int(np.argmax(np.abs(moved)))
    if other != i and abs(moved[other]) > LEAST:
        return f'moves {joints[other]} instead'
    return 'does not follow' if moved[i] > -LEAST else 'moves in the opposite direction'
