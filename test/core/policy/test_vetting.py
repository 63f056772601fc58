# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Another process opens a folder first: whatever happens there is a refusal here, and in time."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time

import policy_factory
import pytest

pytest.importorskip('onnxruntime')

from humanoid_locomotion.core.errors import PolicyError, UnknownNameError
from humanoid_locomotion.core.policy import vetting
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.policy.vetting import open_vetted, vet


@pytest.fixture(scope='module')
def pristine(tmp_path_factory):
    """Give a folder that opens; not to be changed."""
    return policy_factory.holding_policy(tmp_path_factory.mktemp('policies') / 'pristine')


@pytest.fixture
def child(tmp_path, monkeypatch):
    """Put a script in place of the process that opens."""
    def make(script):
        path = tmp_path / 'python'
        path.write_text(f'#!{sys.executable}\nimport os, signal, sys, time\n{script}\n')
        path.chmod(0o755)
        monkeypatch.setattr(vetting.sys, 'executable', str(path))
        monkeypatch.setattr(vetting, 'OPEN_TIMEOUT', 0.5)
        monkeypatch.setattr(vetting, 'START_TIMEOUT', 5.0)
    return make


def test_a_good_folder_opens_as_it_does_here(pristine):
    ours, theirs = open_policy(pristine, 'onnxruntime'), open_vetted(pristine, 'onnxruntime')
    assert (theirs.contract, theirs.golden_error, theirs.golden_action) == (
        ours.contract, ours.golden_error, ours.golden_action)
    answer = vet(pristine)
    assert not answer.problem and 0.0 < answer.seconds < vetting.OPEN_TIMEOUT
    assert answer.memory < vetting.MAX_MEMORY


def test_a_relative_name_and_a_path_of_ones_own_are_found(pristine, monkeypatch):
    monkeypatch.chdir(pristine.parent)
    assert str(open_vetted(pristine.name, 'onnxruntime').path) == pristine.name
    with pytest.raises(UnknownNameError, match='unknown policy'):
        open_vetted('x' * 5000)


def test_nothing_is_imported_from_the_folder(pristine, tmp_path, monkeypatch):
    folder = shutil.copytree(pristine, tmp_path / 'policy')
    for name in ('numpy', 'onnx', 'yaml', 'json', 'resource'):
        (folder / f'{name}.py').write_text('import os; os._exit(3)')
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))  # as `python -m` does with where it is started
    assert vet(folder).problem == ''


def test_a_refusal_names_the_file(pristine, tmp_path):
    folder = shutil.copytree(pristine, tmp_path / 'policy')
    (folder / 'golden.npz').write_bytes(b'')
    with pytest.raises(PolicyError, match=r'policy/golden\.npz: does not match its hash in'):
        open_vetted(folder)


@pytest.mark.parametrize('script, problem', [
    ('os.kill(os.getpid(), signal.SIGSEGV)', 'ended without a result, by signal 11'),
    ('sys.exit(7)', 'ended without a result, with code 7'),
    ('raise RuntimeError("lost")', r'with code 1 \(RuntimeError: lost\)'),
    ('print("ready"); print("{}")', r'ended without a result, with code 0'),
    ('print("ready"); print("[" * 5000)', 'ended without a result'),
    ('print(\'{"problem": "", "digest": ""}\')', 'ended without a result'),
    ('print(\'{"problem": 1}\')', 'ended without a result'),
    ('print("ready", flush=True); os.write(1, b"x" * 10 ** 6); time.sleep(60)', 'a result'),
    ('print("ready", flush=True); time.sleep(60)', 'cannot be opened within 0.5 s'),
    ('print("ready", flush=True); os.fork(); time.sleep(60)', 'cannot be opened within 0.5 s'),
    ('print("ready", flush=True); os.close(1); os.close(2); time.sleep(60)', 'a result')])
def test_a_process_that_does_not_answer_is_a_refusal_in_time(pristine, child, script, problem):
    child(script)
    begin = time.monotonic()
    with pytest.raises(PolicyError, match=problem):
        open_vetted(pristine)
    assert time.monotonic() - begin < 3.0


def test_without_a_process_it_is_a_refusal(pristine, monkeypatch):
    monkeypatch.setattr(vetting.sys, 'executable', '/no/such/python')
    assert 'the process for it does not start' in vet(pristine).problem


def test_what_was_vetted_is_what_opens(pristine, tmp_path, monkeypatch):
    folder = shutil.copytree(pristine, tmp_path / 'policy')
    answer = vet(folder)

    def swapped(*_):
        other = policy_factory.balancing_policy(tmp_path / 'other')
        shutil.rmtree(folder)
        shutil.copytree(other, folder)
        return answer

    monkeypatch.setattr(vetting, 'vet', swapped)
    with pytest.raises(PolicyError, match='was changed while it was being opened'):
        open_vetted(folder)


def test_memory_and_time_are_limited_there(pristine, tmp_path):
    """What opening would take is taken by Python itself, in that process, under its limits."""
    import subprocess
    prelude = ('from humanoid_locomotion.core.policy import vetting\n'
               'vetting.read_folder = lambda _: {}\nvetting.main("/")')
    for what, found in (('bytearray(10 ** 9)', 'takes more than 314572800 bytes'),
                        ('1 / 0', 'cannot be opened (ZeroDivisionError'),
                        ('exec("while True: pass")', None)):
        done = subprocess.run([sys.executable, '-c', prelude.format(what)], capture_output=True,
                              env=vetting._environment(), timeout=30)
        last = done.stdout.strip().splitlines()[-1].decode()
        assert found in last if found else done.returncode == -9, (what, last)


def test_what_opens_a_folder_gives_way_to_a_control_loop_in_real_time(tmp_path, monkeypatch):
    """From its first instruction: its imports alone take ten periods of the loop."""
    monkeypatch.setattr(
        vetting, 'START', "import os; print('{\"problem\": \"%d\"}' % os.sched_getscheduler(0))")
    seen = []

    def robot():
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        except PermissionError:
            return
        seen.append(vet(tmp_path).problem)

    thread = threading.Thread(target=robot)
    thread.start()
    thread.join()
    if not seen:
        pytest.skip('this user may not run in real time')
    assert seen == [str(os.SCHED_OTHER)]
