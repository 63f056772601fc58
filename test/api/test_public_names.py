# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The names of ``import humanoid_locomotion``: lazy, typed, listed, and usable as documented."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
import subprocess
import sys
import time

import numpy as np
import pytest

import humanoid_locomotion as hl
from humanoid_locomotion.api import reference
from humanoid_locomotion.core.errors import ConfigError, LocomotionError

ROOT = Path(hl.__file__).parents[1]


def test_every_public_name_exists_and_is_documented():
    for name in hl.__all__:
        value = getattr(hl, name)
        assert name == '__version__' or inspect.getdoc(value), name
        assert name in dir(hl)


def test_type_checkers_and_the_lazy_import_find_the_same_names():
    tree = ast.parse(Path(hl.__file__).read_text(encoding='utf-8'))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    typed = {alias.name: str(node.module).partition('.')[2]
             for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert typed == hl._MODULES
    assert sorted(typed) == sorted(set(hl.__all__) - {'__version__'})


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(AttributeError, match=r"'open_polcy'.*open_policy"):
        hl.open_polcy  # noqa: B018


def test_the_import_loads_no_heavy_package_and_is_fast():
    code = ('import sys, time; start = time.perf_counter(); import humanoid_locomotion; '
            'print(time.perf_counter() - start); '
            'print([it for it in ("numpy", "torch", "yaml", "mujoco") if it in sys.modules])')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                          check=True, cwd=ROOT)
    seconds, loaded = done.stdout.splitlines()
    assert float(seconds) < 0.3 and loaded == '[]'


def test_the_page_is_what_the_code_says():
    page = (ROOT / 'docs' / 'api.md').read_text(encoding='utf-8')
    assert page == reference.page(), 'run: python -m humanoid_locomotion.api.reference docs/api.md'


def test_the_example_of_the_package_walks():
    names: dict = {}
    exec(reference.snippet(), names)
    assert names['targets'].positions.shape == (1, names['policy'].contract.num_actions)
    x, y, height = names['sim'].truth().base_position[0]
    assert 0.5 < x < 1.2 and abs(y) < 0.3 and height > 0.7
    names['sim'].close()


def test_one_command_counts_for_all_robots():
    policy = hl.open_policy('humanoid')
    sim = hl.make_sim(policy, num_envs=2, backend='fake')
    state = sim.state()
    once = policy.controller(2).step(state, (0.4, 0.1, -0.2)).positions
    each = policy.controller(2).step(state, np.array([[0.4, 0.1, -0.2]] * 2)).positions
    np.testing.assert_array_equal(once, each)


@pytest.mark.parametrize('command', [(0.5,), (0.5, 0.0), 0.5, [[0.1, 0.0, 0.0]] * 3])
def test_a_command_of_another_shape_is_refused(command):
    policy = hl.open_policy('humanoid')
    sim = hl.make_sim(policy, num_envs=2, backend='fake')
    with pytest.raises(ConfigError, match=r'command: found the shape .*expected \(3,\) or \(2, 3'):
        policy.controller(2).step(sim.state(), command)


def test_a_sim_of_no_robots_is_refused():
    with pytest.raises(ConfigError, match='num_envs: found 0, expected 1 or more'):
        hl.make_sim('humanoid', num_envs=0)


def test_a_policy_is_not_put_on_another_robot():
    with pytest.raises(LocomotionError, match='missing joints'):
        hl.make_sim('humanoid', robot='unitree_h1')


def test_evaluate_takes_an_opened_policy_and_writes_only_where_it_is_told(monkeypatch, tmp_path):
    from humanoid_locomotion.api import evaluation
    calls = []
    monkeypatch.setattr(evaluation, 'run_protocol',
                        lambda name, **more: calls.append((name, more['output'])))
    policy = hl.open_policy('humanoid')
    hl.evaluate(policy)
    hl.evaluate(policy.path, output=tmp_path)
    (first, scratch), (second, output) = calls
    assert first == second == str(policy.path) and output == tmp_path
    assert not scratch.exists() and policy.path not in scratch.parents


def test_a_registered_backend_is_opened_by_its_name():
    from humanoid_locomotion.sim import backend
    from humanoid_locomotion.sim.fake import FakeBackend

    class Mine(FakeBackend):
        """A simulator of a user."""

    try:
        assert hl.register_backend('mine')(Mine) is Mine
        assert isinstance(hl.make_sim('humanoid', backend='mine'), Mine)
        with pytest.raises(ConfigError, match='the name is taken'):
            hl.register_backend('mine')(FakeBackend)
        with pytest.raises(ConfigError, match='expected a subclass of SimBackend'):
            hl.register_backend('other')(time)  # type: ignore[type-var]
    finally:
        backend.BACKENDS.pop('mine', None)


def test_a_backend_whose_packages_are_broken_is_refused_in_one_sentence(monkeypatch):
    from humanoid_locomotion.sim import backend

    def broken(module):
        raise ImportError(f'{module}: core bindings\nare missing')

    monkeypatch.setattr(backend.importlib, 'import_module', broken)
    with pytest.raises(LocomotionError, match=r'the backend mujoco cannot be imported \(.*core '
                       r"bindings are missing\).*pip install 'humanoid_locomotion\[sim\]'"):
        hl.make_sim('humanoid')


def test_train_leaves_a_run_folder(tmp_path):
    result = hl.train('humanoid', num_envs=4, iterations=1, device='cpu', seed=3,
                      output=tmp_path / 'run', quiet=True,
                      settings={'ppo.hidden_sizes': [8, 8], 'ppo.rollout_steps': 4,
                                'ppo.epochs': 1, 'ppo.minibatches': 1})
    assert result.run == tmp_path / 'run' and result.stopped_by is None
    assert result.samples == 16
    assert (result.run / 'checkpoints' / '000001.pt').is_file()
