# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Processes that train together on one machine: one exit code, signals for each, no orphans."""

from __future__ import annotations

import os
from pathlib import Path
import signal
import sys
import threading
import time

import pytest

from humanoid_locomotion.training.run import workers

ROOT = str(Path(__file__).parents[3])


def run(program: str, count: int = 2) -> int:
    """Run a program in processes and return the exit code."""
    return workers.run(count, [sys.executable, '-c', f'import os, signal, sys, time\n{program}'])


def test_each_process_knows_who_it_is(tmp_path):
    assert run(f"""
here = {str(tmp_path)!r} + '/' + os.environ['RANK']
with open(here, 'w') as file:
    file.write(' '.join(os.environ[name] for name in (
        'LOCAL_RANK', 'WORLD_SIZE', 'MASTER_ADDR')))
""", count=3) == 0
    assert [(tmp_path / str(rank)).read_text() for rank in range(3)] == [
        f'{rank} 3 127.0.0.1' for rank in range(3)]


@pytest.mark.parametrize('rank', [0, 1])
def test_a_process_that_fails_ends_the_others_and_gives_its_exit_code(rank, monkeypatch):
    monkeypatch.setattr(workers, 'GRACE', 0.1)
    begin = time.monotonic()
    assert run(f"sys.exit(7) if os.environ['RANK'] == '{rank}' else time.sleep(60)") == 7
    assert time.monotonic() - begin < 30.0


def test_a_process_that_is_killed_is_told_as_a_shell_does():
    assert run('os.kill(os.getpid(), signal.SIGKILL)', count=1) == 137


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_each_process_once(tmp_path, number):
    program = f"""
seen = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, _: seen.append(number))
here = {str(tmp_path)!r} + '/' + os.environ['RANK']
open(here, 'w').close()
while not seen:
    time.sleep(0.01)
time.sleep(0.3)
sys.exit(seen != [{int(number)}])
"""

    def send():
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    threading.Thread(target=send, daemon=True).start()
    assert run(program) == 0
    assert signal.getsignal(number) == before
