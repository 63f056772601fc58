# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
r"""Walks a robot: the locomotion node, and the simulated robot unless ``sim:=false``.

    ros2 launch humanoid_locomotion walk.launch.py
    ros2 launch humanoid_locomotion walk.launch.py sim:=false policy:=/path/to/policy
    ros2 launch humanoid_locomotion walk.launch.py driver:=unitree robot:=unitree_g1 \
        interface:=eth0

With ``sim:=false`` a driver publishes ``joint_states`` and ``imu/data`` and applies
``joint_command`` and ``joint_gains``; time is then the system clock's, and the node waits for
``ros2 lifecycle set`` unless ``autostart:=true``. ``odometry:=legs`` adds the odometry node, for a
robot without odometry. ``driver`` starts a driver of this package, and no simulated robot.

A parameter is that of an argument, if one was given; otherwise that of the parameter file;
otherwise the default.

With ``use_respawn:=true`` a locomotion node that crashed starts again with ``start_damped``: it
stands up only when a person calls ``~/stand`` or ``~/walk``.
"""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    OpaqueFunction,
    RegisterEventHandler,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.substitutions import EqualsSubstitution, LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node

from humanoid_locomotion.nodes.ros.launch_parameters import is_true, layers

RESPAWN_DELAY = 2.0  # [s]
CONFIG = Path(__file__).resolve().parents[1] / 'config' / 'nodes'
# Parameters that an argument of the same name sets.
LOCOMOTION = {'use_sim_time': bool, 'autostart': bool, 'start_damped': bool, 'policy': str,
              'device': str, 'record': bool, 'dry_run': bool}
SIM = {'use_sim_time': bool, 'robot': str, 'publish_clock': bool, 'frame_prefix': str}
ODOMETRY = {'use_sim_time': bool, 'robot': str, 'frame_prefix': str}
VIEWER = {'policy': str}
DRIVER = {'robot': str, 'driver': str, 'interface': str, 'domain': int, 'simulator': str,
          'release': bool, 'require_remote': bool, 'hold_button': str}
# Argument, its default and its meaning. An empty one leaves the parameter to its file.
ARGUMENTS = (
    ('namespace', '', 'Namespace of all nodes'),
    ('driver', '', 'Driver of a real robot: unitree, booster, or MODULE:FUNCTION'),
    ('use_sim_time', '', 'Whether to follow /clock; by default with the simulated robot only'),
    ('publish_clock', '', 'Whether the simulated robot publishes /clock, by default true; one '
     'robot of a graph does'),
    ('frame_prefix', '', 'Prefix of the frames of the simulated robot and of odometry: robot1/'),
    ('params_file', str(CONFIG / 'locomotion.yaml'), 'ROS parameters of the locomotion node'),
    ('sim_params_file', str(CONFIG / 'sim.yaml'), 'ROS parameters of the sim node'),
    ('autostart', '', 'Whether to configure and activate as soon as sensor messages arrive; by '
     'default with the simulated robot only'),
    ('start_damped', '', 'Whether to activate into damping, by default false; then ~/stand or '
     '~/walk stands up'),
    ('use_respawn', 'false', 'Whether to start the locomotion node again, damped, if it crashed'),
    ('log_level', 'info', 'Level of the logs'),
    ('robot', '', 'Robot to simulate: a name, or the path of its folder; by default humanoid'),
    ('policy', '', 'Policy to run: a folder, or the name of one that ships; by default that of '
     'the robot'),
    ('device', '', 'Where torch runs: auto (the default), cpu or cuda'),
    ('dry_run', '', 'Whether to compute everything without publishing joint commands, by default '
     'false'),
    ('record', '', 'Whether to record inputs, actions and targets to an MCAP file, by default '
     'false'),
    ('interface', '', 'Network interface of the robot: eth0'),
    ('domain', '', 'DDS domain of the robot, by default 0, or 1 with a simulator'),
    ('simulator', '', 'Simulator of its maker that answers the driver: unitree_mujoco'),
    ('release', '', "Consent to switch off the robot's own mode, which lets it fall; by default "
     'false'),
    ('require_remote', '', 'Whether the robot is damped while its remote is not connected, by '
     'default false'),
    ('hold_button', '', 'Button of the remote without which the robot stands'),
)


def generate_launch_description():
    """Return the nodes and their arguments."""
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=meaning)
          for name, default, meaning in ARGUMENTS),
        DeclareLaunchArgument(
            'sim', default_value=EqualsSubstitution(LaunchConfiguration('driver'), ''),
            description='Whether to simulate the robot; by default true without a driver'),
        DeclareLaunchArgument(
            'odometry', default_value='robot', choices=['robot', 'legs'],
            description='Source of odom: the robot, or the odometry node from legs and IMU'),
        DeclareLaunchArgument(
            'viewer', default_value='none', choices=['none', 'web'],
            description='Whether to serve a page to watch and drive the robot; it prints where'),
        OpaqueFunction(function=_nodes)])


def _nodes(context):
    given, sim = context.launch_configurations, is_true(context, 'sim')
    if sim and given['driver']:
        raise ValueError(f"driver:={given['driver']} and sim:=true: expected one of both")
    time = {'use_sim_time': sim}
    policy = {'policy': given['robot']} if given['robot'] else {}
    common = {
        'package': 'humanoid_locomotion', 'namespace': given['namespace'], 'output': 'screen',
        'ros_arguments': ['--log-level', given['log_level']]}
    remapped = {'remappings': [('/tf', 'tf')], **common}

    def locomotion(forced=None, **more):
        return LifecycleNode(
            executable='locomotion', name='locomotion', parameters=layers(
                context, LOCOMOTION, {**time, **policy, 'autostart': sim}, 'params_file', forced),
            **more, **remapped)

    first = locomotion()
    # Its own respawn would start it with the parameters it had, and it would stand up by itself.
    again = TimerAction(period=RESPAWN_DELAY, actions=[locomotion(
        {'start_damped': True}, respawn=True, respawn_delay=RESPAWN_DELAY)])
    found = [first]
    if is_true(context, 'use_respawn'):
        found.append(RegisterEventHandler(OnProcessExit(
            target_action=first, on_exit=lambda event, context: [again] * (
                event.returncode != 0 and not context.is_shutdown))))
    is_legs = given['odometry'] == 'legs'
    if sim:
        # Where the legs give odom, what the simulator knows has other names.
        prefix = 'ground_truth/' if is_legs else ''
        found.insert(0, Node(
            executable='sim', name='sim', parameters=layers(context, SIM, time, 'sim_params_file'),
            remappings=[('odom', f'{prefix}odom'), ('/tf', f'{prefix}tf')], **common))
    if given['driver']:
        found.append(Node(executable='driver', name='driver',
                          parameters=layers(context, DRIVER, {}), **common))
    if is_legs:
        found.append(Node(executable='odometry', name='odometry',
                          parameters=layers(context, ODOMETRY, time), **remapped))
    if given['viewer'] == 'web':
        found.append(Node(executable='viewer', name='viewer',
                          parameters=layers(context, VIEWER, policy), **remapped))
    return found
