"""Collect, learn, log, save; again."""

from __future__ import annotations

from collections import deque
import math
import os
from pathlib import Path
import time
from typing import Any, Callable, Deque, Dict, List, Optional

import torch
import yaml

from humanoid_locomotion.core.config import to_mapping
from humanoid_locomotion.core.errors import CheckpointError, DivergedError
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.sim.backend import SimBackend, open_backend
from humanoid_locomotion.training import checkpoint
from humanoid_locomotion.training.capture import forget_fused
from humanoid_locomotion.training.collector import Collector
from humanoid_locomotion.training.config import TrainingConfig
from humanoid_locomotion.training.distributed import join
from humanoid_locomotion.training.env import LocomotionEnv
from humanoid_locomotion.training.figures import Figures, Moment
from humanoid_locomotion.training.logs import Logs
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
        config: How to train; with several processes, ``run.num_envs`` robots in each.
        robot: What to train.
        backend: Name of the simulator.
        device: ``auto``, ``cpu`` or ``cuda``.
        seed: Of everything that is drawn.
        folder: Where checkpoints, the config and logs go.
        use_graph: Whether to run step and update as CUDA graphs, where there is CUDA.
        fuse: Whether to join the step's small kernels, where there is CUDA.
        deterministic: Whether the same seed must give the same weights, bit by bit.
        command: How it was started, for the policy's card.
        viewer: Whether to show the robots in a window, where the simulator has one.
    """

    def __init__(self, config: TrainingConfig, robot: RobotSpec, *, backend: str, device: str,
                 seed: int, folder: Path, use_graph: bool = True, fuse: bool = False,
                 deterministic: bool = False, command: str = '', viewer: bool = False):
        self.config, self.robot, self.folder, self.seed = config, robot, folder, seed
        self.group = join(device)
        if deterministic:  # cuBLAS reads it when it is first used
            os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
        torch.use_deterministic_algorithms(deterministic)
        contract = config.contract(robot)
        self.backend: SimBackend = open_backend(
            backend, robot, config.run.num_envs, config.physics, contract.joints, device,
            deterministic, viewer and self.group.is_first, config.terrain)
        self.device = self.backend.device
        if torch.device(self.device).type == 'cuda':
            torch.set_float32_matmul_precision('high')  # TF32: half the update's time
        # Every process draws robots of its own, and starts from the same networks.
        own_seed = seed + 1000 * self.group.rank
        torch.manual_seed(own_seed)
        self.env = LocomotionEnv(config, contract, self.backend, robot.mass, own_seed)
        torch.manual_seed(seed)
        ppo = config.ppo
        self.model = ActorCritic(
            self.env.obs_size, self.env.privileged_size, contract.num_actions, ppo.hidden_sizes,
            ppo.init_std, ppo.min_std).to(self.device)
        torch.manual_seed(own_seed)
        mirrors = Mirrors(
            observation_mirror(contract, robot, self.device), privileged_mirror(self.device),
            action_mirror(contract, robot, self.device)) if ppo.symmetry else None
        self.ppo = Ppo(ppo, self.model, mirrors, use_graph, self.group, fuse)
        self.iteration = 0
        self.seconds = 0.0
        self._last = Moment(torch.device(self.device))
        self.use_graph, self._fuse = use_graph and self.backend.capturable, fuse
        self._backend_name, self._command = backend, command
        self._collector: Optional[Collector] = None
        self._last_good = 'none'

    @property
    def samples_per_iteration(self) -> int:
        """How many control steps an iteration learns from, in all processes."""
        return self.config.ppo.rollout_steps * self.config.run.num_envs * self.group.size

    @property
    def samples(self) -> int:
        """How many control steps have been learned from."""
        return self.iteration * self.samples_per_iteration

    @property
    def collector(self) -> Collector:
        """What fills the rollouts; the robots start when it is first asked for."""
        if self._collector is None:
            self._collector = Collector(
                self.env, self.model, self.config.ppo.rollout_steps, self.use_graph, self._fuse)
        return self._collector

    def run(self, report: Optional[Report] = None, max_seconds: float = math.inf,
            is_done: Callable[[], bool] = lambda: False) -> None:
        """Train until the config's iterations are done, the time is spent or it is good enough.

        Args:
            report: Called after each iteration with its number and figures.
            max_seconds: Stop, with a checkpoint, after this time.
            is_done: Asked after each checkpoint whether to stop.

        Raises:
            DivergedError: The figures are no longer numbers; the last checkpoint is good.
        """
        if self.group.is_first:
            self._write_config()
        begin = time.perf_counter()
        self._last = Moment(torch.device(self.device))
        run = self.config.run
        # A GPU is given the next iteration before the figures of the last are asked for.
        ahead = int(torch.device(self.device).type == 'cuda')
        pending: Deque[Figures] = deque()
        with Logs(self.folder, self.group.is_first) as logs:
            while self.iteration < run.iterations:
                pending.append(self.iterate())
                is_due = self.iteration % run.checkpoint_every == 0
                while len(pending) > (0 if is_due else ahead):
                    self._finish(pending.popleft(), logs, report)
                stop = time.perf_counter() - begin > max_seconds
                if is_due:
                    self.save()
                    stop = is_done() or stop
                if (is_due or max_seconds < math.inf) and self._agree(stop):
                    break
            while pending:
                self._finish(pending.popleft(), logs, report)
        self.save()

    def iterate(self) -> Figures:
        """Collect and learn; return the figures, which a GPU may still be working on."""
        self._follow_curriculum()
        self.collector.collect()
        learned = self.ppo.update(self.collector.rollout)
        self.iteration += 1
        sums = self.env.metrics.take()
        overflow = self.backend.overflow()
        dropped = sums.new_zeros(1) if overflow is None else overflow.float().sum()[None]
        self.group.sum([sums, dropped])

        def explain(values: List[float]) -> Dict[str, float]:
            figures = self.env.metrics.means(values[:sums.numel()])
            figures['physics/overflowed_robots'] = values[sums.numel()]
            figures.update(zip(learned, values[sums.numel() + 1:]))
            return figures

        return Figures(self.iteration, self.samples,
                       torch.cat([sums, dropped, torch.stack(list(learned.values()))]), explain)

    def _finish(self, figures: Figures, logs: Logs, report: Optional[Report]) -> None:
        """Log, show and check the figures of an iteration."""
        values = figures.read()
        taken = figures.arrived.seconds_since(self._last)
        self._last = figures.arrived
        self.seconds += taken
        values['speed/seconds'] = self.seconds
        values['speed/steps_per_second'] = self.samples_per_iteration / taken
        logs.write(figures.iteration, figures.samples, values)
        if report is not None:
            report(figures.iteration, values)
        broken = [name for name, value in values.items() if not math.isfinite(value)]
        if broken:
            raise DivergedError(figures.iteration, broken, self._last_good)

    def _follow_curriculum(self) -> None:
        """Make penalties and pushes grow, and exploring change."""
        run, (first, last) = self.config.run, self.config.ppo.entropy
        share = min(1.0, self.iteration / max(1, run.curriculum_iterations))
        self.env.difficulty.fill_(run.curriculum_start + share * (1.0 - run.curriculum_start))
        self.ppo.entropy_weight.fill_(first + share * (last - first))
        second_half = min(1.0, max(0.0, 2.0 * self.iteration / run.iterations - 1.0))
        self.model.std_factor.fill_(self.config.ppo.final_std_factor ** second_half)

    def _agree(self, stop: bool) -> bool:
        """Return whether any process wants to stop, the same in all of them."""
        if self.group.size == 1:
            return stop
        votes = torch.tensor([float(stop)], device=self.device)
        self.group.sum([votes])
        return bool(votes.cpu() > 0)

    def _write_config(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(to_mapping(self.config), sort_keys=False)
        (self.folder / 'config.yaml').write_text(text, encoding='utf-8')

    def save(self) -> Path:
        """Write a checkpoint; return its path."""
        path = self.folder / 'checkpoints' / f'{self.iteration:06d}.pt'
        processes = self.group.gather(checkpoint.on_host(
            {'random': self._random_state(), 'robots': self.collector.snapshot()}))
        if not self.group.is_first:
            return path
        content: Dict[str, Any] = {
            'robot': self.robot.name, 'model_hash': self.robot.model_hash,
            'backend': self._backend_name, 'seed': self.seed, 'command': self._command,
            'config': to_mapping(self.config), 'iteration': self.iteration,
            'samples': self.samples, 'seconds': self.seconds, 'hardware': self.hardware(),
            'model': self.model.state_dict(), 'optimizer': self.ppo.optimizer.state_dict(),
            'learning_rate': self.ppo.learning_rate, 'processes': processes}
        checkpoint.save(path, content)
        self._last_good = str(path)
        return path

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint as if the run had never stopped.

        With another number of robots or processes the robots start new episodes; everything
        else is as it was.

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
        self.ppo.restore(content['optimizer'], content['learning_rate'])
        self.iteration, self.seconds = content['iteration'], content['seconds']
        self._last_good = str(path)
        processes = content['processes']
        if len(processes) != self.group.size:
            return
        own = processes[self.group.rank]
        if len(own['robots']['env']['obs']) == self.env.num_envs:
            self.collector.restore(own['robots'])
            self._restore_random_state(own['random'])

    def _random_state(self) -> Dict[str, torch.Tensor]:
        states = {'cpu': torch.get_rng_state()}
        if torch.device(self.device).type == 'cuda':
            states['cuda'] = torch.cuda.get_rng_state(self.device)
        return states

    def _restore_random_state(self, states: Dict[str, torch.Tensor]) -> None:
        torch.set_rng_state(states['cpu'].cpu())
        if 'cuda' in states and torch.device(self.device).type == 'cuda':
            torch.cuda.set_rng_state(states['cuda'].cpu(), self.device)

    def hardware(self) -> str:
        """Return what the training runs on, for the policy's card."""
        if torch.device(self.device).type == 'cuda':
            name = torch.cuda.get_device_name(self.device)
            return name if self.group.size == 1 else f'{self.group.size} x {name}'
        threads = torch.get_num_threads()
        return f'CPU, {threads} thread{"s" * (threads > 1)}'

    def close(self) -> None:
        """Free graphs and simulator, and leave the group."""
        if self._collector is not None:
            self._collector.step.forget()
            forget_fused()
        self.ppo.close()
        self.backend.close()
        self.group.leave()
