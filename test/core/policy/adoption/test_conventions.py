# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Flat keys mean what the field means by them: targets are those of a reference of its own."""

from __future__ import annotations

from foreign_files import G1, write_network
import numpy as np
import pytest
import yaml

from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.policy.import_onnx import adopt
from humanoid_locomotion.core.state import RobotState

pytest.importorskip('onnxruntime')

# Left and right in turn from the base outwards, as Isaac Lab counts joints.
JOINTS = sorted(G1.joint_names, key=lambda name: (
    [it.partition('_')[2] for it in G1.joint_names].index(name.partition('_')[2]), name))
LEGS = [name for name in JOINTS if any(it in name for it in ('hip', 'knee', 'ankle'))]
SOME = [name for name in JOINTS if name not in ('waist_roll_joint', 'waist_pitch_joint')]
POSE = dict(zip(JOINTS, np.arange(29) * 0.01))
SCALE = dict(zip(JOINTS, 0.1 + np.arange(29) * 0.01))
COMMAND, PERIOD = np.array([0.5, -0.2, 0.3]), 0.8
CLIPS = [0.3, 1.0, 0.5, 0.2, 4.0, 0.3, 0.7]


@pytest.mark.parametrize('moved', [LEGS, [*LEGS[::-1], 'waist_yaw_joint']])
@pytest.mark.parametrize('order, history, observed, clips', [
    ('frame', 6, JOINTS, None), ('term', 5, SOME, None), ('term', 2, JOINTS, CLIPS)])
def test_targets_are_those_of_the_fields_conventions(
        tmp_path, order, history, observed, clips, moved):
    n, m = len(observed), len(moved)
    factors = [2.0, 2.0, 0.25, *[0.5] * 3, *[1.0] * (3 + n), *[0.05] * n, *[1.0] * (m + 2)]
    gains = {joint.name: (joint.kp, joint.kd) for joint in G1.joints}
    fill = tmp_path / 'fill.yaml'
    fill.write_text(yaml.safe_dump({
        'joint_names': JOINTS, 'joint_stiffness': [float(gains[it][0]) for it in JOINTS],
        'joint_damping': [float(gains[it][1]) for it in JOINTS],
        'default_joint_pos': [float(it) for it in POSE.values()],
        'action_scale': [float(it) for it in SCALE.values()], 'control_period': 0.02,
        'observation_names': ['command', 'base_ang_vel', 'projected_gravity', 'joint_pos',
                              'joint_vel', 'actions', 'phase'],
        'observation_scales': factors, 'observation_clips': clips or 'inf',
        'observation_history': history, 'observation_history_order': order,
        'observation_joints': list(observed), 'commanded_joints': moved, 'command_names': 'twist',
        'command_lower': [-1.0] * 3, 'command_upper': [1.0] * 3, 'gait_period': PERIOD,
        'gait_moving_threshold': -1.0}))
    weight = write_network(tmp_path / 'policy.onnx', history * len(factors), m)
    adopt(tmp_path / 'policy.onnx', G1, tmp_path / 'theirs', fill)
    opened = open_policy(tmp_path / 'theirs', engine='onnxruntime')
    controller, names = opened.controller(), opened.contract.joint_names
    controller.reset_all()
    rng, action, frames = np.random.default_rng(0), np.zeros(m), []
    for i in range(10):
        at, speed = (dict(zip(JOINTS, size * rng.normal(size=29))) for size in (0.3, 3.0))
        turning, phase = rng.normal(size=3), 2.0 * np.pi * i * 0.02 / PERIOD
        terms = [COMMAND, turning, np.array([0.0, 0.0, -1.0]),
                 np.array([at[it] - POSE[it] for it in observed]),
                 np.array([speed[it] for it in observed]), action,
                 np.array([np.sin(phase), np.cos(phase)])]
        ends = np.cumsum([len(it) for it in terms])[:-1]
        terms = [np.clip(it, -most, most) for it, most in zip(terms, clips or [np.inf] * 7)]
        terms = [it * factor for it, factor in zip(terms, np.split(np.array(factors), ends))]
        frames = [*(frames or [terms] * history), terms][-history:]
        joined = frames if order == 'frame' else zip(*frames)
        action = np.tanh(np.concatenate([np.concatenate(it) for it in joined]) @ weight)
        expected = {**POSE, **{it: POSE[it] + SCALE[it] * a for it, a in zip(moved, action)}}
        got = controller.step(RobotState(**{key: np.array([value], np.float32) for key, value in {
            'joint_positions': [at[it] for it in names],
            'joint_velocities': [speed[it] for it in names],
            'base_orientation': [0.0, 0.0, 0.0, 1.0], 'base_angular_velocity': turning}.items()}),
            COMMAND).positions[0]
        assert got == pytest.approx([expected[it] for it in names], abs=1e-5)
