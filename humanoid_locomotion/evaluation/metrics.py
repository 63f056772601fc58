# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Metrics of a :class:`Recording`: pure functions, one value per robot unless stated otherwise."""

from __future__ import annotations

import numpy as np

from humanoid_locomotion.core.arrays import Array
from humanoid_locomotion.core.robot import GRAVITY
from humanoid_locomotion.core.state import is_down
from humanoid_locomotion.evaluation.runner import Recording

# A foot with a contact force above this share of the robot's weight is on the floor.
CONTACT_SHARE = 0.05


def fallen(recording: Recording, height: float, tilt: float) -> Array:
    """Return, after every step, whether each robot has fallen by then. (steps, num_envs) bool.

    A robot falls when its base is lower than ``height`` [m] or tilted by more than ``tilt``
    [rad], or when its state is not a number. From then on it counts as fallen.
    """
    down = is_down(recording.positions[..., 2], recording.tilts, height, tilt)
    return np.logical_or.accumulate(down, axis=0)


def survived(has_fallen: Array, kick_step: Array, steps: int) -> Array:
    """Return whether each robot was still up ``steps`` control steps after its kick.

    Args:
        has_fallen: (steps, num_envs) bool, from :func:`fallen`. A robot that fell before its
            kick has not survived it.
        kick_step: (num_envs,) The control step that follows the kick.
        steps: Number of control steps that it must stay up.

    Returns:
        (num_envs,) bool.
    """
    last = kick_step + steps - 1
    return ~has_fallen[last, np.arange(has_fallen.shape[1])]


def time_up(has_fallen: Array, period: float) -> Array:
    """Return the time that each robot stayed up [s]; the whole duration if it never fell."""
    return (~has_fallen).sum(axis=0) * period


def mean_velocity(recording: Recording) -> Array:
    """Return the mean velocity (num_envs, 3) in the heading frame [m/s, m/s, rad/s]."""
    return recording.velocities.mean(axis=0)


def tracking_error(recording: Recording) -> Array:
    """Return the distance between the mean velocity and the mean command of each robot.

    Returns:
        (num_envs, 2): linear [m/s], turning [rad/s]. The sway within a stride averages out.
    """
    difference = (recording.velocities - recording.commands).mean(axis=0)
    return np.stack([np.linalg.norm(difference[:, :2], axis=1), np.abs(difference[:, 2])], 1)


def answered(velocity: Array, command: Array, share: float) -> bool:
    """Return whether a mean velocity (3,) follows a command (3,).

    The error may be at most ``share`` of the command. This is checked for the horizontal velocity
    and for the yaw rate, each only if its command is not 0.
    """
    error = np.asarray(velocity) - np.asarray(command)
    parts = ((np.linalg.norm(error[:2]), np.linalg.norm(command[:2])),
             (abs(error[2]), abs(command[2])))
    return all(missing <= share * asked + 1e-9 for missing, asked in parts if asked > 0.0)


def tracking_rms(recording: Recording) -> Array:
    """Return the root mean square of the instantaneous velocity error, sway included.

    Returns:
        (num_envs, 2): linear [m/s], turning [rad/s].
    """
    squares = ((recording.velocities - recording.commands) ** 2).mean(axis=0)
    return np.sqrt(np.stack([squares[:, 0] + squares[:, 1], squares[:, 2]], 1))


def path(recording: Recording) -> Array:
    """Return the position of each robot relative to its start, (steps, num_envs, 2) [m].

    The axes are forward and left of the robot's heading at the first step.
    """
    moved = recording.positions[..., :2] - recording.positions[:1, :, :2]
    cos, sin = np.cos(recording.yaws[0]), np.sin(recording.yaws[0])
    forward = cos * moved[..., 0] + sin * moved[..., 1]
    return np.stack([forward, cos * moved[..., 1] - sin * moved[..., 0]], -1)


def drift(recording: Recording) -> Array:
    """Return the largest horizontal distance of each robot from its start [m]."""
    return np.linalg.norm(path(recording), axis=-1).max(axis=0)


def yaw_drift(recording: Recording) -> Array:
    """Return the largest turn of each robot from its first heading [rad]; it may exceed pi."""
    turned = np.unwrap(recording.yaws, axis=0)
    return np.abs(turned - turned[0]).max(axis=0)


def cost_of_transport(recording: Recording, mass: float) -> Array:
    """Return the mechanical energy per weight and distance, sum |torque * speed| / (m g v).

    Args:
        recording: A steady walk; v is its mean horizontal speed.
        mass: Mass of the robot [kg].

    Returns:
        (num_envs,), infinite for a robot that did not move.
    """
    power = np.abs(recording.joint_torques * recording.joint_velocities).sum(-1).mean(0)
    speed = np.linalg.norm(mean_velocity(recording)[:, :2], axis=1)
    with np.errstate(divide='ignore'):
        return power / (mass * GRAVITY * speed)


def peak_torque_share(recording: Recording, effort: Array) -> Array:
    """Return the largest share of ``effort`` (num_joints,) [Nm] that any joint used."""
    return (np.abs(recording.joint_torques) / effort).max(axis=(0, 2))


def target_rate(recording: Recording, joints: Array, control_period: float) -> Array:
    """Return the root mean square rate of change of joint targets [rad/s], over joints and time.

    Args:
        recording: One row per control step or per physics step.
        joints: (num_joints,) bool, the joints that count.
        control_period: Time between two changes of the targets [s].
    """
    every = round(control_period / recording.period)
    change = np.diff(recording.joint_targets[::every, :, joints], axis=0) / control_period
    return np.sqrt(np.square(change).mean(axis=(0, 2)))


def foot_slip(recording: Recording, mass: float) -> Array:
    """Return the mean horizontal speed of the soles while they carry weight [m/s].

    It is 0 if the feet never touch the floor. ``mass`` is the mass of the robot [kg].
    """
    touching = recording.sole_forces > CONTACT_SHARE * mass * GRAVITY
    speeds = np.where(touching, recording.sole_speeds, 0.0).sum(axis=(0, 2))
    return speeds / np.maximum(touching.sum(axis=(0, 2)), 1)


def feet_force(recording: Recording, mass: float) -> Array:
    """Return the contact force of both feet together that 99.5 % of the time is not exceeded.

    In body weights; ``mass`` in [kg].
    """
    return np.percentile(recording.sole_forces.sum(axis=2), 99.5, axis=0) / (mass * GRAVITY)
