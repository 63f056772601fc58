# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The outcomes of tries: what is run, what is watched, what is a problem, and the summary."""

from __future__ import annotations

from dataclasses import replace
import json
import os
from pathlib import Path
import queue
import subprocess
import time
from types import SimpleNamespace

import pytest

pytest.importorskip('typer')
pytest.importorskip('rclpy')
pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')
pytest.importorskip('mcap')

from humanoid_locomotion.reliability.command_line_fuzz import fuzz
from humanoid_locomotion.reliability.command_line_fuzz.fuzz import Outcome, _problem, _Watch
from humanoid_locomotion.reliability.command_line_fuzz.tries import Planned, Try

PLANNED = Planned(4, 'policy check', 'policy', 'text')
LINE = Try(PLANNED, (b'policy', b'check', b'\xff'))
ENDED = {'code': 2, 'late': False, 'orphans': False, 'seconds': 0.25}


def with_streams(streams: str, kind: str = 'standard error closed') -> Try:
    """Return a try with redirected streams."""
    return Try(Planned(0, 'policy check', 'streams', kind), LINE.words, streams)


@pytest.mark.parametrize('one, ended, wrote, problem', [
    (with_streams('| true', 'nobody reads standard output'), {'code': 141}, [], ''),
    (with_streams('>&-', 'standard output closed'), {'code': 141}, [], 'exit code 141'),
    (with_streams('2>&-'), {}, [], ''), (with_streams('>&- 2>&-', 'both closed'), {}, [], ''),
    (with_streams('>&-', 'standard output closed'), {}, [], 'refused without one sentence'),
    (LINE, {'died': True, 'code': 0}, [], 'ended the process that ran it'),
    (LINE, {'code': 130}, [], 'exit code 130'), (LINE, {'code': 1}, ['new'], '')])
def test_streams_excuse_only_what_they_cause(one, ended, wrote, problem):
    assert _problem(one, {**ENDED, **ended}, False, '', wrote) == problem


def test_work_may_be_complete_when_a_stream_breaks():
    broken = with_streams('>/dev/full', 'standard output full')
    assert _problem(broken, ENDED, True, 'error: no\n', ['new']) == ''


def test_a_traceback_comes_before_any_other_problem():
    ended = {'code': 70, 'late': True, 'orphans': True, 'seconds': 0.1, 'died': True}
    assert _problem(LINE, ended, False, 'Traceback (most', ['new']) == 'traceback'


@pytest.mark.parametrize('path', ['.git/index', '__pycache__/x.pyc', 'a/build/x', 'install/x'])
def test_watch_ignores_hidden_folders_caches_and_builds(tmp_path, path):
    (tmp_path / 'a').mkdir()
    watch = _Watch(tmp_path)
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text('text')
    assert watch.changes() == []


def test_watch_sees_links_folders_and_hidden_files_in_any_depth(tmp_path):
    (tmp_path / 'a').mkdir()
    watch = _Watch(tmp_path)
    (tmp_path / 'a' / 'b').mkdir()
    (tmp_path / 'a' / 'link').symlink_to('nothing')
    (tmp_path / '.hidden').write_text('')
    os.mkfifo(tmp_path / 'fifo')
    assert watch.changes() == ['.hidden', 'a/b', 'a/link', 'fifo']


def test_watch_reads_a_file_only_if_it_was_modified(tmp_path, monkeypatch):
    path = tmp_path / 'file'
    path.write_text('text')
    watch = _Watch(tmp_path)
    status = path.stat()
    monkeypatch.setattr(Path, 'read_bytes', lambda self: pytest.fail('was read'))
    assert watch.changes() == []
    monkeypatch.undo()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 10 ** 9))
    assert watch.changes() == []  # touched, with the same content


@pytest.mark.parametrize('user, found, prefix', [
    (1000, '/bin/setpriv', []), (0, None, []), (0, '/bin/setpriv', 'setpriv')])
def test_root_gives_up_its_right_to_every_file(monkeypatch, user, found, prefix):
    monkeypatch.setattr(os, 'geteuid', lambda: user)
    monkeypatch.setattr(fuzz.shutil, 'which', lambda name: found)
    words = fuzz._without_privileges()
    assert words[:1] == ([prefix] if prefix else [])
    assert all('dac_override' in word for word in words[1:])


def test_environment_finds_the_package_first(monkeypatch):
    monkeypatch.setenv('PYTHONPATH', '/elsewhere')
    monkeypatch.setenv('MINE', 'kept')
    environment = fuzz._environment()
    first, rest = environment['PYTHONPATH'].split(os.pathsep)
    assert (Path(first) / 'humanoid_locomotion' / '__main__.py').is_file()
    assert rest == '/elsewhere' and environment['MINE'] == 'kept'


class StubServer:
    """Runs nothing; writes what a command line would write."""

    def __init__(self, ended=None, err='error: no\n', writes=None, marks=False):
        self.ended, self.err, self.writes, self.marks = ended or {}, err, writes, marks
        self.requests, self.is_closed = [], False

    def run(self, request):
        self.requests.append(request)
        if not request['marker']:
            return ENDED
        Path(request['err']).write_text(self.err)
        if self.writes:
            (Path(request['folder']) / self.writes).write_text('text')
        if self.marks:
            Path(request['marker']).touch()
        return {**ENDED, **self.ended}

    def close(self):
        self.is_closed = True


@pytest.fixture
def attempt(tmp_path, monkeypatch):
    """Return a function that runs the try on a stub, whose strays are in a folder."""
    (tmp_path / 'watched').mkdir()
    monkeypatch.setattr(fuzz, 'prepare', lambda planned, folder, stock, seed: LINE)

    def run(server):
        servers: queue.Queue = queue.Queue()
        servers.put(server)
        outcome = fuzz._try(PLANNED, servers, tmp_path, 0, _Watch(tmp_path / 'watched'))
        assert servers.get_nowait() is server
        return outcome
    return run


def test_refusal_with_one_sentence_is_no_problem(attempt):
    assert attempt(StubServer()) == Outcome(
        'policy check', 'policy', 'text', 2, False, 0.25, '', '', ())


def test_problem_comes_with_what_was_said_and_given(attempt):
    outcome = attempt(StubServer({'code': 70}, err='error: a fault\n'))
    assert outcome.problem == 'exit code 70' and outcome.said == 'error: a fault\n'
    assert outcome.words == tuple(map(repr, LINE.words))


def test_file_of_a_refusal_is_a_problem_and_that_of_a_run_is_none(attempt):
    assert attempt(StubServer(writes='new')).problem == 'refused, yet wrote new'
    outcome = attempt(StubServer({'code': 0}, writes='new', marks=True))
    assert outcome.problem == '' and outcome.ran


def test_file_outside_the_folder_is_a_problem(attempt, tmp_path):
    server = StubServer({'code': 0}, writes=tmp_path / 'watched' / 'stray')
    assert attempt(server).problem == 'wrote stray'


def test_server_comes_back_after_an_error(attempt):
    servers: queue.Queue = queue.Queue()
    server = SimpleNamespace(run=lambda request: 1 / 0)
    servers.put(server)
    with pytest.raises(ZeroDivisionError):
        fuzz._try(PLANNED, servers, Path('/x'), 0, SimpleNamespace(changes=list))
    assert servers.get_nowait() is server


def test_request_has_the_words_and_folders_of_the_try(attempt):
    server = StubServer()
    attempt(server)
    (request,) = server.requests
    folder = Path(request['folder']).parent
    assert [bytes.fromhex(word) for word in request['words']] == list(LINE.words)
    assert request['command'] == 'policy check' and request['limit'] == fuzz.LIMIT
    assert {Path(request[key]).parent for key in ('out', 'err', 'marker')} == {folder}
    assert request['environment']['HOME'] == str(folder / 'home')
    assert json.loads(json.dumps(request)) == request and not folder.exists()


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """Return a function that runs a shell command in place of the program, redirected."""
    (tmp_path / 'work').mkdir()
    start = subprocess.Popen

    def run(command, streams):
        monkeypatch.setattr(fuzz.subprocess, 'Popen', lambda words, **more: start(
            ['bash', '-c', words[2], 'bash', 'bash', '-c', command], **more))
        return fuzz._run(with_streams(streams), tmp_path, None)
    return run


def test_streams_are_those_of_a_shell(shell, tmp_path):
    ended = shell('echo to standard output; echo error >&2; exit 2', '>&-')
    assert (ended['code'], ended['late']) == (2, False)
    assert (tmp_path / 'out').read_text() == '' and 'error\n' in (tmp_path / 'err').read_text()


def test_command_that_does_not_end_in_time_is_killed_with_its_shell(shell, tmp_path, monkeypatch):
    monkeypatch.setattr(fuzz, 'LIMIT', 0.1)
    ended = shell('sleep 0.4; echo > late', '>/dev/null')
    assert (ended['code'], ended['late']) == (-9, True)
    time.sleep(0.5)
    assert not (tmp_path / 'work' / 'late').exists()


@pytest.fixture
def servers(monkeypatch):
    """Replace servers and their stock; give the servers that were started."""
    started = []

    def start():
        started.append(StubServer())
        return started[-1]
    monkeypatch.setattr(fuzz, '_Server', start)
    monkeypatch.setattr(fuzz.stock, 'fill', lambda folder, train: train(
        ['train', '--output', 'ü']))
    monkeypatch.setattr(fuzz, '_Watch', lambda folder: SimpleNamespace(changes=list))
    monkeypatch.setattr(fuzz, 'prepare', lambda planned, folder, stock, seed: Try(
        planned, (b'policy',)))
    return started


def test_outcomes_are_in_the_order_of_the_plan_and_servers_are_closed(servers):
    planned = [PLANNED._replace(number=i, kind=str(i)) for i in range(12)]
    seen = list(fuzz.outcomes(planned, 0, processes=3))
    assert [one.kind for one in seen] == [str(i) for i in range(12)]
    assert len(servers) == 3 and all(server.is_closed for server in servers)
    requests = [request for server in servers for request in server.requests]
    assert len(requests) == 13  # with the training of the stock
    (training,) = [request for request in requests if not request['marker']]
    assert [bytes.fromhex(word).decode() for word in training['words']] == [
        'train', '--output', 'ü']


def test_servers_are_closed_after_an_error(servers, monkeypatch):
    monkeypatch.setattr(fuzz, '_try', lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(fuzz.outcomes([PLANNED], 0))
    assert servers and all(server.is_closed for server in servers)


GOOD = Outcome('walk', '--output', 'zero', 0, True, 0.1, '')


def test_summary_counts_tries_codes_and_problems():
    text = fuzz.summary([
        GOOD, replace(GOOD, code=2, ran=False), replace(GOOD, command='train'),
        replace(GOOD, option='streams', command='robot list'),
        replace(GOOD, problem='traceback', code=1), replace(GOOD, problem='hang', code=-9),
        replace(GOOD, problem='wrote a/b'), replace(GOOD, problem='exit code 70', code=70)])
    assert text.startswith('8 tries of 2 options and arguments of 2 commands: 1 tracebacks, '
                           '1 hangs, 2 other problems. 7 reached')
    assert 'exit codes: 3 times 0, 1 times 2.' in text
    assert '| `walk` | --output | zero | 70 | exit code 70 |' in text
    assert text.count('\n| `') == 4


def test_summary_without_problems_has_no_table():
    text = fuzz.summary([GOOD, GOOD])
    assert '|' not in text and '0 tracebacks, 0 hangs, 0 other problems' in text
