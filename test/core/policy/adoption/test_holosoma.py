# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A locomotion policy of holosoma is imported as its runtime runs it, or refused by a key."""

from __future__ import annotations

import json

from foreign_files import G1, holosoma, write_network
import numpy as np
import pytest

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.policy.import_onnx import adopt
from humanoid_locomotion.core.robot import load_robot

pytest.importorskip('onnxruntime')

ENDS = ('actor_obs', 'action')


def test_it_becomes_the_policy_that_its_runtime_runs(tmp_path):
    weight = write_network(tmp_path / 'theirs.onnx', 100, ends=ENDS, metadata=holosoma())
    adopt(tmp_path / 'theirs.onnx', G1, tmp_path / 'policy')
    opened = open_policy(tmp_path / 'policy', engine='onnxruntime')
    it = opened.contract
    assert it.command_limits['ang_vel_z'].to_config() == [-1.0, 1.0]
    assert it.joints[3].default == 0.669 and it.joints[23].default == -0.2
    with np.load(opened.path / 'golden.npz') as golden:
        steps = {key: golden[key] for key in golden.files}
    standing, walking = steps['observation'][10], steps['observation'][30]
    assert standing[29:32] == pytest.approx(0.25 * steps['base_angular_velocity'][10], abs=1e-6)
    assert walking[32:35] == pytest.approx([0.0, 0.5, 0.0], abs=1e-6)  # turning, forward, left
    # Both legs are half a stride on while standing; walking begins with the left one.
    assert standing[35:37].tolist() == [-1.0, -1.0] and standing[98:].tolist() == [0.0, 0.0]
    angle = 2.0 * np.pi * 0.02 * 5
    assert walking[35:37] == pytest.approx([np.cos(angle), -np.cos(angle)], abs=1e-5)
    assert walking[98:] == pytest.approx([np.sin(angle), -np.sin(angle)], abs=1e-5)
    action = np.tanh(walking @ weight)
    assert steps['action'][30] == pytest.approx(action, abs=1e-5)
    assert steps['joint_targets'][30] == pytest.approx(
        it.values('default') + 0.25 * action, abs=1e-5)


@pytest.mark.parametrize('changes, message', [
    ({'kp': None}, r"missing keys \['kp'\]; the keys are \['command_ranges', 'dof_names', 'kd'"),
    ({'kp': '[1, 2]'}, 'kp: found 2 values, expected 29: one for each of dof_names'),
    ({'kd': '"soft"'}, 'kd: expected a list, found str'),
    ({'kd': '[NaN]'}, 'theirs.onnx: kd: is not valid JSON'),
    ({'kp': json.dumps([900.0] * 29)}, 'kp is 900 Nm/rad, 22.4 times the robot'),
    ({'dof_names': '{}'}, 'dof_names: expected a list, found dict'),
    ({'dof_names': json.dumps([f'j{i}' for i in range(29)])}, r"missing joints \['j0', 'j1'"),
    ({'command_ranges': '{"lin_vel_x": [-1, 1]}'}, r"command_ranges: missing keys \['lin_vel_y'"),
    ({'command_ranges': '{"lin_vel_x": [1]}'}, 'lin_vel_x: expected 2 values, found 1'),
    ({'command_ranges': json.dumps({axis: [0.5, 1.0] for axis in (
        'lin_vel_x', 'lin_vel_y', 'ang_vel_yaw')})}, 'range must contain 0'),
    ({'dof_names': '[' * 100}, 'theirs.onnx: dof_names: is not valid JSON')])
def test_metadata_that_do_not_fit_are_refused_by_their_key_and_nothing_is_written(
        tmp_path, changes, message):
    metadata = {key: value for key, value in {**holosoma(), **changes}.items() if value}
    write_network(tmp_path / 'theirs.onnx', 100, ends=ENDS, metadata=metadata)
    with pytest.raises(LocomotionError, match=message) as caught:
        adopt(tmp_path / 'theirs.onnx', G1, tmp_path / 'theirs' / 'policy')
    assert 'theirs.onnx' in str(caught.value)
    assert not (tmp_path / 'theirs').exists()


def test_a_robot_without_a_configuration_is_refused(tmp_path):
    write_network(tmp_path / 'theirs.onnx', 100, ends=ENDS, metadata=holosoma())
    with pytest.raises(LocomotionError, match="unknown robot of a holosoma policy 'unitree_h1'"):
        adopt(tmp_path / 'theirs.onnx', load_robot('unitree_h1'), tmp_path / 'policy')
