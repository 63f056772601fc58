# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rolling out: what is recorded is what happened, on the fake robot and in MuJoCo."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from policy_factory import balancing_weight, make_contract
import pytest

from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.evaluation import metrics
from humanoid_locomotion.evaluation.protocol import FULL
from humanoid_locomotion.evaluation.runner import Trials, roll_out
from humanoid_locomotion.sim.backend import open_backend

ROBOT, CONTRACT = load_robot('humanoid'), make_contract()
JOINTS = len(CONTRACT.joints)


def opener(simulator):
    """Give a function that opens a simulator for the contract."""
    return lambda num_envs: open_backend(
        simulator, ROBOT, num_envs, FULL.physics(CONTRACT.control_period), CONTRACT.joints, 'cpu')


def still(obs):
    """Give the action that asks for the default pose."""
    return np.zeros((len(obs), JOINTS), np.float32)


def standing(steps, robots, **changes):
    """Give trials of standing, undisturbed."""
    made = Trials(commands=np.zeros((steps, robots, 3), np.float32), heading=np.zeros(robots),
                  joint_offsets=np.zeros((robots, JOINTS)))
    return replace(made, **changes)


def test_shapes_and_period():
    commands = np.random.default_rng(0).uniform(-0.3, 0.3, (5, 3, 3)).astype(np.float32)
    seen = roll_out(opener('fake'), CONTRACT, still, standing(5, 3, commands=commands))
    assert seen.period == pytest.approx(0.02) and np.array_equal(seen.commands, commands)
    assert seen.positions.shape == seen.velocities.shape == (5, 3, 3)
    assert seen.yaws.shape == seen.tilts.shape == (5, 3)
    assert seen.joint_torques.shape == seen.joint_targets.shape == (5, 3, JOINTS)
    assert seen.sole_speeds.shape == seen.sole_forces.shape == (5, 3, 2)


def test_kicks_go_where_the_robot_faces():
    kicks = np.zeros((10, 4, 2), np.float32)
    for i, (step, kick) in enumerate(((3, (0.6, 0)), (5, (0.6, 0)), (0, (0.6, 0)), (3, (0, 0.3)))):
        kicks[step, i] = kick
    kicked = standing(10, 4, heading=np.array([0.0, np.pi / 2, -2.0, 1.0]), kicks=kicks)
    seen = roll_out(opener('fake'), CONTRACT, still, kicked)
    assert seen.velocities[..., :2] == pytest.approx(kicks.cumsum(0), abs=1e-6)
    # The robot that faces left in the world moved along the world's y.
    assert seen.positions[-1, 1] == pytest.approx([0.0, 0.6 * 5 * 0.02, 0.9], abs=1e-6)


def test_a_robot_can_be_kicked_twice():
    kicks = np.full((2, 1, 2), 0.5, np.float32)
    seen = roll_out(opener('fake'), CONTRACT, still, standing(2, 1, kicks=kicks))
    assert seen.velocities[-1, 0, :2] == pytest.approx([1.0, 1.0])


def test_every_physics_step_can_be_seen():
    def open_finely(num_envs):
        physics = replace(FULL.physics(CONTRACT.control_period), substeps=1)
        return open_backend('fake', ROBOT, num_envs, physics, CONTRACT.joints, 'cpu')

    kicks = np.array([[[0.5, 0.0]], [[0.0, 0.0]]], np.float32)
    seen = roll_out(open_finely, CONTRACT, still, standing(2, 1, kicks=kicks), substeps=10)
    assert seen.period == pytest.approx(0.002) and seen.positions.shape[0] == 20
    assert np.diff(seen.positions[:, 0, 0]) == pytest.approx(0.5 * 0.002, rel=1e-3)


def test_starts_are_as_the_trials_say():
    offsets = np.full((2, JOINTS), 0.01)
    seen = roll_out(opener('fake'), CONTRACT, still,
                    standing(1, 2, heading=np.array([0.5, -1.0]), joint_offsets=offsets))
    assert seen.yaws[0] == pytest.approx([0.5, -1.0])
    assert np.all(np.abs(seen.joint_velocities) > 0.0)  # pulled back from where they started


def test_the_policy_sees_its_commands_and_targets_are_recorded():
    def first_joint_follows_command(obs):
        action = still(obs)
        action[:, 0] = obs[:, 6]  # the forward command, after angular velocity and gravity
        return action
    commands = np.zeros((3, 2, 3), np.float32)
    commands[:, 1, 0] = 0.5
    seen = roll_out(opener('fake'), CONTRACT, first_joint_follows_command,
                    standing(3, 2, commands=commands))
    joint = CONTRACT.joints[0]
    assert seen.joint_targets[:, 0, 0] == pytest.approx(joint.default)
    assert seen.joint_targets[:, 1, 0] == pytest.approx(joint.default + 0.5 * joint.action_scale)


def test_progress_is_told_to_the_end():
    shares = []
    roll_out(opener('fake'), CONTRACT, still, standing(4, 1), shares.append)
    assert shares == [0.25, 0.5, 0.75, 1.0]


def test_the_backend_is_closed_even_if_the_policy_fails():
    closed = []

    def open_watched(num_envs):
        backend = opener('fake')(num_envs)
        backend.close = lambda: closed.append(True)
        return backend

    def broken(obs):
        raise RuntimeError('no')

    with pytest.raises(RuntimeError, match='no'):
        roll_out(open_watched, CONTRACT, broken, standing(1, 1))
    assert closed == [True]


def test_in_mujoco_a_stiff_robot_falls_and_a_balancing_one_stands():
    pytest.importorskip('mujoco')
    weight = balancing_weight(CONTRACT)
    run = standing(200, 2, heading=np.array([0.0, 2.0]))
    for policy, falls in ((still, True), (lambda obs: obs @ weight.T, False)):
        seen = roll_out(opener('mujoco'), CONTRACT, policy, run)
        fallen = metrics.fallen(seen, 0.5, 0.8)
        assert np.all(fallen[-1] == falls) and not np.any(fallen[0])
        assert np.all(metrics.drift(seen) > 0.3) == falls


def test_in_mujoco_friction_and_payload_differ_by_robot():
    pytest.importorskip('mujoco')
    weight = balancing_weight(CONTRACT)
    seen = roll_out(opener('mujoco'), CONTRACT, lambda obs: obs @ weight.T, standing(
        60, 3, friction=np.array([0.4, 0.8, 1.2]), payload=np.array([0.0, 2.0, 4.0])))
    carried = seen.sole_forces[40:].sum(-1).mean(0)
    assert carried == pytest.approx(9.81 * (ROBOT.mass + np.array([0.0, 2.0, 4.0])), rel=0.05)


def test_arms_that_others_move_go_where_they_are_told():
    pytest.importorskip('mujoco')
    weight, elbow = balancing_weight(CONTRACT), CONTRACT.joint_names.index('left_elbow')
    led = np.full((60, 1, JOINTS), np.nan)
    led[..., elbow] = -1.2
    run = standing(60, 1, arm_targets=led)
    own, moved = (roll_out(opener('mujoco'), CONTRACT, lambda obs: obs @ weight.T, trials)
                  for trials in (standing(60, 1), run))
    assert np.allclose(moved.joint_targets[..., elbow], CONTRACT.joints[elbow].default)
    turned = (moved.joint_velocities - own.joint_velocities)[:, 0].sum(0) * 0.02
    assert turned[elbow] == pytest.approx(-1.2 - CONTRACT.joints[elbow].default, abs=0.1)
