# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A run folder is made once, written by one process at a time, and known by an id."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
import signal
import socket
import subprocess
import sys

import pytest

from humanoid_locomotion.core.errors import RunFolderError
from humanoid_locomotion.training.run import run_folder
from humanoid_locomotion.training.run.run_folder import (
    Identity,
    RunFolder,
    check_unlocked,
    check_unused,
)

ROOT = Path(__file__).parents[3]
HOLD = """
import pathlib, sys, time
sys.path.insert(0, sys.argv[1])
from humanoid_locomotion.training.run.run_folder import RunFolder
folder = RunFolder(pathlib.Path(sys.argv[2]))
folder.create()
print('held', flush=True)
time.sleep(60)
"""


@pytest.fixture
def held(tmp_path):
    """Give a run folder that another process holds, and the process."""
    process = subprocess.Popen([sys.executable, '-c', HOLD, str(ROOT), str(tmp_path / 'run')],
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == 'held\n'
    yield tmp_path / 'run', process
    process.kill()
    process.wait()


def made(path: Path) -> RunFolder:
    """Give a new run folder, held by this process."""
    folder = RunFolder(path)
    folder.create()
    return folder


# Made once.

@pytest.mark.parametrize('file, message', [
    ('checkpoints/000001.pt', 'holds a run already; --resume .*run goes on with it, another --ou'),
    ('thesis.tex', r'is not empty \(it holds thesis\.tex\); name another --output'),
    ('checkpoints/notes.txt', r'is not empty \(it holds checkpoints\)')])
def test_a_folder_in_use_is_refused_with_what_would_work(tmp_path, file, message):
    path = tmp_path / 'run' / file
    path.parent.mkdir(parents=True)
    path.touch()
    for refuse in (check_unused, made):
        with pytest.raises(RunFolderError, match=message):
            refuse(tmp_path / 'run')
    assert path.exists()
    check_unlocked(tmp_path / 'run')  # a refusal holds nothing


def test_what_is_no_folder_is_refused(tmp_path):
    (tmp_path / 'file').touch()
    os.mkfifo(tmp_path / 'pipe')
    (tmp_path / 'nowhere').symlink_to(tmp_path / 'absent')
    for name in ('file', 'pipe', 'nowhere'):
        with pytest.raises(RunFolderError, match=f'{name}: is not a folder; name another'):
            check_unused(tmp_path / name)


def test_a_name_that_the_system_refuses_is_one_sentence(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(RunFolderError, match=r'cannot be opened \(File name too long\)'):
        check_unused(tmp_path / ('a' * 5000))
    with pytest.raises(RunFolderError, match=r'run: cannot be made, since .*file is not a folder'):
        check_unused(tmp_path / 'file' / 'run')
    with pytest.raises(RunFolderError, match=r'run: cannot be written \(File exists\)'):
        made(tmp_path / 'file' / 'run')


def test_a_start_that_came_to_nothing_may_be_repeated(tmp_path):
    folder = made(tmp_path / 'run')
    (folder.path / 'checkpoints' / '000000.unfinished').write_bytes(b'half')
    folder.close()
    check_unused(folder.path)
    made(folder.path).close()
    assert not list(folder.path.rglob('*.unfinished'))


def test_two_that_start_in_the_same_second_get_folders_of_their_own(tmp_path):
    first, second, third = (RunFolder(tmp_path / 'runs' / 'walker-20260101-120000')
                            for _ in range(3))
    for folder in (first, second, third):
        folder.create(may_rename=True)
    assert [it.path.name for it in (first, second, third)] == [
        'walker-20260101-120000', 'walker-20260101-120000-2', 'walker-20260101-120000-3']


def test_what_was_made_for_nothing_is_removed(tmp_path):
    folder = made(tmp_path / 'run')
    folder.discard()
    assert not folder.path.exists()
    folder = made(tmp_path / 'run')
    (folder.path / 'checkpoints' / '000001.pt').touch()
    folder.discard()
    assert (folder.path / 'checkpoints' / '000001.pt').exists()


# Locked.

def test_a_folder_that_is_written_is_refused_with_process_and_host(held):
    path, process = held
    holder = f'is being written by process {process.pid} on {socket.gethostname()}; wait for it'
    for refuse in (made, check_unlocked, lambda it: RunFolder(it).enter()):
        with pytest.raises(RunFolderError, match=holder):
            refuse(path)


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_is_killed_leaves_no_lock(held, number):
    path, process = held
    process.send_signal(number)
    process.wait()
    check_unlocked(path)
    folder = RunFolder(path)
    folder.enter()
    assert (path / '.lock').read_text() == f'{os.getpid()} {socket.gethostname()}\n'
    folder.close()


def test_one_process_cannot_enter_twice(tmp_path):
    folder = made(tmp_path / 'run')
    with pytest.raises(RunFolderError, match=f'written by process {os.getpid()} '):
        RunFolder(folder.path).enter()
    folder.close()
    RunFolder(folder.path).enter()


def test_a_filesystem_without_locks_is_said(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, 'No locks available')

    monkeypatch.setattr(fcntl, 'flock', refuse)
    folder = made(tmp_path / 'run')
    assert 'has no file locks (No locks available), so nothing keeps a second' in folder.warning
    check_unlocked(folder.path)


def test_half_written_files_are_gone_once_the_folder_is_held(tmp_path):
    folder = made(tmp_path / 'run')
    folder.close()
    for name in ('config.unfinished', 'checkpoints/000002.unfinished'):
        (folder.path / name).touch()
    (folder.path / 'checkpoints' / '000001.pt').touch()
    folder.enter()
    assert sorted(it.name for it in folder.path.rglob('*')) == [
        '.lock', '000001.pt', 'checkpoints']


# Known by an id.

def test_an_id_is_written_and_read(tmp_path):
    mine, other = Identity.new('a/checkpoints/000001.pt'), Identity.new()
    assert mine.id != other.id and len(mine.id) == 32
    mine.write(tmp_path)
    assert Identity.of(tmp_path) == mine
    assert Identity.of(tmp_path / 'nowhere') == Identity()


def test_a_checkpoint_knows_its_run_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_folder.run_of(Path('run/checkpoints/1.pt')) == tmp_path / 'run'
    assert run_folder.run_of(Path('best.pt')) is None
