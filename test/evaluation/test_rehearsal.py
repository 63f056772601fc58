# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The walk after an import tells a policy that walks from one that falls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from policy_factory import make_contract
import pytest

from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.evaluation.rehearsal import rehearse

pytest.importorskip('mujoco')
pytest.importorskip('onnxruntime')


def test_a_walk_says_how_far_it_went_and_a_fall_when_it_came():
    opened, robot = open_policy('unitree_g1', engine='onnxruntime'), load_robot('unitree_g1')
    walk = rehearse(opened, robot)
    assert not walk.fell and walk.time_up == walk.time == 5.0
    assert walk.distance == pytest.approx(0.5 * 5.0, abs=0.5)
    assert str(walk) == (f'the robot walks {walk.distance:.2f} m in 5 s at a command of 0.5 m/s '
                         'forward in MuJoCo')
    other = replace(opened, policy=lambda obs: np.full((len(obs), 29), 3.0, np.float32))
    fall = rehearse(other, robot)
    assert fall.fell and 0.0 < fall.time_up < 4.0
    assert f'falls after {fall.time_up:.2f} s at a command of 0.5 m/s' in str(fall)
    contract = make_contract('toddlerbot')
    small = replace(opened, contract=contract, policy=lambda obs: np.zeros(
        (len(obs), contract.num_actions), np.float32))
    assert rehearse(small, load_robot('toddlerbot')).speed == 0.355
