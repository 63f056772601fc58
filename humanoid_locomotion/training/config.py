"""Everything that says how to train; the figures themselves are in ``config/training``."""

from __future__ import annotations

from dataclasses import dataclass, replace
import math
from typing import Dict, Optional, Tuple

from humanoid_locomotion.core.command import CommandSpec, GaitSpec
from humanoid_locomotion.core.contract import (
    ACTION_MODES,
    ObservationSpec,
    PolicyContract,
    contract_for,
)
from humanoid_locomotion.core.errors import UnknownNameError
from humanoid_locomotion.core.feedback.velocity_feedback import IntegralSpec, LinearLoopSpec
from humanoid_locomotion.core.reading.config import to_mapping
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.terms import LAYOUTS
from humanoid_locomotion.sim.backend import PhysicsSpec, TerrainSpec

Range = Tuple[float, float]
MAX_ROBOTS = 65_536  # in one process
MAX_COUNT = 10_000_000  # of anything else
MAX_WIDTH = 16_384  # of a hidden layer


def _check_counts(config: object, *names: str, largest: int = MAX_COUNT) -> None:
    for name in names:
        if not 1 <= getattr(config, name) <= largest:
            raise ValueError(f'{name} must be 1 to {largest:,}, found {getattr(config, name)}')


def _check_ranges(config: object, *names: str) -> None:
    for name in names:
        low, high = getattr(config, name)
        if low > high:
            raise ValueError(f'{name}: {low} is above {high}')


def _check_finite(value: object, at: str = '') -> None:
    """Raise ``ValueError`` with the dotted key of the first figure that is not finite."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f'{at}: expected a finite number, found {value}')
    parts = value.items() if isinstance(value, dict) else (
        enumerate(value) if isinstance(value, list) else ())
    for key, part in parts:
        _check_finite(part, f'{at}.{key}'.lstrip('.'))


@dataclass(frozen=True)
class ObservationConfig:
    """What the actor sees.

    Attributes:
        layout: A key of :data:`humanoid_locomotion.core.terms.LAYOUTS`.
        history: How many control steps are joined.
    """

    layout: str
    history: int

    def spec(self) -> ObservationSpec:
        """Return the layout spelled out."""
        if self.layout not in LAYOUTS:
            raise UnknownNameError('observation layout', self.layout, LAYOUTS)
        return ObservationSpec(self.layout, LAYOUTS[self.layout], self.history)


@dataclass(frozen=True)
class ActionConfig:
    """What an action means.

    Attributes:
        mode: ``default_offset`` or ``joint_range``.
        scale: Share of ``effort / kp`` that an action of one moves the target by.
        max_delay: Most control steps by which targets arrive late; drawn per episode.
    """

    mode: str
    scale: float
    max_delay: int

    def __post_init__(self) -> None:
        if self.mode not in ACTION_MODES:
            raise ValueError(f'mode: expected one of {list(ACTION_MODES)}, found {self.mode!r}')
        if self.max_delay < 0:
            raise ValueError(f'max_delay must be 0 or more, found {self.max_delay}')


@dataclass(frozen=True)
class CommandConfig:
    """How commands are sampled, see :mod:`humanoid_locomotion.training.env.commands`.

    Attributes:
        limits: The axes and the ranges they are sampled from; the contract's, too.
        resample_period: Shortest and longest time between two draws [s].
        standing_share: Share of draws that ask for standing.
        straight_share: Share of draws that ask for forward velocity only.
        turning_share: Share of draws that ask for turning on the spot only.
        slow_share: Share of draws that are slowed down to a tenth to four tenths.
    """

    limits: CommandSpec
    resample_period: Range
    standing_share: float
    straight_share: float
    turning_share: float
    slow_share: float

    def __post_init__(self) -> None:
        _check_ranges(self, 'resample_period')
        shares = (self.standing_share, self.straight_share, self.turning_share)
        if min(shares) < 0.0 or sum(shares) > 1.0:
            raise ValueError('standing_share, straight_share and turning_share must be 0 or more '
                             f'and add up to at most 1, found {shares}')
        if not 0.0 <= self.slow_share <= 1.0:
            raise ValueError(f'slow_share must be within 0 and 1, found {self.slow_share}')


@dataclass(frozen=True)
class RewardConfig:
    """Weights of the reward terms and the figures they need.

    Attributes:
        weights: Weight per second of each term; keys of
            :data:`humanoid_locomotion.training.env.rewards.REWARDS`.
        linear_velocity_sigma: Width of the two tracking kernels [m/s], wide and narrow.
        yaw_rate_sigma: Width of the two tracking kernels [rad/s], wide and narrow.
        base_height: Wanted height of the base [m].
        swing_height: Wanted height of a sole in mid-swing [m].
        swing_sigma: Width of the swing kernel [m].
        feet_distance: Closest that the soles may come, sideways [m].
        pose_weights: Weight of each joint's deviation from the default pose; the first entry
            that is part of the joint's name counts.
        landing_force: Load on one foot beyond which landing is hard, in body weights.
        landing_force_per_speed: The same of a fast walk, per commanded speed [body weights per
            m/s]; the larger of the two counts. 0 wants fast steps as soft as slow ones.
        creep_limit: What a creeping foot, or a drifting base, pays for at most [m/s]; half of it
            at that speed.
        termination: Reward for a fall, once.
    """

    weights: Dict[str, float]
    linear_velocity_sigma: Range
    yaw_rate_sigma: Range
    base_height: float
    swing_height: float
    swing_sigma: float
    feet_distance: float
    pose_weights: Dict[str, float]
    landing_force: float
    landing_force_per_speed: float
    creep_limit: float
    termination: float

    def __post_init__(self) -> None:
        if not self.landing_force_per_speed >= 0.0:
            raise ValueError('landing_force_per_speed must be 0 or more, found '
                             f'{self.landing_force_per_speed}')
        if not self.creep_limit > 0.0:
            raise ValueError(f'creep_limit must be above 0, found {self.creep_limit}')


@dataclass(frozen=True)
class TerminationConfig:
    """When an episode ends.

    Attributes:
        base_height: Below it, the robot has fallen [m].
        tilt: Beyond it, the robot has fallen [rad].
        episode_steps: Control steps after which time is over.
    """

    base_height: float
    tilt: float
    episode_steps: int


@dataclass(frozen=True)
class LedArmsConfig:
    """Arms that somebody else leads while the policy walks.

    Attributes:
        share: Of the robots, drawn at each reset.
        joints: A joint is led if one of these is part of its name.
        reach: They move within this share of the way to the joint limits.
        period: Shortest and longest time in which they reach a new place [s].
    """

    share: float
    joints: Tuple[str, ...]
    reach: float
    period: Range

    def __post_init__(self) -> None:
        _check_ranges(self, 'period')


@dataclass(frozen=True)
class RandomizationConfig:
    """What differs from robot to robot; ranges are uniform.

    Attributes:
        friction: Sliding friction between foot and floor.
        mass_scale: Factor on all masses.
        payload: Mass added to the trunk [kg].
        com_offset: Largest shift of the trunk's centre of mass along each axis [m].
        gain_scale: Factor on each joint's kp and kd.
        encoder_bias: Largest constant error of a joint position [rad].
        imu_tilt: Largest constant mounting error of the IMU about each axis [rad].
        joint_offset: Largest distance from the default pose at a reset [rad].
        reset_velocity: Largest base velocity at a reset along each axis [m/s].
        push_period: Shortest and longest time between two pushes [s].
        push_velocity: Largest kick sideways or forward [m/s].
        push_yaw_rate: Largest kick about the vertical [rad/s].
        led_arms: Arms that are taken from the policy.
    """

    friction: Range
    mass_scale: Range
    payload: Range
    com_offset: float
    gain_scale: Range
    encoder_bias: float
    imu_tilt: float
    joint_offset: float
    reset_velocity: float
    push_period: Range
    push_velocity: float
    push_yaw_rate: float
    led_arms: LedArmsConfig

    def __post_init__(self) -> None:
        _check_ranges(self, 'friction', 'mass_scale', 'payload', 'gain_scale', 'push_period')


@dataclass(frozen=True)
class NoiseConfig:
    """Largest error of each measurement, drawn anew every control step, uniform.

    Attributes:
        joint_position: [rad].
        joint_velocity: [rad/s].
        angular_velocity: [rad/s].
        orientation: [rad] about each axis.
    """

    joint_position: float
    joint_velocity: float
    angular_velocity: float
    orientation: float


@dataclass(frozen=True)
class PpoConfig:
    """Proximal policy optimisation (Schulman et al. 2017), names as in rsl_rl.

    Attributes:
        hidden_sizes: Widths of the hidden layers of actor and critic.
        init_std: Standard deviation of the first actions.
        min_std: Smallest standard deviation, so that exploration never dies.
        final_std_factor: What the standard deviation is multiplied by at the end. The factor falls
            from one over the second half of the run, the same share in each iteration.
        learning_rate: The first learning rate; adapted to ``desired_kl`` from then on.
        desired_kl: Wanted divergence between two iterations' policies.
        clip: Clipping range of the probability ratio and of the value.
        gamma: Discount.
        lam: GAE's lambda.
        entropy: Weight of the entropy bonus, at first and once the curriculum is through.
        value_loss: Weight of the value loss.
        max_grad_norm: Gradients are clipped to this norm.
        epochs: Passes over each rollout.
        minibatches: Parts that a pass is cut into.
        rollout_steps: Control steps collected in an iteration.
        symmetry: Whether every sample is also learned from mirrored.
    """

    hidden_sizes: Tuple[int, ...]
    init_std: float
    min_std: float
    final_std_factor: float
    learning_rate: float
    desired_kl: float
    clip: float
    gamma: float
    lam: float
    entropy: Tuple[float, float]
    value_loss: float
    max_grad_norm: float
    epochs: int
    minibatches: int
    rollout_steps: int
    symmetry: bool

    def __post_init__(self) -> None:
        _check_counts(self, 'epochs', 'minibatches', 'rollout_steps')
        if not all(1 <= width <= MAX_WIDTH for width in self.hidden_sizes):
            raise ValueError(f'hidden_sizes must be 1 to {MAX_WIDTH:,} each, found '
                             f'{list(self.hidden_sizes)}')
        if not 0.0 < self.final_std_factor <= 1.0:
            raise ValueError(
                f'final_std_factor must be in (0, 1], found {self.final_std_factor}')


@dataclass(frozen=True)
class RunConfig:
    """How long and how large.

    Attributes:
        num_envs: Robots simulated at once.
        iterations: PPO iterations.
        curriculum_start: Factor on penalties (negative weights) and pushes at the first iteration.
        curriculum_iterations: Iterations over which the factor grows to one, and the entropy bonus
            goes from its first to its last weight.
        checkpoint_every: Iterations between two checkpoints.
    """

    num_envs: int
    iterations: int
    curriculum_start: float
    curriculum_iterations: int
    checkpoint_every: int

    def __post_init__(self) -> None:
        _check_counts(self, 'num_envs', largest=MAX_ROBOTS)
        _check_counts(self, 'iterations', 'checkpoint_every')


@dataclass(frozen=True)
class DeploymentConfig:
    """What goes around the network in its policy folder, where training had another.

    None is what training had. A network does not know which stride it was trained with: it sees
    the phase of a clock, and follows one that is somewhat slower too.

    Attributes:
        gait: The rhythm to walk to.
        linear_velocity_loop: The loop over the velocity that the legs measure.
    """

    gait: Optional[GaitSpec]
    linear_velocity_loop: Optional[LinearLoopSpec]


@dataclass(frozen=True)
class TrainingConfig:
    """All of it, as ``config/training/NAME.yaml`` holds it.

    Without ``terrain``, the floor is flat; without ``deployment``, policy folders carry what
    training had.
    """

    robot: str
    physics: PhysicsSpec
    observation: ObservationConfig
    action: ActionConfig
    gait: Optional[GaitSpec]
    yaw_rate_integral: Optional[IntegralSpec]
    linear_velocity_loop: Optional[LinearLoopSpec]
    commands: CommandConfig
    rewards: RewardConfig
    terminations: TerminationConfig
    randomization: RandomizationConfig
    noise: NoiseConfig
    ppo: PpoConfig
    run: RunConfig
    terrain: Optional[TerrainSpec] = None
    deployment: Optional[DeploymentConfig] = None

    def __post_init__(self) -> None:
        _check_finite(to_mapping(self))
        robots, steps, parts = self.run.num_envs, self.ppo.rollout_steps, self.ppo.minibatches
        if robots * steps < parts:
            raise ValueError(
                f'run, ppo: {robots} robots x {steps} steps do not fill {parts} minibatches')
        if self.gait is None and self.deployment is not None and self.deployment.gait is not None:
            raise ValueError('deployment.gait: expected null, since gait is null: '
                             'the policy is trained without a clock to follow')

    def deployed(self) -> TrainingConfig:
        """Return the config whose contract a policy folder carries: ``deployment`` applied."""
        if self.deployment is None:
            return self
        return replace(
            self, deployment=None, gait=self.deployment.gait or self.gait,
            linear_velocity_loop=(
                self.deployment.linear_velocity_loop or self.linear_velocity_loop))

    def contract(self, robot: RobotSpec) -> PolicyContract:
        """Return the contract that a policy is trained by."""
        return contract_for(
            robot, control_period=self.physics.control_period, action_mode=self.action.mode,
            action_scale=self.action.scale, observation=self.observation.spec(),
            command_limits=self.commands.limits, gait=self.gait,
            yaw_rate_integral=self.yaw_rate_integral,
            linear_velocity_loop=self.linear_velocity_loop)
