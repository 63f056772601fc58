# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The course's environments: the training environment with the course's methods."""

from __future__ import annotations

from dataclasses import replace
import math
from typing import TYPE_CHECKING, Any, Dict, Optional, Sequence, Tuple, Union

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.course.config import NUM_ACTIONS, HumanoidEnvConfig
from humanoid_locomotion.course.values import arrays, short
from humanoid_locomotion.sim.backend import open_backend
from humanoid_locomotion.training.run.options import CPU_ROBOTS, automatic, choose_backend

if TYPE_CHECKING:
    import torch

    from humanoid_locomotion.core.robot import RobotSpec
    from humanoid_locomotion.training.env.env import LocomotionEnv, StepResult

TENSORS = ('obs', 'actions', 'rewards', 'dones')


class HumanoidIsaacEnv:
    """The course's task in Isaac Gym if this Python has it, else in another simulator.

    The other simulators are MuJoCo Warp on a GPU, and MuJoCo on a CPU with at most 128 robots.
    The choice is printed.

    Args:
        config: The course's config; its defaults if None.
        seed: Seed of the robots' physics.

    Attributes:
        config: The config.
        backend: Name of the simulator.
        wanted: Name of a simulator, or ``auto``; of the class.
        num_envs: Number of robots.
        device: Device of the tensors.
        humanoid_asset: The robot.
        env: The training environment; None before :meth:`create_envs`, which the first use of
            the tensors calls.
        obs: (num_envs, 93) observations.
        actions: (num_envs, 39) last actions.
        rewards: (num_envs,) rewards of the last step.
        dones: (num_envs,) bool, the robots whose episode ended in the last step.

    Raises:
        LocomotionError: A value does not fit, or a simulator is not installed.
    """

    wanted, device = 'auto', 'auto'
    env: Optional[LocomotionEnv]
    obs: torch.Tensor
    actions: torch.Tensor
    rewards: torch.Tensor
    dones: torch.Tensor

    def __init__(self, config: Optional[HumanoidEnvConfig] = None, seed: int = 1):
        self.env, self.seed = None, seed
        self.config = HumanoidEnvConfig() if config is None else config
        if not isinstance(self.config, HumanoidEnvConfig):
            raise ConfigError(type(self).__name__, 'config', f'found {short(config)}, expected a '
                              'HumanoidEnvConfig, as HumanoidEnvConfig(num_envs=64)')
        if not (isinstance(seed, int) and 0 <= seed < 2 ** 32):
            raise ConfigError(type(self).__name__, 'seed', f'found {short(seed)}, expected a '
                              f'whole number from 0 to {2 ** 32 - 1}')
        choice = automatic(self.device) if self.wanted == 'auto' else None
        self.backend = choice.backend if choice is not None else choose_backend(
            self.wanted, self.device)  # Isaac Gym comes before PyTorch
        self.num_envs = self.config.num_envs
        if self.backend == 'mujoco':
            self.num_envs = min(CPU_ROBOTS, self.num_envs)
        if self.device == 'auto':
            self.device = 'cpu' if self.backend == 'mujoco' else 'cuda'
        self._task, self.humanoid_asset = replace(
            self.config, num_envs=self.num_envs).training_config()
        print(f'{type(self).__name__}: {self.num_envs:,} robots in {self.backend}'
              + ('' if choice is None else f', {choice.why}'))

    def create_humanoid_assets(self) -> RobotSpec:
        """Return the robot, which was read when the environment was made."""
        return self.humanoid_asset

    def create_envs(self, env_spacing: float = 2.0) -> None:
        """Open the simulator; without effect if it is open.

        Args:
            env_spacing: Unused: the robots cannot meet, whatever the distance between them.
        """
        self._opened()

    def __getattr__(self, name: str) -> Any:
        """Return a tensor of the simulator, which its first use opens."""
        if name not in TENSORS:
            raise AttributeError(f'{type(self).__name__} has no {name!r}; docs/course.md lists '
                                 'its names, and those that it does without')
        self._opened()
        return vars(self)[name]

    def _opened(self) -> LocomotionEnv:
        """Return the training environment; the first call opens it."""
        if self.env is None:
            robot, contract = self.humanoid_asset, self._task.contract(self.humanoid_asset)
            simulator = open_backend(self.backend, robot, self.num_envs, self._task.physics,
                                     contract.joints, self.device,
                                     isaacgym=self._task.isaacgym)
            import torch

            from humanoid_locomotion.training.env.env import LocomotionEnv
            self.device = simulator.device
            env = LocomotionEnv(self._task, contract, simulator, robot.mass, self.seed)
            self.actions = torch.zeros(self.num_envs, contract.num_actions, device=self.device)
            everyone = torch.ones(self.num_envs, dtype=torch.bool, device=self.device)
            self._take(env.reset(everyone))
            self.env = env
        return self.env

    def reset(self, env_ids: Optional[Union[torch.Tensor, Sequence[int]]] = None) -> torch.Tensor:
        """Begin new episodes.

        Args:
            env_ids: Indices of the robots to reset, or a mask (num_envs,) bool; None for all.

        Returns:
            (num_envs, 93) observations of all robots.

        Raises:
            ConfigError: There is no robot of an index.
        """
        env, mask = self._opened(), self._mask(env_ids)
        self.actions[mask] = 0.0
        self._take(env.reset(mask))
        return self.obs.clone()

    def _mask(self, env_ids: Any) -> torch.Tensor:
        """Return a mask (num_envs,) of robots."""
        import torch
        mask = torch.zeros(self.num_envs, dtype=torch.bool, device=self.device)
        try:
            ids = torch.as_tensor(range(self.num_envs) if env_ids is None else env_ids,
                                  device=self.device)
        except (TypeError, ValueError, RuntimeError):
            ids = torch.tensor(math.nan)
        if ids.dtype == torch.bool and ids.shape == mask.shape:
            return ids.clone()
        if ids.numel() and (ids.dtype == torch.bool or ids.is_floating_point()
                            or ids.is_complex()
                            or not bool(((ids >= 0) & (ids < self.num_envs)).all())):
            raise ConfigError('reset', 'env_ids', f'found {short(env_ids)}, expected indices from '
                              f'0 to {self.num_envs - 1}, or {self.num_envs} booleans')
        mask[ids.long()] = True
        return mask

    def step(self, actions: torch.Tensor
             ) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor, Dict[str, Any]]:
        """Advance by one control step.

        A robot that falls or whose time is over begins a new episode in the same step: its
        observation is the first of that episode.

        Args:
            actions: (num_envs, 39), or (39,) for all robots, from -1, the lower joint limit, to
                1, the upper one.

        Returns:
            (num_envs, 93) observations, (num_envs,) rewards, (num_envs,) bool dones, and a
            dictionary with ``terminated`` (falls) and ``truncated`` (time limit).

        Raises:
            ConfigError: The actions have another shape, or are not finite. On a GPU these are not
                looked for; a robot whose state is not finite then begins a new episode.
        """
        import torch
        env = self._opened()
        with torch.no_grad():
            action, = arrays('step', {'actions': actions}, {'actions': NUM_ACTIONS}, self.actions)
            if action.shape not in (self.actions.shape, self.actions.shape[1:]):
                raise ConfigError('step', 'actions', f'found the shape {tuple(action.shape)}, '
                                  f'expected {tuple(self.actions.shape)}')
            self.actions.copy_(action)
            result = env.step(self.actions.clone())
        self._take(result)
        info = {'terminated': result.terminated.clone(), 'truncated': result.truncated.clone()}
        return self.obs.clone(), self.rewards.clone(), self.dones.clone(), info

    def close(self) -> None:
        """Close the simulator."""
        if self.env is not None:
            self.env.backend.close()
            self.env = None

    def _take(self, result: StepResult) -> None:
        self.obs, self.rewards = result.obs, result.reward
        self.dones = result.terminated | result.truncated


class FallbackHumanoidEnv(HumanoidIsaacEnv):
    """The course's task in MuJoCo on the CPU, with at most 128 robots.

    See :class:`HumanoidIsaacEnv`.
    """

    wanted, device = 'mujoco', 'cpu'
