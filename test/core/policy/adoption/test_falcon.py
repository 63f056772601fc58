# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A policy of FALCON is imported as its runtime runs it, or refused by a key."""

from __future__ import annotations

from foreign_files import G1, write_network
import numpy as np
import pytest
import yaml

from humanoid_locomotion.core.errors import ConfigError, LocomotionError
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.policy.import_onnx import adopt

pytest.importorskip('onnxruntime')

NAMES = [f'joint_{i}' for i in range(29)]  # its runtime goes by the index alone
DIMS = {'base_ang_vel': 3, 'projected_gravity': 3, 'command_lin_vel': 2, 'command_ang_vel': 1,
        'command_stand': 1, 'command_waist_dofs': 3, 'ref_upper_dof_pos': 14, 'dof_pos': 29,
        'dof_vel': 29, 'actions': 15, 'sin_phase': 1, 'cos_phase': 1}
POSE = [0.01 * i for i in range(29)]
CONFIG = {
    'ROBOT_TYPE': 'g1_29dof', 'dof_names': NAMES, 'dof_names_lower_body': NAMES[:15],
    'JOINT_KP': G1.values('kp').tolist(), 'JOINT_KD': G1.values('kd').tolist(),
    'DEFAULT_DOF_ANGLES': POSE, 'obs_dict': {'actor_obs': list(DIMS)},
    'obs_dims': {**DIMS, 'base_lin_vel': 3}, 'history_length_dict': {'actor_obs': 1},
    'obs_scales': {**dict.fromkeys(DIMS, 1.0), 'base_ang_vel': 0.25, 'dof_vel': 0.05},
    'GAIT_PERIOD': 0.9}


def write(folder, text=None, size=(sum(DIMS.values()), 15), **changes):
    """Write a policy of FALCON and its YAML; return the policy's path and weight."""
    path = folder / 'models' / 'dec_loco' / 'g1.onnx'
    weight = write_network(path, *size, ends=('actor_obs', 'action'))
    config = folder / 'config' / 'g1' / 'g1.yaml'
    config.parent.mkdir(parents=True)
    data = {key: value for key, value in {**CONFIG, **changes}.items() if value is not None}
    config.write_text(yaml.safe_dump(data) if text is None else text)
    return path, weight


def test_it_becomes_the_policy_that_its_runtime_runs(tmp_path):
    path, weight = write(tmp_path)
    adopt(path, G1, tmp_path / 'policy')
    opened = open_policy(tmp_path / 'policy', engine='onnxruntime')
    it = opened.contract
    assert it.commanded_joints == G1.joint_names[:15] and it.joint_names == G1.joint_names
    with np.load(opened.path / 'golden.npz') as golden:
        steps = {key: golden[key].astype(np.float64) for key in golden.files}
    i, walking = 60, 60 - 25
    phase = 2.0 * np.pi * 0.02 * walking / 0.9
    expected = np.concatenate((
        steps['action'][i - 1], 0.25 * steps['base_angular_velocity'][i], [0.0], [0.5, 0.0], [1.0],
        [0.0] * 3, [np.cos(phase)], steps['joint_positions'][i] - POSE,
        0.05 * steps['joint_velocities'][i], steps['observation'][i][84:87], POSE[15:],
        [np.sin(phase)]))
    assert steps['observation'][i] == pytest.approx(expected, abs=1e-5)
    standing = steps['observation'][10]
    assert standing[[21, 25, 101]].tolist() == [0.0, 1.0, 0.0]  # stand, cosine and sine of 0
    action = np.tanh(expected @ weight)
    targets = np.concatenate((POSE[:15] + 0.25 * action, POSE[15:]))
    assert steps['joint_targets'][i] == pytest.approx(
        np.clip(targets, it.values('lower'), it.values('upper')), abs=1e-5)


def test_of_two_files_that_fit_none_is_chosen(tmp_path):
    path, _ = write(tmp_path)
    (tmp_path / 'config' / 'g1' / 'tried.yaml').write_text(yaml.safe_dump(
        {**CONFIG, 'GAIT_PERIOD': 0.8}))
    with pytest.raises(ConfigError, match=r'tried.yaml: obs_dict: fits g1.onnx, and so does .*g1.y'
                       'aml; expected one such file'):
        adopt(path, G1, tmp_path / 'policy')


@pytest.mark.parametrize('changes, message', [
    ({'JOINT_KP': None}, r"missing keys \['JOINT_KP'\]; the keys are"),
    ({'JOINT_KD': [1.0]}, 'JOINT_KD: found 1 values, expected 29'),
    ({'DEFAULT_DOF_ANGLES': 'zero'}, 'DEFAULT_DOF_ANGLES: expected a list, found str'),
    ({'dof_names': NAMES[:20]}, 'dof_names: found 20 joints, expected the 29 of robot'),
    ({'dof_names_lower_body': ['foot'] * 15}, "dof_names_lower_body: found .*'foot'.*, expected"),
    ({'obs_dict': {'other': []}}, r"obs_dict: missing keys \['actor_obs'\]"),
    ({'obs_dims': {}}, r"obs_dims: missing keys \['actions'\], a term of obs_dict"),
    ({'obs_scales': {}}, r"obs_scales: missing keys \['actions'\], a term of obs_dict"),
    ({'obs_dict': {'actor_obs': [*DIMS, 'height_scan'][1:]},
      'obs_dims': {**DIMS, 'height_scan': 3},
      'obs_scales': {**CONFIG['obs_scales'], 'height_scan': 1.0}},
     r"obs_dict: found the unknown terms \['height_scan'\]"),
    ({'GAIT_PERIOD': None}, r"missing keys \['GAIT_PERIOD'\], for the terms \['cos_phase', 'sin"),
    ({'GAIT_PERIOD': 0.0}, 'gait_period: found'),
    ({'JOINT_KP': [1000.0] * 29}, 'kp is 1000 Nm/rad'),
    ({'text': 'dof_names_lower_body: ['}, 'g1.yaml: is not valid YAML')])
def test_a_yaml_that_does_not_fit_is_refused_by_its_key_and_nothing_is_written(
        tmp_path, changes, message):
    path, _ = write(tmp_path, **changes)
    with pytest.raises(LocomotionError, match=message):
        adopt(path, G1, tmp_path / 'policies' / 'other')
    assert not (tmp_path / 'policies').exists()


@pytest.mark.parametrize('changes', [
    {'obs_dims': {**DIMS, 'dof_pos': 28}}, {'history_length_dict': {'actor_obs': 5}},
    {'ROBOT_TYPE': 't1_29dof'}])
def test_a_yaml_of_another_length_or_robot_is_not_that_of_the_policy(tmp_path, changes):
    path, _ = write(tmp_path, **changes)
    with pytest.raises(ConfigError, match='missing keys'):
        adopt(path, G1, tmp_path / 'policy')


def test_a_policy_of_the_whole_body_has_a_history_and_a_height(tmp_path):
    dims = {key: 29 if key == 'actions' else size for key, size in DIMS.items()
            if not key.endswith('_phase')}
    dims['command_base_height'] = 1
    path, _ = write(tmp_path, size=(5 * sum(dims.values()), 29), obs_dims=dims, GAIT_PERIOD=None,
                    obs_dict={'actor_obs': list(dims)}, history_length_dict={'actor_obs': 5},
                    obs_scales={**dict.fromkeys(dims, 1.0), 'command_base_height': 2.0},
                    DESIRED_BASE_HEIGHT=0.75)
    adopt(path, G1, tmp_path / 'policy')
    opened = open_policy(tmp_path / 'policy', engine='onnxruntime')
    it = opened.contract
    assert it.commanded is None and it.gait is None
    assert it.command_limits['base_height'].to_config() == [0.5, 0.75, 0.75]
    with np.load(opened.path / 'golden.npz') as golden:
        frames = golden['observation'][40].reshape(5, -1)
    assert frames[:, 33].tolist() == [1.5] * 5  # after actions, angular velocity and turning
    assert np.diff(frames[:, 29]).all()
