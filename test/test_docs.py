# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every command in the documentation fits the command line, the Makefile or a launch file."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
import re
import shlex

import pytest

pytest.importorskip('typer')

import typer

from humanoid_locomotion.cli.main import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *sorted((ROOT / 'docs').glob('*.md'))]
TOOLS = ('humanoid-locomotion', 'make', 'ros2')


def lines_of(text):
    """Give the code of a page: of blocks, fenced or indented, and what stands in backticks."""
    fenced = re.findall(r'^```.*?\n(.*?)^```', text, re.DOTALL | re.MULTILINE)
    rest = re.sub(r'^```.*?^```', '', text, flags=re.DOTALL | re.MULTILINE)
    indented = re.findall(r'(?:^|\n)    (\S.*)', rest)
    return [line for block in fenced for line in block.splitlines()] + indented, re.findall(
        r'`([^`\n]+)`', rest)


def commands():
    """Give every command of the pages: those of blocks, then those in backticks."""
    found = []
    for page in PAGES:
        blocks, named = lines_of(page.read_text(encoding='utf-8'))
        for line in blocks + named:
            words = shlex.split(line, comments=True) if line.startswith(TOOLS) else []
            if words and words[0] in TOOLS and not re.search(r'\.\.\.|\w\|\w', line):
                for part in ' '.join(shlex.quote(word) for word in words).split(" '&&' "):
                    found.append(pytest.param(shlex.split(part), id=f'{page.stem}: {part}'))
    return found


COMMANDS = commands()


def launch_arguments(name):
    """Give the arguments that a launch file declares, and those of files that it includes."""
    path = ROOT / 'launch' / name
    assert path.is_file(), f'there is no launch file {name}'
    text = path.read_text(encoding='utf-8')
    found = set(re.findall(r"DeclareLaunchArgument\(\s*'(\w+)'", text))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', '') == 'ARGUMENTS':
            found |= {ast.literal_eval(row.elts[0]) for row in node.value.elts}
    for included in re.findall(r"HERE / '([\w.]+\.launch\.py)'", text):
        found |= launch_arguments(included)
    return found


def test_there_are_commands_to_check():
    tools = {param.values[0][0] for param in COMMANDS}
    assert tools == set(TOOLS) and len(COMMANDS) > 30


@pytest.mark.parametrize('words', [it for it in COMMANDS if it.values[0][0] == TOOLS[0]])
def test_the_command_line_takes_it(words):
    command, context, rest = typer.main.get_command(app), None, words[1:]
    while hasattr(command, 'resolve_command') and rest:
        context = command.make_context(
            command.name, list(rest), parent=context, resilient_parsing=True)
        _, command, rest = command.resolve_command(context, list(rest))  # refuses unknown names
    if rest:  # a command that is only named need not be complete
        command.make_context(command.name, list(rest), parent=context)


@pytest.mark.parametrize('words', [it for it in COMMANDS if it.values[0][0] == 'make'])
def test_the_makefile_has_it(words):
    targets = set(re.findall(r'^([\w-]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE))
    asked = {word for word in words[1:] if '=' not in word}
    assert asked <= targets, f'{asked - targets} is no target of the Makefile'


@pytest.mark.parametrize('words', [it for it in COMMANDS if it.values[0][1:2] == ['launch']
                                   and len(it.values[0]) > 2])
def test_the_launch_file_takes_it(words):
    package, file, *given = words[2:]
    assert package == 'humanoid_locomotion'
    assert {it.split(':=')[0] for it in given} <= launch_arguments(file)


@pytest.mark.parametrize('words', [it for it in COMMANDS if it.values[0][:1] == ['ros2']
                                   and any('/msg/' in w or '/srv/' in w for w in it.values[0])])
def test_the_types_exist(words):
    pytest.importorskip('rclpy')
    for name in (word for word in words if re.fullmatch(r'\w+/(msg|srv)/\w+', word)):
        package, kind, type_name = name.split('/')
        assert hasattr(importlib.import_module(f'{package}.{kind}'), type_name)


def sentences():
    """Give what the package is quoted with, for those who look up a symptom."""
    text = (ROOT / 'docs' / 'troubleshooting.md').read_text(encoding='utf-8')
    return sorted(set(re.findall(r'"([^"]+)"', text)))


@pytest.fixture(scope='module')
def said():
    """Give every text in the code of the package, and its Makefile's."""
    texts = [(ROOT / 'Makefile').read_text(encoding='utf-8')]
    for path in (ROOT / 'humanoid_locomotion').rglob('*.py'):
        texts += [node.value for node in ast.walk(ast.parse(path.read_text(encoding='utf-8')))
                  if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return '\0'.join(texts)


@pytest.mark.parametrize('sentence', sentences())
def test_a_quoted_sentence_is_in_the_code(sentence, said):
    parts = [part.strip(' ') for part in sentence.split('…')]
    assert any(len(part) > 2 for part in parts)
    for part in parts:
        assert part in said, f'nothing prints {part!r}'


def test_a_sentence_that_nothing_prints_is_found(said):
    assert len(sentences()) > 30
    assert 'the robot has lost its left shoe' not in said


@pytest.mark.parametrize('file', ['rviz/humanoid.rviz', 'foxglove/humanoid.json'])
def test_layouts_can_be_read(file):
    yaml = pytest.importorskip('yaml')  # JSON is YAML too
    text = (ROOT / 'config' / file).read_text(encoding='utf-8')
    assert yaml.safe_load(text) and 'goal_pose' in text and 'planner/path' in text


@pytest.mark.parametrize('name', ['nav2', 'ros2_control', 'rviz'])
def test_launch_files_for_what_is_not_here_load(name):
    pytest.importorskip('launch_ros')
    import runpy
    described = runpy.run_path(str(ROOT / 'launch' / f'{name}.launch.py'))
    arguments = described['generate_launch_description']().get_launch_arguments()
    assert all(argument.description for argument in arguments)
