"""Evaluates the newest checkpoint during a training run, until one passes the scorecard."""

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
PASSED, FAILED = 0, 1  # what evaluation exits with; anything else is an error


class ScorecardWatch:
    """Exports and evaluates checkpoints in a process of its own, one after the other.

    Training never waits for it: a checkpoint that is written during the evaluation of another is
    skipped.

    Args:
        run: The run folder; the policy that passes is left in its ``candidate`` folder, and what
            export and evaluation say in ``candidate.log``.
        robot: Folder of the robot.

    Attributes:
        passed: The policy folder that passed; None until then.
    """

    def __init__(self, run: Path, robot: str):
        self._run, self._robot = run, robot
        self._process: Optional[subprocess.Popen] = None
        self.passed: Optional[Path] = None

    def __call__(self) -> bool:
        """Tell whether a checkpoint has passed, and take on the next one if not.

        Raises:
            LocomotionError: A checkpoint could not be evaluated, so none would ever pass.
        """
        code = None if self._process is None else self._process.poll()
        if self._process is not None and code is None:
            return False
        if code == PASSED:
            self.passed = self._run / CANDIDATE
            return True
        if code not in (None, FAILED):
            raise LocomotionError(
                f'{self._log}: a checkpoint could not be evaluated; its last lines say why')
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
        """End an evaluation that is still under way, with all that it started."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


# Export and evaluation through the command line: training must not import evaluation. An
# evaluation that breaks off leaves no scorecard, whatever its exit code. It ends with the training
# that started it, which may have been killed, so that a resumed one has the folder to itself.
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
