# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Files as other training stacks write them, around small random networks for the G1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from humanoid_locomotion.core.robot import load_robot

G1 = load_robot('unitree_g1')
JOINTS = list(range(29))[::-1]  # motor of each joint of the policy: an order of its own


def write_network(path: Path, obs_size: int, num_actions: int = 29,
                  ends: tuple[str, str] = ('obs', 'actions'), metadata: dict | None = None,
                  weights_file: str = '', opset: int = 17) -> np.ndarray:
    """Write a network that gives tanh(observation @ weight); return the weight."""
    from onnx import TensorProto, helper, numpy_helper
    weight = np.random.default_rng(0).normal(0, 0.1, (obs_size, num_actions)).astype(np.float32)
    tensor = numpy_helper.from_array(weight, 'weight')
    path.parent.mkdir(parents=True, exist_ok=True)
    if weights_file:
        (path.parent / weights_file).write_bytes(b'\0' * 16 + tensor.raw_data)
        tensor.ClearField('raw_data')
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (('location', weights_file), ('offset', '16'),
                           ('length', str(weight.nbytes))):
            tensor.external_data.add(key=key, value=value)
    graph = helper.make_graph(
        [helper.make_node('MatMul', [ends[0], 'weight'], ['sum']),
         helper.make_node('Tanh', ['sum'], [ends[1]])], 'other',
        [helper.make_tensor_value_info(ends[0], TensorProto.FLOAT, [1, obs_size])],
        [helper.make_tensor_value_info(ends[1], TensorProto.FLOAT, [1, num_actions])], [tensor])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)], ir_version=7)
    helper.set_model_props(model, metadata or {})
    path.write_bytes(model.SerializeToString())
    return weight


def deploy() -> dict[str, Any]:
    """Give the content of a deploy.yaml: history of five steps, joints in reverse."""
    def term(size: int, scale: float = 1.0, **params: object) -> dict[str, Any]:
        return {'params': params, 'clip': None, 'scale': [scale] * size, 'history_length': 5}

    pose = [0.01 * i for i in range(29)]
    return {
        'joint_ids_map': list(JOINTS), 'step_dt': 0.02,
        'stiffness': [float(joint.kp) + 0.001 * i for i, joint in enumerate(G1.joints)],
        'damping': [float(joint.kd) for joint in G1.joints], 'default_joint_pos': pose,
        'commands': {'base_velocity': {'ranges': {
            'lin_vel_x': [-0.5, 1.0], 'lin_vel_y': [-0.3, 0.3], 'ang_vel_z': [-0.2, 0.2],
            'heading': None}}},
        'actions': {'JointPositionAction': {
            'clip': None, 'joint_names': ['.*'], 'scale': [0.25] * 29, 'offset': list(pose),
            'joint_ids': 'SLICE'}},
        'observations': {
            'base_ang_vel': term(3, 0.2), 'projected_gravity': term(3),
            'velocity_commands': {**term(3, command_name='base_velocity'),
                                  'scale': [2.0, 2.0, 0.25]},
            'joint_pos_rel': term(29), 'joint_vel_rel': term(29, 0.05), 'last_action': term(29),
            'gait_phase': term(2, period=0.8)}}


def write_deploy(path: Path, data: dict[str, Any]) -> Path:
    """Write a deploy.yaml, with the tag that PyYAML writes for Python's slice."""
    text = yaml.safe_dump(data, sort_keys=False, default_flow_style=None)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace(
        'SLICE', '!!python/object/apply:builtins.slice [null, null, null]'))
    return path


def holosoma() -> dict[str, str]:
    """Give the metadata of a locomotion policy of holosoma."""
    return {key: json.dumps(value) for key, value in {
        'dof_names': G1.joint_names, 'kp': [joint.kp for joint in G1.joints],
        'kd': [joint.kd for joint in G1.joints],
        'command_ranges': {'lin_vel_x': [-1.0, 1.0], 'lin_vel_y': [-0.5, 0.5],
                           'ang_vel_yaw': [-1.0, 1.0], 'heading': [-3.14, 3.14]}}.items()}
