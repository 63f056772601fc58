"""The rules that stop a robot, in one table; knows nothing of ROS.

A rule looks at the :class:`Evidence` of one control step and answers with a reason, or with
nothing. What holds for longer than the rule's debounce trips it; what has tripped stays tripped
until :meth:`SafetyGuard.reset`. Every comparison is written so that NaN trips.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import enum
import math
from typing import Callable, Dict, List, Optional, Tuple

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.state import RobotState

POSITION_MARGIN = 0.05  # [rad] beyond a joint's limit; a soft stop gives way by less
EFFORT_FACTOR = 1.2  # of the contract's effort; a driver clips at 1
# Times the largest action among the golden steps; strong kicks reach twice.
ACTION_FACTOR, MIN_ACTION_LIMIT = 5.0, 10.0
OVERRUN_PERIODS = 7.5  # a driver holds the last target meanwhile
LATE_PERIODS = 1.5


class Severity(enum.IntEnum):
    """What is done about it."""

    WARN = 1  # say so
    STAND = 2  # take no commands and stand
    DAMP = 3  # let go


@dataclass
class Topic:
    """What is known of one sensor.

    Attributes:
        age: Time since what was measured last and could be used [s]; infinite before the first.
        unchanged: Time for which the measured figures have been the same to the last bit [s].
        publishers: How many nodes publish it.
        problem: Why the latest message was refused; empty if it was not.
    """

    age: float = math.inf
    unchanged: float = 0.0
    publishers: int = 1
    problem: str = ''


@dataclass
class Evidence:
    """What is known at the beginning of a control step.

    Attributes:
        now: The time [s].
        state: What the robot measured last, one row.
        topics: The sensors, by name.
        joint_efforts: Measured torques [Nm] (num_joints,); None where a driver gives none.
        action: The policy's last action (1, num_actions); None before the first.
        period: Time since the last control step [s]; 0 for the first.
        time_lost: How far the clock jumped back since the last control step [s].
        command_publishers: How many nodes publish velocity commands.
    """

    now: float
    state: RobotState
    topics: Dict[str, Topic] = field(default_factory=dict)
    joint_efforts: Optional[np.ndarray] = None
    action: Optional[np.ndarray] = None
    period: float = 0.0
    time_lost: float = 0.0
    command_publishers: int = 1


@dataclass(frozen=True)
class SafetyLimits:
    """The figures that the rules compare with.

    Attributes:
        joint_names: The joints, in the order of every array.
        lower: Lowest positions [rad] (num_joints,), margin included.
        upper: Highest positions [rad].
        velocity: Highest speeds [rad/s]; infinite where no robot description says.
        effort: Highest torques [Nm].
        max_action: Largest magnitude of an action.
        control_period: Time between control steps [s].
        sensor_timeout: Age at which a measurement is too old [s].
        unchanged_timeout: Time for which figures may stay the same to the last bit [s].
        max_tilt: Largest angle between the base's z axis and the vertical [rad].
        min_height: Lowest height of the base in odom [m]; 0 to not look.
    """

    joint_names: Tuple[str, ...]
    lower: np.ndarray
    upper: np.ndarray
    velocity: np.ndarray
    effort: np.ndarray
    max_action: float
    control_period: float
    sensor_timeout: float
    unchanged_timeout: float
    max_tilt: float
    min_height: float

    @classmethod
    def of(cls, contract: PolicyContract, robot: Optional[RobotSpec], golden_action: float, *,
           sensor_timeout: float, unchanged_timeout: float, max_tilt: float,
           min_height: float) -> SafetyLimits:
        """Return the limits of a policy on a robot.

        Args:
            contract: Whose joints and limits.
            robot: Where the joints' speeds are written; None if unknown.
            golden_action: Largest action among the golden steps.
            sensor_timeout: As in the class.
            unchanged_timeout: As in the class.
            max_tilt: As in the class.
            min_height: As in the class.
        """
        speeds = {} if robot is None else {j.name: j.velocity for j in robot.joints}
        return cls(
            joint_names=tuple(contract.joint_names),
            # In the precision of what is compared with them, which saves a conversion each step.
            lower=(contract.values('lower') - POSITION_MARGIN).astype(np.float32),
            upper=(contract.values('upper') + POSITION_MARGIN).astype(np.float32),
            velocity=np.array([speeds.get(name, math.inf) for name in contract.joint_names],
                              np.float32),
            effort=EFFORT_FACTOR * contract.values('effort'),
            max_action=max(MIN_ACTION_LIMIT, ACTION_FACTOR * golden_action),
            control_period=contract.control_period, sensor_timeout=sensor_timeout,
            unchanged_timeout=unchanged_timeout, max_tilt=max_tilt, min_height=min_height)


# The rules run before each command goes out: these two take a fraction of ndarray.all()'s time.
def _holds(within: np.ndarray) -> bool:
    return bool(np.count_nonzero(within) == within.size)


def _are_finite(values: np.ndarray) -> bool:
    return _holds(np.isfinite(values))


def _stale(e: Evidence, limits: SafetyLimits) -> str:
    return ', '.join(
        (f'no {name}' if topic.age == math.inf else f'{name} is {topic.age:.2f} s old')
        + (f' (refused: {topic.problem})' if topic.problem else '')
        for name, topic in e.topics.items() if not topic.age <= limits.sensor_timeout)


def _unchanged(e: Evidence, limits: SafetyLimits) -> str:
    return ', '.join(
        f'{name} has shown the same figures for {topic.unchanged:.2f} s'
        for name, topic in e.topics.items() if not topic.unchanged <= limits.unchanged_timeout)


def _not_finite(e: Evidence, limits: SafetyLimits) -> str:
    for what, values in (('position', e.state.joint_positions),
                         ('velocity', e.state.joint_velocities)):
        if not _are_finite(values):
            i = int(np.argmin(np.isfinite(values[0])))
            return f'{what} of joint {limits.joint_names[i]!r} is {values[0][i]}'
    for what, values in (('orientation', e.state.base_orientation),
                         ('angular velocity', e.state.base_angular_velocity)):
        if not _are_finite(values):
            return f'{what} of the base is not finite'
    return ''


def _tilted(e: Evidence, limits: SafetyLimits) -> str:
    tilt = rotations.tilt_of_one(e.state.base_orientation[0])
    return '' if tilt <= limits.max_tilt else f'the base tilted by {tilt:.2f} rad'


def _low(e: Evidence, limits: SafetyLimits) -> str:
    if limits.min_height <= 0.0 or e.state.base_position is None:
        return ''
    height = float(e.state.base_position[0, 2])
    return '' if height >= limits.min_height else f'the base is at {height:.2f} m'


def _joint(values: np.ndarray, within: np.ndarray, limits: SafetyLimits, what: str,
           unit: str) -> str:
    if _holds(within):
        return ''
    i = int(np.argmin(within))
    return f'{what} of joint {limits.joint_names[i]!r} is {values[i]:.2f} {unit}'


def _position(e: Evidence, limits: SafetyLimits) -> str:
    q = e.state.joint_positions[0]
    return _joint(q, (q >= limits.lower) & (q <= limits.upper), limits, 'position', 'rad')


def _velocity(e: Evidence, limits: SafetyLimits) -> str:
    dq = e.state.joint_velocities[0]
    return _joint(dq, np.abs(dq) <= limits.velocity, limits, 'velocity', 'rad/s')


def _effort(e: Evidence, limits: SafetyLimits) -> str:
    if e.joint_efforts is None:
        return ''
    within = np.abs(e.joint_efforts) <= limits.effort
    return _joint(e.joint_efforts, within, limits, 'torque', 'Nm')


def _action(e: Evidence, limits: SafetyLimits) -> str:
    if e.action is None:
        return ''
    action = e.action[0]
    return _joint(action, np.abs(action) <= limits.max_action, limits, "the policy's action", '')


def _action_not_finite(e: Evidence, limits: SafetyLimits) -> str:
    if e.action is None or _are_finite(e.action):
        return ''
    return _joint(e.action[0], np.isfinite(e.action[0]), limits, "the policy's action", '')


def _overrun(e: Evidence, limits: SafetyLimits) -> str:
    allowed = OVERRUN_PERIODS * limits.control_period
    return '' if e.period <= allowed else f'no control step for {e.period:.3f} s'


def _late(e: Evidence, limits: SafetyLimits) -> str:
    allowed = LATE_PERIODS * limits.control_period
    return '' if e.period <= allowed else f'a control step came after {1e3 * e.period:.0f} ms'


def _time_back(e: Evidence, limits: SafetyLimits) -> str:
    return f'the clock jumped back by {e.time_lost:.3f} s' if e.time_lost > 0.0 else ''


def _publishers(e: Evidence, limits: SafetyLimits) -> str:
    return ', '.join(f'{topic.publishers} nodes publish {name}'
                     for name, topic in e.topics.items() if topic.publishers > 1)


def _command_publishers(e: Evidence, limits: SafetyLimits) -> str:
    n = e.command_publishers
    return f'{n} nodes publish cmd_vel; they overrule another' if n > 1 else ''


@dataclass(frozen=True)
class Rule:
    """One reason to stop.

    Attributes:
        name: What is wrong.
        severity: What is done about it.
        debounce: How long it must hold [s].
        check: Gives the reason, or nothing.
        limit: What is compared with what, for people.
        prearm: Whether a robot it holds for is not engaged either.
    """

    name: str
    severity: Severity
    debounce: float
    check: Callable[[Evidence, SafetyLimits], str]
    limit: str
    prearm: bool = True


RULES = (
    Rule('not finite', Severity.DAMP, 0.0, _not_finite, 'a measured figure is NaN or infinite'),
    Rule('sensor silent', Severity.DAMP, 0.0, _stale,
         'nothing usable from a sensor for `sensor_timeout`'),
    Rule('sensor frozen', Severity.DAMP, 0.0, _unchanged,
         'the same figures, bit by bit, for `unchanged_timeout`', prearm=False),
    Rule('two publishers', Severity.DAMP, 0.0, _publishers, 'two nodes publish one sensor'),
    Rule('tilt', Severity.DAMP, 0.04, _tilted, 'the base leans by more than `max_tilt`'),
    Rule('height', Severity.DAMP, 0.04, _low, 'the base is below `min_height`, if odom is read'),
    Rule('joint position', Severity.DAMP, 0.04, _position,
         f'{POSITION_MARGIN} rad beyond a limit of the contract'),
    Rule('joint velocity', Severity.DAMP, 0.04, _velocity,
         "faster than the robot's description allows"),
    Rule('joint torque', Severity.DAMP, 0.1, _effort,
         f"{EFFORT_FACTOR} times the contract's effort, where a driver measures it"),
    Rule('action not finite', Severity.DAMP, 0.0, _action_not_finite,
         'the policy gave NaN or infinity', prearm=False),
    Rule('action', Severity.DAMP, 0.1, _action,
         f'{ACTION_FACTOR:g} times the largest golden action, at least {MIN_ACTION_LIMIT:g}',
         prearm=False),
    Rule('control period', Severity.DAMP, 0.0, _overrun,
         f'no control step for {OVERRUN_PERIODS:g} periods', prearm=False),
    Rule('time jump', Severity.STAND, 0.0, _time_back, 'the clock jumped back', prearm=False),
    Rule('late step', Severity.WARN, 0.0, _late,
         f'a control step after {LATE_PERIODS:g} periods', prearm=False),
    Rule('two commanders', Severity.WARN, 0.0, _command_publishers,
         'two nodes publish cmd_vel', prearm=False),
)


@dataclass(frozen=True)
class Verdict:
    """A rule that tripped.

    Attributes:
        rule: Its name.
        severity: What is done about it.
        reason: The figures.
        time: When [s].
    """

    rule: str
    severity: Severity
    reason: str
    time: float


class SafetyGuard:
    """Judges each control step; what stops the robot stays until :meth:`reset`.

    Args:
        limits: What the rules compare with.

    Attributes:
        latched: The worst verdict that stays; None while there is none.
        warnings: How often each rule that only warns has tripped, by name.
        last_warning: The last of them.
    """

    def __init__(self, limits: SafetyLimits):
        self.limits = limits
        self.latched: Optional[Verdict] = None
        self.warnings: Dict[str, int] = {
            rule.name: 0 for rule in RULES if rule.severity is Severity.WARN}
        self.last_warning = ''
        self._since: List[float] = [math.inf] * len(RULES)

    def judge(self, evidence: Evidence) -> Optional[Verdict]:
        """Apply every rule, and return the worst verdict that stays."""
        for i, rule in enumerate(RULES):
            reason = rule.check(evidence, self.limits)
            if not reason:
                self._since[i] = math.inf
                continue
            self._since[i] = min(self._since[i], evidence.now)
            if evidence.now - self._since[i] < rule.debounce - 1e-9:
                continue
            if rule.severity is Severity.WARN:
                self.warnings[rule.name] += 1
                self.last_warning = reason
            else:
                self.trip(rule.name, rule.severity, reason, evidence.now)
        return self.latched

    def refusals(self, evidence: Evidence) -> List[str]:
        """Return why a robot must not be engaged now; no debounce, nothing latches."""
        if self.latched is not None:
            return [f'{self.latched.reason}; call ~/reset first']
        reasons = (rule.check(evidence, self.limits) for rule in RULES if rule.prearm)
        return [reason for reason in reasons if reason]

    def trip(self, rule: str, severity: Severity, reason: str, now: float) -> None:
        """Latch something that was noticed elsewhere; the first of the worst stays."""
        if self.latched is None or severity > self.latched.severity:
            self.latched = Verdict(rule, severity, reason, now)

    def forget(self) -> None:
        """Begin every debounce anew, as when the robot is engaged; what is latched stays."""
        self._since = [math.inf] * len(RULES)

    def reset(self) -> None:
        """Forget what is latched."""
        self.latched = None
        self.forget()


def rules_table() -> str:
    """Return the rules as a Markdown table, for the documentation."""
    rows = [f'| {rule.name} | {rule.limit} | {rule.debounce:g} s | {rule.severity.name.lower()} |'
            for rule in RULES]
    return '\n'.join(['| rule | trips when | for | then |', '|---|---|---|---|', *rows])
