# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The page of the ROS interface says what the nodes say."""

import os
from pathlib import Path
import re

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')
pytest.importorskip('onnxruntime')

from humanoid_locomotion.core.errors import ConfigError, UnknownNameError
from humanoid_locomotion.nodes import interface_docs
from humanoid_locomotion.nodes.marked_page import put, put_all
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters

pytestmark = pytest.mark.ros
PAGE = Path(__file__).parents[2] / 'docs' / 'ros_interface.md'


@pytest.mark.parametrize('name', interface_docs.NODES)
def test_the_page_is_what_the_node_says_now(ros, name, tmp_path):
    if name == 'viewer':  # its page is opened as well
        pytest.importorskip('viser')
        pytest.importorskip('scipy')
    written = tmp_path / 'page.md'
    written.write_text(PAGE.read_text(encoding='utf-8'), encoding='utf-8')
    for mark, text in interface_docs.sections(name).items():
        put(written, mark, text)
    assert written.read_text() == PAGE.read_text(), \
        'run: humanoid-locomotion dev interface docs/ros_interface.md'


def test_every_mark_of_the_page_is_written():
    marks = set(re.findall(r'^<!-- ([a-z ]+) -->$', PAGE.read_text(), re.MULTILINE))
    nodes = {f'{name} {part}' for name in interface_docs.NODES
             for part in ('topics', 'parameters')}
    assert marks == nodes | {'states', 'safety'}


def test_a_parameter_is_one_row_with_its_unit_range_and_time():
    rows = interface_docs.parameters_table('locomotion').splitlines()[2:]
    assert len(rows) == len(LocomotionParameters.__dataclass_fields__)
    (row,) = [row for row in rows if row.startswith('| `max_tilt`')]
    assert '| float | `0.8` | 0.05 to 1.5 | rad | before *configure* |' in row


def test_a_topic_without_a_meaning_is_refused(ros, monkeypatch):
    monkeypatch.delitem(interface_docs.MEANING['planner'], 'plan')
    with pytest.raises(UnknownNameError, match="'plan'"):
        interface_docs.topics_table('planner')


def test_a_page_without_the_mark_is_refused(tmp_path):
    page = tmp_path / 'page.md'
    page.write_text('a\n<!-- one -->\nold\n<!-- /one -->\nb\n')
    put(page, 'one', 'new')
    assert page.read_text() == 'a\n<!-- one -->\nnew\n<!-- /one -->\nb\n'
    with pytest.raises(ConfigError, match='<!-- three -->'):
        put(page, 'three', 'new')


def test_a_page_is_written_whole_or_not_at_all(tmp_path):
    """One mark that is missing leaves the other sections as they were."""
    page = tmp_path / 'page.md'
    page.write_text('<!-- a -->old<!-- /a -->')
    with pytest.raises(ConfigError, match='expected the marks <!-- b --> and <!-- /b -->'):
        put_all(page, {'a': 'new', 'b': 'new'})
    assert page.read_text() == '<!-- a -->old<!-- /a -->'
    page.chmod(0o640)
    put_all(page, {'a': 'new'})
    assert page.read_text() == '<!-- a -->\nnew\n<!-- /a -->'
    assert page.stat().st_mode & 0o777 == 0o640 and list(tmp_path.iterdir()) == [page]


@pytest.mark.parametrize('content', [None, b'<!-- a -->\xff<!-- /a -->', b'<!-- /a --><!-- a -->'])
def test_what_is_no_page_is_refused(tmp_path, content):
    """A FIFO, bytes that are no text, marks in the wrong order."""
    page = tmp_path / 'page.md'
    os.mkfifo(page) if content is None else page.write_bytes(content)
    with pytest.raises(ConfigError):
        put(page, 'a', 'new')
