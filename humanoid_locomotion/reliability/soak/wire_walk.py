# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Walks of a profile of commands over a robot's wire: the stand-in's or Unitree's simulator's."""

from __future__ import annotations

from dataclasses import dataclass, field
import math
from pathlib import Path
import time
from typing import Callable, ClassVar, Dict, List, Tuple

import numpy as np

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.nodes.demos.arm_wave import PERIOD, ArmPublisher, ArmWave
from humanoid_locomotion.nodes.demos.walk_profile import (
    FALLEN_HEIGHT,
    FALLEN_TILT,
    SETTLING,
    Segment,
)
from humanoid_locomotion.nodes.ros.executor import create_wall_timer
from humanoid_locomotion.reliability.faults.wire_robot import (
    Bench,
    StandInRobot,
    WireRobot,
    standing_robot,
)
from humanoid_locomotion.reliability.soak import unitree_mujoco
from humanoid_locomotion.reliability.soak.led_arms import PUSH, PUSH_EVERY

PROFILE = (
    Segment('forward', (0.5, 0.0, 0.0), 8.0), Segment('stand', (0.0, 0.0, 0.0), 4.0),
    Segment('left', (0.0, 0.3, 0.0), 6.0), Segment('right', (0.0, -0.3, 0.0), 6.0),
    Segment('turn left', (0.0, 0.0, 0.5), 6.0), Segment('turn right', (0.0, 0.0, -0.5), 6.0))
SCENES: Dict[str, Tuple[str, str]] = {
    'unitree_g1': ('g1', 'scene_29dof.xml'), 'unitree_h1': ('h1', 'scene.xml')}
REPORT = 0.1  # [s] between two reports of a robot
LED_AFTER = 1.0  # [s] in which the arms blend in
STAND = 2.0  # [s] before the profile


class UnitreeMujoco(WireRobot):
    """Unitree's own simulator.

    Args:
        spec: One of Unitree's robots.
        folder: The simulator's folder.

    Raises:
        ConfigError: The folder has no simulator in Python, or no scene of the robot.
    """

    driver_parameters: ClassVar[Dict[str, object]] = {'simulator': 'unitree_mujoco'}

    def __init__(self, spec: RobotSpec, folder: Path):
        if spec.name not in SCENES:
            raise ConfigError('dev soak wire', 'robot', f'found {spec.name!r}, but {folder} '
                              f'simulates {sorted(SCENES)}')
        robot, scene = SCENES[spec.name]
        for path in (folder / 'simulate_python' / 'unitree_mujoco.py',
                     folder / 'unitree_robots' / robot / scene):
            if not path.is_file():
                raise ConfigError('dev soak wire', '--simulator', f'{path} does not exist: '
                                  'expected a checkout of unitree_mujoco')
        super().__init__([unitree_mujoco.__file__, str(folder.resolve()), robot, scene])


@dataclass
class WireWalk:
    """Result of one walk.

    Attributes:
        run: Number of the walk.
        seconds: Duration of the profile [s].
        ended: How it fell, or the state of the locomotion node that ended it; empty at the end.
        pushes: Number of pushes.
        led: Share of the reports at which every arm joint was led; 1 if none was to be.
        achieved: Of each segment, the mean of the velocity [m/s, m/s, rad/s] in the heading frame
            without the first second.
    """

    run: int
    seconds: float = 0.0
    ended: str = ''
    pushes: int = 0
    led: float = 1.0
    achieved: Dict[str, List[np.ndarray]] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether the robot walked to the end, with its arms led if they were to be."""
        return not self.ended and self.led > 0.95


class Disturbances:
    """Waves the arms of a robot through their tested range, and pushes it from time to time.

    Args:
        bench: The robot and its nodes.
        folder: The policy.
        run: Random seed.
    """

    def __init__(self, bench: Bench, folder: PolicyFolder, run: int):
        self._robot, self._random = bench.robot, np.random.default_rng(run)
        self._arms = ArmPublisher(bench.operator, ArmWave(folder.contract, run))
        self._begin = time.monotonic()
        self.pushes, self._led, self._reports = 0, 0, 0
        create_wall_timer(bench.operator, PERIOD, self._wave)

    @property
    def led(self) -> float:
        """Share of the reports at which every arm joint was led."""
        return self._led / max(1, self._reports)

    def report(self) -> None:
        """Count the led joints; push the robot if it is time."""
        elapsed = time.monotonic() - self._begin
        self._reports += elapsed > LED_AFTER
        self._led += elapsed > LED_AFTER and self._arms.led == self._arms.joints
        if elapsed > PUSH_EVERY * (self.pushes + 1):
            angle = self._random.uniform(-math.pi, math.pi)
            self._robot.act(f'push {PUSH * math.cos(angle):.3f} {PUSH * math.sin(angle):.3f}')
            self.pushes += 1

    def _wave(self) -> None:
        self._arms.publish(time.monotonic() - self._begin)


def walk_on_wire(folder: PolicyFolder, spec: RobotSpec, seconds: float, run: int,
                 simulator: str = '', arms: bool = False) -> WireWalk:
    """Repeat the profile for some time; rclpy is initialised and isolated.

    Args:
        folder: The policy.
        spec: Its robot.
        seconds: Duration [s].
        run: Number of the walk.
        simulator: Folder of Unitree's simulator; empty for the stand-in.
        arms: Whether the arms wave, and the robot is pushed.

    Raises:
        LocomotionError: The robot does not stand at the beginning.
    """
    make: Callable[[RobotSpec], WireRobot] = StandInRobot
    if simulator:
        def make(spec: RobotSpec) -> WireRobot:
            return UnitreeMujoco(spec, Path(simulator))
    walk = WireWalk(run)
    with standing_robot(folder, spec, make, 2 * unitree_mujoco.LOWERING) as bench:
        bench.operator.spin(STAND)
        height, begin = bench.robot.report['position'][2], time.monotonic()
        disturbances = Disturbances(bench, folder, run) if arms else None
        while not walk.ended and walk.seconds < seconds:
            for segment in PROFILE:
                bench.operator.walk = list(segment.command)
                poses: List[np.ndarray] = []
                end = time.monotonic() + segment.seconds
                while time.monotonic() < end and not walk.ended:
                    bench.operator.spin(REPORT)
                    report = bench.robot.report
                    poses.append(np.array([report['time'], *report['position'][:2],
                                           report['yaw']]))
                    walk.ended = _ended(report, height, bench.operator.state)
                    if disturbances is not None:
                        disturbances.report()
                        walk.pushes, walk.led = disturbances.pushes, disturbances.led
                walk.achieved.setdefault(segment.name, []).append(mean_velocity(np.array(poses)))
                walk.seconds = time.monotonic() - begin
                if walk.ended or walk.seconds >= seconds:
                    break
    return walk


def _ended(report: Dict[str, float], height: float, state: str) -> str:
    position: List[float] = report['position']  # type: ignore[assignment]
    if report['tilt'] > FALLEN_TILT or position[2] < FALLEN_HEIGHT * height:
        return f'fell: tilt {report["tilt"]:.2f} rad, height {position[2]:.2f} m'
    return '' if state in ('standing', 'walking') else state


def mean_velocity(poses: np.ndarray) -> np.ndarray:
    """Return the mean forward, left and turning velocity after the first second, (3,).

    Args:
        poses: Time [s], x and y [m] and yaw [rad] of the base, (n, 4).
    """
    kept = poses[poses[:, 0] >= poses[0, 0] + SETTLING]
    if len(kept) < 2 or kept[-1, 0] <= kept[0, 0]:
        return np.full(3, math.nan)
    steps = np.diff(kept, axis=0)
    turned = (steps[:, 3] + math.pi) % (2.0 * math.pi) - math.pi
    yaw = kept[:-1, 3] + 0.5 * turned
    forward = np.cos(yaw) * steps[:, 1] + np.sin(yaw) * steps[:, 2]
    left = -np.sin(yaw) * steps[:, 1] + np.cos(yaw) * steps[:, 2]
    velocity: np.ndarray = np.array([forward.sum(), left.sum(), turned.sum()]) / steps[:, 0].sum()
    return velocity


def rows(walks: List[WireWalk]) -> List[Dict[str, object]]:
    """Return a row for each segment of the profile: commanded and achieved, over all walks."""
    found: List[Dict[str, object]] = []
    for segment in PROFILE:
        achieved = [it for walk in walks for it in walk.achieved.get(segment.name, [])]
        if not achieved:
            continue
        mean, spread = np.nanmean(achieved, axis=0), np.nanstd(achieved, axis=0)
        found.append({
            'segment': segment.name, 'commanded': ', '.join(f'{it:g}' for it in segment.command),
            'achieved': ', '.join(f'{it:.3f}' for it in mean),
            'deviation': ', '.join(f'{it:.3f}' for it in spread), 'times': len(achieved)})
    return found
