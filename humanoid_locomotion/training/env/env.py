# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The vectorised training environment: many robots, each with its own velocity command.

The step is a sequence of stages. It never synchronises with the host and never changes shapes:
resets, pushes and new commands are applied with masks. Therefore the whole step can be captured
as one CUDA graph.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Dict, Optional, Sequence

import torch

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.state import JointTargets, RobotState
from humanoid_locomotion.sim.backend import ResetState, SimBackend, Truth
from humanoid_locomotion.sim.disturbances import DelayLine
from humanoid_locomotion.training.config import TrainingConfig
from humanoid_locomotion.training.env.commands import CommandSampler
from humanoid_locomotion.training.env.critic_observation import CriticObservation
from humanoid_locomotion.training.env.curriculum import TerrainCurriculum
from humanoid_locomotion.training.env.external_arm_motion import ExternalArmMotion
from humanoid_locomotion.training.env.metrics import Metrics
from humanoid_locomotion.training.env.randomization import (
    Pusher,
    Sensors,
    sample_delay,
    sample_feedback,
    sample_physics,
    sample_start,
)
from humanoid_locomotion.training.env.rewards.outcome import Outcome, RewardContext
from humanoid_locomotion.training.env.rewards.registry import Block
from humanoid_locomotion.training.env.rewards.weighted_sum import RewardSum
from humanoid_locomotion.training.env.terminations import (
    broken,
    fallen,
    height_share,
    out_of_time,
)
from humanoid_locomotion.training.env.tracking_memory import TrackingMemory, velocity_in_heading


@dataclass(frozen=True)
class StepResult:
    """The result of a step; the arrays are overwritten by the next step.

    Attributes:
        obs: (num_envs, obs_size) for the actor.
        critic_observation: (num_envs, critic_size) for the critic, in addition to ``obs``.
        reward: (num_envs,).
        terminated: (num_envs,) bool, the robot fell.
        truncated: (num_envs,) bool, the episode reached its full length.
    """

    obs: torch.Tensor
    critic_observation: torch.Tensor
    reward: torch.Tensor
    terminated: torch.Tensor
    truncated: torch.Tensor


class LocomotionEnv:
    """Robots in simulation that are trained to follow velocity commands.

    Attributes:
        contract: The contract of a policy trained here.
        num_envs: Number of robots.
        device: Device of the tensors.
        rewards: The reward terms.
        metrics: Sums of the metrics since they were last read.
        difficulty: () factor on penalties and pushes, which the curriculum raises to 1.
    """

    def __init__(self, config: TrainingConfig, contract: PolicyContract, backend: SimBackend,
                 robot_mass: float, seed: int):
        self.config, self.contract, self.backend = config, contract, backend
        self.num_envs, self.device = backend.num_envs, backend.device
        n, device = self.num_envs, self.device
        like = torch.zeros(0, device=device)
        variation = sample_physics(config.randomization, n, contract.num_actions, seed)
        backend.randomize(variation)
        self.controller = Controller(contract, num_envs=n, like=like)
        varied = config.randomization
        self._feedback: Optional[torch.Tensor] = None
        if self.controller.loop is not None and (
                varied.feedback_absent > 0.0 or varied.feedback_scale != (1.0, 1.0)):
            self._feedback = self.controller.loop.strength = torch.ones(n, 1, device=device)
        self._context = RewardContext(contract, robot_mass, n, device)
        self.difficulty = torch.ones((), device=device)
        self.rewards = RewardSum(config.rewards.weights, self._context, self.difficulty)
        self._critic = CriticObservation(
            variation, self._context.body_weight, device, self.rewards.critic_mirrors)
        self._memory = TrackingMemory(
            contract.control_period, contract.command_limits.size, n, device)
        self._sensors = Sensors(config.randomization, config.noise, n, contract.num_actions,
                                device)
        self.commands = CommandSampler(
            config.commands, contract.control_period, contract.moving_threshold, n, device)
        self._pusher = Pusher(
            config.randomization, contract.control_period, n, self.difficulty)
        self._default = ResetState(**{key: torch.as_tensor(value, device=device)
                                      for key, value in vars(backend.default_state()).items()})
        self._curriculum = None if backend.terrain is None else TerrainCurriculum(
            backend.terrain, contract.control_period, n, device)
        self.metrics = Metrics(self.rewards.names, device,
                               () if self._curriculum is None else ('terrain_level',))
        self.episode_step = torch.zeros(n, dtype=torch.long, device=device)
        self._arms = ExternalArmMotion(
            config.randomization.external_arm_motion, contract, n, device)
        self._line = DelayLine(config.action.max_delay, self._default.joint_positions)
        m = contract.num_actions
        self._last_action = torch.zeros(n, m, device=device)
        self._last_velocities = torch.zeros(n, m, device=device)

    @property
    def obs_size(self) -> int:
        """Length of the actor's observation."""
        return self.controller.builder.size

    @property
    def critic_size(self) -> int:
        """Length of the critic's additional observation."""
        return self._critic.size

    @property
    def critic_blocks(self) -> Sequence[Block]:
        """The parts of the critic's additional observation, with their mirror images."""
        return self._critic.blocks

    def reset(self, mask: Optional[torch.Tensor] = None) -> StepResult:
        """Reset robots and return the observations of all.

        Args:
            mask: (num_envs,) bool, the robots to put at the start of an episode; None for every
                robot, each at a random time of its episode.
        """
        everyone = torch.ones(self.num_envs, dtype=torch.bool, device=self.device)
        chosen = everyone if mask is None else mask
        carried = {**self.controller.carried(), 'command': self.commands.command,
                   'command_time_left': self.commands.time_left}
        before = {name: tensor.clone() for name, tensor in carried.items()}
        self._reset(chosen)
        self.commands.step(chosen)
        if mask is None:
            self.episode_step.copy_(torch.randint(
                self.config.terminations.episode_steps, (self.num_envs,), device=self.device))
        result = self._result(torch.zeros(self.num_envs, device=self.device), ~everyone, ~everyone)
        for name, tensor in carried.items():  # nothing advances for the others
            rows = chosen.view(-1, *(1,) * (tensor.dim() - 1))
            tensor.copy_(torch.where(rows, tensor, before[name]))
        return result

    def step(self, action: torch.Tensor) -> StepResult:
        """Advance by one control step with ``action`` (num_envs, m)."""
        self.backend.step(self.targets(action))
        return self.after_physics(action)

    def targets(self, action: torch.Tensor) -> JointTargets:
        """Return the joint targets of an action, with external arm motion and delay."""
        return JointTargets(self._line.send(
            self._arms.move(self.controller.act(action).positions)))

    def after_physics(self, action: torch.Tensor) -> StepResult:
        """Compute the reward of ``action``, then apply resets, commands and pushes."""
        state, truth = self._read()
        self.episode_step += 1
        lost = broken(state, truth)
        share = height_share(self.commands.command, self.contract.command_limits)
        terminated = fallen(state, truth, self.config.terminations, share) | lost
        truncated = out_of_time(self.episode_step, self.config.terminations) & ~terminated
        reward = self._reward(state, truth, action, terminated, lost)
        done = terminated | truncated
        self.metrics.count_episodes(self.episode_step, terminated, done, lost)
        if self._curriculum is not None:
            self._curriculum.add_step(self.commands.command, truth.base_linear_velocity)
            self._curriculum.finish(done, terminated)
            self.metrics.add('terrain_level', self._curriculum.level.float())
        self._reset(done)
        self.commands.step(done)
        linear, angular = self._pusher.step()
        self.backend.add_base_velocity(linear, angular)
        self._memory.transition.kick(linear.any(-1) | angular.any(-1))
        return self._result(reward, terminated, truncated)

    def carried(self) -> Dict[str, torch.Tensor]:
        """Return the tensors that carry over from one step to the next, without the physics."""
        return {
            'episode_step': self.episode_step, 'delay_steps': self._line.steps,
            'sent_targets': self._line.sent, 'last_action': self._last_action,
            'last_velocities': self._last_velocities, 'command': self.commands.command,
            'command_time_left': self.commands.time_left,
            'push_time_left': self._pusher.time_left,
            'encoder_bias': self._sensors.encoder_bias,
            'imu_mounting': self._sensors.imu_mounting, **self._memory.state_dict(),
            **self.rewards.state_dict(),
            **self._arms.carried(), **self.controller.carried(),
            **({} if self._curriculum is None else self._curriculum.carried()),
            **({} if self._feedback is None else {'feedback_strength': self._feedback})}

    def _read(self) -> tuple[RobotState, Truth]:
        def tensors(data: object) -> dict:
            return {key: torch.as_tensor(value) for key, value in vars(data).items()}

        return RobotState(**tensors(self.backend.state())), Truth(**tensors(self.backend.truth()))

    def _reward(self, state: RobotState, truth: Truth, action: torch.Tensor,
                terminated: torch.Tensor, lost: torch.Tensor) -> torch.Tensor:
        dt = self.contract.control_period
        clock = self.controller.clock
        state, truth = self._arms.at_rest(state, truth)
        command, velocity = self.commands.command, velocity_in_heading(state, truth)
        moving = self.contract.command_limits.is_moving(command, self.contract.moving_threshold)
        memory = self._memory
        memory.step(truth, command, velocity, moving)
        outcome = Outcome(
            context=self._context, state=state, truth=truth, velocity=velocity, command=command,
            action=action, previous_action=self._last_action,
            joint_accelerations=(state.joint_velocities - self._last_velocities) / dt,
            phase=torch.zeros_like(self.commands.time_left) if clock is None else clock.phase,
            moving=moving.float(), recovered=memory.transition.has_recovered.float(),
            foot_drift=memory.foot_drift.velocity, tracking_error=memory.tracking_error.error)
        terms = torch.where(lost[:, None], 0.0, self.rewards.terms(outcome))
        self._last_action.copy_(action)
        self._last_velocities.copy_(torch.where(lost[:, None], 0.0, state.joint_velocities))
        self.metrics.add_step(outcome, terms, lost)
        return terms.sum(-1) + self.config.rewards.termination * terminated

    def _reset(self, mask: torch.Tensor) -> None:
        """Begin a new episode for the robots in ``mask``."""
        start = sample_start(self.config.randomization, self.backend, self._default)
        if self._curriculum is not None:
            start = replace(start, base_position=start.base_position + self._curriculum.starts())
        self.backend.reset(mask, start)
        self._sensors.reset(mask)
        phase = (torch.rand(self.num_envs, device=self.device) < 0.5) * 0.5
        self.controller.reset(mask, phase)
        if self._feedback is not None:
            self._feedback.copy_(torch.where(mask[:, None], sample_feedback(
                self.config.randomization, self.num_envs, self.device), self._feedback))
        self.episode_step.masked_fill_(mask, 0)
        column = mask[:, None]
        self._last_action.masked_fill_(column, 0.0)
        self._last_velocities.masked_fill_(column, 0.0)
        self._arms.reset(mask)
        self._memory.reset(mask)
        self.rewards.reset(mask)
        self._line.reset(mask, start.joint_positions, sample_delay(
            self.config.action.max_delay, self.num_envs, self.device))

    def _result(self, reward: torch.Tensor, terminated: torch.Tensor,
                truncated: torch.Tensor) -> StepResult:
        state, truth = self._read()
        obs = self.controller.observe(self._sensors.measure(state), self.commands.command)
        critic_observation = self._critic.build(
            state, truth, self._memory, self.controller.command_correction,
            self.rewards.critic_observation(state))
        return StepResult(obs, critic_observation, reward, terminated, truncated)
