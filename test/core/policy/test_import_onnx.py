# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A policy of another stack becomes a folder of ours, or is refused and nothing is written."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
import yaml

from humanoid_locomotion.core.errors import ConfigError, JointsError, LocomotionError, PolicyError
from humanoid_locomotion.core.feedback.kinematics import leg_spec
from humanoid_locomotion.core.feedback.velocity_feedback import IntegralSpec, LinearLoopSpec
from humanoid_locomotion.core.policy.engines import open_engine
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.policy.import_onnx import adopt, with_metadata
from humanoid_locomotion.core.robot import load_robot

onnx = pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

ROBOT = load_robot('unitree_g1')
LEGS = ROBOT.joint_names[:12][::-1]  # an order that is not the robot's
TERMS = {'base_ang_vel': 3, 'projected_gravity': 3, 'command': 3, 'joint_pos': 12,
         'joint_vel': 12, 'actions': 12}
METADATA = {
    'run_path': 'somewhere/else', 'joint_names': ','.join(LEGS),
    'joint_stiffness': ','.join(['100.000'] * 12), 'joint_damping': ','.join(['2.000'] * 12),
    'default_joint_pos': ','.join(f'{0.01 * i:.3f}' for i in range(12)), 'action_scale': '0.250',
    'observation_names': ','.join(TERMS), 'command_names': 'twist'}
FILL = {'control_period': 0.02, 'observation_scales': [0.25, 1.0, 1.0, 1.0, 0.05, 1.0],
        'command_lower': [-0.5, -0.3, -0.5], 'command_upper': [1.0, 0.3, 0.5]}


def network(path, obs_size=sum(TERMS.values()), batch=1, factor=1.0, **changes):
    """Write an ONNX file that gives tanh(observation @ weight), as no network of ours does."""
    from onnx import TensorProto, helper, numpy_helper
    weight = factor * np.random.default_rng(0).normal(0.0, 0.1, (obs_size, 12)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node('MatMul', ['obs', 'weight'], ['sum'], name='value_0'),  # as in ours
         helper.make_node('Tanh', ['sum'], ['actions'])], 'other',
        [helper.make_tensor_value_info('obs', TensorProto.FLOAT, [batch, obs_size])],
        [helper.make_tensor_value_info('actions', TensorProto.FLOAT, [batch, 12])],
        [numpy_helper.from_array(weight, 'weight')])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    entries = {key: value for key, value in {**METADATA, **changes}.items() if value is not None}
    helper.set_model_props(model, entries)
    path.write_bytes(model.SerializeToString())
    return path, weight


def fill(tmp_path, **changes):
    """Write the YAML that fills the metadata up."""
    path = tmp_path / 'missing.yaml'
    path.write_text(yaml.safe_dump({**FILL, **changes}))
    return path


def test_an_adopted_policy_can_be_given_the_loops_over_its_velocity(tmp_path):
    path, _ = network(tmp_path / 'other.onnx')
    loop = {'yaw_rate_integral_gain': 1.0, 'yaw_rate_integral_limit': 0.2,
            'linear_velocity_loop_gain': 0.5, 'linear_velocity_loop_limit': 0.3,
            'linear_velocity_loop_damping': 0.5, 'linear_velocity_loop_stiffness': 4.0}
    for name, keys in (('alone', {}), ('looped', loop)):
        adopt(path, ROBOT, tmp_path / name, fill(tmp_path, **keys))
    alone, looped = (open_policy(tmp_path / name, engine='onnxruntime').contract
                     for name in ('alone', 'looped'))
    assert alone.yaw_rate_integral is None and alone.legs is None
    assert looped.yaw_rate_integral == IntegralSpec(gain=1.0, limit=0.2)
    assert looped.linear_velocity_loop == LinearLoopSpec(
        gain=0.5, limit=0.3, damping=0.5, stiffness=4.0)
    assert looped.legs == tuple(leg_spec(ROBOT, sole) for sole in ROBOT.soles)


def test_an_adopted_policy_opens_and_is_what_its_keys_say(tmp_path):
    path, weight = network(tmp_path / 'other.onnx')
    rows = adopt(path, ROBOT, tmp_path / 'policies' / 'other', fill(tmp_path))
    opened = open_policy(tmp_path / 'policies' / 'other', engine='onnxruntime')
    it = opened.contract
    assert (it.robot, it.joint_names, it.control_period) == ('unitree_g1', LEGS, 0.02)
    assert it.values('action_scale').tolist() == [0.25] * 12
    for key in ('lower', 'upper', 'effort'):  # nobody else says these, so the robot does
        by_name = dict(zip(ROBOT.joint_names, ROBOT.values(key)))
        assert it.values(key).tolist() == [by_name[name] for name in LEGS]
    # The network gets each term where and as it was told.
    with np.load(opened.path / 'golden.npz') as golden:
        step = {key: golden[key][3].astype(np.float64) for key in golden.files}
    obs = step['observation']
    assert obs[:3] == pytest.approx(0.25 * step['base_angular_velocity'], abs=1e-6)
    assert obs[9:21] == pytest.approx(step['joint_positions'] - 0.01 * np.arange(12), abs=1e-6)
    assert obs[21:33] == pytest.approx(0.05 * step['joint_velocities'], abs=1e-6)
    action = np.tanh(obs @ weight)
    assert step['action'] == pytest.approx(action, abs=1e-5)
    targets = np.clip(0.01 * np.arange(12) + 0.25 * action, it.values('lower'), it.values('upper'))
    assert step['joint_targets'] == pytest.approx(targets, abs=1e-5)
    origins = {key: origin for key, _, origin in rows}
    assert origins['joint_stiffness'] == str(path)
    assert origins['control_period'] == str(tmp_path / 'missing.yaml')
    assert origins['joint_effort'] == 'robot.yaml'
    card = (opened.path / 'card.md').read_text()
    assert '| control_period | 0.02 |' in card and 'other.onnx' in card


@pytest.mark.parametrize('write', [json.dumps, repr])
def test_metadata_may_be_lists_of_json_or_python(tmp_path, write):
    values = {'joint_names': LEGS, 'joint_stiffness': [100.0] * 12, 'command_names': ['twist'],
              'observation_names': list(TERMS)}
    path, _ = network(tmp_path / 'lists.onnx', **{key: write(it) for key, it in values.items()})
    adopt(path, ROBOT, tmp_path / 'lists', fill(tmp_path))
    adopt(network(tmp_path / 'words.onnx')[0], ROBOT, tmp_path / 'words', fill(tmp_path))
    one, other = (open_policy(tmp_path / name, engine='onnxruntime').contract.fingerprint
                  for name in ('lists', 'words'))
    assert one == other


def test_a_network_for_one_robot_runs_for_many(tmp_path):
    path, weight = network(tmp_path / 'other.onnx')
    obs = np.random.default_rng(1).normal(size=(5, 45)).astype(np.float32)
    got = open_engine(path, 'onnxruntime')(obs)
    assert got == pytest.approx(np.tanh(obs @ weight), abs=1e-5)


def test_on_a_machine_with_a_gpu_it_runs_where_it_can(tmp_path, monkeypatch):
    from humanoid_locomotion.core.policy import engines
    monkeypatch.setattr(engines, '_torch_has_gpu', lambda: True)
    path, _ = network(tmp_path / 'other.onnx')
    assert open_engine(path, 'auto').name == 'onnxruntime'


@pytest.mark.parametrize('length', [1, 127, 128, 20000])
def test_an_entry_is_added_as_onnx_itself_would(tmp_path, length):
    path, _ = network(tmp_path / 'other.onnx')
    before = onnx.load(path)
    after = onnx.load_from_string(with_metadata(path.read_bytes(), 'key', 'ü' * length))
    assert after.graph == before.graph
    entries = {entry.key: entry.value for entry in after.metadata_props}
    assert entries == {**METADATA, 'key': 'ü' * length}
    onnx.checker.check_model(after)


@pytest.mark.parametrize('changes, kind, message', [
    ({'joint_stiffness': None}, ConfigError, r"missing keys \['joint_stiffness'\]"),
    ({'observation_names': 'height_scan'}, ConfigError, r"observation_names: .*'height_scan'"),
    ({'joint_names': METADATA['joint_names'].replace('left_knee', 'left_knie')}, JointsError,
     r"other.onnx: joint_names: robot 'unitree_g1': missing joints \['left_knie_joint'\]"),
    ({'robot': 'unitree_h1'}, ConfigError, "robot: found 'unitree_h1', expected 'unitree_g1'"),
    ({'factor': float('nan')}, PolicyError, 'other.onnx: returns actions that are not finite'),
    ({'joint_damping': '2.0,,' + ','.join(['2.0'] * 11)}, ConfigError,
     r"other.onnx: joint_damping: found \['2.0', '', '2.0'"),
    ({'joint_names': None, 'observation_names': None}, ConfigError,
     r"missing keys \['joint_names', 'observation_names'\].*in a YAML file for --fill"),
    ({'obs_size': 48}, PolicyError, r'takes 48 observations, but the contract describes 45: '
     r'1 times \(base_angular_velocity 3, projected_gravity 3, velocity_command 3,'),
    ({'humanoid_locomotion.contract': '{}'}, PolicyError, 'this package wrote it')])
def test_what_cannot_be_run_is_refused_and_nothing_is_written(tmp_path, changes, kind, message):
    path, _ = network(tmp_path / 'other.onnx', **changes)
    with pytest.raises(kind, match=message):
        adopt(path, ROBOT, tmp_path / 'policies' / 'other', fill(tmp_path))
    assert not (tmp_path / 'policies').exists()


def test_a_key_that_does_not_exist_is_refused(tmp_path):
    path, _ = network(tmp_path / 'other.onnx')
    with pytest.raises(ConfigError, match=r"missing.yaml: unknown keys \['control_dt'\]; the key"):
        adopt(path, ROBOT, tmp_path / 'other', fill(tmp_path, control_dt=0.02))


def test_without_a_fill_the_command_asks_for_what_is_missing(tmp_path):
    path, _ = network(tmp_path / 'other.onnx')
    with pytest.raises(ConfigError, match=r"missing keys \['control_period', 'observation_scales',"
                       r" 'command_lower', 'command_upper'\]"):
        adopt(path, ROBOT, tmp_path / 'other')


def test_a_link_to_a_policy_stays_one(tmp_path):
    path, _ = network(tmp_path / 'other.onnx')
    (tmp_path / 'latest').symlink_to('first')
    fingerprints = []
    for period in (0.02, 0.01):
        adopt(path, ROBOT, tmp_path / 'latest', fill(tmp_path, control_period=period))
        fingerprints.append(open_policy(tmp_path / 'first', 'onnxruntime').contract.fingerprint)
    assert (tmp_path / 'latest').is_symlink() and len(set(fingerprints)) == 2
    assert {it.name for it in tmp_path.iterdir()} == {
        'other.onnx', 'missing.yaml', 'latest', 'first'}


def test_a_folder_that_is_no_policy_is_left_alone(tmp_path):
    path, _ = network(tmp_path / 'other.onnx')
    (tmp_path / 'thesis').mkdir()
    with pytest.raises(LocomotionError, match='exists and is not a policy folder'):
        adopt(path, ROBOT, tmp_path / 'thesis', fill(tmp_path))
    assert list((tmp_path / 'thesis').iterdir()) == []


@pytest.mark.parametrize('changes, message', [
    ({'joint_stiffness': ','.join(['700'] * 12)}, 'kp is 700 Nm/rad, 24.6 times the robot'),
    ({'joint_damping': ','.join(['0'] * 12)}, 'kd must be above 0, found 0.0'),
    ({'joint_damping': ','.join(['-5'] * 12)}, 'kd must be above 0, found -5.0'),
    ({'joint_effort': '1e9,' * 12}, r'effort is 1e\+09 Nm, the robot has'),
    ({'joint_lower': '-1e6,' * 12, 'joint_upper': '1e6,' * 12}, 'targets go from'),
    ({'default_joint_pos': '3,' * 12}, 'default 3.0 is outside the limits'),
    ({'action_scale': '1e6'}, r'action_scale is 1e\+06 rad'),
    ({'control_period': '1e-9'}, 'control_period is 1e-09 s'),
    ({'control_period': '0.9'}, 'control_period is 0.9 s')])
def test_a_policy_that_asks_for_more_than_the_robot_allows_is_refused(tmp_path, changes, message):
    path, _ = network(tmp_path / 'other.onnx')
    figures = {key: value.strip(',') for key, value in changes.items()}
    with pytest.raises(LocomotionError, match=message):
        adopt(path, ROBOT, tmp_path / 'policies' / 'other', fill(tmp_path, **figures))
    assert not (tmp_path / 'policies').exists()


def test_what_is_accepted_beyond_the_robot_stands_in_contract_and_card(tmp_path):
    path, _ = network(tmp_path / 'other.onnx', joint_stiffness='150,' * 11 + '150')
    with pytest.raises(PolicyError, match='--beyond-robot gains'):
        adopt(path, ROBOT, tmp_path / 'other', fill(tmp_path))
    adopt(path, ROBOT, tmp_path / 'other', fill(tmp_path), ('gains',))
    opened = open_policy(tmp_path / 'other', engine='onnxruntime')
    assert opened.contract.beyond_robot == ('gains', 'targets')
    assert 'Accepted beyond the bounds of the robot: gains: kp and kd by a factor of 0.05 ' in (
        opened.path / 'card.md').read_text()


def test_the_order_of_a_history_is_asked_for_by_name(tmp_path):
    path, _ = network(tmp_path / 'other.onnx', obs_size=90)
    filled = fill(tmp_path, observation_history=2)
    with pytest.raises(ConfigError, match=r"missing keys \['observation_history_order'\].*frame if"
                       ' .* term if .*--history-order'):
        adopt(path, ROBOT, tmp_path / 'other', filled)
    adopt(path, ROBOT, tmp_path / 'other', filled,
          options={'observation_history_order': 'term'})
    it = open_policy(tmp_path / 'other', engine='onnxruntime').contract.observation
    assert (it.history, it.history_order) == (2, 'term')


@pytest.mark.parametrize('name', ['other.onnx', 'missing.yaml'])
def test_a_fifo_is_refused_and_not_waited_for(tmp_path, name):
    path, _ = network(tmp_path / 'other.onnx')
    filled = fill(tmp_path)
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    with pytest.raises(LocomotionError, match=f'{name}: is a FIFO, expected a regular file'):
        adopt(path, ROBOT, tmp_path / 'policy', filled)
