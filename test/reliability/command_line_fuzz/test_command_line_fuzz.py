# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The fuzz of the command line: it tries everything, it sees what is wrong, and nothing is."""


import pytest

pytest.importorskip('typer')
pytest.importorskip('rclpy')
pytest.importorskip('torch')
pytest.importorskip('mujoco')
pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')
pytest.importorskip('mcap')

import numpy as np
import typer

from humanoid_locomotion.cli.main import app
from humanoid_locomotion.reliability.command_line_fuzz import fuzz, stock, tries, values

SAMPLE = 18


def test_sample_ends_as_documented():
    """No traceback, no hang, no exit code but those told, nothing written by a refusal."""
    seen = fuzz.fuzz(SAMPLE, seed=7)
    assert [one for one in seen if one.problem] == [] and len(seen) == SAMPLE
    assert len({one.command for one in seen}) > 8 and {0, 2} <= {one.code for one in seen}


@pytest.mark.slow
def test_many_tries_end_as_documented():
    """As docs/reliability.md has them, with another seed."""
    assert [one for one in fuzz.fuzz(700, seed=2) if one.problem] == []


def test_every_option_gets_its_turn_with_many_kinds():
    planned = tries.plan(7000)
    places = {(command, parameter.opts[0]) for command, parameters in tries.options().items()
              for parameter in parameters}
    tried = [(one.command, one.option) for one in planned if one.option != 'streams']
    assert set(tried) == places and len(places) > 120
    kinds = {one.kind for one in planned if (one.command, one.option) == ('walk', '--output')}
    assert len(kinds) > 30
    assert {one.kind for one in planned} == set(values.KINDS) | set(tries.STREAM_KINDS)


def test_plan_is_that_of_its_seed():
    assert tries.plan(50, 3) == tries.plan(50, 3) != tries.plan(50, 4)


def test_every_command_has_a_line_that_is_accepted():
    assert set(tries.options()) == set(tries.GOOD)


@pytest.fixture(scope='module')
def filled(tmp_path_factory):
    """Give the stock of good files."""
    folder = tmp_path_factory.mktemp('stock')
    (folder / 'run' / 'checkpoints').mkdir(parents=True)
    stock.fill(folder, lambda words: (folder / 'run' / 'checkpoints' / '1.pt').write_text('1'))
    return folder


@pytest.mark.parametrize('kind', sorted(set(values.KINDS)))
def test_every_kind_can_be_made(filled, tmp_path, kind):
    value = values.make(kind, tmp_path, filled, str(filled / 'files' / 'rooms.yaml'),
                        np.random.default_rng(0))
    assert isinstance(value, bytes) and b'\0' not in value
    for path in tmp_path.iterdir():
        path.chmod(0o700, follow_symlinks=False) if path.is_dir() else None


ENDED = {'code': 2, 'late': False, 'orphans': False, 'seconds': 0.1}
ONE = tries.Try(tries.Planned(0, 'policy check', 'policy', 'text'), (b'policy', b'check', b'many'))


@pytest.mark.parametrize('ended, ran, err, wrote, problem', [
    ({}, False, 'error: no\n', [], ''),
    ({}, False, 'Traceback (most recent call last)\n', [], 'traceback'),
    ({'code': 0}, False, 'Exception ignored in: <stdout>\n', [], 'traceback'),
    ({'late': True}, False, 'error: no\n', [], 'hang'),
    ({'late': True, 'code': 130}, False, 'interrupted\n', [], 'hang'),
    ({'late': True, 'code': 130}, True, 'interrupted\n', [], ''),
    ({'code': 70}, False, 'error: a bug\n', [], 'exit code 70'),
    ({'code': -11}, False, '', [], 'exit code -11'), ({'code': 141}, False, '', [],
                                                      'exit code 141'),
    ({'orphans': True}, False, 'error: no\n', [], 'left a process behind'),
    ({}, False, 'no\n', [], 'refused without one sentence'),
    ({}, False, 'error: no\nerror: again\n', [], 'refused without one sentence'),
    ({}, False, 'error: no\n', ['new'], 'refused, yet wrote new'),
    ({'code': 0}, True, '', ['new'], ''), ({'code': 1}, True, 'did not pass\n', ['new'], '')])
def test_what_is_wrong_is_seen(ended, ran, err, wrote, problem):
    assert fuzz._problem(ONE, {**ENDED, **ended}, ran, err, wrote) == problem


def test_try_that_ends_its_server_is_a_problem_and_the_next_one_runs(tmp_path):
    server = fuzz._Server()
    try:
        server._process.kill()
        request = {'command': 'robots', 'folder': str(tmp_path), 'words': [b'robots'.hex()],
                   'out': str(tmp_path / 'out'), 'err': str(tmp_path / 'err'), 'limit': 30.0,
                   'marker': '', 'environment': {}}
        ended = server.run(request)
        assert fuzz._problem(None, ended, False, '', []) == 'ended the process that ran it'
        assert server.run(request)['code'] == 0
    finally:
        server.close()


def test_watch_sees_new_and_changed_files_once(tmp_path):
    (tmp_path / 'kept').write_text('as it was')
    watch = fuzz._Watch(tmp_path)
    assert watch.changes() == []
    (tmp_path / 'kept').write_text('otherwise')
    (tmp_path / 'new').write_text('')
    assert watch.changes() == ['kept', 'new'] and watch.changes() == []
    (tmp_path / 'kept').write_text('otherwise')
    assert watch.changes() == []


def test_line_is_changed_in_one_place():
    command = typer.main.get_command(app).commands['policy'].commands['retune']
    line = tries._Line(command.params, ['humanoid', '--output', 'mine', '--gait-period', '0.9'])
    by_name = {it.opts[0]: it for it in command.params}
    random = np.random.default_rng(0)
    line.put(by_name['--output'], b'\xff', random)
    line.put(by_name['policy'], b'-x', random)
    assert line.words() == [b'--gait-period', b'0.9', b'--output', b'\xff', b'--', b'-x']


def test_exit_codes_and_work_points_exist():
    """Points that are renamed would let tries walk for minutes."""
    import importlib

    from humanoid_locomotion.reliability.command_line_fuzz import server as server
    assert set(server.WORK) | set(server.BEGINS) <= set(tries.GOOD)
    for points in (*server.WORK.values(), *server.BEGINS.values()):
        for point in points:
            module, _, path = point.partition(':')
            owner = importlib.import_module(f'humanoid_locomotion.{module}')
            for part in path.split('.'):
                owner = getattr(owner, part)
            assert callable(owner)
    assert set(tries.GOOD) == set(tries.options())


def test_what_colcon_writes_meanwhile_is_nobodys_stray_file(tmp_path):
    watch = fuzz._Watch(tmp_path)
    (tmp_path / 'log').mkdir()
    (tmp_path / 'log' / 'events.log').write_text('started')
    assert watch.changes() == []
    (tmp_path / 'runs').mkdir()
    assert watch.changes() == ['runs']
