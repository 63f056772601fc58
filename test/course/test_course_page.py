# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The course's names are here or on its page, and the page's code runs in its order."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
import re
import subprocess
import sys

import pytest

pytest.importorskip('torch')
pytest.importorskip('mujoco')

from humanoid_locomotion import course

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs' / 'course.md').read_text(encoding='utf-8')
LEFT_OUT = re.findall(r'^\|(.*?)\|', PAGE.partition('## Left out')[2], re.MULTILINE)
VALUES = {
    'num_envs': 4096, 'num_obs': 75, 'num_actions': 39, 'dt': 0.0167, 'sim_substeps': 5,
    'tracking_reward_weight': 1.0, 'velocity_reward_weight': 0.5, 'energy_penalty_weight': 0.01,
    'height_penalty_weight': 0.1, 'orientation_reward_weight': 0.5, 'max_episode_length': 1000,
    'height_threshold': 0.5, 'orientation_threshold': 0.8}
METHODS = {
    'HumanoidIsaacEnv': {
        '__init__': {'config': None}, 'create_humanoid_assets': {},
        'create_envs': {'env_spacing': 2.0}, 'reset': {'env_ids': None}, 'step': {'actions': ...}},
    'FallbackHumanoidEnv': {'__init__': {'config': None}, 'reset': {}, 'step': {'actions': ...}},
    'ObservationBuilder': {
        '__init__': {'num_joints': 19, 'num_actions': 39},
        'build_observation': {'sim_state': ...}, 'normalize_observation': {'obs': ...}},
    'ActionMapper': {
        '__init__': {'joint_names': None},
        'map_to_joint_commands': {'network_output': ..., 'joint_positions': None},
        'compute_pd_targets': {'target_positions': ..., 'current_positions': ..., 'kp': 100.0,
                               'kd': 1.0}}}
PARTS = {'ROOT_POS': 3, 'ROOT_VEL': 3, 'ROOT_ORI': 4, 'ROOT_ANG_VEL': 3, 'JOINT_POS': 19,
         'JOINT_VEL': 19, 'PREV_ACTIONS': 39, 'COMMAND': 3}
ENV = ('config', 'device', 'num_envs', 'obs', 'actions', 'rewards', 'dones', 'humanoid_asset',
       'gym', 'sim', 'envs', 'actor_handles', 'reset_buf', 'step_count')
JOINTS = [
    *(f'{side}_{joint}' for side in ('left', 'right') for joint in (
        'hip_yaw', 'hip_roll', 'hip_pitch', 'knee', 'ankle_pitch', 'ankle_roll')),
    'torso_yaw', 'torso_pitch', 'torso_roll',
    *(f'{side}_{joint}' for side in ('left', 'right') for joint in (
        'shoulder_pitch', 'shoulder_roll', 'shoulder_yaw', 'elbow'))]


def is_left_out(name: str) -> bool:
    """Tell whether the page says that a name is left out."""
    return any(f'`{name}`' in cell for cell in LEFT_OUT)


def test_the_fields_and_values_of_the_config():
    found = {it.name: it.default for it in dataclasses.fields(course.HumanoidEnvConfig)}
    assert found == {**VALUES, 'num_obs': 93}
    assert '| `num_obs` | 75 | 93.' in PAGE
    assert all(f'`{name}`' in PAGE for name in VALUES)


@pytest.mark.parametrize('owner', METHODS)
def test_the_methods_and_their_arguments(owner):
    for name, arguments in METHODS[owner].items():
        parameters = inspect.signature(getattr(getattr(course, owner), name)).parameters
        for argument, default in arguments.items():
            if argument not in parameters:
                assert is_left_out(argument) and is_left_out(name), (name, argument)
            elif default is not ...:
                assert parameters[argument].default == default, (name, argument)


def test_the_indices_and_sizes():
    builder, start = course.ObservationBuilder(), 0
    for name, size in PARTS.items():
        assert getattr(builder, f'{name}_START') == start
        start += size
        assert getattr(builder, f'{name}_END') == start
        assert getattr(builder, f'{name}_SIZE') == size
    assert builder.total_obs_size == start == 93
    assert (builder.num_joints, builder.num_actions) == (19, 39)


def test_the_attributes_of_an_environment():
    env = course.FallbackHumanoidEnv(course.HumanoidEnvConfig(num_envs=1))
    env.create_envs()
    for name in ENV:
        assert hasattr(env, name) != is_left_out(name), name
    env.close()


def test_the_joints_in_their_order():
    mapper = course.ActionMapper()
    assert mapper.joint_names[:23] == JOINTS and set(JOINTS) <= set(mapper.joint_limits)
    assert course.ActionMapper(JOINTS).num_joints == 23


def test_the_code_of_the_page_runs():
    names: dict = {}
    blocks = re.findall(r'^```python\n(.*?)^```', PAGE, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 4
    for block in blocks:
        exec(block, names)
    assert names['observations'].shape == (8, 93) and names['torque'].shape == (39,)
    names['env'].close()


def test_the_import_leaves_pytorch_to_isaac_gym():
    code = 'import sys, humanoid_locomotion.course; print("torch" in sys.modules)'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                          check=True, cwd=ROOT)
    assert done.stdout == 'False\n'
