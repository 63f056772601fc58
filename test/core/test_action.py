# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""From actions to targets, and from targets to torque, in worked numbers."""

from __future__ import annotations

import numpy as np
import pytest
from samples import contract

from humanoid_locomotion.core.action import (
    ActionMapper,
    arm_goal,
    arm_joints,
    joints_named,
    pd_torque,
    replace_targets,
)
from humanoid_locomotion.core.state import JointTargets

# Joint i of the sample: default 0.1 i, limits [0.1 i - 1, 0.1 i + 2], scale 0.25.


def test_default_offset_moves_from_the_default_pose_and_clips():
    mapper = ActionMapper(contract(3))
    action = np.array([[0.0, 1.0, -2.0], [100.0, -100.0, 0.4]], np.float32)
    targets = mapper.targets(action).positions
    assert targets == pytest.approx(np.array([[0.0, 0.35, -0.3], [2.0, -0.9, 0.3]]), abs=1e-6)
    assert targets.dtype == np.float32


def test_joint_range_spans_the_limits():
    mapper = ActionMapper(contract(2, action_mode='joint_range'))
    action = np.array([[-1.0, 1.0], [0.0, 0.5], [-3.0, 3.0]], np.float32)
    expected = [[-1.0, 2.1], [0.5, 1.35], [-1.0, 2.1]]
    assert mapper.targets(action).positions == pytest.approx(np.array(expected), abs=1e-6)


@pytest.mark.parametrize('mode', ['default_offset', 'joint_range'])
def test_targets_never_leave_the_limits_and_torch_agrees(mode):
    torch = pytest.importorskip('torch')
    it = contract(5, action_mode=mode)
    action = np.random.default_rng(0).normal(0.0, 5.0, (200, 5)).astype(np.float32)
    targets = ActionMapper(it).targets(action).positions
    assert np.all(targets >= it.values('lower').astype(np.float32))
    assert np.all(targets <= it.values('upper').astype(np.float32))
    again = ActionMapper(it).targets(torch.as_tensor(action)).positions
    assert np.allclose(again.numpy(), targets, atol=1e-6)


def test_a_contract_may_say_that_targets_are_not_clipped():
    action = np.full((1, 4), 100.0, np.float32)
    targets = ActionMapper(contract(beyond_robot=('targets',))).targets(action).positions
    assert targets[0] == pytest.approx([25.0, 25.1, 25.2, 25.3])


def test_pd_torque_in_worked_numbers():
    torque = pd_torque(
        JointTargets(np.array([[0.5, 0.5, -2.0]])), positions=np.array([[0.3, 0.5, 0.0]]),
        velocities=np.array([[1.0, -2.0, 0.0]]), kp=np.array([100.0, 50.0, 50.0]),
        kd=np.array([5.0, 4.0, 1.0]), effort=np.array([30.0, 30.0, 30.0]))
    # 100 * 0.2 - 5 * 1 = 15; 0 + 4 * 2 = 8; 50 * -2 = -100, clipped to -30.
    assert torque == pytest.approx(np.array([[15.0, 8.0, -30.0]]))


def test_arm_goals_span_the_reach_between_the_default_pose_and_both_limits():
    default, lower, upper = (np.array([value]) for value in (0.5, -1.5, 1.5))
    goals = [float(arm_goal(np.array([share]), default, lower, upper, 0.5)[0])
             for share in (0.0, 0.5, 1.0)]
    assert goals == pytest.approx([0.5 - 0.5 * 2.0, 0.25, 0.5 + 0.5 * 1.0])


def test_targets_are_replaced_where_the_mask_says_so_and_torch_agrees():
    torch = pytest.importorskip('torch')
    arrays = np.array([[1.0], [2.0]]), np.array([[8.0], [9.0]]), np.array([[False], [True]])
    assert replace_targets(*arrays).ravel().tolist() == [1.0, 9.0]
    assert replace_targets(*map(torch.as_tensor, arrays)).ravel().tolist() == [1.0, 9.0]


def test_joints_are_named_by_a_part_of_their_names():
    names = ['left_knee', 'left_shoulder_roll', 'right_elbow']
    assert joints_named(names, ['shoulder', 'elbow']).tolist() == [False, True, True]
    assert joints_named(names, []).tolist() == [False] * 3
    assert joints_named(['Left_Shoulder_Pitch', 'Left_Knee'], ['shoulder']).tolist() == [1, 0]


def test_arms_of_every_maker_are_found():
    for name in ('left_shoulder_roll_joint', 'Left_Shoulder_Pitch', 'arm_left_1_joint',
                 'left_sho_pitch', 'R_WRIST_YAW', 'RightElbow'):
        assert arm_joints([name, 'left_hip_roll', 'Waist']).tolist() == [True, False, False], name


@pytest.mark.parametrize('mode', ['default_offset', 'joint_range'])
def test_joints_that_are_not_commanded_are_held_at_their_default(mode):
    torch = pytest.importorskip('torch')
    every = contract(4, action_mode=mode)
    some = contract(4, action_mode=mode, commanded=('j2', 'j0'))
    assert (some.num_actions, some.held_joints) == (2, ['j1', 'j3'])
    action = np.array([[0.4, -0.8], [9.0, 9.0]], np.float32)
    targets = ActionMapper(some).targets(action).positions
    whole = ActionMapper(every).targets(np.array([[-0.8, 0, 0.4, 0], [9, 0, 9, 0]])).positions
    assert targets[:, [0, 2]] == pytest.approx(whole[:, [0, 2]])
    assert targets[:, [1, 3]] == pytest.approx(np.tile(every.values('default')[[1, 3]], (2, 1)))
    assert ActionMapper(some).targets(torch.as_tensor(action)).positions.numpy() == pytest.approx(
        targets)
    low, high = ActionMapper(some).action_bounds
    for bound, key in ((low, 'lower'), (high, 'upper')):
        reached = ActionMapper(some).targets(bound[None]).positions[0, [2, 0]]
        assert reached == pytest.approx(some.values(key)[[2, 0]], abs=1e-6)
