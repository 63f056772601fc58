"""Figures of merit: pure functions of a :class:`Recording`, one value per robot unless said."""

from __future__ import annotations

import numpy as np

from humanoid_locomotion.core.arrays import Array
from humanoid_locomotion.core.robot import GRAVITY
from humanoid_locomotion.core.state import is_down
from humanoid_locomotion.evaluation.runner import Recording

# A foot that presses with more than this share of the robot's weight is on the floor.
CONTACT_SHARE = 0.05


def fallen(recording: Recording, height: float, tilt: float) -> Array:
    """Return, after every step, whether each robot has fallen by then. (steps, num_envs) bool.

    A robot falls when its base is lower than ``height`` [m] or tilted by more than ``tilt``
    [rad], or when the simulator lost it (not a number). Once fallen, it stays fallen.
    """
    down = is_down(recording.positions[..., 2], recording.tilts, height, tilt)
    return np.logical_or.accumulate(down, axis=0)


def survived(has_fallen: Array, kick_step: Array, steps: int) -> Array:
    """Return whether each robot was still up ``steps`` control steps after its kick.

    Args:
        has_fallen: (steps, num_envs) bool, as from :func:`fallen`. A robot that was down
            before its kick has not survived it.
        kick_step: (num_envs,) The step before which the kick came.
        steps: How long it must stay up.

    Returns:
        (num_envs,) bool.
    """
    last = kick_step + steps - 1
    return ~has_fallen[last, np.arange(has_fallen.shape[1])]


def time_up(has_fallen: Array, period: float) -> Array:
    """Return how long each robot stayed up [s], all of the time if it never fell."""
    return (~has_fallen).sum(axis=0) * period


def mean_velocity(recording: Recording) -> Array:
    """Return the mean velocity (num_envs, 3) in the heading frame [m/s, m/s, rad/s]."""
    return recording.velocities.mean(axis=0)


def tracking_error(recording: Recording) -> Array:
    """Return how far each robot's mean velocity is from its mean command.

    Returns:
        (num_envs, 2): linear [m/s], turning [rad/s]. The sway of every stride averages out.
    """
    difference = (recording.velocities - recording.commands).mean(axis=0)
    return np.stack([np.linalg.norm(difference[:, :2], axis=1), np.abs(difference[:, 2])], 1)


def answered(velocity: Array, command: Array, share: float) -> bool:
    """Tell whether a command (3,) was followed by a mean velocity (3,).

    What is missing, or too much, may be at most ``share`` of what was asked, over the floor and
    in turning, each where it was asked for.
    """
    error = np.asarray(velocity) - np.asarray(command)
    parts = ((np.linalg.norm(error[:2]), np.linalg.norm(command[:2])),
             (abs(error[2]), abs(command[2])))
    return all(missing <= share * asked + 1e-9 for missing, asked in parts if asked > 0.0)


def tracking_rms(recording: Recording) -> Array:
    """Return the root mean square of the momentary error, sway included.

    Returns:
        (num_envs, 2): linear [m/s], turning [rad/s].
    """
    squares = ((recording.velocities - recording.commands) ** 2).mean(axis=0)
    return np.sqrt(np.stack([squares[:, 0] + squares[:, 1], squares[:, 2]], 1))


def path(recording: Recording) -> Array:
    """Return where each robot went from where it began, (steps, num_envs, 2) [m].

    Forward and left are those of the robot's heading at the first step.
    """
    moved = recording.positions[..., :2] - recording.positions[:1, :, :2]
    cos, sin = np.cos(recording.yaws[0]), np.sin(recording.yaws[0])
    forward = cos * moved[..., 0] + sin * moved[..., 1]
    return np.stack([forward, cos * moved[..., 1] - sin * moved[..., 0]], -1)


def drift(recording: Recording) -> Array:
    """Return the farthest each robot was from where it began, over the floor [m]."""
    return np.linalg.norm(path(recording), axis=-1).max(axis=0)


def yaw_drift(recording: Recording) -> Array:
    """Return the farthest each robot turned from its first heading, full turns kept [rad]."""
    turned = np.unwrap(recording.yaws, axis=0)
    return np.abs(turned - turned[0]).max(axis=0)


def cost_of_transport(recording: Recording, mass: float) -> Array:
    """Return the mechanical energy per weight and distance, sum |torque * speed| / (m g v).

    Args:
        recording: A steady walk; v is its mean speed over the floor.
        mass: Mass of the robot [kg].

    Returns:
        (num_envs,), infinite for a robot that went nowhere.
    """
    power = np.abs(recording.joint_torques * recording.joint_velocities).sum(-1).mean(0)
    speed = np.linalg.norm(mean_velocity(recording)[:, :2], axis=1)
    with np.errstate(divide='ignore'):
        return power / (mass * GRAVITY * speed)


def peak_torque_share(recording: Recording, effort: Array) -> Array:
    """Return the largest share of its ``effort`` (num_joints,) [Nm] that a joint ever used."""
    return (np.abs(recording.joint_torques) / effort).max(axis=(0, 2))


def action_rate(recording: Recording) -> Array:
    """Return how fast joint targets change, mean over joints and time [rad/s]."""
    change = np.abs(np.diff(recording.joint_targets, axis=0))
    return change.mean(axis=(0, 2)) / recording.period


def foot_slip(recording: Recording, mass: float) -> Array:
    """Return the mean horizontal speed of soles while they carry weight [m/s].

    Zero for a robot of ``mass`` [kg] whose feet never touch the floor.
    """
    touching = recording.sole_forces > CONTACT_SHARE * mass * GRAVITY
    speeds = np.where(touching, recording.sole_speeds, 0.0).sum(axis=(0, 2))
    return speeds / np.maximum(touching.sum(axis=(0, 2)), 1)


def peak_force(recording: Recording, mass: float) -> Array:
    """Return the hardest that a foot of a robot of ``mass`` [kg] ever pressed [body weights]."""
    return recording.sole_forces.max(axis=(0, 2)) / (mass * GRAVITY)
