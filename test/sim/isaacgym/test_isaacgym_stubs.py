# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The backend and the fake against the published signatures of Isaac Gym's API."""

from __future__ import annotations

import ast
from importlib import metadata
import inspect
import os
from pathlib import Path
import re
import subprocess
import sys

import pytest

pytest.importorskip('mypy')
try:
    metadata.files('isaacgym-stubs')
except metadata.PackageNotFoundError:
    pytest.skip('isaacgym-stubs is not installed: pip install -r requirements/test.txt',
                allow_module_level=True)

import fake_gym
import stub_overlay

fake_gym.install()

from isaacgym import gymapi, structs

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / 'humanoid_locomotion' / 'sim' / 'isaacgym').rglob('*.py'))
STUBS = ast.parse(stub_overlay.published().replace('def lambda', 'def lambda_'))
CLASSES = {node.name: node for node in STUBS.body if isinstance(node, ast.ClassDef)}


@pytest.fixture(scope='module')
def overlay(tmp_path_factory):
    return stub_overlay.write(tmp_path_factory.mktemp('overlay'))


def mypy(overlay: Path, *files: Path) -> list[str]:
    """Type-check against the overlay; give the errors in the files themselves."""
    environment = {**os.environ, 'MYPYPATH': os.pathsep.join((str(overlay), str(ROOT)))}
    done = subprocess.run(
        [sys.executable, '-m', 'mypy', '--config-file', os.devnull, '--follow-imports=silent',
         '--ignore-missing-imports', '--check-untyped-defs', '--no-error-summary',
         '--cache-dir', str(overlay / 'cache'), *map(str, files)],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert 'syntax' not in done.stdout, done.stdout
    lines = [line for line in done.stdout.splitlines() if ': error:' in line]
    return [line for line in lines if not line.startswith(str(overlay / 'isaacgym'))]


@pytest.mark.slow  # make test-isaacgym runs it
def test_the_backend_calls_isaac_gym_as_published(overlay):
    assert mypy(overlay, *FILES) == []


# Such calls are easily written: other names, orders and types than the published ones.
WRONG = """
gymapi.Gym()
gym.create_sim(device_id=0, graphics_device_id=-1, params=params)
gym.create_sim(0, -1, params, gymapi.SIM_PHYSX)
params.use_gpu = True
params.physx.contact_collection = 2
params.up_axis = 'z'
params.gravity = (0.0, 0.0, -9.81)
plane.normal = (0.0, 0.0, 1.0)
gym.create_ground(sim, plane)
gym.load_asset(sim, 'robot.urdf')
options.collapse_fixed_joint = True
gym.create_env(sim, (-1, -1, 0), (1, 1, 2), 4)
gym.create_actor(env, asset, gymapi.Vec3(), 'robot', 0, 0)
gym.create_actor(env, asset, 'robot', 0, 0)
gym.set_actor_root_state_tensor_indexed(sim, root, gymtorch.unwrap_tensor(root), 2)
gym.set_dof_state_tensor_indexed(sim, gymtorch.unwrap_tensor(root), 2)
gym.set_dof_actuation_force_tensor(sim, root)
gymtorch.wrap_tensor(root)
gym.refresh_dof_states(sim)
gym.fetch_results(sim)
gym.get_actor_index(env, 0, 'sim')
gymapi.Transform().p = (0.0, 0.0, 1.0)
gym.viewer_camera_look_at(viewer, None, (3, 3, 2), gymapi.Vec3())
""".strip().splitlines()

HEAD = """
from isaacgym import gymapi, gymtorch
import torch
gym = gymapi.acquire_gym()
params, plane, options = gymapi.SimParams(), gymapi.PlaneParams(), gymapi.AssetOptions()
sim = gym.create_sim(0, -1, gymapi.SIM_PHYSX, params)
env = gym.create_env(sim, gymapi.Vec3(), gymapi.Vec3(), 1)
asset = gym.load_asset(sim, '.', 'robot.urdf', options)
viewer = gym.create_viewer(sim, gymapi.CameraProperties())
root: torch.Tensor = gymtorch.wrap_tensor(gym.acquire_actor_root_state_tensor(sim))
"""


@pytest.mark.slow  # make test-isaacgym runs it
def test_every_wrong_call_is_caught_and_no_right_one(overlay, tmp_path):
    path = tmp_path / 'calls.py'
    path.write_text(HEAD + '\n'.join(WRONG) + '\n')
    first = HEAD.count('\n') + 1
    lines = {int(line.split(':')[1]) for line in mypy(overlay, path)}
    assert lines == set(range(first, first + len(WRONG)))


def methods(node: ast.ClassDef) -> dict[str, list[str]]:
    """Give the parameters' names of a class of the stubs; docstrings hold the true signature."""
    found = {}
    for it in node.body:
        if isinstance(it, ast.FunctionDef):
            first = (ast.get_docstring(it) or '').partition('->')[0]
            found[it.name] = re.findall(r'[(,] (\w+):', first.replace('(', '( '))
    return found


def test_the_fake_has_the_published_methods():
    published = methods(CLASSES['Gym'])
    own = {name: list(inspect.signature(method).parameters)
           for name, method in vars(gymapi.Gym).items() if not name.startswith('_')}
    assert len(own) > 40
    for name, parameters in own.items():
        assert published.get(name) == parameters, name


def test_the_fake_has_the_published_fields():
    for name, cls in vars(structs).items():
        if inspect.isclass(cls) and issubclass(cls, structs.Struct) and cls is not structs.Struct:
            fields = {node.target.id: ast.unparse(node.annotation)
                      for node in CLASSES[name].body if isinstance(node, ast.AnnAssign)}
            for field, kind in cls.fields().items():
                assert fields.get(field) == kind.__name__, f'{name}.{field}'


def test_the_fake_has_the_published_members():
    for cls in (structs.SimType, structs.UpAxis, structs.ContactCollection, structs.DofDriveMode,
                structs.IndexDomain):
        members = {node.target.id for node in CLASSES[cls.__name__].body
                   if isinstance(node, ast.AnnAssign)}
        assert set(cls.__members__) <= members, cls


def test_the_fake_takes_and_refuses_what_the_backend_may_not_call():
    """Every method that the backend calls is one that the fake judges."""
    called = {node.attr for path in FILES for node in ast.walk(ast.parse(path.read_text()))
              if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
              and node.value.id == 'gym'}
    assert len(called) > 25 and called <= set(vars(gymapi.Gym))
