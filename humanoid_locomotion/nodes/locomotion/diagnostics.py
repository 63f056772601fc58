# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Content of /diagnostics: one status for each part of the locomotion node."""

from __future__ import annotations

import math
from typing import Any, Dict, List, Sequence

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from humanoid_locomotion.nodes.locomotion.control_loop import ControlLoop
from humanoid_locomotion.nodes.locomotion.sensors import Channel
from humanoid_locomotion.nodes.locomotion.state_machine import Mode
from humanoid_locomotion.nodes.locomotion.timing import LoopTiming
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters

NOT_KNOWN = 'not known'
TRIPS = 'trips: '  # prefix of the keys of the rule counts
OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


def loop_statuses(loop: ControlLoop, timing: LoopTiming, parameters: LocomotionParameters,
                  now: float, active: bool, arm_sources: Sequence[str] = (),
                  ) -> List[DiagnosticStatus]:
    """Return one status for each part of a node; ``arm_sources`` are the nodes that lead arms."""
    folder, silence = loop.folder, ERROR if active else WARN
    forward, left, turning = loop.machine.controller.command_correction[0].tolist()
    command = channel_status(loop.commands, now, parameters.cmd_vel_timeout, OK,
                             publishers=loop.command_publishers, **{
                                 'velocity corrected by [m/s]': f'{forward:.3f}, {left:.3f}',
                                 'turning corrected by [rad/s]': f'{turning:.3f}',
                                 'ignored': loop.machine.ignores})
    ignored = ignored_command(loop, now)
    if ignored:
        command.level, command.message = WARN, f'ignored: {ignored}'
    if loop.command_publishers > 1:
        command.level = WARN
        command.message = f'{loop.command_publishers} publishers, whose commands alternate'
    return [
        status('policy', OK, str(folder.path), {
            'robot': folder.contract.robot, 'fingerprint': folder.contract.fingerprint,
            'engine': folder.policy.name, 'golden error': f'{folder.golden_error:.3g}'}),
        timing_status(timing),
        *(channel_status(channel, now, parameters.sensor_timeout, silence,
                         publishers=channel.publishers)
          for channel in loop.sensors.channels.values()),
        command, arm_status(loop, now, arm_sources), *condition_statuses(loop, now),
        safety_status(loop, parameters)]


def arm_status(loop: ControlLoop, now: float, sources: Sequence[str]) -> DiagnosticStatus:
    """Return which joints other nodes lead, and since when."""
    arms, led = loop.arms, loop.arms.led
    channels = arms.channels.values()
    refused = sum(channel.refused for channel in channels)
    problem = next((it.pending_problem for it in channels if it.pending_problem), '')
    message = f'{len(led)} joints led by {", ".join(sources) or "nobody now"}' if led else (
        f'{refused} refused, the last because: {problem}' if problem else
        'the policy moves every joint')
    return status('arms', WARN if problem or arms.publishers > 1 else OK, message, {
        'publishers': ', '.join(sources), 'joints that can be led': ', '.join(arms.may_be_led),
        **{f'{it.topic} {what}': getattr(it, what) for it in channels
           for what in ('accepted', 'refused', 'problem')},
        **{f'{name} led for [s]': f'{now - since:.1f}' for name, since in led.items()}})


def ignored_command(loop: ControlLoop, now: float) -> str:
    """Return why a command to move that arrives now is ignored; empty if it is followed."""
    return (loop.machine.ignores or loop.guard.hold) if loop.command.is_asked(now) else ''


def topics_status(mismatches: Dict[str, str]) -> DiagnosticStatus:
    """Return whether other nodes use the types and the QoS of this node's topics."""
    return status('topics', ERROR if mismatches else OK, '; '.join(
        f'{topic}: {text}' for topic, text in mismatches.items()) or 'types and QoS match',
        dict(mismatches))


def condition_statuses(loop: ControlLoop, now: float) -> List[DiagnosticStatus]:
    """Return the statuses of motors and battery, if they are published."""
    limits, condition = loop.guard.limits, loop.condition
    degrees, charge, problem = (condition.degrees(now), condition.charge(now),
                                condition.problem(now))
    known = {} if degrees is None else {
        name: float(value) for name, value in zip(limits.joint_names, degrees)
        if not math.isnan(value)}
    hottest = max(known, key=lambda name: known[name], default='')
    motors = status('motor temperatures', OK, NOT_KNOWN, {
        'refused': condition.temperatures.refused,
        'last problem': condition.temperatures.problem,
        **{f'{name} [deg C]': f'{value:.1f}' for name, value in known.items()}})
    if known:
        motors.message = f'{known[hottest]:.1f} deg C at most, {hottest}'
        motors.level = (ERROR if known[hottest] >= limits.hot_motor else
                        WARN if known[hottest] >= limits.warm_motor else OK)
    battery = status('battery', WARN if problem else OK, NOT_KNOWN, {
        'refused': condition.battery.refused, 'last problem': condition.battery.problem,
        'health': problem})
    if not math.isnan(charge):
        battery.message = f'{100.0 * charge:.0f} %'
        battery.level = (ERROR if charge < limits.empty_battery else
                         WARN if charge < limits.low_battery or problem else OK)
    return [motors, battery]


def safety_status(loop: ControlLoop, parameters: LocomotionParameters) -> DiagnosticStatus:
    """Return the latched verdict, the warnings and the trip counts."""
    machine, guard = loop.machine, loop.guard
    hold = machine.hold or guard.hold
    level = ERROR if machine.mode is Mode.FAULT else WARN if hold else OK
    message = f'{machine.label}, holds: {hold}' if hold else machine.label
    rule = '' if guard.latched is None else guard.latched.rule
    load, torques = loop.foot_load(), loop.sensors.joint_efforts
    return status('safety', level, message, {
        'rule': rule, 'stiff': machine.is_stiff, 'dry run': parameters.dry_run,
        'nodes that publish joint_command': loop.target_publishers,
        'joint torques': NOT_KNOWN if torques is None else 'measured',
        'feet carry [N]': NOT_KNOWN if load is None else f'{load:.0f}',
        'weight [N]': f'{guard.limits.weight:.0f}', 'last warning': guard.last_warning,
        **{f'{TRIPS}{name}': count for name, count in guard.trips.items()}})


def recorder_status(recorder: Any) -> DiagnosticStatus:
    """Return whether every message was recorded."""
    message = recorder.problem or (f'{recorder.lost} messages lost' if recorder.lost else 'ok')
    level = ERROR if recorder.problem else WARN if recorder.lost else OK
    return status('recording', level, message,
                  {'file': recorder.path, 'lost': recorder.lost})


def timing_status(timing: LoopTiming) -> DiagnosticStatus:
    """Return the timing of the control loop since the last report."""
    values: Dict[str, object] = {'steps': timing.steps, 'late': timing.late}
    summary = timing.summary()
    if summary is not None:
        for row, name in zip(*summary[:2]):
            values.update({f'{name} {column} [ms]': f'{1e3 * value:.3f}'
                           for column, value in zip(summary[2], row)})
    return status('loop timing', WARN if timing.late else OK,
                  f'{timing.late} late steps' if timing.late else 'on time', values)


def status(name: str, level: bytes, message: str, values: Dict[str, object]) -> DiagnosticStatus:
    """Return one status; ``name`` is completed by :func:`report`."""
    return DiagnosticStatus(
        name=name, level=level, message=message,
        values=[KeyValue(key=key, value=str(value)) for key, value in values.items()])


def channel_status(channel: Channel, now: float, timeout: float, silence: bytes,
                   **values: object) -> DiagnosticStatus:
    """Return the status of a topic.

    Args:
        channel: The topic.
        now: The time [s].
        timeout: Age at which messages are too old [s].
        silence: The level for a silent topic: an error for a sensor, not for a planner.
        values: Additional values to report.
    """
    age = channel.age(now)
    level, message = OK, 'fresh'
    if channel.refused:
        level, message = WARN, f'{channel.refused} refused, the last because: {channel.problem}'
    if channel.unknown_frame:
        level, message = WARN, f'unknown frame {channel.unknown_frame!r}, base frame assumed'
    if not channel.accepted and not channel.refused:
        level, message = silence, 'no message yet'
    elif age > timeout and (silence != OK or level == OK):
        level, message = silence, f'silent for {age:.2f} s'
    return status(channel.topic, level, message, {
        'age [s]': f'{age:.3f}', 'lag [s]': f'{channel.lag:.4f}',
        'accepted': channel.accepted, 'refused': channel.refused,
        'last problem': channel.problem, 'turned from': channel.turned_from, **values})


def report(node: Any, robot: str, statuses: List[DiagnosticStatus]) -> DiagnosticArray:
    """Return the message: each status is named ``NODE: PART``, with the namespace of the node."""
    for item in statuses:
        item.name = f'{node.get_fully_qualified_name()[1:]}: {item.name}'
        item.hardware_id = f'{node.get_namespace()}/{robot}'.lstrip('/')
    return DiagnosticArray(status=statuses)
