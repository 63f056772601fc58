# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs every command with unusual values of its options, each in its own process.

A try passes if the process ends in time, with a documented exit code, without a traceback, without
a file outside its folder and, if it refused, with one sentence and no file. The exit code of an
internal error, 70, counts as a problem.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
import contextlib
from dataclasses import dataclass
import hashlib
import json
import os
from pathlib import Path
import queue
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, Dict, Iterator, List, Sequence, Tuple

from humanoid_locomotion.core.reading.resources import PACKAGE
from humanoid_locomotion.reliability.command_line_fuzz import stock
from humanoid_locomotion.reliability.command_line_fuzz.tries import Planned, Try, plan, prepare

LIMIT = 30.0  # [s] time limit of a try
NOT_OURS = ('__pycache__', 'build', 'install', 'log')  # the last three are colcon's
HASHED = 16 * 1024 * 1024  # bytes; larger files are compared by their modification time
REFUSED, PIPE = 2, 141  # exit codes, besides 0 and 1: docs/troubleshooting.md


@dataclass(frozen=True)
class Outcome:
    """Result of a try.

    Attributes:
        command: The words of the command.
        option: The option that was given an unusual value.
        kind: Kind of the value.
        code: The exit code; negative for a signal.
        ran: Whether the work of the command started, so its input was accepted.
        seconds: Duration [s].
        problem: Description of the problem; empty if there is none.
        said: End of standard error, if something is wrong.
        words: The command line, if something is wrong.
    """

    command: str
    option: str
    kind: str
    code: int
    ran: bool
    seconds: float
    problem: str
    said: str = ''
    words: Tuple[str, ...] = ()


class _Server:
    """A process of :mod:`command_line_server`."""

    def __init__(self) -> None:
        self._process = self._start()

    @staticmethod
    def _start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*_without_privileges(), sys.executable, '-m',
             'humanoid_locomotion.reliability.command_line_fuzz.server'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment())

    def run(self, request: Dict[str, Any]) -> Dict[str, Any]:
        """Run a command line; return its result, or that it ended the server process, too."""
        assert self._process.stdin is not None and self._process.stdout is not None
        begin, answer = time.monotonic(), ''
        with contextlib.suppress(OSError):
            self._process.stdin.write(json.dumps(request) + '\n')
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        if answer:
            return dict(json.loads(answer))
        code, self._process = self._process.wait(), self._start()
        return {'code': code, 'late': False, 'orphans': False, 'died': True,
                'seconds': time.monotonic() - begin}

    def close(self) -> None:
        """End the server process."""
        self._process.communicate()


def _without_privileges() -> List[str]:
    """Return a command prefix under which file modes also apply to root."""
    if os.geteuid() != 0 or shutil.which('setpriv') is None:
        return []
    return ['setpriv', '--bounding-set=-dac_override,-dac_read_search',
            '--inh-caps=-dac_override,-dac_read_search']


def _environment() -> Dict[str, str]:
    ours = {'OMP_NUM_THREADS': '1', 'OPENBLAS_NUM_THREADS': '1', 'PYTHONDONTWRITEBYTECODE': '1',
            'HF_HUB_OFFLINE': '1', 'WANDB_MODE': 'offline',  # nothing leaves the machine
            'COLUMNS': '200', 'PYTHONPATH': os.pathsep.join(
                filter(None, (str(PACKAGE.parent), os.environ.get('PYTHONPATH'))))}
    return {**os.environ, **ours}


def _run(one: Try, folder: Path, server: _Server) -> Dict[str, Any]:
    """Run a try; its working directory is ``work`` in a folder, whose rest is for the fuzz."""
    more = {'HOME': str(folder / 'home'), 'TMPDIR': str(folder / 'tmp'),
            'ROS_LOG_DIR': str(folder / 'home'), 'MPLCONFIGDIR': str(folder / 'home')}
    if not one.streams:
        return server.run({
            'command': one.planned.command, 'folder': str(folder / 'work'),
            'words': [word.hex() for word in one.words],
            'out': str(folder / 'out'), 'err': str(folder / 'err'), 'limit': LIMIT,
            'marker': str(folder / 'marker'), 'environment': more})
    begin, late = time.monotonic(), False
    script = f'set -o pipefail; "$@" {one.streams}'
    with (folder / 'out').open('wb') as out, (folder / 'err').open('wb') as err:
        process = subprocess.Popen(
            ['bash', '-c', script, 'bash', *_without_privileges(), sys.executable, '-m',
             'humanoid_locomotion', *one.words], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            cwd=folder / 'work', env={**_environment(), **more}, start_new_session=True)
        try:
            code = process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # the shell and the command
            code, late = process.wait(), True
    return {'code': code, 'late': late, 'orphans': False, 'seconds': time.monotonic() - begin}


class _Watch:
    """Detects changes in a folder, except hidden files, caches and colcon's files."""

    def __init__(self, folder: Path):
        self._folder, self._lock = folder, threading.Lock()
        self._known = {path: self._state(path) for path in self._paths()}

    def changes(self) -> List[str]:
        """Return the files that are new or changed since the last call, sorted."""
        with self._lock:
            found = []
            for path in self._paths():
                state, known = self._state(path, self._known.get(path)), self._known.get(path)
                if known is None or state[1] != known[1]:
                    found.append(os.path.relpath(path, self._folder))
                self._known[path] = state
            return sorted(found)

    def _paths(self) -> Iterator[str]:
        for path, folders, files in os.walk(self._folder):
            folders[:] = [it for it in folders if it[0] != '.' and it not in NOT_OURS]
            for name in files + folders:
                yield os.path.join(path, name)

    @staticmethod
    def _state(path: str, known: Any = None) -> Tuple[Tuple[int, int], bytes]:
        """Return modification time and hash of a file; read only if it was modified."""
        try:
            status = os.lstat(path)
            when = status.st_mtime_ns, status.st_size
            if not stat.S_ISREG(status.st_mode) or status.st_size > HASHED:
                return when, str(status.st_mode).encode()
            if known is not None and known[0] == when:
                return when, known[1]
            return when, hashlib.sha1(Path(path).read_bytes()).digest()
        except OSError:  # removed, or not readable
            return (0, 0), b''


def _problem(one: Try, ended: Dict[str, Any], ran: bool, err: str, wrote: Sequence[str]) -> str:
    """Return the problem with the result of a try; empty if there is none."""
    code = ended['code']
    if 'Traceback' in err or 'Exception ignored' in err:
        return 'traceback'
    if ended.get('died'):
        return 'ended the process that ran it'
    if ended['late']:
        return '' if ran and code == 130 else 'hang'
    allowed = (0, 1, REFUSED, PIPE) if 'reads' in one.planned.kind else (0, 1, REFUSED)
    if code not in allowed:
        return f'exit code {code}'
    if ended['orphans']:
        return 'left a process behind'
    if code != REFUSED or '2>' in one.streams:
        return ''
    if len(re.findall('^error: ', err, re.MULTILINE)) != 1:
        return 'refused without one sentence'
    if one.streams:  # with a broken stream the work may be complete
        return ''
    return f'refused, yet wrote {wrote[0]}' if wrote else ''


def _try(planned: Planned, servers: queue.Queue, stock: Path, seed: int,
         watch: _Watch) -> Outcome:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        for name in ('work', 'home', 'tmp'):
            (folder / name).mkdir()
        one = prepare(planned, folder / 'work', stock, seed)
        here = _Watch(folder / 'work')
        server = servers.get()
        try:
            ended = _run(one, folder, server)
            strays = watch.changes()
        finally:
            servers.put(server)
        wrote = here.changes()
        err = (folder / 'err').read_bytes().decode(errors='replace')
        ran = (folder / 'marker').exists()
        problem = _problem(one, ended, ran, err, wrote)
        if strays and not problem:
            problem = f'wrote {strays[0]}'
        for path, folders, _ in os.walk(folder):  # also for root without privileges
            for name in folders:
                os.chmod(os.path.join(path, name), 0o700)
    said, words = ('', ()) if not problem else (err[-3000:], tuple(map(repr, one.words)))
    return Outcome(planned.command, planned.option, planned.kind, ended['code'], ran,
                   ended['seconds'], problem, said, words)


def _train(words: Sequence[str], stock: Path, servers: queue.Queue) -> None:
    server = servers.get()
    server.run({'command': '', 'folder': str(stock), 'words': [it.encode().hex() for it in words],
                'out': str(stock / 'out'), 'err': str(stock / 'err'), 'limit': 10.0 * LIMIT,
                'marker': '', 'environment': {}})
    servers.put(server)


def fuzz(count: int, seed: int = 0, processes: int = 2) -> List[Outcome]:
    """Run random command lines, and return their results.

    Args:
        count: Number of tries.
        seed: Random seed of the tries and their files.
        processes: Number of parallel processes.
    """
    return list(outcomes(plan(count, seed), seed, processes))


def outcomes(planned: Sequence[Planned], seed: int,
             processes: int = 2) -> Iterator[Outcome]:
    """Yield the result of each try of :func:`plan`."""
    servers: queue.Queue = queue.Queue()
    for _ in range(processes):
        servers.put(_Server())
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(processes) as pool:
        folder = Path(temporary) / 'stock'
        folder.mkdir()
        stock.fill(folder, lambda words: _train(words, folder, servers))
        watch = _Watch(PACKAGE.parent if (PACKAGE.parent / 'setup.py').exists() else PACKAGE)
        try:
            yield from pool.map(lambda one: _try(one, servers, folder, seed, watch), planned)
        finally:
            while not servers.empty():
                servers.get().close()


def summary(seen: Sequence[Outcome]) -> str:
    """Return the results of tries as Markdown."""
    codes = Counter(one.code for one in seen if not one.problem)
    kinds = Counter(re.sub(r' [^ ]*/.*', ' a file', one.problem) for one in seen if one.problem)
    rows = [f'| `{one.command}` | {one.option} | {one.kind} | {one.code} | {one.problem} |'
            for one in seen if one.problem]
    table = ['', '| command | option | given | exit code | problem |', '|---|---|---|---|---|',
             *rows]
    commands = len({one.command for one in seen if one.option != 'streams'})
    places = len({(one.command, one.option) for one in seen if one.option != 'streams'})
    return '\n'.join([
        f'{len(seen)} tries of {places} options and arguments of {commands} commands: '
        f'{kinds["traceback"]} tracebacks, {kinds["hang"]} hangs, '
        f'{len(rows) - kinds["traceback"] - kinds["hang"]} other problems. '
        f'{sum(one.ran for one in seen)} reached the work of their command; exit codes: '
        + ', '.join(f'{count} times {code}' for code, count in sorted(codes.items())) + '.',
        *(table if rows else [])])
