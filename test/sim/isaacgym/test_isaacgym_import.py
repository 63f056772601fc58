# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Isaac Gym before PyTorch, and clear words where it cannot be."""

from __future__ import annotations

import subprocess
import sys

import fake_gym
import pytest

pytest.importorskip('torch')

fake_gym.install()

from humanoid_locomotion.sim.isaacgym import importing
from humanoid_locomotion.sim.isaacgym.importing import problem

GOOD = ((3, 8, 18), '1.23.5', ('numpy',))


def test_nothing_is_wrong_with_what_is_right():
    assert problem(*GOOD) is None
    assert problem((3, 8), '1.20.0', ('torch', 'isaacgym')) is None  # it came first


@pytest.mark.parametrize('python, numpy_version, imported, found, way_out', [
    ((3, 11, 7), '1.23.5', (), 'this is Python 3.11', 'give that interpreter with --python'),
    ((3, 9), '1.23.5', (), 'this is Python 3.9', 'docs/isaacgym.md'),
    ((3, 8), '1.24.4', (), 'NumPy is 1.24.4', 'pip install numpy==1.23.5'),
    ((3, 8), '2.0.0rc1', (), 'NumPy is 2.0.0rc1', 'requirements/isaacgym.txt'),
    ((3, 8), '1.23.5', ('torch',), 'PyTorch was imported before Isaac Gym',
     "import_backend('isaacgym')")])
def test_what_is_wrong_is_said_with_the_way_out(python, numpy_version, imported, found, way_out):
    said = problem(python, numpy_version, imported)
    assert said is not None and found in said and way_out in said


def test_everything_takes_torch_from_one_place():
    assert importing.torch is sys.modules['torch']
    assert importing.gymapi is sys.modules['isaacgym.gymapi']


# The order itself, in a process that has imported neither.
PRETEND = """
import sys, numpy
sys.version_info, numpy.__version__ = (3, 8, 18, 'final', 0), '1.23.5'
"""


def python(program: str) -> subprocess.CompletedProcess:
    """Run a program that has the fake."""
    return subprocess.run([sys.executable, '-c', PRETEND + program], capture_output=True,
                          text=True, env=fake_gym.environment(), check=False)


def test_a_named_backend_is_imported_before_torch():
    done = python("""
from humanoid_locomotion.training.run.options import choose_backend
assert 'torch' not in sys.modules
assert choose_backend('isaacgym', 'auto') == 'isaacgym'
order = list(sys.modules)
print(order.index('isaacgym') < order.index('torch'))
""")
    assert (done.returncode, done.stdout) == (0, 'True\n'), done.stderr


def test_torch_first_is_refused_in_our_words():
    done = python("""
import torch
from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.sim.backend import import_backend
try:
    import_backend('isaacgym')
except LocomotionError as error:
    print(error)
""")
    assert 'the backend isaacgym cannot start: PyTorch was imported before' in done.stdout, (
        done.stderr)


@pytest.mark.parametrize('command', [
    ['train', '--iterations', '1'], ['dev', 'benchmark', 'env', '--num-envs', '2'],
    ['dev', 'check-isaacgym', '--iterations', '0']])
def test_no_command_imports_torch_too_early(command):
    """The command ends here once the simulator is chosen."""
    done = python(f"""
from humanoid_locomotion.sim import backend
def spy(name):
    print('torch' in sys.modules)
    raise SystemExit(0)
backend.import_backend = spy
from humanoid_locomotion.training.run import options
options.import_backend = spy
from humanoid_locomotion.cli.main import main
sys.argv = ['humanoid-locomotion', *{command!r}] + (
    [] if 'isaac' in {command[1]!r} else ['--backend', 'isaacgym'])
main()
""")
    assert (done.returncode, done.stdout) == (0, 'False\n'), done.stderr
