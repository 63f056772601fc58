# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Evaluation of checkpoints during a training run, until one passes the scorecard."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Callable, Optional

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.training.monitoring.metrics_writer import METRICS
from humanoid_locomotion.training.run import checkpoint
from humanoid_locomotion.training.run.durable import named_errors

CANDIDATE = 'candidate'  # the policy folder under test, in the run folder
PASSED, FAILED = 0, 1  # exit codes of the evaluation; any other code is an error
# Share of the longest episode that robots must stay up in training before evaluation begins. A
# humanoid reached it within 100 iterations and passed after 450, a G1 after about 320 of 900.
MIN_EPISODE = 0.5
POLL = 0.1  # [s]


class ScorecardWatch:
    """Exports and evaluates checkpoints in a separate process, one after the other.

    Training never waits for it: a checkpoint that is written during the evaluation of another one
    is skipped. The process only gets processor time that nobody else uses. The next one is started
    in advance, since its imports take longer than an export.

    Args:
        run: The run folder. The policy that passes is kept in its folder ``candidate``, and the
            output of export and evaluation in ``candidate.log``.
        robot: Folder of the robot.
        episode_steps: Longest episode of the training [control steps].

    Attributes:
        folder: The policy folder of the last evaluation.
        passed: The policy folder that passed; None until then.
    """

    def __init__(self, run: Path, robot: str, episode_steps: int):
        self._run, self._robot, self._episode_steps = run, robot, episode_steps
        self.folder = run / CANDIDATE
        self._process: Optional[subprocess.Popen] = None  # evaluates
        self._next: Optional[subprocess.Popen] = None  # waits for a checkpoint
        self._tried: Optional[Path] = None
        self.passed: Optional[Path] = None

    def __call__(self) -> bool:
        """Return whether a checkpoint has passed; start the evaluation of the newest one if not.

        Raises:
            LocomotionError: A checkpoint could not be evaluated.
        """
        if self._is_idle() and self.passed is None and self._is_plausible():
            self._evaluate(checkpoint.latest(self._run))
        return self.passed is not None

    def finish(self, wants_stop: Callable[[], bool]) -> None:
        """Wait until a checkpoint passes or the newest one has been evaluated.

        Args:
            wants_stop: Returns whether to stop waiting.

        Raises:
            LocomotionError: A checkpoint could not be evaluated.
        """
        newest = checkpoint.latest(self._run)
        while not wants_stop():
            if not self._is_idle():
                time.sleep(POLL)
            elif self.passed is not None or self._tried == newest:
                return
            else:
                self._evaluate(newest)

    def close(self) -> None:
        """Kill a running evaluation and its child processes."""
        for process in (self._process, self._next):
            if process is not None and process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    @property
    def _log(self) -> Path:
        return self._run / f'{CANDIDATE}.log'

    def _is_idle(self) -> bool:
        """Return whether no evaluation is running, and take the result of one that has ended."""
        code = None if self._process is None else self._process.poll()
        if code is None:
            return self._process is None
        if code not in (PASSED, FAILED):
            raise LocomotionError(
                f'{self._log}: a checkpoint could not be evaluated; the last lines of this '
                'file contain the reason')
        self._process = None
        if code == PASSED:
            self.passed = self.folder
        return True

    def _is_plausible(self) -> bool:
        """Return whether robots stay up long enough for a checkpoint to pass."""
        with named_errors(self._run / METRICS, 'read'):
            line = (self._run / METRICS).read_bytes().splitlines()[-1]
        return bool(json.loads(line)['episode_length'] >= MIN_EPISODE * self._episode_steps)

    def _evaluate(self, path: Path) -> None:
        process = self._next or self._start()
        with named_errors(self._log):
            self._log.write_bytes(b'')
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended, which its exit code says
            process.stdin.write(os.fsencode(path))
            process.stdin.close()
        self._process, self._tried, self._next = process, path, self._start()

    def _start(self) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, '-c', _SCRIPT, str(self.folder), self._robot,
             str(self._log), str(os.getpid())],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)


# Export and evaluation run through the command line, as training must not import evaluation. An
# evaluation that is interrupted writes no scorecard, whatever its exit code. The script ends when
# the training process ends, even if that was killed: a resumed training uses the same folder.
_SCRIPT = """
import contextlib, ctypes, os, pathlib, signal, sys
folder, robot, log, parent = sys.argv[1:]
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
if os.getppid() != int(parent):
    os.kill(os.getpid(), signal.SIGKILL)
with contextlib.suppress(OSError):
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
try:
    import humanoid_locomotion.evaluation.cli, humanoid_locomotion.training.export
    import humanoid_locomotion.sim.mujoco.backend, onnx.checker, onnxruntime
except Exception:
    pass  # export and evaluation say what is missing; Python 3.8 cannot even read evaluation
from humanoid_locomotion.cli.main import main
checkpoint = sys.stdin.buffer.read()
if not checkpoint:
    sys.exit()
output = os.open(log, os.O_WRONLY | os.O_APPEND)
os.dup2(output, 1)
os.dup2(output, 2)
def run(*arguments):
    sys.argv[1:] = arguments
    try:
        main()
    except SystemExit as ended:
        return ended.code
if run('policy', 'export', os.fsdecode(checkpoint), '--output', folder):
    sys.exit(2)
code = run('evaluate', folder, '--robot', robot, '--quick')
sys.exit(code if pathlib.Path(folder, 'scorecard.json').is_file() else 2)
"""
