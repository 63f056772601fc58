# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A policy with Unitree's deploy.yaml is imported as its runtime runs it, or refused by a key."""

from __future__ import annotations

from functools import reduce

from foreign_files import G1, JOINTS, deploy, write_deploy, write_network
import numpy as np
import pytest

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.policy.import_onnx import adopt

pytest.importorskip('onnxruntime')

SIZE = 5 * (3 + 3 + 3 + 29 + 29 + 29 + 2)


def files(tmp_path, data, place='params', size=SIZE):
    """Write a policy and its deploy.yaml; return the policy's path."""
    network = tmp_path / 'exported' / 'policy.onnx'
    write_network(network, size)
    write_deploy((network.parent if place == '.' else tmp_path / place) / 'deploy.yaml', data)
    return network


@pytest.mark.parametrize('place', ['params', '.'])
def test_it_becomes_the_policy_that_its_runtime_runs(tmp_path, place):
    adopt(files(tmp_path, deploy(), place), G1, tmp_path / 'theirs')
    opened = open_policy(tmp_path / 'theirs', engine='onnxruntime')
    it = opened.contract
    names = [G1.joint_names[i] for i in JOINTS]
    assert it.joint_names == names and it.control_period == 0.02
    # Gains are in the order of the motors; pose and scale in that of the policy.
    assert it.values('kp').tolist() == [deploy()['stiffness'][i] for i in JOINTS]
    assert it.values('default').tolist() == [0.01 * i for i in range(29)]
    assert it.command_limits['ang_vel_z'].to_config() == [-0.2, 0.2]
    assert (it.gait.period, it.gait.moving_threshold) == (0.8, -1.0)  # it never rests
    assert it.observation.terms[2].scale == (2.0, 2.0, 0.25)
    with np.load(opened.path / 'golden.npz') as golden:
        steps = {key: golden[key] for key in golden.files}
    last = slice(60, 65)
    obs = steps['observation'][64]
    assert obs[:15] == pytest.approx(0.2 * steps['base_angular_velocity'][last].ravel(), abs=1e-6)
    at = 5 * 9
    from_default = steps['joint_positions'][last] - 0.01 * np.arange(29)
    assert obs[at:at + 145] == pytest.approx(from_default.ravel(), abs=1e-6)
    at += 2 * 145
    assert obs[at:at + 145] == pytest.approx(steps['action'][59:64].ravel(), abs=1e-6)


def test_its_targets_are_clipped_only_if_somebody_says_so(tmp_path):
    wide, narrow = deploy(), deploy()
    wide['actions']['JointPositionAction']['scale'] = [2.0] * 29  # tanh moves by up to two radians
    narrow['actions']['JointPositionAction']['clip'] = [
        [0.01 * i - 0.02, 0.01 * i + 0.02] for i in range(29)]
    contracts, targets = {}, {}
    asked = {'clip_targets': 'true'}
    for name, data, options in (('as it is', wide, None), ('asked', wide, asked),
                                ('its own', narrow, None)):
        rows = adopt(files(tmp_path / name, data), G1, tmp_path / name / 'p', options=options)
        contracts[name] = open_policy(tmp_path / name / 'p', engine='onnxruntime').contract
        with np.load(tmp_path / name / 'p' / 'golden.npz') as golden:
            targets[name] = golden['joint_targets']
        assert ('clip_targets', 'true' if name != 'as it is' else 'false') in [
            row[:2] for row in rows]
    lower, upper = (contracts['as it is'].values(key) for key in ('lower', 'upper'))
    assert contracts['as it is'].beyond_robot == ('targets',)
    assert np.any(targets['as it is'] > upper + 0.1) or np.any(targets['as it is'] < lower - 0.1)
    assert contracts['asked'].beyond_robot is None
    assert np.all(targets['asked'] <= upper + 1e-6) and np.all(targets['asked'] >= lower - 1e-6)
    assert np.abs(targets['its own'] - 0.01 * np.arange(29)).max() == pytest.approx(0.02, abs=1e-5)


def test_a_clip_that_no_action_reaches_is_none(tmp_path):
    data = deploy()
    for i, reach in enumerate((100.0, 20.0)):  # actions of up to 100 move by up to 25 rad
        data['actions']['JointPositionAction']['clip'] = [[-reach, reach] for _ in range(29)]
        network = files(tmp_path / str(i), data)
        if reach > 25.0:
            adopt(network, G1, tmp_path / 'theirs')
            it = open_policy(tmp_path / 'theirs', engine='onnxruntime').contract
            assert it.beyond_robot == ('targets',)
        else:
            with pytest.raises(LocomotionError, match='targets go from -20 to 20 rad'):
                adopt(network, G1, tmp_path / 'others')


def test_a_link_to_itself_is_no_missing_file(tmp_path):
    network = files(tmp_path, deploy())
    path = tmp_path / 'params' / 'deploy.yaml'
    path.unlink()
    path.symlink_to(path.name)
    with pytest.raises(LocomotionError, match=r'deploy\.yaml: cannot be read'):
        adopt(network, G1, tmp_path / 'theirs')


def test_a_clock_of_ones_own_goes_on_at_rest_and_frames_are_joined_if_the_file_says_so(tmp_path):
    data = deploy()
    terms = data['observations']
    terms['gait_phase_my'] = terms.pop('gait_phase')
    terms['use_gym_history'] = True
    adopt(files(tmp_path, data), G1, tmp_path / 'theirs')
    it = open_policy(tmp_path / 'theirs', engine='onnxruntime').contract
    assert (it.gait.moving_threshold, it.gait.at_rest) == (0.1, 'running')
    assert (it.observation.history, it.observation.history_order) == (5, None)


ACTION, TERM = 'actions.JointPositionAction', 'observations.base_ang_vel'


@pytest.mark.parametrize('key, value, message', [
    ('step_dt', None, r'step_dt: expected float, found NoneType'),
    ('step_dt', 0.5, 'control_period is 0.5 s, allowed is'),
    ('stiffness', [40.0] * 28, 'stiffness: found 28 values, expected 29'),
    ('stiffness', [float('nan')] * 29, r'stiffness: found \[nan, nan, .*expected numbers'),
    ('damping', ['soft'] * 29, r'damping\[0\]: expected float, found str'),
    ('joint_ids_map', [0, 0, *range(1, 28)], 'joint_ids_map: found .*once each, of 0 to 28'),
    ('joint_ids_map', [], r'joint_ids_map: found \[\], expected motors of robot'),
    ('joint_ids_map', [*range(28), 99], 'joint_ids_map: found .* expected motors of robot'),
    ('commands', {}, r"commands: missing keys \['base_velocity'\]"),
    ('commands.base_velocity.ranges.lin_vel_x', [1.0], 'lin_vel_x: expected 2 values, found 1'),
    (f'{ACTION}.offset', [1.0] * 29, r'offset\[0\]: found 1.0, expected 0.0 as in default_joint'),
    (f'{ACTION}.scale', [0.25], 'JointPositionAction.scale: found 1 values, expected 29'),
    (f'{ACTION}.joint_ids', [0, 1, 2], r'joint_ids: found \[0, 1, 2\], expected null: all 29'),
    (f'{ACTION}.clip', [[-1.0, 1.0]], 'JointPositionAction.clip: found 1 values, expected 29'),
    ('actions', {'JointVelocityAction': {}}, r"actions: unknown keys \['JointVelocityAction'\]"),
    ('observations.height_scan', {}, 'observations.height_scan: is an unknown term; expected'),
    (f'{TERM}.scale', [0.2, 0.2], r'base_ang_vel.scale: found 2 values, expected 3'),
    (f'{TERM}.history_length', 3, r'found terms with history_length \[3, 5\], expected'),
    (f'{TERM}.clip', [-1.0, 2.0], r'base_ang_vel.clip: found \[-1.0, 2.0\], expected \[-x, x\]'),
    (f'{TERM}.clip', [1.0, -1.0], r'base_ang_vel.clip: found \[1.0, -1.0\], expected \[-x, x\]'),
    (f'{TERM}.clip', [0.0, 0.0], r'base_ang_vel.clip: found \[0.0, 0.0\], expected \[-x, x\]'),
    ('observations.gait_phase_my', {'params': {'period': 0.5}, 'history_length': 5},
     'observations.gait_phase_my: is a second clock, expected one of'),
    (f'{TERM}.noise', 0.1, r"base_ang_vel: unknown keys \['noise'\]; the keys are \['clip',"),
    ('observations.gait_phase.params', {}, 'gait_phase.params.period: is missing, expected'),
    ('observations.joint_pos_rel.params.asset_cfg', {'joint_ids': [4]},
     r'joint_pos_rel.params.asset_cfg.joint_ids: found \[4\], expected null'),
    ('observations', {}, r'observations: found terms with history_length \[\], expected one'),
    ('default_joint_pos', [9.0] * 29, 'offset.0.: found 0.0, expected 9.0')])
def test_a_file_that_does_not_fit_is_refused_by_its_key_and_nothing_is_written(
        tmp_path, key, value, message):
    data = deploy()
    *path, last = key.split('.')
    reduce(dict.__getitem__, path, data)[last] = value
    network = files(tmp_path, data)
    with pytest.raises(LocomotionError, match=message) as caught:
        adopt(network, G1, tmp_path / 'theirs' / 'policy')
    assert 'deploy.yaml' in str(caught.value) or 'policy.onnx' in str(caught.value)
    assert not (tmp_path / 'theirs').exists()


def test_no_tag_is_constructed(tmp_path):
    network = files(tmp_path, deploy())
    path = tmp_path / 'params' / 'deploy.yaml'
    path.write_text(path.read_text().replace('builtins.slice', 'os.system'))
    with pytest.raises(LocomotionError, match=r'deploy.yaml: line \d+ has the tag .*os.system'):
        adopt(network, G1, tmp_path / 'theirs')


def test_a_network_of_another_size_is_refused_with_the_sizes_of_its_terms(tmp_path):
    network = files(tmp_path, deploy(), size=SIZE - 10)
    with pytest.raises(LocomotionError, match=r'takes 480 observations, but .* 490: 5 times \('):
        adopt(network, G1, tmp_path / 'theirs')
