# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The leg policy of HOMIE is known by its tensors, and has the layout of its runtime."""

from __future__ import annotations

from foreign_files import G1, write_network
import numpy as np
import onnx
import pytest

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.policy.adoption.homie import TENSORS
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.policy.import_onnx import adopt
from humanoid_locomotion.core.robot import load_robot

pytest.importorskip('onnxruntime')


def write(path, missing=''):
    """Write a network with the tensors of HOMIE's; return the weight that it uses."""
    weight = write_network(path, 456, 12, ends=('input', 'output'))
    model = onnx.load(path)
    for name, shape in TENSORS.items():
        if name != missing:
            model.graph.initializer.append(onnx.numpy_helper.from_array(
                np.zeros(shape, np.float32), name))
    path.write_bytes(model.SerializeToString())
    return weight


def test_it_becomes_the_policy_that_its_runtime_runs(tmp_path):
    weight = write(tmp_path / 'deploy.onnx')
    adopt(tmp_path / 'deploy.onnx', G1, tmp_path / 'policy', beyond_robot=('gains',))
    opened = open_policy(tmp_path / 'policy', engine='onnxruntime')
    it = opened.contract
    assert it.joint_names == G1.joint_names and it.commanded_joints == G1.joint_names[:12]
    assert it.command_limits['base_height'].to_config() == [0.24, 0.74, 0.74]
    assert [it.joints[i].kp for i in (3, 4, 14, 15, 28)] == [300.0, 40.0, 300.0, 150.0, 5.0]
    with np.load(opened.path / 'golden.npz') as golden:
        steps = {key: golden[key].astype(np.float64) for key in golden.files}
    observed = [*range(13), *range(15, 29)]
    pose, frames = it.values('default'), []
    for i in range(35, 41):
        frames += [
            [1.0, 0.0, 0.0, 0.74], 0.5 * steps['base_angular_velocity'][i],
            steps['observation'][i][-69:-66], (steps['joint_positions'][i] - pose)[observed],
            0.05 * steps['joint_velocities'][i][observed], steps['action'][i - 1]]
    expected = np.concatenate(frames)
    assert steps['observation'][40] == pytest.approx(expected, abs=1e-5)
    action = np.tanh(expected @ weight)
    assert steps['joint_targets'][40] == pytest.approx(
        np.concatenate((pose[:12] + 0.25 * action, np.zeros(17))), abs=1e-5)


@pytest.mark.parametrize('missing, robot', [('estimator.0.weight', 'unitree_g1'),
                                            ('', 'unitree_h1')])
def test_another_network_or_robot_is_not_taken_for_it(tmp_path, missing, robot):
    write(tmp_path / 'deploy.onnx', missing)
    with pytest.raises(ConfigError, match='missing keys'):
        adopt(tmp_path / 'deploy.onnx', load_robot(robot), tmp_path / 'policy')
    assert not (tmp_path / 'policy').exists()
