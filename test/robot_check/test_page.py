# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The page of a robot, and the commands that write it."""

from __future__ import annotations

from html.parser import HTMLParser
import json
from pathlib import Path
import sys

import pytest

pytest.importorskip('mujoco', minversion='3.3')
pytest.importorskip('typer')

from robot_copies import copied, joint

from humanoid_locomotion.cli.main import main
from humanoid_locomotion.robot_check.page import report, write_page

WREN = Path(__file__).parents[2] / 'docs' / 'tutorial' / 'wren.urdf'


@pytest.fixture
def ends(monkeypatch, capsys, tmp_path):
    """Give a function that runs a command line, and gives its exit code and output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('COLUMNS', '200')

    def call(*words):
        monkeypatch.setattr(sys, 'argv', ['humanoid-locomotion', *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, capsys.readouterr().out

    return call


class Rows(HTMLParser):
    """Collects the rows of the tables with their class."""

    def __init__(self, text):
        super().__init__()
        self.rows, self._cell = [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == 'tr':
            self.rows.append([dict(attrs).get('class')])
        self._cell = tag == 'td'

    def handle_endtag(self, tag):
        self._cell = False

    def handle_data(self, data):
        if self._cell:
            self.rows[-1].append(data)


def test_a_complete_robot_is_drawn_measured_and_listed(tmp_path):
    found = report(copied(tmp_path / 'mine'))
    assert found.is_worth_training and found.verdict == 'training is worth starting'
    values = {it.key: (it.value, it.origin) for it in found.origins}
    assert values['mass'] == ('45.3 kg', 'derived')
    assert values['leg length'] == ('0.758 m', 'derived')
    assert values['base_link'] == ('base_link', 'read')
    assert next(it for it in found.origins if it.key == 'left_knee').note == 'twin right_knee'
    write_page(found, tmp_path / 'page.html')
    text = (tmp_path / 'page.html').read_text()
    assert text.count('<svg') == 2 and 'http' not in text
    rows = Rows(text).rows
    assert ['read', 'base_link', 'base_link', 'read'] in rows
    assert any(row[:2] == ['good', 'squat, feet level'] for row in rows)


def test_what_a_person_must_decide_is_red(tmp_path):
    """A draft that cannot be loaded is drawn all the same, with every TODO and every guess."""
    folder = copied(tmp_path / 'mine', lambda d: (
        joint(d, 'left_knee').update(kp='TODO'), d.update(base_height='TODO', name='<i>')))
    path = folder / 'robot.yaml'
    path.write_text('# Drafted from a\n#   feet: the lowest links\n' + path.read_text())
    found = report(folder)
    assert not found.is_worth_training and found.findings == []
    assert found.verdict.startswith('not ready: ')
    assert 'base_height: expected float' in found.verdict
    write_page(found, tmp_path / 'page.html')
    text = (tmp_path / 'page.html').read_text()
    rows = Rows(text).rows
    assert ['decide', 'joints.left_knee.kp', 'TODO', 'decide'] in rows
    assert ['decide', 'base_height', 'TODO', 'decide'] in rows
    assert ['guessed', 'feet', 'the lowest links', 'guessed'] in rows
    assert text.count('<svg') == 2 and '<i>' not in text


def test_a_comment_of_a_robot_that_was_not_drafted_is_no_guess(tmp_path):
    folder = copied(tmp_path / 'mine')
    path = folder / 'robot.yaml'
    path.write_text('# Gains.\n#   kp = armature * (2 pi f)^2\n' + path.read_text())
    assert not [it for it in report(folder).origins if it.origin == 'guessed']


def test_a_robot_that_disagrees_with_its_model_is_red_at_that_key(ends, tmp_path):
    folder = copied(tmp_path / 'mine', lambda d: joint(d, 'left_knee').update(upper=3.0))
    code, printed = ends('robot', 'check', folder)
    assert code == 1
    assert 'decide: joints[3].lower, upper: ' in printed and 'not ready: ' in printed


@pytest.mark.parametrize('edit', [
    lambda d: d.update(joints='TODO', feet='TODO', soles=7),
    lambda d: d.update(feet=[['a'], {}], soles=[None], joints=[3, {'name': ['x']}]),
    lambda d: joint(d, 'left_knee').update(default='TODO')])
def test_a_draft_may_lack_anything(tmp_path, edit):
    found = report(copied(tmp_path / 'mine', edit))
    assert found.drawing.count('<svg') == 2 and found.refusal


def test_the_command_says_whether_training_is_worth_starting(ends, tmp_path):
    code, printed = ends('robot', 'check', 'humanoid')
    assert code == 0 and 'training is worth starting; see check-humanoid.html' in printed
    assert (tmp_path / 'check-humanoid.html').is_file()
    weak = copied(tmp_path / 'weak', lambda d: [it.update(effort=10.0) for it in d['joints']])
    code, printed = ends('robot', 'check', weak, '--output', 'pages/weak.html')
    assert code == 1 and 'training is not worth starting: load on one leg' in printed
    assert 'load on one leg: robot.yaml: effort' in printed
    assert (tmp_path / 'pages' / 'weak.html').is_file()
    code, printed = ends('robot', 'check', weak, '--json')
    said = json.loads(printed)
    assert code == 1 and said['worth_training'] is False
    assert {it['verdict'] for it in said['findings']} <= {'good', 'look', 'bad'}


def test_an_import_ends_with_the_page(ends, tmp_path):
    code, printed = ends('robot', 'import', WREN, '--output', 'wren')
    assert code == 0 and 'not ready: ' in printed
    assert 'class="decide"' in (tmp_path / 'wren' / 'check.html').read_text()
