# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""``core`` needs the standard library, NumPy and PyYAML, and runs on Python 3.8."""

from __future__ import annotations

import ast
import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

PACKAGE = Path(__file__).parents[2] / 'humanoid_locomotion'
# Isaac Gym Preview 4 needs Python 3.8: what a trainer on it imports must stay readable to it.
ON_PYTHON_38 = [path for folder in ('', 'cli', 'core', 'sim', 'training', 'benchmarks')
                for path in sorted((PACKAGE / folder).glob('**/*.py' if folder else '*.py'))]
HEAVY = ('torch', 'rclpy', 'mujoco', 'mujoco_warp', 'warp', 'isaacgym', 'onnx', 'onnxruntime',
         'matplotlib')

IMPORT_ALL = """
import importlib, pkgutil, sys
import humanoid_locomotion.core as core
for module in pkgutil.walk_packages(core.__path__, 'humanoid_locomotion.core.'):
    importlib.import_module(module.name)
import humanoid_locomotion.sim.backend, humanoid_locomotion.sim.fake
print(sorted(name for name in sys.modules if name.split('.')[0] in sys.argv[1:]))
"""


def test_importing_core_brings_in_nothing_heavy():
    environment = {**os.environ, 'PYTHONPATH': str(PACKAGE.parent)}
    done = subprocess.run([sys.executable, '-c', IMPORT_ALL, *HEAVY], env=environment, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == '[]'


@pytest.mark.parametrize('path', ON_PYTHON_38, ids=lambda p: f'{p.parent.name}/{p.name}')
def test_the_syntax_is_that_of_python_38(path):
    ast.parse(path.read_text(encoding='utf-8'), filename=str(path), feature_version=(3, 8))


def python38():
    """Find a Python 3.8 that starts, on the path or among pyenv's; None without one."""
    root = Path(os.environ.get('PYENV_ROOT', Path.home() / '.pyenv'))
    found = sorted(root.glob('versions/3.8*/bin/python'))
    for candidate in [shutil.which('python3.8'), *found]:
        if candidate and subprocess.run([candidate, '-c', ''], capture_output=True,
                                        check=False).returncode == 0:
            return str(candidate)
    return None


def test_python_38_compiles_the_sources():
    interpreter = python38()
    if interpreter is None:
        pytest.skip("no Python 3.8 on PATH or among pyenv's")
    code = ('import sys\nfor path in sys.argv[1:]:\n'
            "    compile(open(path, encoding='utf-8').read(), path, 'exec')")
    done = subprocess.run([interpreter, '-c', code, *map(str, ON_PYTHON_38)], text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
