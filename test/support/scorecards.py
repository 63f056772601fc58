# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A scorecard that passes and what it is made of, and a protocol of seconds."""

from __future__ import annotations

from dataclasses import replace

from humanoid_locomotion.evaluation.protocol import COMMANDS, FULL, QUICK
from humanoid_locomotion.evaluation.scorecard import (
    Disturbed,
    Economy,
    Measurements,
    PushLadder,
    Response,
    Rung,
    Setting,
    Standing,
    Tour,
)

TINY = replace(QUICK, commands=((0.5, 0.0, 0.0), (0.0, 0.0, 0.5)), command_runs=1,
               economy_runs=1, slow_speeds=(0.1,), standing_runs=2, push_speeds=(0.5, 3.0),
               push_runs=2, tour_runs=2, tour_time=3.0, tour_command_time=1.5,
               tour_push_time=0.8, situation_runs=1, settle_time=1.0, measure_time=2.0,
               push_window=0.3, survive_time=1.5, joint_noise=0.02, longest_timestep=0.004,
               solver_iterations=10)
FAKE = replace(TINY, simulator='fake')
SETTING = Setting(
    protocol=2, quick=False, seed=0, policy='sample', fingerprint='0' * 16, robot='humanoid',
    model_hash_matches=True, simulator='mujoco', versions={'mujoco': '3.0.0'}, timestep=0.002,
    control_period=0.02, wall_time=12.3)


def response(command, answered=True):
    """Give a response that is close to its command."""
    return Response(command=command, velocity=tuple(0.98 * c for c in command),
                    linear_error=0.02, yaw_error=0.02, linear_rms=0.1, yaw_rms=0.1, runs=8,
                    falls=0, answered=answered)


def ladder(name, weak=(3.0, 3.5), survived=6):
    """Give a ladder whose upper rungs break."""
    return PushLadder(name=name, walking_speed=0.5, score=0.9, rungs=tuple(
        Rung(speed=speed, runs=10, survived=survived if speed in weak else 10)
        for speed in FULL.push_speeds))


def economy(speed):
    """Give what a sound walk costs."""
    return Economy(command=speed, speed=0.98 * speed, falls=0, cost_of_transport=0.4,
                   peak_torque_share=0.6, foot_slip=0.03, target_rate=2.0, feet_force=1.5)


TOUR = Tour(runs=16, falls=2, time=60.0, time_up=52.0, linear_rms=0.2)
GOOD = Measurements(
    responses=tuple(response(command) for command in COMMANDS),
    mean_linear_error=0.04, mean_yaw_error=0.02, dead_zone=0.05,
    standing=Standing(runs=32, falls=0, drift_mean=0.01, drift_max=0.03, yaw_drift_mean=0.01,
                      yaw_drift_max=0.02),
    pushes=(ladder('standing, sideways'), ladder('walking, fore and aft')),
    economy=(economy(0.5), economy(1.0)), own_arms=TOUR, led_arms=TOUR,
    situations=tuple(Disturbed(name=s.name, runs=3, falls=0, linear_error=0.05)
                     for s in FULL.situations),
    ice=Disturbed(name=FULL.ice.name, runs=3, falls=0, linear_error=0.05))
