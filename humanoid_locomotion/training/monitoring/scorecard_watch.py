# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Evaluation of checkpoints during a training run, until one passes the scorecard."""

from __future__ import annotations

import os
from pathlib import Path
import signal
import subprocess
import sys
from typing import Optional

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.training.run import checkpoint
from humanoid_locomotion.training.run.durable import named_errors

CANDIDATE = 'candidate'  # the policy folder under test, in the run folder
PASSED, FAILED = 0, 1  # exit codes of the evaluation; any other code is an error


class ScorecardWatch:
    """Exports and evaluates checkpoints in a separate process, one after the other.

    Training never waits for it: a checkpoint that is written during the evaluation of another one
    is skipped.

    Args:
        run: The run folder. The policy that passes is kept in its folder ``candidate``, and the
            output of export and evaluation in ``candidate.log``.
        robot: Folder of the robot.

    Attributes:
        passed: The policy folder that passed; None until then.
    """

    def __init__(self, run: Path, robot: str):
        self._run, self._robot = run, robot
        self._process: Optional[subprocess.Popen] = None
        self.passed: Optional[Path] = None

    def __call__(self) -> bool:
        """Return whether a checkpoint has passed; start the evaluation of the newest one if not.

        Raises:
            LocomotionError: A checkpoint could not be evaluated.
        """
        code = None if self._process is None else self._process.poll()
        if self._process is not None and code is None:
            return False
        if code == PASSED:
            self.passed = self._run / CANDIDATE
            return True
        if code not in (None, FAILED):
            raise LocomotionError(
                f'{self._log}: a checkpoint could not be evaluated; the last lines of this '
                'file contain the reason')
        with named_errors(self._log), self._log.open('w', encoding='utf-8') as log:
            self._process = subprocess.Popen(
                [sys.executable, '-c', _SCRIPT, str(checkpoint.latest(self._run)),
                 str(self._run / CANDIDATE), self._robot, str(os.getpid())],
                stdout=log, stderr=log, start_new_session=True)
        return False

    @property
    def _log(self) -> Path:
        return self._run / f'{CANDIDATE}.log'

    def close(self) -> None:
        """Kill a running evaluation and its child processes."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


# Export and evaluation run through the command line, as training must not import evaluation. An
# evaluation that is interrupted writes no scorecard, whatever its exit code. The script ends when
# the training process ends, even if that was killed: a resumed training uses the same folder.
_SCRIPT = """
import os, pathlib, signal, subprocess, sys, time
checkpoint, folder, robot, parent = sys.argv[1:]
def run(*arguments):
    process = subprocess.Popen([sys.executable, '-m', 'humanoid_locomotion', *arguments])
    while process.poll() is None:
        if os.getppid() != int(parent):
            os.killpg(0, signal.SIGKILL)
        time.sleep(0.1)
    return process.returncode
if run('policy', 'export', checkpoint, '--output', folder):
    sys.exit(2)
code = run('evaluate', folder, '--robot', robot, '--quick')
sys.exit(code if pathlib.Path(folder, 'scorecard.json').is_file() else 2)
"""
