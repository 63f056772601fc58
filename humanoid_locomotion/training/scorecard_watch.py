"""Scores the newest checkpoint beside a training run, and says when the policy is good enough."""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys
from typing import List, Optional

from humanoid_locomotion.training import checkpoint

CANDIDATE = 'candidate'  # the policy folder under test, in the run folder


class ScorecardWatch:
    """Exports and evaluates checkpoints in a process of its own, one after the other.

    Training never waits for it: a checkpoint that comes while another is being evaluated is
    passed over.

    Args:
        run: The run folder; the policy that passes is left in its ``candidate`` folder.
    """

    def __init__(self, run: Path):
        self._run = run
        self._process: Optional[subprocess.Popen] = None
        self.passed: Optional[Path] = None

    def __call__(self) -> bool:
        """Tell whether a checkpoint has passed, and take on the next one if not."""
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return False
            if code == 0:
                self.passed = self._run / CANDIDATE
                return True
        self._process = subprocess.Popen(
            [sys.executable, '-c', _SCRIPT, *self._arguments()],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return False

    def _arguments(self) -> List[str]:
        return [str(checkpoint.latest(self._run)), str(self._run / CANDIDATE)]

    def close(self) -> None:
        """End an evaluation that is still under way."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


# Export and evaluation through the command line: training must not import evaluation.
_SCRIPT = """
import subprocess, sys
checkpoint, folder = sys.argv[1:]
command = [sys.executable, '-m', 'humanoid_locomotion']
subprocess.run([*command, 'export', checkpoint, '--output', folder], check=True)
sys.exit(subprocess.run([*command, 'evaluate', folder, '--quick']).returncode)
"""
