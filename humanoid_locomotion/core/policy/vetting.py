# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Opens policy folders in a separate process that may crash, hang or run out of memory.

A parser or an engine may have a fault that no check of this package knows. Therefore the node
first opens a folder in another process with limited memory and time, and opens the same bytes
itself only if that succeeded. :func:`main` is the entry point of the other process.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
import json
import os
from pathlib import Path
import resource
import select
import signal
import subprocess
import sys
import time
from typing import Dict, Union

from humanoid_locomotion.core.errors import LocomotionError, PolicyError, printable
from humanoid_locomotion.core.policy.content import read_folder
from humanoid_locomotion.core.policy.folder import PolicyFolder, find_policy, open_content
from humanoid_locomotion.core.reading import config
from humanoid_locomotion.core.reading.parsing import parse_json
from humanoid_locomotion.core.reading.resources import PACKAGE

# Time limits of the other process: to start, which does not depend on the folder, and to open [s].
START_TIMEOUT, OPEN_TIMEOUT = 30.0, 2.5
MAX_MEMORY = 300 * 1024 * 1024  # in addition to its memory after all imports [bytes]
MAX_ANSWER = 64 * 1024  # bytes
READY = b'ready\n'
# Lowers its priority before the imports, which take longer than a control period.
START = ('import os, sys; os.nice(int(sys.argv[2])); '
         f'from {__name__} import main; main(sys.argv[1])')


@dataclass(frozen=True)
class Answer:
    """Result of opening a folder in the other process.

    Attributes:
        problem: Why the folder must not be run; empty if it may.
        file: The file of the folder that the problem is about; empty for the folder.
        digest: Hash of what was opened; see :attr:`FolderContent.digest`.
        engine: The engine that replayed the golden steps.
        golden_error: Largest difference; see :attr:`PolicyFolder.golden_error`.
        seconds: Duration [s].
        memory: Peak of the additional memory [bytes].
    """

    problem: str
    file: str = ''
    digest: str = ''
    engine: str = ''
    golden_error: float = 0.0
    seconds: float = 0.0
    memory: int = 0


def open_vetted(name: Union[str, Path], engine: str = 'auto', device: str = 'auto',
                niceness: int = 0) -> PolicyFolder:
    """Open a policy folder as :func:`open_policy` does, once another process has done it.

    Args:
        name: As for :func:`open_policy`.
        engine: As for :func:`open_policy`; the other process uses the one that is installed.
        device: As for :func:`open_policy`.
        niceness: Increase of the nice value of the other process, in favour of the control loop.

    Raises:
        PolicyError: The folder must not be run, or the other process gave no result.
    """
    folder = find_policy(name)
    answer = vet(folder, niceness)
    if answer.problem:
        raise PolicyError(folder / answer.file, answer.problem)
    content = read_folder(folder)
    if content.digest != answer.digest:
        raise PolicyError(folder, 'was changed while it was being opened')
    opened = open_content(content, engine, device, replayed_by=answer.engine)
    return replace(opened, golden_error=max(opened.golden_error, answer.golden_error))


def vet(folder: Path, niceness: int = 0) -> Answer:
    """Open a folder in another process; return its result, or a problem if it gave none."""
    # The node may have a real-time priority, which its child process must not inherit.
    os.sched_setscheduler(0, os.sched_getscheduler(0) | os.SCHED_RESET_ON_FORK,
                          os.sched_getparam(0))
    try:
        process = subprocess.Popen(
            [sys.executable, '-c', START, os.path.abspath(folder), str(niceness)],
            # Python also imports from its working directory, which may be the folder.
            env=_environment(), cwd=os.sep,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True)
    except (OSError, ValueError) as error:
        return Answer(f'cannot be opened: the process for it does not start ({error})')
    try:
        said = _listen(process)
        return _understood(said, process)
    finally:
        _end(process)


def _environment() -> Dict[str, str]:
    """Return an environment in which the other process can import the same packages."""
    paths = [os.path.abspath(path) for path in sys.path if path and path != os.getcwd()]
    return {**os.environ, 'PYTHONPATH': os.pathsep.join([*paths, str(PACKAGE.parent)]),
            # Numerical libraries reserve memory for each thread.
            'OPENBLAS_NUM_THREADS': '1', 'OMP_NUM_THREADS': '1'}


def _listen(process: subprocess.Popen[bytes]) -> bytes:
    """Return the output of the process until it ends, takes too long or writes too much."""
    assert process.stdout is not None
    said, descriptor = b'', process.stdout.fileno()
    poll = select.poll()  # select.select takes no descriptor above 1023
    poll.register(descriptor, select.POLLIN)
    deadline, is_ready = time.monotonic() + START_TIMEOUT, False
    while len(said) <= MAX_ANSWER:
        if not is_ready and READY in said:
            is_ready, deadline = True, time.monotonic() + OPEN_TIMEOUT
        left = deadline - time.monotonic()
        if left <= 0.0 or not poll.poll(1e3 * left):
            return said + b'\ntime is up'
        chunk = os.read(descriptor, MAX_ANSWER)
        if not chunk:
            break
        said += chunk
    return said


def _understood(said: bytes, process: subprocess.Popen[bytes]) -> Answer:
    last = said.strip().rpartition(b'\n')[2]
    if last.startswith(b'{'):
        try:
            answer = config.from_mapping(Answer, parse_json(last, 'answer'), 'answer')
            if answer.problem or answer.digest:
                return answer
        except LocomotionError:
            pass
    if last == b'time is up':
        limit = OPEN_TIMEOUT if READY in said else START_TIMEOUT
        return Answer(f'cannot be opened within {limit:g} s')
    return Answer('cannot be opened: the process for it ended without a result'
                  f'{_how_it_ended(process)}'
                  + (f' ({printable(last.decode("utf-8", "replace"), 200)})'
                     if last and last != READY.strip() else ''))


def _how_it_ended(process: subprocess.Popen[bytes]) -> str:
    try:
        code = process.wait(1.0)
    except subprocess.TimeoutExpired:
        return ''
    return f', by signal {-code}' if code < 0 else f', with code {code}'


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and its children; give up on one that the system cannot kill."""
    with contextlib.suppress(OSError):  # it has already ended
        os.killpg(process.pid, signal.SIGKILL)
    assert process.stdout is not None
    process.stdout.close()
    with contextlib.suppress(subprocess.TimeoutExpired):  # it waits for a disk or a network
        process.wait(1.0)


def main(folder: str) -> None:
    """Open a folder and print an :class:`Answer`; runs in the other process."""
    signal.alarm(int(START_TIMEOUT + OPEN_TIMEOUT) + 1)  # it ends even if nothing kills it
    import onnx.shape_inference  # noqa: F401  imported first, so that it does not count for the folder
    engine = _engine()
    Path('/proc/self/clear_refs').write_text('5', encoding='ascii')  # resets VmHWM
    _limit()
    sys.stdout.buffer.write(READY)
    sys.stdout.flush()
    begin, before = time.monotonic(), memory_in_use('VmRSS')
    try:
        content = read_folder(Path(folder))
        opened = open_content(content, engine, 'cpu')
        answer = Answer('', digest=content.digest, engine=engine,
                        golden_error=opened.golden_error)
    except PolicyError as error:
        is_inside = Path(error.path).parent == Path(folder)
        answer = Answer(printable(error.problem), file=Path(error.path).name if is_inside else '')
    except LocomotionError as error:
        answer = Answer(str(error))
    except MemoryError:
        answer = Answer(f'takes more than {MAX_MEMORY} bytes of memory to open')
    except Exception as error:  # any error here is caused by the folder
        answer = Answer(printable(f'cannot be opened ({type(error).__name__}: {error})', 400))
    answer = replace(answer, seconds=time.monotonic() - begin,
                     memory=max(0, memory_in_use('VmHWM') - before))
    print(json.dumps(config.to_mapping(answer)), flush=True)
    os._exit(0)  # skips the exit handlers of libraries


def _engine() -> str:
    """Import an engine and return its name."""
    try:
        import onnxruntime  # noqa: F401
    except ImportError:
        import torch  # noqa: F401
        return 'torch'
    return 'onnxruntime'


def _limit() -> None:
    """Limit the resources of the process from now on."""
    size = memory_in_use('VmData') + MAX_MEMORY
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime + OPEN_TIMEOUT) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def memory_in_use(key: str) -> int:
    """Return a memory size of the process [bytes], by its key in ``/proc/self/status``."""
    status = Path('/proc/self/status').read_text(encoding='ascii', errors='replace')
    for line in status.splitlines():
        if line.startswith(f'{key}:'):
            return 1024 * int(line.split()[1])
    raise LocomotionError(f'/proc/self/status has no {key}')
