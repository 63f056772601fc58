# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Trains a policy: ``humanoid-locomotion train`` with launch arguments.

    ros2 launch humanoid_locomotion train.launch.py robot:=humanoid backend:=mujoco_warp
    ros2 launch humanoid_locomotion train.launch.py backend:=isaacgym python:=PATH

Training needs no ROS; this is for who lives in launch files. Isaac Gym and ROS 2 never share a
process: ``python`` names the interpreter that has Isaac Gym.
"""

import sys

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction
from launch.substitutions import LaunchConfiguration

from humanoid_locomotion.nodes.ros.launch_parameters import is_true

# Argument, its default and its meaning. An empty one is left to the training's own config.
ARGUMENTS = (
    ('robot', 'humanoid', 'Robot to train'),
    ('backend', '', 'Simulator: mujoco_warp, isaacgym or mujoco; by default the best of MuJoCo'),
    ('python', '', 'Interpreter to train in, by default this one; Isaac Gym needs a Python 3.8'),
    ('num_envs', '', 'Robots simulated at once'),
    ('iterations', '', 'Iterations to train for'),
    ('config', '', 'Training config: a name in config/training, or a YAML file'),
    ('device', '', 'Where to train: auto, cpu or cuda'),
    ('gpus', '', 'Processes, one GPU and num_envs robots each'),
    ('seed', '', 'Of everything that is drawn'),
    ('output', '', 'Run folder'),
    ('accept_changes', 'false', 'Resume although the robot, config or simulator changed'),
    ('resume', '', 'Checkpoint or run folder to go on from'),
)
FLAGS = ('accept_changes',)


def generate_launch_description():
    """Return the training process and its arguments."""
    declared = [DeclareLaunchArgument(name, default_value=default, description=meaning)
                for name, default, meaning in ARGUMENTS]
    return LaunchDescription([*declared, OpaqueFunction(function=_train)])


def _train(context):
    command = [sys.executable, '-m', 'humanoid_locomotion', 'train']
    for name, _, _ in ARGUMENTS:
        value = LaunchConfiguration(name).perform(context)
        option = f'--{name.replace("_", "-")}'
        if name in FLAGS:
            command += [option] * is_true(context, name)
        elif value:
            command += [option, value]
    return [ExecuteProcess(cmd=command, output='screen')]
