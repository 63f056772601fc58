# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A shipped policy.onnx is the whole policy: it walks without this package."""

from __future__ import annotations

import numpy as np
import pytest

from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.policy.onnx_graph import CONTRACT_KEY
from humanoid_locomotion.core.reading.resources import policy_folders
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.state import RobotState

onnx = pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')
pytest.importorskip('mujoco')
from field_reader import FieldReader  # noqa: E402

COMMANDS = ((0.0, 0.0, 0.0), (0.6, 0.0, 0.0), (0.3, 0.2, 0.4), (0.0, 0.0, 0.0))


@pytest.mark.parametrize('seconds', [2.0, pytest.param(20.0, marks=pytest.mark.slow)])
@pytest.mark.parametrize('folder', [
    pytest.param(folder, id=name) for name, folder in policy_folders().items()
    if (folder / 'deploy.yaml').is_file()])  # the policy of the course needs odometry
def test_a_reader_of_the_fields_conventions_gives_the_controllers_actions(
        folder, seconds, tmp_path):
    opened = open_policy(folder, 'onnxruntime')
    contract, controller = opened.contract, opened.controller()
    controller.reset_all()
    robot = load_robot(contract.robot)
    model = onnx.load(folder / 'policy.onnx')
    entries = [it for it in model.metadata_props if it.key == CONTRACT_KEY]
    model.metadata_props.remove(entries[0])
    onnx.save(model, tmp_path / 'policy.onnx')
    reader = FieldReader(tmp_path / 'policy.onnx', robot.mjcf_path, robot.base_height)
    count, differences = int(seconds / contract.control_period), []
    for i in range(count):
        command = np.array(COMMANDS[i * len(COMMANDS) // count])
        qpos, qvel = reader.data.qpos, reader.data.qvel
        state = RobotState(**{key: np.array(value, np.float32)[None] for key, value in {
            'joint_positions': qpos[reader.qpos], 'joint_velocities': qvel[reader.qvel],
            'base_orientation': qpos[[4, 5, 6, 3]], 'base_angular_velocity': qvel[3:6]}.items()})
        targets = controller.step(state, command).positions[0]
        reader.step(command)
        expected = (targets - reader.default) / reader.scale
        differences.append(np.abs(reader.actions - expected).max())
    # While both soles are equally low, rounding decides with which leg the velocity is measured.
    assert np.quantile(differences, 0.99) < 1e-4 and max(differences) < 1e-3
    assert reader.data.qpos[2] > 0.8 * robot.base_height
    assert reader.data.qpos[0] > 0.1 * seconds  # it walks
