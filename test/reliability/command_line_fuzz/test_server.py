# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The server of the command-line fuzz: processes, their ends, and what they leave behind."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
import subprocess
import sys
import types

import pytest

from humanoid_locomotion.reliability.command_line_fuzz import server


@pytest.mark.parametrize('command, code', [
    ('exit 0', 0), ('exit 3', 3), ('kill -KILL $$', -9), ('kill -SEGV $$', -11)])
def test_code_is_that_of_the_process(command, code):
    process = subprocess.Popen(['sh', '-c', command], start_new_session=True)
    assert server._wait(process.pid, 20.0) == (code, False)


def test_late_process_is_interrupted():
    process = subprocess.Popen(['sleep', '30'], start_new_session=True)
    assert server._wait(process.pid, 0.05) == (-2, True)


def test_process_that_ignores_the_interruption_is_killed(monkeypatch):
    monkeypatch.setattr(server, 'GRACE', 0.05)
    process = subprocess.Popen(
        ['sh', '-c', 'trap "" INT; echo; exec sleep 30'], start_new_session=True,
        stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()  # the trap is set
    assert server._wait(process.pid, 0.05) == (-9, True)
    process.stdout.close()


@pytest.mark.parametrize('command, left', [('exit 0', False), ('sleep 30 & exit 0', True)])
def test_processes_left_behind_are_seen_and_ended(command, left):
    process = subprocess.Popen(['sh', '-c', command], start_new_session=True)
    process.wait()
    assert server._left_behind(process.pid) is left


class Ended(BaseException):
    """The process would have ended here."""


@pytest.fixture
def ended(monkeypatch):
    """Record with what code a program ends its process."""
    codes = []

    def end(code):
        codes.append(code)
        raise Ended
    monkeypatch.setattr(os, '_exit', end)
    monkeypatch.setattr(server.atexit, '_run_exitfuncs', lambda: None)
    return codes


def leave(code):
    """Return a program that leaves with a code."""
    def main():
        raise SystemExit(code)
    return main


def fail():
    """Fail like a program with a fault."""
    raise KeyError('fault')


@pytest.mark.parametrize('main, code', [
    (lambda: None, 0), (leave(None), 0), (leave(3), 3), (leave('text'), 1), (fail, 1)])
def test_exit_code_is_that_of_an_interpreter(ended, capsys, main, code):
    with pytest.raises(Ended):
        server._end_like_an_interpreter(main)
    assert ended == [code]
    assert ("KeyError: 'fault'" in capsys.readouterr().err) is (main is fail)


def test_exit_functions_run_and_their_faults_do_not_count(ended, monkeypatch):
    ran = []

    def exit_functions():
        ran.append(True)
        fail()
    monkeypatch.setattr(server.atexit, '_run_exitfuncs', exit_functions)
    with pytest.raises(Ended):
        server._end_like_an_interpreter(leave(2))
    assert ran == [True] and ended == [2]


def test_output_that_cannot_be_written_has_its_own_code(ended, monkeypatch):
    class Full(io.StringIO):
        def flush(self):
            raise OSError(28, 'No space left on device')
    monkeypatch.setattr(sys, 'stdout', Full())
    with pytest.raises(Ended):
        server._end_like_an_interpreter(lambda: None)
    assert ended == [120]


@pytest.fixture
def work(monkeypatch, tmp_path):
    """Give a module with the work of two commands, and the marker of both."""
    class Session:
        def walk(self, steps):
            return 2 * steps
    module = types.ModuleType('humanoid_locomotion.some_work')
    module.Session, module.train = Session, lambda steps: 3 * steps  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(server, 'WORK', {'walk': ('some_work:Session.walk',)})
    monkeypatch.setattr(server, 'BEGINS', {'train': ('some_work:train',)})
    return module, tmp_path / 'marker'


def test_long_work_ends_where_it_starts_and_is_marked(work):
    module, marker = work
    server._mark('walk', str(marker))
    assert not marker.exists()
    with pytest.raises(SystemExit) as error:
        module.Session().walk(5)
    assert error.value.code == 0 and marker.exists()


def test_short_work_is_marked_and_goes_on(work):
    module, marker = work
    server._mark('train', str(marker))
    assert not marker.exists() and module.train(5) == 15 and marker.exists()


def test_work_of_another_command_is_left_alone(work):
    module, marker = work
    server._mark('robot list', str(marker))
    assert module.Session().walk(5) == 10 and module.train(5) == 15 and not marker.exists()


SERVED = """
import os, resource, sys
from humanoid_locomotion.reliability.command_line_fuzz import server

def main():
    print(os.getcwd(), [os.fsencode(word).hex() for word in sys.argv[1:]], os.environ['MINE'])
    print(repr(sys.stdin.read()), resource.getrlimit(resource.RLIMIT_AS)[0], flush=True)
    print('to standard error', file=sys.stderr)
    if sys.argv[1:] == ['leave']:
        if os.fork() == 0:
            os.execlp('sleep', 'sleep', '30')
    raise SystemExit(len(sys.argv))

import types
module = types.ModuleType('humanoid_locomotion.__main__')
module.main = main
sys.modules[module.__name__] = module
server._preload = lambda: print('not an answer')
server.serve()
"""


def test_each_line_is_answered_by_a_process_of_its_own(tmp_path):
    """With its folder, words, environment and streams; what is printed is no answer."""
    lines = [[b'a', b'\xff\xfe'], [b'leave'], []]
    requests = [{
        'command': 'robot list', 'folder': str(tmp_path), 'words': [word.hex() for word in words],
        'out': str(tmp_path / f'out{i}'), 'err': str(tmp_path / f'err{i}'), 'limit': 20.0,
        'marker': '', 'environment': {'MINE': f'number {i}'}} for i, words in enumerate(lines)]
    done = subprocess.run(
        [sys.executable, '-c', SERVED], input=''.join(json.dumps(it) + '\n' for it in requests),
        capture_output=True, text=True, timeout=60,
        env={**os.environ, 'PYTHONPATH': str(Path(server.__file__).parents[3])})
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [it['code'] for it in answers] == [3, 2, 1], done.stderr
    assert [it['orphans'] for it in answers] == [False, True, False]
    assert not any(it['late'] for it in answers) and all(0 < it['seconds'] < 20 for it in answers)
    assert 'not an answer' in done.stderr
    for i, words in enumerate(lines):
        first, second = (tmp_path / f'out{i}').read_text().splitlines()
        assert first == f'{tmp_path} {[word.hex() for word in words]} number {i}'
        assert second == f"'' {server.MEMORY}"
        assert (tmp_path / f'err{i}').read_text() == 'to standard error\n'
