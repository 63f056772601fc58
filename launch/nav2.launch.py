# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Nav2 drives the robot: walk.launch.py with stamped commands, and nav2_bringup's navigation.

    ros2 launch humanoid_locomotion nav2.launch.py policy:=humanoid scan:=false

Nav2's parameters are those of nav2_bringup with the changes of config/nav2/nav2_params.yaml and
the velocity limits of the policy's contract. This needs nav2_bringup.
"""

from pathlib import Path
import tempfile

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
import yaml

from humanoid_locomotion.core.policy.folder import find_policy, read_contract

HERE = Path(__file__).resolve().parent
CONFIG = HERE.parent / 'config' / 'nav2'
SPEED_SHARE = 0.6  # of the highest forward velocity; the rest is for who pushes on
# Placeholders in nav2_bringup's file for zones of a map, which navigation alone does not have.
ZONES = ('KEEPOUT_ZONE_ENABLED', 'SPEED_ZONE_ENABLED')


def generate_launch_description():
    """Return the nodes and their arguments."""
    walk = IncludeLaunchDescription(PythonLaunchDescriptionSource(str(HERE / 'walk.launch.py')))
    manager = Node(
        package='nav2_lifecycle_manager', executable='lifecycle_manager',
        name='lifecycle_manager_locomotion', output='screen',
        namespace=LaunchConfiguration('namespace', default=''),
        condition=IfCondition(LaunchConfiguration('lifecycle_manager')),
        parameters=[str(CONFIG / 'lifecycle_manager.yaml')])
    return LaunchDescription([
        DeclareLaunchArgument(
            'nav2_params_file', default_value=str(CONFIG / 'nav2_params.yaml'),
            description="Changes to nav2_bringup's parameters, without velocity limits"),
        DeclareLaunchArgument(
            'params_file', default_value=str(CONFIG / 'locomotion.yaml'),
            description='ROS parameters of the locomotion node: stamped commands'),
        DeclareLaunchArgument(
            'scan', default_value='true', choices=['true', 'false'],
            description='Whether a laser publishes scan; otherwise Nav2 knows of no obstacles'),
        DeclareLaunchArgument(
            'lifecycle_manager', default_value='false',
            description="Whether a lifecycle manager of Nav2's offers to start and stop the "
            'locomotion node; use it with autostart:=false'),
        walk, manager, OpaqueFunction(function=_navigation)])


def _navigation(context):
    given = context.launch_configurations
    contract = read_contract(
        find_policy(given.get('policy') or given.get('robot') or 'humanoid') / 'contract.yaml')
    bringup = Path(get_package_share_directory('nav2_bringup'))
    text = (bringup / 'params' / 'nav2_params.yaml').read_text()
    for zone in ZONES:
        text = text.replace(zone, 'false')
    own = yaml.safe_load(
        Path(LaunchConfiguration('nav2_params_file').perform(context)).read_text())
    params = with_limits(merged(yaml.safe_load(text), own), contract.command_limits.velocity)
    if LaunchConfiguration('scan').perform(context) == 'false':
        # Otherwise the collision monitor holds the robot, because it has no data.
        params['collision_monitor']['ros__parameters']['source_timeout'] = 0.0
    with tempfile.NamedTemporaryFile('w', suffix='.yaml', delete=False) as file:
        yaml.safe_dump(params, file)
    return [IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(bringup / 'launch' / 'navigation_launch.py')),
        launch_arguments={'params_file': file.name, 'autostart': given.get('autostart') or 'true',
                          'use_sim_time': given.get('use_sim_time') or given.get('sim', 'true')
                          }.items())]


def merged(base, changes):
    """Return nested parameters with changes; another plugin gets none of the old parameters."""
    def change(old, new):
        both = isinstance(old, dict) and isinstance(new, dict)
        return merged(old, new) if both and new.get('plugin') in (None, old.get('plugin')) else new
    return {**base, **{key: change(base.get(key), value) for key, value in changes.items()}}


def with_limits(params, limits):
    """Return Nav2's parameters with a policy's command limits filled in."""
    turn = float(min(-limits['ang_vel_z'].lower, limits['ang_vel_z'].upper))
    smoother = params['velocity_smoother']['ros__parameters']
    smoother['max_velocity'], smoother['min_velocity'] = list(limits.upper), list(limits.lower)
    follow = params['controller_server']['ros__parameters']['FollowPath']
    # The name until Kilted, and the name from Lyrical.
    follow['desired_linear_vel'] = follow['max_linear_vel'] = (
        SPEED_SHARE * limits['lin_vel_x'].upper)
    follow['rotate_to_heading_angular_vel'] = turn
    params['behavior_server']['ros__parameters']['max_rotational_vel'] = turn
    return params
