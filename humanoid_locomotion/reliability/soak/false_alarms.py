# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rate of false alarms of the safety rules on a healthy robot: rough ground, kicks, noise.

The node's control loop walks a simulated robot on a stepped clock, with random commands over the
whole trained range. Trips are recorded but not applied, to see whether the robot would have
continued to walk. A trip within two seconds before a fall is not a false alarm.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
import math
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np
from sensor_msgs.msg import BatteryState, Temperature
from std_msgs.msg import Header

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.safety.evidence import Evidence
from humanoid_locomotion.core.safety.guard import SafetyGuard, Verdict
from humanoid_locomotion.nodes.locomotion.state_machine import Mode
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters
from humanoid_locomotion.reliability.faults.fault_bench import TICK, FaultBench
from humanoid_locomotion.reliability.faults.fault_matrix import MIN_HEIGHT
from humanoid_locomotion.sim.backend import Terrain, TerrainSpec

# The rough ground of the scorecard: slopes of 10 degrees, bumps of 4 cm, steps of 5 cm.
GROUND = TerrainSpec(kinds=('hill', 'valley', 'bumps', 'steps', 'pit'), levels=3, tile=13.0,
                     border=3.0, slope=0.175, bump=0.04, step=0.05)
EPISODE, COMMAND_FOR = 30.0, 3.0  # [s]
STANDING_SHARE = 0.15  # share of standing commands
FAR = 7.0  # [m] largest distance from the start, since the ground is finite
KICK, KICK_EVERY = (1.0, 2.0), (2.0, 5.0)  # [m/s], [s]
LATE = 0.02  # [s], delay of noisy measurements
# Largest noise of positions [rad], velocities [rad/s] and turning rates [rad/s], as in training;
# standard deviation of torques, as a share of the effort.
NOISE, TORQUE_NOISE = {'position': 0.01, 'velocity': 0.5, 'turning': 0.2}, 0.02
BEFORE_FALL = 2.0  # [s] in which an alarm is not a false one
ONE_ALARM = 1.0  # [s] shortest time between two separate alarms
WARM, CHARGED = 60.0, 0.8  # published motor temperature [deg C] and state of charge


@dataclass(frozen=True)
class Setting:
    """Conditions of a walk.

    Attributes:
        name: Name of the setting.
        rough: Whether the ground is rough.
        kicked: Whether the robot is kicked by up to 2 m/s, from any side.
        noisy: Whether its sensors are noisy and delayed by 20 ms.
        torques: Whether it measures torques.
    """

    name: str
    rough: bool = False
    kicked: bool = False
    noisy: bool = False
    torques: bool = True


SETTINGS: Tuple[Setting, ...] = (
    Setting('flat'), Setting('flat, noisy', noisy=True), Setting('flat, kicked', kicked=True),
    Setting('rough', rough=True),
    Setting('rough, kicked, noisy', rough=True, kicked=True, noisy=True),
    Setting('rough, kicked, no torques', rough=True, kicked=True, torques=False))


@dataclass
class Tally:
    """Counts of one setting.

    Attributes:
        seconds: Time for which the robot stood or walked [s].
        commands: Number of velocity commands.
        kicks: Number of kicks.
        falls: Number of falls.
        alarms: Number of false alarms by rule.
    """

    seconds: float = 0.0
    commands: int = 0
    kicks: int = 0
    falls: int = 0
    alarms: Counter = field(default_factory=Counter)


class Witness(SafetyGuard):
    """A guard that records trips and never stops the robot."""

    def __init__(self, guard: SafetyGuard):
        super().__init__(guard.limits)
        self.seen: List[Tuple[float, str]] = []

    def judge(self, evidence: Evidence) -> Optional[Verdict]:
        """Apply every rule, record the trips, and return None."""
        before = dict(self.trips)
        super().judge(evidence)
        self.seen += [(evidence.now, name) for name, count in self.trips.items()
                      if count > before[name]]
        self.latched = None
        return None

    def alarms(self, until: float) -> Dict[str, int]:
        """Return the number of alarms of each rule before a time [s], merging close trips."""
        found: Counter = Counter()
        last: Dict[str, float] = {}
        for now, name in self.seen:
            if now < until and now - last.get(name, -math.inf) > ONE_ALARM:
                found[name] += 1
            last[name] = now
        return found


def soak_rules(folder: PolicyFolder, spec: RobotSpec, seconds: float,
               settings: Tuple[Setting, ...] = SETTINGS, seed: int = 0,
               report: Callable[[str], None] = lambda text: None) -> List[Dict[str, Any]]:
    """Walk for a while in each setting; return a row for each, with its false alarms.

    Args:
        folder: The policy.
        spec: Its robot.
        seconds: Simulated time in all [s].
        settings: The settings; each gets an equal part of the time.
        seed: Random seed.
        report: Called with a line for each finished setting.
    """
    rows = []
    for i, setting in enumerate(settings):
        random, tally = np.random.default_rng([seed, i]), Tally()
        while tally.seconds < seconds / len(settings):
            _episode(folder, spec, setting, random, tally,
                     min(EPISODE, seconds / len(settings) - tally.seconds))
        rows.append({
            'policy': folder.path.name, 'setting': setting.name,
            'minutes': round(tally.seconds / 60.0, 2), 'commands': tally.commands,
            'kicks': tally.kicks, 'falls': tally.falls, 'alarms': sum(tally.alarms.values()),
            'by': ', '.join(f'{name}: {n}' for name, n in sorted(tally.alarms.items()))})
        report(f'{folder.path.name}, {setting.name}: {rows[-1]}')
    return rows


def _episode(folder: PolicyFolder, spec: RobotSpec, setting: Setting,
             random: np.random.Generator, tally: Tally, seconds: float) -> None:
    """Walk from a new start until the time is over, or the robot fell or walked far."""
    starts = Terrain(GROUND).starts
    start = starts[random.integers(1, GROUND.levels), random.integers(len(GROUND.kinds))]
    bench = FaultBench(folder, spec, LocomotionParameters(
        min_height=0.0 if setting.rough else MIN_HEIGHT * spec.base_height),
        GROUND if setting.rough else None, start if setting.rough else (0.0, 0.0, 0.0))
    try:
        witness = bench.loop.guard = Witness(bench.loop.guard)
        _dress(bench, setting, random)
        bench.stand()
        fell = _walk(bench, setting, random, tally, start, seconds)
        if bench.loop.machine.mode not in (Mode.STANDING, Mode.WALKING):
            raise LocomotionError(f'the node stopped walking: {bench.loop.machine.label}')
        tally.seconds += bench.elapsed
        tally.falls += fell
        tally.alarms.update(witness.alarms(bench.now - BEFORE_FALL if fell else math.inf))
    finally:
        bench.close()


def _walk(bench: FaultBench, setting: Setting, random: np.random.Generator, tally: Tally,
          start: np.ndarray, seconds: float) -> bool:
    """Walk with random commands and kicks; return whether the robot fell."""
    limits, kick_at = bench.folder.contract.command_limits.velocity, random.uniform(*KICK_EVERY)
    ticks = round(COMMAND_FOR / TICK)
    for tick in range(max(1, round((seconds - bench.elapsed) / TICK))):
        if tick % ticks == 0:
            stands = random.random() < STANDING_SHARE
            drawn = random.uniform(limits.lower, limits.upper)
            bench.command = (0.0, 0.0, 0.0) if stands else tuple(drawn.tolist())
            tally.commands += 1
            _say_condition(bench)
        if setting.kicked and tick * TICK >= kick_at:
            speed, angle = random.uniform(*KICK), random.uniform(-np.pi, np.pi)
            bench.robot.push([speed * np.cos(angle), speed * np.sin(angle), 0.0])
            tally.kicks += 1
            kick_at += random.uniform(*KICK_EVERY)
        bench.tick()
        if bench.is_fallen:
            return True
        position = bench.robot.state().base_position
        assert position is not None  # a simulator always has odometry
        if setting.rough and np.abs(position[0, :2] - start[:2]).max() > FAR:
            return False
    return False


def _say_condition(bench: FaultBench) -> None:
    bench.loop.condition.take_battery(BatteryState(percentage=CHARGED), bench.now)
    for name in bench.robot.joint_names:
        bench.loop.condition.take_temperature(
            Temperature(header=Header(frame_id=name), temperature=WARM), bench.now)


def _dress(bench: FaultBench, setting: Setting, random: np.random.Generator) -> None:
    """Apply the sensor noise of the setting to the bench."""
    effort = bench.folder.contract.values('effort')

    def joints(msg: Any) -> List[Tuple[Any, float]]:
        if not setting.torques:
            msg.effort = []
        if not setting.noisy:
            return [(msg, 0.0)]
        for what in ('position', 'velocity'):
            noise = random.uniform(-NOISE[what], NOISE[what], effort.size)
            setattr(msg, what, (np.asarray(getattr(msg, what)) + noise).tolist())
        if setting.torques:
            noise = TORQUE_NOISE * effort * random.standard_normal(effort.size)
            msg.effort = (np.asarray(msg.effort) + noise).tolist()
        return [(msg, LATE)]

    def imu(msg: Any) -> List[Tuple[Any, float]]:
        if not setting.noisy:
            return [(msg, 0.0)]
        for axis in 'xyz':
            noise = random.uniform(-NOISE['turning'], NOISE['turning'])
            setattr(msg.angular_velocity, axis, getattr(msg.angular_velocity, axis) + noise)
        return [(msg, LATE)]
    bench.filters.update({'joint_states': joints, 'imu/data': imu})
