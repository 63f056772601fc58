# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs command lines, each in its own process, which is forked after the slow imports.

Started by :mod:`.fuzz` with pipes: one JSON object per input line, a command to run, and one per
output line, its result. Commands that take minutes end where their work would start, see
:data:`WORK`.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
from pathlib import Path
import resource
import select
import signal
import sys
import time
import traceback
from typing import Any, Callable, Dict, Tuple

# Start of the work of long-running commands, which walk a robot or measure. A try
# ends there: its input was accepted. Output after the work is not tested.
WORK: Dict[str, Tuple[str, ...]] = {
    'walk': ('nodes.demos.session:Session.__init__',),
    'navigate': ('nodes.demos.session:Session.__init__',),
    'evaluate': ('evaluation.evaluate:Bench.run', 'evaluation.cli:evaluate_rough'),
    'policy import-onnx': ('evaluation.rehearsal:rehearse',),
    'dev soak': ('reliability.soak.live_node:soak_walk',
                 'reliability.soak.live_node:soak_startle'),
    'dev faults': tuple(f'reliability.report:{name}_section'
                        for name in ('loop', 'dds', 'viewer', 'policy', 'cli', 'train')),
    'dev benchmark latency': ('benchmarks.latency:measure', 'benchmarks.engine_times:step_times'),
    'dev benchmark env': ('benchmarks.throughput:benchmark_env',),
    'dev benchmark train': ('benchmarks.throughput:benchmark_train',),
    'dev benchmark physics': ('benchmarks.physics_study:study',)}
# Not ended there, since a training of one iteration is short: it is only marked as started.
BEGINS = {'train': ('training.run.trainer:Trainer.run',)}
# Imported before forking, except rclpy and onnxruntime, which start threads.
PACKAGES = (
    'torch', 'mujoco', 'onnx', 'mcap.reader', 'mcap.writer', 'matplotlib.figure', 'yaml',
    'pydantic', 'geometry_msgs.msg', 'nav_msgs.msg', 'sensor_msgs.msg', 'rcl_interfaces.srv',
    'lifecycle_msgs.srv', 'std_srvs.srv', 'diagnostic_msgs.msg', 'rosgraph_msgs.msg',
    *(f'humanoid_locomotion.{name}' for name in (
        'cli.main', 'robot_models.importer', 'robot_models.urdf_writer', 'sim.mujoco.custom_model',
        'sim.mujoco.backend', 'evaluation.cli', 'evaluation.release', 'training.export',
        'training.retune', 'training.monitoring.learning_curve', 'training.run.trainer',
        'core.policy.import_onnx')))
MEMORY = 8 * 1024 ** 3  # bytes of address space
GRACE = 5.0  # [s] from SIGINT to SIGKILL


def _preload() -> None:
    for name in PACKAGES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _mark(command: str, marker: str) -> None:
    """Make the functions at which a command's work starts record that they were reached."""
    for point in (*WORK.get(command, ()), *BEGINS.get(command, ())):
        module, _, path = point.partition(':')
        owner: Any = importlib.import_module(f'humanoid_locomotion.{module}')
        *outer, name = path.split('.')
        for part in outer:
            owner = getattr(owner, part)

        def reached(*args: Any, inner: Any = getattr(owner, name), **more: Any) -> Any:
            Path(marker).touch()
            if command in WORK:
                raise SystemExit(0)
            return inner(*args, **more)

        setattr(owner, name, reached)


def _become(request: Dict[str, Any]) -> None:
    """Set up this forked process as if it was started with a command line."""
    os.setsid()
    os.chdir(request['folder'])
    for number, name, flags in ((0, os.devnull, os.O_RDONLY),
                                (1, request['out'], os.O_WRONLY | os.O_CREAT),
                                (2, request['err'], os.O_WRONLY | os.O_CREAT)):
        opened = os.open(name, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = os.fdopen(0, encoding='utf-8', closefd=False)
    sys.stdout = os.fdopen(1, 'w', encoding='utf-8', closefd=False)
    sys.stderr = os.fdopen(2, 'w', encoding='utf-8', errors='backslashreplace', closefd=False)
    sys.argv = ['humanoid-locomotion',
                *(os.fsdecode(bytes.fromhex(word)) for word in request['words'])]
    os.environ.update(request['environment'])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _mark(request['command'], request['marker'])


def _wait(process: int, limit: float) -> Tuple[int, bool]:
    """Wait for a process; return its exit code, and whether it was interrupted."""
    handle = os.pidfd_open(process)
    try:
        late = not select.select([handle], [], [], limit)[0]
        if late:
            os.killpg(process, signal.SIGINT)
            if not select.select([handle], [], [], GRACE)[0]:
                os.killpg(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
    finally:
        os.close(handle)
    return os.waitstatus_to_exitcode(status), late


def _left_behind(process: int) -> bool:
    """End remaining processes of a process's group; return whether there were any."""
    try:
        os.killpg(process, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _end_like_an_interpreter(main: Callable[[], object]) -> None:
    """Run a program and end the process, without C++ exit handlers, which fail after a fork."""
    code: Any = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
        code = 1
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = 120
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def serve() -> None:
    """Run command lines until the input ends."""
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)
    _preload()
    for line in sys.stdin:
        request = json.loads(line)
        begin = time.monotonic()
        process = os.fork()
        if process == 0:
            answers.close()
            _become(request)
            from humanoid_locomotion.__main__ import main
            _end_like_an_interpreter(main)
        code, late = _wait(process, request['limit'])
        answers.write(json.dumps({
            'code': code, 'late': late, 'orphans': _left_behind(process),
            'seconds': time.monotonic() - begin}) + '\n')
        answers.flush()


if __name__ == '__main__':
    serve()
