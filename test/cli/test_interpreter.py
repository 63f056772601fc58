# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The command line in another interpreter: our files, its libraries."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

import pytest

pytest.importorskip('typer')

from humanoid_locomotion.cli import interpreter
from humanoid_locomotion.core.errors import LocomotionError


@pytest.mark.parametrize('arguments, kept', [
    (['train', '--python', 'p', '--seed', '3'], ['train', '--seed', '3']),
    (['train', '--python=p', '--seed', '3'], ['train', '--seed', '3']),
    (['train', '--output', 'p', '--python', 'p'], ['train', '--output', 'p']),
    (['train'], ['train'])])
def test_only_the_choice_of_interpreter_is_left_out(arguments, kept):
    assert interpreter.without(arguments, '--python') == kept


@pytest.mark.parametrize('python', ['no_such_python', '/', __file__])
def test_what_cannot_be_started_is_named(python):
    with pytest.raises(LocomotionError, match='is no program that can be started; name an'):
        interpreter.command(python, [])


@pytest.mark.parametrize('text', [
    '', 'echo 43', 'exit 1', pytest.param('exec sleep 60', id='hangs')])
def test_a_program_that_is_no_python_is_named(tmp_path, monkeypatch, text):
    monkeypatch.setattr(interpreter, 'PATIENCE', 0.3)
    with pytest.raises(LocomotionError, match=r'python does not answer as a Python within 0\.3 s'):
        interpreter.command(script(tmp_path, text), [])


def test_nothing_of_this_interpreter_is_handed_on(monkeypatch, tmp_path):
    monkeypatch.setenv('PYTHONPATH', '/opt/ros/somewhere')
    monkeypatch.setenv('LD_LIBRARY_PATH', '/opt/ros/lib')
    monkeypatch.setenv('AMENT_PREFIX_PATH', '/opt/ros')
    python = tmp_path / 'env' / 'bin' / 'python'
    environment = interpreter.environment(str(python))
    assert 'PYTHONPATH' not in environment
    # Isaac Gym's binaries look for libpython there.
    assert environment['LD_LIBRARY_PATH'] == f'{tmp_path}/env/lib:/opt/ros/lib'
    assert environment['AMENT_PREFIX_PATH'].endswith(':/opt/ros')


def test_a_command_runs_there_with_this_package(tmp_path, monkeypatch):
    """What lies on PYTHONPATH, such as ROS 2's own libraries, is not seen."""
    (tmp_path / 'typer.py').write_text('raise ImportError("that of another Python")')
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    whole = interpreter.command(sys.executable, ['robot', 'list'])
    done = subprocess.run(whole, env=interpreter.environment(whole[0]), capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0 and ' humanoid ' in done.stdout, done.stderr


def test_the_exit_code_and_errors_are_those_of_the_command(capfd):
    assert interpreter.run(sys.executable, ['train', '--robot', 'nobody']) == 2
    assert "unknown robot 'nobody'" in capfd.readouterr().err


def script(tmp_path: Path, text: str) -> str:
    """Give a program that stands for an interpreter."""
    path = tmp_path / 'python'
    path.write_text(f'#!/bin/sh\n{text}\n')
    os.chmod(path, 0o755)
    return str(path)


def test_train_hands_everything_else_over(tmp_path, monkeypatch, capfd):
    from humanoid_locomotion.cli.main import main
    python = script(tmp_path, '[ $# -gt 2 ] || exec echo 42; shift 3; echo "$@"; exit 5')
    monkeypatch.setattr(sys, 'argv', ['humanoid-locomotion', 'train', '--python', python,
                                      '--backend', 'isaacgym', '--set', 'ppo.desired_kl=0.02'])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 5
    assert capfd.readouterr().out == 'train --backend isaacgym --set ppo.desired_kl=0.02\n'


def test_an_interpreter_without_our_libraries_is_told_what_to_install(tmp_path):
    (tmp_path / 'typer.py').write_text('raise ImportError("No module named typer")')
    whole = interpreter.command(sys.executable, ['robot', 'list'])
    whole[2] = f'import sys; sys.path.insert(0, {str(tmp_path)!r})\n' + whole[2]
    done = subprocess.run(whole, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.count('\n') == 1, done.stderr
    assert 'pip install -r requirements/isaacgym.txt' in done.stderr
