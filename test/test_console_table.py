# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tables of the command line at 80 columns: every word of every cell is printed whole."""

from __future__ import annotations

import io
import os
from pathlib import Path
import subprocess
import sys

import pytest

pytest.importorskip('rich')

from rich.console import Console
from rich.table import Table

from humanoid_locomotion.console_table import print_table

ROOT = Path(__file__).parents[1]


def printed(table, width=80):
    """Give what is printed of a table where standard output is no terminal."""
    console = Console(file=io.StringIO(), width=width)
    print_table(console, table)
    return console.file.getvalue()


def table_of(*rows, headers=('name', 'value', 'reason'), **more):
    """Give a table of rows of text."""
    table = Table(*headers, **more)
    for row in rows:
        table.add_row(*row)
    return table


def words_of(table):
    """Give all words of the headers and cells of a table."""
    return {word for column in table.columns
            for cell in (column.header, *column.cells) for word in str(cell).split()}


def test_a_table_that_fits_is_a_table():
    console = Console(file=io.StringIO(), width=80)
    console.print(table_of(('speed', '0.5', 'measured')))
    assert printed(table_of(('speed', '0.5', 'measured'))) == console.file.getvalue()


def test_one_long_column_wraps_at_words():
    text = printed(table_of(('speed', '0.5', 'measured ' * 20)))
    assert text.count('measured') == 20 and '┃' in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_table_that_cannot_wrap_is_records():
    row = ('x' * 40, 'y' * 40, 'z')
    assert printed(table_of(row, ('a', 'b', ''), title='two rows', caption='the end')) == (
        f'two rows\n\nname: {"x" * 40}\nvalue: {"y" * 40}\nreason: z\n\nname: a\nvalue: b\n'
        '\nthe end\n')


def test_a_table_without_headers_is_one_record():
    table = table_of(('policy', 'p' * 90), ('robot', 'humanoid'), headers=('', ''),
                     show_header=False)
    assert printed(table) == f'policy: {"p" * 90}\nrobot: humanoid\n'


@pytest.mark.parametrize('width', range(20, 130, 7))
def test_every_word_is_whole_at_every_width(width):
    rows = [(f'mujoco_warp_{i}', 'several words and a_very_long_word_of_32_characters',
             '/a/path/with/five/folders') for i in range(3)]
    table = table_of(*rows)
    wanted, text = words_of(table), printed(table, width)
    assert wanted <= set(text.replace('│', ' ').replace('┃', ' ').replace(':', ' ').split())


def test_markup_of_a_cell_is_a_style_in_a_record_too():
    text = printed(table_of(('[green]passed[/green]', 'y' * 60, 'z' * 60)))
    assert 'name: passed\n' in text


def scorecard_tables():
    """Give the tables of ``evaluate`` for a policy that ships."""
    pytest.importorskip('matplotlib')
    from humanoid_locomotion.evaluation import cli
    from humanoid_locomotion.evaluation.scorecard import read_scorecard
    first, other = (read_scorecard(ROOT / 'policies' / name / 'scorecard.json')
                    for name in ('humanoid', 'unitree_g1'))
    return [cli.table(first), cli.differences(first, other)]


def row_tables():
    """Give the tables of the rows that benchmarks and soak tests print."""
    pytest.importorskip('typer')
    from humanoid_locomotion.cli.output import table_of
    return [table_of([row]) for row in (
        {'backend': 'mujoco_warp', 'hardware': 'NVIDIA H200, 139 GB', 'num_envs': 16384,
         'step_ms': 11.87, 'physics_ms': 11.52, 'physics_share': 0.97,
         'steps_per_second': 1.38e6, 'physics_steps_per_second': 1.42e6, 'memory_gb': 12.5},
        {'policy': 'unitree_g1', 'setting': 'rough ground, kicks', 'minutes': 30.0,
         'commands': 450, 'kicks': 300, 'falls': 0, 'alarms': 2, 'by': 'joint position: 2'})]


@pytest.mark.parametrize('tables', [scorecard_tables, row_tables])
def test_tables_of_long_commands_cut_no_word(tables):
    for table in tables():
        console = Console(width=80)
        wanted = {word.rstrip(':') for column in table.columns
                  for cell in (column.header, *column.cells)
                  for word in console.render_str(str(cell)).plain.split()}
        text = printed(table)
        words = text.replace('│', ' ').replace('┃', ' ').split()
        assert wanted <= {word.rstrip(':') for word in words}
        assert all(len(line) <= 80 for line in text.splitlines())


def test_every_table_is_printed_so():
    """Only what is redrawn in place, on a terminal, is left to rich alone."""
    package = ROOT / 'humanoid_locomotion'
    users = {path.relative_to(package).as_posix() for path in package.rglob('*.py')
             if 'from rich.table import Table' in path.read_text(encoding='utf-8')}
    alone = {name for name in users
             if 'print_table' not in (package / name).read_text(encoding='utf-8')}
    assert len(users) > 5 and alone == {'nodes/operator/teleop.py'}


def of_another_stack(folder):
    """Give a network that carries no contract of ours, as other stacks write it."""
    import onnx

    from humanoid_locomotion.core.policy.onnx_graph import CONTRACT_KEY
    model = onnx.load(ROOT / 'policies' / 'humanoid' / 'network.onnx')
    kept = [entry for entry in model.metadata_props if entry.key != CONTRACT_KEY]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    onnx.save(model, folder / 'theirs.onnx')
    return folder / 'theirs.onnx'


# The commands that print a table and end within seconds, as a program that reads them sees them.

@pytest.mark.parametrize('words, whole', [
    ('robot list', ['humanoid', 'unitree_g1', 'unitree_h1']),
    ('policy check humanoid', ['velocity_command', 'golden', 'fingerprint']),
    *(pytest.param(*row, marks=pytest.mark.slow) for row in (
        ('policy compare humanoid unitree_g1 unitree_h1',
         ['humanoid', 'unitree_g1', 'unitree_h1']),
        ('robot import {model} --name mine --output mine', ['effort', 'TODO']),
        ('policy import-onnx {onnx} --robot humanoid --output theirs', ['control_period']),
        ('dev benchmark latency --alone --device cpu', ['onnxruntime'])))])
def test_a_piped_table_cuts_no_word(tmp_path, words, whole):
    for package in ('typer', 'mujoco', 'onnx', 'onnxruntime', 'torch'):
        pytest.importorskip(package)
    words = words.format(model=ROOT / 'humanoid_locomotion/robots/unitree_h1/robot.xml',
                         onnx=of_another_stack(tmp_path) if '{onnx}' in words else '')
    done = subprocess.run(
        [sys.executable, '-m', 'humanoid_locomotion', *words.split()], cwd=tmp_path, text=True,
        capture_output=True, check=False, timeout=120,
        env={**os.environ, 'COLUMNS': '80', 'PYTHONPATH': str(ROOT)})
    assert done.returncode == 0, done.stderr
    assert '…' not in done.stdout
    for word in whole:
        assert word in done.stdout
    lines = [line for line in done.stdout.splitlines() if len(line.split()) > 1]
    assert all(len(line) <= 80 for line in lines if '│' in line or '┃' in line)
