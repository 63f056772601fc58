# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Generates the Markdown of the ROS interface from the running nodes.

Types, QoS, parameters and ranges come from rclpy and the dataclasses; only the meaning of each
name is written here, and a name without one is refused.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any, Callable, Dict, List, Tuple

from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from humanoid_locomotion.core.command import COMMAND_AXES
from humanoid_locomotion.core.errors import UnknownNameError
from humanoid_locomotion.core.safety.rules import rules_table
from humanoid_locomotion.nodes.hardware.driver_node import DriverNode
from humanoid_locomotion.nodes.locomotion.node import LocomotionNode
from humanoid_locomotion.nodes.locomotion.state_machine import states_table
from humanoid_locomotion.nodes.navigation.node import PlannerNode
from humanoid_locomotion.nodes.odometry.node import OdometryNode
from humanoid_locomotion.nodes.operator.viewer import ViewerNode
from humanoid_locomotion.nodes.ros.conversions import AXIS_TOPIC
from humanoid_locomotion.nodes.ros.parameters import (
    DriverParameters,
    LocomotionParameters,
    OdometryParameters,
    PlannerParameters,
    SimParameters,
    ViewerParameters,
)
from humanoid_locomotion.nodes.simulation.node import SimNode

NAMESPACE = '/here'  # distinguishes relative from absolute names
# Packages whose types every node uses, and optional packages.
UNSAID = ('rcl_interfaces', 'lifecycle_msgs', 'type_description_interfaces', 'tf2_msgs')
UNIT = re.compile(r' ?\[([^\]]+)\]')
ANY_TWIST = 'or `TwistStamped` with `enable_stamped_cmd_vel`'
JOINTS = 'every control period: position = target, velocity = effort = 0'
GAINS = 'dimensions `joint` and `kp,kd,effort`, in the order of `joint_command`'
MEANING: Dict[str, Dict[str, str]] = {
    'locomotion': {
        'cmd_vel': ANY_TWIST,
        'joint_states': 'any order, extra joints allowed',
        'imu/data': 'with orientation',
        'odom': 'only if the contract or `min_height` requires it',
        'battery_state': 'optional: `percentage`, 0 to 1, and `power_supply_health`',
        'joint_temperatures': 'optional: one message for each motor, `frame_id` = its joint',
        'arm_command': 'positions of joints outside the legs; velocity and effort are not used',
        'arm_trajectory': 'the same along a trajectory, if `trajectory_msgs` is installed',
        'joint_command': JOINTS,
        'joint_gains': GAINS,
        '~/led_joints': 'joints that follow `arm_command` or `arm_trajectory`, comma-separated',
        '~/state': 'text, see the table below',
        '~/status': 'the same for programs, see below the table',
        '~/envelope': 'JSON: measured speeds and tested arm motion of the policy',
        '~/timing': '[s], 1 Hz: period, step, latency, observation_age × mean, p50, p99, max',
        '/diagnostics': ('1 Hz: policy, loop timing, each sensor, cmd_vel, arms, motors, '
                         'battery, safety, topics'),
        '~/stand': 'ramp to the default pose, then stand',
        '~/walk': 'stand, then follow `cmd_vel`',
        '~/damp': 'damp the joints',
        '~/swap': 'continue with the policy of the parameter `policy`',
        '~/emergency_stop': 'damp until `~/reset`',
        '~/reset': 'clear a fault or an emergency stop'},
    'sim': {
        'joint_command': 'applied until no message arrives for `command_timeout`',
        'joint_gains': GAINS,
        'joint_states': 'with torques, in every cycle',
        'imu/data': 'in every cycle',
        'odom': 'in every cycle; velocities in the base frame',
        '/clock': 'in every cycle, unless `publish_clock` is false',
        '~/reset': 'suspend the robot in its default pose',
        '~/push': 'push the robot by `push_x`, `push_y`'},
    'driver': {
        'joint_command': 'applied until no message arrives for 0.2 s',
        'joint_gains': GAINS,
        'locomotion/state': 'shows a robot that walks',
        'joint_states': 'with torques, at `publish_rate` or as often as the robot sends them',
        'imu/data': 'in the frame of the IMU, just before `joint_states`',
        'joint_temperatures': '1 Hz: one message for each motor, `frame_id` = its joint',
        'battery_state': '1 Hz, if the robot tells: `percentage`',
        '/diagnostics': '1 Hz: motors, motor loop',
        '~/emergency_stop': 'damp until `~/reset`',
        '~/reset': 'clear an emergency stop; the motors follow again',
        'locomotion/emergency_stop': 'whenever the motors are damped, until it is confirmed',
        'locomotion/stand': 'while `hold_button` is not held'},
    'odometry': {
        'joint_states': 'any order, extra joints allowed',
        'imu/data': 'with orientation',
        'odom': 'for every `joint_states`; covariances grow with the distance walked'},
    'planner': {
        'odom': 'pose of the robot',
        'goal_pose': 'in the frame of `odom`',
        'plan': 'in the frame of `odom`; only its last heading is used',
        'say_goal': 'the name of a place',
        'cmd_vel': f'{ANY_TWIST}; 20 Hz while it walks',
        '~/state': 'text, see below',
        '~/status': 'the same for programs, see below',
        '~/path': 'each planned path',
        '~/cancel': 'stop and stand'},
    'viewer': {
        'cmd_vel': f'{ANY_TWIST}; published while a person drives, subscribed for the display',
        'joint_states': 'joint positions',
        'odom': 'pose and measured velocity',
        'locomotion/state': 'shown', 'locomotion/led_joints': 'shown',
        'locomotion/stand': 'a button', 'locomotion/walk': 'a button',
        'locomotion/damp': 'a button', 'locomotion/emergency_stop': 'a button',
        'locomotion/reset': 'a button', 'sim/push': 'a button',
        'sim/set_parameters': 'a slider, for `friction`'}}
AXES = {f'{AXIS_TOPIC}{axis.name}': f'{axis.title}, for a policy with this axis'
        for axis in COMMAND_AXES.values()}
# Time at which a parameter that is not read-only may be set.
CHANGES = {'locomotion': 'before *configure*', 'sim': 'at any time'}
EXCEPTIONS = {('locomotion', 'policy'): 'before *configure*, or before `~/swap`'}
# Constructor of each node with all its topics, and the dataclass of its parameters.
NODES: Dict[str, Tuple[Callable[..., Any], type, Dict[str, object]]] = {
    'locomotion': (LocomotionNode, LocomotionParameters,
                   {'engine': 'onnxruntime', 'min_height': 0.1}),
    'sim': (SimNode, SimParameters, {}),
    'driver': (DriverNode, DriverParameters, {}),
    'odometry': (OdometryNode, OdometryParameters, {}),
    'planner': (PlannerNode, PlannerParameters, {}),
    'viewer': (ViewerNode, ViewerParameters, {'port': 0})}


def sections(name: str) -> Dict[str, str]:
    """Return the generated parts of the page about a node, by the names of their marks.

    Args:
        name: A key of :data:`NODES`. rclpy is initialised.
    """
    found = {f'{name} topics': topics_table(name), f'{name} parameters': parameters_table(name)}
    if name == 'locomotion':
        found.update({'states': states_table(), 'safety': rules_table()})
    return found


def topics_table(name: str) -> str:
    """Return topics, services and clients of a node; the node is created for it, and destroyed."""
    make, _, parameters = NODES[name]
    node = make(namespace=NAMESPACE, parameter_overrides=[
        Parameter(key, value=value) for key, value in parameters.items()])
    try:
        if name == 'locomotion':
            node.trigger_configure()
        rows = [*_rows(node, 'in', node.subscriptions, 'topic_name', 'msg_type'),
                *_rows(node, 'out', node.publishers, 'topic_name', 'msg_type'),
                *_rows(node, 'service', node.services, 'srv_name', 'srv_type'),
                *_rows(node, 'calls', node.clients, 'srv_name', 'srv_type')]
    finally:
        if hasattr(node, 'stop'):
            node.stop()
        node.destroy_node()
    lines = ['| direction | name | type | QoS | |', '|---|---|---|---|---|']
    return '\n'.join(lines + [f'| {" | ".join(row)} |' for row in rows])


def parameters_table(name: str) -> str:
    """Return the parameters of a node."""
    lines = ['| parameter | type | default | allowed | unit | may be set | |',
             '|---|---|---|---|---|---|---|']
    fields: Any = dataclasses.fields(NODES[name][1])
    for field in fields:
        about, default = field.metadata, field.default
        unit = UNIT.search(about['description'])
        words = UNIT.sub('', about['description'])
        allowed = (f'{about["within"][0]:g} to {about["within"][1]:g}' if about['within'] else
                   ', '.join(f'`{choice}`' for choice in about['one_of']))
        when = 'at start' if about['read_only'] else EXCEPTIONS.get(
            (name, field.name), CHANGES.get(name, ''))
        shown = str(default).lower() if isinstance(default, bool) else repr(default)
        lines.append(f'| `{field.name}` | {type(default).__name__} | `{shown}` | {allowed} | '
                     f'{unit[1] if unit else ""} | {when} | {words} |')
    return '\n'.join(lines)


def _rows(node: Any, direction: str, ends: Any, name_of: str, type_of: str) -> List[List[str]]:
    """Return one row per endpoint, without those that every node has."""
    meanings, rows = {**MEANING[node.get_name()], **AXES}, []
    for end in ends:
        kind = getattr(end, type_of)
        package = kind.__module__.split('.')[0]
        name = _relative(node, getattr(end, name_of))
        if name not in meanings and (package in UNSAID or name == '/clock'):
            continue
        if name not in meanings:
            raise UnknownNameError('name without a meaning', name, meanings)
        quality = _quality(end.qos_profile) if direction in ('in', 'out') else ''
        rows.append([direction, f'`{name}`', f'`{package}/{kind.__name__}`', quality,
                     meanings[name]])
    return sorted(rows)


def _relative(node: Any, name: str) -> str:
    for prefix, short in ((f'{NAMESPACE}/{node.get_name()}/', '~/'), (f'{NAMESPACE}/', '')):
        if name.startswith(prefix):
            return short + name[len(prefix):]
    return name


def _quality(profile: QoSProfile) -> str:
    words = ['best effort' if profile.reliability == ReliabilityPolicy.BEST_EFFORT
             else 'reliable']
    if profile.durability == DurabilityPolicy.TRANSIENT_LOCAL:
        words.append('transient local')
    return ', '.join([*words, str(profile.depth)])
