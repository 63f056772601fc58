# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The training environment as a Gymnasium vector environment."""

from __future__ import annotations

import contextlib
from typing import Any, Dict, Iterator, Optional, Tuple

from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
import numpy as np
import torch

from humanoid_locomotion.core.arrays import Array
from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.sim.backend import open_backend
from humanoid_locomotion.training.config import TrainingConfig
from humanoid_locomotion.training.env.env import LocomotionEnv, StepResult

Step = Tuple[Array, Array, Array, Array, Dict[str, Any]]


class FinalObservationEnv(LocomotionEnv):
    """The training environment with the observations before the resets of the last step.

    Attributes:
        final_obs: (num_envs, obs), the observation before the resets.
        final_critic_observation: (num_envs, more), the critic's additional observation before
            the resets.
    """

    final_obs: torch.Tensor
    final_critic_observation: torch.Tensor

    def _reset(self, mask: torch.Tensor) -> None:
        carried = self.controller.carried()
        before = {name: tensor.clone() for name, tensor in carried.items()}
        nothing = torch.zeros_like(mask)
        final = self._result(torch.zeros(self.num_envs, device=self.device), nothing, nothing)
        self.final_obs = torch.nan_to_num(final.obs)  # NaN where the simulator lost a robot
        self.final_critic_observation = torch.nan_to_num(final.critic_observation)
        for name, tensor in carried.items():  # observations advance clock and history
            tensor.copy_(before[name])
        super()._reset(mask)


class LocomotionVectorEnv(VectorEnv):
    """The training environment with the interface of Gymnasium 1.x, one command per robot.

    A robot that falls or whose time is over is reset in the same step
    (``AutoresetMode.SAME_STEP``): the returned observation is the first of its new episode, and
    ``infos['final_obs']`` (num_envs, obs) holds the last of the old one in the rows of the mask
    ``infos['_final_obs']``, zeros in the others. Both keys are present only when a robot was
    reset. ``infos['critic_observation']`` and ``infos['final_critic_observation']`` hold the
    critic's additional observation.

    The first episodes begin at random times, so that the robots do not reset all at once. The
    environment has its own random state, separate from that of PyTorch.

    Args:
        config: The training config.
        robot: The robot.
        backend: Name of a simulator.
        device: ``auto``, ``cpu`` or ``cuda``.
        seed: Seed of each robot's physics, and of all samples until :meth:`reset` gets another.
        as_numpy: Whether to return NumPy arrays; tensors on the device otherwise.

    Attributes:
        env: The wrapped training environment.
        config: The training config.
    """

    def __init__(self, config: TrainingConfig, robot: RobotSpec, *, backend: str, device: str,
                 seed: int, as_numpy: bool = True):
        self.config = config
        contract = config.contract(robot)
        simulator = open_backend(backend, robot, config.run.num_envs, config.physics,
                                 contract.joints, device, terrain=config.terrain,
                                 isaacgym=config.isaacgym)
        self._as_numpy, self.device = as_numpy, simulator.device
        self._random = self._seeded(seed)
        with self._own_random():
            self.env = FinalObservationEnv(config, contract, simulator, robot.mass, seed)
        self.num_envs = self.env.num_envs
        lower, upper = self.env.controller.mapper.action_bounds
        size = (self.env.obs_size,)
        self.single_observation_space = Box(-np.inf, np.inf, size, np.float32)
        self.single_action_space = Box(lower, upper, lower.shape, np.float32)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.metadata = {'render_modes': [], 'autoreset_mode': AutoresetMode.SAME_STEP,
                         'render_fps': round(1.0 / contract.control_period)}
        self._start = ({name: value.copy() if isinstance(value, np.ndarray) else value.clone()
                        for name, value in simulator.snapshot().items()},
                       {name: value.clone() for name, value in self.env.carried().items()})

    @property
    def difficulty(self) -> float:
        """Factor on penalties and pushes, 0 to 1; ``train`` raises it during a run."""
        return float(self.env.difficulty)

    @difficulty.setter
    def difficulty(self, value: float) -> None:
        self.env.difficulty.fill_(value)

    def take_metrics(self) -> Dict[str, float]:
        """Return the means of rewards and errors since the last call, by name."""
        return self.env.metrics.means(self.env.metrics.take().tolist())

    def reset(self, *, seed: Optional[int] = None,
              options: Optional[Dict[str, Any]] = None) -> Tuple[Array, Dict[str, Any]]:
        """Reset every robot and the terrain curriculum.

        Args:
            seed: The same seed and the same actions give the same results. None keeps the current
                random state.
            options: Unused.

        Returns:
            The observations (num_envs, obs), and ``infos`` with ``critic_observation``.
        """
        super().reset(seed=seed)
        if seed is not None:
            self._random = self._seeded(seed)
        physics, carried = self._start
        self.env.backend.restore(physics)
        for name, tensor in self.env.carried().items():
            tensor.copy_(carried[name])
        with self._own_random(), torch.no_grad():
            result = self.env.reset()
        return self._give(result.obs), {
            'critic_observation': self._give(result.critic_observation)}

    def step(self, actions: Array) -> Step:
        """Advance by one control step.

        Args:
            actions: (num_envs, m), NumPy or PyTorch. Joint targets beyond the joint limits, which
                are the bounds of ``action_space``, are clipped.

        Returns:
            Observations (num_envs, obs), rewards, terminations (falls), truncations (time limit),
            each (num_envs,), and ``infos``.
        """
        action = torch.as_tensor(actions, dtype=torch.float32, device=self.device)
        if action.shape != self.action_space.shape:
            raise ConfigError('step', 'actions', f'found the shape {tuple(action.shape)}, '
                              f'expected {self.action_space.shape}')
        with self._own_random(), torch.no_grad():
            result = self.env.step(action)
        return (self._give(result.obs), self._give(result.reward), self._give(result.terminated),
                self._give(result.truncated), self._infos(result))

    def close_extras(self, **kwargs: Any) -> None:
        """Close the simulator."""
        self.env.backend.close()

    def _infos(self, result: StepResult) -> Dict[str, Any]:
        infos = {'critic_observation': self._give(result.critic_observation)}
        done = result.terminated | result.truncated
        if bool(done.any()):
            for name, value in (('final_obs', self.env.final_obs),
                                ('final_critic_observation', self.env.final_critic_observation)):
                infos[name] = self._give(torch.where(done[:, None], value, 0.0))
                infos[f'_{name}'] = self._give(done)
        return infos

    def _give(self, tensor: torch.Tensor) -> Array:
        """Return a copy, since the next step overwrites the tensor."""
        return tensor.detach().cpu().numpy().copy() if self._as_numpy else tensor.clone()

    def _seeded(self, seed: int) -> Tuple[torch.Tensor, Optional[torch.Tensor]]:
        """Return the state of PyTorch's random generators after seeding them."""
        with self._own_random(keep=False):
            torch.manual_seed(seed)
            return self._generators()

    def _generators(self) -> Tuple[torch.Tensor, Optional[torch.Tensor]]:
        is_cuda = torch.device(self.device).type == 'cuda'
        return (torch.get_rng_state(),
                torch.cuda.get_rng_state(self.device) if is_cuda else None)

    def _set_generators(self, states: Tuple[torch.Tensor, Optional[torch.Tensor]]) -> None:
        host, device = states
        torch.set_rng_state(host)
        if device is not None:
            torch.cuda.set_rng_state(device, self.device)

    @contextlib.contextmanager
    def _own_random(self, keep: bool = True) -> Iterator[None]:
        """Sample from the environment's random state; the caller's state is restored."""
        callers = self._generators()
        if keep:
            self._set_generators(self._random)
        try:
            yield
        finally:
            if keep:
                self._random = self._generators()
            self._set_generators(callers)
