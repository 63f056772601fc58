# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
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
import rclpy
from rclpy.node import Node as RclpyNode
import yaml

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


def nodes(name, **given):
    """Give the context, and the nodes that a launch file starts with these arguments."""
    context, description = load(name, **given)
    started = [one for entity in description.entities
               if isinstance(entity, launch.actions.OpaqueFunction)
               for one in entity.execute(context)]
    return context, {one.node_executable: one for one in started if isinstance(one, Node)}


def planner(**given):
    """Give the context and the nodes of navigate.launch.py, with the arguments of walk's."""
    declared = load('walk', **given)[0].launch_configurations
    return nodes('navigate', **declared)


def parameters_of(context, node):
    """Give the parameters that rclpy reads from the files of a node."""
    node._perform_substitutions(context)  # launch_ros has no public way to read them
    files = [part[0].text for part in node.cmd if getattr(part[0], 'text', '').endswith('.yaml')]
    ros = rclpy.Context()
    rclpy.init(context=ros, args=['--ros-args', *(
        word for file in files for word in ('--params-file', file))])
    try:
        it = RclpyNode(node.node_executable, context=ros, start_parameter_services=False,
                       namespace=context.launch_configurations['namespace'], enable_rosout=False)
        found = {name: one.value for name, one in it._parameter_overrides.items()}
        it.destroy_node()
        return found
    finally:
        rclpy.shutdown(context=ros)


def test_walk_takes_the_arguments_of_nav2_and_its_own():
    """And documents each."""
    arguments = load('walk')[1].get_launch_arguments()
    assert {argument.name for argument in arguments} == {
        'namespace', 'use_sim_time', 'params_file', 'sim_params_file', 'autostart', 'use_respawn',
        'log_level', 'robot', 'policy', 'sim', 'viewer', 'device', 'dry_run', 'record',
        'odometry', 'start_damped', 'publish_clock', 'frame_prefix', 'driver', 'interface',
        'domain', 'simulator', 'release', 'require_remote', 'hold_button'}
    assert all(argument.description for argument in arguments)


@pytest.mark.parametrize('given, executables', [
    ({}, ['sim', 'locomotion']), ({'sim': 'false'}, ['locomotion']),
    ({'viewer': 'web'}, ['sim', 'locomotion', 'viewer']),
    ({'odometry': 'legs'}, ['sim', 'locomotion', 'odometry']),
    ({'driver': 'unitree'}, ['locomotion', 'driver'])])
def test_walk_starts_only_what_is_asked_for(given, executables):
    assert list(nodes('walk', **given)[1]) == executables


@pytest.mark.parametrize('odometry, names', [
    ('robot', ['odom', 'tf']), ('legs', ['ground_truth/odom', 'ground_truth/tf'])])
def test_odom_comes_from_the_robot_or_from_its_legs(odometry, names):
    """Never from both: what the simulator knows then has another name."""
    context, found = nodes('walk', odometry=odometry)
    # launch_ros has no public way to read them.
    assert [launch.utilities.perform_substitutions(context, list(new))
            for _, new in found['sim']._Node__remappings] == names


def test_a_driver_gets_its_arguments_and_nothing_stands_up_unasked(ros):
    context, found = nodes('walk', driver='unitree', robot='unitree_g1', interface='eth0',
                           domain='3', release='true')
    assert parameters_of(context, found['driver']) == {
        'driver': 'unitree', 'robot': 'unitree_g1', 'interface': 'eth0', 'domain': 3,
        'release': True}
    asked = parameters_of(context, found['locomotion'])
    assert asked['autostart'] is asked['use_sim_time'] is False
    assert asked['policy'] == 'unitree_g1'


@pytest.mark.parametrize('given, message', [
    ({'driver': 'unitree', 'domain': 'x'}, 'domain:=x: expected int'),
    ({'driver': 'unitree', 'sim': 'true'}, 'expected one of both')])
def test_a_driver_with_contradictory_arguments_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        nodes('walk', **given)


@pytest.mark.parametrize('sim', [True, False])
def test_only_a_simulated_robot_stands_up_unasked(ros, sim):
    context, found = nodes('walk', sim=str(sim).lower())
    found = parameters_of(context, found['locomotion'])
    assert found['autostart'] is found['use_sim_time'] is sim
    assert 'start_damped' not in found and 'dry_run' not in found


# Node, the argument that names its file, and for each parameter that has an argument: a value in
# the file, and the argument with its value.
PRECEDENCE = [
    ('walk', 'locomotion', 'params_file', {
        'dry_run': (True, 'false', False), 'start_damped': (True, 'false', False),
        'autostart': (False, 'true', True), 'use_sim_time': (False, 'true', True),
        'policy': ('unitree_h1', 'unitree_g1', 'unitree_g1'), 'device': ('cpu', 'cuda', 'cuda'),
        'record': (True, 'false', False)}),
    ('walk', 'sim', 'sim_params_file', {
        'robot': ('unitree_h1', 'unitree_g1', 'unitree_g1'), 'frame_prefix': ('a/', 'b/', 'b/'),
        'publish_clock': (False, 'true', True), 'use_sim_time': (False, 'true', True)}),
    ('navigate', 'planner', 'planner_params_file', {
        'policy': ('unitree_h1', 'unitree_g1', 'unitree_g1'), 'rooms': ('one', 'other', 'other'),
        'use_sim_time': (False, 'true', True)})]


@pytest.mark.parametrize('general', ['/**', '/**/{}'])
@pytest.mark.parametrize('namespace', ['', 'robot1'])
@pytest.mark.parametrize('file, node, file_argument, cases', PRECEDENCE)
def test_an_argument_overrules_the_file_and_the_file_a_default(
        ros, tmp_path, file, node, file_argument, cases, namespace, general):
    """Whatever the file calls the node, and although it speaks of all nodes as well."""
    path = tmp_path / 'user.yaml'
    path.write_text(yaml.safe_dump({
        '/**': {'ros__parameters': {'else': 1}},
        general.format(node): {'ros__parameters': {
            'else': 1, **{name: case[0] for name, case in cases.items()}}}}))
    start = planner if file == 'navigate' else lambda **given: nodes(file, **given)
    given = {'namespace': namespace, file_argument: str(path)}
    context, found = start(**given)
    found = parameters_of(context, found[node])
    assert {name: found[name] for name in cases} == {
        name: case[0] for name, case in cases.items()}
    context, found = start(**given, **{name: case[1] for name, case in cases.items()})
    found = parameters_of(context, found[node])
    assert {name: found[name] for name in cases} == {
        name: case[2] for name, case in cases.items()}


def test_policy_is_the_robots_by_default(ros):
    """One argument names both, in every node."""
    given = {'robot': 'unitree_g1', 'odometry': 'legs', 'viewer': 'web'}
    context, found = nodes('walk', **given)
    assert parameters_of(context, found['sim'])['robot'] == 'unitree_g1'
    assert parameters_of(context, found['odometry'])['robot'] == 'unitree_g1'
    for node in ('locomotion', 'viewer'):
        assert parameters_of(context, found[node])['policy'] == 'unitree_g1'
    context, found = planner(**given)
    assert parameters_of(context, found['planner'])['policy'] == 'unitree_g1'


def test_a_node_that_crashed_comes_back_damped_although_it_was_told_otherwise(ros):
    """Its file and its arguments are those of the first."""
    context, description = load('walk', use_respawn='true', start_damped='false', policy='mine')
    (started,) = (entity.execute(context) for entity in description.entities
                  if isinstance(entity, launch.actions.OpaqueFunction))
    (handler,) = (one.event_handler for one in started
                  if isinstance(one, launch.actions.RegisterEventHandler))
    first = next(one for one in started if isinstance(one, Node)
                 and one.node_executable == 'locomotion')
    assert parameters_of(context, first)['start_damped'] is False
    event = launch.events.process.ProcessExited(
        action=first, name='locomotion', cmd=[], cwd=None, env=None, pid=1, returncode=-9)
    ((timer,),) = [handler.handle(event, context)]
    (again,) = timer.actions
    found = parameters_of(context, again)
    assert found['start_damped'] is True and found['policy'] == 'mine'


@pytest.mark.parametrize('given, sentence', [
    ({'dry_run': 'maybe'}, 'dry_run:=maybe: expected true or false'),
    ({'sim': 'no'}, 'sim:=no: expected true or false'),
    ({'params_file': '/absent.yaml'}, 'params_file:=/absent.yaml: expected a file')])
def test_what_cannot_be_obeyed_starts_nothing(given, sentence):
    """A file that is absent could have said dry_run."""
    with pytest.raises(ValueError, match=sentence):
        nodes('walk', **given)


def test_parameter_files_exist_and_fit():
    """Every key is a parameter of its node."""
    import dataclasses

    from humanoid_locomotion.nodes.ros.parameters import (
        LocomotionParameters,
        PlannerParameters,
        SimParameters,
    )
    context = planner()[0]
    for argument, node, cls in (('params_file', 'locomotion', LocomotionParameters),
                                ('sim_params_file', 'sim', SimParameters),
                                ('planner_params_file', 'planner', PlannerParameters)):
        data = yaml.safe_load(Path(context.launch_configurations[argument]).read_text())
        keys = data[f'/**/{node}']['ros__parameters']
        assert set(keys) <= {field.name for field in dataclasses.fields(cls)}


def test_navigate_adds_the_planner_to_walk():
    """And its arguments to those of walk."""
    description = load('navigate')[1]
    own = {argument.name for argument in description.get_launch_arguments()}
    walks = {argument.name for argument in load('walk')[1].get_launch_arguments()}
    assert own - walks == {'rooms', 'planner_params_file'} and walks < own
    assert list(planner()[1]) == ['planner']


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
