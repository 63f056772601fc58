# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Walks a robot to goals: walk.launch.py and the planner node.

    ros2 launch humanoid_locomotion navigate.launch.py
    ros2 topic pub --once /say_goal std_msgs/msg/String '{data: kitchen}'

A goal is a room's name on ``say_goal``, a pose on ``goal_pose`` (as RViz sends it) or a path on
``plan``, in the frame of ``odom``. Arguments not listed here are those of walk.launch.py.
"""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import Node

from humanoid_locomotion.nodes.ros.launch_parameters import is_true, layers

HERE = Path(__file__).resolve().parent
CONFIG = HERE.parent / 'config' / 'nodes'
# Parameters that an argument of the same name sets.
PLANNER = {'use_sim_time': bool, 'policy': str, 'rooms': str}


def generate_launch_description():
    """Return the nodes and their arguments."""
    walk = IncludeLaunchDescription(PythonLaunchDescriptionSource(str(HERE / 'walk.launch.py')))
    # The included file comes first: it declares the arguments that both use.
    return LaunchDescription([
        walk,
        DeclareLaunchArgument(
            'rooms', default_value='',
            description='File that names places, for say_goal; by default rooms.yaml'),
        DeclareLaunchArgument(
            'planner_params_file', default_value=str(CONFIG / 'planner.yaml'),
            description='ROS parameters of the planner node'),
        OpaqueFunction(function=_planner)])


def _planner(context):
    given = context.launch_configurations
    defaults = {'use_sim_time': is_true(context, 'sim'),
                **({'policy': given['robot']} if given['robot'] else {})}
    return [Node(
        package='humanoid_locomotion', executable='planner', name='planner',
        namespace=given['namespace'], output='screen',
        respawn=is_true(context, 'use_respawn'), respawn_delay=2.0,
        ros_arguments=['--log-level', given['log_level']],
        parameters=layers(context, PLANNER, defaults, 'planner_params_file'))]
