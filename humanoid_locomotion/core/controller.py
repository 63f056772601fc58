# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""One control step: robot state and command in, joint targets out."""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional

import numpy as np

from humanoid_locomotion.core.action import ActionMapper
from humanoid_locomotion.core.arrays import Array, float32, is_torch, namespace, zeros
from humanoid_locomotion.core.command import GaitClock
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.feedback.leg_odometry import LegOdometry
from humanoid_locomotion.core.feedback.velocity_feedback import VelocityLoop
from humanoid_locomotion.core.observation import ObservationBuilder
from humanoid_locomotion.core.state import JointTargets, RobotState
from humanoid_locomotion.core.terms import Moment

Policy = Callable[..., Any]  # (obs) -> actions; recurrent: (obs, memory) -> (actions, memory)


class Controller:
    """Computes the control step of a contract: everything but the network and the simulator.

    The step has two halves, :meth:`observe` and :meth:`act`, because a trainer samples its action
    in between. On a robot, :meth:`step` does both.

    Args:
        contract: The contract of the policy.
        policy: Maps observations (num_envs, obs) to actions (num_envs, m); for :meth:`infer` and
            :meth:`step`. A recurrent policy has a ``memory_size`` above 0; it also takes the
            memory (num_envs, memory_size) and returns the new one.
        num_envs: Number of robots (rows).
        like: An array of the kind, and on the device, to work on; NumPy by default.

    Attributes:
        contract: The contract of the policy.
        previous_action: (num_envs, m) the last action; zeros after a reset.
        memory: (num_envs, memory_size) of a recurrent policy, zeros after a reset; None without.
        observation: (num_envs, obs) the observation of the last :meth:`step`.
    """

    def __init__(self, contract: PolicyContract, policy: Optional[Policy] = None,
                 num_envs: int = 1, like: Array = None):
        like = np.zeros(0, np.float32) if like is None else like
        self.contract = contract
        self.builder = ObservationBuilder(contract, num_envs, like)
        self.mapper = ActionMapper(contract)
        self.clock = None if contract.gait is None else GaitClock(
            contract.gait, contract.command_limits, contract.control_period, num_envs, like)
        linear, yaw_rate = contract.linear_velocity_loop, contract.yaw_rate_integral
        self.loop = None if linear is None and yaw_rate is None else VelocityLoop(
            linear, yaw_rate,
            None if contract.legs is None else LegOdometry(contract.legs, contract.joint_names),
            contract.command_limits, contract.moving_threshold, contract.control_period,
            num_envs, like)
        self.previous_action = zeros((num_envs, contract.num_actions), like)
        self.observation = zeros((num_envs, self.builder.size), like)
        size = getattr(policy, 'memory_size', 0)
        self.memory = zeros((num_envs, size), like) if size else None
        self._policy = policy

    def reset(self, mask: Array, phase: Array = 0.0) -> None:
        """Clear the memory of some robots, as at the start of an episode.

        Args:
            mask: (num_envs,) bool, the robots to reset.
            phase: Phase at which their gait clock starts, in [0, 1).
        """
        xp = namespace(self.previous_action)
        for array in (self.previous_action, self.memory):
            if array is not None:
                array[...] = xp.where(mask[:, None], xp.zeros_like(array), array)
        self.builder.reset(mask)
        if self.clock is not None:
            self.clock.reset(mask, phase)
        if self.loop is not None:
            self.loop.reset(mask)

    @property
    def command_correction(self) -> Array:
        """(num_envs, 3) change of the observed velocity command by feedback [m/s, m/s, rad/s]."""
        return (zeros((self.previous_action.shape[0], 3), self.previous_action)
                if self.loop is None else self.loop.correction)

    def reset_all(self) -> None:
        """Clear the memory of every robot."""
        self.reset(namespace(self.previous_action).ones_like(self.previous_action[:, 0]) > 0.0)

    def carried(self) -> Dict[str, Array]:
        """Return the arrays that are carried over from one control step to the next, by name."""
        clock = {} if self.clock is None else {'phase': self.clock.phase}
        loop = {} if self.loop is None else self.loop.carried()
        memory = {} if self.memory is None else {'memory': self.memory}
        return {'previous_action': self.previous_action, **clock, **loop, **memory,
                **self.builder.carried()}

    def observe(self, state: RobotState, command: Array) -> Array:
        """Return the observation (num_envs, obs) of a state and a command.

        Args:
            state: What the robots measure.
            command: (num_envs, size), columns as in the contract's ``command_limits``, or (size,)
                for all robots; an array or a sequence of numbers.

        Raises:
            ConfigError: The command has another shape.
        """
        limits = self.contract.command_limits
        command = limits.clamp(self._command_rows(command))
        gait = None if self.clock is None else self.clock.step(command)
        if self.loop is not None:
            command = limits.clamp(self.loop.step(command, state))
        return self.builder.build(Moment(state, command, self.previous_action, gait))

    def _command_rows(self, command: Array) -> Array:
        """Return a command as (num_envs, size) float32, on the controller's device."""
        like = self.previous_action
        if is_torch(like) and not is_torch(command):
            command = like.new_tensor(command)
        command = float32(command)
        robots, limits = like.shape[0], self.contract.command_limits
        size = limits.size
        if tuple(command.shape) == (size,):
            return command + zeros((robots, 1), like)
        if tuple(command.shape) != (robots, size):
            raise ConfigError('controller', 'command', f'found the shape {tuple(command.shape)}, '
                              f'expected ({size},) or ({robots}, {size}): '
                              f'{", ".join(limits.names)}')
        return command

    def act(self, action: Array) -> JointTargets:
        """Return the joint targets of an action, which the next observation contains."""
        self.previous_action[...] = action
        return self.mapper.targets(action)

    def step(self, state: RobotState, command: Array) -> JointTargets:
        """Run one control step; see :meth:`observe` for the arguments."""
        self.observation = self.observe(state, command)
        return self.act(self.infer(self.observation))

    def infer(self, observation: Array) -> Array:
        """Return the policy's action (num_envs, m); the memory of a recurrent one advances."""
        if self._policy is None:
            raise TypeError('this controller has no policy; call observe and act')
        if self.memory is None:
            return self._policy(observation)
        action, self.memory[...] = self._policy(observation, self.memory)
        return action

    def rehearse(self, state: RobotState, command: Array) -> None:
        """Run a control step and undo its effects, to load code and weights into the caches."""
        carried = self.carried()
        before = {name: array.copy() for name, array in carried.items()}
        observation = self.observation
        try:
            self.step(state, command)
        finally:
            self.observation = observation
            for name, array in carried.items():
                array[...] = before[name]
