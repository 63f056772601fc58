"""How often a safety rule trips for a robot that is well: on rough ground, kicked, with noise.

The node's control loop walks a simulated robot on a stepped clock, with random commands over the
whole trained range. What trips is noted and not obeyed, so that it shows whether the robot would
have walked on. What trips within two seconds before a fall is no false alarm.
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
from humanoid_locomotion.reliability.faults.fault_bench import TICK, Rig
from humanoid_locomotion.reliability.faults.fault_matrix import MIN_HEIGHT
from humanoid_locomotion.sim.backend import Terrain, TerrainSpec

# As the ground beside the scorecard: slopes of 10 degrees, bumps of 4 cm, steps of 5 cm.
GROUND = TerrainSpec(kinds=('hill', 'valley', 'bumps', 'steps', 'pit'), levels=3, tile=13.0,
                     border=3.0, slope=0.175, bump=0.04, step=0.05)
EPISODE, COMMAND_FOR = 30.0, 3.0  # [s]
STANDING_SHARE = 0.15  # of the commands
FAR = 7.0  # [m] from where it started: the ground ends somewhere
KICK, KICK_EVERY = (1.0, 2.0), (2.0, 5.0)  # [m/s], [s]
LATE = 0.02  # [s], of noisy measurements
# Largest noise of positions [rad], velocities [rad/s] and turning rates [rad/s], as in training;
# standard deviation of torques, as a share of the effort.
NOISE, TORQUE_NOISE = {'position': 0.01, 'velocity': 0.5, 'turning': 0.2}, 0.02
BEFORE_FALL = 2.0  # [s] in which an alarm is none that is false
ONE_ALARM = 1.0  # [s] between two trips that count as two
WARM, CHARGED = 60.0, 0.8  # what the robot says of itself [deg C], of 1


@dataclass(frozen=True)
class Setting:
    """What a robot walks in.

    Attributes:
        name: For people.
        rough: Whether the ground is rough.
        kicked: Whether it is kicked by up to 2 m/s, from any side.
        noisy: Whether its sensors are noisy and 20 ms late.
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
    """What happened in a setting.

    Attributes:
        seconds: How long the robot stood or walked [s].
        commands: Velocity commands drawn.
        kicks: Kicks given.
        falls: How often it fell.
        alarms: False alarms by rule.
    """

    seconds: float = 0.0
    commands: int = 0
    kicks: int = 0
    falls: int = 0
    alarms: Counter = field(default_factory=Counter)


class Witness(SafetyGuard):
    """A guard that notes what trips, and stops nothing."""

    def __init__(self, guard: SafetyGuard):
        super().__init__(guard.limits)
        self.seen: List[Tuple[float, str]] = []

    def judge(self, evidence: Evidence) -> Optional[Verdict]:
        """Apply every rule, and answer that all is well."""
        before = dict(self.trips)
        super().judge(evidence)
        self.seen += [(evidence.now, name) for name, count in self.trips.items()
                      if count > before[name]]
        self.latched = None
        return None

    def alarms(self, until: float) -> Dict[str, int]:
        """Return how often each rule tripped before a time [s], neighbours as one."""
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
        settings: Where; each gets an equal part of the time.
        seed: Of everything random.
        report: Called with a line for each setting that is done.
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
    """Walk from a fresh start until the time is over, the robot fell or went far."""
    starts = Terrain(GROUND).starts
    start = starts[random.integers(1, GROUND.levels), random.integers(len(GROUND.kinds))]
    rig = Rig(folder, spec, LocomotionParameters(
        min_height=0.0 if setting.rough else MIN_HEIGHT * spec.base_height),
        GROUND if setting.rough else None, start if setting.rough else (0.0, 0.0, 0.0))
    try:
        witness = rig.loop.guard = Witness(rig.loop.guard)
        _dress(rig, setting, random)
        rig.stand()
        fell = _walk(rig, setting, random, tally, start, seconds)
        if rig.loop.machine.mode not in (Mode.STANDING, Mode.WALKING):
            raise LocomotionError(f'the node gave up: {rig.loop.machine.label}')
        tally.seconds += rig.elapsed
        tally.falls += fell
        tally.alarms.update(witness.alarms(rig.now - BEFORE_FALL if fell else math.inf))
    finally:
        rig.close()


def _walk(rig: Rig, setting: Setting, random: np.random.Generator, tally: Tally,
          start: np.ndarray, seconds: float) -> bool:
    """Walk with random commands and kicks; return whether the robot fell."""
    limits, kick_at = rig.folder.contract.command_limits.velocity, random.uniform(*KICK_EVERY)
    ticks = round(COMMAND_FOR / TICK)
    for tick in range(max(1, round((seconds - rig.elapsed) / TICK))):
        if tick % ticks == 0:
            stands = random.random() < STANDING_SHARE
            drawn = random.uniform(limits.lower, limits.upper)
            rig.command = (0.0, 0.0, 0.0) if stands else tuple(drawn.tolist())
            tally.commands += 1
            _say_condition(rig)
        if setting.kicked and tick * TICK >= kick_at:
            speed, angle = random.uniform(*KICK), random.uniform(-np.pi, np.pi)
            rig.robot.push([speed * np.cos(angle), speed * np.sin(angle), 0.0])
            tally.kicks += 1
            kick_at += random.uniform(*KICK_EVERY)
        rig.tick()
        if rig.is_fallen:
            return True
        position = rig.robot.state().base_position
        assert position is not None  # a simulator always has odometry
        if setting.rough and np.abs(position[0, :2] - start[:2]).max() > FAR:
            return False
    return False


def _say_condition(rig: Rig) -> None:
    rig.loop.condition.take_battery(BatteryState(percentage=CHARGED), rig.now)
    for name in rig.robot.joint_names:
        rig.loop.condition.take_temperature(
            Temperature(header=Header(frame_id=name), temperature=WARM), rig.now)


def _dress(rig: Rig, setting: Setting, random: np.random.Generator) -> None:
    """Let the rig's sensors measure as the setting says."""
    effort = rig.folder.contract.values('effort')

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
    rig.filters.update({'joint_states': joints, 'imu/data': imu})
