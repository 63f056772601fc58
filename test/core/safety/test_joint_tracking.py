# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A motor that does what the PD law asks shows no error, whatever it carries; a dead one does."""

import numpy as np
import policy_factory
import pytest

from humanoid_locomotion.core.safety.joint_tracking import DELAYS, MEAN_OVER, Encoders, Tracking

CONTRACT = policy_factory.make_contract()
KNEE = CONTRACT.joint_names.index('left_knee')
N, PERIOD = CONTRACT.num_actions, CONTRACT.control_period
KP, KD, EFFORT = (CONTRACT.values(key) for key in ('kp', 'kd', 'effort'))


def walk(torque, delay=0, age=0.0, seconds=2.0, speed=0.0):
    """Give the tracking of joints whose targets swing, and whose torque is a function.

    Args:
        torque: Of the target in effect, position and velocity; None to measure none.
        delay: Control periods until a target is in effect.
        age: Of the measurements [s].
        seconds: How long.
        speed: Of all joints [rad/s].
    """
    tracking, sent = Tracking(CONTRACT), [np.zeros(N)] * 60
    old = round(age / PERIOD)
    for step in range(round(seconds / PERIOD)):
        q, dq = np.full(N, 0.1), np.full(N, speed)
        torques = None if torque is None else torque(sent[-1 - delay - old], q, dq)
        tracking.look(q, dq, torques, age)
        sent.append(0.1 + 0.3 * np.sin(8.0 * step * PERIOD + np.arange(N)))
        tracking.follow(sent[-1].astype(np.float32))
    return tracking


def pd(target, q, dq):
    """Give the PD law's torque, clipped."""
    return np.clip(KP * (target - q) - KD * dq, -EFFORT, EFFORT)


@pytest.mark.parametrize('delay', range(DELAYS))
@pytest.mark.parametrize('age', [0.0, 0.02, 0.04])
def test_the_pd_law_shows_no_error_at_any_delay(delay, age):
    """Of the bus, and of the measurement on top."""
    tracking = walk(pd, delay, age)
    assert tracking.torque_error.max() < 1e-3 * EFFORT.min()


def test_a_dead_motor_is_off_by_most_of_what_is_asked():
    def torque(target, q, dq):
        torques = pd(target, q, dq)
        torques[KNEE] = 0.0
        return torques
    tracking = walk(torque)
    off = tracking.torque_error / (0.1 * EFFORT + 2.0)
    assert off[KNEE] > 1.0 and np.delete(off, KNEE).max() < 0.01


def test_a_motor_that_gets_another_joints_target_is_off():
    order = np.roll(np.arange(N), 1)
    tracking = walk(lambda target, q, dq: pd(target[order], q, dq))
    assert (tracking.torque_error > 0.1 * EFFORT).mean() > 0.5


def test_nothing_is_judged_before_enough_targets_or_with_old_measurements():
    """What was in effect then is not known."""
    short = walk(lambda *_: np.full(N, 1e3), seconds=DELAYS * PERIOD)
    old = walk(lambda *_: np.full(N, 1e3), age=1.0, seconds=1.0)
    assert short.torque_error.max() == old.torque_error.max() == 0.0


def test_forgetting_begins_anew():
    tracking = walk(lambda *_: np.full(N, 1e3))
    assert tracking.torque_error.max() > 0.0
    tracking.forget()
    tracking.look(np.zeros(N), np.zeros(N), np.full(N, 1e3), 0.0)
    assert tracking.torque_error.max() == tracking.asked_torque.max() == 0.0


def test_a_joint_gives_way_against_the_torque_that_is_asked():
    """Not along it: a joint that moves towards its target does not."""
    tracking = Tracking(CONTRACT)
    for speed, lost in ((-3.0, True), (3.0, False)):
        tracking.forget()
        for _ in range(100):
            tracking.look(np.zeros(N), np.full(N, speed), None, 0.0)
            tracking.follow(np.full(N, 5.0, np.float32))
        assert (tracking.giving_way > 1.1).all() == lost
        assert (tracking.giving_way < 0.0).all() != lost


def measure(encoders, seconds, offset=lambda t: 0.0, rate=200.0, lag=0.0):
    """Take in a joint that swings by 0.5 rad at 1 Hz, with an offset; give the largest slip."""
    worst = 0.0
    for step in range(round(seconds * rate)):
        t, w = step / rate, 2.0 * np.pi
        encoders.take(np.array([0.5 * np.sin(w * t) + offset(t)]),
                      np.array([0.5 * w * np.cos(w * (t - lag))]), t)
        worst = max(worst, abs(float(encoders.slip[0])))
    return worst


def test_a_motion_is_no_slip_though_its_velocity_comes_a_little_late():
    assert measure(Encoders(1), 3.0) < 0.001
    assert measure(Encoders(1), 3.0, rate=50.0) < 0.01
    assert measure(Encoders(1), 3.0, lag=0.01) < 0.06


def test_a_jump_is_a_slip_and_fades():
    encoders = Encoders(1)
    assert measure(encoders, 1.05, lambda t: 0.3 * (t >= 1.0)) == pytest.approx(0.3, abs=0.01)
    assert abs(encoders.slip[0]) > 0.2
    encoders = Encoders(1)
    measure(encoders, 1.0 + 5.0 * MEAN_OVER, lambda t: 0.3 * (t >= 1.0))
    assert abs(encoders.slip[0]) < 0.01


def test_one_wrong_measurement_that_is_taken_back_leaves_nothing():
    encoders = Encoders(1)
    measure(encoders, 1.1, lambda t: 0.3 * (1.0 <= t < 1.004))
    assert abs(encoders.slip[0]) < 0.01


def test_the_first_measurement_and_one_after_a_gap_are_no_slip():
    """What happened in between is not known."""
    encoders = Encoders(1)
    encoders.take(np.array([2.0]), np.array([0.0]), 5.0)
    encoders.take(np.array([1.0]), np.array([0.0]), 5.5)
    encoders.take(np.array([9.0]), np.array([0.0]), 5.5)
    assert encoders.slip[0] == 0.0
