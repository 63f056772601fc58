# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The hashed locks hold the versions that the requirements name; bounds hold them, too."""

from __future__ import annotations

from pathlib import Path
import re
from xml.etree import ElementTree

import pytest

REQUIREMENTS = Path(__file__).parents[1] / 'requirements'
LOCKED = sorted(path.name for path in (REQUIREMENTS / 'locked').glob('*.txt'))


def pins(path: Path) -> set[tuple[str, str]]:
    """Return (name, version) of every pin in a file, names as package indices compare them."""
    text = path.read_text(encoding='utf-8')
    found = re.findall(r'^([\w.-]+)==([^\s;]+)', text, re.MULTILINE)
    own = {(re.sub(r'[-_.]+', '-', name).lower(), version) for name, version in found}
    return own.union(*(pins(path.parent / other) for other in re.findall(r'(?m)^-r (\S+)', text)))


def test_there_are_locks():
    assert {'walk.txt', 'viewer.txt', 'ros.txt', 'test.txt', 'docs.txt', 'isaacgym.txt',
            'isaacgym-cu117.txt', 'isaacgym-test.txt'} == set(LOCKED)


@pytest.mark.parametrize('name', LOCKED)
def test_a_lock_holds_what_is_required(name):
    required = {pin for pin in pins(REQUIREMENTS / name)
                if pin[0] != 'torch' or name.startswith('isaacgym')}
    assert pins(REQUIREMENTS / 'locked' / name) == required, 'run: make lock'


@pytest.mark.parametrize('name', LOCKED)
def test_every_entry_of_a_lock_has_a_hash_and_names_no_index(name):
    text = (REQUIREMENTS / 'locked' / name).read_text(encoding='utf-8')
    entries = re.split(r'\n(?=\S)', text.strip())
    assert all('--hash=sha256:' in entry for entry in entries)
    assert '://' not in text and not re.search(r'^\s*-', text.replace('    --hash', ''), re.M)


# Keys of the public rosdistro (8468e88, 2026-08-22): rosdep/python.yaml, and the packages that
# Humble, Jazzy, Kilted and Rolling release.
ROSDEP_KEYS = {
    'python3-matplotlib', 'python3-numpy', 'python3-pil', 'python3-pytest', 'python3-rich',
    'python3-typer', 'python3-yaml',
    'action_msgs', 'diagnostic_msgs', 'geometry_msgs', 'launch', 'launch_ros',
    'lifecycle_msgs', 'nav_msgs', 'rclpy',
    'robot_state_publisher', 'rosgraph_msgs', 'rviz2', 'sensor_msgs', 'std_msgs', 'std_srvs',
    'tf2_msgs', 'trajectory_msgs'}


def test_rosdep_knows_every_dependency_of_the_manifest():
    manifest = ElementTree.parse(REQUIREMENTS.parent / 'package.xml').getroot()
    keys = {element.text for element in manifest if element.tag.endswith('depend')}
    assert keys and not keys - ROSDEP_KEYS, 'look these up in rosdistro'


def test_the_manifest_and_pip_name_the_same_messages():
    manifest = ElementTree.parse(REQUIREMENTS.parent / 'package.xml').getroot()
    keys = {element.text for element in manifest.iter('exec_depend')}
    named = re.search(r'ROS_PACKAGES = \((.*?)\)', (REQUIREMENTS.parent / 'setup.py').read_text(
        encoding='utf-8'), re.DOTALL)
    wanted = {name.replace('-', '_') for name in re.findall(r"'([\w-]+)'", named[1])}
    assert wanted - {'rmw_fastrtps_cpp'} <= keys
    assert {f'ros-{name}'.replace('_', '-') for name in wanted} <= {
        name for name, _ in pins(REQUIREMENTS / 'ros.txt')}
