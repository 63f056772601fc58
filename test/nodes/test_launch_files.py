"""The launch files load, take their arguments and start what they say."""

from pathlib import Path
import sys

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('launch')
pytest.importorskip('launch_ros')

import launch
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import Node

# Not `launch`: launch_pytest takes tests with that mark for its own.
pytestmark = pytest.mark.ros
FOLDER = Path(__file__).resolve().parents[2] / 'launch'


def load(name, **given):
    """Give a context with the arguments set, and the description."""
    context = launch.LaunchContext()
    context.launch_configurations.update(given)
    description = PythonLaunchDescriptionSource(
        str(FOLDER / f'{name}.launch.py')).get_launch_description(context)
    for entity in description.entities:
        if isinstance(entity, launch.actions.DeclareLaunchArgument):
            entity.execute(context)
    return context, description


def nodes(context, description):
    """Give the nodes whose condition holds."""
    return [entity for entity in description.entities if isinstance(entity, Node)
            and (entity.condition is None or entity.condition.evaluate(context))]


def test_walk_takes_the_arguments_of_nav2_and_its_own():
    """And documents each."""
    arguments = load('walk')[1].get_launch_arguments()
    assert {argument.name for argument in arguments} == {
        'namespace', 'use_sim_time', 'params_file', 'sim_params_file', 'autostart', 'use_respawn',
        'log_level', 'robot', 'policy', 'sim', 'viewer', 'device', 'dry_run', 'record',
        'odometry'}
    assert all(argument.description for argument in arguments)


@pytest.mark.parametrize('sim, executables', [
    ('true', ['sim', 'locomotion']), ('false', ['locomotion'])])
def test_walk_simulates_only_when_asked(sim, executables):
    """And simulated time follows."""
    context, description = load('walk', sim=sim)
    assert [node.node_executable for node in nodes(context, description)] == executables
    assert context.launch_configurations['use_sim_time'] == sim


def test_a_browser_is_served_only_when_asked():
    """The viewer is a node of its own."""
    context, description = load('walk', viewer='web')
    assert [node.node_executable for node in nodes(context, description)] == [
        'sim', 'locomotion', 'viewer']


@pytest.mark.parametrize('odometry, executables, names', [
    ('robot', ['sim', 'locomotion'], ['odom', 'tf']),
    ('legs', ['sim', 'locomotion', 'odometry'], ['ground_truth/odom', 'ground_truth/tf'])])
def test_odom_comes_from_the_robot_or_from_its_legs(odometry, executables, names):
    """Never from both: what the simulator knows then has another name."""
    context, description = load('walk', odometry=odometry)
    found = nodes(context, description)
    assert [node.node_executable for node in found] == executables
    # launch_ros has no public way to read them.
    assert [launch.utilities.perform_substitutions(context, list(new))
            for _, new in found[0]._Node__remappings] == names


def test_policy_is_the_robots_by_default():
    """One argument names both."""
    context, _ = load('walk', robot='unitree_g1')
    assert context.launch_configurations['policy'] == 'unitree_g1'


def test_parameter_files_exist_and_fit():
    """Every key is a parameter of its node."""
    import dataclasses

    import yaml

    from humanoid_locomotion.nodes.ros.parameters import (
        LocomotionParameters,
        PlannerParameters,
        SimParameters,
    )
    context, _ = load('navigate')
    context.launch_configurations.update(load('walk')[0].launch_configurations)
    for argument, node, cls in (('params_file', 'locomotion', LocomotionParameters),
                                ('sim_params_file', 'sim', SimParameters),
                                ('planner_params_file', 'planner', PlannerParameters)):
        data = yaml.safe_load(Path(context.launch_configurations[argument]).read_text())
        keys = data[f'/**/{node}']['ros__parameters']
        assert set(keys) <= {field.name for field in dataclasses.fields(cls)}


def test_navigate_adds_the_planner_to_walk():
    """And its arguments to those of walk."""
    context, description = load('navigate')
    own = {argument.name for argument in description.get_launch_arguments()}
    walks = {argument.name for argument in load('walk')[1].get_launch_arguments()}
    assert own - walks == {'rooms', 'planner_params_file'} and walks < own
    assert [node.node_executable for node in nodes(context, description)] == ['planner']
    assert Path(context.launch_configurations['rooms']).is_file()


def test_train_passes_on_what_is_given_and_nothing_else():
    """An empty argument leaves the choice to the training config."""
    context, description = load('train', num_envs='64')
    (opaque,) = [entity for entity in description.entities
                 if isinstance(entity, launch.actions.OpaqueFunction)]
    (process,) = opaque.execute(context)
    command = [part[0].text for part in process.cmd]
    assert command[1:] == [
        '-m', 'humanoid_locomotion', 'train', '--robot', 'humanoid', '--num-envs', '64']


@pytest.mark.parametrize('value, more', [('true', ['--accept-changes']), ('false', [])])
def test_train_goes_on_with_what_changed_only_when_told(value, more):
    context, description = load('train', resume='run', accept_changes=value)
    (opaque,) = [entity for entity in description.entities
                 if isinstance(entity, launch.actions.OpaqueFunction)]
    (process,) = opaque.execute(context)
    assert [part[0].text for part in process.cmd][5:] == ['humanoid', *more, '--resume', 'run']


def test_train_refuses_a_switch_that_is_neither_on_nor_off():
    context, description = load('train', accept_changes='perhaps')
    (opaque,) = [entity for entity in description.entities
                 if isinstance(entity, launch.actions.OpaqueFunction)]
    with pytest.raises(ValueError, match='accept_changes:=perhaps: expected true or false'):
        opaque.execute(context)


def test_train_hands_over_to_the_interpreter_that_has_isaac_gym():
    """It starts in this one, which knows what must not be handed on."""
    context, description = load('train', backend='isaacgym', python='/opt/gym/bin/python')
    (opaque,) = [entity for entity in description.entities
                 if isinstance(entity, launch.actions.OpaqueFunction)]
    (process,) = opaque.execute(context)
    command = [part[0].text for part in process.cmd]
    assert command[0] == sys.executable
    assert command[4:] == ['--robot', 'humanoid', '--backend', 'isaacgym',
                           '--python', '/opt/gym/bin/python']
