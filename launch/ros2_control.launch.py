# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A robot with ros2_control follows the policy: spawns its controllers and starts walk.launch.py.

    ros2 launch humanoid_locomotion ros2_control.launch.py command_interface:=joint_trajectory

The robot's own launch file starts controller_manager with its hardware component. Joints, gains
and torque limits of the controllers come from the policy's contract. docs/ros2_control.md says
what is lost against a driver with joint_command.
"""

from pathlib import Path
import tempfile

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
import yaml

from humanoid_locomotion.core.policy.folder import find_policy, read_contract
from humanoid_locomotion.nodes.ros.command_output import ROS2_CONTROL, controllers

HERE = Path(__file__).resolve().parent
CONFIG = HERE.parent / 'config' / 'ros2_control'


def generate_launch_description():
    """Return the nodes and their arguments."""
    return LaunchDescription([
        DeclareLaunchArgument(
            'command_interface', choices=ROS2_CONTROL,
            description='The controllers to spawn, and the messages of the locomotion node'),
        DeclareLaunchArgument(
            'controllers_file', default_value=str(CONFIG / 'controllers.yaml'),
            description='Parameters of the controllers, without joints and gains'),
        DeclareLaunchArgument(
            'accept_no_watchdog', default_value='false', choices=['true', 'false'],
            description='Whether you accept that nothing damps the robot if the node ends'),
        DeclareLaunchArgument(
            'params_file', default_value=str(HERE.parent / 'config' / 'nodes' / 'locomotion.yaml'),
            description='ROS parameters of the locomotion node'),
        DeclareLaunchArgument(
            'policy', default_value='humanoid',
            description='Policy to run: a folder, or the name of one that ships'),
        OpaqueFunction(function=_start)])


def _start(context):
    interface = LaunchConfiguration('command_interface').perform(context)
    contract = read_contract(
        find_policy(LaunchConfiguration('policy').perform(context)) / 'contract.yaml')
    text = Path(LaunchConfiguration('controllers_file').perform(context)).read_text()
    params = controllers(yaml.safe_load(text), interface, contract)
    own = yaml.safe_load(Path(LaunchConfiguration('params_file').perform(context)).read_text())
    own.setdefault('/**/locomotion', {}).setdefault('ros__parameters', {}).update(
        command_interface=interface,
        accept_no_watchdog=LaunchConfiguration('accept_no_watchdog').perform(context) == 'true')
    names = [name for name in params if name != 'controller_manager']
    spawner = Node(
        package='controller_manager', executable='spawner', output='screen',
        namespace=LaunchConfiguration('namespace', default=''),
        arguments=[*names, '--param-file', _written(params)])
    walk = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(HERE / 'walk.launch.py')),
        launch_arguments={'params_file': _written(own), 'sim': 'false'}.items())
    return [spawner, walk]


def _written(params):
    with tempfile.NamedTemporaryFile('w', suffix='.yaml', delete=False) as file:
        yaml.safe_dump(params, file)
    return file.name
