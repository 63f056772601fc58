"""Walks a robot: the locomotion node, and the simulated robot unless ``sim:=false``.

    ros2 launch humanoid_locomotion walk.launch.py
    ros2 launch humanoid_locomotion walk.launch.py sim:=false policy:=/path/to/policy

With ``sim:=false`` a driver publishes ``joint_states`` and ``imu/data`` and applies
``joint_command`` and ``joint_gains``; time is then the system clock's. ``odometry:=legs`` adds the
odometry node, for a robot without odometry.

With ``use_respawn:=true`` a locomotion node that crashed starts again in the damped state: it
stands up only when a person calls ``~/stand`` or ``~/walk``.
"""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, RegisterEventHandler, TimerAction
from launch.conditions import IfCondition
from launch.event_handlers import OnProcessExit
from launch.substitutions import EqualsSubstitution, LaunchConfiguration, PythonExpression
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue

RESPAWN_DELAY = 2.0  # [s]
CONFIG = Path(__file__).resolve().parents[1] / 'config' / 'nodes'
PACKAGE = 'humanoid_locomotion'


def generate_launch_description():
    """Return the nodes and their arguments."""
    sim = LaunchConfiguration('sim')
    arguments = [
        DeclareLaunchArgument('namespace', default_value='', description='Namespace of all nodes'),
        DeclareLaunchArgument(
            'sim', default_value='true', description='Whether to simulate the robot'),
        DeclareLaunchArgument(
            'use_sim_time', default_value=sim,
            description='Whether to follow /clock; by default with the simulated robot only'),
        DeclareLaunchArgument(
            'params_file', default_value=str(CONFIG / 'locomotion.yaml'),
            description='ROS parameters of the locomotion node'),
        DeclareLaunchArgument(
            'sim_params_file', default_value=str(CONFIG / 'sim.yaml'),
            description='ROS parameters of the sim node'),
        DeclareLaunchArgument(
            'autostart', default_value='true',
            description='Whether to stand up as soon as sensor messages arrive'),
        DeclareLaunchArgument(
            'use_respawn', default_value='false',
            description='Whether to start the locomotion node again, damped, if it crashed'),
        DeclareLaunchArgument('log_level', default_value='info', description='Level of the logs'),
        DeclareLaunchArgument(
            'robot', default_value='humanoid',
            description='Robot to simulate: a name, or the path of its folder'),
        DeclareLaunchArgument(
            'policy', default_value=LaunchConfiguration('robot'),
            description='Policy to run: a folder, or the name of one that ships'),
        DeclareLaunchArgument(
            'device', default_value='auto', description='Where torch runs: auto, cpu or cuda'),
        DeclareLaunchArgument(
            'odometry', default_value='robot', choices=['robot', 'legs'],
            description='Source of odom: the robot, or the odometry node from legs and IMU'),
        DeclareLaunchArgument(
            'viewer', default_value='none', choices=['none', 'web'],
            description='Whether to serve a page to watch and drive the robot; it prints where'),
        DeclareLaunchArgument(
            'dry_run', default_value='false',
            description='Whether to compute everything without publishing joint commands'),
        DeclareLaunchArgument(
            'record', default_value='false',
            description='Whether to record inputs, actions and targets to an MCAP file'),
    ]
    common = {
        'package': PACKAGE,
        'namespace': LaunchConfiguration('namespace'),
        'output': 'screen',
        'ros_arguments': ['--log-level', LaunchConfiguration('log_level')],
        'remappings': [('/tf', 'tf')],
    }
    def locomotion(start_damped, **more):
        return LifecycleNode(
            executable='locomotion', name='locomotion',
            parameters=[LaunchConfiguration('params_file'), {
                'use_sim_time': _typed('use_sim_time', bool),
                'autostart': _typed('autostart', bool),
                'start_damped': start_damped,
                'policy': _typed('policy', str),
                'device': _typed('device', str),
                'record': _typed('record', bool),
                'dry_run': _typed('dry_run', bool)}], **more, **common)

    first = locomotion(False)
    # Its own respawn would start it with the parameters it had, and it would stand up by itself.
    again = TimerAction(period=RESPAWN_DELAY, actions=[
        locomotion(True, respawn=True, respawn_delay=RESPAWN_DELAY)])

    def on_exit(event, context):
        wanted = LaunchConfiguration('use_respawn').perform(context).lower() == 'true'
        crashed = event.returncode != 0 and not context.is_shutdown
        return [again] if wanted and crashed else []

    respawn = RegisterEventHandler(OnProcessExit(target_action=first, on_exit=on_exit))
    odometry_from = LaunchConfiguration('odometry')
    # Where the legs give odom, what the simulator knows has other names.
    prefix = PythonExpression(["'ground_truth/' if '", odometry_from, "' == 'legs' else ''"])
    robot = Node(
        executable='sim', name='sim', condition=IfCondition(sim),
        parameters=[LaunchConfiguration('sim_params_file'), {'robot': _typed('robot', str)}],
        **{**common, 'remappings': [('odom', [prefix, 'odom']), ('/tf', [prefix, 'tf'])]})
    odometry = Node(
        executable='odometry', name='odometry',
        condition=IfCondition(EqualsSubstitution(odometry_from, 'legs')),
        parameters=[{'robot': _typed('robot', str),
                     'use_sim_time': _typed('use_sim_time', bool)}], **common)
    viewer = Node(
        executable='viewer', name='viewer',
        condition=IfCondition(EqualsSubstitution(LaunchConfiguration('viewer'), 'web')),
        parameters=[{'policy': _typed('policy', str)}], **common)
    return LaunchDescription([*arguments, robot, first, respawn, odometry, viewer])


def _typed(name, kind):
    """Return a launch argument as a parameter of one type, whatever its text looks like."""
    return ParameterValue(LaunchConfiguration(name), value_type=kind)
