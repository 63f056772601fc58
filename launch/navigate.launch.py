"""Walks a robot to goals: walk.launch.py and the planner node.

    ros2 launch humanoid_locomotion navigate.launch.py
    ros2 topic pub --once /say_goal std_msgs/msg/String '{data: kitchen}'

A goal is a room's name on ``say_goal``, a pose on ``goal_pose`` (as RViz sends it) or a path on
``plan``, in the frame of ``odom``. Arguments not listed here are those of walk.launch.py.
"""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

HERE = Path(__file__).resolve().parent
CONFIG = HERE.parent / 'config' / 'nodes'


def generate_launch_description():
    """Return the nodes and their arguments."""
    walk = IncludeLaunchDescription(PythonLaunchDescriptionSource(str(HERE / 'walk.launch.py')))
    arguments = [
        DeclareLaunchArgument(
            'rooms', default_value=str(CONFIG / 'rooms.yaml'),
            description='File that names places, for say_goal'),
        DeclareLaunchArgument(
            'planner_params_file', default_value=str(CONFIG / 'planner.yaml'),
            description='ROS parameters of the planner node'),
    ]
    planner = Node(
        package='humanoid_locomotion', executable='planner', name='planner',
        namespace=LaunchConfiguration('namespace'), output='screen',
        respawn=LaunchConfiguration('use_respawn'), respawn_delay=2.0,
        ros_arguments=['--log-level', LaunchConfiguration('log_level')],
        parameters=[LaunchConfiguration('planner_params_file'), {
            'use_sim_time': ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool),
            'policy': ParameterValue(LaunchConfiguration('policy'), value_type=str),
            'rooms': ParameterValue(LaunchConfiguration('rooms'), value_type=str)}])
    # The included file comes first: it declares the arguments that both use.
    return LaunchDescription([walk, *arguments, planner])
