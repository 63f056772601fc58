"""Collect, learn, log, save; again."""

from __future__ import annotations

import json
from pathlib import Path
import time
from typing import Any, Callable, Dict, Optional

import torch
import yaml

from humanoid_locomotion.core.config import to_mapping
from humanoid_locomotion.core.errors import CheckpointError
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.sim.backend import SimBackend, open_backend
from humanoid_locomotion.training import checkpoint
from humanoid_locomotion.training.collector import Collector
from humanoid_locomotion.training.config import TrainingConfig
from humanoid_locomotion.training.env import LocomotionEnv
from humanoid_locomotion.training.networks import ActorCritic
from humanoid_locomotion.training.ppo import Mirrors, Ppo
from humanoid_locomotion.training.symmetry import (
    action_mirror,
    observation_mirror,
    privileged_mirror,
)

Report = Callable[[int, Dict[str, float]], None]


class Trainer:
    """One training run in a folder of its own.

    Args:
        config: How to train.
        robot: What to train.
        backend: Name of the simulator.
        device: ``auto``, ``cpu`` or ``cuda``.
        seed: Of everything that is drawn.
        folder: Where checkpoints, the config and logs go.
        use_graph: Whether to run the step as a CUDA graph, where there is CUDA.
        command: How it was started, for the policy's card.
    """

    def __init__(self, config: TrainingConfig, robot: RobotSpec, *, backend: str, device: str,
                 seed: int, folder: Path, use_graph: bool = True, command: str = ''):
        torch.manual_seed(seed)
        self.config, self.robot, self.folder, self.seed = config, robot, folder, seed
        contract = config.contract(robot)
        self.backend: SimBackend = open_backend(
            backend, robot, config.run.num_envs, config.physics, contract.joints, device)
        self.device = self.backend.device
        if torch.device(self.device).type == 'cuda':
            torch.set_float32_matmul_precision('high')  # TF32: half the update's time
        self.env = LocomotionEnv(config, contract, self.backend, robot.mass, seed)
        ppo = config.ppo
        self.model = ActorCritic(
            self.env.obs_size, self.env.privileged_size, contract.num_actions, ppo.hidden_sizes,
            ppo.init_std, ppo.min_std).to(self.device)
        mirrors = Mirrors(
            observation_mirror(contract, robot, self.device), privileged_mirror(self.device),
            action_mirror(contract, robot, self.device)) if ppo.symmetry else None
        self.ppo = Ppo(ppo, self.model, mirrors)
        self.iteration = 0
        self.seconds = 0.0
        self._backend_name, self._use_graph, self._command = backend, use_graph, command
        self._collector: Optional[Collector] = None

    @property
    def samples(self) -> int:
        """How many control steps have been learned from."""
        return self.iteration * self.config.ppo.rollout_steps * self.config.run.num_envs

    def run(self, report: Optional[Report] = None, max_seconds: float = float('inf')) -> None:
        """Train until the config's iterations are done or the time is spent.

        Args:
            report: Called after each iteration with its number and figures.
            max_seconds: Stop, with a checkpoint, after this time.
        """
        self._write_config()
        start = time.perf_counter() - self.seconds
        begun = time.perf_counter()
        run = self.config.run
        with _Logs(self.folder) as logs:
            while self.iteration < run.iterations:
                figures = self._iterate()
                self.seconds = time.perf_counter() - start
                figures['speed/seconds'] = self.seconds
                logs.write(self.iteration, self.samples, figures)
                if report is not None:
                    report(self.iteration, figures)
                if self.iteration % run.checkpoint_every == 0:
                    self.save()
                if time.perf_counter() - begun > max_seconds:
                    break
        self.save()

    def _iterate(self) -> Dict[str, float]:
        begun = time.perf_counter()
        self.env.rewards.penalty_factor.fill_(self._penalty_factor())
        if self._collector is None:
            self._collector = Collector(
                self.env, self.model, self.config.ppo.rollout_steps, self._use_graph)
            begun = time.perf_counter()
        self._collector.collect()
        learned = self.ppo.update(self._collector.rollout, self._collector.last_value())
        self.iteration += 1
        figures = self.env.metrics.read()
        figures.update(zip(learned, torch.stack(list(learned.values())).cpu().tolist()))
        overflow = self.backend.overflow()
        if overflow is not None:
            figures['physics/overflowed_robots'] = float(overflow.sum())
        elapsed = time.perf_counter() - begun
        steps = self.config.ppo.rollout_steps * self.config.run.num_envs
        figures['speed/steps_per_second'] = steps / elapsed
        return figures

    def _penalty_factor(self) -> float:
        run = self.config.run
        share = min(1.0, self.iteration / max(1, run.penalty_iterations))
        return run.penalty_start + share * (1.0 - run.penalty_start)

    def _write_config(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(to_mapping(self.config), sort_keys=False)
        (self.folder / 'config.yaml').write_text(text, encoding='utf-8')

    def save(self) -> Path:
        """Write a checkpoint; return its path."""
        path = self.folder / 'checkpoints' / f'{self.iteration:06d}.pt'
        content: Dict[str, Any] = {
            'robot': self.robot.name, 'model_hash': self.robot.model_hash,
            'backend': self._backend_name, 'seed': self.seed, 'command': self._command,
            'config': to_mapping(self.config), 'iteration': self.iteration,
            'samples': self.samples, 'seconds': self.seconds, 'hardware': hardware(self.device),
            'model': self.model.state_dict(), 'optimizer': self.ppo.optimizer.state_dict(),
            'learning_rate': self.ppo.learning_rate, 'rng': torch.get_rng_state()}
        checkpoint.save(path, content)
        return path

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint: networks, optimizer, normalisers, curriculum; new episodes.

        Raises:
            CheckpointError: It is broken, of another robot, or of networks of another size.
        """
        content = checkpoint.load(path, self.device)
        checkpoint.check_robot(content, self.robot.name, path)
        try:
            self.model.load_state_dict(content['model'])
        except RuntimeError as error:
            detail = str(error).strip().splitlines()[-1].strip()
            raise CheckpointError(path, f'does not fit the config ({detail})') from error
        self.ppo.optimizer.load_state_dict(content['optimizer'])
        self.ppo.learning_rate.copy_(content['learning_rate'])
        for group in self.ppo.optimizer.param_groups:
            group['lr'] = self.ppo.learning_rate
        self.iteration, self.seconds = content['iteration'], content['seconds']
        torch.set_rng_state(content['rng'].cpu())


def hardware(device: str) -> str:
    """Return what the training ran on, for the policy's card."""
    if torch.device(device).type == 'cuda':
        return str(torch.cuda.get_device_name(device))
    return f'CPU, {torch.get_num_threads()} threads'


class _Logs:
    """TensorBoard, where it is installed, and one JSON line per iteration."""

    def __init__(self, folder: Path):
        self._folder = folder

    def __enter__(self) -> _Logs:
        self._lines = (self._folder / 'metrics.jsonl').open('a', encoding='utf-8')
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            self._board = None
        else:
            self._board = SummaryWriter(str(self._folder))
        return self

    def write(self, iteration: int, samples: int, figures: Dict[str, float]) -> None:
        line = {'iteration': iteration, 'samples': samples, **figures}
        self._lines.write(json.dumps(line) + '\n')
        self._lines.flush()
        if self._board is not None:
            for name, value in figures.items():
                self._board.add_scalar(name, value, iteration)

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        if self._board is not None:
            self._board.close()
