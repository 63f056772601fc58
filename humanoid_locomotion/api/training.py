# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Training of a policy from Python, and the training environment for other trainers."""

from __future__ import annotations

from dataclasses import dataclass
import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Union

from humanoid_locomotion.core.errors import ConfigError, MissingPackageError, UnknownNameError
from humanoid_locomotion.training.run import options
from humanoid_locomotion.training.run.cli import Options, enough_memory
from humanoid_locomotion.training.run.cli import train as run_training

if TYPE_CHECKING:
    from humanoid_locomotion.api.rsl_rl_env import RslRlVecEnv
    from humanoid_locomotion.api.vector_env import LocomotionVectorEnv

INSTALL = {'gymnasium': "pip install 'humanoid_locomotion[train]'",
           'rsl_rl': "pip install 'rsl-rl-lib>=5,<6'"}


@dataclass(frozen=True)
class TrainingResult:
    """The outcome of a training.

    Attributes:
        run: The run folder, with checkpoints, config and metrics; ``export`` reads it.
        samples: Number of control steps used for training.
        seconds: Duration of the training [s].
        stopped_by: Name of the signal that stopped it early; None if none did.
    """

    run: Path
    samples: int
    seconds: float
    stopped_by: Optional[str]


def train(robot: Union[str, Path] = '', *, config: str = '', num_envs: Optional[int] = None,
          iterations: Optional[int] = None, backend: str = 'auto', device: str = 'auto',
          seed: Optional[int] = None, output: Union[str, Path, None] = None,
          resume: Union[str, Path, None] = None, init: Union[str, Path] = '',
          accept_changes: bool = False, max_minutes: Optional[float] = None,
          until_scorecard: bool = False, settings: Optional[Mapping[str, object]] = None,
          quiet: bool = False) -> TrainingResult:
    """Train a policy with PPO in this process, on one device.

    Args:
        robot: Name or folder of a robot; empty for the config's.
        config: Name or path of a training config; empty for the robot's, or the one derived from
            a robot without; ``humanoid`` without a robot.
        num_envs: Number of robots; None for the config's.
        iterations: Total number of iterations; None for that of the config.
        backend: Name of a simulator; ``auto`` takes the first of ``isaacgym``, ``mujoco_warp``
            and ``mujoco`` that can run.
        device: ``auto``, ``cpu`` or ``cuda``.
        seed: Seed of every random choice; None for 1, or for that of the resumed run.
        output: The run folder; None for a dated name below the working directory.
        resume: Run folder or checkpoint to continue.
        init: Policy with a training state, run folder or checkpoint whose networks a new run
            begins with; ``iterations`` then counts from there.
        accept_changes: Whether to continue although something changed since the checkpoint.
        max_minutes: Stop after this time [min].
        until_scorecard: Stop when the policy passes the quick scorecard.
        settings: Changes of the config by dotted key, such as ``{'ppo.learning_rate': 1e-3}``.
        quiet: Print nothing.

    Returns:
        The run folder, the number of samples and the duration.

    Raises:
        LocomotionError: An argument is invalid, and no run was started; or the training failed.
    """
    from rich.console import Console
    _, summary = run_training(Options(
        config=config, robot=str(robot), backend=backend, device=device, num_envs=num_envs,
        iterations=iterations, seed=seed, output=None if output is None else Path(output),
        resume=None if resume is None else Path(resume), accept_changes=accept_changes,
        max_minutes=max_minutes, until_scorecard=until_scorecard, gpus=1, deterministic=False,
        graph=None, fuse=False, viewer='none', assignments=tuple(_assignments(settings)),
        init=str(init)),
        [], 'humanoid_locomotion.train', Console(quiet=quiet))
    assert summary is not None  # None comes only from a training in several processes
    return TrainingResult(Path(summary['run']), summary['samples'], summary['seconds'],
                          summary['stopped_by'])


def make_env(robot: Union[str, Path] = '', num_envs: Optional[int] = None, *, config: str = '',
             api: str = 'gymnasium', arrays: str = 'numpy', backend: str = 'auto',
             device: str = 'auto', seed: int = 1,
             settings: Optional[Mapping[str, object]] = None
             ) -> Union[LocomotionVectorEnv, RslRlVecEnv]:
    """Open the training environment for another trainer.

    Args:
        robot: Name or folder of a robot; empty for the config's.
        num_envs: Number of robots; None for the config's.
        config: Name or path of a training config; empty for the robot's, or the one derived from
            a robot without; ``humanoid`` without a robot.
        api: ``gymnasium`` for a ``gymnasium.vector.VectorEnv``, ``rsl_rl`` for a
            ``rsl_rl.env.VecEnv`` (rsl_rl 5).
        arrays: ``numpy``, or ``torch`` for tensors that stay on the device; rsl_rl always gets
            tensors.
        backend: Name of a simulator; ``auto`` takes the first of ``isaacgym``, ``mujoco_warp``
            and ``mujoco`` that can run.
        device: ``auto``, ``cpu`` or ``cuda``.
        seed: Seed of each robot's physics, and of all samples until ``reset`` gets another.
        settings: Changes of the config by dotted key, such as
            ``{'commands.resample_period': [5, 5]}``.

    Returns:
        The environment, with the observations, rewards, terminations and randomisation that
        ``train`` uses. Penalties and pushes have their final strength; ``difficulty`` scales them.

    Raises:
        LocomotionError: A name is unknown, a value does not fit or a package is not installed.
    """
    for name, value, known in (('api', api, ('gymnasium', 'rsl_rl')),
                               ('arrays', arrays, ('numpy', 'torch'))):
        if value not in known:
            raise UnknownNameError(f'make_env {name}', value, known)
    if num_envs is not None and num_envs < 1:
        raise ConfigError('make_env', 'num_envs', f'found {num_envs}, expected 1 or more')
    simulator = options.choose_backend(backend, device)  # Isaac Gym comes before PyTorch
    for package in ('gymnasium', api):
        if importlib.util.find_spec(package) is None:
            raise MissingPackageError('make_env', package, INSTALL[package])
    chosen, spec = options.training_config(
        config, str(robot), num_envs, None, _assignments(settings))
    options.check_memory(simulator, chosen.run.num_envs)
    from humanoid_locomotion.api.vector_env import LocomotionVectorEnv
    with enough_memory(chosen.run.num_envs):
        env = LocomotionVectorEnv(chosen, spec, backend=simulator, device=device, seed=seed,
                                  as_numpy=api == 'gymnasium' and arrays == 'numpy')
    if api == 'gymnasium':
        return env
    from humanoid_locomotion.api.rsl_rl_env import RslRlVecEnv
    return RslRlVecEnv(env)


def _assignments(settings: Optional[Mapping[str, object]]) -> List[str]:
    """Return changes in the form of the command line; JSON is valid YAML."""
    found: Mapping[str, Any] = settings or {}
    return [f'{key}={json.dumps(value)}' for key, value in found.items()]
