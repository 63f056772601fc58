"""The reward terms: pure functions of what a control step brought about.

A term returns a figure per robot (num_envs,), positive for what it names; its weight in the
config says whether that is wanted. Kernels ``exp(-error^2 / sigma^2)`` come in pairs, a wide one
that guides from afar and a narrow one that still pays when the error is small (with the wide one
alone, standing still earns most of the reward for a slow command).
"""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Callable, Dict

import torch

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import ConfigError, UnknownNameError
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.backend import CONTACT_FORCE, Truth
from humanoid_locomotion.training.config import RewardConfig

GRAVITY = 9.81  # [m/s^2]
SOFT_LIMIT = 0.9  # share of a joint's range that costs nothing
ASTRAY = 0.2  # what a lasting error is paid for at most [m/s, rad/s]


@dataclass(frozen=True)
class Outcome:
    """What a control step brought about.

    Attributes:
        state: What the robot measures, free of noise.
        truth: What only the simulator knows.
        velocity: (num_envs, 3) horizontal, in the heading frame [m/s], and turning [rad/s].
        command: (num_envs, size) that was in force: the velocity, then further axes in the
            order of the contract's ``command_limits``.
        action: (num_envs, m) that was taken.
        previous_action: (num_envs, m), the one before.
        joint_accelerations: (num_envs, n) [rad/s^2], over the control step.
        phase: (num_envs,) of the gait clock, in [0, 1).
        moving: (num_envs,) 1 where the command asks for walking, else 0.
        caught: (num_envs,) 1 where no kick is to be recovered from, else 0.
        creep: (num_envs, 2, 2) averaged velocity of the soles of who is to stand still [m/s].
        following_error: (num_envs, 3) averaged velocity command less velocity [m/s, m/s, rad/s].
    """

    state: RobotState
    truth: Truth
    velocity: torch.Tensor
    command: torch.Tensor
    action: torch.Tensor
    previous_action: torch.Tensor
    joint_accelerations: torch.Tensor
    phase: torch.Tensor
    moving: torch.Tensor
    caught: torch.Tensor
    creep: torch.Tensor
    following_error: torch.Tensor


class RewardFigures:
    """The config's figures as tensors, per joint where they are per joint."""

    def __init__(self, config: RewardConfig, contract: PolicyContract, robot_mass: float,
                 device: str):
        def tensor(values: object) -> torch.Tensor:
            return torch.as_tensor(values, dtype=torch.float32, device=device)

        self.config = config
        self.default_pose = tensor(contract.values('default'))
        self.pose_weights = tensor(_pose_weights(config, contract))
        lower, upper = contract.values('lower'), contract.values('upper')
        middle, half = 0.5 * (lower + upper), 0.5 * SOFT_LIMIT * (upper - lower)
        self.soft_lower, self.soft_upper = tensor(middle - half), tensor(middle + half)
        self.body_weight = robot_mass * GRAVITY


def _pose_weights(config: RewardConfig, contract: PolicyContract) -> list:
    weights = []
    for name in contract.joint_names:
        matching = [weight for part, weight in config.pose_weights.items() if part in name]
        if not matching:
            raise ConfigError('rewards', 'pose_weights', f'no entry is part of {name!r}')
        weights.append(matching[0])
    return weights


def _kernels(squared_error: torch.Tensor, sigmas: tuple) -> torch.Tensor:
    wide, narrow = (torch.exp(-squared_error / sigma**2) for sigma in sigmas)
    return 0.5 * (wide + narrow)


def track_linear_velocity(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """How well the horizontal velocity follows the command, 0 to 1."""
    error = o.command[:, :2] - o.velocity[:, :2]
    return _kernels(error.square().sum(-1), k.config.linear_velocity_sigma)


def track_yaw_rate(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """How well the turning rate about the vertical follows the command, 0 to 1."""
    return _kernels((o.command[:, 2] - o.velocity[:, 2]).square(), k.config.yaw_rate_sigma)


def lasting_velocity_error(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """How far the averaged horizontal velocity is from the command, within bounds [m/s]."""
    return o.following_error[:, :2].norm(dim=-1).clamp(max=ASTRAY)


def lasting_yaw_error(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """How far the averaged turning rate is from the command, within bounds [rad/s]."""
    return o.following_error[:, 2].abs().clamp(max=ASTRAY)


def alive(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """One, while the episode lasts."""
    return torch.ones_like(o.moving)


def base_height(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """Squared distance of the base from its wanted height [m^2]."""
    return (o.truth.base_position[:, 2] - k.config.base_height).square()


def orientation(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """Squared sine of the base's tilt."""
    gravity = rotations.projected_gravity(o.state.base_orientation)
    return gravity[:, :2].square().sum(-1)


def energy(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """Mechanical power of all joints, braking counted like driving [W]."""
    return (o.truth.joint_torques * o.state.joint_velocities).abs().sum(-1)


def torques(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """Squared torques [N^2 m^2]: what heats the motors even when nothing moves."""
    return o.truth.joint_torques.square().sum(-1)


def joint_accelerations(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """Squared joint accelerations [rad^2/s^4]."""
    return o.joint_accelerations.square().sum(-1)


def vertical_velocity(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """Squared vertical velocity of the base [m^2/s^2]."""
    in_world = rotations.rotate(o.state.base_orientation, o.truth.base_linear_velocity)
    return in_world[:, 2].square()


def roll_pitch_rate(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """Squared roll and pitch rates of the base [rad^2/s^2]."""
    return o.state.base_angular_velocity[:, :2].square().sum(-1)


def action_rate(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """Squared change of the action since the last control step."""
    return (o.action - o.previous_action).square().sum(-1)


def pose(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """Squared deviation from the default pose, weighted joint by joint [rad^2]."""
    deviation = o.state.joint_positions - k.default_pose
    return (k.pose_weights * deviation.square()).sum(-1)


def joint_limits(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """How far joints are beyond nine tenths of their range [rad]."""
    q = o.state.joint_positions
    return ((k.soft_lower - q).clamp(min=0.0) + (q - k.soft_upper).clamp(min=0.0)).sum(-1)


def feet_follow_clock(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """How well the soles' heights follow the gait clock, 0 to 1.

    The left foot swings in the first half of the stride, the right in the second, along
    ``swing_height * sin^2``; standing feet and feet of a standing robot belong on the floor.
    """
    heights = o.truth.sole_positions[:, :, 2]
    error = heights - k.config.swing_height * _swing(o).square()
    return torch.exp(-error.square().sum(-1) / k.config.swing_sigma**2)


def _swing(o: Outcome) -> torch.Tensor:
    """Return (num_envs, 2): sine of each foot's way through its swing, 0 in stance."""
    sine = torch.sin(2.0 * math.pi * o.phase) * o.moving
    return torch.stack((sine.clamp(min=0.0), (-sine).clamp(min=0.0)), -1)


def contact_follows_clock(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """Share of the feet that are on the floor when the clock says stance, off it in swing."""
    on_floor = o.truth.sole_forces > CONTACT_FORCE
    return (on_floor == (_swing(o) <= 0.2)).float().mean(-1)


def feet_slip(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """Speed of the soles while they carry load [m/s]; its square would let slow sliding pass."""
    return o.truth.sole_slips.sum(-1) * o.caught


def low_feet_speed(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """Speed of the soles, the more the lower they are: whole on the floor, none at swing height.

    A foot that is to land slows down and comes from above; one that lands at a run slides, stamps
    and wastes what swung it [m/s].
    """
    lowness = (1.0 - o.truth.sole_positions[:, :, 2] / k.config.swing_height).clamp(0.0, 1.0)
    return (o.truth.sole_velocities[:, :, :2].norm(dim=-1) * lowness).sum(-1)


def feet_tilt(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """Squared sine of the soles' tilt."""
    return o.truth.sole_normals[:, :, :2].square().sum((-1, -2))


def feet_too_close(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """How much closer than wanted the feet are, sideways [m]."""
    apart = o.truth.sole_positions[:, 0] - o.truth.sole_positions[:, 1]
    sideways = rotations.in_heading_frame(o.state.base_orientation, apart)[:, 1]
    return (k.config.feet_distance - sideways).clamp(min=0.0)


def hard_landing(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """Load on the feet beyond what a soft step at the commanded speed needs [body weights]."""
    speed = o.command[:, :2].norm(dim=-1)
    allowed = (k.config.landing_force_per_speed * speed).clamp(min=k.config.landing_force)
    beyond = (o.truth.peak_sole_forces / k.body_weight - allowed[:, None]).clamp(0.0, 2.0)
    return beyond.sum(-1) * o.caught


def restless_standing(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """Joint speed and horizontal drift while asked to stand [rad^2/s^2]."""
    joints = o.state.joint_velocities.square().mean(-1)
    drift = o.velocity[:, :2].square().sum(-1)
    return (joints + 10.0 * drift).clamp(max=10.0) * (1.0 - o.moving) * o.caught


def odd_standing(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """Distance of the joints from the default pose while asked to stand [rad]."""
    deviation = (o.state.joint_positions - k.default_pose).abs().mean(-1)
    return deviation * (1.0 - o.moving)


def creeping_standing(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """Averaged speed of the soles while asked to stand [m/s].

    Each pays for ``creep_limit`` at most, and half of that at that speed: a robot that shuffles
    must stay worth more than one that falls, and less shuffling worth more than more of it.
    """
    return _bounded(o.creep.norm(dim=-1), k).sum(-1)


def drifting_standing(o: Outcome, k: RewardFigures) -> torch.Tensor:
    """Averaged speed of the base while asked to stand [m/s], bounded like that of a sole.

    Over feet that stay where they are a base sways to rest for seconds, millimetre by millimetre.
    """
    return _bounded(o.following_error[:, :2].norm(dim=-1), k) * (1.0 - o.moving)


def _bounded(speed: torch.Tensor, k: RewardFigures) -> torch.Tensor:
    return speed / (1.0 + speed / k.config.creep_limit)


Reward = Callable[[Outcome, RewardFigures], torch.Tensor]
REWARDS: Dict[str, Reward] = {term.__name__: term for term in (
    track_linear_velocity, track_yaw_rate, lasting_velocity_error, lasting_yaw_error, alive,
    base_height, orientation, energy, torques, joint_accelerations, vertical_velocity,
    roll_pitch_rate, action_rate, pose, joint_limits, feet_follow_clock, contact_follows_clock,
    feet_slip, low_feet_speed, feet_tilt, feet_too_close, hard_landing, restless_standing,
    odd_standing, creeping_standing, drifting_standing)}


def register_reward(term: Reward) -> Reward:
    """Make a function a reward of its name, which a config can weigh; a decorator.

    Raises:
        ConfigError: There is a reward of that name already.
    """
    if term.__name__ in REWARDS:
        raise ConfigError('register_reward', term.__name__, 'the name is taken, choose another')
    REWARDS[term.__name__] = term
    return term


class RewardSum:
    """Adds the weighted terms up.

    Attributes:
        names: The terms, in the order of :meth:`terms`.

    Args:
        penalty_factor: () factor on all terms of negative weight; read in each step.
    """

    def __init__(self, figures: RewardFigures, control_period: float,
                 penalty_factor: torch.Tensor):
        weights = figures.config.weights
        for name in weights:
            if name not in REWARDS:
                raise UnknownNameError('reward', name, REWARDS)
        self.names = [name for name, weight in weights.items() if weight != 0.0]
        self._figures = figures
        self._weights = torch.tensor(
            [weights[name] * control_period for name in self.names],
            device=penalty_factor.device)
        self._penalty_factor = penalty_factor

    def terms(self, outcome: Outcome) -> torch.Tensor:
        """Return every term times its weight, (num_envs, terms)."""
        values = torch.stack([REWARDS[name](outcome, self._figures) for name in self.names], -1)
        weights = torch.where(
            self._weights < 0.0, self._weights * self._penalty_factor, self._weights)
        return values * weights
