# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The reward terms, each against an example worked out by hand; then all of them together."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tiny import FILE, ROBOT, context, joints, make_env, mapping, outcome, random_outcome
import torch

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.training.config_file import load_config
from humanoid_locomotion.training.env.rewards import REWARDS, RewardTerm

JOINT_WEIGHTS = mapping()['rewards']['weights']['pose']['joint_weights']
# What the examples by hand are worked out for, where it is not the default.
PARAMETERS = {
    'track_linear_velocity': {'sigma': [0.5, 0.2]}, 'base_height': {'height': 0.88},
    'hard_landing': {'force_per_speed': 2.0}, 'pose': {'joint_weights': JOINT_WEIGHTS}}
DEFAULT = ROBOT.values('default')
FACING_LEFT = [0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5)]
PITCHED = [0.0, math.sin(0.3), 0.0, math.cos(0.3)]  # nose down by 0.6 rad
LOADED, LIFTED = 200.0, 0.0


def made(term: str, num_envs: int = 1, **parameters: object) -> RewardTerm:
    """Give a term with the parameters of the examples, some of them changed."""
    given = {**PARAMETERS.get(term, {}), **parameters}
    return REWARDS[term].make(context(num_envs), REWARDS[term].read(given, 'test', term))


def value(term: str, **changes: object) -> float:
    """Give a term's value for the resting robot with some values changed."""
    (result,) = made(term).step(outcome(**changes)).tolist()
    return result


# What is asked for.

def test_a_height_error_falls_through_its_kernels():
    assert value('track_base_height') == 1.0  # commanded 0.88 m, which it has
    expected = 0.5 * (math.exp(-0.09) + math.exp(-1.0))
    assert value('track_base_height', base_position=[5.0, 5.0, 0.85]) == pytest.approx(expected)
    assert value('track_base_height', base_position=[5.0, 5.0, 0.91]) == pytest.approx(expected)


def test_a_height_cannot_be_tracked_without_its_axis():
    with pytest.raises(ConfigError, match=r'track_base_height: commands.limits has the axes'):
        make_env('rewards.weights.track_base_height=1.0')


def test_velocity_without_error_earns_one():
    assert value('track_linear_velocity') == 1.0
    assert value('track_linear_velocity', command=[0.4, -0.2, 0.7],
                 base_linear_velocity=[0.4, -0.2, 0.0]) == pytest.approx(1.0)


def test_velocity_error_falls_through_a_wide_and_a_narrow_kernel():
    # 0.2 m/s off: half of exp(-(0.2 / 0.5)^2) and half of exp(-(0.2 / 0.2)^2)
    expected = 0.5 * (math.exp(-0.16) + math.exp(-1.0))
    assert value('track_linear_velocity', command=[0.5, 0.0, 0.0],
                 base_linear_velocity=[0.3, 0.0, 0.0]) == pytest.approx(expected)
    assert value('track_linear_velocity', command=[0.5, 0.0, 0.0],
                 base_linear_velocity=[0.5, -0.2, 9.0]) == pytest.approx(expected)


def test_velocity_is_measured_in_the_heading_frame_whatever_the_heading():
    # Truth gives velocity in the base frame: a robot that faces left and walks ahead is right.
    assert value('track_linear_velocity', command=[0.5, 0.0, 0.0], base_orientation=FACING_LEFT,
                 base_linear_velocity=[0.5, 0.0, 0.0]) == pytest.approx(1.0)


def test_velocity_is_horizontal_however_the_base_leans():
    # 0.5 m/s ahead along the floor, seen from a base that is pitched by 0.6 rad.
    ahead = [0.5 * math.cos(0.6), 0.0, 0.5 * math.sin(0.6)]
    assert value('track_linear_velocity', command=[0.5, 0.0, 0.0], base_orientation=PITCHED,
                 base_linear_velocity=ahead) == pytest.approx(1.0)
    assert value('vertical_velocity', base_orientation=PITCHED,
                 base_linear_velocity=ahead) == pytest.approx(0.0, abs=1e-9)


def test_yaw_rate_error_falls_through_its_kernels():
    assert value('track_yaw_rate', command=[0, 0, 0.5],
                 base_angular_velocity=[0, 0, 0.5]) == pytest.approx(1.0)
    expected = 0.5 * (math.exp(-(0.4 / 0.8) ** 2) + math.exp(-(0.4 / 0.25) ** 2))
    assert value('track_yaw_rate', command=[0, 0, 0.5],
                 base_angular_velocity=[3.0, 0, 0.1]) == pytest.approx(expected)


def test_yaw_rate_is_about_the_vertical_however_the_base_leans():
    turning = [-0.5 * math.sin(0.6), 0.0, 0.5 * math.cos(0.6)]  # (0, 0, 0.5) in the world
    assert value('track_yaw_rate', command=[0, 0, 0.5], base_orientation=PITCHED,
                 base_angular_velocity=turning) == pytest.approx(1.0)


# A body held upright, high and quiet.

@pytest.mark.parametrize('term, changes, expected', [
    ('alive', {}, 1.0),
    ('base_height', {'base_position': [5.0, 5.0, 0.88]}, 0.0),
    ('base_height', {'base_position': [0, 0, 0.78]}, 0.01),
    ('base_height', {'base_position': [0, 0, 0.98]}, 0.01),
    ('orientation', {'base_orientation': FACING_LEFT}, 0.0),
    ('orientation', {'base_orientation': PITCHED}, math.sin(0.6) ** 2),
    ('vertical_velocity', {'base_linear_velocity': [1.0, 1.0, -0.3]}, 0.09),
    ('roll_pitch_rate', {'base_angular_velocity': [0.1, -0.2, 5.0]}, 0.05),
])
def test_the_body(term, changes, expected):
    assert value(term, **changes) == pytest.approx(expected, abs=1e-6)


# Smooth and cheap motion.

def test_energy_counts_braking_like_driving():
    # 10 Nm * 2 rad/s driven and 5 Nm * 3 rad/s braked: 20 W + 15 W
    assert value('energy', joint_torques=joints(left_knee=10.0, right_knee=-5.0),
                 joint_velocities=joints(left_knee=2.0, right_knee=3.0)) == pytest.approx(35.0)


@pytest.mark.parametrize('term, changes, expected', [
    ('energy', {'joint_torques': joints(left_knee=10.0)}, 0.0),  # holding moves nothing,
    ('torques', {'joint_torques': joints(left_knee=10.0, torso_yaw=-2.0)}, 104.0),  # but heats
    ('joint_accelerations', {'joint_accelerations': joints(left_knee=3.0, torso_yaw=-4.0)}, 25.0),
    ('action_rate', {'action': joints(left_knee=0.5, torso_yaw=1.0),
                     'previous_action': joints(left_knee=0.2, torso_yaw=1.4)}, 0.25),
    ('pose', {'joint_positions': DEFAULT}, 0.0),
    ('pose', {'joint_positions': DEFAULT + joints(torso_yaw=0.1)}, 3.0 * 0.01),
    ('pose', {'joint_positions': DEFAULT + joints(left_hip_yaw=-0.1)}, 2.0 * 0.01),
    ('pose', {'joint_positions': DEFAULT + joints(right_ankle_roll=0.2)}, 0.5 * 0.04),
    ('pose', {'joint_positions': DEFAULT + joints(left_knee=0.5, right_hip_pitch=0.5)}, 0.0),
    ('joint_limits', {'joint_positions': DEFAULT}, 0.0),
    # Knees at both ends of [0, 2.4]: nine tenths of it are 1.2 -+ 1.08.
    ('joint_limits', {'joint_positions': DEFAULT + joints(left_knee=1.8, right_knee=-0.6)}, 0.24),
])
def test_the_joints(term, changes, expected):
    assert value(term, **changes) == pytest.approx(expected, abs=1e-6)


def test_pose_weights_go_by_the_first_entry_that_is_part_of_the_name():
    it = made('pose', joint_weights={'left_knee': 7.0, 'knee': 1.0, '_': 2.0})
    for joint, weight in (('left_knee', 7.0), ('right_knee', 1.0), ('torso_yaw', 2.0)):
        bent = outcome(joint_positions=DEFAULT + joints(**{joint: 1.0}))
        assert float(it.step(bent)) == pytest.approx(weight)


def test_a_joint_without_a_pose_weight_is_named():
    with pytest.raises(ConfigError, match=r"rewards: weights\.pose: joint_weights: no entry is "
                       r"part of 'left_hip_yaw', found \['knee'\]"):
        make_env('rewards.weights.pose.joint_weights={knee: 1.0}')


# A gait.

def soles(left: float, right: float) -> list:
    """Give sole positions at two heights."""
    return [[[0.0, 0.1, left], [0.0, -0.1, right]]]


@pytest.mark.parametrize('phase, moving, heights, expected', [
    (0.25, 1, (0.08, 0.0), 1.0),  # mid-swing of the left foot
    (0.75, 1, (0.0, 0.08), 1.0),  # and of the right
    (0.25, 1, (0.0, 0.0), math.exp(-(0.08 / 0.05) ** 2)),  # dragging it
    (0.75, 1, (0.08, 0.0), math.exp(-2.0 * (0.08 / 0.05) ** 2)),  # lifting the wrong one
    (0.125, 1, (0.04, 0.0), 1.0),  # sin^2(45 deg) = 1/2 of the way up
    (0.5, 1, (0.0, 0.0), 1.0),  # both in stance between two steps
    (0.25, 0, (0.0, 0.0), 1.0),  # standing: the clock does not count
    (0.25, 0, (0.08, 0.0), math.exp(-(0.08 / 0.05) ** 2)),
])
def test_feet_follow_the_clock(phase, moving, heights, expected):
    assert value('feet_follow_clock', phase=phase, moving=moving,
                 sole_positions=soles(*heights)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize('phase, moving, loads, expected', [
    (0.25, 1, (LIFTED, LOADED), 1.0),
    (0.75, 1, (LOADED, LIFTED), 1.0),
    (0.25, 1, (LOADED, LOADED), 0.5),
    (0.25, 1, (LOADED, LIFTED), 0.0),
    (0.5, 1, (LOADED, LOADED), 1.0),
    (0.02, 1, (LOADED, LOADED), 1.0),  # sin(7 deg) = 0.13: the swing has hardly begun
    (0.25, 0, (LOADED, LOADED), 1.0),
    (0.25, 0, (LIFTED, LIFTED), 0.0),
])
def test_contact_follows_the_clock(phase, moving, loads, expected):
    assert value('contact_follows_clock', phase=phase, moving=moving,
                 sole_forces=loads) == expected


def test_time_on_one_foot_counts_up_to_the_best_and_then_down_again():
    term, dt = made('single_support_time', best=0.06), context().contract.control_period

    def step(*loads, moving=1):
        (found,) = term.step(outcome(sole_forces=loads, moving=moving)).tolist()
        return pytest.approx(found, abs=1e-6)

    assert dt == 0.02 and step(LOADED, LOADED) == 0.0
    term.reset(torch.ones(1, dtype=torch.bool))
    for _ in range(5):
        assert step(LOADED, LOADED) == 0.0  # on both feet
    assert [step(LIFTED, LOADED) for _ in range(7)] == [
        0.02, 0.04, 0.06, 0.04, 0.02, 0.0, 0.0]
    assert step(LOADED, LOADED) == 0.0
    assert step(LOADED, LIFTED) == 0.02  # the left foot has been down for two steps only
    assert step(LOADED, LIFTED, moving=0) == 0.0
    assert step(LIFTED, LIFTED) == 0.0
    assert term.critic_observation(None).tolist() == [pytest.approx([0.02, 0.06])]
    term.reset(torch.ones(1, dtype=torch.bool))
    assert not term.critic_observation(None).any()


# Feet that stand flat, apart, without sliding or stamping.

def test_feet_slip_by_what_both_slid_under_load_since_the_last_step():
    assert value('feet_slip', sole_slips=(0.5, 0.02)) == pytest.approx(0.52)
    swinging = [[[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]]]
    assert value('feet_slip', sole_velocities=swinging) == 0.0


def test_soles_tilt_by_the_squared_sine():
    normals = [[[math.sin(0.2), 0.0, math.cos(0.2)], [0.0, -math.sin(0.1), math.cos(0.1)]]]
    assert value('feet_tilt', sole_normals=normals) == pytest.approx(
        math.sin(0.2) ** 2 + math.sin(0.1) ** 2)


@pytest.mark.parametrize('orientation, left, right, expected', [
    ([0, 0, 0, 1], (0.3, 0.1, 0), (-0.3, -0.1, 0), 0.0),  # apart, one ahead of the other
    ([0, 0, 0, 1], (0, 0.05, 0), (0, -0.05, 0), 0.05),
    ([0, 0, 0, 1], (0, -0.05, 0), (0, 0.05, 0), 0.25),  # crossed
    (FACING_LEFT, (-0.05, 0, 0), (0.05, 0, 0), 0.05),  # its left is the world's -x
    (FACING_LEFT, (-0.1, 0, 0), (0.1, 0, 0), 0.0),
])
def test_feet_come_too_close_sideways_of_the_heading(orientation, left, right, expected):
    assert value('feet_too_close', base_orientation=orientation,
                 sole_positions=[[left, right]]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize('weights, expected', [
    ((0.5, 0.5), 0.0), ((1.3, 0.0), 0.0), ((1.8, 0.0), 0.5), ((1.8, 1.4), 0.6),
    ((50.0, 0.0), 2.0)])  # however hard, one landing costs no more than this
def test_landing_is_hard_beyond_the_allowed_load(weights, expected):
    loads = [weight * ROBOT.mass * 9.81 for weight in weights]
    assert value('hard_landing', peak_sole_forces=loads) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize('weights, expected', [((1.0, 0.3), 0.0), ((1.0, 0.8), 0.5)])
def test_landing_together_limits_the_sum_of_both_feet(weights, expected):
    loads = torch.tensor([weights]) * ROBOT.mass * 9.81
    term = made('hard_landing', together=True)
    assert float(term.step(outcome(peak_sole_forces=loads))) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize('command, expected', [
    ((0.5, 0.0, 0.0), 0.9),  # 2 x 0.5 is less than the 1.3 of a robot that stands
    ((0.6, -0.8, 0.0), 0.2),  # 1 m/s: 2.0 body weights
    ((0.0, 0.0, 1.0), 0.9)])  # turning is not speed
def test_a_faster_command_allows_harder_landings(command, expected):
    loads = [2.2 * ROBOT.mass * 9.81, 0.0]
    assert value('hard_landing', command=command, peak_sole_forces=loads) == pytest.approx(
        expected, abs=1e-4)


# Standing means standing still.

@pytest.mark.parametrize('moving', [0, 1])
def test_standing_still_is_asked_of_standing_robots_only(moving):
    # mean square of one joint at 2 rad/s among 23, and ten times 0.1^2 of drift
    assert value('stand_joint_velocity', moving=moving, joint_velocities=joints(left_knee=2.0),
                 base_linear_velocity=[0.1, 0.0, 5.0]) == pytest.approx(
        (1 - moving) * (4.0 / 23 + 10.0 * 0.01), abs=1e-6)
    assert value('stand_pose', moving=moving, joint_positions=DEFAULT + joints(left_elbow=-0.46)
                 ) == pytest.approx((1 - moving) * 0.02, abs=1e-6)


def test_the_joint_velocity_while_standing_is_bounded():
    assert value('stand_joint_velocity', base_linear_velocity=[100.0, 0.0, 0.0]) == 10.0


def test_a_foot_that_runs_near_the_floor_pays_and_one_at_swing_height_does_not():
    running = [[[1.2, -0.5, 9.0], [2.0, 0.0, 0.0]]]  # 1.3 and 2 m/s along the floor
    for heights, expected in (((0.0, 0.08), 1.3), ((0.06, 0.2), 0.25 * 1.3), ((0.0, -0.01), 3.3)):
        soles = [[[0.0, 0.1, heights[0]], [0.0, -0.1, heights[1]]]]
        assert value('low_feet_speed', sole_positions=soles,
                     sole_velocities=running) == pytest.approx(expected)


def test_landing_slip_and_joint_velocity_do_not_count_until_the_robot_has_recovered():
    kicked = {'peak_sole_forces': [9000.0, 0.0], 'sole_slips': [1.0, 0.0],
              'joint_velocities': joints(left_knee=2.0)}
    for term in ('hard_landing', 'feet_slip', 'stand_joint_velocity'):
        assert value(term, **kicked) > 0.1 and value(term, recovered=0.0, **kicked) == 0.0


def test_a_lifted_foot_is_penalised_while_standing_only():
    def lifted(height, **changes):
        return value('stand_feet_height', **changes,
                     sole_positions=[[[0.0, 0.1, height], [0.0, -0.1, 0.0]]])

    assert lifted(0.0) == 0.0 and lifted(0.04) == pytest.approx(0.04)
    assert lifted(0.5) == pytest.approx(0.1)
    for free in ({'moving': 1.0}, {'recovered': 0.0}):
        assert lifted(0.04, **free) == 0.0


def test_the_penalty_of_drifting_feet_is_bounded():
    drift = [[[0.003, 0.004], [0.0, -0.002]]]
    assert value('stand_foot_drift', foot_drift=drift) == pytest.approx(0.005 / 1.5 + 0.002 / 1.2)
    fast = [value('stand_foot_drift', foot_drift=[[[x, 0.0], [0.0, 0.0]]])
            for x in (0.1, 0.2, 1.2)]
    assert fast[0] < fast[1] < fast[2] < 0.01


def test_a_drifting_base_is_penalised_while_standing_only():
    drift = {'tracking_error': [0.003, -0.004, 0.5]}
    assert value('stand_base_drift', **drift) == pytest.approx(0.005 / 1.5)
    assert value('stand_base_drift', moving=1.0, **drift) == 0.0
    assert value('stand_base_drift', tracking_error=[1.0, 0.0, 0.0]) < 0.01


# All of them.

@pytest.mark.parametrize('term', sorted(REWARDS))
def test_every_term_is_one_finite_number_above_zero_for_each_robot(term):
    result = made(term, 200).step(random_outcome(np.random.default_rng(0), 200))
    assert result.shape == (200,) and result.dtype == torch.float32
    assert torch.all(torch.isfinite(result)) and torch.all(result >= 0.0)
    assert result.max() > 0.0


@pytest.mark.parametrize('path', sorted(FILE.parent.glob('*.yaml')), ids=lambda path: path.stem)
def test_every_shipped_config_rewards_the_families_of_the_course(path):
    weights = {label: it.weight for label, it in load_config(path).rewards.weights.items()}
    wanted = {'track_linear_velocity': 1, 'track_yaw_rate': 1, 'base_height': -1,
              'orientation': -1, 'energy': -1}
    assert {name: np.sign(weights[name]) for name in wanted} == wanted


def test_a_lasting_error_is_paid_for_within_bounds_and_one_of_an_instant_is_not():
    error = [[0.03, -0.04, 0.02]]
    assert value('lasting_velocity_error', tracking_error=error) == pytest.approx(0.05)
    assert value('lasting_yaw_error', tracking_error=error) == pytest.approx(0.02)
    assert value('lasting_velocity_error', tracking_error=[[3.0, 0.0, 0.0]]) == pytest.approx(0.2)
    assert value('lasting_yaw_error', tracking_error=[[0.0, 0.0, -3.0]]) == pytest.approx(0.2)
    assert value('lasting_yaw_error', command=[[0.0, 0.0, 1.0]]) == 0.0
