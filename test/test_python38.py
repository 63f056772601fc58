# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Training in Isaac Gym's own Python, 3.8, up to a policy that opens in this one.

`make test-isaacgym` makes the environment `.venv38`, where there is a Python 3.8; this file runs
the real command line in it, on the fake Isaac Gym, each command in a process of its own.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
import subprocess

import fake_gym
import pytest

from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.reading.resources import config_file, robot_folders

PYTHON38 = Path(os.environ.get('VENV38', Path(__file__).parents[1] / '.venv38')) / 'bin' / 'python'
pytestmark = pytest.mark.skipif(
    not PYTHON38.exists(), reason='NOT RUN: training on Python 3.8; `make test-isaacgym` makes '
    f'{PYTHON38} where there is a Python 3.8')


def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess:
    """Run a command line on Python 3.8; it must succeed and do nothing that is forbidden."""
    done = subprocess.run(
        [PYTHON38, '-m', 'humanoid_locomotion', *map(str, arguments)], cwd=folder,
        env=fake_gym.environment(COLUMNS='200'), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stderr == ''
    return done


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Give a folder with a run of two iterations and its exported policy."""
    folder = tmp_path_factory.mktemp('python38')
    said = run(folder, 'train', '--backend', 'isaacgym', '--device', 'cpu', '--num-envs', 4,
               '--iterations', 2, '--set', 'ppo.rollout_steps=4', '--set', 'ppo.minibatches=2',
               '--set', 'run.checkpoint_every=1', '--output', 'run')
    assert 'trained 2 iterations, 32 control steps' in said.stdout
    run(folder, 'policy', 'export', 'run', '--output', 'policies/mine')
    return folder


def test_two_iterations_leave_two_checkpoints_and_figures(trained):
    assert sorted(path.name for path in (trained / 'run' / 'checkpoints').iterdir()) == [
        '000000.pt', '000001.pt', '000002.pt']
    lines = [json.loads(line) for line in (trained / 'run' / 'metrics.jsonl').open()]
    assert [line['iteration'] for line in lines] == [1, 2]
    assert all(line['lost_robots'] == 0.0 for line in lines)


@pytest.mark.parametrize('engine', ['onnxruntime', 'torch'])
def test_the_policy_opens_and_replays_here(trained, engine):
    pytest.importorskip(engine)
    opened = open_policy(trained / 'policies' / 'mine', engine=engine)
    assert opened.golden_error < 1e-4
    assert opened.contract.robot == 'humanoid'


def test_the_checkpoint_is_exported_here_as_well(trained):
    pytest.importorskip('torch')
    pytest.importorskip('mujoco')
    from humanoid_locomotion.training.export import export
    here = open_policy(export(trained / 'run', trained / 'policies' / 'here'))
    there = open_policy(trained / 'policies' / 'mine')
    assert here.contract.fingerprint == there.contract.fingerprint
    assert 'isaacgym' in (trained / 'policies' / 'mine' / 'card.md').read_text()


def test_the_check_passes(trained):
    said = run(trained, 'dev', 'check-isaacgym', '--device', 'cpu', '--num-envs', 4,
               '--iterations', 1)
    assert 'as the backend expects' in said.stdout and 'differs' not in said.stdout
    assert 'a stand-in for tests' in said.stdout and '3.8.' in said.stdout


def test_the_check_tells_machines_too(trained):
    said = json.loads(run(trained, 'dev', 'check-isaacgym', '--device', 'cpu', '--iterations', 0,
                          '--json').stdout)
    assert said['machine']['Python'].startswith('3.8.')
    assert said['behaviour'] and all(row['good'] for row in said['behaviour'])


@pytest.mark.parametrize('robot', [it for it in robot_folders() if it != 'humanoid'
                                   and config_file('training', it).is_file()])
def test_every_robot_trains_with_its_own_config(trained, robot):
    said = run(trained, 'train', '--backend', 'isaacgym', '--robot', robot, '--device', 'cpu',
               '--num-envs', 2, '--iterations', 1, '--set', 'ppo.rollout_steps=3',
               '--set', 'ppo.minibatches=2', '--output', robot)
    assert 'trained 1 iterations' in said.stdout
