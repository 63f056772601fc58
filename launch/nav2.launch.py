"""Nav2 drives the robot: walk.launch.py with stamped commands, and nav2_bringup's navigation.

    ros2 launch humanoid_locomotion nav2.launch.py policy:=humanoid

Velocity limits come from the policy's contract. This needs nav2_bringup.
"""

from pathlib import Path
import tempfile

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare
import yaml

from humanoid_locomotion.core.policy.folder import find_policy, read_contract

HERE = Path(__file__).resolve().parent
CONFIG = HERE.parent / 'config'
SPEED_SHARE = 0.6  # of the highest forward velocity; the rest is for who pushes on


def generate_launch_description():
    """Return the nodes and their arguments."""
    walk = IncludeLaunchDescription(PythonLaunchDescriptionSource(str(HERE / 'walk.launch.py')))
    return LaunchDescription([
        DeclareLaunchArgument(
            'nav2_params_file', default_value=str(CONFIG / 'nav2' / 'nav2_params.yaml'),
            description='Parameters of Nav2, without velocity limits'),
        DeclareLaunchArgument(
            'params_file', default_value=str(CONFIG / 'nav2' / 'locomotion.yaml'),
            description='ROS parameters of the locomotion node: stamped commands'),
        walk, OpaqueFunction(function=_navigation)])


def _navigation(context):
    given = context.launch_configurations
    contract = read_contract(
        find_policy(given['policy'] or given['robot'] or 'humanoid') / 'contract.yaml')
    text = Path(LaunchConfiguration('nav2_params_file').perform(context)).read_text()
    params = with_limits(yaml.safe_load(text), contract.command_limits.velocity)
    with tempfile.NamedTemporaryFile('w', suffix='.yaml', delete=False) as file:
        yaml.safe_dump(params, file)
    return [IncludeLaunchDescription(
        PythonLaunchDescriptionSource(PathJoinSubstitution(
            [FindPackageShare('nav2_bringup'), 'launch', 'navigation_launch.py'])),
        launch_arguments={'params_file': file.name, 'autostart': given['autostart'] or 'true',
                          'use_sim_time': given['use_sim_time'] or given['sim']}.items())]


def with_limits(params, limits):
    """Return Nav2's parameters with a policy's command limits filled in."""
    turn = float(min(-limits['ang_vel_z'].lower, limits['ang_vel_z'].upper))
    smoother = params['velocity_smoother']['ros__parameters']
    smoother['max_velocity'], smoother['min_velocity'] = list(limits.upper), list(limits.lower)
    follow = params['controller_server']['ros__parameters']['FollowPath']
    follow['desired_linear_vel'] = SPEED_SHARE * limits['lin_vel_x'].upper
    follow['rotate_to_heading_angular_vel'] = turn
    params['behavior_server']['ros__parameters']['max_rotational_vel'] = turn
    return params
