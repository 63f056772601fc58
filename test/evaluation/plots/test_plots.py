# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every figure of merit in worked numbers."""

from __future__ import annotations

import numpy as np
import pytest
from recordings import PERIOD, recording

from humanoid_locomotion.evaluation import metrics


def test_a_fall_is_low_or_tilted_and_lasts():
    heights = np.array([[0.9, 0.9, 0.9], [0.9, 0.49, 0.9], [0.9, 0.9, 0.9]])
    positions = np.stack([0 * heights, 0 * heights, heights], -1)
    tilts = np.array([[0.79, 0.0, 0.0], [0.5, 0.0, 0.0], [0.5, 0.0, 0.81]])
    seen = recording(3, 3, positions=positions, tilts=tilts)
    assert metrics.fallen(seen, height=0.5, tilt=0.8).tolist() == [
        [False, False, False], [False, True, False], [False, True, True]]


def test_a_robot_that_is_not_a_number_has_fallen():
    seen = recording(2, 2)
    seen.positions[1, 0, 2] = seen.tilts[1, 1] = np.nan
    assert metrics.fallen(seen, 0.5, 0.8)[-1].tolist() == [True, True]


def test_survival_looks_at_the_time_after_the_kick():
    fallen = np.zeros((10, 4), bool)
    fallen[6:, 0] = True   # falls at step 6: within 4 steps of a kick before step 3
    fallen[7:, 1] = True   # falls at step 7: the first step that is not looked at
    fallen[1:, 2] = True   # fell before the kick, which it therefore did not survive
    kick_step = np.array([3, 3, 3, 6])
    assert metrics.survived(fallen, kick_step, steps=4).tolist() == [False, True, False, True]


def test_time_up_ends_with_the_fall():
    fallen = np.zeros((100, 2), bool)
    fallen[30:, 1] = True
    assert metrics.time_up(fallen, 0.02) == pytest.approx([2.0, 0.6])


@pytest.mark.parametrize('command, velocity, yes', [
    ((0.1, 0.0, 0.0), (0.06, 0.0, 0.3), True),   # turning was not asked for
    ((0.1, 0.0, 0.0), (0.04, 0.0, 0.0), False),
    ((0.1, 0.0, 0.0), (0.16, 0.0, 0.0), False),  # too much is not an answer either
    ((0.0, 0.3, 0.0), (0.2, 0.3, 0.0), False),   # nor is going elsewhere besides
    ((0.0, 0.0, -0.5), (0.3, 0.0, -0.25), True),
    ((0.5, 0.2, 0.3), (0.5, 0.2, 0.1), False)])
def test_a_command_is_answered_by_half_of_it(command, velocity, yes):
    assert metrics.answered(np.array(velocity), np.array(command), 0.5) is yes


def test_tracking_is_judged_by_the_mean_velocity():
    # Swaying by 0.1 around 0.4 while 0.5 is asked: 0.1 off on average.
    velocities = np.array([[0.5, 0.2, 0.3], [0.3, -0.2, 0.5]])[:, None]
    seen = recording(2, commands=[0.5, 0.0, 0.2], velocities=velocities)
    assert metrics.mean_velocity(seen)[0] == pytest.approx([0.4, 0.0, 0.4])
    assert metrics.tracking_error(seen)[0] == pytest.approx([0.1, 0.2])
    # Momentary errors: (0, 0.2) and (-0.2, -0.2), so sqrt((0.04 + 0.08) / 2); 0.1 and 0.3.
    assert metrics.tracking_rms(seen)[0] == pytest.approx([np.sqrt(0.06), np.sqrt(0.05)])


def test_errors_of_robots_do_not_cancel():
    seen = recording(2, 2, velocities=np.array([[0.6, 0, 0], [0.4, 0, 0]]),
                     commands=[0.5, 0.0, 0.0])
    assert metrics.tracking_error(seen)[:, 0] == pytest.approx([0.1, 0.1])


def test_drift_is_the_farthest_point_whatever_the_end():
    positions = np.array([[1.0, 1.0, 0.9], [1.3, 1.4, 0.9], [1.0, 1.1, 0.5], [1.0, 1.0, 0.9]])
    assert metrics.drift(recording(4, positions=positions[:, None]))[0] == pytest.approx(0.5)


def test_paths_are_seen_from_the_first_heading():
    positions = np.array([[2.0, 3.0, 0.9], [2.0, 4.0, 0.9]])[:, None]
    facing_left = recording(2, positions=positions, yaws=np.pi / 2)
    assert metrics.path(facing_left)[1, 0] == pytest.approx([1.0, 0.0])


def test_yaw_drift_goes_through_the_half_turn():
    yaws = np.array([3.1, -3.1, -3.0, 3.1])[:, None]
    drift = metrics.yaw_drift(recording(4, yaws=yaws))[0]
    assert drift == pytest.approx(2 * np.pi - 6.1)


def test_cost_of_transport():
    # 10 Nm * 3 rad/s + 5 Nm * 4 rad/s = 50 W; 50 / (10 kg * 9.81 m/s^2 * 0.5 m/s).
    seen = recording(joint_torques=[10.0, -5.0], joint_velocities=[3.0, 4.0],
                     velocities=[0.3, 0.4, 0.0])
    assert metrics.cost_of_transport(seen, mass=10.0)[0] == pytest.approx(50 / 49.05)


def test_going_nowhere_costs_infinitely_much():
    seen = recording(joint_torques=1.0, joint_velocities=1.0)
    assert np.isinf(metrics.cost_of_transport(seen, mass=10.0)[0])


def test_peak_torque_is_a_share_of_each_joints_effort():
    torques = np.zeros((4, 1, 2))
    torques[1, 0] = [30.0, -8.0]
    torques[2, 0] = [-40.0, 1.0]
    peak = metrics.peak_torque_share(recording(joint_torques=torques), np.array([100.0, 10.0]))
    assert peak[0] == pytest.approx(0.8)


@pytest.mark.parametrize('substeps', [1, 4])
def test_the_target_rate_is_a_root_mean_square_over_the_chosen_joints(substeps):
    targets = np.array([[0.0, 0.0, 0.0], [0.02, 0.0, 9.0], [0.0, 0.0, -9.0]])[:, None]
    # Of the first two joints one moves by 0.02 rad in every control step; the third is an arm.
    seen = recording(3 * substeps, joints=3, joint_targets=np.repeat(targets, substeps, axis=0))
    control_period = substeps * PERIOD
    rate = metrics.target_rate(seen, np.array([True, True, False]), control_period)
    assert rate[0] == pytest.approx(np.sqrt(0.5) * 0.02 / control_period)


def test_only_feet_that_carry_weight_can_slip():
    # 5 % of 10 kg * 9.81 m/s^2 is 4.9 N.
    forces = np.array([[50.0, 4.0], [50.0, 50.0]])[:, None]
    speeds = np.array([[0.1, 9.0], [0.2, 0.3]])[:, None]
    seen = recording(2, sole_forces=forces, sole_speeds=speeds)
    assert metrics.foot_slip(seen, mass=10.0)[0] == pytest.approx((0.1 + 0.2 + 0.3) / 3)
    assert metrics.foot_slip(recording(2, sole_speeds=1.0), mass=10.0)[0] == 0.0


def test_the_force_is_that_of_both_feet_without_the_hardest_200th_of_the_time():
    forces = np.full((1001, 1, 2), [49.05, 49.05])
    forces[:7, :, 0] = 147.15  # 0.7 % of the time, 200 N on both feet
    forces[7] = 1e4            # and once much more
    seen = recording(1001, sole_forces=forces)
    assert metrics.feet_force(seen, mass=10.0)[0] == pytest.approx(2.0)
    seen.sole_forces[:7, :, 0] = 49.05
    assert metrics.feet_force(seen, mass=10.0)[0] == pytest.approx(1.0)


def test_a_recording_is_cut_by_time_and_by_robot():
    seen = recording(10, 3, positions=np.arange(10.0)[:, None, None], yaws=[0.0, 1.0, 2.0])
    cut = seen.between(0.04, 0.1).robots(slice(1, 3))
    assert cut.positions[:, 0, 0].tolist() == [2.0, 3.0, 4.0] and cut.period == PERIOD
    assert cut.yaws[0].tolist() == [1.0, 2.0]
