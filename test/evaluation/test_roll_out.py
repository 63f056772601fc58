"""Rolling out: what is recorded is what happened, on the fake robot and in MuJoCo."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from policy_factory import balancing_weight, make_contract
import pytest

from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.evaluation import metrics
from humanoid_locomotion.evaluation.protocol import FULL
from humanoid_locomotion.evaluation.rollout import Trials, roll_out
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


def test_a_kick_goes_where_the_robot_faces_and_comes_once():
    kicked = standing(10, 4, heading=np.array([0.0, np.pi / 2, -2.0, 1.0]),
                      kick=np.array([[0.6, 0.0, 0.0]] * 3 + [[0.0, 0.3, 0.0]], np.float32),
                      kick_step=np.array([3, 5, 0, 3]))
    seen = roll_out(opener('fake'), CONTRACT, still, kicked)
    for i, (step, velocity) in enumerate(((3, [0.6, 0]), (5, [0.6, 0]), (0, [0.6, 0]),
                                          (3, [0, 0.3]))):
        assert np.allclose(seen.velocities[:step, i], 0.0)
        assert np.allclose(seen.velocities[step:, i, :2], velocity, atol=1e-6)
    # The robot that faces left in the world moved along the world's y.
    assert seen.positions[-1, 1] == pytest.approx([0.0, 0.6 * 5 * 0.02, 0.9], abs=1e-6)


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


def test_in_mujoco_friction_and_mass_differ_by_robot():
    pytest.importorskip('mujoco')
    weight = balancing_weight(CONTRACT)
    seen = roll_out(opener('mujoco'), CONTRACT, lambda obs: obs @ weight.T, standing(
        60, 3, friction=np.array([0.4, 0.8, 1.2]), mass_scale=np.array([0.9, 1.0, 1.1])))
    carried = seen.sole_forces[40:].sum(-1).mean(0)
    assert carried == pytest.approx(9.81 * ROBOT.mass * np.array([0.9, 1.0, 1.1]), rel=0.05)
