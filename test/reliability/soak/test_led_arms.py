# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Walks with led arms are judged by falls, safety rules and by whether the arms were led."""

import dataclasses

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')
pytest.importorskip('onnxruntime')

from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.reliability.soak.led_arms import walk_with_led_arms

pytestmark = pytest.mark.ros


def test_a_robot_walks_with_led_arms_and_payload():
    walk = walk_with_led_arms(
        open_policy('unitree_g1', 'onnxruntime'), load_robot('unitree_g1'), 6.0, 0, payload=2.0)
    assert walk.passed and walk.seconds == 6.0 and walk.pushes == 1 and walk.led == 1.0
    for bad in ({'fell': True}, {'trips': 'tilt'}, {'led': 0.5}):
        assert not dataclasses.replace(walk, **bad).passed
