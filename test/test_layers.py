# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which package may import which: the architecture, held by a test.

``core`` needs nothing but NumPy and PyYAML; the simulators stand behind one port; training and
the nodes never meet but in a policy folder.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
import sys

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = 'humanoid_locomotion'
MAX_LINES, MAX_FILES = 400, 14

# What each package may import: packages or modules of ours, and packages of others besides the
# standard library. A row counts for all below it: `core` for `core.policy.folder`, too.
PACKAGES = {
    '': set(),
    'api': {'api', 'core', 'sim.backend', 'numpy'},  # nobody imports it but its users
    'api.simulation': {'evaluation.protocol'},
    'api.evaluation': {'evaluation'},
    'api.training': {'training'},
    'api.vector_env': {'training', 'gymnasium', 'torch'},
    'api.rsl_rl_env': {'rsl_rl', 'tensordict', 'torch'},
    'console_table': {'rich'},
    'course': {'core', 'course', 'sim.backend', 'training', 'numpy'},
    'core': {'core', 'numpy', 'yaml'},
    'robot_models': {'core', 'robot_models', 'numpy', 'mujoco'},
    'robot_check': {'core', 'robot_models', 'robot_check', 'sim.backend', 'numpy', 'mujoco'},
    'sim': {'core', 'robot_models', 'sim', 'numpy'},
    'sim.mujoco': {'mujoco'},
    'sim.mujoco_warp': {'mujoco', 'mujoco_warp', 'warp', 'torch'},
    'sim.isaacgym.importing': {'isaacgym', 'torch'},  # the others take both from there
    'sim.web.server': {'viser', 'websockets'},
    'sim.web.viser_scene': {'mujoco', 'trimesh'},
    'training': {'core', 'sim.backend', 'sim.disturbances', 'training', 'numpy', 'yaml', 'torch'},
    'training.monitoring.progress': {'rich'},
    'benchmarks': {'core', 'sim.backend', 'training', 'benchmarks', 'numpy', 'torch'},
    'benchmarks.latency': {'nodes', 'reliability.faults', 'rclpy', '*_msgs', '*_interfaces'},
    'benchmarks.wire_latency': {'nodes'},
    'evaluation': {'core', 'sim.backend', 'sim.disturbances', 'evaluation', 'numpy',
                   'matplotlib'},
    'evaluation.cli': {'console_table', 'rich'},
    'nodes': {'core', 'nodes', 'numpy', 'yaml', 'rclpy', 'tf2_ros', 'ament_index_python',
              'builtin_interfaces', '*_interfaces', '*_msgs', '*_srvs'},
    'nodes.simulation.simulated_robot': {'sim.backend', 'mujoco'},
    'nodes.hardware.unitree.dds': {'cyclonedds'},
    'nodes.hardware.unitree.simulated_motors': {'sim.backend', 'mujoco'},
    'nodes.demos.walk': {'console_table', 'rich'},
    'nodes.demos.navigate': {'console_table', 'rich'},
    'nodes.operator.teleop': {'rich'},
    'reliability': {'core', 'nodes', 'reliability', 'numpy', 'yaml', 'rclpy', '*_interfaces',
                    '*_msgs', '*_srvs'},
    'reliability.faults.fault_bench': {'sim.backend'},  # the ground below the robot
    'reliability.soak.false_alarms': {'sim.backend'},
    'reliability.soak.unitree_mujoco': {'cyclonedds', 'mujoco'},
    'sweep': {'core', 'evaluation.gates', 'evaluation.scorecard', 'sweep', 'training', 'yaml'},
    'cli': {'cli', 'console_table', 'core', 'rich', 'typer'},
    '__main__': set(),
}
# Imports inside functions, allowed on top: what a user may not have installed.
LAZY = {
    'api.training': {'rich'},
    'course': {'torch'},  # after Isaac Gym
    'core.policy.engines': {'onnxruntime', 'onnx', 'torch'},
    'core.policy.graphed_step': {'torch'},
    'core.policy.adoption': {'onnx'},
    'core.policy.onnx_graph': {'onnx'},
    'core.policy.onnx_structure': {'onnx'},
    'core.policy.standalone': {'onnx'},
    'core.policy.vetting': {'onnx', 'onnxruntime', 'torch'},
    'training': {'onnx', 'tensorboard'},
    'training.monitoring.wandb_log': {'wandb'},
    'training.monitoring.learning_curve': {'matplotlib'},
    'training.monitoring.viewer': {'sim.web'},
    'benchmarks.mjlab_probe': {'mjlab'},  # a script for another interpreter; nothing imports it
    'evaluation.plots.animation': {'PIL', 'sim.mujoco.renderer'},
    'evaluation.comparison.sim_to_sim': {'sim.mujoco.custom_model'},
    'nodes.demos': {'matplotlib', 'sim.mujoco.renderer'},
    'nodes.hardware.booster': {'booster_interface'},
    'nodes.locomotion': {'mcap'},
    'nodes.operator.viewer': {'sim.web'},
    'reliability.faults.viewer_client': {'websockets'},
    'reliability.command_line_fuzz': {'cli', 'typer', '__main__', 'onnx'},  # what there is to try
    'reliability.policy_fuzz.mutate_onnx': {'onnx'},
    'sweep': {'optuna'},
    'cli': {'benchmarks', 'evaluation', 'nodes', 'reliability', 'robot_check', 'robot_models',
            'sim.backend', 'sim.isaacgym.check', 'sweep', 'training', 'numpy', 'rclpy', 'torch',
            'yaml'},
    'cli.policy_hub': {'huggingface_hub'},
    '__main__': {'cli'},
}


@dataclass(frozen=True)
class Import:
    """One import statement.

    Attributes:
        module: The importing module, within the package: ``core.policy.folder``.
        target: What is imported: a module of the package, or another package's name.
        line: Where.
        lazy: Whether it stands inside a function.
        inner: Whether the target belongs to this package.
    """

    module: str
    target: str
    line: int
    lazy: bool
    inner: bool


def module_name(path: Path, package: Path) -> str:
    """Give ``core.policy.folder`` for ``.../core/policy.py``, ``core`` for its ``__init__``."""
    parts = path.relative_to(package).with_suffix('').parts
    return '.'.join(part for part in parts if part != '__init__')


def imports_of(path: Path, package: Path) -> list[Import]:
    """List the imports of a file, those for type checkers alone left out."""
    found: list[Import] = []
    module = module_name(path, package)

    def add(name: str, line: int, lazy: bool) -> None:
        inner = name.split('.')[0] == PACKAGE
        target = name[len(PACKAGE) + 1:] if inner else name.split('.')[0]
        found.append(Import(module, target, line, lazy, inner))

    def visit(node: ast.AST, lazy: bool) -> None:
        if isinstance(node, ast.If) and 'TYPE_CHECKING' in ast.dump(node.test):
            return
        if isinstance(node, ast.Import):
            for alias in node.names:
                add(alias.name, node.lineno, lazy)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}:{node.lineno}: relative import'
            for alias in node.names:
                whole = f'{node.module}.{alias.name}'
                is_module = (package.parent / Path(*whole.split('.'))).with_suffix('.py').is_file()
                add(whole if is_module else str(node.module), node.lineno, lazy)
        inside = lazy or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    visit(ast.parse(path.read_text(encoding='utf-8')), False)
    return found


def allowed(name: str, names: set[str]) -> bool:
    """Tell whether a set holds a name, a parent module of it, or a ``*_suffix`` of it."""
    return any(name == it or name.startswith(it + '.') or (it[0] == '*' and name.endswith(it[1:]))
               for it in names)


def rows_of(table: dict[str, set[str]], module: str) -> set[str]:
    """Join the rows of a module and of the packages that hold it."""
    parts = module.split('.')
    return set().union(*(table.get('.'.join(parts[:n + 1]), set()) for n in range(len(parts))))


def problems(package: Path) -> list[str]:
    """List every import that the tables forbid, with file and line."""
    found = []
    for path in sorted(package.rglob('*.py')):
        for it in imports_of(path, package):
            names = rows_of(PACKAGES, it.module)
            if it.lazy:
                names |= rows_of(LAZY, it.module)
            standard = not it.inner and it.target in sys.stdlib_module_names
            is_root = it.inner and it.target == ''
            if not (standard or is_root or allowed(it.target, names)):
                found.append(f'{path.relative_to(package)}:{it.line}: {it.module or "package"} '
                             f'must not import {it.target}')
    return found


def cycles(package: Path) -> list[str]:
    """List the modules that can be reached from themselves by imports at module level."""
    graph: dict[str, set[str]] = {}
    for path in package.rglob('*.py'):
        graph[module_name(path, package)] = {
            it.target for it in imports_of(path, package) if it.inner and not it.lazy}

    def reachable(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = list(graph[start])
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += graph.get(name, ())
        return seen

    return sorted(name for name in graph if name in reachable(name))


def test_every_package_imports_only_what_it_may():
    assert problems(ROOT / PACKAGE) == []


def test_no_module_imports_itself_in_a_circle():
    assert cycles(ROOT / PACKAGE) == []


def test_every_package_is_in_the_table():
    found = {module_name(path, ROOT / PACKAGE).split('.')[0]
             for path in (ROOT / PACKAGE).rglob('*.py')}
    assert found <= set(PACKAGES)


def test_every_row_names_a_module():
    """A row that a move left behind would allow what nobody meant."""
    modules = {module_name(path, ROOT / PACKAGE) for path in (ROOT / PACKAGE).rglob('*.py')}
    assert {*PACKAGES, *LAZY} <= modules


def test_no_folder_holds_more_than_a_reader_can_overlook():
    for folder in {path.parent for path in (ROOT / PACKAGE).rglob('*.py')}:
        count = len(list(folder.glob('*.py')))
        assert count <= MAX_FILES, f'{folder.relative_to(ROOT)} has {count} Python files'


@pytest.mark.parametrize('folder', [PACKAGE, 'launch'])
def test_no_file_is_longer_than_a_reader_can_hold(folder):
    for path in sorted((ROOT / folder).rglob('*.py')):
        lines = len(path.read_text(encoding='utf-8').splitlines())
        assert lines <= MAX_LINES, f'{path.relative_to(ROOT)} has {lines} lines'


@pytest.mark.parametrize('folder', [PACKAGE, 'launch', 'test'])
def test_every_file_begins_with_its_licence(folder):
    for path in sorted((ROOT / folder).rglob('*.py')):
        begin = path.read_text(encoding='utf-8').splitlines()[:2]
        assert begin == [
            '# Copyright 2026 humanoid_locomotion maintainers',
            '# SPDX-License-Identifier: Apache-2.0'], path


@pytest.mark.parametrize('file, code, message', [
    ('core/a.py', 'import torch', 'core.a must not import torch'),
    ('core/a.py', 'def f():\n    import torch', 'core.a must not import torch'),
    ('core/a.py', 'from humanoid_locomotion.sim import backend', 'must not import sim'),
    ('core/policy/engines.py', 'import onnxruntime', 'must not import onnxruntime'),
    ('sim/other.py', 'import mujoco', 'sim.other must not import mujoco'),
    ('training/a.py', 'from humanoid_locomotion.sim.mujoco.backend import X', 'must not import'),
    ('training/a.py', 'import humanoid_locomotion.nodes.simulation.node', 'must not import nodes'),
    ('evaluation/a.py', 'import mujoco', 'evaluation.a must not import mujoco'),
    ('nodes/a.py', 'from humanoid_locomotion.sim.backend import X', 'must not import'),
    ('nodes/a.py', 'import torch', 'nodes.a must not import torch'),
    ('cli/a.py', 'import humanoid_locomotion.training.run.trainer', 'must not import training'),
    ('core/a.py', 'import humanoid_locomotion.api.training', 'core.a must not import api'),
    ('a.py', 'import numpy', 'a must not import numpy')])
def test_a_planted_import_is_found_with_its_line(tmp_path, file, code, message):
    package = tmp_path / PACKAGE
    (package / file).parent.mkdir(parents=True)
    (package / file).write_text(f'\n{code}\n')
    (found,) = problems(package)
    line = 2 + code.count('\n')
    assert found.startswith(f'{file}:{line}: ') and message in found


@pytest.mark.parametrize('file, code', [
    ('core/policy/engines.py', 'def f():\n    import onnxruntime'),
    ('core/a.py', 'import json\nimport numpy as np\nfrom humanoid_locomotion.core.b import c'),
    ('sim/mujoco/backend.py', 'from mujoco import rollout'),
    ('nodes/simulation/simulated_robot.py', 'import humanoid_locomotion.sim.backend'),
    ('cli/a.py', 'def f():\n    from humanoid_locomotion.training.run.trainer import Trainer'),
    ('nodes/a.py', 'import rclpy\nfrom sensor_msgs.msg import Imu'),
    ('core/a.py', 'from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch')])
def test_what_is_allowed_is_left_alone(tmp_path, file, code):
    path = tmp_path / PACKAGE / file
    path.parent.mkdir(parents=True)
    path.write_text(code)
    assert problems(tmp_path / PACKAGE) == []


def test_a_planted_circle_is_found(tmp_path):
    core = tmp_path / PACKAGE / 'core'
    core.mkdir(parents=True)
    for name, target in (('a', 'b'), ('b', 'c'), ('c', 'a'), ('d', 'a')):
        (core / f'{name}.py').write_text(f'from humanoid_locomotion.core import {target}')
    assert cycles(tmp_path / PACKAGE) == ['core.a', 'core.b', 'core.c']
