# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The schema and the defaults of training configs; the recipes are in ``config/training``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Dict, Mapping, Optional, Tuple

from humanoid_locomotion.core.command import CommandSpec, GaitSpec
from humanoid_locomotion.core.contract import (
    ACTION_MODES,
    ObservationSpec,
    PolicyContract,
    TermSpec,
    contract_for,
)
from humanoid_locomotion.core.errors import ConfigError, UnknownNameError
from humanoid_locomotion.core.feedback.velocity_feedback import IntegralSpec, LinearLoopSpec
from humanoid_locomotion.core.reading.config import read_value, to_mapping
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.terms import LAYOUTS
from humanoid_locomotion.sim.backend import IsaacGymSpec, PhysicsSpec, TerrainSpec
from humanoid_locomotion.sim.disturbances import SensorNoise
from humanoid_locomotion.training.config_checks import (
    Range,
    check_counts,
    check_finite,
    check_not_negative,
    check_positive,
    check_ranges,
    check_shares,
)
from humanoid_locomotion.training.randomization_config import RandomizationConfig

MAX_ROBOTS = 65_536  # in one process
MAX_WIDTH = 16_384  # of a hidden layer


@dataclass(frozen=True)
class ObservationConfig:
    """The actor's observation.

    Attributes:
        layout: A key of :data:`humanoid_locomotion.core.terms.LAYOUTS`; with ``terms``, any name.
        history: Number of control steps that are concatenated.
        terms: The terms of a new layout, in order; None for an existing layout.
        joints: Joints whose positions and velocities are observed, in order; None for all.
    """

    layout: str = 'proprioceptive_clock'
    history: int = 1
    terms: Optional[Tuple[TermSpec, ...]] = None
    joints: Optional[Tuple[str, ...]] = None

    def spec(self) -> ObservationSpec:
        """Return the terms of the layout."""
        if self.terms is None and self.layout not in LAYOUTS:
            raise UnknownNameError('observation layout', self.layout, LAYOUTS)
        terms = LAYOUTS[self.layout] if self.terms is None else self.terms
        return ObservationSpec(self.layout, terms, self.history, self.joints)


@dataclass(frozen=True)
class ActionConfig:
    """The meaning of an action.

    Attributes:
        mode: ``default_offset`` or ``joint_range``.
        scale: Change of the joint target for an action of one, as a share of ``effort / kp``.
        max_delay: Largest delay of the joint targets [control steps]; sampled per episode.
    """

    mode: str = 'default_offset'
    scale: float = 0.35
    max_delay: int = 1

    def __post_init__(self) -> None:
        if self.mode not in ACTION_MODES:
            raise ValueError(f'mode: expected one of {list(ACTION_MODES)}, found {self.mode!r}')
        if self.max_delay < 0:
            raise ValueError(f'max_delay must be 0 or more, found {self.max_delay}')


@dataclass(frozen=True)
class CommandConfig:
    """The sampling of commands, see :mod:`humanoid_locomotion.training.env.commands`.

    Attributes:
        limits: The axes and the ranges they are sampled from; also those of the contract.
        resample_period: Shortest and longest time between two samples [s].
        standing_share: Share of samples that ask for standing.
        straight_share: Share of samples that ask for forward velocity only.
        turning_share: Share of samples that ask for turning on the spot only.
        slow_share: Share of samples that are multiplied by a factor of 0.1 to 0.4.
        rest_share: Share of samples whose set-points, such as a base height, are those at rest.
    """

    limits: CommandSpec = field(default_factory=lambda: CommandSpec.of(
        lin_vel_x=(-0.5, 1.0), lin_vel_y=(-0.4, 0.4), ang_vel_z=(-0.8, 0.8)))
    resample_period: Range = (3.0, 8.0)
    standing_share: float = 0.15
    straight_share: float = 0.2
    turning_share: float = 0.1
    slow_share: float = 0.0
    rest_share: float = 0.0

    def __post_init__(self) -> None:
        check_ranges(self, 'resample_period')
        shares = (self.standing_share, self.straight_share, self.turning_share)
        if min(shares) < 0.0 or sum(shares) > 1.0:
            raise ValueError('standing_share, straight_share and turning_share must be 0 or more '
                             f'and add up to at most 1, found {shares}')
        check_shares(self, 'slow_share', 'rest_share')


@dataclass(frozen=True)
class RewardWeight:
    """A reward term with its weight and parameters; in YAML a number, or a mapping.

    Attributes:
        weight: Weight per second.
        term: Name of the term, see :func:`register_reward`; empty if its key in the config is
            the name.
        parameters: All parameters of the term.
    """

    weight: float
    term: str = ''
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_value(cls, value: Any, source: object, at: str) -> RewardWeight:
        """Read ``2.0``, or ``{weight: 2.0, term: NAME, PARAMETER: ...}``.

        Raises:
            ConfigError: The term does not exist, or a parameter is invalid.
        """
        from humanoid_locomotion.training.env.rewards import REWARDS
        given = dict(value) if isinstance(value, Mapping) else {'weight': value}
        if 'weight' not in given:
            raise ConfigError(source, at, "missing keys ['weight']; a term is a number, or a "
                              'mapping of weight, term and parameters')
        weight = read_value(float, given.pop('weight'), source, f'{at}.weight' if given else at)
        term = read_value(str, given.pop('term', ''), source, f'{at}.term')
        name = term or at.rpartition('.')[2]
        if name not in REWARDS:
            raise ConfigError(source, at, str(UnknownNameError('reward', name, REWARDS)))
        return cls(weight, term, REWARDS[name].read(given, source, at))

    def to_config(self) -> Dict[str, Any]:
        """Return the mapping that :meth:`from_value` reads."""
        return {'weight': self.weight, **({'term': self.term} if self.term else {}),
                **self.parameters}


@dataclass(frozen=True)
class RewardConfig:
    """The reward: a weighted sum of terms.

    Attributes:
        weights: The terms by label. A label is the name of a term, or any text if ``term`` is set.
        termination: Reward for a fall, once.
    """

    weights: Dict[str, RewardWeight] = field(default_factory=dict)
    termination: float = -3.0


@dataclass(frozen=True)
class TerminationConfig:
    """The conditions that end an episode.

    Attributes:
        base_height: A lower base counts as a fall [m]; with a commanded base height it is scaled
            by the share of the height at rest.
        tilt: A larger tilt counts as a fall [rad].
        episode_steps: Time limit of an episode [control steps].
    """

    base_height: float = 0.5
    tilt: float = 0.8
    episode_steps: int = 1000


@dataclass(frozen=True)
class PpoConfig:
    """Proximal policy optimisation (Schulman et al. 2017), names as in rsl_rl.

    Attributes:
        hidden_sizes: Widths of the hidden layers of actor and critic.
        init_std: Initial standard deviation of the actions.
        min_std: Smallest standard deviation, which keeps some exploration.
        final_std_factor: Factor on the standard deviation at the end. The factor decreases from 1
            over the second half of the run, by the same ratio in each iteration.
        learning_rate: Initial learning rate; it is then adapted to ``desired_kl``.
        desired_kl: Desired KL divergence between the policies of two iterations.
        clip: Clipping range of the probability ratio and of the value.
        gamma: Discount factor.
        lam: Lambda of GAE.
        entropy: Weight of the entropy bonus, at the start and at the end of the curriculum.
        value_loss: Weight of the value loss.
        velocity_loss: Weight of the squared error of the base velocity [m^2/s^2] that is
            estimated from the actor's second hidden layer; 0 for no estimate.
        smoothness_loss: Weight of the squared distance of each mean action from the average of
            those one control step earlier and later (temporal smoothness, Mysore et al. 2021);
            unlike a reward it has no noise of exploration in it. 0 for none.
        smoothness_limit: Distance above which it hardly grows (Geman-McClure), so that catching
            a push is free; in actions.
        max_grad_norm: Gradients are clipped to this norm.
        epochs: Passes over each rollout.
        minibatches: Minibatches in each pass.
        rollout_steps: Control steps collected in an iteration.
        symmetry: Whether the mirror image of every sample is used for training, too.
    """

    hidden_sizes: Tuple[int, ...] = (512, 256, 128)
    init_std: float = 0.8
    min_std: float = 0.05
    final_std_factor: float = 1.0
    learning_rate: float = 0.001
    desired_kl: float = 0.01
    clip: float = 0.2
    gamma: float = 0.99
    lam: float = 0.95
    entropy: Tuple[float, float] = (0.005, 0.005)
    value_loss: float = 1.0
    velocity_loss: float = 0.0
    smoothness_loss: float = 0.0
    smoothness_limit: float = 0.1
    max_grad_norm: float = 1.0
    epochs: int = 5
    minibatches: int = 4
    rollout_steps: int = 24
    symmetry: bool = True

    def __post_init__(self) -> None:
        check_counts(self, 'epochs', 'minibatches', 'rollout_steps')
        if not all(1 <= width <= MAX_WIDTH for width in self.hidden_sizes):
            raise ValueError(f'hidden_sizes must be 1 to {MAX_WIDTH:,} each, found '
                             f'{list(self.hidden_sizes)}')
        check_positive(self, 'init_std', 'min_std', 'learning_rate', 'desired_kl', 'clip',
                       'max_grad_norm', 'smoothness_limit')
        check_positive(self, 'gamma', 'lam', 'final_std_factor', largest=1.0)
        check_not_negative(self, 'value_loss', 'velocity_loss', 'smoothness_loss')
        if min(self.entropy) < 0.0:
            raise ValueError(f'entropy must be 0 or more, found {list(self.entropy)}')


@dataclass(frozen=True)
class RunConfig:
    """The length and the size of a run.

    Attributes:
        num_envs: Number of robots that are simulated in parallel.
        iterations: PPO iterations.
        curriculum_start: Factor on penalties (negative weights) and pushes at the first iteration.
        curriculum_iterations: Iterations over which the factor grows to one, and the entropy bonus
            goes from its first to its last weight.
        checkpoint_every: Iterations between two checkpoints.
    """

    num_envs: int = 8192
    iterations: int = 1000
    curriculum_start: float = 0.2
    curriculum_iterations: int = 100
    checkpoint_every: int = 100

    def __post_init__(self) -> None:
        check_counts(self, 'num_envs', largest=MAX_ROBOTS)
        check_counts(self, 'iterations', 'checkpoint_every')


@dataclass(frozen=True)
class DeploymentConfig:
    """Gait and velocity feedback of the policy folder, where they differ from those of training.

    None keeps that of training. The network observes only the phase of the gait clock, so a
    somewhat slower clock than in training is possible.

    Attributes:
        gait: The gait clock.
        linear_velocity_loop: The feedback of the velocity from leg odometry.
    """

    gait: Optional[GaitSpec] = None
    linear_velocity_loop: Optional[LinearLoopSpec] = None


@dataclass(frozen=True)
class TrainingConfig:
    """A complete training config, the content of ``config/training/NAME.yaml``.

    Without ``terrain`` the floor is flat. Without ``deployment`` the policy folder has the gait
    and the feedback of training.
    """

    robot: str = 'humanoid'
    physics: PhysicsSpec = field(default_factory=PhysicsSpec)
    observation: ObservationConfig = field(default_factory=ObservationConfig)
    action: ActionConfig = field(default_factory=ActionConfig)
    gait: Optional[GaitSpec] = field(default_factory=lambda: GaitSpec(0.8, 0.05))
    yaw_rate_integral: Optional[IntegralSpec] = None
    linear_velocity_loop: Optional[LinearLoopSpec] = None
    commands: CommandConfig = field(default_factory=CommandConfig)
    rewards: RewardConfig = field(default_factory=RewardConfig)
    terminations: TerminationConfig = field(default_factory=TerminationConfig)
    randomization: RandomizationConfig = field(default_factory=RandomizationConfig)
    noise: SensorNoise = field(default_factory=SensorNoise)
    ppo: PpoConfig = field(default_factory=PpoConfig)
    run: RunConfig = field(default_factory=RunConfig)
    terrain: Optional[TerrainSpec] = None
    isaacgym: IsaacGymSpec = field(default_factory=IsaacGymSpec)
    deployment: Optional[DeploymentConfig] = None

    def __post_init__(self) -> None:
        check_finite(to_mapping(self))
        robots, steps, parts = self.run.num_envs, self.ppo.rollout_steps, self.ppo.minibatches
        if robots * steps < parts:
            raise ValueError(
                f'run, ppo: {robots} robots x {steps} steps do not fill {parts} minibatches')
        if self.gait is None and self.deployment is not None and self.deployment.gait is not None:
            raise ValueError('deployment.gait: expected null, since gait is null: '
                             'the policy is trained without a clock to follow')

    def deployed(self) -> TrainingConfig:
        """Return the config with ``deployment`` applied; its contract is the policy folder's."""
        if self.deployment is None:
            return self
        return replace(
            self, deployment=None, gait=self.deployment.gait or self.gait,
            linear_velocity_loop=(
                self.deployment.linear_velocity_loop or self.linear_velocity_loop))

    def contract(self, robot: RobotSpec) -> PolicyContract:
        """Return the contract that a policy is trained with."""
        return contract_for(
            robot, control_period=self.physics.control_period, action_mode=self.action.mode,
            action_scale=self.action.scale, observation=self.observation.spec(),
            command_limits=self.commands.limits, gait=self.gait,
            yaw_rate_integral=self.yaw_rate_integral,
            linear_velocity_loop=self.linear_velocity_loop)
