"""Opens policy folders in a process of its own that may crash, hang or run out of memory.

A parser or an engine may have a fault that no check of ours knows of. So a robot's node lets
another process open a folder first, limited in memory and time, and opens the very same bytes only
once they are known to do no harm. :func:`main` is what that other process runs.
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

# How long the other process may take to start, which is no folder's doing, and to open one [s].
START_TIMEOUT, OPEN_TIMEOUT = 30.0, 2.5
MAX_MEMORY = 300 * 1024 * 1024  # above what it has once everything is imported [bytes]
MAX_ANSWER = 64 * 1024  # bytes
READY = b'ready\n'
# Gives way before it imports anything, which takes longer than a period of the control loop.
START = ('import os, sys; os.nice(int(sys.argv[2])); '
         f'from {__name__} import main; main(sys.argv[1])')


@dataclass(frozen=True)
class Answer:
    """What the other process says.

    Attributes:
        problem: Why the folder must not be run; empty if it may.
        file: Which of its files that is about; empty for the folder.
        digest: Of what was opened; see :attr:`FolderContent.digest`.
        engine: What ran its golden steps.
        golden_error: How closely; see :attr:`PolicyFolder.golden_error`.
        seconds: How long that took.
        memory: How much more memory was in use for it, at most [bytes].
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
        name: As :func:`open_policy` takes it.
        engine: Likewise, for the second time; the other process takes the one that it has.
        device: Likewise.
        niceness: By how much the other process gives way to others, as a control loop.

    Raises:
        PolicyError: The folder must not be run, or the other process came to no answer.
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
    """Open a folder in another process; return what that says, or that it says nothing."""
    # A robot's node may run in real time, and what it starts must not.
    os.sched_setscheduler(0, os.sched_getscheduler(0) | os.SCHED_RESET_ON_FORK,
                          os.sched_getparam(0))
    try:
        process = subprocess.Popen(
            [sys.executable, '-c', START, os.path.abspath(folder), str(niceness)],
            # Python imports from where it starts, which may be the folder.
            env=_environment(), cwd=os.sep,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True)
    except (OSError, ValueError) as error:
        return Answer(f'cannot be opened: no process for it starts ({error})')
    try:
        said = _listen(process)
        return _understood(said, process)
    finally:
        _end(process)


def _environment() -> Dict[str, str]:
    """Return the environment in which the other process finds what this one imports."""
    paths = [os.path.abspath(path) for path in sys.path if path and path != os.getcwd()]
    return {**os.environ, 'PYTHONPATH': os.pathsep.join([*paths, str(PACKAGE.parent)]),
            # Memory is reserved for each thread that might calculate.
            'OPENBLAS_NUM_THREADS': '1', 'OMP_NUM_THREADS': '1'}


def _listen(process: subprocess.Popen[bytes]) -> bytes:
    """Return what the process says until it ends, or until it takes too long or says too much."""
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
    return Answer('cannot be opened: the process that tried ended without an answer'
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
    """Kill the process and all that it started; leave behind one that the system cannot kill."""
    with contextlib.suppress(OSError):  # it has ended
        os.killpg(process.pid, signal.SIGKILL)
    assert process.stdout is not None
    process.stdout.close()
    with contextlib.suppress(subprocess.TimeoutExpired):  # a disk or a network does not answer it
        process.wait(1.0)


def main(folder: str) -> None:
    """Open a folder and print an :class:`Answer`: what runs in the other process."""
    signal.alarm(int(START_TIMEOUT + OPEN_TIMEOUT) + 1)  # it ends even if nobody ends it
    import onnx.shape_inference  # noqa: F401  what is needed in any case is no folder's doing
    engine = _engine()
    Path('/proc/self/clear_refs').write_text('5', encoding='ascii')  # VmHWM begins anew
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
    except Exception as error:  # whatever it is, the folder brought it about
        answer = Answer(printable(f'cannot be opened ({type(error).__name__}: {error})', 400))
    answer = replace(answer, seconds=time.monotonic() - begin,
                     memory=max(0, memory_in_use('VmHWM') - before))
    print(json.dumps(config.to_mapping(answer)), flush=True)
    os._exit(0)  # what libraries do at the end of a process is of no use here


def _engine() -> str:
    """Import an engine and return its name."""
    try:
        import onnxruntime  # noqa: F401
    except ImportError:
        import torch  # noqa: F401
        return 'torch'
    return 'onnxruntime'


def _limit() -> None:
    """Limit what the process may take from now on."""
    size = memory_in_use('VmData') + MAX_MEMORY
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime + OPEN_TIMEOUT) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def memory_in_use(key: str) -> int:
    """Return one of the process's sizes, as Linux names them [bytes]."""
    status = Path('/proc/self/status').read_text(encoding='ascii', errors='replace')
    for line in status.splitlines():
        if line.startswith(f'{key}:'):
            return 1024 * int(line.split()[1])
    raise LocomotionError(f'/proc/self/status does not tell {key}')
