# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""An argument overrules a parameter file, and the file a default, as rcl reads them."""

from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy')

from rclpy.node import Node

from humanoid_locomotion.nodes.ros.launch_parameters import is_true, layers

pytestmark = pytest.mark.ros
KINDS = {'dry_run': bool, 'policy': str}


def read(files, namespace=''):
    """Give the parameters of a node that is started with some files."""
    node = Node('locomotion', namespace=namespace, use_global_arguments=False, cli_args=[
        '--ros-args', *(word for file in files for word in ('--params-file', str(file)))],
        start_parameter_services=False, enable_rosout=False)
    found = {name: one.value for name, one in node._parameter_overrides.items()}
    node.destroy_node()
    return found


def given(**arguments):
    """Give a launch context."""
    return SimpleNamespace(launch_configurations={'dry_run': '', 'policy': '', **arguments})


@pytest.mark.parametrize('namespace', ['', 'robot1', 'a/b'])
@pytest.mark.parametrize('names', [('/**',), ('/**/locomotion',), ('/**', '/**/locomotion')])
def test_an_argument_overrules_a_file_and_a_file_a_default(ros, tmp_path, namespace, names):
    """Whatever the file calls the node; its own order is kept."""
    file = tmp_path / 'file.yaml'
    file.write_text(''.join(f'{name}:\n  ros__parameters: {{dry_run: {value}, policy: {value}}}\n'
                            for name, value in zip(names, (['false', 'true'][-len(names):]))))
    defaults = {'dry_run': False, 'policy': 'default', 'autostart': True}
    for arguments, found in (({}, (True, True)), ({'dry_run': 'false'}, (False, True)),
                             ({'policy': '007', 'dry_run': 'True'}, (True, '007'))):
        files = layers(given(file=str(file), **arguments), KINDS, defaults, 'file')
        assert read(files, namespace) == {
            'dry_run': found[0], 'policy': found[1], 'autostart': True}
    assert read(layers(given(dry_run='true'), KINDS, defaults, forced={'dry_run': False}),
                namespace) == defaults


def test_what_cannot_be_obeyed_is_refused():
    """A file that is absent could have said dry_run."""
    assert is_true(given(dry_run='TRUE'), 'dry_run') is True
    with pytest.raises(ValueError, match='dry_run:=perhaps: expected true or false'):
        layers(given(dry_run='perhaps'), KINDS, {})
    with pytest.raises(ValueError, match=r'file:=/absent.yaml: expected a file with ROS'):
        layers(given(file='/absent.yaml'), KINDS, {}, 'file')
