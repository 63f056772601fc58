# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Shows the robot in RViz: robot_state_publisher with the robot's URDF, and RViz.

ros2 launch humanoid_locomotion rviz.launch.py robot:=humanoid
"""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from humanoid_locomotion.core.robot import load_robot

CONFIG = Path(__file__).resolve().parents[1] / 'config' / 'rviz' / 'humanoid.rviz'


def generate_launch_description():
    """Return the nodes and their arguments."""
    return LaunchDescription([
        DeclareLaunchArgument(
            'robot', default_value='humanoid', description='Robot: a name, or a folder'),
        DeclareLaunchArgument(
            'namespace', default_value='', description='Namespace of joint_states and tf'),
        DeclareLaunchArgument(
            'frame_prefix', default_value='', description='Prefix of the frames: robot1/'),
        DeclareLaunchArgument(
            'use_sim_time', default_value='true', description='Whether to follow /clock'),
        OpaqueFunction(function=_nodes)])


def _nodes(context):
    urdf = load_robot(LaunchConfiguration('robot').perform(context)).urdf_path.read_text()
    clock = {'use_sim_time': ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool)}
    prefix = ParameterValue(LaunchConfiguration('frame_prefix'), value_type=str)
    common = {'namespace': LaunchConfiguration('namespace'),
              'remappings': [('/tf', 'tf'), ('/tf_static', 'tf_static')]}
    return [
        Node(package='robot_state_publisher', executable='robot_state_publisher',
             parameters=[clock, {'robot_description': ParameterValue(urdf, value_type=str),
                                 'frame_prefix': prefix}], **common),
        Node(package='rviz2', executable='rviz2', arguments=['-d', str(CONFIG)],
             parameters=[clock], **common)]
