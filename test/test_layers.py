"""Which room may import which: the architecture, held by a test.

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
MAX_LINES = 400

# What each room may import: rooms or modules of this package, and packages of others besides the
# standard library. Names in brackets count for that one module, besides its room's.
ROOMS = {
    '': set(),
    'core': {'core', 'numpy', 'yaml'},
    'sim': {'core', 'sim', 'numpy'},
    'training': {'core', 'sim.backend', 'training', 'numpy', 'yaml', 'torch'},
    'evaluation': {'core', 'sim.backend', 'evaluation', 'numpy', 'matplotlib'},
    'nodes': {'core', 'nodes', 'numpy', 'yaml', 'rclpy', 'tf2_ros', 'ament_index_python',
              'builtin_interfaces', '*_interfaces', '*_msgs', '*_srvs'},
    'reliability': {'core', 'nodes', 'reliability', 'numpy', 'yaml', 'rclpy', '*_interfaces',
                    '*_msgs', '*_srvs'},
    'cli': {'cli_adopt', 'cli_benchmark', 'cli_exit', 'cli_input', 'cli_isaacgym', 'cli_node',
            'cli_output', 'cli_python', 'cli_reliability', 'cli_robot', 'core', 'rich', 'typer'},
    'cli_adopt': {'cli_input', 'rich', 'typer'},
    'cli_benchmark': {'cli_input', 'cli_output', 'cli_python', 'rich', 'typer'},
    'cli_exit': {'core', 'rich'},
    'cli_input': {'core', 'typer'},
    'cli_isaacgym': {'cli_input', 'cli_output', 'cli_python', 'rich', 'typer'},
    'cli_node': {'cli_input', 'cli_output', 'core', 'rich', 'typer'},
    'cli_output': {'rich', 'typer'},
    'cli_python': {'core'},
    'cli_reliability': {'cli_input', 'cli_output', 'rich', 'typer'},
    'cli_robot': {'cli_input', 'core', 'rich', 'typer'},
    '__main__': set(),
}
MODULES = {
    'sim.mujoco_model': {'mujoco'},
    'sim.urdf_writer': {'mujoco'},
    'sim.mujoco_backend': {'mujoco'},
    'sim.mujoco_warp_backend': {'mujoco', 'mujoco_warp', 'warp', 'torch'},
    'sim.mujoco_warp_order': {'mujoco_warp', 'warp', 'torch'},
    'sim.isaacgym_import': {'isaacgym', 'torch'},  # the others take both from there
    'sim.offscreen': {'mujoco'},
    'sim.own_model': {'mujoco'},
    'sim.model_reading': {'mujoco'},
    'sim.robot_import': {'mujoco'},
    'sim.web_scene': {'mujoco', 'trimesh'},
    'sim.web_server': {'viser', 'websockets'},
    'training.progress': {'rich'},
    'evaluation.command': {'rich'},
    'nodes.simulated_robot': {'sim.backend', 'mujoco'},  # the robot that the sim node dresses up
    'nodes.walk': {'rich'},
    'reliability.rig': {'sim.backend'},  # the ground below that robot
    'reliability.false_alarms': {'sim.backend'},
    'nodes.navigate': {'rich'},
    'nodes.teleop': {'rich'},
}
# Imports inside functions, allowed on top: what a user may not have installed.
LAZY = {
    'core.engines': {'onnxruntime', 'onnx', 'torch'},
    'core.network': {'onnx'},
    'core.vetting': {'onnx', 'onnxruntime', 'torch'},
    'core.cuda_graph': {'torch'},
    'training': {'onnx', 'tensorboard'},
    'training.mjlab_probe': {'mjlab'},  # a script for another interpreter; nothing imports it
    'training.curve': {'matplotlib'},
    'training.training_viewer': {'sim.web_guard', 'sim.web_scene', 'sim.web_server'},
    'evaluation.animation': {'PIL', 'sim.offscreen'},
    'evaluation.sim_to_sim': {'sim.own_model'},
    'nodes.navigate_picture': {'matplotlib', 'sim.offscreen'},
    'nodes.recording': {'mcap'},
    'nodes.replay': {'mcap'},
    'nodes.viewer': {'sim.web_guard', 'sim.web_scene', 'sim.web_server'},
    'nodes.walk_picture': {'matplotlib', 'sim.offscreen'},
    'reliability.viewer_client': {'websockets'},
    'cli': {'training', 'evaluation', 'nodes.walk', 'nodes.navigate', 'nodes.teleop', 'torch'},
    '__main__': {'cli'},
    'cli_adopt': {'core', 'training.tuning'},
    'cli_benchmark': {'core', 'training'},
    'cli_input': {'sim.backend'},
    'cli_isaacgym': {'sim.backend', 'sim.isaacgym_check', 'training.options'},
    'cli_node': {'nodes', 'rclpy', 'yaml'},
    'cli_reliability': {'core', 'nodes', 'reliability', 'training.options', 'numpy', 'rclpy'},
    'cli_robot': {'core', 'sim.robot_import', 'sim.urdf_writer'},
    'reliability.command_line_tries': {'cli', 'typer'},  # what there is to try
    'reliability.command_line_server': {'__main__'},
    'reliability.command_line_stock': {'onnx'},
    'reliability.mutate_onnx': {'onnx'},
}


@dataclass(frozen=True)
class Import:
    """One import statement.

    Attributes:
        module: The importing module, within the package: ``core.policy``.
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
    """Give ``core.policy`` for ``.../core/policy.py``, ``core`` for its ``__init__``."""
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


def problems(package: Path) -> list[str]:
    """List every import that the tables forbid, with file and line."""
    found = []
    for path in sorted(package.rglob('*.py')):
        for it in imports_of(path, package):
            room = it.module.split('.')[0]
            names = ROOMS.get(room, set()) | MODULES.get(it.module, set())
            if it.lazy:
                names = names | LAZY.get(room, set()) | LAZY.get(it.module, set())
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


def test_every_room_imports_only_what_it_may():
    assert problems(ROOT / PACKAGE) == []


def test_no_module_imports_itself_in_a_circle():
    assert cycles(ROOT / PACKAGE) == []


def test_every_room_is_in_the_table():
    rooms = {module_name(path, ROOT / PACKAGE).split('.')[0]
             for path in (ROOT / PACKAGE).rglob('*.py')}
    assert rooms <= set(ROOMS)


@pytest.mark.parametrize('folder', [PACKAGE, 'launch'])
def test_no_file_is_longer_than_a_reader_can_hold(folder):
    for path in sorted((ROOT / folder).rglob('*.py')):
        lines = len(path.read_text(encoding='utf-8').splitlines())
        assert lines <= MAX_LINES, f'{path.relative_to(ROOT)} has {lines} lines'


@pytest.mark.parametrize('file, code, message', [
    ('core/a.py', 'import torch', 'core.a must not import torch'),
    ('core/a.py', 'def f():\n    import torch', 'core.a must not import torch'),
    ('core/a.py', 'from humanoid_locomotion.sim import backend', 'must not import sim'),
    ('core/engines.py', 'import onnxruntime', 'core.engines must not import onnxruntime'),
    ('sim/other.py', 'import mujoco', 'sim.other must not import mujoco'),
    ('training/a.py', 'from humanoid_locomotion.sim.mujoco_backend import X', 'must not import'),
    ('training/a.py', 'import humanoid_locomotion.nodes.sim', 'must not import nodes.sim'),
    ('evaluation/a.py', 'import mujoco', 'evaluation.a must not import mujoco'),
    ('nodes/locomotion.py', 'from humanoid_locomotion.sim.backend import X', 'must not import'),
    ('nodes/a.py', 'import torch', 'nodes.a must not import torch'),
    ('cli.py', 'import humanoid_locomotion.training.trainer', 'must not import training.trainer'),
    ('a.py', 'import numpy', 'a must not import numpy')])
def test_a_planted_import_is_found_with_its_line(tmp_path, file, code, message):
    package = tmp_path / PACKAGE
    for folder in ('core', 'sim', 'training', 'evaluation', 'nodes'):
        (package / folder).mkdir(parents=True)
    (package / file).write_text(f'\n{code}\n')
    (found,) = problems(package)
    line = 2 + code.count('\n')
    assert found.startswith(f'{file}:{line}: ') and message in found


@pytest.mark.parametrize('file, code', [
    ('core/engines.py', 'def f():\n    import onnxruntime'),
    ('core/a.py', 'import json\nimport numpy as np\nfrom humanoid_locomotion.core.b import c'),
    ('sim/mujoco_backend.py', 'from mujoco import rollout'),
    ('nodes/simulated_robot.py', 'from humanoid_locomotion.sim.backend import open_backend'),
    ('cli.py', 'def f():\n    from humanoid_locomotion.training.trainer import Trainer'),
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
