# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""SIGINT and SIGTERM end a training between two iterations; a second one ends it at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from humanoid_locomotion.training.run import stop_signals
from humanoid_locomotion.training.run.stop_signals import StopSignals


@pytest.mark.parametrize('number, code', [
    (signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_first_signal_is_noted(number, code):
    before = signal.getsignal(number)
    with StopSignals() as stop:
        assert not stop() and stop.exit_code == 0 and stop.name == ''
        os.kill(os.getpid(), number)
        assert stop() and stop.exit_code == code and stop.name == number.name
        os.kill(os.getpid(), number)  # at once: a launcher that passes on what came anyway
        assert stop.exit_code == code
    assert signal.getsignal(number) == before


def test_a_hang_up_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_another_signal_than_the_first_ends_nothing(monkeypatch):
    """A launch file sends SIGTERM 5 s after SIGINT, while a checkpoint may be written."""
    monkeypatch.setattr(stop_signals, 'SAME', -1.0)
    with StopSignals() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.name == 'SIGINT'


def test_in_a_thread_nothing_is_caught_and_nothing_breaks():
    seen = []

    def work():
        with StopSignals() as stop:
            seen.append(stop())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_the_process_at_once(number):
    program = f"""
import os, time
from humanoid_locomotion.training.run import stop_signals
stop_signals.SAME = 0.01
with stop_signals.StopSignals():
    os.kill(os.getpid(), {int(number)})
    time.sleep(0.05)
    os.kill(os.getpid(), {int(number)})
    time.sleep(60)
"""
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True,
                          timeout=60, check=False)
    assert (done.returncode, done.stderr) == (-number, '')
    assert stop_signals.SAME < 5.0
