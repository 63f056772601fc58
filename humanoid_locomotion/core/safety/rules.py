# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The table of safety rules that stop a robot; independent of ROS.

A rule checks the :class:`Evidence` of one control step and returns a reason or an empty string.
NaN trips every comparison, except for quantities that only some robots measure.
"""

from __future__ import annotations

from dataclasses import dataclass
import enum
import math
from typing import Callable, Sequence

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.safety.evidence import (
    ACTION_FACTOR,
    EFFORT_FACTOR,
    LEAST_LOAD,
    LOAD_WINDOW,
    MIN_ACTION_LIMIT,
    POSITION_MARGIN,
    TORQUE_NOISE,
    TORQUE_SHARE,
    Evidence,
    SafetyLimits,
)
from humanoid_locomotion.core.safety.joint_tracking import MEAN_OVER

OVERRUN_PERIODS = 7.5  # meanwhile the driver holds the last target
LATE_PERIODS = 1.5
TORQUE_GAIN = 0.3  # share of the expected torque, in addition to SafetyLimits.torque_error
GIVING_WAY = 1.1  # [rad/s], see Tracking.giving_way; kicks of 2 m/s on rough ground reach 0.75
MAX_SLIP = 0.2  # [rad]
# Shares of sensor_timeout (at which a lag is fatal) that cause a warning: by a lag, by its growth
# since the robot was engaged, by stamps ahead of this clock. Smaller values are clock jitter.
LAG_SHARE, GROWTH_SHARE, AHEAD_SHARE, LEAST_LAG = 0.5, 0.2, 0.2, 0.01  # -, -, -, [s]


class Severity(enum.IntEnum):
    """Reaction to a rule that trips."""

    WARN = 1  # report it
    HOLD = 2  # ignore commands while the condition holds
    STAND = 3  # ignore commands and stand, until reset
    DAMP = 4  # damp the joints, until reset


# The rules run before each command is sent: these two take a fraction of ndarray.all()'s time.
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
        f'{name} has had the same values for {topic.unchanged:.2f} s'
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


def _joint(values: np.ndarray, within: np.ndarray, names: Sequence[str], what: str,
           unit: str) -> str:
    if _holds(within):
        return ''
    i = int(np.argmin(within))
    return f'{what} of joint {names[i]!r} is {values[i]:.2f} {unit}'


def _position(e: Evidence, limits: SafetyLimits) -> str:
    q = e.state.joint_positions[0]
    within = (q >= limits.lower) & (q <= limits.upper)
    return _joint(q, within, limits.joint_names, 'position', 'rad')


def _velocity(e: Evidence, limits: SafetyLimits) -> str:
    dq = e.state.joint_velocities[0]
    return _joint(dq, np.abs(dq) <= limits.velocity, limits.joint_names, 'velocity', 'rad/s')


def _effort(e: Evidence, limits: SafetyLimits) -> str:
    if e.joint_efforts is None:
        return ''
    within = np.abs(e.joint_efforts) <= limits.effort
    return _joint(e.joint_efforts, within, limits.joint_names, 'torque', 'Nm')


def _action(e: Evidence, limits: SafetyLimits) -> str:
    if e.action is None:
        return ''
    action = e.action[0]
    return _joint(action, np.abs(action) <= limits.max_action, limits.commanded_joints,
                  "the policy's action", '')


def _action_not_finite(e: Evidence, limits: SafetyLimits) -> str:
    if e.action is None or _are_finite(e.action):
        return ''
    return _joint(e.action[0], np.isfinite(e.action[0]), limits.commanded_joints,
                  "the policy's action", '')


def _overrun(e: Evidence, limits: SafetyLimits) -> str:
    allowed = OVERRUN_PERIODS * limits.control_period
    return '' if e.period <= allowed else f'no control step for {e.period:.3f} s'


def _late(e: Evidence, limits: SafetyLimits) -> str:
    allowed = LATE_PERIODS * limits.control_period
    return '' if e.period <= allowed else f'a control step came after {1e3 * e.period:.0f} ms'


def _not_following(e: Evidence, limits: SafetyLimits) -> str:
    if e.tracking is None or e.joint_efforts is None:
        return ''
    off, asked = e.tracking.torque_error, e.tracking.asked_torque
    within = off <= limits.torque_error + TORQUE_GAIN * asked
    if _holds(within):
        return ''
    i = int(np.argmin(within))
    return (f'joint {limits.joint_names[i]!r} does not follow: its torque is {off[i]:.1f} Nm off '
            f'the {asked[i]:.1f} Nm that the PD law gives for its position, speed and target')


def _gives_way(e: Evidence, limits: SafetyLimits) -> str:
    if e.tracking is None or e.joint_efforts is not None:
        return ''
    speed = e.tracking.giving_way
    within = speed <= GIVING_WAY
    if _holds(within):
        return ''
    i = int(np.argmin(within))
    return (f'joint {limits.joint_names[i]!r} gives way to a load, at {speed[i]:.1f} rad/s '
            'times the share of its largest torque that the PD law gives')


def _slipped(e: Evidence, limits: SafetyLimits) -> str:
    if e.encoder_slip is None:
        return ''
    within = np.abs(e.encoder_slip) <= MAX_SLIP
    if _holds(within):
        return ''
    i = int(np.argmin(within))
    return (f'position of joint {limits.joint_names[i]!r} changed by {e.encoder_slip[i]:.2f} rad '
            'beyond its velocity')


def _hangs(e: Evidence, limits: SafetyLimits) -> str:
    if e.foot_load is None or not e.foot_load < LEAST_LOAD * limits.weight:
        return ''
    return (f'the feet carry {max(0.0, e.foot_load):.0f} N of {limits.weight:.0f} N: the robot '
            'hangs (allow_hanging lets it walk)')


def _lags(e: Evidence, limits: SafetyLimits) -> str:
    allowed = max(LEAST_LAG, LAG_SHARE * limits.sensor_timeout)
    return ', '.join(f'{name} is stamped {1e3 * topic.lag:.0f} ms before it arrives'
                     for name, topic in e.topics.items() if topic.lag > allowed)


def _lags_more(e: Evidence, limits: SafetyLimits) -> str:
    allowed = max(LEAST_LAG, GROWTH_SHARE * limits.sensor_timeout)
    return ', '.join(
        f'the lag of {name} grew by {1e3 * topic.lag_growth:.0f} to {1e3 * topic.lag:.0f} ms'
        for name, topic in e.topics.items() if topic.lag_growth > allowed)


def _ahead(e: Evidence, limits: SafetyLimits) -> str:
    allowed = max(LEAST_LAG, AHEAD_SHARE * limits.sensor_timeout)
    return ', '.join(f'{name} is stamped {-1e3 * topic.lag:.0f} ms ahead of this clock'
                     for name, topic in e.topics.items() if topic.lag < -allowed)


def _unknown_frame(e: Evidence, limits: SafetyLimits) -> str:
    return ', '.join(f'{name} is in an unknown frame, {topic.unknown_frame!r}'
                     for name, topic in e.topics.items() if topic.unknown_frame)


def _warmer(e: Evidence, limits: SafetyLimits, limit: float) -> str:
    # NaN: the temperature is unknown.
    if e.temperatures is None or not (e.temperatures >= limit).any():
        return ''
    i = int(np.nanargmax(e.temperatures))
    return f'motor of joint {limits.joint_names[i]!r} is at {e.temperatures[i]:.0f} deg C'


def _warm(e: Evidence, limits: SafetyLimits) -> str:
    return _warmer(e, limits, limits.warm_motor)


def _hot(e: Evidence, limits: SafetyLimits) -> str:
    return _warmer(e, limits, limits.hot_motor)


def _battery_low(e: Evidence, limits: SafetyLimits) -> str:
    if e.battery < limits.low_battery:
        return f'the battery holds {100.0 * e.battery:.0f} %'
    return f'the battery reports: {e.battery_problem}' if e.battery_problem else ''


def _battery_empty(e: Evidence, limits: SafetyLimits) -> str:
    return (f'the battery holds {100.0 * e.battery:.0f} %'
            if e.battery < limits.empty_battery else '')


def _time_back(e: Evidence, limits: SafetyLimits) -> str:
    return f'the clock jumped back by {e.time_lost:.3f} s' if e.time_lost > 0.0 else ''


def _publishers(e: Evidence, limits: SafetyLimits) -> str:
    counts = {name: topic.publishers for name, topic in e.topics.items()}
    counts['/clock'] = e.clock_publishers
    return ', '.join(f'{n} nodes publish {name}' for name, n in counts.items() if n > 1)


def _target_publishers(e: Evidence, limits: SafetyLimits) -> str:
    n = e.target_publishers
    return f'{n} nodes publish joint_command' if n > 1 else ''


def _command_publishers(e: Evidence, limits: SafetyLimits) -> str:
    n = e.command_publishers
    return f'{n} nodes publish cmd_vel; their commands alternate' if n > 1 else ''


def _arm_publishers(e: Evidence, limits: SafetyLimits) -> str:
    n = e.arm_publishers
    return f'{n} nodes publish arm_command or arm_trajectory' if n > 1 else ''


@dataclass(frozen=True)
class Rule:
    """One condition that stops the robot or causes a warning.

    Attributes:
        name: Name of the rule.
        severity: The reaction.
        debounce: Time for which the condition must hold [s].
        check: Returns the reason, or an empty string.
        limit: Description of the condition, for the documentation.
        prearm: Whether the condition also prevents engaging the robot.
    """

    name: str
    severity: Severity
    debounce: float
    check: Callable[[Evidence, SafetyLimits], str]
    limit: str
    prearm: bool = True


RULES = (
    Rule('not finite', Severity.DAMP, 0.0, _not_finite, 'a measured value is NaN or infinite'),
    Rule('sensor silent', Severity.DAMP, 0.0, _stale,
         'no valid message of a sensor for `sensor_timeout`'),
    Rule('sensor frozen', Severity.DAMP, 0.0, _unchanged,
         'bit-identical values for `unchanged_timeout`', prearm=False),
    Rule('two publishers', Severity.DAMP, 0.0, _publishers,
         'two nodes publish the same sensor topic, or `/clock`'),
    Rule('two controllers', Severity.DAMP, 0.0, _target_publishers,
         'another node publishes `joint_command`'),
    Rule('tilt', Severity.DAMP, 0.04, _tilted, 'the base leans by more than `max_tilt`'),
    Rule('height', Severity.DAMP, 0.04, _low, 'the base is below `min_height`, if odom is used'),
    Rule('joint position', Severity.DAMP, 0.1, _position,
         f'{POSITION_MARGIN} rad beyond a limit of the contract or of the robot'),
    Rule('joint velocity', Severity.DAMP, 0.1, _velocity,
         'above the limit of the robot description'),
    Rule('joint torque', Severity.DAMP, 0.06, _effort,
         f"{EFFORT_FACTOR} times the contract's effort, if the driver measures torques"),
    Rule('joint does not follow', Severity.DAMP, 0.06, _not_following,
         f'if torques are measured, mean over {MEAN_OVER} s: the torque is off the PD law by '
         f'more than {TORQUE_SHARE} of the effort, plus {TORQUE_GAIN} of the expected torque, '
         f'plus {TORQUE_NOISE:g} Nm', prearm=False),
    Rule('joint gives way', Severity.DAMP, 0.04, _gives_way,
         f'if no torque is measured, mean over {MEAN_OVER} s: the speed against the expected '
         f'torque, times its share of the effort, is above {GIVING_WAY:g} rad/s',
         prearm=False),
    Rule('encoder slip', Severity.DAMP, 0.04, _slipped,
         f'a position changes by {MAX_SLIP} rad more than its velocity gives in {MEAN_OVER} s',
         prearm=False),
    Rule('action not finite', Severity.DAMP, 0.0, _action_not_finite,
         'the policy returned NaN or infinity', prearm=False),
    Rule('action', Severity.DAMP, 0.1, _action,
         f'{ACTION_FACTOR:g} times the largest golden action, at least {MIN_ACTION_LIMIT:g}',
         prearm=False),
    Rule('control period', Severity.DAMP, 0.0, _overrun,
         f'no control step for {OVERRUN_PERIODS:g} periods', prearm=False),
    Rule('time jump', Severity.STAND, 0.0, _time_back, 'the clock jumped back', prearm=False),
    Rule('hot motor', Severity.STAND, 0.5, _hot,
         'a motor at `hot_motor`, if `joint_temperatures` is published; reset when it is cooler',
         prearm=False),
    Rule('empty battery', Severity.STAND, 0.5, _battery_empty,
         'below `empty_battery`, if `battery_state` is published; reset when it is charged',
         prearm=False),
    Rule('hanging', Severity.HOLD, 0.0, _hangs,
         f'if torques are measured: the feet of a standing robot carried less than '
         f'{LEAST_LOAD} of its weight for {LOAD_WINDOW} s, unless `allow_hanging`'),
    Rule('warm motor', Severity.WARN, 0.5, _warm, 'a motor at `warm_motor`', prearm=False),
    Rule('low battery', Severity.WARN, 0.5, _battery_low,
         'below `low_battery`, or the battery reports a health problem', prearm=False),
    Rule('sensor lag', Severity.WARN, 0.5, _lags,
         f'stamps are {LAG_SHARE} of `sensor_timeout` older than their arrival', prearm=False),
    Rule('growing lag', Severity.WARN, 0.5, _lags_more,
         f'the lag grew by {GROWTH_SHARE} of `sensor_timeout` since the robot was engaged',
         prearm=False),
    Rule('stamps ahead', Severity.WARN, 0.5, _ahead,
         f'stamps are {AHEAD_SHARE} of `sensor_timeout` ahead of this clock', prearm=False),
    Rule('unknown frame', Severity.WARN, 0.0, _unknown_frame,
         "an IMU's `frame_id` is not a frame of the robot; the base frame is assumed",
         prearm=False),
    Rule('late step', Severity.WARN, 0.0, _late,
         f'a control step came after {LATE_PERIODS:g} periods', prearm=False),
    Rule('two commanders', Severity.WARN, 0.0, _command_publishers,
         'two nodes publish cmd_vel', prearm=False),
    Rule('two arm commanders', Severity.WARN, 0.0, _arm_publishers,
         'two nodes publish `arm_command` or `arm_trajectory`', prearm=False),
)


def rules_table() -> str:
    """Return the rules as a Markdown table, for the documentation."""
    rows = [f'| {rule.name} | {rule.limit} | {rule.debounce:g} s | {rule.severity.name.lower()} |'
            for rule in RULES]
    return '\n'.join(['| rule | trips when | for | then |', '|---|---|---|---|', *rows])
