# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""How the command line ends: exit codes as the documentation tells them, and no traceback."""

from __future__ import annotations

import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip('typer')

import typer

from humanoid_locomotion.cli import exit_codes
from humanoid_locomotion.core.errors import LocomotionError, MissingPackageError

ROOT = Path(__file__).parents[2]


def shell(tail: str, *words: object, **more: str) -> subprocess.CompletedProcess:
    """Run a command line with redirections."""
    return subprocess.run(
        ['bash', '-c', f'set -o pipefail; "$@" {tail}', 'bash', sys.executable, '-m',
         'humanoid_locomotion', *map(str, words)], capture_output=True, text=True, check=False,
        timeout=60, env={**os.environ, 'PYTHONPATH': str(ROOT), **more})


def test_a_full_standard_output_is_a_sentence():
    done = shell('>/dev/full', 'robot', 'list')
    assert done.returncode == 2 and done.stderr.count('\n') == 1, done.stderr
    assert done.stderr.startswith('error: standard output') and 'No space left' in done.stderr


@pytest.mark.parametrize('tail, code', [
    ('>&-', 0), ('2>&-', 0), ('<&-', 0), ('>&- 2>&- <&-', 0), ('2>/dev/full', 0)])
def test_closed_streams_change_nothing(tail, code):
    done = shell(tail, 'robot', 'list')
    assert done.returncode == code and done.stderr == ''


@pytest.mark.parametrize('tail', ['2>&-', '2>/dev/full', '>&- 2>&-'])
def test_a_refusal_that_nobody_can_read_has_its_code(tail):
    done = shell(tail, 'policy', 'check', 'nobody')
    assert (done.returncode, done.stdout, done.stderr) == (2, '', '')


def test_a_pipe_that_nobody_reads_is_no_error():
    done = shell('| true', 'robot', 'list', '--json')
    assert done.returncode in (0, 141) and done.stderr == ''


def test_names_that_are_not_utf8_are_printed_as_escapes(tmp_path):
    done = subprocess.run(
        [sys.executable, '-m', 'humanoid_locomotion', 'policy', 'check', b'\xff\x1b[31m'],
        capture_output=True, check=False, env={**os.environ, 'PYTHONPATH': str(ROOT)})
    assert done.returncode == 2 and b'\\udcff' in done.stderr and b'\x1b' not in done.stderr


def test_a_word_longer_than_any_path_is_refused():
    done = shell('', 'policy', 'check', 'x' * 5000)
    assert done.returncode == 2 and 'at most 4095 bytes' in done.stderr
    assert done.stderr.count('\n') == 1


@pytest.mark.parametrize('words', [
    ['policy', 'check', ''], ['train', '--output', ''], ['train', '--output=']])
def test_an_empty_value_is_refused(words):
    done = shell('', *words)
    assert done.returncode == 2 and 'found an empty value' in done.stderr


def test_a_usage_error_is_one_sentence_after_the_usage():
    done = shell('', 'train', '--num-envs', 'many')
    usage, error = done.stderr.splitlines()
    assert done.returncode == 2 and usage.startswith('Usage: humanoid-locomotion train')
    assert error.startswith('error: ') and '--num-envs' in error and 'train --help' in error


def test_without_a_command_there_is_help_and_a_sentence():
    done = shell('')
    assert done.returncode == 2 and 'error: expected a command, found none' in done.stderr
    assert 'Usage:' in done.stdout + done.stderr


def ended(monkeypatch, capsys, command, *words):
    """Run a command of one function; give exit code and standard error."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(command)
    monkeypatch.setattr(sys, 'argv', ['humanoid-locomotion', *words])
    with pytest.raises(SystemExit) as end:
        exit_codes.run(app)
    return end.value.code, capsys.readouterr().err


def raises(error):
    """Give a command that raises."""
    def command():
        raise error
    return command


@pytest.mark.parametrize('error, code, said', [
    (LocomotionError('this does not fit'), 2, 'error: this does not fit\n'),
    (MissingPackageError('a thing', 'pkg', 'pip install pkg'), 2, 'error: a thing needs'),
    (ModuleNotFoundError('gone', name='mujoco'), 2, "error: this command needs the package "
     "'mujoco', which is not installed: pip install 'humanoid_locomotion[sim]'"),
    (ModuleNotFoundError('gone', name='geometry_msgs.msg'), 2, "error: this command needs the "
     "package 'geometry_msgs', which is not installed: it is a part of ROS 2: source"),
    (ModuleNotFoundError('gone', name='humanoid_locomotion.x'), 70, 'error: ModuleNotFoundError'),
    (FileNotFoundError(2, 'No such file or directory', 'gone.txt'), 2,
     'error: gone.txt: No such file or directory\n'),
    (OSError(28, 'No space left on device'), 2, 'error: standard output or a file'),
    (MemoryError(), 2, 'error: this needs more memory'),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 2, 'error: this needs more'),
    (KeyboardInterrupt(), 130, 'interrupted\n'), (typer.Abort(), 130, 'interrupted\n'),
    (typer.Exit(1), 1, ''), (SystemExit(5), 5, ''), (BrokenPipeError(32, 'Broken pipe'), 141, ''),
    (KeyError('x'), 70, "error: KeyError: 'x' (a fault of humanoid_locomotion")])
def test_every_end_has_its_code_and_at_most_one_line(monkeypatch, capsys, error, code, said):
    found, err = ended(monkeypatch, capsys, raises(error))
    assert found == code and err.startswith(said) and err.count('\n') <= 1
    assert 'Traceback' not in err


def test_the_traceback_of_a_bug_can_be_asked_for(monkeypatch, capsys):
    monkeypatch.setenv(exit_codes.TRACEBACK, '1')
    code, err = ended(monkeypatch, capsys, raises(KeyError('x')))
    assert code == 70 and 'Traceback' in err and err.rstrip().endswith("KeyError: 'x'")


@pytest.mark.parametrize('words', [
    ['train', '--backend', 'fake', '--num-envs', '2', '--output', 'run'],
    pytest.param(['dev', 'soak', 'walk'], marks=pytest.mark.slow),
    pytest.param(['evaluate', 'humanoid', '--output', 'here'], marks=pytest.mark.slow)])
def test_ctrl_c_is_a_line_and_130(tmp_path, words):
    for package in ('rclpy', 'torch', 'mujoco', 'onnxruntime'):
        pytest.importorskip(package)
    process = subprocess.Popen(
        [sys.executable, '-m', 'humanoid_locomotion', *words], cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, 'PYTHONPATH': str(ROOT)})
    time.sleep(4.0)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, (out, err)
    assert 'Traceback' not in err
