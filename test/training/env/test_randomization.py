# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""What makes the robots differ: within its range, different for each, consistent in itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny import EXACT, ROBOT, config, make_env
import torch

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.backend import PhysicsVariation
from humanoid_locomotion.training.env.randomization import (
    Pusher,
    Sensors,
    sample_feedback,
    sample_physics,
    sample_start,
    symmetric,
)

N, M = 64, ROBOT.num_joints
SILENT = tuple(a for a in EXACT if a.startswith('noise'))
EVERYONE = torch.ones(N, dtype=torch.bool)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def sensors(*assignments: str) -> Sensors:
    """Give the sensors of all robots, their constant errors drawn."""
    settings = config(*assignments)
    it = Sensors(settings.randomization, settings.noise, N, M, 'cpu')
    it.reset(EVERYONE)
    return it


def tumbling() -> RobotState:
    """Give robots in random orientations, turning."""
    quaternion = torch.randn(N, 4)
    return RobotState(
        joint_positions=torch.randn(N, M), joint_velocities=torch.randn(N, M),
        base_orientation=rotations.normalize(quaternion),
        base_angular_velocity=torch.randn(N, 3))


# Physics.

@pytest.mark.parametrize('key, bounds, shape', [
    ('friction', (0.4, 1.2), (N,)), ('mass_scale', (0.9, 1.1), (N,)), ('payload', (-1, 3), (N,)),
    ('com_offset', (-0.04, 0.04), (N, 3)), ('kp_scale', (0.9, 1.1), (N, M)),
    ('kd_scale', (0.9, 1.1), (N, M))])
def test_physics_is_drawn_in_range_and_differs(key, bounds, shape):
    drawn = getattr(sample_physics(config().randomization, N, M, seed=0), key)
    assert drawn.shape == shape
    assert np.all((bounds[0] <= drawn) & (drawn <= bounds[1]))
    assert np.unique(drawn).size == drawn.size
    assert np.ptp(drawn) > 0.8 * (bounds[1] - bounds[0])


def test_physics_follows_from_the_seed_alone():
    settings = config('randomization.link_payload={left_elbow_link: [0.0, 2.0]}').randomization
    first, again, other = (
        _flat(sample_physics(settings, N, M, seed)) for seed in (3, 3, 4))
    assert np.all((first['left_elbow_link'] >= 0.0) & (first['left_elbow_link'] <= 2.0))
    for key, value in first.items():
        assert np.array_equal(value, again[key])
        assert not np.array_equal(value, other[key])


def _flat(variation: PhysicsVariation) -> dict:
    values = dict(vars(variation))
    return {**values.pop('link_payload'), **values}


def test_feedback_is_scaled_within_its_range_and_absent_in_its_share():
    settings = config('randomization.feedback_scale=[0.5, 1.5]',
                      'randomization.feedback_absent=0.3').randomization
    strength = sample_feedback(settings, 10_000, 'cpu')
    there = strength[strength > 0.0]
    assert strength.shape == (10_000, 1)
    assert there.numel() == pytest.approx(7_000, abs=150)
    assert 0.5 <= float(there.min()) < 0.51 and 1.49 < float(there.max()) <= 1.5


def test_each_episode_has_a_feedback_of_its_own():
    env = make_env('yaw_rate_integral={gain: 1.0, limit: 0.2}', 'run.num_envs=64',
                   'randomization.feedback_absent=0.5', *EXACT)
    assert 'feedback_strength' in env.carried()
    assert 'feedback_strength' not in make_env().carried()
    env.reset()
    env.commands.command[:] = torch.tensor([0.5, 0.0, 0.5])
    env.step(torch.zeros(64, M))
    absent = env.carried()['feedback_strength'][:, 0] == 0.0
    assert 16 < int(absent.sum()) < 48
    assert torch.equal(env.controller.command_correction[:, 2] == 0.0, absent)


# Sensors.

def test_exact_sensors_report_the_truth():
    state = tumbling()
    measured = sensors(*EXACT).measure(state)
    for key in ('joint_positions', 'joint_velocities', 'base_angular_velocity'):
        assert torch.equal(getattr(measured, key), getattr(state, key))
    assert torch.allclose(measured.base_orientation, state.base_orientation, atol=1e-7)


def test_encoder_bias_stays_until_the_next_reset():
    it, state = sensors(*SILENT), tumbling()
    bias = it.measure(state).joint_positions - state.joint_positions
    assert 0.014 < bias.abs().max() <= 0.0151
    again = it.measure(state).joint_positions - state.joint_positions
    assert torch.equal(bias, again)
    first = torch.arange(N) == 0
    it.reset(first)
    drawn = it.measure(state).joint_positions - state.joint_positions
    assert not torch.equal(drawn[0], bias[0]) and torch.equal(drawn[1:], bias[1:])


@pytest.mark.parametrize('key, noise, largest', [
    ('joint_positions', 'joint_position', 0.01), ('joint_velocities', 'joint_velocity', 0.5),
    ('base_angular_velocity', 'angular_velocity', 0.2)])
def test_noise_is_new_at_each_step_and_bounded(key, noise, largest):
    quiet = [a for a in EXACT if noise not in a]
    it, state = sensors(*quiet), tumbling()
    first, second = (getattr(it.measure(state), key) - getattr(state, key) for _ in range(2))
    assert torch.all(first != second)
    assert 0.9 * largest < first.abs().max() <= largest + 1e-6


def test_orientation_noise_is_a_small_rotation():
    it, state = sensors(*(a for a in EXACT if 'noise.orientation' not in a)), tumbling()
    seen = it.measure(state).base_orientation
    assert torch.allclose(seen.norm(dim=-1), torch.ones(N))
    between = rotations.multiply(rotations.conjugate(state.base_orientation), seen)
    angle = 2.0 * between[:, :3].norm(dim=-1).arcsin()
    assert torch.all(angle <= 0.02 * 3 ** 0.5 + 1e-4) and angle.max() > 0.02


def test_a_tilted_imu_tilts_gravity_and_turning_rate_alike():
    # Whatever is measured in the IMU's frame must be one and the same rotation of the truth:
    # so lengths and the angle between gravity and the turning rate stay as they are.
    it, state = sensors(*SILENT, 'randomization.imu_tilt=0.3'), tumbling()
    measured = it.measure(state)
    gravity, turning = (rotations.projected_gravity(state.base_orientation),
                        state.base_angular_velocity)
    seen_gravity, seen_turning = (rotations.projected_gravity(measured.base_orientation),
                                  measured.base_angular_velocity)
    assert torch.all((seen_gravity - gravity).norm(dim=-1) > 1e-3)
    assert torch.allclose((seen_gravity * seen_turning).sum(-1), (gravity * turning).sum(-1),
                          atol=1e-5)
    assert torch.allclose(
        seen_gravity, rotations.rotate_inverse(it.imu_mounting, gravity), atol=1e-5)
    assert torch.allclose(
        seen_turning, rotations.rotate_inverse(it.imu_mounting, turning), atol=1e-5)


def test_odometry_passes_as_it_is():
    state = replace(tumbling(), base_position=torch.randn(N, 3))
    assert sensors().measure(state).base_position is state.base_position


# Starts.

def test_starts_are_near_the_default_pose_at_any_heading():
    env = make_env(f'run.num_envs={N}')
    settings, default = env.config.randomization, env.backend.default_state()
    tensors = type(default)(**{k: torch.as_tensor(v) for k, v in vars(default).items()})
    start = sample_start(settings, env.backend, tensors)
    assert torch.equal(start.base_position, tensors.base_position)
    assert torch.all(start.joint_velocities == 0.0)
    away = (start.joint_positions - tensors.joint_positions).abs()
    assert 0.09 < away.max() <= 0.1 + 1e-6
    yaw = rotations.yaw(start.base_orientation)
    assert yaw.min() < -2.5 and yaw.max() > 2.5
    assert torch.all(rotations.tilt(start.base_orientation) < 1e-3)
    assert torch.all(start.base_linear_velocity.abs() <= torch.tensor([0.3, 0.3, 0.06]) + 1e-6)
    assert torch.all(start.base_angular_velocity.abs() <= 0.3 + 1e-6)
    for value in (start.joint_positions, yaw, start.base_linear_velocity):
        assert value.unique().numel() == value.numel()


# Pushes.

@pytest.mark.parametrize('strength', [1.0, 0.25])
def test_pushes_come_as_often_as_configured_and_leave_the_others_alone(strength):
    it = Pusher(config('randomization.push_period=[0.1, 0.3]').randomization, 0.02, N,
                torch.tensor(strength))
    steps, count = 2000, 0
    for _ in range(steps):
        linear, angular = it.step()
        pushed = linear.abs().sum(-1) > 0.0
        assert torch.equal(pushed, angular[:, 2] != 0.0)
        assert torch.all(linear[:, 2] == 0.0) and torch.all(angular[:, :2] == 0.0)
        assert linear.abs().max() <= 0.8 * strength and angular.abs().max() <= 0.5 * strength
        count += int(pushed.sum())
    # 0.2 s on average, rounded up to whole steps of 20 ms: half a step longer
    assert steps * 0.02 * N / count == pytest.approx(0.21, rel=0.05)


def test_symmetric_draws_are_as_often_left_as_right():
    drawn = symmetric((20_000,), 2.0, 'cpu')
    assert drawn.abs().max() <= 2.0
    assert float(drawn.mean()) == pytest.approx(0.0, abs=0.03)
