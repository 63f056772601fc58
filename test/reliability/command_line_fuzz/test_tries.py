# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tries of the command line: their lines, their files and their plan."""

from __future__ import annotations

from collections import Counter
import os
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('typer')
pytest.importorskip('rclpy')
pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')
pytest.importorskip('mcap')

from humanoid_locomotion.reliability.command_line_fuzz import tries, values
from humanoid_locomotion.reliability.command_line_fuzz.tries import Planned, _Line, plan, prepare


def parameter(name, *more, kind='option', nargs=1, is_flag=False, multiple=False, off=()):
    """Return a parameter as typer describes it."""
    return SimpleNamespace(opts=[name, *more], param_type_name=kind, nargs=nargs, is_flag=is_flag,
                           multiple=multiple, secondary_opts=list(off))


NAME = parameter('name', kind='argument')
OTHER = parameter('other', kind='argument')
OUTPUT = parameter('--output', '-o')
SET = parameter('--set', multiple=True)
PUSH = parameter('--push', nargs=3)
QUIET = parameter('--quiet', is_flag=True, off=['--loud'])
PARAMETERS = [NAME, OTHER, OUTPUT, SET, PUSH, QUIET]


@pytest.fixture
def line():
    """Give the line of a command."""
    return _Line(PARAMETERS, ['mine', '-o', 'here', '--push', '1', '2', '3', '--quiet'])


@pytest.fixture
def random():
    """Give random choices."""
    return np.random.default_rng(0)


def test_words_are_those_of_the_line(line):
    assert line.words() == [b'mine', b'-o', b'here', b'--push', b'1', b'2', b'3', b'--quiet']


@pytest.mark.parametrize('of, value', [
    (NAME, 'mine'), (OTHER, ''), (OUTPUT, 'here'), (PUSH, '1'), (SET, '')])
def test_usual_value_is_that_of_the_line(line, of, value):
    assert line.usual(of) == value


def test_option_is_replaced_under_any_of_its_names(line, random):
    line.put(OUTPUT, b'\xff', random)
    words = line.words()
    assert b'-o' not in words and b'here' not in words
    assert words[words.index(b'--output') + 1] == b'\xff'


def test_argument_is_replaced_or_added_in_its_place(line, random):
    line.put(OTHER, b'second', random)
    line.put(NAME, b'first', random)
    assert line.arguments == [b'first', b'second']


def test_argument_like_an_option_comes_after_two_dashes(line, random):
    line.put(NAME, b'--nope', random)
    assert line.words()[-2:] == [b'--', b'--nope']


def test_option_of_many_values_keeps_its_others(random):
    line = _Line(PARAMETERS, ['--set', 'a=1'])
    line.put(SET, b'b', random)
    assert line.given[0] == ('--set', [b'a=1']) and len(line.given) == 2


def test_option_of_three_numbers_gets_one_odd_number_in_any_place(line):
    places = set()
    for seed in range(20):
        line.put(PUSH, b'nan', np.random.default_rng(seed))
        (numbers,) = [numbers for name, numbers in line.given if name == '--push']
        assert sorted(numbers) == [b'0.5', b'0.5', b'nan']
        places.add(numbers.index(b'nan'))
    assert places == {0, 1, 2}


def test_flag_is_given_with_and_without_a_value_on_and_off():
    given = set()
    for seed in range(30):
        line = _Line(PARAMETERS, [])
        line.put(QUIET, b'odd', np.random.default_rng(seed))
        given.add(tuple(line.words()))
    assert given == {(b'--quiet',), (b'--quiet', b'odd'), (b'--loud',), (b'--loud', b'odd')}


def test_value_of_a_key_is_odd_in_whole_or_after_the_key():
    found = Counter()
    for seed in range(100):
        line = _Line(PARAMETERS, [])
        line.put(SET, b'odd', np.random.default_rng(seed))
        found[line.words()[1]] += 1
    assert set(found) == {b'odd', b'ppo.gamma=odd'} and 45 < found[b'ppo.gamma=odd'] < 75


@pytest.fixture(scope='module')
def options():
    """Give every parameter of every command."""
    return tries.options()


def test_every_parameter_of_a_good_line_is_one_of_its_command(options):
    """No word that looks like an option may be taken for an argument."""
    for command, good in tries.GOOD.items():
        line = _Line(options[command], tries.shlex.split(good.format(stock='/stock')))
        assert not [it for it in line.arguments if it.startswith(b'-')], command
        required = [it for it in options[command]
                    if it.param_type_name == 'argument' and it.required]
        assert len(line.arguments) >= len(required), command


def test_usual_values_and_prefixes_are_of_options_that_exist(options):
    names = {name for parameters in options.values() for it in parameters for name in it.opts}
    assert set(tries.USUAL) <= names and set(tries.PREFIXES) <= names


@pytest.mark.parametrize('count', [0, 1, 20, 400])
def test_plan_has_its_number_of_tries_each_with_its_own_seed(count):
    planned = plan(count)
    assert [one.number for one in planned] == list(range(count))
    streams = [one for one in planned if one.option == 'streams']
    assert len(streams) == round(tries.STREAMS * count)
    assert {one.kind for one in streams} <= set(tries.STREAM_KINDS)
    assert {one.kind for one in planned if one.option != 'streams'} <= set(values.KINDS)


def test_parameters_are_tried_equally_often():
    times = Counter((one.command, one.option) for one in plan(600) if one.option != 'streams')
    assert max(times.values()) - min(times.values()) <= 1


def test_kinds_of_one_parameter_differ_until_all_have_been_tried():
    kinds = [one.kind for one in plan(4500, 5)
             if (one.command, one.option) == ('walk', '--output')]
    repeatable = {kind for kind in values.KINDS if list(values.KINDS).count(kind) > 1}
    once = [kind for kind in kinds if kind not in repeatable]
    assert len(kinds) > 20 and len(set(once)) == len(once)


@pytest.fixture
def stock(tmp_path):
    """Give a stock that has what a try copies."""
    stock = tmp_path / 'stock'
    for name in ('files/page.md', 'files/robot.urdf', 'policy/contract.yaml', 'robot/robot.yaml'):
        (stock / name).parent.mkdir(parents=True, exist_ok=True)
        (stock / name).write_text('text 1.5')
    return stock


@pytest.fixture
def folder(tmp_path):
    """Give the folder of a try."""
    folder = tmp_path / 'try'
    folder.mkdir()
    return folder


@pytest.mark.parametrize('kind', tries.STREAM_KINDS)
def test_stream_is_redirected_and_the_line_is_valid(folder, stock, kind):
    one = prepare(Planned(0, 'policy check', 'streams', kind), folder, stock, 0)
    assert one.words == (b'policy', b'check', os.fsencode(stock / 'policy'))
    assert one.streams == tries.STREAM_KINDS[kind] != ''


def test_line_that_is_refused_is_given_as_it_is(folder, stock):
    one = prepare(Planned(0, 'train --nope', 'streams', 'both closed'), folder, stock, 0)
    assert one.words == (b'train', b'--nope')


@pytest.mark.parametrize('kind', ['zero', 'not UTF-8', '5,000 digits', '/dev/full'])
def test_odd_value_is_in_the_line_without_streams(folder, stock, kind):
    value = {**values.NUMBERS, **values.NAMES, **values.DEVICES}[kind]
    for number in range(5):
        one = prepare(Planned(number, 'policy retune', '--output', kind), folder, stock, 0)
        assert one.streams == '' and one.words[:2] == (b'policy', b'retune')
        assert one.words[one.words.index(b'--output') + 1] == value


@pytest.mark.parametrize('kind', ['FIFO', 'deep YAML', 'directory', 'below a file'])
def test_odd_file_is_in_a_folder_of_its_own(folder, stock, kind):
    one = prepare(Planned(3, 'robot write-urdf', '--output', kind), folder, stock, 0)
    value = one.words[one.words.index(b'--output') + 1]
    assert value.startswith(b'odd/') and (folder / 'page.md').is_file()
    assert os.path.lexists(folder / os.fsdecode(value)) or kind == 'below a file'


def test_command_that_writes_into_a_policy_gets_a_copy(folder, stock):
    prepare(Planned(0, 'policy sign', 'policy', 'text'), folder, stock, 0)
    assert (folder / 'policy' / 'contract.yaml').read_text() == 'text 1.5'


def test_try_is_that_of_its_seed(tmp_path, stock):
    words = []
    for i, seed in enumerate((1, 1, 2, 3, 4)):
        folder = tmp_path / f'try{i}'
        folder.mkdir()
        words.append(prepare(Planned(0, 'policy retune', '--gait-period', 'NaN'), folder, stock,
                             seed).words)
    assert words[0] == words[1] and any(it != words[0] for it in words[2:])
